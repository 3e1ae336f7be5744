"""knsctl as people and scripts use it: every verb against the real daemon, on a terminal and in a pipe."""
import fcntl
import html.parser
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import termios
import threading
import time
import unicodedata
import unittest
import xml.etree.ElementTree as ElementTree
from email import message_from_bytes
from email.policy import default as mail_policy

from tests.integration.kns import BUILD, PATIENCE_S, ROOT, Knsd, Origin, entry, opml, rss, wait_until

CTL = os.path.join(BUILD, "bin", "knsctl")
DONE, FAILED, USAGE, NO_DAEMON, NOT_FOUND, SOME_FAILED = range(6)
VERBS = ("add remove pause resume edit feeds refresh import export list search show mark tag why split rule links watch digest issue site "
         "template status backup check parse help completion").split()
ESCAPE = "\x1b"


def columns(text):
    """How wide a terminal shows it."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def environment(**more):
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "XDG_RUNTIME_DIR", "KNS_SOCKET")}
    return dict(env, TERM="xterm-256color", **more)


def on_terminal(argv, width=80, env=None):
    """Runs a program on a terminal of its own; its status and what it showed there (output and errors as one)."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=env or environment(), close_fds=True)
    os.close(slave)
    shown, deadline = b"", time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 0.5)[0]:
            continue
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    return process.wait(PATIENCE_S), shown.decode("utf-8").replace("\r\n", "\n")


class Case(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.knsd = Knsd()
        self.addCleanup(self.knsd.close)

    def argv(self, *words):
        return [CTL, "--socket", self.knsd.socket, *map(str, words)]

    def run_ctl(self, *words, stdin=None, env=None):
        """(status, standard output, standard error)."""
        done = subprocess.run(self.argv(*words), input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=env or environment(), timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")

    def ctl(self, *words, stdin=None):
        """What it printed; it must have gone well and said nothing on standard error."""
        status, out, err = self.run_ctl(*words, stdin=stdin)
        self.assertEqual((status, err), (DONE, ""), "knsctl %s: %s" % (" ".join(map(str, words)), out))
        return out

    def json(self, *words):
        return json.loads(self.ctl(*words, "--json"))

    def assert_fails(self, status, *words, says=()):
        """One line on standard error, `knsctl: what: why`, and nothing on standard output."""
        got, out, err = self.run_ctl(*words)
        self.assertEqual((got, out), (status, ""), "knsctl %s: %s" % (" ".join(map(str, words)), err))
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertTrue(err.startswith("knsctl: "), err)
        for part in says:
            self.assertIn(part, err)

    def terminal(self, *words, width=80, env=None):
        status, shown = on_terminal(self.argv(*words), width, env)
        self.assertEqual(status, DONE, shown)
        return shown

    def feed(self, name, entries=(), *options, title="A feed"):
        """Subscribes; the new feed's id."""
        url = self.origin.put("/" + name, rss(entries, title=title))
        return int(self.ctl("add", url, *options).split("\t")[0])


class Words(Case):
    def test_every_verb_has_its_help_and_help_lists_every_verb(self):
        general = self.ctl("--help")
        self.assertEqual(general, self.ctl("help"))
        for verb in VERBS:
            self.assertRegex(general, r"(?m)^  %s " % verb)
            text = self.ctl(verb, "--help")
            self.assertTrue(text.startswith("usage: knsctl %s" % verb), text)
            self.assertEqual(text, self.ctl("help", verb))
            self.assertEqual(text, self.ctl(verb, "-h"))
            for line in text.splitlines():
                if not line.startswith("  knsctl"):  # an example is as long as it is
                    self.assertLessEqual(columns(line), 80, line)
        self.assertEqual(set(re.findall(r"(?m)^  ([a-z]+) ", general)), set(VERBS))

    def test_every_verb_and_option_stands_in_the_manual(self):
        with open(os.path.join(ROOT, "man", "knsctl.1"), encoding="utf-8") as f:
            page = f.read()
        for verb in VERBS:
            self.assertRegex(page, r"(?m)^\.(It )?Cm %s\b" % verb)
            for option in re.findall(r"--([a-z-]+)", self.ctl(verb, "--help").split("Common options")[0]):
                self.assertRegex(page, r"Fl -%s\b" % option, verb)

    def test_without_a_verb_or_with_an_unknown_one_it_says_how(self):
        status, out, err = self.run_ctl()
        self.assertEqual((status, out), (USAGE, ""))
        self.assertIn("usage: knsctl", err)
        self.assert_fails(USAGE, "lst", says=("lst", "list"))
        self.assert_fails(USAGE, "help", "lst", says=("list",))

    def test_usage_errors_name_the_verb_the_word_and_what_was_expected(self):
        for words, parts in (
                (("add",), ("add", "URL… is missing")), (("remove",), ("FEED… is missing",)), (("show",), ("ITEM",)), (("show", "1", "2"), ("one argument too many", "2")),
                (("feeds", "extra"), ("extra",)), (("list", "--sinse", "7d"), ("--sinse", "--since")), (("list", "--since", "soon"), ("--since", "soon", "7d")),
                (("list", "-n", "many"), ("--number", "many")), (("list", "-n"), ("--number", "needs a value")), (("list", "--sort", "best"), ("--sort", "best", "new|old")),
                (("list", "--all=yes"), ("--all", "no value")), (("list", "-x"), ("-x",)), (("add", "--every", "often", "http://x/"), ("--every", "30m")),
                (("edit", "1"), ("nothing to change",)), (("edit", "--auth", "word", "1"), ("--auth", "USER:PASSWORD")), (("mark", "done", "1"), ("done", "read, unread")),
                (("tag", "1", "word"), ("word", "+TAG")), (("export", "--format", "csv"), ("csv", "opml|json")), (("digest", "--format", "pdf"), ("pdf", "html|atom")),
                (("list", "--tag", "a", "--tag", "b"), ("--tag", "twice")), (("completion", "tcsh"), ("tcsh", "bash")), (("--colour", "list"), ("--colour", "--color")),
                (("list", "--color", "blue"), ("--color", "blue")), (("mark", "read"), ('expected more behind "read"', "ITEM")), (("backup", "x", "--output"), ("--output",)), (("digest", "-o", ""), ("--output", "empty")),
                (("list", "--format", "{titel}"), ("{titel}", "{title}")), (("search", ""), ("query is empty",)), (("search", " ", ""), ("query is empty",))):
            self.assert_fails(USAGE, *words, says=parts)
        self.assertTrue(self.run_ctl("list", "--sinse", "7d")[2].endswith("(did you mean --since?)\n"), "one way on, not two")

    def test_version_is_the_daemons(self):
        self.assertEqual(self.ctl("--version").split(), ["knsctl", self.json("status")["version"]])

    def test_options_stand_anywhere_and_two_dashes_end_them(self):
        self.feed("a", [entry(1, title="-odd title")])
        self.assertEqual(self.ctl("search", "article", "-n", "1"), self.ctl("search", "-n1", "article"))
        self.assertEqual(self.ctl("search", "--number=1", "--", "-odd"), "", "-odd: without odd, and nothing else asked for")
        self.assert_fails(NOT_FOUND, "show", "--", "--json", says=("--json",))


class Daemonless(Case):
    def test_no_daemon_is_exit_3_with_the_way_on_from_every_verb_that_needs_one(self):
        self.knsd.stop()
        arguments = {"add": ["http://x.example/"], "remove": ["1"], "pause": ["1"], "resume": ["1"], "edit": ["1", "--title", "x"], "show": ["1"],
                     "mark": ["read", "1"], "tag": ["1", "+x"], "why": ["1"], "split": ["1"], "rule": ["list"], "issue": ["list"], "site": ["/tmp/x"], "search": ["x"], "import": ["/dev/null"], "backup": ["/tmp/x"]}
        for verb in VERBS:
            if verb not in ("template", "parse", "help", "completion"):
                self.assert_fails(NO_DAEMON, verb, *arguments.get(verb, []), says=(self.knsd.socket, "knsd"))
        self.assert_fails(NO_DAEMON, "watch", "--since", "1")
        self.assert_fails(NO_DAEMON, "refresh", "http://x.example/", "2")
        self.assert_fails(NO_DAEMON, "list", "--feed", "http://x.example/")

    def test_the_socket_is_that_of_the_option_then_of_the_environment_then_the_users(self):
        def status(argv, **more):
            done = subprocess.run([CTL, *argv, "status"], env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False)
            return done.returncode

        user = os.path.join(self.knsd.dir, "kns")
        os.mkdir(user)
        os.symlink(self.knsd.socket, os.path.join(user, "kns.sock"))
        self.assertEqual(status(["--socket", self.knsd.socket], KNS_SOCKET="/nowhere"), DONE)
        self.assertEqual(status([], KNS_SOCKET=self.knsd.socket), DONE)
        self.assertEqual(status([], KNS_SOCKET="/nowhere", XDG_RUNTIME_DIR=self.knsd.dir), NO_DAEMON)
        self.assertEqual(status([], XDG_RUNTIME_DIR=self.knsd.dir), DONE)

    def test_a_socket_with_too_long_a_path_is_told_as_that(self):
        status, out, err = self.at_socket("/tmp/" + "x" * 120, "status")
        self.assertEqual((status, out), (NO_DAEMON, ""))
        self.assertIn("107 bytes", err)

    def test_what_answers_and_is_not_knsd_is_told_as_that(self):
        page = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"
        newer = b'{"version":"999.0","uptime_seconds":1}'
        for answer, status, out, err in (
                (b"hello\r\n\r\n", FAILED, "", "it speaks no HTTP"), (b"", FAILED, "", "hung up"), (page, FAILED, "", "HTTP 404"),
                (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(newer), newer), DONE, "knsd 999.0 (knsctl is ", "")):
            got = self.ask_stranger(answer, "status")
            self.assertEqual(got[0], status, got)
            self.assertIn(out, got[1])
            self.assertIn(err, got[2])

    def at_socket(self, path, *words):
        done = subprocess.run([CTL, "--socket", path, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout, done.stderr

    def ask_stranger(self, answer, *words):
        """What a verb makes of somebody else's answer on the socket."""
        path = os.path.join(self.knsd.dir, "stranger.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1)
            listener.settimeout(PATIENCE_S)

            def serve():
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            got = self.at_socket(path, *words)
            thread.join()
        os.remove(path)
        return got

    def test_check_works_on_a_file_without_the_daemon(self):
        self.feed("a", [entry(1)])
        copy = os.path.join(self.knsd.dir, "copy.db")
        self.ctl("backup", copy)
        self.knsd.stop()
        self.assertEqual(self.ctl("check", "--db", copy), "sound\n")
        self.assertEqual(self.json("check", "--db", copy), {"sound": True, "problems": []})
        self.assert_fails(FAILED, "check", "--db", os.path.join(self.knsd.dir, "none.db"), says=("none.db",))
        with open(copy, "r+b") as f:
            f.seek(4096 * 3)
            f.write(b"\xa5" * 4096 * 2)
        status, out, err = self.run_ctl("check", "--db", copy)
        self.assertEqual(status, FAILED)
        self.assertTrue(err.startswith("knsctl: "), out)

    def test_parse_needs_no_daemon(self):
        self.knsd.stop()
        feed = json.loads(self.ctl("parse", "--base", "https://example.org/feed", "-", stdin=rss([entry(1)]).encode()))
        self.assertEqual((feed["version"], feed["items"][0]["url"]), ("https://jsonfeed.org/version/1.1", "https://example.org/1"))
        status, out, err = self.run_ctl("parse", "-", stdin=b"<p>no feed")
        self.assertEqual((status, out), (FAILED, ""))
        self.assertRegex(err, r"^knsctl: standard input: .+\n$")
        self.assert_fails(FAILED, "parse", "/no/such/file", says=("/no/such/file",))

    @unittest.skipIf(os.geteuid() == 0 and shutil.which("setpriv") is None, "root may ask everybody, and no setpriv")
    def test_a_socket_that_may_not_be_opened_says_so(self):
        os.chmod(self.knsd.dir, 0o755)
        os.chmod(self.knsd.socket, 0o600)
        program = shutil.copy(CTL, self.knsd.dir)
        argv = [program, "--socket", self.knsd.socket, "status"]
        if os.geteuid() == 0:
            argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + argv
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, NO_DAEMON)
        self.assertIn("permission denied", done.stderr)


class Subscriptions(Case):
    def test_add_prints_id_title_and_url_and_stores_the_items(self):
        url = self.origin.put("/a", rss([entry(1)], title="題\tname"))
        self.assertEqual(self.ctl("add", url, "--tag", "x", "--tag", "a/b", "--every", "2h", "--newsletter"), "1\t題 name\t%s\n" % url)
        feed = self.json("feeds")[0]
        self.assertEqual((feed["tags"], feed["newsletter"], feed["interval_seconds"], feed["items"]), (["a/b", "x"], True, 7200, 1))
        self.assertEqual(len(self.origin.asked("/a")), 1, "fetched once")
        titled = self.json("add", self.origin.put("/b", rss([])), "--title", "Mine")
        self.assertEqual((titled["id"], titled["title"]), (2, "Mine"))

    def test_some_of_several_failing_is_exit_5_and_all_failing_is_why(self):
        good, bad = self.origin.put("/a", rss([])), self.origin.base + "/missing"
        status, out, err = self.run_ctl("add", good, bad)
        self.assertEqual(status, SOME_FAILED)
        self.assertTrue(out.startswith("1\t"))
        self.assertRegex(err, r"^knsctl: %s: .*404.*\n$" % re.escape(bad))
        self.assert_fails(FAILED, "add", bad, says=("404",))
        self.assertEqual(self.run_ctl("remove", 1, 77)[0], SOME_FAILED)
        self.assert_fails(NOT_FOUND, "remove", 77, says=("77",))

    def test_a_page_with_several_feeds_lists_them_and_takes_none(self):
        page = self.origin.put("/", '<!doctype html><title>x</title><link rel=alternate type="application/rss+xml" href="/a" title=One>'
                                    '<link rel=alternate type="application/atom+xml" href="/b" title=Two>')
        status, out, err = self.run_ctl("add", page)
        self.assertEqual((status, out), (FAILED, ""))
        self.assertEqual(err.splitlines()[1:], ["  %s/a  One" % self.origin.base, "  %s/b  Two" % self.origin.base])
        self.assertEqual(self.json("feeds"), [])
        self.assert_fails(FAILED, "add", "--no-discover", page)
        self.ctl("add", "--force", self.origin.base + "/missing")
        self.assertEqual(len(self.json("feeds")), 1)

    def test_a_feed_is_named_by_id_or_url(self):
        self.feed("a", [entry(1)])
        url = self.origin.base + "/a"
        for feed in ("1", url):
            self.ctl("pause", feed)
            self.assertEqual(self.json("feeds")[0]["state"], "paused")
            self.ctl("resume", feed)
            self.assertEqual(self.json("feeds")[0]["state"], "active")
        self.ctl("edit", url, "--title", "New", "--tag", "t", "--newsletter", "yes", "--every", "6h")
        feed = self.json("feeds")[0]
        self.assertEqual((feed["title"], feed["tags"], feed["newsletter"]), ("New", ["t"], True))
        self.ctl("edit", 1, "--title", "", "--tag", "", "--newsletter", "no", "--url", self.origin.put("/b", rss([])))
        feed = self.json("feeds")[0]
        self.assertEqual((feed["title"], feed["tags"], feed["newsletter"], feed["moved_from"]), ("A feed", [], False, [url]))
        self.ctl("remove", url)
        self.assertEqual(self.json("feeds"), [])
        for verb in ("pause", "resume", "remove"):
            self.assert_fails(NOT_FOUND, verb, url, says=(url,))

    def test_an_interval_is_set_and_taken_back(self):
        self.feed("a", [entry(1)])
        usual = self.json("feeds")[0]["interval_seconds"]
        self.ctl("edit", 1, "--every", "3d")
        self.run_ctl("refresh", "--wait", "--force")
        self.assertEqual(self.json("feeds")[0]["interval_seconds"], 3 * 86400)
        self.ctl("edit", 1, "--every", "none")
        self.run_ctl("refresh", "--wait", "--force")
        self.assertEqual(self.json("feeds")[0]["interval_seconds"], usual)

    def test_credentials_are_sent_to_the_feed_and_shown_nowhere(self):
        self.feed("a", [entry(1)])
        secrets = os.path.join(self.knsd.dir, "secret")
        with open(secrets, "w", encoding="utf-8") as f:
            f.write("ann:pass:word\n")

        def asked(*auth, stdin=None):
            self.ctl("edit", 1, "--auth", *auth, stdin=stdin)
            self.run_ctl("refresh", "--wait", "--force")
            return self.origin.asked("/a")[-1].headers.get("Authorization")

        self.assertEqual(asked("bob:hunter2"), "Basic Ym9iOmh1bnRlcjI=")
        self.assertEqual(asked("@" + secrets), "Basic YW5uOnBhc3M6d29yZA==")
        self.assertEqual(asked("@-", stdin=b"Bearer s3cr3t-token\n"), "Bearer s3cr3t-token")
        self.assertIsNone(asked("none"))
        self.ctl("edit", 1, "--auth", "bob:hunter2")
        shown = "".join(self.run_ctl(*words)[1] for words in (("feeds", "--json"), ("feeds",), ("export",), ("export", "--format", "json"), ("why", "--feed", 1), ("list", "--json")))
        self.assertNotIn("hunter2", shown + self.knsd.log)
        status, _, err = self.run_ctl("add", self.origin.url("/none", "eve:topsecret@"))
        self.assertEqual(status, FAILED)
        self.assertNotIn("topsecret", err)
        self.assert_fails(FAILED, "edit", 1, "--auth", "@/no/such/file", says=("/no/such/file",))

    def test_feeds_in_a_pipe_are_ten_fields_with_the_error_last(self):
        self.feed("a", [entry(1)], "--tag", "b", "--tag", "a", title="表")
        self.origin.put("/a", status=500)
        self.run_ctl("refresh", "--wait", "--force")
        fields = self.ctl("feeds").rstrip("\n").split("\t")
        self.assertEqual(len(fields), 10)
        self.assertEqual([fields[i] for i in (0, 1, 3, 5, 6, 7, 8)], ["1", "failing", "500", "1", "a, b", "表", self.origin.base + "/a"])
        self.assertRegex(fields[2], r"^\d{4}-\d\d-\d\dT")
        self.assertIn("500", fields[9])
        self.feed("b", [])
        self.assertEqual([line.split("\t")[0] for line in self.ctl("feeds", "--failing").splitlines()], ["1"])
        self.assertEqual([line.split("\t")[0] for line in self.ctl("feeds", "--tag", "a").splitlines()], ["1"])
        self.assertEqual(self.ctl("feeds", "--tag", "none"), "")

    def test_opml_goes_round_with_nested_folders(self):
        source = ('<opml version="2.0"><head><title>L</title></head><body><outline text="技術"><outline text="AI &amp; ML"><outline text="deep">'
                  '<outline type="rss" text="A &lt;1&gt;" xmlUrl="%(b)s/a" htmlUrl="https://a.example/"/></outline>'
                  '<outline type="rss" text="B" xmlUrl="%(b)s/b?x=1&amp;y=2"/></outline></outline>'
                  '<outline type="rss" text="Plain" xmlUrl="%(b)s/plain"/></body></opml>') % {"b": self.origin.base}
        self.assertEqual(self.ctl("import", "-", stdin=source.encode()), "3 added, 0 known already, 0 refused\n")
        first = self.ctl("export")
        subprocess.run(["xmllint", "--noout", "-"], input=first.encode(), check=True) if shutil.which("xmllint") else ElementTree.fromstring(first)
        tags = {f["url"].split("/")[-1]: f["tags"] for f in self.json("feeds")}
        self.assertEqual(tags, {"a": ["技術/AI & ML/deep"], "b?x=1&y=2": ["技術/AI & ML"], "plain": []})
        other = Knsd()
        self.addCleanup(other.close)
        path = os.path.join(other.dir, "list.opml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(first)
        done = subprocess.run([CTL, "--socket", other.socket, "import", path], stdout=subprocess.PIPE, check=True, timeout=PATIENCE_S)
        self.assertEqual(done.stdout, b"3 added, 0 known already, 0 refused\n")
        second = subprocess.run([CTL, "--socket", other.socket, "export"], stdout=subprocess.PIPE, check=True, timeout=PATIENCE_S).stdout.decode()
        self.assertEqual([ElementTree.tostring(o) for o in ElementTree.fromstring(second).find("body")],
                         [ElementTree.tostring(o) for o in ElementTree.fromstring(first).find("body")])
        self.assertEqual([f["url"] for f in json.loads(self.ctl("export", "--format", "json"))], [f["url"] for f in self.json("feeds")])

    def test_import_says_what_it_did_not_take(self):
        status, out, err = self.run_ctl("import", "-", stdin=opml([self.origin.base + "/a", "gopher://x/"]))
        self.assertEqual((status, out), (SOME_FAILED, "1 added, 0 known already, 1 refused\n"))
        self.assertIn("gopher://x/", err)
        self.assertEqual(self.run_ctl("import", "-", stdin=b"nothing")[0], FAILED)
        cut = opml([self.origin.base + "/b", self.origin.base + "/c"]).replace(b"<outline", b"\n<outline")[:-40]
        status, out, err = self.run_ctl("import", "-", stdin=cut)
        self.assertEqual((status, out), (SOME_FAILED, "1 added, 0 known already, 0 refused\n"))
        self.assertRegex(err, r"^knsctl: standard input: line 3: .*no further\n$")
        self.assert_fails(FAILED, "import", "/no/such/file", says=("/no/such/file",))
        self.assertEqual(self.json("import", os.path.join(ROOT, "config", "feeds.opml"))["refused"], 0)


class Refreshes(Case):
    def test_wait_returns_when_all_have_answered_with_a_bar_on_a_terminal(self):
        for name in "abc":
            self.feed(name, [entry(name)])
            self.origin.put("/" + name, rss([entry(name), entry(name + "2")]), headers={"ETag": '"2"'})
        shown = self.terminal("refresh", "--wait", "--force")
        self.assertRegex(shown, r"\r\[#{30}\] 3/3  3 new\n$")
        self.assertIn("[##########                    ] 1/3", shown)
        status, out, err = self.run_ctl("refresh", "--wait", "--force")
        self.assertEqual((status, out, err), (DONE, "", "3 polled, 0 new\n"))
        lines = [json.loads(line) for line in self.ctl("refresh", "--wait", "--force", "--json").splitlines()]
        self.assertEqual([line["done"] for line in lines], [1, 2, 3])

    def test_the_bar_is_drawn_where_errors_go_and_nowhere_else(self):
        self.feed("a", [entry(1)])
        log = os.path.join(self.knsd.dir, "errors")
        argv = ["sh", "-c", 'exec "$@" 2>%s' % log, "sh"] + self.argv("refresh", "--wait", "--force")
        self.assertEqual(on_terminal(argv), (DONE, ""))
        with open(log, encoding="utf-8") as f:
            self.assertEqual(f.read(), "1 polled, 0 new\n")

    def test_some_failing_is_5_all_failing_1_unknown_4(self):
        self.feed("a", [])
        self.feed("b", [])
        self.origin.put("/b", status=500)
        status, _, err = self.run_ctl("refresh", "--wait", "--force")
        self.assertEqual(status, SOME_FAILED)
        self.assertRegex(err, r"knsctl: feed 2: .*500")
        self.assertEqual(self.run_ctl("refresh", "--wait", "--force", 2)[0], FAILED)
        for wait in ([], ["--wait"]):
            self.assertEqual(self.run_ctl("refresh", *wait, 9)[0], NOT_FOUND)
            self.assertEqual(self.run_ctl("refresh", *wait, "http://nobody.example/")[0], NOT_FOUND)
            before = self.origin.count()
            self.assertEqual(self.run_ctl("refresh", "--force", *wait, 1, 9)[0], SOME_FAILED)
            self.assertEqual(self.run_ctl("refresh", "--force", *wait, "http://nobody.example/", 1)[0], SOME_FAILED)
            wait_until(lambda: self.origin.count() >= before + 1, "the one that is there is polled")

    def test_what_was_not_asked_again_is_not_counted_as_polled(self):
        self.feed("a", [entry(1)])
        for polled in (1, 0):
            self.assertTrue(self.run_ctl("refresh", "--wait")[2].endswith("%d polled, 0 new\n" % polled))

    def test_without_wait_it_returns_at_once(self):
        self.feed("a", [])
        never = threading.Event()
        self.addCleanup(never.set)
        self.origin.put("/a", rss([entry(1)]), before=never)
        self.assertEqual(self.ctl("refresh", "--force"), "")
        never.set()
        wait_until(lambda: self.ctl("list"), "the item")

    def test_a_daemon_that_dies_meanwhile_is_an_error(self):
        self.feed("a", [])
        never = threading.Event()
        self.addCleanup(never.set)
        self.origin.put("/a", rss([]), before=never)
        before = self.origin.count()
        waiting = subprocess.Popen(self.argv("refresh", "--wait", "--force"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: self.origin.count() > before, "the origin is asked")
        self.knsd.kill()
        _, err = waiting.communicate(timeout=PATIENCE_S)
        self.assertEqual(waiting.returncode, FAILED)
        self.assertRegex(err, rb"^knsctl: .+\n$")


class Articles(Case):
    def titles(self, *words):
        return [line.split("\t")[3] for line in self.ctl(*words).splitlines()]

    def test_list_answers_what_is_new_in_stable_fields(self):
        self.feed("a", [entry(1, title="A \t tab"), entry(2, title="機械学習")], title="Feed\none")
        lines = self.ctl("list", "--sort", "old").splitlines()
        self.assertEqual(len(lines), 2)
        fields = dict((line.split("\t")[3], line.split("\t")) for line in lines)["機械学習"]
        self.assertEqual(fields, [fields[0], "2026-11-02T08:00:00Z", "Feed one", "機械学習", "https://example.org/2"])
        self.assertTrue(all(len(line.split("\t")) == 5 for line in lines), lines)

    def test_list_takes_every_filter_and_any_number(self):
        self.feed("a", [entry("a%d" % n) for n in range(60)], "--tag", "t")
        self.feed("b", [entry("b", base="https://b.example")])
        count = lambda *words: len(self.ctl("list", *words).splitlines())
        for words, expected in (((), 50), (("-n", 7), 7), (("-n0",), 0), (("--all",), 61), (("-n", 2000), 61), (("--tag", "t", "--all"), 60), (("--feed", 2), 1),
                                (("--feed", self.origin.base + "/b"), 1), (("--feed", 1, "--feed", 2, "--all"), 61), (("--since", "2026-11-03"), 0),
                                (("--until", "2026-11-03", "--all"), 61), (("--unread", "--all"), 61), (("--starred",), 0), (("-q", "b",), 1), (("--min-sources", 2), 0)):
            self.assertEqual(count(*words), expected, words)
        self.assert_fails(NOT_FOUND, "list", "--feed", 9, says=("9",))
        self.assert_fails(NOT_FOUND, "list", "--feed", "http://nobody.example/")
        page = self.json("list", "-n", 3)
        self.assertEqual((page["version"], len(page["items"])), ("https://jsonfeed.org/version/1.1", 3))

    def test_more_than_a_page_comes_whole_and_once(self):
        for n in range(3):
            self.feed("f%d" % n, [entry("f%d-%d" % (n, i), base="https://%d.example" % n) for i in range(400)])
        ids = [line.split("\t")[0] for line in self.ctl("list", "--all").splitlines()]
        self.assertEqual((len(ids), len(set(ids))), (1200, 1200))
        self.assertEqual(len(self.ctl("search", "-n", 1100, "article").splitlines()), 1100)
        self.assertEqual(len(self.terminal("search", "-n", 1100, "article").split("Article f")) > 1100, True)

    def test_json_of_a_list_is_the_daemons_document_with_all_that_was_asked_for(self):
        self.feed("a", [entry(n) for n in range(3)])
        page = self.knsd.get("/v1/items?limit=2")
        listed = self.json("list", "-n", 2)
        self.assertEqual((listed["title"], [i["id"] for i in listed["items"]]), (page["title"], [i["id"] for i in page["items"]]))
        self.assertNotIn("_kns", listed)
        self.assertEqual(self.json("list", "-n", 0)["items"], [])

    def test_what_is_no_name_stays_in_a_template_as_it_is(self):
        self.feed("a", [entry(1)])
        self.assertEqual(self.ctl("list", "--format", '{"n":{id}} {} { \\{id}'), '{"n":1} {} { {id}\n')

    def test_a_template_prints_what_it_names(self):
        self.feed("a", [entry(1, title="T")], title="F")
        self.assertEqual(self.ctl("list", "--format", "{id}\\t{title}|{feed}|{url}|{date} \\\\ \\{id}"),
                         "1\tT|F|https://example.org/1|2026-11-02T08:00:00Z \\ {id}\n")

    def test_search_finds_japanese_words_of_two_characters_and_more(self):
        self.feed("a", [entry(1, title="勾配ブースティング決定木"), entry(2, title="機械学習コンペ"), entry(3, title="English only")])
        for words, expected in ((["学習"], ["機械学習コンペ"]), (["機械学習"], ["機械学習コンペ"]), (["ブースト"], []), (["決定木"], ["勾配ブースティング決定木"]),
                                (["english"], ["English only"]), (["title:only"], ["English only"]), (["機械", "OR", "english"], ["English only", "機械学習コンペ"]), (['"english only"'], ["English only"]),
                                (["ｅｎｇｌｉｓｈ"], ["English only"]), (["engl*"], ["English only"])):
            self.assertEqual(sorted(self.titles("search", *words)), expected, words)
        for nonsense in ('"', "AND", "NEAR(", "title:", "*", "((", "-", "a:b:c", "\\", "' OR 1=1 --"):
            self.assertEqual(self.run_ctl("search", "--", nonsense)[0], DONE, nonsense)
        self.assertEqual(self.run_ctl("search", "x " * 5000)[0], DONE, "nothing is cut off on the way")

    def test_show_mark_and_tag(self):
        self.feed("a", [entry(1, title="The title", text="<p>One</p><p>二つ目 <b>bold</b></p>")])
        shown = self.ctl("show", 1)
        for part in ("The title\n", "url: https://example.org/1\n", "date: 2026-11-02T08:00:00Z\n", "feed: A feed\n", "One", "二つ目 bold"):
            self.assertIn(part, shown)
        for mark, member, value in (("read", "read", True), ("unread", "read", False), ("star", "starred", True), ("unstar", "starred", False)):
            self.ctl("mark", mark, 1)
            self.assertEqual(self.json("show", 1)["_kns"][member], value)
        self.ctl("tag", 1, "+a", "+b/c", "-x")
        self.ctl("tag", 1, "-a")
        self.assertEqual(self.json("show", 1)["_kns"]["tags"], ["b/c"])
        for words in (("show", 9), ("mark", "read", 9), ("tag", 9, "+x"), ("why", 9), ("show", "first")):
            self.assert_fails(NOT_FOUND, *words, says=(str(words[-1] if words[0] != "tag" else 9),))
        self.assertEqual(self.run_ctl("mark", "star", 1, 9)[0], SOME_FAILED)

    def test_why_explains_an_item_and_a_feed(self):
        self.feed("a", [entry(1)], title="First")
        self.feed("b", [dict(entry(1), link="https://example.org/1?utm_source=x")], title="Second")
        text = self.ctl("why", 1)
        for part in ("canonical URL: https://example.org/1\n", "First", "Second", "canonical-url"):
            self.assertIn(part, text)
        self.origin.put("/a", status=503)
        self.run_ctl("refresh", "--wait", "--force", 1)
        for words in (("why", "--feed", 1), ("why", self.origin.base + "/a")):
            text = self.ctl(*words)
            self.assertRegex(text, r"(?m)^health: failing: ")
            self.assertRegex(text, r"(?m)^next poll: \d{4}.*\(.+\)$")
            self.assertEqual(len(re.findall(r"(?m)^\d{4}-\d\d-\d\dT\S+\t(?:new-document|error)\t(?:200|503)\t\d+\t[01]\t0\t.+$", text)), 2)
        self.assertEqual(self.json("why", 1)["canonical_url"], "https://example.org/1")
        self.assertEqual(len(self.json("why", "--feed", 1)["polls"]), 2)
        for width in (40, 80):
            shown = self.terminal("why", "--feed", 1, width=width, env=environment(NO_COLOR="1"))
            self.assertEqual([line for line in shown.splitlines() if columns(line) > width and not line.startswith(("url: ", "health: ", "last error: ", "next poll: "))], [])
            self.assertIn("HTTP 503", shown)


class Terminals(Case):
    def test_tables_fit_eighty_columns_and_count_japanese_as_two(self):
        long = "とても長い日本語の題名がここに続いていて端末の幅には決して収まらない機械学習の記事"
        self.feed("a", [entry(1, title=long), entry(2, title="Short"), entry(3, title="e\u0301" * 60)], "--tag", "機械学習", "--tag", "データ分析", title="週刊コンペだより 長い名前の便り")
        self.origin.put("/b", rss([]))
        self.ctl("add", self.origin.base + "/b")
        self.origin.put("/b", status=503)
        self.run_ctl("refresh", "--wait", "--force", 2)
        for words in (("list",), ("feeds",)):
            for width in (40, 60, 80, 100, 132):
                shown = self.terminal(*words, width=width, env=environment(NO_COLOR="1"))
                lines = shown.splitlines()
                self.assertGreater(len(lines), 2)
                for line in lines:
                    self.assertLessEqual(columns(line), width, line)
        listing = self.terminal("list", env=environment(NO_COLOR="1")).splitlines()
        at = listing[0].index("TITLE")
        for line, start in zip(listing[1:], (long[:3], "Short", "e\u0301")):
            self.assertIn(start, line)
        starts = {columns(line[:line.index(start)]) for line in listing[1:] for start in (long[:3], "Short", "e\u0301" * 3) if start in line}
        self.assertEqual(starts, {at}, "titles stand below each other")
        self.assertIn("…", "".join(listing))

    def test_the_hits_of_a_search_fit_and_keep_where_they_come_from(self):
        self.feed("a", [entry(1, title="とても長い日本語の題名がここに続いていて端末の幅には決して収まらない")], title="週刊コンペだより")
        lines = self.terminal("search", "題名", width=60, env=environment(NO_COLOR="1")).splitlines()
        self.assertLessEqual(columns(lines[0]), 60)
        self.assertRegex(lines[0], "^       1  とても.*…  週刊コンペだより, ")

    def test_where_there_is_nothing_a_terminal_says_so_and_a_pipe_stays_empty(self):
        for words, said in ((("feeds",), "no feeds: see knsctl add --help"), (("list", "--tag", "none"), "no articles"), (("search", "nothing"), "no articles"),
                            (("feeds", "--failing"), "no feed fails"), (("rule", "list"), "no rules"), (("links",), "no addresses")):
            self.assertEqual(self.terminal(*words), said + "\n")
            self.assertEqual(self.run_ctl(*words), (DONE, "", ""), words)

    def test_the_error_of_a_failing_feed_can_be_read_on_eighty_columns(self):
        self.feed("a", [], title="A")
        self.origin.put("/a", "<!doctype html><html><title>Moved house</title><body>no feed here any more</body></html>")
        self.run_ctl("refresh", "--wait", "--force")
        error = self.json("feeds")[0]["last_error"]
        shown = self.terminal("feeds", env=environment(NO_COLOR="1"))
        self.assertIn(error, " ".join(shown.split()))
        self.assertIn("not-a-feed", shown)

    def test_colours_are_for_terminals_only_unless_asked_for(self):
        self.feed("a", [entry(1)])
        self.assertIn(ESCAPE, self.terminal("list"))
        self.assertIn(ESCAPE, self.terminal("feeds"))
        for words, env in ((("list",), environment(NO_COLOR="1")), (("--color", "never", "list"), environment()), (("list",), dict(environment(), TERM="dumb"))):
            self.assertNotIn(ESCAPE, self.terminal(*words, env=env))
        for verb in (("list",), ("feeds",), ("show", 1), ("why", 1), ("status",), ("search", "article")):
            self.assertNotIn(ESCAPE, self.ctl(*verb))
        self.assertIn(ESCAPE, self.ctl("--color", "always", "show", 1))
        self.assertIn(ESCAPE, self.ctl("show", 1, "--color=always"))
        self.assertNotIn(ESCAPE, self.terminal("list", "--json"))

    def test_what_a_feed_says_can_do_nothing_to_a_terminal(self):
        evil = "clear \x9b2J bell \u202egnp.exe \u2028 line"
        self.feed("a", [entry(1, title=evil, text="<p>text \u009b31m &#x1b;[2J</p>")], title="F\u202e")
        for shown in (self.terminal("list", env=environment(NO_COLOR="1")), self.ctl("list"), self.ctl("show", 1), self.ctl("feeds"), self.terminal("search", "clear", env=environment(NO_COLOR="1"))):
            for harmful in "\x1b\x9b\u202e\u2028\x07":
                self.assertNotIn(harmful, shown)

    def test_json_is_json_from_every_reading_verb(self):
        self.feed("a", [entry(1, title="題")])
        self.ctl("backup", os.path.join(self.knsd.dir, "b.db"))
        for words in (("feeds",), ("list",), ("search", "題"), ("show", 1), ("why", 1), ("why", "--feed", 1), ("status",), ("check",), ("export",), ("digest",),
                      ("refresh",), ("check", "--db", os.path.join(self.knsd.dir, "b.db"))):
            self.assertIsInstance(self.json(*words), (dict, list), words)
            json.loads(self.terminal(*words, "--json"))


class Digests(Case):
    class Page(html.parser.HTMLParser):
        VOID = {"meta", "link", "img", "br", "hr", "input"}

        def __init__(self):
            super().__init__()
            self.open, self.text, self.links = [], [], []

        def handle_starttag(self, tag, attributes):
            if tag not in self.VOID:
                self.open.append(tag)
            self.links += [value for name, value in attributes if name == "href"]

        def handle_endtag(self, tag):
            if not self.open or self.open.pop() != tag:
                raise ValueError("</%s> closes nothing" % tag)

        def handle_data(self, data):
            self.text.append(data)

    def setUp(self):
        super().setUp()
        self.feed("a", [entry(1, title="題 & <tag>", text="<p>Words <script>alert(1)</script></p>"), entry(2, title="Two")], title="F & G")

    def test_html_is_a_page_that_closes_what_it_opens_and_runs_nothing(self):
        text = self.ctl("digest", "--format", "html")
        self.assertEqual(text, self.ctl("digest"))
        page = self.Page()
        page.feed(text)
        page.close()
        self.assertEqual(page.open, [])
        self.assertTrue(text.lower().startswith("<!doctype html>"))
        self.assertIn("題 & <tag>", "".join(page.text))
        self.assertIn("https://example.org/1", page.links)
        self.assertNotIn("<script", text.lower())

    @unittest.skipIf(shutil.which("xmllint") is None, "no xmllint")
    def test_atom_and_opml_are_well_formed_for_another_parser(self):
        for name in ("atom", "opml"):
            subprocess.run(["xmllint", "--noout", "--nonet", "-"], input=self.ctl("digest", "--format", name).encode(), check=True, stderr=subprocess.PIPE)

    def test_atom_has_what_rfc_4287_requires(self):
        atom = "{http://www.w3.org/2005/Atom}"
        feed = ElementTree.fromstring(self.ctl("digest", "--format", "atom"))
        self.assertEqual(feed.tag, atom + "feed")
        for element in [feed] + feed.findall(atom + "entry"):
            for name in ("id", "title", "updated"):
                self.assertEqual(len(element.findall(atom + name)), 1, name)
                self.assertTrue(element.findtext(atom + name))
            self.assertRegex(element.findtext(atom + "updated"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertTrue(element.findall(atom + "author"))
        self.assertEqual(len(feed.findall(atom + "entry")), 2)
        self.assertTrue([e for e in feed.findall(atom + "link") if e.get("rel") == "self" and e.get("href").startswith("http")])
        parsed = json.loads(self.ctl("parse", "-", stdin=self.ctl("digest", "--format", "atom").encode()))
        self.assertEqual(parsed["_kns"]["format"], "atom-1.0")
        self.assertFalse(parsed["_kns"].get("malformed", False))

    def test_a_digest_of_the_last_days_keeps_its_id(self):
        def identity():
            return ElementTree.fromstring(self.ctl("digest", "--since", "700d", "--format", "atom")).findtext("{http://www.w3.org/2005/Atom}id")

        first = identity()
        time.sleep(1.1)
        self.assertEqual(identity(), first)

    def test_opml_lists_links(self):
        root = ElementTree.fromstring(self.ctl("digest", "--format", "opml"))
        self.assertEqual((root.tag, root.get("version")), ("opml", "2.0"))
        self.assertEqual({o.get("url") for o in root.iter("outline") if o.get("url")}, {"https://example.org/1", "https://example.org/2"})

    def test_json_feed_markdown_and_text_hold_the_items(self):
        feed = json.loads(self.ctl("digest", "--format", "jsonfeed"))
        self.assertEqual((feed["version"], len(feed["items"])), ("https://jsonfeed.org/version/1.1", 2))
        self.assertTrue(all(item["id"] and item["url"] for item in feed["items"]))
        self.assertEqual(json.loads(self.ctl("digest", "--json")), feed)
        self.assertIn("(https://example.org/2)", self.ctl("digest", "--format", "markdown").replace("<", "").replace(">", ""))
        for line in self.ctl("digest", "--format", "text").splitlines():
            self.assertLessEqual(columns(line), 80, line)

    def test_a_mail_is_a_mail(self):
        message = message_from_bytes(self.ctl("digest", "--format", "eml").encode(), policy=mail_policy)
        self.assertEqual(message.get_content_type(), "multipart/alternative")
        self.assertEqual([part.get_content_type() for part in message.iter_parts()], ["text/plain", "text/html"])
        self.assertTrue(message["Subject"] and message["Date"] and message["From"] and message["Message-ID"])
        self.assertIn("題 & <tag>", message.get_body(("plain",)).get_content())

    def test_a_file_is_written_whole_or_not_at_all(self):
        path = os.path.join(self.knsd.dir, "digest.html")
        self.assertEqual(self.ctl("digest", "-o", path), "")
        with open(path, encoding="utf-8") as f:
            whole = f.read()
        self.assertEqual(whole, self.ctl("digest"))
        self.assert_fails(NOT_FOUND, "digest", "-o", path, "--feed", 9)
        with open(path, encoding="utf-8") as f:
            self.assertEqual(f.read(), whole)
        self.assert_fails(FAILED, "digest", "-o", "/no/such/place/x.html", says=("/no/such/place/x.html",))
        self.assertEqual(sorted(os.listdir(self.knsd.dir)), sorted({"digest.html", "kns.conf", "kns.sock", "log", "state"}))


class Watching(Case):
    def watch(self, *words):
        process = subprocess.Popen(self.argv("watch", *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def line(self, process):
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        self.assertTrue(ready, "a line in time")
        return process.stdout.readline().decode("utf-8").rstrip("\n")

    def test_new_items_are_printed_as_they_are_stored_and_edits_are_not(self):
        self.feed("a", [entry(1)])
        process = self.watch("--since", self.json("status")["store"]["last_event"])
        self.origin.put("/a", rss([entry(2, title="二つ目"), entry(1, text="edited")]))
        self.ctl("refresh", "--force")
        self.assertEqual(self.line(process).split("\t")[2:], ["A feed", "二つ目", "https://example.org/2"])
        self.origin.put("/a", rss([entry(3)]))
        self.ctl("refresh", "--force")
        self.assertEqual(self.line(process).split("\t")[3], "Article 3")

    def test_nothing_is_missed_over_a_restart_even_before_the_first_item(self):
        self.feed("a", [entry(1)])
        process = self.watch("--json")
        time.sleep(6 if "san" in os.path.basename(BUILD) else 1.5)  # until it has asked where events stand
        self.knsd.kill()
        self.knsd.start()
        self.origin.put("/a", rss([entry(2), entry(1)]))
        self.run_ctl("refresh", "--wait", "--force")
        self.assertEqual(json.loads(self.line(process))["title"], "Article 2")

    def test_filters_hold(self):
        self.feed("a", [entry("a")], "--tag", "t")
        self.feed("b", [entry("b", base="https://b.example")])
        for words, title in ((("--tag", "t"), "Article a"), (("--feed", 2), "Article b"), (("-q", "title:b"), "Article b"), (("--feed", self.origin.base + "/b"), "Article b")):
            self.assertEqual(self.line(self.watch("--since", 0, *words)).split("\t")[3], title)
        self.assert_fails(NOT_FOUND, "watch", "--feed", 9)

    def test_an_interrupt_ends_it_at_once_and_well(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.watch("--since", 0)
            self.feed("f%d" % number, [entry(int(number))])
            self.line(process)
            start = time.monotonic()
            process.send_signal(number)
            self.assertEqual(process.wait(10), DONE)
            self.assertLess(time.monotonic() - start, 5)

    def test_a_reader_that_goes_away_ends_it(self):
        self.feed("a", [entry(n) for n in range(3)])
        done = subprocess.run(["sh", "-c", '"$@" | head -n 1', "sh"] + self.argv("watch", "--since", 0), stdout=subprocess.PIPE, timeout=PATIENCE_S, check=False)
        self.assertEqual(len(done.stdout.splitlines()), 1)


class Care(Case):
    def test_status_in_words(self):
        self.feed("a", [entry(1), entry(2)])
        self.ctl("mark", "star", 1)
        text = self.ctl("status")
        for part in ("knsd ", self.knsd.socket, "feeds   1 (0 failing", "items   2 (2 unread, 1 starred)", "store   "):
            self.assertIn(part, text)

    def test_a_backup_while_polls_go_on_is_sound_and_restores(self):
        for n in range(10):
            self.feed("f%d" % n, [entry("f%d" % n)])
        going = subprocess.Popen(["sh", "-c", 'for i in 1 2 3 4 5; do "$@" refresh --wait --force 2>/dev/null; done', "sh"] + self.argv())
        path = os.path.join(self.knsd.dir, "copy.db")
        self.assertEqual(self.ctl("backup", path), path + "\n")
        going.wait(PATIENCE_S)
        self.assert_fails(FAILED, "backup", path, says=(path,))
        self.assertEqual(self.ctl("check", "--db", path), "sound\n")
        before = self.ctl("list", "--all")
        self.knsd.stop()
        for name in os.listdir(self.knsd.state):
            os.remove(os.path.join(self.knsd.state, name))
        shutil.copy(path, os.path.join(self.knsd.state, "kns.db"))
        self.knsd.start()
        self.assertEqual(self.ctl("list", "--all"), before)
        self.assertEqual(len(self.json("feeds")), 10)

    def test_a_relative_backup_is_where_the_caller_stands(self):
        done = subprocess.run(self.argv("backup", "here.db"), cwd=self.knsd.dir, stdout=subprocess.PIPE, check=True, timeout=PATIENCE_S)
        self.assertEqual(done.stdout.decode().strip(), os.path.join(self.knsd.dir, "here.db"))
        with sqlite3.connect(os.path.join(self.knsd.dir, "here.db")) as copy:
            copy.execute("SELECT count(*) FROM feed")

    def test_check_of_the_live_database(self):
        self.feed("a", [entry(1)])
        self.assertEqual(self.ctl("check"), "sound\n")

    def test_a_full_pipe_or_disk_is_an_error_and_no_silence(self):
        self.feed("a", [entry(1)])
        for words in (("list", "--json"), ("digest",), ("export",)):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(self.argv(*words), stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False)
            self.assertEqual(done.returncode, FAILED, words)
            self.assertTrue(done.stderr.startswith(b"knsctl: "), words)


class Completion(Case):
    def bash(self, *words):
        """What bash would offer for the last word."""
        script = self.ctl("completion", "bash") + 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _knsctl; printf "%s\\n" "${COMPREPLY[@]}"'
        env = environment(KNS_SOCKET=self.knsd.socket, PATH=os.path.dirname(CTL) + ":" + os.environ["PATH"])
        done = subprocess.run(["bash", "-c", script, "bash", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_bash_offers_verbs_options_words_and_feeds(self):
        self.feed("a", [])
        self.feed("b", [])
        self.assertEqual(set(self.bash("knsctl", "")) & set(VERBS), set(VERBS))
        self.assertEqual(self.bash("knsctl", "sea"), ["search"])
        self.assertEqual(self.bash("knsctl", "--socket", "/x", "dig"), ["digest"])
        self.assertEqual(self.bash("knsctl", "list", "--st"), ["--starred"])
        self.assertEqual(self.bash("knsctl", "digest", "--format", "j"), ["jsonfeed"])
        self.assertEqual(self.bash("knsctl", "remove", ""), ["1", "2"])
        self.assertEqual(self.bash("knsctl", "remove", "--"), ["--socket", "--json", "--color", "--help", "--version"])
        self.assertEqual(self.bash("knsctl", "list", "--sort", "=", "n"), ["new"], "--sort=n, as bash takes it apart")
        self.assertEqual(self.bash("knsctl", "list", "--sort", "="), ["new", "old", "seen", "sources", "rank"])
        self.assertEqual(self.bash("knsctl", "--socket", "=", "/x", "dig"), ["digest"])
        self.assertEqual(self.bash("knsctl", "issue", "p"), ["preview", "publish"])
        self.assertEqual(self.bash("knsctl", "list", "--feed", ""), ["1", "2"])
        self.assertIn("unstar", self.bash("knsctl", "mark", "un"))
        self.assertEqual(self.bash("knsctl", "import", "/etc/host"), [f for f in self.bash("knsctl", "import", "/etc/host") if f.startswith("/etc/host")])
        self.assertTrue(self.bash("knsctl", "import", "/etc/host"))

    def test_every_shell_can_read_its_script(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.ctl("completion", shell)
            for verb in VERBS:
                self.assertIn(verb, script)
            if shutil.which(shell) is not None:
                done = subprocess.run([shell, "-n"], input=script, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""), shell)


if __name__ == "__main__":
    unittest.main()

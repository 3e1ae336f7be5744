"""Sources on this machine: file: paths and exec: commands, for their administrator alone."""
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from tests.integration import kns, wire
from tests.integration.kns import wait_until
from tests.integration.wire import answer, feed, redirect

ALLOWED = "[poll]\nmin_interval = 1s\ntimeout = 3s\nmax_size = 64K\nfile_sources = yes\nexec_sources = yes\n"


class Case(wire.Case):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kns-local-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def script(self, name, text):
        return "exec:" + self.write(name, "#!/bin/sh\n" + text, 0o755)


class Files(Case):
    def test_a_file_is_a_feed_and_its_changes_are_news(self):
        knsd, path = self.knsd(ALLOWED), self.write("a.xml", feed(1))
        feed_id = self.subscribe(knsd, "file:" + path)
        self.assertEqual(self.poll(knsd, feed_id)["status"], 304)
        self.write("a.xml", feed(1, 2))
        self.assertEqual(self.poll(knsd, feed_id)["new_items"], 1)
        self.assertEqual(self.titles(knsd), ["Article 1", "Article 2"])

    def test_every_spelling_of_the_path(self):
        path = self.write("a.xml", feed(1))
        for prefix in ("file:", "file://", "file://localhost", "FILE:"):
            with self.subTest(prefix):
                self.assertEqual(self.knsd(ALLOWED).add(prefix + path).status, 201)

    def test_what_is_missing_or_no_regular_file_is_said(self):
        knsd = self.knsd(ALLOWED)
        os.mkfifo(os.path.join(self.folder, "pipe"))
        for name, word in (("missing", "No such file"), ("", "not a regular file"), ("pipe", "not a regular file")):
            added = knsd.add("file:" + os.path.join(self.folder, name))
            self.assertEqual(added.status, 502, added.body)
            self.assertIn(word, added.json["detail"])

    def test_the_limit_of_size_holds(self):
        added = self.knsd(ALLOWED).add("file:" + self.write("a.xml", feed(1) + " " * 70000))
        self.assertEqual(added.status, 502, added.body)
        self.assertIn("limit", added.json["detail"])

    def test_a_file_that_went_away_is_a_failure_and_keeps_the_items(self):
        knsd, path = self.knsd(ALLOWED), self.write("a.xml", feed(1))
        feed_id = self.subscribe(knsd, "file:" + path)
        os.unlink(path)
        self.poll(knsd, feed_id)
        self.assertIn("No such file", self.feed(knsd, feed_id)["last_error"])
        self.assertEqual(self.titles(knsd), ["Article 1"])


class Commands(Case):
    def test_the_output_of_a_command_is_a_feed(self):
        knsd = self.knsd(ALLOWED)
        self.write("a.xml", feed(1))
        feed_id = self.subscribe(knsd, self.script("cat", 'cat "$1"\n') + ' "%s"' % os.path.join(self.folder, "a.xml"))
        self.write("a.xml", feed(1, 2))
        self.assertEqual(self.poll(knsd, feed_id)["new_items"], 1)

    def test_there_is_no_shell(self):
        knsd = self.knsd(ALLOWED)
        seen = os.path.join(self.folder, "seen")
        command = self.script("echo", 'printf "%%s\\n" "$@" > %s\ncat %s\n' % (seen, self.write("a.xml", feed(1))))
        self.subscribe(knsd, command + " $(id) ; `id` | > \"two words\" *")
        with open(seen, encoding="utf-8") as f:
            self.assertEqual(f.read().splitlines(), ["$(id)", ";", "`id`", "|", ">", "two words", "*"])

    def test_a_command_that_fails_is_a_failure_with_its_words(self):
        knsd = self.knsd(ALLOWED)
        added = knsd.add(self.script("fail", "cat %s\necho 'no network' >&2\nexit 3\n" % self.write("a.xml", feed(1))))
        self.assertEqual(added.status, 502)
        self.assertIn("status 3: no network", added.json["detail"])
        self.assertEqual(knsd.all_items(), [])

    def test_one_that_cannot_be_started_is_said(self):
        knsd = self.knsd(ALLOWED)
        for command in ("/no/such/program", self.write("plain", "text")):
            added = knsd.add("exec:" + command)
            self.assertEqual(added.status, 502, added.body)
            self.assertIn("cannot be started", added.json["detail"])

    def test_a_relative_path_or_an_open_quote_is_no_command(self):
        knsd = self.knsd(ALLOWED)
        for command in ("cat /etc/passwd", "", '/bin/echo "x', "./x"):
            self.assertEqual(knsd.add("exec:" + command).status, 400)

    def test_one_that_takes_too_long_is_ended_with_all_it_started(self):
        knsd = self.knsd(ALLOWED)
        mark = "%d.25" % (100000 + os.getpid())
        started = time.monotonic()
        added = knsd.add(self.script("slow", "sleep %s &\nsleep %s\n" % (mark, mark)))
        self.assertIn("too long", added.json["detail"])
        self.assertLess(time.monotonic() - started, 6)
        wait_until(lambda: subprocess.run(["pgrep", "-f", "sleep %s" % mark], stdout=subprocess.DEVNULL, check=False).returncode == 1,
                   "nothing of it runs any more", 10)

    def test_one_that_prints_for_ever_is_ended(self):
        knsd = self.knsd(ALLOWED)
        added = knsd.add(self.script("yes", "printf '<rss version=\"2.0\"><channel><title>'\nyes\n"))
        self.assertEqual(added.status, 502, added.body)
        self.assertIn("limit", added.json["detail"])

    def test_its_memory_is_bounded(self):
        knsd = self.knsd(ALLOWED)
        added = knsd.add("exec:/usr/bin/env python3 -c \"import time; time.sleep(.2); x = bytearray(3 << 30)\"")
        self.assertEqual(added.status, 502)
        self.assertIn("status 1", added.json["detail"])

    def test_it_gets_nothing_of_ours(self):
        knsd = self.knsd(ALLOWED)
        look = self.write("look.py", "import os\nopen(%r, 'w').write(' '.join(os.readlink('/proc/self/fd/%%d' %% n) for n in range(3, 64)"
                          " if os.path.exists('/proc/self/fd/%%d' %% n)))\nprint(open(%r).read())\n"
                          % (os.path.join(self.folder, "seen"), self.write("a.xml", feed(1))))
        self.subscribe(knsd, "exec:/usr/bin/env python3 " + look)
        with open(os.path.join(self.folder, "seen"), encoding="utf-8") as f:
            self.assertNotRegex(f.read(), r"kns\.db|socket|epoll|event")

    def test_the_daemon_stops_in_time_while_one_runs(self):
        knsd = self.knsd("[poll]\nexec_sources = yes\ntimeout = 60s\n")
        started = os.path.join(self.folder, "started")
        waiting = knsd.connect()
        self.addCleanup(waiting.close)
        body = ('{"url":"%s"}' % self.script("slow", "touch %s\nsleep 50\n" % started)).encode()
        waiting.sendall(b"POST /v1/feeds HTTP/1.1\r\nHost: kns\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        wait_until(lambda: os.path.exists(started), "it runs")
        knsd.stop()


class Allowed(Case):
    def test_neither_is_without_the_configuration(self):
        knsd = self.knsd()
        for url in ("file:" + self.write("a.xml", feed(1)), self.script("a", "true\n")):
            added = knsd.add(url)
            self.assertEqual(added.status, 403, added.body)
            self.assertIn("_sources = yes", added.json["detail"])

    def test_what_was_allowed_is_refused_when_it_is_no_more(self):
        knsd = self.knsd(ALLOWED)
        feed_id = self.subscribe(knsd, "file:" + self.write("a.xml", feed(1)))
        knsd.stop()
        knsd.configure(wire.FAST)
        knsd.start()
        self.poll(knsd, feed_id)
        shown = self.feed(knsd, feed_id)
        self.assertEqual((shown["health"], self.titles(knsd)), ("refused", ["Article 1"]))

    @unittest.skipUnless(os.geteuid() == 0, "only root can ask as somebody else")
    def test_others_who_may_use_the_socket_may_not_subscribe_to_them(self):
        knsd = self.knsd("[daemon]\nsocket_mode = 0666\n" + ALLOWED)
        os.chmod(knsd.dir, 0o755)
        url = "file:" + self.write("a.xml", feed(1))
        asks = ("import os,socket,sys\nos.setgid(65534); os.setuid(65534)\ns=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
                "b=b'{\"url\":\"%s\"}' % sys.argv[2].encode()\n"
                "s.sendall(b'POST /v1/feeds HTTP/1.1\\r\\nHost: k\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(b) + b)\n"
                "print(s.recv(100).decode())")
        said = subprocess.run(["python3", "-c", asks, knsd.socket, url], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertIn(" 403 ", said)
        self.assertEqual(knsd.get("/v1/feeds"), [])

    def test_no_import_redirect_or_page_leads_to_one(self):
        knsd, origin = self.knsd(ALLOWED), self.origin()
        path = self.write("a.xml", feed(1))
        knsd.api("POST", "/v1/opml", kns.opml(["file:" + path, self.script("a", "true\n")]))
        knsd.add(origin.on("/r", redirect(301, "file://" + path)))
        knsd.add(origin.on("/p", answer(200, '<html><head><link rel="alternate" type="application/rss+xml" href="file://%s"></head></html>' % path)))
        self.assertEqual(knsd.get("/v1/feeds"), [])

    def test_a_local_page_leads_to_no_other_file(self):
        knsd = self.knsd(ALLOWED)
        self.write("a.xml", feed(1))
        added = knsd.add("file:" + self.write("p.html", '<html><head><link rel="alternate" type="application/rss+xml" href="a.xml"></head></html>'))
        self.assertEqual(added.status, 422)
        self.assertEqual(knsd.get("/v1/feeds"), [])


if __name__ == "__main__":
    unittest.main()

"""knsd as a process: starting, refusing to start, reloading, stopping."""
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import unittest

from tests.integration.kns import KNSD, ROOT, Knsd, Origin, entry, rss, wait_until

FAILED, USAGE = 1, 2


class Case(unittest.TestCase):
    def knsd(self, config="", start=True):
        knsd = Knsd(config, start=start)
        self.addCleanup(knsd.close)
        return knsd

    def origin(self):
        origin = Origin()
        self.addCleanup(origin.close)
        return origin

    def assert_one_line(self, text, *parts):
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        for part in parts:
            self.assertIn(part, text)


class Life(Case):
    def test_it_starts_answers_and_stops_on_sigterm_and_sigint(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            knsd = self.knsd()
            self.assertEqual(knsd.api("GET", "/healthz").body, b"ok\n")
            knsd.stop(number)
            self.assertFalse(os.path.exists(knsd.socket), "the socket is removed")

    def test_what_was_subscribed_is_there_after_a_restart(self):
        knsd, origin = self.knsd(), self.origin()
        self.assertEqual(knsd.add(origin.put("/feed", rss([entry(1)]))).status, 201)
        knsd.stop()
        knsd.start()
        self.assertEqual([f["url"] for f in knsd.get("/v1/feeds")], [origin.base + "/feed"])
        self.assertEqual(len(knsd.all_items()), 1)
        knsd.stop()

    def test_the_socket_has_the_configured_mode_and_the_database_is_private(self):
        knsd = self.knsd("[daemon]\nsocket_mode = 0640\n")
        self.assertEqual(os.stat(knsd.socket).st_mode & 0o777, 0o640)
        for name in os.listdir(knsd.state):
            self.assertEqual(os.stat(os.path.join(knsd.state, name)).st_mode & 0o077, 0, name)

    def test_it_stops_in_time_while_a_stream_is_open(self):
        knsd = self.knsd()
        stream = knsd.connect()
        self.addCleanup(stream.close)
        stream.sendall(b"GET /v1/events HTTP/1.1\r\nHost: kns\r\n\r\n")
        self.assertIn(b"200 OK", stream.recv(100))
        knsd.stop()

    def test_it_stops_in_time_while_a_subscription_waits_for_its_server(self):
        knsd, origin, never = self.knsd(), self.origin(), threading.Event()
        self.addCleanup(never.set)
        url = origin.put("/slow", rss([]), before=never)
        waiting = knsd.connect()
        self.addCleanup(waiting.close)
        body = b'{"url":"%s"}' % url.encode()
        waiting.sendall(b"POST /v1/feeds HTTP/1.1\r\nHost: kns\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        wait_until(lambda: origin.asked("/slow"), "the origin is asked")
        knsd.stop()

    def test_it_stops_in_time_while_somebody_waits_for_a_refresh(self):
        knsd, origin, never = self.knsd(), self.origin(), threading.Event()
        self.addCleanup(never.set)
        self.assertEqual(knsd.add(origin.put("/slow", rss([]))).status, 201)
        before = origin.count()
        origin.put("/slow", rss([]), before=never)
        waiting = knsd.connect()
        self.addCleanup(waiting.close)
        waiting.sendall(b"POST /v1/refresh?wait=1&force=1 HTTP/1.1\r\nHost: kns\r\nContent-Length: 0\r\n\r\n")
        wait_until(lambda: origin.asked("/slow", before), "the origin is asked")
        knsd.stop()

    def test_it_stops_in_time_with_a_half_request_on_the_socket(self):
        knsd = self.knsd()
        half = knsd.connect()
        self.addCleanup(half.close)
        half.sendall(b"POST /v1/opml HTTP/1.1\r\nHost: kns\r\nContent-Length: 1000\r\n\r\n<opml")
        knsd.api("GET", "/healthz")
        knsd.stop()


class Refusals(Case):
    def test_a_second_daemon_on_the_same_state_is_refused_and_the_first_goes_on(self):
        knsd = self.knsd()
        second = [KNSD, "--config", knsd.config, "--state-dir", knsd.state, "--socket", knsd.socket + "2"]
        done = subprocess.run(second, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assert_one_line(done.stderr, knsd.state)
        self.assertEqual(knsd.api("GET", "/healthz").status, 200)

    def test_a_second_daemon_on_the_same_socket_is_refused_and_the_first_keeps_it(self):
        knsd = self.knsd()
        second = [KNSD, "--config", knsd.config, "--state-dir", knsd.state + "2", "--socket", knsd.socket]
        done = subprocess.run(second, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assert_one_line(done.stderr, knsd.socket)
        self.assertEqual(knsd.api("GET", "/healthz").status, 200)

    def test_a_stale_socket_is_taken_over(self):
        knsd = self.knsd(start=False)
        stale = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stale.bind(knsd.socket)
        stale.close()
        knsd.start()
        knsd.stop()

    def test_after_a_kill_it_starts_again_by_itself(self):
        knsd = self.knsd()
        knsd.kill()
        self.assertTrue(os.path.exists(knsd.socket))
        knsd.start()
        knsd.stop()

    def test_a_file_that_is_no_socket_is_left_alone(self):
        knsd = self.knsd(start=False)
        with open(knsd.socket, "w", encoding="utf-8") as f:
            f.write("mine")
        status, _, err = knsd.run()
        self.assertEqual(status, FAILED)
        self.assert_one_line(err, knsd.socket)
        with open(knsd.socket, encoding="utf-8") as f:
            self.assertEqual(f.read(), "mine")

    def test_a_state_directory_that_cannot_be_made_is_one_line(self):
        knsd = self.knsd(start=False)
        with open(knsd.state, "w", encoding="utf-8"):
            pass
        status, _, err = knsd.run()
        self.assertEqual(status, FAILED)
        self.assert_one_line(err, knsd.state)

    @unittest.skipIf(os.geteuid() == 0 and shutil.which("setpriv") is None, "root writes everywhere, and no setpriv")
    def test_a_state_directory_that_cannot_be_written_is_one_line(self):
        knsd = self.knsd(start=False)
        os.mkdir(knsd.state, 0o555)
        os.chmod(knsd.dir, 0o755)
        os.chmod(knsd.config, 0o644)
        argv = knsd.argv()
        if os.geteuid() == 0:
            shutil.copy(KNSD, knsd.dir)
            argv[0] = os.path.join(knsd.dir, "knsd")
            argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + argv
        done = subprocess.run(argv, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assert_one_line(done.stderr, knsd.state)

    def test_a_database_that_cannot_be_read_is_never_overwritten(self):
        knsd = self.knsd(start=False)
        os.mkdir(knsd.state)
        path, bytes_before = os.path.join(knsd.state, "kns.db"), b"no database, but somebody's work\n" * 99
        with open(path, "wb") as f:
            f.write(bytes_before)
        status, _, err = knsd.run()
        self.assertEqual(status, FAILED)
        self.assert_one_line(err, path)
        with open(path, "rb") as f:
            self.assertEqual(f.read(), bytes_before)

    def test_unknown_options_and_arguments_are_usage_errors(self):
        knsd = self.knsd(start=False)
        for more in (["--no-such-option"], ["argument"], ["--log-level", "loud"]):
            status, _, err = knsd.run(*more)
            self.assertEqual(status, USAGE, more)
            self.assertIn("knsd", err + "knsd" * (more[0] == "--log-level"))
            self.assertNotEqual(err, "")

    def test_every_option_stands_in_the_manual(self):
        shown = subprocess.run([KNSD, "--help"], stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout
        with open(os.path.join(ROOT, "man", "knsd.8"), encoding="utf-8") as f:
            manual = f.read()
        options = set(re.findall(r"--([a-z-]+)", shown))
        self.assertGreater(len(options), 5)
        for option in options:
            self.assertRegex(manual, r"Fl -%s\b" % option)

    def test_version_and_help_need_no_configuration(self):
        for option, word in (("--version", "knsd "), ("--help", "usage: knsd")):
            done = subprocess.run([KNSD, option], stdout=subprocess.PIPE, text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, 0)
            self.assertTrue(done.stdout.startswith(word), done.stdout)


class Configuration(Case):
    BROKEN = (
        ("[poll]\ninterval = 1h\nintervall = 2h\n", 3, "intervall"),
        ("[poll]\ninterval = soon\n", 2, "expected"),
        ("\n[polls]\ninterval = 1h\n", 2, "polls"),
        ("[daemon]\nlog_level = loud\n", 2, "debug"),
        ("[poll]\nconcurrency = 0\n", 2, "1 to 10000"),
        ("[poll]\n\nthis is no line of INI\n", 3, "expected"),
    )

    def test_what_is_wrong_is_named_by_file_and_line(self):
        knsd = self.knsd(start=False)
        for text, line, word in self.BROKEN:
            knsd.configure(text)
            for more in ((), ("--check-config",)):
                status, _, err = knsd.run(*more)
                self.assertEqual(status, USAGE, text)
                self.assert_one_line(err, "%s:%d: " % (knsd.config, line), word)
        self.assertFalse(os.path.exists(knsd.state), "nothing was started")

    def test_paths_of_the_command_line_are_seen_from_where_it_was_typed(self):
        knsd = self.knsd(start=False)
        process = subprocess.Popen([KNSD, "--config", knsd.config, "--state-dir", "state", "--socket", "kns.sock"], cwd=knsd.dir,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_until(lambda: os.path.exists(knsd.socket), "the socket where knsctl looks for it")
        self.assertTrue(os.path.exists(os.path.join(knsd.state, "kns.db")))

    def test_a_file_that_is_named_must_be_there(self):
        knsd = self.knsd(start=False)
        os.remove(knsd.config)
        status, _, err = knsd.run("--check-config")
        self.assertEqual(status, USAGE)
        self.assert_one_line(err, knsd.config)

    def test_check_config_prints_every_key_and_what_it_prints_is_a_configuration(self):
        knsd = self.knsd("[poll]\ninterval = 2h\n", start=False)
        status, printed, err = knsd.run("--check-config")
        self.assertEqual((status, err), (0, ""))
        for key in ("socket", "socket_mode", "state_dir", "log_level", "interval", "min_interval", "max_interval",
                    "concurrency", "per_host", "timeout", "max_size", "user_agent", "proxy", "private_networks",
                    "keep_days", "keep_items_per_feed", "title", "base_url", "language"):
            self.assertRegex(printed, r"(?m)^; .+\n%s = " % key)
        self.assertIn("interval = 7200s", printed)
        knsd.configure(printed)
        self.assertEqual(knsd.run("--check-config"), (0, printed, ""))

    def test_the_shipped_configuration_is_a_valid_one(self):
        knsd = self.knsd(start=False)
        shipped = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                               "config", "kns.conf")
        done = subprocess.run([knsd.program, "--config", shipped, "--check-config"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_reload_takes_effect_and_polling_goes_on(self):
        knsd, origin = self.knsd("[digest]\ntitle = Before\n"), self.origin()
        self.assertEqual(knsd.add(origin.put("/feed", rss([entry(1)]))).status, 201)
        self.assertEqual(knsd.get("/v1/items")["title"], "Before")
        knsd.configure("[digest]\ntitle = After\n[poll]\nuser_agent = after/1\n")
        knsd.process.send_signal(signal.SIGHUP)
        wait_until(lambda: knsd.get("/v1/items")["title"] == "After", "the new title")
        origin.put("/feed", rss([entry(2), entry(1)]))
        self.assertEqual([r["new_items"] for r in knsd.refresh()], [1])
        self.assertEqual(origin.asked("/feed")[-1].headers["User-Agent"], "after/1")
        knsd.stop()

    def test_a_reload_says_what_waits_for_the_next_start(self):
        knsd = self.knsd("[websub]\n")
        knsd.configure("[websub]\nlisten = 127.0.0.1:1\n[store]\nsynchronous = normal\n")
        knsd.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "at the next start only: synchronous, listen\n" in knsd.log, "the log names them")
        knsd.stop()

    def test_a_broken_file_keeps_the_configuration_in_force_and_is_named_in_the_log(self):
        knsd, origin = self.knsd("[digest]\ntitle = Before\n"), self.origin()
        self.assertEqual(knsd.add(origin.put("/feed", rss([entry(1)]))).status, 201)
        knsd.configure("[digest]\ntitle = After\nno_such_key = 1\n")
        knsd.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "%s:3: " % knsd.config in knsd.log, "the log names file and line")
        self.assertEqual(knsd.get("/v1/items")["title"], "Before")
        origin.put("/feed", rss([entry(2), entry(1)]))
        self.assertEqual([r["new_items"] for r in knsd.refresh()], [1])
        knsd.stop()


if __name__ == "__main__":
    unittest.main()

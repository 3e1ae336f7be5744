"""The main job, with the real programs: subscribe, poll, store once, answer, export, survive."""
import json
import os
import subprocess
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.integration import kns

FEEDS = 60
CTL = os.path.join(os.path.abspath(os.environ.get("KNS_BUILD", "build")), "bin", "knsctl")


class Feeds(ThreadingHTTPServer):
    """FEEDS feeds of three articles each; the first article is the same in all of them."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.conditional = 0, 0
        self.lock = threading.Lock()
        self.url = "http://127.0.0.1:%d" % self.server_port
        threading.Thread(target=self.serve_forever, daemon=True).start()


    def handle_error(self, request, client_address):
        pass  # a daemon that is killed leaves its connections behind


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        number = self.path.strip("/")
        etag = '"v1-%s"' % number
        with self.server.lock:
            self.server.requests += 1
            self.server.conditional += self.headers.get("If-None-Match") == etag
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.send_header("ETag", etag)
            self.end_headers()
            return
        items = "".join("<item><title>%s</title><link>%s</link></item>" % (t, u) for t, u in articles(self.server.url, number))
        body = ("<rss version='2.0'><channel><title>Feed %s</title>%s</channel></rss>" % (number, items)).encode()
        self.send_response(200)
        self.send_header("ETag", etag)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def articles(base, number):
    return [("shared", base + "/a/shared?utm_source=%s" % number)] + [
        ("%s-%d" % (number, i), "%s/a/%s/%d" % (base, number, i)) for i in (1, 2)]


def ctl(knsd, *args, check=True, stdin=None):
    done = subprocess.run([CTL, "--socket", knsd.socket, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120)
    if check and done.returncode != 0:
        raise AssertionError("knsctl %s: %d: %s" % (" ".join(args), done.returncode, done.stderr.decode()))
    return done


class EndToEnd(unittest.TestCase):
    def setUp(self):
        self.origin = Feeds()
        self.addCleanup(self.origin.server_close)
        self.addCleanup(self.origin.shutdown)
        self.opml = ("<opml version='2.0'><body><outline text='All'>" + "".join(
            "<outline xmlUrl='%s/%d'/>" % (self.origin.url, n) for n in range(FEEDS)) + "</outline></body></opml>").encode()

    def start(self, **more):
        knsd = kns.Knsd("[poll]\nper_host = 16\n", **more)
        self.addCleanup(knsd.close)
        return knsd

    def titles(self, knsd):
        return [line.split("\t")[3] for line in ctl(knsd, "list", "--all").stdout.decode().splitlines()]

    def expected(self):
        return sorted(["shared"] + ["%d-%d" % (n, i) for n in range(FEEDS) for i in (1, 2)])

    def test_every_feed_is_polled_stored_once_and_then_only_asked_conditionally(self):
        knsd = self.start()
        self.assertIn(b"%d added" % FEEDS, ctl(knsd, "import", "-", stdin=self.opml).stdout)
        ctl(knsd, "refresh", "--wait")
        self.assertEqual(sorted(self.titles(knsd)), self.expected())
        before, conditional = self.origin.requests, self.origin.conditional
        ctl(knsd, "refresh", "--wait", "--force")
        self.assertEqual(self.origin.requests - before, FEEDS)
        self.assertEqual(self.origin.conditional - conditional, FEEDS)
        self.assertEqual(sorted(self.titles(knsd)), self.expected())
        shared = json.loads(ctl(knsd, "list", "--json", "-q", "shared").stdout)["items"]
        self.assertEqual([len(item["_kns"]["feeds"]) for item in shared], [FEEDS])
        exported = ctl(knsd, "export").stdout
        self.assertEqual(exported.count(b"xmlUrl"), FEEDS)
        self.assertEqual(ctl(knsd, "check").stdout, b"sound\n")

    def test_kills_during_polls_lose_and_repeat_nothing(self):
        knsd = self.start()
        ctl(knsd, "import", "-", stdin=self.opml)
        for pause in (0.05, 0.15, 0.3, 0.5):
            waiting = subprocess.Popen([CTL, "--socket", knsd.socket, "refresh", "--wait", "--force"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(pause)
            knsd.kill()
            waiting.wait(30)
            knsd.start()
            titles = self.titles(knsd)
            self.assertEqual(len(titles), len(set(titles)), "an article is there twice")
        ctl(knsd, "refresh", "--wait", "--force")
        self.assertEqual(sorted(self.titles(knsd)), self.expected())

    def test_what_is_no_feed_is_said_and_not_added(self):
        knsd = self.start()
        done = ctl(knsd, "add", "http://127.0.0.1:9/feed", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.decode().strip().splitlines()), 1)
        self.assertEqual(ctl(knsd, "feeds").stdout, b"")
        self.assertEqual(ctl(knsd, "show", "999", check=False).returncode, 4)
        self.assertEqual(ctl(knsd, "nonsense", check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()

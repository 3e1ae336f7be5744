"""TLS and what a feed may want of its own: certificates, versions, credentials, headers, HTTP/2."""
import ctypes
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import unittest

from tests.integration import wire
from tests.integration.kns import wait_until
from tests.integration.wire import answer, feed


class Case(wire.Case):
    def certificate(self, name="localhost"):
        folder = wire.certificate(name)
        self.addCleanup(shutil.rmtree, folder, True)
        return folder

    def secure_origin(self, folder, oldest=None):
        return self.origin(context=wire.tls_context(folder, oldest))


class Certificates(Case):
    def test_an_unknown_authority_is_refused_in_plain_words(self):
        knsd, origin = self.knsd(), self.secure_origin(self.certificate())
        added = knsd.add(origin.on("/feed", answer(200, feed(1))))
        self.assertEqual(added.status, 502)
        self.assertRegex(added.json["detail"].lower(), "certificate")
        self.assertEqual(origin.asked(), [])

    def test_an_authority_of_the_feeds_own_is_trusted_for_that_feed_alone(self):
        folder = self.certificate()
        knsd, origin = self.knsd(), self.secure_origin(folder)
        origin.on("/feed", answer(200, feed(1)))
        self.subscribe(knsd, origin.base + "/feed", access={"ca_file": os.path.join(folder, "cert.pem")})
        self.assertEqual(knsd.add(origin.base + "/other").status, 502)

    def test_a_certificate_for_another_name_is_refused(self):
        folder = self.certificate("example.org")
        knsd, origin = self.knsd(), self.secure_origin(folder)
        url = "https://localhost:%d/feed" % origin.port
        added = knsd.add(url, access={"ca_file": os.path.join(folder, "cert.pem")})
        self.assertEqual(added.status, 502)
        self.assertEqual(origin.asked(), [])

    def test_tls_below_1_2_is_refused(self):
        folder = self.certificate()
        knsd, origin = self.knsd(), self.secure_origin(folder, ssl.TLSVersion.TLSv1_1)
        added = knsd.add(origin.base + "/feed", access={"ca_file": os.path.join(folder, "cert.pem")})
        self.assertEqual(added.status, 502)

    def test_plain_http_on_a_tls_port_and_the_reverse_are_failures(self):
        folder = self.certificate()
        knsd, secure, plain = self.knsd("[poll]\ntimeout = 3s\n"), self.secure_origin(folder), self.origin()
        self.assertEqual(knsd.add("http://127.0.0.1:%d/feed" % secure.port).status, 502)
        self.assertEqual(knsd.add("https://127.0.0.1:%d/feed" % plain.port).status, 502)

    def test_a_redirect_from_https_to_http_does_not_take_credentials_along(self):
        folder = self.certificate()
        knsd = self.knsd(wire.FAST + "private_networks = always\n")
        secure, plain = self.secure_origin(folder), self.origin()
        plain.on("/feed", answer(200, feed(1)))
        self.subscribe(knsd, secure.on("/feed", wire.redirect(302, plain.base + "/feed")),
                       access={"ca_file": os.path.join(folder, "cert.pem"), "user": "ann", "password": "s3cret"})
        self.assertIsNone(plain.asked()[0]["Authorization"])


class Opened:
    """Whether a file was opened since it was asked last, as inotify tells."""

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.fsencode(path), 0x20) < 0:  # IN_OPEN
            raise unittest.SkipTest("no inotify: %s" % os.strerror(ctypes.get_errno()))

    def again(self):
        try:
            return bool(os.read(self.fd, 65536))
        except BlockingIOError:
            return False

    def close(self):
        os.close(self.fd)


class Shared(Case):
    """What the first transfer to a server has learned, the next one need not learn again."""

    def polled_over_tls(self, polls, **more):
        folder = self.certificate()
        opened = Opened(os.path.join(folder, "cert.pem"))
        self.addCleanup(opened.close)
        knsd, origin = self.knsd(), self.secure_origin(folder)
        opened.again()  # by the server
        self.resumed = []

        def script(connection, request):
            self.resumed.append(connection.sock.session_reused)
            answer(200, feed(1), **more)(connection, request)
            if more:
                connection.close()

        feed_id = self.subscribe(knsd, origin.on("/feed", script), access={"ca_file": os.path.join(folder, "cert.pem")})
        self.read = [opened.again()]
        for _ in range(polls - 1):
            self.assertEqual(self.poll(knsd, feed_id)["outcome"], "unchanged")
            self.read.append(opened.again())
        return origin

    def test_a_connection_is_used_again(self):
        self.assertEqual(self.polled_over_tls(5).connections, 1)

    def test_a_new_connection_resumes_the_session(self):
        origin = self.polled_over_tls(6, Connection="close")
        self.assertEqual(origin.connections, 6)
        self.assertEqual(self.resumed, [False] + [True] * 5)

    def test_certificates_are_read_once(self):
        self.polled_over_tls(6, Connection="close")
        self.assertEqual(self.read, [True] + [False] * 5)


class Options(Case):
    def sent(self, **access):
        knsd, origin = self.knsd(), self.origin()
        self.subscribe(knsd, origin.on("/feed", answer(200, feed(1))), access=access)
        self.knsd_ = knsd
        return origin.asked()[0]

    def assert_hidden(self, *secrets):
        for path in ("/v1/feeds", "/v1/feeds/1", "/v1/feeds/1/polls", "/v1/opml", "/v1/status", "/metrics"):
            body = self.knsd_.api("GET", path).body.decode()
            for secret in secrets:
                self.assertNotIn(secret, body, path)
        for secret in secrets:
            self.assertNotIn(secret, self.knsd_.log)

    def test_basic(self):
        self.assertEqual(self.sent(user="ann", password="s3cret")["Authorization"], "Basic YW5uOnMzY3JldA==")
        self.assert_hidden("s3cret", "YW5uOnMzY3JldA")

    def test_bearer(self):
        self.assertEqual(self.sent(bearer_token="t0ken-x")["Authorization"], "Bearer t0ken-x")
        self.assert_hidden("t0ken-x")

    def test_headers(self):
        sent = self.sent(headers="X-Api-Key: k3y\nX-Other: 2")
        self.assertEqual((sent["X-Api-Key"], sent["X-Other"]), ("k3y", "2"))
        self.assert_hidden("k3y")

    def test_a_user_agent(self):
        self.assertEqual(self.sent(user_agent="special/1")["User-Agent"], "special/1")

    def test_the_configured_user_agent(self):
        knsd, origin = self.knsd("[poll]\nuser_agent = mine/2 (+https://me.example)\n"), self.origin()
        self.subscribe(knsd, origin.on("/feed", answer(200, feed(1))))
        self.assertEqual(origin.asked()[0]["User-Agent"], "mine/2 (+https://me.example)")

    def test_one_is_changed_without_the_others_and_an_empty_one_is_removed(self):
        knsd, origin = self.knsd(), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", answer(200, feed(1))), access={"bearer_token": "t0ken-x", "user_agent": "a/1"})
        for access, wanted in (({"headers": "X-A: 1"}, ("Bearer t0ken-x", "1", "a/1")), ({"bearer_token": ""}, (None, "1", "a/1")),
                               ({"headers": "", "user_agent": "b/2"}, (None, None, "b/2"))):
            self.assertEqual(knsd.api("PATCH", "/v1/feeds/%d" % feed_id, {"access": access}).status, 200)
            self.poll(knsd, feed_id)
            asked = origin.asked()[-1]
            self.assertEqual((asked["Authorization"], asked["X-A"], asked["User-Agent"]), wanted)

    def test_what_could_be_no_such_setting_is_refused(self):
        knsd = self.knsd()
        for access in ({"headers": "no colon"}, {"headers": "A: 1\r\nB: 2"}, {"headers": ": empty"}, {"ca_file": "relative"}, {"http_version": "3"},
                       {"proxy": "nonsense"}, {"user_agent": "a\nb"}, {"bearer_token": "a\r\nX: y"}, {"password": 5}, {"else": "x"}, "x"):
            with self.subTest(str(access)):
                self.assertEqual(knsd.add("http://127.0.0.1:1/", access=access).status, 400)

    def test_they_outlive_a_restart(self):
        knsd, origin = self.knsd(), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", answer(200, feed(1))), access={"bearer_token": "t0ken-x"})
        knsd.kill()
        knsd.start()
        self.poll(knsd, feed_id)
        self.assertEqual(origin.asked()[1]["Authorization"], "Bearer t0ken-x")

    def test_wrong_credentials_are_shown_as_what_they_are(self):
        def guarded(connection, request):
            good = request["Authorization"] == "Basic YW5uOnMzY3JldA=="
            (answer(200, feed(1)) if good else answer(401, "who?", WWW_Authenticate='Basic realm="x"'))(connection, request)

        knsd, origin = self.knsd(), self.origin()
        added = knsd.add(origin.on("/feed", guarded), access={"user": "ann", "password": "wrong"})
        self.assertEqual(added.status, 502)
        self.assertIn("credentials", added.json["detail"])
        self.assertEqual(len(origin.asked()), 1)

    def test_http_1_1_when_asked_for(self):
        knsd, origin = self.knsd(), self.origin()
        self.subscribe(knsd, origin.on("/feed", answer(200, feed(1))), access={"http_version": "1.0"})
        self.assertTrue(origin.asked()[0].line.endswith("HTTP/1.0"))


@unittest.skipUnless(shutil.which("nghttpd"), "nghttpd (nghttp2-server) is missing")
class Http2(Case):
    def test_transfers_of_one_site_share_a_connection(self):
        folder = self.certificate()
        for n in range(6):
            with open(os.path.join(folder, "%d.xml" % n), "w", encoding="utf-8") as f:
                f.write(feed(n))
        knsd = self.knsd(wire.FAST + "per_host = 6\n")
        port = self.origin().port + 0
        log = open(os.path.join(folder, "log"), "wb")
        self.addCleanup(log.close)
        with wire.socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = subprocess.Popen(["nghttpd", "-v", "-a", "127.0.0.1", "-d", folder, str(port), os.path.join(folder, "key.pem"),
                                   os.path.join(folder, "cert.pem")], stdout=log, stderr=log)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)

        def listens():
            with wire.contextlib.suppress(OSError):
                wire.socket.create_connection(("127.0.0.1", port)).close()
                return True
            return False

        wait_until(listens, "nghttpd listens")
        for n in range(6):
            self.subscribe(knsd, "https://127.0.0.1:%d/%d.xml" % (port, n), access={"ca_file": os.path.join(folder, "cert.pem")})
        said = knsd.refresh()
        self.assertEqual({s.get("status") for s in said}, {200, 304} & {s.get("status") for s in said}, said)
        log.flush()
        with open(os.path.join(folder, "log"), encoding="utf-8", errors="replace") as f:
            text = f.read()
        self.assertGreaterEqual(text.count(":path: /"), 12)
        connections = {line.split("[id=")[1].split("]")[0] for line in text.splitlines() if "[id=" in line and "recv HEADERS" in line}
        self.assertLessEqual(len(connections), 3, "twelve requests")


if __name__ == "__main__":
    unittest.main()

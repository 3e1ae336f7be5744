"""WebSub: a hub that the tests script asks, pushes, denies, hangs and lies; what it proves to have sent is stored as what is polled."""
import hashlib
import hmac
import http.client
import os
import re
import signal
import socket
import subprocess
import threading
import unittest
import urllib.parse

from tests.integration import kns, wire
from tests.integration.kns import entry, rss, wait_until
from tests.integration.wire import answer

# Retries begin after min_interval.
CONFIG = "[poll]\nmin_interval = 1s\nmax_interval = 24h\n%s[websub]\ncallback_url = http://127.0.0.1:%d%s\n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def document(*numbers, hub=None, topic=None, title="A feed"):
    """A feed that names its hub and itself."""
    links = "".join("<atom:link rel='%s' href='%s'/>" % (rel, href) for rel, href in (("hub", hub), ("self", topic)) if href)
    text = rss([entry(n) for n in numbers], title=title)
    return text.replace("<rss ", "<rss xmlns:atom='http://www.w3.org/2005/Atom' ").replace("</description>", "</description>" + links, 1)


def sign(secret, body, method="sha256"):
    return "%s=%s" % (method, hmac.new(secret.encode(), body, method).hexdigest())


def call(url, method="GET", body=None, headers=None):
    """One request to a callback: (status, body, headers)."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=kns.PATIENCE_S)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body=body, headers=headers or {})
        got = connection.getresponse()
        return got.status, got.read(), got.headers
    finally:
        connection.close()


class Hub:
    """A hub on a wire.Server: keeps what it was asked for, and verifies what `verify` says at once."""

    def __init__(self, origin, path="/hub"):
        self.origin, self.asked, self.verified, self.lock = origin, [], [], threading.Lock()
        self.lease, self.verify, self.status, self.headers = 86400, True, 202, {}
        self.at_once = False  # verifies before it answers
        self.url = origin.on(path, self.serve)

    def serve(self, connection, request):
        # wire.Server hands over the header; the body is still to be read.
        length, body = int(request["Content-Length"] or 0), b""
        while len(body) < length:
            body += connection.sock.recv(length - len(body))
        form = dict(urllib.parse.parse_qsl(body.decode()))
        form["type"], form["headers"], form["method"] = request["Content-Type"], request.headers, request.method
        with self.lock:
            self.asked.append(form)
        if self.at_once:
            self.intend(form)
        answer(self.status, "", **self.headers)(connection, request)
        if self.verify and self.status == 202 and not self.at_once:
            self.intend(form)

    def intend(self, form, **change):
        """Asks the subscriber whether it meant that: (status, body, headers)."""
        query = {"hub.mode": form["hub.mode"], "hub.topic": form["hub.topic"], "hub.challenge": "c" + os.urandom(8).hex()}
        if form["hub.mode"] == "subscribe":
            query["hub.lease_seconds"] = str(self.lease)
        query.update({"hub." + name: value for name, value in change.items()})
        query = {name: value for name, value in query.items() if value is not None}
        url = form["hub.callback"] + "?" + urllib.parse.urlencode(query)
        got = call(url)
        with self.lock:
            self.verified.append((form["hub.mode"], got[0], got[1].decode() == query.get("hub.challenge")))
        return got

    def of(self, mode):
        with self.lock:
            return [form for form in self.asked if form["hub.mode"] == mode]

    def first(self, mode="subscribe", n=1):
        """The nth request of this mode, when it has come."""
        wait_until(lambda: len(self.of(mode)) >= n, "%d %s requests" % (n, mode))
        return self.of(mode)[n - 1]

    def confirmed(self, mode="subscribe", n=1):
        """The nth request of this mode, when it was also verified."""
        wait_until(lambda: len([v for v in self.verified if v[0] == mode and v[1] == 200]) >= n, "%d verified %s" % (n, mode))
        return self.of(mode)[-1]


def push(form, body, signature="good", method="sha256", **headers):
    """Sends content to a subscription's callback: the status."""
    body = body.encode() if isinstance(body, str) else body
    sent = {"Content-Type": "application/rss+xml"}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    if signature == "good":
        signature = sign(form["hub.secret"], body, method)
    if signature is not None:
        sent["X-Hub-Signature"] = signature
    return call(form["hub.callback"], "POST", body, sent)[0]


class Case(wire.Case):
    def begin(self, poll="", path="", hub_path="/hub", **script):
        """A daemon with callbacks, an origin with a hub, and a feed that names it."""
        self.port = free_port()
        self.server = self.origin()
        self.hub = Hub(self.server, hub_path)
        self.topic = self.server.base + "/feed"
        self.server.on("/feed", answer(200, document(1, hub=self.hub.url, topic=self.topic), **script))
        self.daemon = self.knsd(CONFIG % (poll, self.port, path))
        return self.daemon

    def subscribed(self, **more):
        """The feed's id and what its hub was asked, once that is verified."""
        self.begin(**more)
        self.feed_id = self.subscribe(self.daemon, self.topic)
        form = self.hub.confirmed()
        wait_until(lambda: self.push_state() == "alive", "the subscription is alive")
        return self.feed_id, form

    def polls(self):
        return self.daemon.get("/v1/feeds/%d/polls" % self.feed_id)

    def push_state(self):
        return self.polls().get("push", {}).get("state")

    def metric(self, name, label):
        text = self.daemon.api("GET", "/metrics").body.decode()
        return int(re.search(r'^%s\{\w+="%s"\} (\d+)$' % (name, label), text, re.M).group(1))

    def pushes(self, result):
        return self.metric("kns_websub_pushes_total", result)


class Subscribing(Case):
    def test_a_feed_that_names_a_hub_is_subscribed_to(self):
        feed_id, form = self.subscribed()
        self.assertEqual(form["hub.mode"], "subscribe")
        self.assertEqual(form["hub.topic"], self.topic)
        self.assertTrue(form["hub.callback"].startswith("http://127.0.0.1:%d/websub/" % self.port))
        self.assertGreaterEqual(len(form["hub.callback"].rsplit("/", 1)[1]), 32)
        self.assertRegex(form["hub.secret"], "^[0-9a-f]{64}$")
        self.assertGreater(int(form["hub.lease_seconds"]), 3600)
        self.assertEqual(form["type"], "application/x-www-form-urlencoded")
        self.assertEqual(self.hub.verified, [("subscribe", 200, True)])
        self.assertEqual(len(self.hub.asked), 1)
        self.assertEqual(self.metric("kns_websub_subscriptions", "alive"), 1)
        self.assertEqual(self.polls()["push"]["hub"], self.hub.url)
        self.assertTrue(self.feed(self.daemon, feed_id)["next_poll_reason"])

    def test_the_challenge_is_echoed_as_plain_text(self):
        self.begin()
        self.hub.verify = False
        self.feed_id = self.subscribe(self.daemon, self.topic)
        status, body, headers = self.hub.intend(self.hub.first(), challenge="<b>x & y</b>")
        self.assertEqual((status, body), (200, b"<b>x & y</b>"))
        self.assertTrue(headers["Content-Type"].startswith("text/plain"))

    def test_a_hub_may_verify_before_it_answers(self):
        self.begin()
        self.hub.at_once = True
        self.feed_id = self.subscribe(self.daemon, self.topic)
        form = self.hub.confirmed()
        wait_until(lambda: self.push_state() == "alive", "the subscription is alive")
        self.assertEqual(push(form, document(2)), 200)
        self.poll(self.daemon, self.feed_id)
        self.assertEqual(len(self.hub.asked), 1)

    def test_the_link_header_names_a_hub_too(self):
        self.begin()
        self.server.on("/plain", answer(200, wire.feed(1), Link='<%s>; rel="hub", <%s>; rel="self"' % (self.hub.url, self.server.base + "/other")))
        self.subscribe(self.daemon, self.server.base + "/plain")
        self.assertEqual(self.hub.confirmed()["hub.topic"], self.server.base + "/other")

    def test_a_hub_that_appears_later_is_found_by_a_poll(self):
        self.begin()
        self.server.on("/late", answer(200, wire.feed(1)), answer(200, document(1, 2, hub=self.hub.url)))
        feed_id = self.subscribe(self.daemon, self.server.base + "/late")
        self.assertEqual(self.hub.asked, [])
        self.poll(self.daemon, feed_id)
        self.assertEqual(self.hub.confirmed()["hub.topic"], self.server.base + "/late")

    def test_without_a_callback_url_no_hub_is_asked(self):
        self.begin()
        quiet = self.knsd("[poll]\nmin_interval = 1s\n")
        feed_id = self.subscribe(quiet, self.topic)
        self.poll(quiet, feed_id)
        self.assertEqual(self.hub.asked, [])
        self.assertNotIn("push", quiet.get("/v1/feeds/%d/polls" % feed_id))

    def test_a_callback_url_that_is_set_later_is_taken_over(self):
        self.begin()
        later = self.knsd("[poll]\nmin_interval = 1s\n")
        self.subscribe(later, self.topic)
        later.stop()
        later.configure(CONFIG % ("", free_port(), ""))
        later.start()
        self.hub.confirmed()

    def test_a_callback_url_that_changes_at_a_reload_is_told_to_the_hub(self):
        _, form = self.subscribed()
        self.daemon.configure(CONFIG % ("", self.port, "/elsewhere"))
        self.daemon.process.send_signal(signal.SIGHUP)
        again = self.hub.first(n=2)
        self.assertIn("/elsewhere/websub/", again["hub.callback"])
        wait_until(lambda: self.push_state() == "alive", "it is alive again")
        self.assertEqual(push(form, document(2)), 404)
        self.assertEqual(push(again, document(2)), 200)

    def test_a_redirect_of_the_hub_is_followed_where_it_keeps_the_post(self):
        self.begin()
        elsewhere = Hub(self.origin())
        for status, path, to in ((307, "/moved", self.hub.url), (303, "/other", self.hub.url), (307, "/elsewhere", elsewhere.url)):
            self.server.on(path, lambda c, r, s=status, t=to: (c.sock.recv(4096), wire.redirect(s, t)(c, r)))
            self.server.on("/feed" + path, answer(200, document(path, hub=self.server.base + path, topic=self.server.base + "/topic" + path)))
            self.subscribe(self.daemon, self.server.base + "/feed" + path)
        self.assertEqual(self.hub.confirmed()["hub.topic"], self.server.base + "/topic/moved")
        wait_until(lambda: self.daemon.log.count("a redirect that a POST does not follow") == 2, "the others are refused")
        self.assertEqual(len(self.hub.asked), 1)
        self.assertEqual(elsewhere.asked, [], "a secret goes to no other server in the clear")

    def test_credentials_of_a_feed_are_not_for_its_hub(self):
        self.begin()
        feed_id = self.subscribe(self.daemon, self.topic, access={"user": "u", "password": "p", "headers": "X-Key: k"})
        form = self.hub.confirmed()
        self.assertNotIn("authorization", form["headers"])
        self.assertNotIn("x-key", form["headers"])
        self.assertTrue(feed_id)

    def test_a_public_feed_leads_to_no_private_hub(self):
        # A proxy stands for the Internet: it has a public feed that names a hub on loopback.
        self.begin(poll="private_networks = direct\n")
        proxy = self.origin()
        proxy.on("http://public.example/feed", answer(200, document(9, hub=self.hub.url, topic="http://public.example/feed")))
        self.daemon.add("http://public.example/feed", access={"proxy": proxy.base})
        wait_until(lambda: "private network" in self.daemon.log, "the hub is refused")
        self.assertEqual(self.hub.asked, [])
        self.assertEqual(proxy.asked(self.hub.url), [])


class Verifying(Case):
    def setUp(self):
        self.begin()
        self.hub.verify = False
        self.feed_id = self.subscribe(self.daemon, self.topic)
        self.form = self.hub.first()

    def test_another_topic_is_refused(self):
        self.assertEqual(self.hub.intend(self.form, topic=self.topic + "x")[0], 404)
        self.assertEqual(self.hub.intend(self.form, topic=None)[0], 404)
        self.assertEqual(self.push_state(), "wanted")

    def test_another_mode_is_refused(self):
        for mode in ("unsubscribe", "publish", "", None):
            self.assertEqual(self.hub.intend(self.form, mode=mode)[0], 404)
        self.assertEqual(self.push_state(), "wanted")

    def test_another_token_is_refused(self):
        for token in ("0" * 48, "", "x", "../v1/feeds"):
            self.form["hub.callback"] = self.form["hub.callback"].rsplit("/", 1)[0] + "/" + token
            self.assertEqual(self.hub.intend(self.form)[0], 404)
        self.assertEqual(self.push_state(), "wanted")

    def test_no_challenge_is_refused(self):
        self.assertEqual(self.hub.intend(self.form, challenge=None)[0], 404)
        self.assertEqual(self.hub.intend(self.form, challenge="")[0], 404)
        self.assertEqual(self.push_state(), "wanted")

    def test_an_intent_is_confirmed_once(self):
        self.assertEqual(self.hub.intend(self.form)[0], 200)
        self.assertEqual(self.push_state(), "alive")
        self.assertEqual(self.hub.intend(self.form)[0], 404)
        self.assertEqual(self.push_state(), "alive")

    def test_content_before_the_verification_is_refused(self):
        self.assertEqual(push(self.form, document(2)), 404)
        self.assertEqual(self.titles(self.daemon), ["Article 1"])

    def test_a_denial_ends_it(self):
        url = self.form["hub.callback"] + "?" + urllib.parse.urlencode(
            {"hub.mode": "denied", "hub.topic": self.topic, "hub.reason": "not on\nthe list"})
        self.assertEqual(call(url.replace("feed", "food"))[0], 404)
        self.assertEqual(call(url)[0], 200)
        shown = self.polls()["push"]
        self.assertEqual(shown["state"], "denied")
        self.assertIn("not on the list", shown["error"])
        self.assertEqual(self.hub.intend(self.form)[0], 404)
        asked = len(self.hub.asked)
        self.poll(self.daemon, self.feed_id)
        self.daemon.stop()
        self.daemon.start()
        self.poll(self.daemon, self.feed_id)
        self.assertEqual(len(self.hub.asked), asked)
        self.assertEqual(self.push_state(), "denied")

    def test_the_tcp_listener_answers_callbacks_alone(self):
        base = "http://127.0.0.1:%d" % self.port
        for method, path in (("GET", "/"), ("GET", "/v1/feeds"), ("GET", "/healthz"), ("GET", "/metrics"), ("POST", "/v1/refresh"),
                             ("DELETE", "/v1/feeds/1"), ("PUT", "/websub/0"), ("POST", "/websub/0"), ("GET", "/websub/../v1/feeds"),
                             ("HEAD", "/websub/0"), ("OPTIONS", "/websub/0")):
            status, body, _ = call(base + path, method, b"{}" if method == "POST" else None)
            self.assertEqual(status, 404, (method, path))
            self.assertNotIn(b"example", body)
        self.assertEqual(len(self.daemon.get("/v1/feeds")), 1)

    def test_a_reverse_proxy_may_bring_callbacks_to_the_unix_socket(self):
        token = self.form["hub.callback"].rsplit("/", 1)[1]
        query = urllib.parse.urlencode({"hub.mode": "subscribe", "hub.topic": self.topic, "hub.challenge": "abc", "hub.lease_seconds": "900"})
        got = self.daemon.api("GET", "/websub/%s?%s" % (token, query))
        self.assertEqual((got.status, got.body), (200, b"abc"))
        body = document(2).encode()
        got = self.daemon.api("POST", "/websub/" + token, body, {"X-Hub-Signature": sign(self.form["hub.secret"], body)})
        self.assertEqual(got.status, 200)
        self.assertEqual(self.titles(self.daemon), ["Article 1", "Article 2"])


class Below(Case):
    def test_callbacks_may_live_below_a_path(self):
        _, form = self.subscribed(path="/reader/")
        self.assertIn("/reader/websub/", form["hub.callback"])
        self.assertEqual(push(form, document(2)), 200)
        self.assertEqual(self.titles(self.daemon), ["Article 1", "Article 2"])
        token = form["hub.callback"].rsplit("/", 1)[1]
        body = document(3).encode()
        for path in ("/websub/", "/reader/websub/"):
            got = self.daemon.api("POST", path + token, body, {"X-Hub-Signature": sign(form["hub.secret"], body)})
            self.assertEqual(got.status, 200)


class Pushing(Case):
    def test_what_is_signed_is_stored_at_once(self):
        for method in ("sha256", "sha384", "sha512"):
            with self.subTest(method):
                if method == "sha256":
                    _, form = self.subscribed()
                self.assertEqual(push(form, document(method), method=method), 200)
                self.assertIn("Article " + method, self.titles(self.daemon))
        self.assertEqual(self.pushes("stored"), 3)

    def test_what_is_not_signed_well_is_taken_and_dropped(self):
        _, form = self.subscribed()
        body = document(2).encode()
        bad = [("bad-signature", sign("other", body)), ("bad-signature", "sha256=00"), ("bad-signature", sign(form["hub.secret"], body + b" ")),
               ("no-signature", None), ("weak-signature", sign(form["hub.secret"], body, "sha1")),
               ("weak-signature", sign(form["hub.secret"], body, "md5"))]
        for result, signature in bad:
            before = self.pushes(result)
            self.assertIn(push(form, body, signature), (200, 202, 204), result)
            self.assertEqual(self.pushes(result), before + 1)
        self.assertEqual(self.titles(self.daemon), ["Article 1"])
        self.assertEqual(self.pushes("stored"), 0)
        self.assertEqual(self.daemon.log.count("is not stored"), 1, "logged once")

    def test_what_comes_twice_is_stored_once(self):
        _, form = self.subscribed()
        for _ in range(2):
            self.assertEqual(push(form, document(2, 1)), 200)
        self.assertEqual(self.titles(self.daemon), ["Article 1", "Article 2"])
        self.poll(self.daemon, self.feed_id)
        self.assertEqual(self.titles(self.daemon), ["Article 1", "Article 2"])

    def test_the_polls_validators_are_not_touched(self):
        feed_id, form = self.subscribed(ETag='"one"')
        before = self.feed(self.daemon, feed_id)
        push(form, document(2))
        after = self.feed(self.daemon, feed_id)
        for name in ("etag", "last_status", "last_poll_at", "next_poll_at", "health", "title"):
            self.assertEqual(before.get(name), after.get(name), name)
        self.poll(self.daemon, feed_id)
        self.assertEqual(self.server.asked("/feed")[-1]["If-None-Match"], '"one"')
        history = self.polls()["polls"]
        self.assertIn("pushed", [p["outcome"] for p in history])
        self.assertEqual([p["new_items"] for p in history if p["outcome"] == "pushed"], [1])

    def test_what_is_too_large_is_refused(self):
        _, form = self.subscribed(poll="max_size = 100K\n")
        large = document(2).replace("</channel>", "<!--%s--></channel>" % ("x" * 200000))
        self.assertEqual(push(form, large), 413)
        self.assertEqual(self.titles(self.daemon), ["Article 1"])
        self.assertEqual(self.pushes("too-large"), 1)
        self.assertEqual(push(form, document(3)), 200)

    def test_a_large_body_that_does_not_say_so_is_refused(self):
        _, form = self.subscribed(poll="max_size = 100K\n")
        parts = urllib.parse.urlsplit(form["hub.callback"])
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=kns.PATIENCE_S)
        self.addCleanup(connection.close)
        connection.request("POST", parts.path, body=iter([b"<rss>" + b"x" * 50000] * 6), encode_chunked=True,
                           headers={"Transfer-Encoding": "chunked", "X-Hub-Signature": "sha256=00"})
        self.assertEqual(connection.getresponse().status, 413)
        self.assertEqual(self.pushes("too-large"), 1)

    def test_what_is_no_feed_is_dropped(self):
        _, form = self.subscribed()
        for body in ("<html><body>Hello</body></html>", "", "{}"):
            self.assertIn(push(form, body), (200, 202, 204))
        self.assertEqual(self.pushes("not-a-feed"), 3)

    def test_a_body_that_breaks_off_is_not_stored(self):
        _, form = self.subscribed()
        body = document(2).encode()
        parts = urllib.parse.urlsplit(form["hub.callback"])
        with socket.create_connection((parts.hostname, parts.port)) as s:
            s.sendall(("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nX-Hub-Signature: %s\r\n\r\n"
                       % (parts.path, len(body) + 10, sign(form["hub.secret"], body))).encode() + body)
            threading.Event().wait(0.5)  # together with the bytes, libmicrohttpd would see the end at its time-out only
        wait_until(lambda: self.pushes("failed") == 1, "it is counted")
        self.assertEqual(self.titles(self.daemon), ["Article 1"])

    def test_the_charset_of_the_content_type_is_heeded(self):
        _, form = self.subscribed()
        body = document(2).replace('encoding="UTF-8"', "").replace("Article 2", "日本語").encode("shift_jis")
        self.assertEqual(push(form, body, Content_Type="application/rss+xml; charset=Shift_JIS"), 200)
        self.assertIn("日本語", self.titles(self.daemon))

    def test_what_is_encoded_is_refused(self):
        _, form = self.subscribed()
        self.assertEqual(push(form, document(2), Content_Encoding="gzip"), 415)

    def test_a_push_is_an_event_as_a_poll_is(self):
        _, form = self.subscribed()
        push(form, document(2))
        s = self.daemon.connect()
        self.addCleanup(s.close)
        s.sendall(b"GET /v1/events?since=0 HTTP/1.1\r\nHost: kns\r\n\r\n")
        seen = b""
        while b"Article 2" not in seen or b"pushed" not in seen:
            seen += s.recv(65536)


class Living(Case):
    def test_a_feed_that_is_pushed_is_polled_rarely(self):
        feed_id, _ = self.subscribed()
        shown = wait_until(lambda: (lambda f: "hub pushes" in f["next_poll_reason"] and f)(self.feed(self.daemon, feed_id)), "the next poll moves")
        self.assertEqual(shown["interval_seconds"], 86400)
        self.poll(self.daemon, feed_id)
        self.assertIn("hub pushes", self.feed(self.daemon, feed_id)["next_poll_reason"])

    def test_why_says_that_it_is_pushed_and_until_when(self):
        feed_id, _ = self.subscribed()
        run = subprocess.run([kns.KNSCTL, "--socket", self.daemon.socket, "why", "--feed", str(feed_id)], stdout=subprocess.PIPE, text=True, check=True)
        self.assertRegex(run.stdout, r"pushed: +by its hub %s until 20\d\d-" % re.escape(self.hub.url))

    def test_a_lease_is_renewed_before_it_ends(self):
        self.begin()
        self.hub.lease = 4
        self.feed_id = self.subscribe(self.daemon, self.topic)
        first = self.hub.first()
        self.hub.confirmed(n=3)
        for form in self.hub.of("subscribe"):
            self.assertEqual(form["hub.callback"], first["hub.callback"])
            self.assertEqual(form["hub.secret"], first["hub.secret"])
        self.assertEqual(self.push_state(), "alive")
        self.assertNotIn("the lease", self.daemon.log)
        self.assertEqual(push(first, document(2)), 200)

    def test_when_the_lease_is_lost_the_feed_is_polled_as_any_other(self):
        self.begin()
        self.hub.lease = 3
        self.feed_id = self.subscribe(self.daemon, self.topic)
        form = self.hub.confirmed()
        self.hub.status = 503
        wait_until(lambda: self.push_state() == "wanted", "the lease ends")
        wait_until(lambda: "hub pushes" not in self.feed(self.daemon, self.feed_id)["next_poll_reason"], "the next poll moves back")
        self.assertLess(self.feed(self.daemon, self.feed_id)["interval_seconds"], 86400)
        self.assertEqual(push(form, document(2)), 404)
        self.hub.status = 202
        wait_until(lambda: self.push_state() == "alive", "the hub is back")
        wait_until(lambda: "hub pushes" in self.feed(self.daemon, self.feed_id)["next_poll_reason"], "the next poll moves again")

    def test_a_hub_that_is_down_is_asked_again_ever_later(self):
        self.begin()
        self.hub.status = 500
        self.feed_id = self.subscribe(self.daemon, self.topic)
        self.hub.first(n=3)
        self.assertIn("500", self.polls()["push"]["error"])
        times = [r.at for r in self.server.asked("/hub")]
        self.assertGreaterEqual(times[1] - times[0], 0.9)
        self.assertGreaterEqual(times[2] - times[1], 1.8)
        self.assertEqual(self.daemon.log.count("it answered 500"), 1, "logged once")
        self.hub.status = 202
        wait_until(lambda: self.push_state() == "alive", "the hub is back")
        self.assertNotIn("error", self.polls()["push"])

    def test_the_hubs_retry_after_is_heeded(self):
        self.begin()
        self.hub.status, self.hub.headers = 503, {"Retry-After": "4"}
        self.feed_id = self.subscribe(self.daemon, self.topic)
        self.hub.first(n=2)
        times = [r.at for r in self.server.asked("/hub")]
        self.assertGreaterEqual(times[1] - times[0], 3.5)

    def test_a_subscription_outlives_a_restart(self):
        feed_id, form = self.subscribed()
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(push(form, document(2)), 200)
        self.assertEqual(self.titles(self.daemon), ["Article 1", "Article 2"])
        self.assertIn("hub pushes", self.feed(self.daemon, feed_id)["next_poll_reason"])
        self.assertEqual(len(self.hub.asked), 1)

    def test_a_hub_may_verify_after_a_crash(self):
        self.begin()
        self.hub.verify = False
        self.feed_id = self.subscribe(self.daemon, self.topic)
        form = self.hub.first()
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.hub.intend(form)[0], 200)
        self.assertEqual(self.push_state(), "alive")

    def test_a_lease_that_ended_while_knsd_was_down_is_asked_for_anew(self):
        self.begin()
        self.hub.lease = 2
        self.feed_id = self.subscribe(self.daemon, self.topic)
        self.hub.confirmed()
        self.daemon.kill()
        asked = len(self.hub.asked)
        self.hub.lease = 86400
        threading.Event().wait(2.5)
        self.daemon.start()
        self.hub.first(n=asked + 1)
        wait_until(lambda: self.push_state() == "alive", "it is alive again")

    def test_without_a_callback_url_any_more_the_feed_is_polled_again(self):
        feed_id, form = self.subscribed()
        self.daemon.configure("[poll]\nmin_interval = 1s\n")
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "hub pushes" not in self.feed(self.daemon, feed_id)["next_poll_reason"], "the next poll moves back")
        self.assertIsNone(self.push_state())
        self.assertEqual(push(form, document(2)), 404)


class Leaving(Case):
    def ends(self, form):
        """The hub is told, asks back, is answered once, and its pushes are refused."""
        gone = self.hub.confirmed("unsubscribe")
        self.assertEqual(gone["hub.callback"], form["hub.callback"])
        self.assertEqual(gone["hub.topic"], form["hub.topic"])
        self.assertNotIn("hub.secret", gone)
        self.assertIn(("unsubscribe", 200, True), self.hub.verified)
        self.assertIn(push(form, document(2)), (404, 410))
        self.assertNotIn("Article 2", self.titles(self.daemon))

    def test_a_feed_that_is_removed_is_unsubscribed(self):
        feed_id, form = self.subscribed()
        self.daemon.api("DELETE", "/v1/feeds/%d" % feed_id)
        self.ends(form)
        self.assertEqual(self.metric("kns_websub_subscriptions", "leaving"), 0)

    def test_after_a_restart_too(self):
        feed_id, form = self.subscribed()
        self.daemon.stop()
        self.daemon.start()
        self.daemon.api("DELETE", "/v1/feeds/%d" % feed_id)
        self.ends(form)

    def test_a_feed_that_is_paused_is_unsubscribed_and_subscribed_again(self):
        feed_id, form = self.subscribed()
        self.daemon.api("PATCH", "/v1/feeds/%d" % feed_id, {"paused": True})
        self.ends(form)
        self.daemon.api("PATCH", "/v1/feeds/%d" % feed_id, {"paused": False})
        again = self.hub.first(n=2)
        self.assertNotEqual(again["hub.callback"], form["hub.callback"])
        wait_until(lambda: self.push_state() == "alive", "it is alive again")

    def test_a_feed_that_is_gone_is_unsubscribed(self):
        feed_id, form = self.subscribed()
        self.server.on("/feed", answer(410))
        self.poll(self.daemon, feed_id)
        self.ends(form)

    def test_a_feed_that_names_no_hub_any_more_is_unsubscribed(self):
        feed_id, form = self.subscribed()
        self.server.on("/feed", answer(200, wire.feed(1, 3)))
        self.poll(self.daemon, feed_id)
        self.ends(form)
        wait_until(lambda: "hub pushes" not in self.feed(self.daemon, feed_id)["next_poll_reason"], "it is polled again")

    def test_another_hub_takes_the_place_of_the_first(self):
        feed_id, form = self.subscribed()
        other = Hub(self.server, "/hub2")
        self.server.on("/feed", answer(200, document(1, 3, hub=other.url, topic=self.topic)))
        self.poll(self.daemon, feed_id)
        self.ends(form)
        self.assertNotEqual(other.confirmed()["hub.callback"], form["hub.callback"])
        wait_until(lambda: self.polls()["push"] == dict(self.polls()["push"], hub=other.url, state="alive"), "the other one is alive")
        self.assertIn("hub pushes", self.feed(self.daemon, feed_id)["next_poll_reason"])

    def test_only_an_unsubscription_of_ours_is_confirmed(self):
        _, form = self.subscribed()
        self.assertEqual(self.hub.intend(dict(form, **{"hub.mode": "unsubscribe"}))[0], 404)
        self.assertEqual(push(form, document(2)), 200)

    def test_a_hub_that_does_not_let_go_is_left_alone_in_the_end(self):
        feed_id, _ = self.subscribed()
        self.hub.status = 500
        self.daemon.api("DELETE", "/v1/feeds/%d" % feed_id)
        self.hub.first("unsubscribe", n=3)
        wait_until(lambda: self.metric("kns_websub_subscriptions", "leaving") == 0, "it is forgotten")
        self.assertEqual(len(self.hub.of("unsubscribe")), 3)


class Secrets(Case):
    def test_neither_token_nor_secret_is_ever_shown(self):
        feed_id, form = self.subscribed(poll="")
        push(form, document(2))
        push(form, document(3), "sha256=00")
        token = form["hub.callback"].rsplit("/", 1)[1]
        shown = [self.daemon.api("GET", path).body.decode()
                 for path in ("/v1/feeds", "/v1/feeds/%d" % feed_id, "/v1/feeds/%d/polls" % feed_id, "/v1/opml", "/v1/status", "/metrics", "/v1/items")]
        shown.append(self.daemon.log)
        for text in shown:
            self.assertNotIn(form["hub.secret"], text)
            self.assertNotIn(token, text)

    def test_an_address_that_is_taken_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            knsd = self.knsd(CONFIG % ("", port, ""), start=False)
            status, _, said = knsd.run()
        self.assertEqual(status, 1)
        self.assertIn("[websub] listen: cannot listen at 127.0.0.1, port %d" % port, said)


if __name__ == "__main__":
    unittest.main()

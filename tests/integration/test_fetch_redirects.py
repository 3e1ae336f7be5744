"""Redirects (RFC 9110 15.4): what is followed, what moves a subscription, what credentials see."""
import unittest

from tests.integration import wire
from tests.integration.wire import answer, feed, redirect


class Following(wire.Case):
    def add(self, *chain, final=None):
        """Subscribes to a chain of redirects of these statuses; what knsd answered, the origin, the knsd."""
        knsd, origin = self.knsd(), self.origin()
        for number, status in enumerate(chain):
            origin.on("/%d" % number, redirect(status, "/%d" % (number + 1)))
        origin.on("/%d" % len(chain), final or answer(200, feed(1)))
        return knsd.add(origin.base + "/0"), origin, knsd

    def test_every_kind_of_redirect_is_followed(self):
        for status in (301, 302, 303, 307, 308):
            with self.subTest(status):
                self.assertEqual(self.add(status)[0].status, 201)

    def test_ten_in_a_row_are_followed_and_eleven_are_not(self):
        self.assertEqual(self.add(*[302] * 10)[0].status, 201)
        added, origin, _ = self.add(*[302] * 11)
        self.assertEqual(added.status, 502)
        self.assertIn("redirects", added.json["detail"])
        self.assertLessEqual(len(origin.asked()), 11)

    def test_a_loop_ends(self):
        knsd, origin = self.knsd(), self.origin()
        url = origin.on("/a", redirect(301, "/b"))
        origin.on("/b", redirect(301, "/a"))
        self.assertEqual(knsd.add(url).status, 502)
        self.assertLessEqual(len(origin.asked()), 11)

    def test_nothing_but_http_and_https_is_followed(self):
        for target in ("file:///etc/passwd", "ftp://127.0.0.1/feed", "gopher://127.0.0.1/", "data:text/xml,<rss/>", "javascript:1",
                       "feed:http://127.0.0.1/", "dict://127.0.0.1/x"):
            with self.subTest(target):
                knsd, origin = self.knsd(), self.origin()
                added = knsd.add(origin.on("/feed", redirect(301, target)))
                self.assertEqual(added.status, 422, added.body)
                self.assertEqual(knsd.get("/v1/feeds"), [])

    def test_a_305_and_a_300_are_not_followed(self):
        for status in (300, 305, 306):
            with self.subTest(status):
                knsd, origin = self.knsd(), self.origin()
                origin.on("/there", answer(200, feed(1)))
                self.assertEqual(knsd.add(origin.on("/here", redirect(status, "/there"))).status, 502)
                self.assertEqual(origin.asked("/there"), [])

    def test_a_redirect_without_a_location_is_said(self):
        knsd, origin = self.knsd(), self.origin()
        added = knsd.add(origin.on("/feed", answer(302, "x")))
        self.assertIn("Location", added.json["detail"])

    def test_relative_locations_are_resolved_against_the_hop(self):
        knsd, origin = self.knsd(), self.origin()
        url = origin.on("/a/b/feed", redirect(302, "../c/feed?x=1"))
        origin.on("/a/c/feed?x=1", answer(200, feed(1)))
        self.assertEqual(knsd.add(url).status, 201)

    def test_a_redirect_with_an_endless_body_is_followed_all_the_same(self):
        def endless(connection, _request):
            connection.send("HTTP/1.1 302 Found\r\nLocation: /there\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(100000):
                connection.send("400\r\n", b"x" * 1024, "\r\n")

        knsd, origin = self.knsd(), self.origin()
        origin.on("/there", answer(200, feed(1)))
        self.assertEqual(knsd.add(origin.on("/here", endless)).status, 201)

    def test_the_feeds_links_are_resolved_against_where_it_came_from(self):
        body = ("<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title><id>t</id><updated>2026-11-02T00:00:00Z</updated>"
                "<entry><title>E</title><id>e</id><updated>2026-11-02T00:00:00Z</updated><link href='post'/></entry></feed>")
        knsd, origin = self.knsd(), self.origin()
        origin.on("/new/place/feed", answer(200, body))
        self.subscribe(knsd, origin.on("/feed", redirect(302, "/new/place/feed")))
        self.assertEqual(knsd.all_items()[0]["url"], origin.base + "/new/place/post")


class Moving(wire.Case):
    def moved(self, *scripts, target=None):
        """A subscription to /old that held article 1, and is polled once for each of the scripts."""
        knsd, origin = self.knsd(), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/old", answer(200, feed(1), ETag='"1"'), *scripts))
        if target:
            origin.on("/new", target)
        for _ in scripts:
            self.poll(knsd, feed_id)
        return knsd, origin, self.feed(knsd, feed_id)

    def test_temporary_redirects_never_move_a_subscription(self):
        for status in (302, 303, 307):
            with self.subTest(status):
                _, origin, shown = self.moved(*[redirect(status, "/new")] * 4, target=answer(200, feed(1)))
                self.assertEqual(shown["url"], origin.base + "/old")

    def test_a_permanent_one_to_a_feed_with_items_we_know_moves_it(self):
        for status in (301, 308):
            with self.subTest(status):
                _, origin, shown = self.moved(redirect(status, "/new"), target=answer(200, feed(1, 2)))
                self.assertEqual(shown["url"], origin.base + "/new")
                self.assertEqual(shown["moved_from"], [origin.base + "/old"])

    def test_a_permanent_one_to_another_feed_is_watched_first(self):
        _, origin, shown = self.moved(*[redirect(301, "/new")] * 4, target=answer(200, feed(7, 8)))
        self.assertEqual(shown["url"], origin.base + "/old", "three polls, but not over two days")
        self.assertEqual(shown["health"], "moved")

    def test_a_chain_with_a_temporary_hop_moves_nothing(self):
        knsd, origin = self.knsd(), self.origin()
        origin.on("/middle", redirect(302, "/new"))
        origin.on("/new", answer(200, feed(1)))
        feed_id = self.subscribe(knsd, origin.on("/old", answer(200, feed(1)), redirect(301, "/middle")))
        self.poll(knsd, feed_id)
        self.assertEqual(self.feed(knsd, feed_id)["url"], origin.base + "/old")

    def test_a_permanent_redirect_to_what_is_no_feed_moves_nothing(self):
        for target in (answer(200, "<html><body>parked</body></html>"), answer(404, "no"), answer(410, "gone"), answer(200, "")):
            _, origin, shown = self.moved(redirect(301, "/new"), redirect(301, "/new"), target=target)
            self.assertEqual(shown["url"], origin.base + "/old")
            self.assertNotEqual(shown["state"], "gone")

    def test_a_new_subscription_takes_the_permanent_address_at_once(self):
        knsd, origin = self.knsd(), self.origin()
        origin.on("/new", answer(200, feed(1)))
        feed_id = self.subscribe(knsd, origin.on("/old", redirect(301, "/new")))
        self.assertEqual(self.feed(knsd, feed_id)["url"], origin.base + "/new")

    def test_the_next_poll_goes_to_the_new_address_with_its_validators(self):
        knsd, origin, shown = self.moved(redirect(301, "/new"), target=answer(200, feed(1, 2), ETag='"new"'))
        self.poll(knsd, shown["id"])
        self.assertEqual(origin.asked()[-1].target, "/new")
        self.assertEqual(origin.asked()[-1]["If-None-Match"], '"new"')

    def test_a_move_can_be_taken_back(self):
        knsd, origin, shown = self.moved(redirect(301, "/new"), target=answer(200, feed(1)))
        self.assertEqual(knsd.api("PATCH", "/v1/feeds/%d" % shown["id"], {"url": origin.base + "/old"}).status, 200)
        self.assertEqual(self.feed(knsd, shown["id"])["url"], origin.base + "/old")

    def test_two_subscriptions_that_come_to_the_same_url_become_one(self):
        knsd, origin = self.knsd(), self.origin()
        origin.on("/new", answer(200, feed(1, 2)))
        stays = self.subscribe(knsd, origin.base + "/new", tags=["a"])
        goes = self.subscribe(knsd, origin.on("/old", answer(200, feed(1, 3)), redirect(301, "/new")), tags=["b"])
        self.poll(knsd, goes)
        feeds = knsd.get("/v1/feeds")
        self.assertEqual([f["id"] for f in feeds], [stays])
        self.assertEqual(sorted(feeds[0]["tags"]), ["a", "b"])
        self.assertEqual(self.titles(knsd), ["Article 1", "Article 2", "Article 3"])

    def test_a_move_is_an_event(self):
        knsd, _, shown = self.moved(redirect(301, "/new"), target=answer(200, feed(1)))
        stream = knsd.connect()
        self.addCleanup(stream.close)
        stream.sendall(b"GET /v1/events?since=0&kinds=feed HTTP/1.1\r\nHost: kns\r\n\r\n")
        said = b""
        while b"moved" not in said:
            got = stream.recv(4096)
            self.assertTrue(got, said)
            said += got
        self.assertIn(b'"feed_id":%d' % shown["id"], said.replace(b" ", b""))


class Secrets(wire.Case):
    def test_credentials_stay_with_their_origin(self):
        knsd = self.knsd(wire.FAST + "private_networks = always\n")
        here, there = self.origin(), self.origin()
        there.on("/feed", answer(200, feed(1)))
        url = here.on("/feed", redirect(302, there.base + "/feed"))
        self.subscribe(knsd, url, access={"user": "ann", "password": "s3cret", "headers": "X-Token: t0ken"})
        self.assertIn("Basic", here.asked()[0]["Authorization"])
        self.assertEqual(here.asked()[0]["X-Token"], "t0ken")
        self.assertIsNone(there.asked()[0]["Authorization"])
        self.assertIsNone(there.asked()[0]["X-Token"])

    def test_within_the_origin_they_go_along(self):
        knsd, origin = self.knsd(), self.origin()
        origin.on("/there", answer(200, feed(1)))
        self.subscribe(knsd, origin.on("/here", redirect(302, "/there")), access={"user": "ann", "password": "s3cret"})
        self.assertIn("Basic", origin.asked("/there")[0]["Authorization"])

    def test_credentials_in_a_url_do_not_follow_to_another_origin(self):
        knsd = self.knsd(wire.FAST + "private_networks = always\n")
        here, there = self.origin(), self.origin()
        there.on("/feed", answer(200, feed(1)))
        here.on("/feed", redirect(301, there.base + "/feed"))
        self.subscribe(knsd, "http://ann:s3cret@127.0.0.1:%d/feed" % here.port)
        self.assertIsNone(there.asked()[0]["Authorization"])


if __name__ == "__main__":
    unittest.main()

"""Private networks: checked on the address really connected to; behind a proxy, by name."""
import unittest

from tests.integration import wire
from tests.integration.wire import answer, feed, redirect

SPELLINGS = ("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "LOCALHOST", "a.localhost")


class Case(wire.Case):
    def daemon(self, policy, more=""):
        return self.knsd(wire.FAST + "private_networks = %s\n%s" % (policy, more))


class Direct(Case):
    def test_a_private_address_that_the_url_names_is_allowed_in_every_spelling(self):
        origin = self.origin()
        origin.on("/feed", answer(200, feed(1)))
        for host in SPELLINGS:
            with self.subTest(host):
                self.assertIn(self.daemon("direct").add("http://%s:%d/feed" % (host, origin.port)).status, (200, 201))

    def test_a_redirect_into_another_private_address_is_refused(self):
        for location in ("http://127.0.0.2:%d/feed", "http://localhost:%d/feed", "http://[::1]:%d/feed", "http://0.0.0.0:%d/feed",
                         "http://[::ffff:127.0.0.1]:%d/feed"):
            with self.subTest(location):
                knsd, origin = self.daemon("direct"), self.origin()
                origin.on("/feed", answer(200, feed(1)))
                added = knsd.add(origin.on("/here", redirect(302, location % origin.port)))
                self.assertEqual(added.status, 422, added.body)
                self.assertIn("private", added.json["detail"])
                self.assertEqual(origin.asked("/feed"), [])

    def test_a_redirect_to_another_port_is_refused(self):
        knsd, here, there = self.daemon("direct"), self.origin(), self.origin()
        there.on("/feed", answer(200, feed(1)))
        added = knsd.add(here.on("/here", redirect(302, there.base + "/feed")))
        self.assertEqual(added.status, 422)
        self.assertEqual(there.asked(), [])

    def test_a_redirect_within_the_origin_is_allowed(self):
        knsd, origin = self.daemon("direct"), self.origin()
        origin.on("/there", answer(200, feed(1)))
        self.assertEqual(knsd.add(origin.on("/here", redirect(302, "/there"))).status, 201)

    def test_a_kept_connection_is_no_way_around(self):
        knsd, here, there = self.daemon("direct"), self.origin(), self.origin("127.0.0.1")
        self.subscribe(knsd, there.on("/own", answer(200, feed(1))))
        there.on("/secret", answer(200, feed("secret")))
        added = knsd.add(here.on("/here", redirect(302, there.base + "/secret")))
        self.assertEqual(added.status, 422)
        self.assertEqual(there.asked("/secret"), [])

    def test_a_refusal_later_is_shown_and_keeps_the_items(self):
        knsd, here, there = self.daemon("direct"), self.origin(), self.origin()
        feed_id = self.subscribe(knsd, here.on("/feed", answer(200, feed(1)), redirect(302, there.base + "/x")))
        self.poll(knsd, feed_id)
        shown = self.feed(knsd, feed_id)
        self.assertEqual((shown["state"], shown["health"]), ("failing", "refused"))
        self.assertEqual(self.titles(knsd), ["Article 1"])


class Never(Case):
    def test_no_private_address_is_asked_in_any_spelling(self):
        knsd, origin = self.daemon("never"), self.origin()
        for host in SPELLINGS:
            with self.subTest(host):
                added = knsd.add("http://%s:%d/feed" % (host, origin.port))
                self.assertEqual(added.status, 422, added.body)
                self.assertIn("private", added.json["detail"])
        self.assertEqual(origin.asked(), [])

    def test_no_ipv6_form_of_one_either(self):
        knsd, origin = self.daemon("never"), self.origin("::1")
        for host in ("[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::]"):
            with self.subTest(host):
                self.assertEqual(knsd.add("http://%s:%d/feed" % (host, origin.port)).status, 422)
        self.assertEqual(origin.asked(), [])

    def test_it_holds_after_a_reload_for_feeds_that_were_there(self):
        knsd, origin = self.daemon("direct"), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", answer(200, feed(1))))
        knsd.stop()
        knsd.configure(wire.FAST + "private_networks = never\n")
        knsd.start()
        self.poll(knsd, feed_id)
        self.assertEqual(self.feed(knsd, feed_id)["health"], "refused")
        self.assertEqual(len(origin.asked()), 1)


class Always(Case):
    def test_redirects_between_private_addresses_are_followed(self):
        knsd, here, there = self.daemon("always"), self.origin(), self.origin("127.0.0.2")
        there.on("/feed", answer(200, feed(1)))
        self.assertEqual(knsd.add(here.on("/here", redirect(302, there.base + "/feed"))).status, 201)


class Proxy(Case):
    def proxied(self, policy):
        proxy = self.origin()
        return self.daemon(policy, "proxy = %s\n" % proxy.base), proxy

    def test_everything_goes_through_the_proxy(self):
        knsd, proxy = self.proxied("direct")
        self.subscribe(knsd, proxy.on("http://feeds.example.org/feed", answer(200, feed(1))))
        self.assertEqual(proxy.asked()[0].target, "http://feeds.example.org/feed")

    def test_a_redirect_to_a_private_name_is_refused_behind_it(self):
        for target in ("http://127.0.0.1/feed", "http://localhost/feed", "http://10.1.2.3/feed", "http://[fd00::1]/feed", "http://169.254.169.254/latest"):
            with self.subTest(target):
                knsd, proxy = self.proxied("direct")
                proxy.on(target, answer(200, feed(1)))
                added = knsd.add(proxy.on("http://feeds.example.org/feed", redirect(302, target)))
                self.assertEqual(added.status, 422, added.body)
                self.assertEqual(proxy.asked(target), [])

    def test_never_refuses_a_name_whose_address_only_the_proxy_knows(self):
        knsd, proxy = self.proxied("never")
        added = knsd.add(proxy.on("http://feeds.example.org/feed", answer(200, feed(1))))
        self.assertEqual(added.status, 422)
        self.assertEqual(proxy.asked(), [])

    def test_never_allows_a_public_address_behind_it(self):
        knsd, proxy = self.proxied("never")
        self.assertEqual(knsd.add(proxy.on("http://93.184.216.34/feed", answer(200, feed(1)))).status, 201)

    def test_never_refuses_a_private_address_behind_it(self):
        knsd, proxy = self.proxied("never")
        self.assertEqual(knsd.add(proxy.on("http://192.168.0.1/feed", answer(200, feed(1)))).status, 422)
        self.assertEqual(proxy.asked(), [])

    def test_a_proxy_of_one_feed_is_that_feeds_alone(self):
        knsd, proxy, origin = self.daemon("direct"), self.origin(), self.origin()
        self.subscribe(knsd, proxy.on("http://feeds.example.org/feed", answer(200, feed(1))), access={"proxy": proxy.base})
        self.subscribe(knsd, origin.on("/feed", answer(200, feed(2))))
        self.assertEqual(len(proxy.asked()), 1)
        self.assertEqual(len(origin.asked()), 1)


if __name__ == "__main__":
    unittest.main()

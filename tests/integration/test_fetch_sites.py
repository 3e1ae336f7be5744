"""Sites, not host names: places, tokens, and what one feed was told holds for all of its site, over restarts too.

A loopback proxy stands for the whole Internet, so that hosts can have the names of real sites.
"""
import os
import shutil
import time
import unittest

from tests.integration import wire
from tests.integration.kns import opml, wait_until
from tests.integration.wire import answer, feed, hang


class Case(wire.Case):
    def internet(self, more="", **scripts):
        proxy = self.origin()
        return self.knsd(wire.FAST + "proxy = %s\n%s" % (proxy.base, more)), proxy

    def import_feeds(self, knsd, urls):
        self.assertEqual(knsd.api("POST", "/v1/opml", opml(urls)).status, 200)

    def hosts_asked(self, proxy):
        return [r["Host"] for r in proxy.asked()]


class Places(Case):
    def busiest(self, urls, per_host, answers):
        proxy = self.origin()
        for url in urls:
            proxy.on(url, answers)
        knsd = self.knsd(wire.FAST + "proxy = %s\nper_host = %d\n" % (proxy.base, per_host))
        self.import_feeds(knsd, urls)
        wait_until(lambda: len(proxy.asked()) >= len(urls), "all are asked")
        return proxy.most_busy

    def test_one_host_is_asked_by_as_many_at_once_as_configured(self):
        busy = self.busiest(["http://one.example.org/%d" % n for n in range(10)], 2, answer(200, feed(1), delay=0.1))
        self.assertEqual(busy["*"], 2)

    def test_two_hosts_of_one_registrable_domain_are_one_site(self):
        urls = ["http://%s.example.co.uk/%d" % (host, n) for host in ("a", "b", "c") for n in range(4)]
        self.assertEqual(self.busiest(urls, 2, answer(200, feed(1), delay=0.1))["*"], 2)

    def test_two_registrable_domains_are_two_sites(self):
        urls = ["http://%s.co.uk/%d" % (host, n) for host in ("a", "b", "c") for n in range(4)]
        self.assertEqual(self.busiest(urls, 1, answer(200, feed(1), delay=0.5))["*"], 3)

    def test_the_users_of_a_hosting_site_are_sites_of_their_own(self):
        urls = ["http://%s.github.io/feed" % user for user in ("ann", "bob", "eve")]
        self.assertEqual(self.busiest(urls, 1, answer(200, feed(1), delay=0.8))["*"], 3)

    def test_a_feed_that_waits_for_its_site_begins_when_a_place_is_left(self):
        started = time.monotonic()
        self.busiest(["http://one.example.org/%d" % n for n in range(19)], 2, answer(200, feed(1)))
        self.assertLess(time.monotonic() - started, 4)

    def test_names_of_one_address_share_its_places(self):
        origin = self.origin()
        knsd = self.knsd(wire.FAST + "per_host = 2\n")
        urls = ["http://%s.localhost:%d/%d" % (name, origin.port, n) for name in "abcdef" for n in range(2)]
        for n in range(2):
            origin.on("/%d" % n, answer(200, feed(1), delay=0.1))
        for url in urls:
            self.subscribe(knsd, url)
        self.poll(knsd)  # now it is known where they are
        with origin.lock:
            origin.most_busy.clear()
        self.poll(knsd)
        self.assertLessEqual(origin.most_busy["*"], 2)


class Tokens(Case):
    def test_a_burst_of_feeds_of_one_site_becomes_a_trickle(self):
        knsd, proxy = self.internet("per_host = 8\n")
        urls = ["http://%d.example.org/feed" % n for n in range(60)]
        for url in urls:
            proxy.on(url, answer(200, feed(1)))
        self.import_feeds(knsd, urls)
        wait_until(lambda: len(proxy.asked()) >= 20, "the burst")
        time.sleep(4)
        self.assertLess(len(proxy.asked()), 30)

    def test_the_bucket_is_remembered_over_a_restart(self):
        knsd, proxy = self.internet("per_host = 8\n")
        urls = ["http://%d.example.org/feed" % n for n in range(60)]
        for url in urls:
            proxy.on(url, answer(200, feed(1)))
        self.import_feeds(knsd, urls)
        wait_until(lambda: len(proxy.asked()) >= 20, "the burst")
        knsd.stop()
        knsd.start()
        time.sleep(3)
        self.assertLess(len(proxy.asked()), 30)

    def test_a_server_on_this_machine_is_not_rationed(self):
        knsd, origin = self.knsd(wire.FAST), self.origin()
        urls = [origin.on("/%d" % n, answer(200, feed(n))) for n in range(100)]
        self.import_feeds(knsd, urls)
        wait_until(lambda: len(origin.asked()) >= 100, "all are asked", 10)


class Told(Case):
    """One feed is refused; the others of its site wait."""

    def told(self, refusal, count=1):
        knsd, proxy = self.internet()
        others = ["http://b.example.org/%d" % n for n in range(3)]
        refused = ["http://a.example.org/%d" % n for n in range(count)]
        foreign = proxy.on("http://other.example.net/feed", answer(200, feed("f")))
        ids = {}
        for url in refused:
            ids[url] = self.subscribe(knsd, proxy.on(url, answer(200, feed(1)), refusal))
        for url in others + [foreign]:
            ids[url] = self.subscribe(knsd, proxy.on(url, answer(200, feed(1))))
        for url in refused:
            self.poll(knsd, ids[url])
        proxy.forget()
        return knsd, proxy, ids[others[0]], ids[foreign]

    def assert_silent(self, knsd, proxy, other, foreign):
        said = self.poll(knsd, other, force=False)
        self.assertTrue(said["skipped"], said)
        self.assertEqual(self.hosts_asked(proxy), [])
        self.assertFalse(self.poll(knsd, foreign, force=False)["skipped"])
        self.assertEqual(self.hosts_asked(proxy), ["other.example.net"])

    def test_a_429_with_retry_after_silences_the_site(self):
        self.assert_silent(*self.told(answer(429, "", Retry_After="600")))

    def test_a_429_that_names_no_time_silences_the_site(self):
        self.assert_silent(*self.told(answer(429, "")))

    def test_a_503_with_retry_after_silences_the_site(self):
        self.assert_silent(*self.told(answer(503, "", Retry_After="600")))

    def test_a_burst_of_403_silences_the_site(self):
        self.assert_silent(*self.told(answer(403, ""), count=3))

    def test_one_403_does_not(self):
        knsd, proxy, other, _ = self.told(answer(403, ""))
        self.assertFalse(self.poll(knsd, other, force=False)["skipped"])

    def test_force_overrides(self):
        knsd, _, other, _ = self.told(answer(429, "", Retry_After="600"))
        self.assertFalse(self.poll(knsd, other, force=True)["skipped"])

    def test_it_holds_over_a_restart(self):
        knsd, proxy, other, foreign = self.told(answer(429, "", Retry_After="600"))
        knsd.stop()
        knsd.start()
        self.assert_silent(knsd, proxy, other, foreign)

    def test_it_holds_over_a_kill(self):
        knsd, proxy, other, foreign = self.told(answer(429, "", Retry_After="600"))
        knsd.get("/v1/feeds")
        time.sleep(0.5)
        knsd.kill()
        knsd.start()
        self.assert_silent(knsd, proxy, other, foreign)

    def test_subscribing_to_another_feed_of_the_site_waits_too(self):
        knsd, proxy, _, _ = self.told(answer(429, "", Retry_After="600"))
        added = knsd.add(proxy.on("http://c.example.org/new", answer(200, feed(9))))
        self.assertIn(added.status, (422, 503), added.body)
        self.assertIn("--force", added.json["detail"])
        self.assertEqual(proxy.asked("http://c.example.org/new"), [])

    def test_when_the_time_has_passed_they_come_one_by_one(self):
        knsd, proxy, other, _ = self.told(answer(429, "", Retry_After="2"))
        time.sleep(2.2)
        self.assertFalse(self.poll(knsd, other, force=False)["skipped"])


class Many(Case):
    def test_a_fifth_of_failing_hosts_does_not_slow_down_the_rest(self):
        def run(with_bad):
            proxy = self.origin()
            good = ["http://good%d.example/%d" % (h, n) for h in range(40) for n in range(5)]
            bad = ["http://bad%d.example/%d" % (h, n) for h in range(10) for n in range(5)] if with_bad else []
            scripts = [hang, answer(500), answer(403), answer(200, "<html></html>"), lambda c, r: c.reset()]
            for number, url in enumerate(bad):
                proxy.on(url, scripts[number % 5])
            for url in good:
                proxy.on(url, answer(200, feed(1), delay=0.02))
            knsd = self.knsd(wire.FAST + "proxy = %s\ntimeout = 8s\n" % proxy.base)
            started = time.monotonic()
            self.import_feeds(knsd, bad + good)
            wanted = set(good)
            wait_until(lambda: wanted <= {r.target for r in proxy.asked()}, "the good feeds are asked")
            seconds = time.monotonic() - started
            knsd.kill()
            return seconds

        run(False)
        without, with_bad = run(False), run(True)
        self.assertLess(with_bad, without * 1.5 + 0.5, "%.2f s beside %.2f s" % (with_bad, without))


if __name__ == "__main__":
    unittest.main()

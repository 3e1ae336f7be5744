"""When a feed is asked again: the configuration, the feed, the server, and the feed's own rhythm; with a clock that the tests set."""
import datetime
import email.utils
import os
import shutil
import tempfile
import time
import unittest

from tests.integration import kns, wire
from tests.integration.kns import wait_until
from tests.integration.wire import answer, feed

HOUR, DAY = 3600, 86400
LIBRARY = "/usr/lib/%s-linux-gnu/faketime/libfaketime.so.1" % os.uname().machine


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def http_date(at):
    return email.utils.formatdate(at, usegmt=True)


def dated(*ages_in_hours, ttl="", more=""):
    """A feed whose entries are so old."""
    now = time.time()
    items = "".join("<item><title>%s</title><link>https://example.org/%s</link><pubDate>%s</pubDate></item>"
                    % (age, age, http_date(now - age * HOUR)) for age in ages_in_hours)
    return ("<rss version='2.0' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'><channel><title>T</title>%s%s%s</channel></rss>"
            % ("<ttl>%s</ttl>" % ttl if ttl else "", more, items))


class Case(wire.Case):
    def wait_after(self, *scripts, config="", every=None):
        """Seconds from the last of these answers to the next poll as announced, and the feed as shown."""
        knsd, origin = self.knsd("[poll]\n" + config), self.origin()
        more = {"every": every} if every else {}
        feed_id = self.subscribe(knsd, origin.on("/feed", *scripts), **more)
        for _ in scripts[1:]:
            self.poll(knsd, feed_id)
        shown = self.feed(knsd, feed_id)
        return seconds(shown["next_poll_at"]) - seconds(shown["last_poll_at"]), shown

    def assert_wait(self, wait, wanted, slack=0.11):
        """Never sooner, and later by the jitter at most."""
        self.assertGreaterEqual(wait, wanted - 2)
        self.assertLessEqual(wait, wanted * (1 + slack) + 2)


class Asked(Case):
    def test_without_any_word_the_configured_interval_holds(self):
        wait, shown = self.wait_after(answer(200, dated()))
        self.assert_wait(wait, HOUR)
        self.assertIn("configured", shown["next_poll_reason"])

    def test_the_users_interval_for_a_feed_holds(self):
        wait, shown = self.wait_after(answer(200, dated()), every="30m")
        self.assert_wait(wait, 1800)
        self.assertIn("this feed", shown["next_poll_reason"])

    def test_the_users_interval_may_be_shorter_than_the_shortest(self):
        wait, _ = self.wait_after(answer(200, dated()), every="5m")
        self.assert_wait(wait, 300)

    def test_max_age_is_heeded_on_a_200(self):
        wait, shown = self.wait_after(answer(200, dated(), Cache_Control="public, max-age=10800"))
        self.assert_wait(wait, 3 * HOUR)
        self.assertIn("fresh", shown["next_poll_reason"])

    def test_max_age_is_heeded_on_a_304(self):
        wait, _ = self.wait_after(answer(200, dated(), ETag='"1"'), answer(304, Cache_Control="max-age=10800"))
        self.assert_wait(wait, 3 * HOUR)

    def test_age_counts_against_max_age(self):
        wait, _ = self.wait_after(answer(200, dated(), Cache_Control="max-age=10800", Age="3600"))
        self.assert_wait(wait, 2 * HOUR)

    def test_expires_is_heeded(self):
        now = time.time()
        wait, _ = self.wait_after(answer(200, dated(), Date=http_date(now), Expires=http_date(now + 3 * HOUR)))
        self.assert_wait(wait, 3 * HOUR)

    def test_max_age_outweighs_expires(self):
        now = time.time()
        wait, _ = self.wait_after(answer(200, dated(), Date=http_date(now), Expires=http_date(now + 9 * HOUR), Cache_Control="max-age=7200"))
        self.assert_wait(wait, 2 * HOUR)

    def test_an_expires_that_is_no_date_asks_for_nothing(self):
        wait, _ = self.wait_after(answer(200, dated(), Expires="0"))
        self.assert_wait(wait, HOUR)

    def test_ttl_is_heeded(self):
        wait, shown = self.wait_after(answer(200, dated(ttl="180")))
        self.assert_wait(wait, 3 * HOUR)
        self.assertIn("ttl", shown["next_poll_reason"])

    def test_ttl_is_heeded_after_a_304_too(self):
        wait, _ = self.wait_after(answer(200, dated(ttl="180"), ETag='"1"'), answer(304))
        self.assert_wait(wait, 3 * HOUR)

    def test_the_syndication_module_is_heeded(self):
        wait, _ = self.wait_after(answer(200, dated(more="<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>")))
        self.assert_wait(wait, 6 * HOUR)

    def test_the_longest_wait_asked_for_wins(self):
        wait, _ = self.wait_after(answer(200, dated(ttl="120"), Cache_Control="max-age=10800"))
        self.assert_wait(wait, 3 * HOUR)

    def test_no_hint_makes_it_faster_than_the_shortest_interval(self):
        wait, _ = self.wait_after(answer(200, dated(0.1, 0.2, 0.3, 0.4, 1.2)), config="min_interval = 40m\n")
        self.assert_wait(wait, 2400)

    def test_absurd_wishes_end_at_the_longest_interval(self):
        for script in (answer(200, dated(ttl="99999999")), answer(200, dated(), Cache_Control="max-age=99999999999"),
                       answer(200, dated(more="<sy:updatePeriod>yearly</sy:updatePeriod>"))):
            wait, _ = self.wait_after(script, config="max_interval = 12h\n")
            self.assertLessEqual(wait, 12 * HOUR + 2)
            self.assertGreaterEqual(wait, 12 * HOUR * 0.89)

    def test_nonsense_in_the_hints_asks_for_nothing(self):
        for script in (answer(200, dated(ttl="-5")), answer(200, dated(ttl="soon")), answer(200, dated(), Cache_Control="max-age=-1"),
                       answer(200, dated(), Cache_Control="max-age=x, no-store"), answer(200, dated(), Expires="gestern")):
            wait, _ = self.wait_after(script)
            self.assert_wait(wait, HOUR)


class Rhythm(Case):
    def test_a_post_an_hour_is_asked_for_more_than_hourly(self):
        wait, shown = self.wait_after(answer(200, dated(*range(1, 30))))
        self.assertLess(wait, HOUR)
        self.assertIn("rhythm", shown["next_poll_reason"])

    def test_a_post_a_month_is_not_asked_for_hourly(self):
        wait, _ = self.wait_after(answer(200, dated(*[n * 30 * 24 for n in range(1, 6)])))
        self.assertGreater(wait, 12 * HOUR)

    def test_jitter_keeps_feeds_from_coming_together(self):
        knsd, origin = self.knsd(), self.origin()
        waits = set()
        for n in range(12):
            feed_id = self.subscribe(knsd, origin.on("/%d" % n, answer(200, dated())))
            waits.add(seconds(self.feed(knsd, feed_id)["next_poll_at"]) // 10)
        self.assertGreater(len(waits), 4)


class Failures(Case):
    def waits(self, script, count):
        knsd, origin = self.knsd("[poll]\n"), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", answer(200, dated()), script))
        waits = []
        for _ in range(count):
            self.poll(knsd, feed_id)
            shown = self.feed(knsd, feed_id)
            waits.append(seconds(shown["next_poll_at"]) - seconds(shown["last_poll_at"]))
        return waits

    def test_each_failure_waits_longer_up_to_a_limit(self):
        for script in (answer(404), answer(500), answer(403), answer(200, "<html></html>")):
            waits = self.waits(script, 7)
            for number, wait in enumerate(waits):
                if 2 ** (number + 1) * HOUR < DAY:
                    self.assert_wait(wait, 2 ** (number + 1) * HOUR, slack=0.26)
                else:
                    self.assertTrue(0.9 * DAY - 2 <= wait <= DAY, wait)

    def test_recovery_is_at_once(self):
        wait, _ = self.wait_after(answer(200, dated()), answer(500), answer(500), answer(500), answer(200, dated(5)))
        self.assert_wait(wait, HOUR)

    def test_feeds_that_failed_together_do_not_return_together(self):
        knsd, origin = self.knsd(), self.origin()
        ids = [self.subscribe(knsd, origin.on("/%d" % n, answer(200, dated()), answer(500))) for n in range(12)]
        self.poll(knsd)
        self.assertGreater(len({seconds(self.feed(knsd, i)["next_poll_at"]) // 60 for i in ids}), 5)

    def test_a_slow_feed_is_not_asked_sooner_after_a_failure_than_after_a_success(self):
        wait, _ = self.wait_after(answer(200, dated(*[n * 30 * 24 for n in range(1, 6)])), answer(500))
        self.assertGreaterEqual(wait, 0.9 * DAY - 2)

    def test_retry_after_in_seconds(self):
        for status in (429, 503):
            wait, shown = self.wait_after(answer(200, dated()), answer(status, "", Retry_After="36000"))
            self.assert_wait(wait, 36000, slack=0.11)
            self.assertIn("Retry-After", shown["next_poll_reason"])

    def test_retry_after_as_a_date(self):
        wait, _ = self.wait_after(answer(200, dated()), answer(429, "", Retry_After=http_date(time.time() + 36000)))
        self.assert_wait(wait, 36000)

    def test_retry_after_reaches_beyond_the_longest_interval(self):
        wait, _ = self.wait_after(answer(200, dated()), answer(503, "", Retry_After=str(7 * DAY)))
        self.assert_wait(wait, 7 * DAY)

    def test_retry_after_ends_at_thirty_days(self):
        wait, _ = self.wait_after(answer(200, dated()), answer(503, "", Retry_After="99999999999"))
        self.assert_wait(wait, 30 * DAY)

    def test_retry_after_that_is_nonsense_is_a_plain_failure(self):
        for value in ("soon", "-5", ""):
            wait, _ = self.wait_after(answer(200, dated()), answer(429, "", Retry_After=value))
            self.assert_wait(wait, 2 * HOUR, slack=0.26)

    def test_a_429_that_names_no_time_slows_down(self):
        wait, shown = self.wait_after(answer(200, dated()), answer(429, ""))
        self.assert_wait(wait, 2 * HOUR, slack=0.26)
        self.assertIn("slower", shown["next_poll_reason"])

    def test_the_wait_outlives_a_restart(self):
        knsd, origin = self.knsd("[poll]\n"), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", answer(200, dated()), answer(429, "", Retry_After="36000")))
        self.poll(knsd, feed_id)
        before = self.feed(knsd, feed_id)["next_poll_at"]
        knsd.kill()
        knsd.start()
        self.assertEqual(self.feed(knsd, feed_id)["next_poll_at"], before)
        self.assertTrue(self.poll(knsd, feed_id, force=False)["skipped"])


@unittest.skipUnless(os.path.exists(LIBRARY) and "san" not in kns.BUILD, "libfaketime is missing, or a sanitizer is in its way")
class Clock(Case):
    """knsd under a clock that is set while it runs."""

    def daemon(self, config="[poll]\n"):
        folder = tempfile.mkdtemp(prefix="kns-clock-")
        self.addCleanup(shutil.rmtree, folder, True)
        self.clock = os.path.join(folder, "clock")
        self.set_clock(0)
        environment = {"LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": self.clock, "FAKETIME_CACHE_DURATION": "1",
                       "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
        for name, value in environment.items():
            before = os.environ.get(name)
            os.environ[name] = value
            self.addCleanup(os.environ.__setitem__ if before else lambda n, _: os.environ.pop(n, None), name, before)
        self.addCleanup(self.restore)
        knsd = self.knsd(config)
        self.restore()
        return knsd

    def restore(self):
        for name in ("LD_PRELOAD", "FAKETIME_TIMESTAMP_FILE", "FAKETIME_CACHE_DURATION", "FAKETIME_DONT_FAKE_MONOTONIC",
                     "DONT_FAKE_MONOTONIC", "FAKETIME_NO_CACHE"):
            os.environ.pop(name, None)

    def set_clock(self, offset):
        with open(self.clock + ".new", "w", encoding="ascii") as f:
            f.write("%+d\n" % offset)
        os.rename(self.clock + ".new", self.clock)

    def test_a_feed_is_polled_when_its_hour_comes(self):
        knsd, origin = self.daemon(), self.origin()
        self.subscribe(knsd, origin.on("/feed", answer(200, dated())))
        self.set_clock(HOUR - 60)
        knsd.api("POST", "/v1/refresh", [])
        time.sleep(1)
        self.assertEqual(len(origin.asked()), 1)
        self.set_clock(HOUR + 600)
        wait_until(lambda: len(origin.asked()) == 2, "the second poll", 40)

    def test_a_permanent_redirect_to_another_feed_is_believed_after_three_polls_on_two_days(self):
        knsd, origin = self.daemon(), self.origin()
        origin.on("/new", answer(200, feed(7, 8)))
        feed_id = self.subscribe(knsd, origin.on("/old", answer(200, feed(1)), wire.redirect(301, "/new")))
        for offset, path in ((0, "/old"), (13 * HOUR, "/old"), (25 * HOUR, "/new")):
            self.set_clock(offset)
            self.poll(knsd, feed_id)
            self.assertEqual(self.feed(knsd, feed_id)["url"], origin.base + path)
        self.assertEqual(self.feed(knsd, feed_id)["moved_from"], [origin.base + "/old"])

    def test_a_clock_set_back_delays_nothing(self):
        knsd, origin = self.daemon("[poll]\nmin_interval = 8s\ninterval = 8s\n"), self.origin()
        self.subscribe(knsd, origin.on("/feed", answer(200, dated())))
        self.set_clock(-DAY)
        wait_until(lambda: len(origin.asked()) >= 3, "polls go on", 60)

    def test_a_clock_set_forward_is_no_storm(self):
        knsd, origin = self.daemon("[poll]\nper_host = 64\n"), self.origin()
        for n in range(300):
            origin.on("/%d" % n, answer(200, dated()))
        self.assertEqual(knsd.api("POST", "/v1/opml", kns.opml([origin.base + "/%d" % n for n in range(300)])).status, 200)
        wait_until(lambda: len(origin.asked()) >= 300, "the first polls")
        origin.forget()
        self.set_clock(2 * HOUR)
        wait_until(lambda: len(origin.asked()) >= 300, "all are polled", 60)
        at = sorted(r.at for r in origin.asked())
        self.assertGreater(at[-1] - at[0], 0.8, "spread over more than a second")


class SkippedHours(Case):
    def test_hours_that_the_feed_wants_skipped_are_skipped(self):
        hours = "".join("<hour>%d</hour>" % h for h in range(24) if h != 5)
        _, shown = self.wait_after(answer(200, dated(more="<skipHours>%s</skipHours>" % hours)))
        self.assertEqual(datetime.datetime.fromisoformat(shown["next_poll_at"].replace("Z", "+00:00")).hour, 5)

    def test_days_that_the_feed_wants_skipped_are_skipped_after_a_304_too(self):
        days = "".join("<day>%s</day>" % d for d in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"))
        body = dated(more="<skipDays>%s</skipDays>" % days)
        _, shown = self.wait_after(answer(200, body, ETag='"1"'), answer(304))
        self.assertEqual(datetime.datetime.fromisoformat(shown["next_poll_at"].replace("Z", "+00:00")).weekday(), 6)

    def test_a_feed_that_wants_every_hour_skipped_is_polled_all_the_same(self):
        hours = "".join("<hour>%d</hour>" % h for h in range(24))
        wait, _ = self.wait_after(answer(200, dated(more="<skipHours>%s</skipHours>" % hours)))
        self.assertLess(wait, 2 * DAY)


if __name__ == "__main__":
    unittest.main()

"""What an answer means for a feed: status codes, walls, pages that are no feeds, and how each is shown."""
import unittest

from tests.integration import wire
from tests.integration.wire import answer, feed

CHALLENGE = ("<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><script src='/cdn-cgi/challenge-platform/h/b/orchestrate'>"
             "</script></body></html>")


class Case(wire.Case):
    def after(self, *scripts):
        """The feed as shown after a good first poll and these."""
        self.knsd_, self.origin_ = self.knsd(), self.origin()
        feed_id = self.subscribe(self.knsd_, self.origin_.on("/feed", answer(200, feed(1), ETag='"1"'), *scripts))
        for _ in scripts:
            self.poll(self.knsd_, feed_id)
        return self.feed(self.knsd_, feed_id)


class Statuses(Case):
    def test_410_ends_the_polling(self):
        shown = self.after(answer(410, "gone"))
        self.assertEqual((shown["state"], shown["health"]), ("gone", "gone"))
        self.assertNotIn("next_poll_at", {k: v for k, v in shown.items() if v})
        before = len(self.origin_.asked())
        self.poll_all()
        self.assertEqual(len(self.origin_.asked()), before, "a refresh of all leaves it alone")

    def poll_all(self):
        self.knsd_.api("POST", "/v1/refresh?wait=1&force=1")

    def test_a_gone_feed_keeps_its_items_and_can_be_resumed(self):
        shown = self.after(answer(410, "gone"), answer(200, feed(1, 2)))
        self.assertEqual(self.titles(self.knsd_), ["Article 1", "Article 2"], "asked for by hand it is polled")
        self.assertEqual(shown["state"], "active")

    def test_404_is_a_failure_that_is_shown(self):
        shown = self.after(answer(404, "no"))
        self.assertEqual((shown["state"], shown["health"], shown["last_status"]), ("failing", "failing", 404))
        self.assertIn("404", shown["last_error"])

    def test_server_errors_are_failures(self):
        for status in (500, 502, 503, 504, 520):
            with self.subTest(status):
                shown = self.after(answer(status, "oops"))
                self.assertEqual((shown["state"], shown["last_status"]), ("failing", status))

    def test_401_and_403_are_refusals(self):
        for status in (401, 403):
            with self.subTest(status):
                shown = self.after(answer(status, "no"))
                self.assertEqual((shown["state"], shown["health"]), ("failing", "refused"))

    def test_429_is_throttling(self):
        shown = self.after(answer(429, "slow down", Retry_After="60"))
        self.assertEqual((shown["state"], shown["health"]), ("failing", "throttled"))

    def test_503_with_retry_after_is_throttling_without_it_a_failure(self):
        self.assertEqual(self.after(answer(503, "later", Retry_After="60"))["health"], "throttled")
        self.assertEqual(self.after(answer(503, "broken"))["health"], "failing")

    def test_failures_are_counted_and_forgotten_at_once(self):
        shown = self.after(answer(500), answer(500), answer(500))
        self.assertEqual(shown["consecutive_failures"], 3)
        shown = self.after(answer(500), answer(500), answer(200, feed(1)))
        self.assertEqual((shown["consecutive_failures"], shown["state"], shown.get("last_error")), (0, "active", None))

    def test_the_count_of_failures_outlives_a_restart(self):
        shown = self.after(answer(500), answer(500))
        self.knsd_.stop()
        self.knsd_.start()
        self.poll(self.knsd_, shown["id"])
        self.assertEqual(self.feed(self.knsd_, shown["id"])["consecutive_failures"], 3)

    def test_a_failure_touches_no_item(self):
        for script in (answer(500), answer(404), answer(410), answer(200, "<html></html>"), answer(200, "")):
            self.after(script)
            self.assertEqual(self.titles(self.knsd_), ["Article 1"])

    def test_a_204_and_an_empty_200_are_failures(self):
        for script in (answer(204), answer(200, "")):
            self.assertEqual(self.after(script)["state"], "failing")

    def test_a_206_that_nobody_asked_for_keeps_entries_and_no_validators(self):
        self.after(answer(206, feed(1, 2), ETag='"part"'), answer(200, feed(1, 2)))
        self.assertEqual(self.titles(self.knsd_), ["Article 1", "Article 2"])
        self.assertIsNone(self.origin_.asked()[2]["If-None-Match"])

    def test_interim_answers_are_skipped_however_many(self):
        def early(connection, request):
            for _ in range(20):
                connection.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nETag: \"hint\"\r\n\r\n")
            answer(200, feed(1, 2), ETag='"real"')(connection, request)

        self.after(early, answer(304))
        self.assertEqual(self.titles(self.knsd_), ["Article 1", "Article 2"])
        self.assertEqual(self.origin_.asked()[2]["If-None-Match"], '"real"')


class Pages(Case):
    def test_a_page_instead_of_the_feed_is_no_feed_any_more(self):
        shown = self.after(answer(200, "<!DOCTYPE html><html><head><title>Parked</title></head><body>Buy this domain</body></html>"))
        self.assertEqual((shown["state"], shown["health"]), ("failing", "not-a-feed"))

    def test_xml_that_is_no_feed_is_told_by_its_root(self):
        self.assertIn("sitemap", self.after(answer(200, "<?xml version='1.0'?><sitemapindex/>"))["last_error"])

    def test_a_feed_is_a_feed_whatever_its_content_type(self):
        for kind in ("text/html", "text/plain", "application/octet-stream", "image/png", ""):
            with self.subTest(kind):
                self.after(answer(200, feed(1, 2), Content_Type=kind))
                self.assertEqual(self.titles(self.knsd_), ["Article 1", "Article 2"])

    def test_a_page_is_no_feed_whatever_its_content_type(self):
        shown = self.after(answer(200, "<html><body>no</body></html>", Content_Type="application/rss+xml"))
        self.assertEqual(shown["health"], "not-a-feed")

    def test_a_challenge_is_a_refusal_with_every_status(self):
        for status in (200, 403, 503):
            with self.subTest(status):
                shown = self.after(answer(status, CHALLENGE))
                self.assertEqual(shown["health"], "refused")
                self.assertIn("bot wall", shown["last_error"])

    def test_a_challenge_is_told_by_its_header(self):
        shown = self.after(answer(403, "nothing to see", cf_mitigated="challenge"))
        self.assertIn("bot wall", shown["last_error"])

    def test_an_article_about_captchas_is_no_bot_wall(self):
        body = feed(1).replace("Text 1", "How g-recaptcha and cf-turnstile work. Just a moment...")
        self.assertEqual(self.after(answer(200, body))["health"], "ok")

    def test_it_recovers_at_once(self):
        shown = self.after(answer(200, CHALLENGE), answer(200, feed(1, 2)))
        self.assertEqual((shown["state"], shown["health"]), ("active", "ok"))


class Shown(Case):
    def test_the_polls_of_a_feed_tell_time_status_bytes_and_what_was_new(self):
        shown = self.after(answer(500), answer(200, feed(1, 2)))
        polls = self.knsd_.get("/v1/feeds/%d/polls" % shown["id"])["polls"]
        self.assertEqual([p.get("status") for p in polls], [200, 500, 200])
        self.assertEqual([p["new_items"] for p in polls], [1, 0, 1])
        self.assertGreater(polls[0]["bytes"], 100)
        self.assertTrue(all(p["next_poll_reason"] for p in polls))

    def test_beginning_to_fail_and_recovering_and_the_end_are_events(self):
        self.after(answer(500), answer(500), answer(200, feed(1)), answer(410))
        stream = self.knsd_.connect()
        self.addCleanup(stream.close)
        stream.sendall(b"GET /v1/events?since=0&kinds=feed HTTP/1.1\r\nHost: kns\r\n\r\n")
        said = b""
        while b'"event":"gone"' not in said.replace(b" ", b""):
            got = stream.recv(4096)
            self.assertTrue(got, said)
            said += got
        said = said.replace(b" ", b"")
        self.assertEqual([said.count(b'"event":"%s"' % word) for word in (b"failing", b"recovered", b"gone")], [1, 1, 1], said)


    def test_metrics_count_polls_by_outcome(self):
        self.after(answer(500), answer(304), answer(429))
        metrics = self.knsd_.api("GET", "/metrics").body.decode()
        for outcome in ("error", "unchanged", "throttled"):
            self.assertRegex(metrics, r'kns_polls_total{outcome="%s"} 1\n' % outcome)

    def test_a_feed_that_fell_silent_is_late_not_failing(self):
        old = "".join("<item><title>%d</title><link>https://example.org/%d</link><pubDate>%02d Jan 2026 08:00:00 GMT</pubDate></item>"
                      % (n, n, n) for n in range(1, 29))
        body = "<rss version='2.0'><channel><title>T</title>%s</channel></rss>" % old
        shown = self.after(answer(200, body))
        self.assertEqual((shown["state"], shown["health"]), ("active", "late"))


if __name__ == "__main__":
    unittest.main()

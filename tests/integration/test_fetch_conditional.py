"""Conditional requests (RFC 9110 13, RFC 9111 4.3): what a publisher gave comes back byte for byte, and vouches for what is stored."""
import unittest

from tests.integration import wire
from tests.integration.wire import answer, feed, redirect, validated

ODD_DATES = ("Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Tue, 06 Nov 1994 08:49:37 +0100", "yesterday")
ODD_TAGS = ('"a b,c"', 'W/"weak"', "unquoted", '"\'<>&%20"', '""')


class Validators(wire.Case):
    def polled_twice(self, *scripts):
        """Subscribes (the first answer) and polls (the others); the knsd, the origin, the feed's id."""
        knsd, origin = self.knsd(), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", *scripts))
        for _ in scripts[1:] or (1,):
            self.poll(knsd, feed_id)
        return knsd, origin, feed_id

    def test_an_etag_comes_back_on_the_second_poll(self):
        _, origin, _ = self.polled_twice(answer(200, feed(1), ETag='"one"'))
        first, second = origin.asked()
        self.assertIsNone(first["If-None-Match"])
        self.assertEqual(second["If-None-Match"], '"one"')

    def test_last_modified_comes_back_on_the_second_poll(self):
        _, origin, _ = self.polled_twice(answer(200, feed(1), Last_Modified="Mon, 02 Nov 2026 08:00:00 GMT"))
        self.assertEqual(origin.asked()[1]["If-Modified-Since"], "Mon, 02 Nov 2026 08:00:00 GMT")

    def test_both_come_back_as_one_set(self):
        _, origin, _ = self.polled_twice(answer(200, feed(1), ETag='"x"', Last_Modified="Mon, 02 Nov 2026 08:00:00 GMT"))
        second = origin.asked()[1]
        self.assertEqual((second["If-None-Match"], second["If-Modified-Since"]), ('"x"', "Mon, 02 Nov 2026 08:00:00 GMT"))

    def test_dates_in_forms_of_their_own_come_back_unchanged(self):
        for date in ODD_DATES:
            with self.subTest(date):
                _, origin, _ = self.polled_twice(answer(200, feed(1), Last_Modified=date))
                self.assertEqual(origin.asked()[1]["If-Modified-Since"], date)

    def test_entity_tags_in_forms_of_their_own_come_back_unchanged(self):
        for tag in ODD_TAGS:
            with self.subTest(tag):
                _, origin, _ = self.polled_twice(answer(200, feed(1), ETag=tag))
                self.assertEqual(origin.asked()[1]["If-None-Match"], tag)

    def test_nothing_is_invented_for_who_gave_nothing(self):
        _, origin, _ = self.polled_twice(answer(200, feed(1), Date="Mon, 02 Nov 2026 08:00:00 GMT"))
        second = origin.asked()[1]
        self.assertIsNone(second["If-None-Match"])
        self.assertIsNone(second["If-Modified-Since"])

    def test_they_are_kept_over_a_restart(self):
        knsd, origin = self.knsd(), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", validated(feed(1), ETag='"kept"')))
        knsd.stop()
        knsd.start()
        self.assertEqual(self.poll(knsd, feed_id)["status"], 304)
        self.assertEqual(origin.asked()[1]["If-None-Match"], '"kept"')

    def test_they_are_kept_over_a_kill(self):
        knsd, origin = self.knsd(), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", validated(feed(1), ETag='"kept"')))
        knsd.kill()
        knsd.start()
        self.assertEqual(self.poll(knsd, feed_id)["status"], 304)

    def test_a_304_that_brings_new_ones_replaces_them(self):
        _, origin, _ = self.polled_twice(answer(200, feed(1), ETag='"1"'), answer(304, ETag='"2"'), answer(304))
        self.assertEqual([r["If-None-Match"] for r in origin.asked()], [None, '"1"', '"2"'])

    def test_a_304_that_brings_none_keeps_them(self):
        _, origin, _ = self.polled_twice(answer(200, feed(1), ETag='"1"'), answer(304), answer(304))
        self.assertEqual([r["If-None-Match"] for r in origin.asked()], [None, '"1"', '"1"'])

    def test_a_200_that_brings_none_drops_them(self):
        _, origin, _ = self.polled_twice(answer(200, feed(1), ETag='"1"'), answer(200, feed(1, 2)), answer(200, feed(1, 2)))
        self.assertIsNone(origin.asked()[2]["If-None-Match"])

    def test_a_200_with_one_of_them_drops_the_other(self):
        _, origin, _ = self.polled_twice(answer(200, feed(1), ETag='"1"', Last_Modified="Mon, 02 Nov 2026 08:00:00 GMT"),
                                         answer(200, feed(1, 2), ETag='"2"'), answer(304))
        third = origin.asked()[2]
        self.assertEqual((third["If-None-Match"], third["If-Modified-Since"]), ('"2"', None))

    def test_a_changed_etag_with_an_unchanged_date_is_news(self):
        date = "Mon, 02 Nov 2026 08:00:00 GMT"
        knsd, _, _ = self.polled_twice(answer(200, feed(1), ETag='"1"', Last_Modified=date),
                                       answer(200, feed(1, 2), ETag='"2"', Last_Modified=date))
        self.assertEqual(self.titles(knsd), ["Article 1", "Article 2"])

    def test_an_older_last_modified_does_not_hide_what_is_new(self):
        knsd, _, _ = self.polled_twice(answer(200, feed(1), Last_Modified="Mon, 02 Nov 2026 08:00:00 GMT"),
                                       answer(200, feed(1, 2), Last_Modified="Sun, 01 Nov 2026 08:00:00 GMT"))
        self.assertEqual(self.titles(knsd), ["Article 1", "Article 2"])

    def test_an_error_in_between_does_not_lose_them(self):
        for status in (429, 500, 503, 403, 404):
            with self.subTest(status):
                _, origin, _ = self.polled_twice(answer(200, feed(1), ETag='"1"'), answer(status, "no", ETag='"error"'), answer(304))
                self.assertEqual(origin.asked()[2]["If-None-Match"], '"1"')

    def test_a_page_that_is_no_feed_does_not_replace_them(self):
        _, origin, _ = self.polled_twice(answer(200, feed(1), ETag='"1"'), answer(200, "<html><body>maintenance</body></html>", ETag='"m"'),
                                         answer(304))
        self.assertEqual(origin.asked()[2]["If-None-Match"], '"1"')

    def test_those_of_a_document_cut_short_are_not_kept(self):
        whole = feed(1, 2)
        knsd, origin, _ = self.polled_twice(answer(200, feed(1), ETag='"1"'), answer(200, whole[:-40], ETag='"cut"'), answer(200, whole, ETag='"2"'))
        third = origin.asked()[2]
        self.assertIsNone(third["If-None-Match"], "the stored items are not what the old ones vouch for either")
        self.assertEqual(self.titles(knsd), ["Article 1", "Article 2"])

    def test_they_are_dropped_when_the_url_changes(self):
        knsd, origin, feed_id = self.polled_twice(validated(feed(1), ETag='"1"'))
        other = origin.on("/other", answer(200, feed(1), ETag='"other"'))
        self.assertEqual(knsd.api("PATCH", "/v1/feeds/%d" % feed_id, {"url": other}).status, 200)
        self.poll(knsd, feed_id)
        self.assertIsNone(origin.asked("/other")[0]["If-None-Match"])

    def test_a_304_that_nothing_had_asked_for_is_a_failure_and_is_shown(self):
        knsd, _, feed_id = self.polled_twice(answer(200, feed(1)), answer(304))
        self.assertIn("304", self.feed(knsd, feed_id)["last_error"])

    def test_an_unchanged_200_stores_nothing_and_is_called_unchanged(self):
        knsd, _, feed_id = self.polled_twice(answer(200, feed(1), ETag='"1"'), answer(200, feed(1), ETag='"2"'))
        last = knsd.get("/v1/feeds/%d/polls" % feed_id)["polls"][0]
        self.assertEqual((last["outcome"], last["new_items"], last["updated_items"]), ("unchanged", 0, 0))

    def test_a_redirect_carries_them_on(self):
        knsd, origin = self.knsd(), self.origin()
        origin.on("/there", validated(feed(1), ETag='"1"'))
        feed_id = self.subscribe(knsd, origin.on("/here", redirect(302, "/there")))
        self.assertEqual(self.poll(knsd, feed_id)["status"], 304)


class Manners(wire.Case):
    def request(self, **headers):
        knsd, origin = self.knsd(), self.origin()
        self.subscribe(knsd, origin.on("/feed?b=2&a=1", answer(200, feed(1), **headers)))
        return knsd, origin, origin.asked()[0]

    def test_the_user_agent_names_us_our_version_and_where_to_complain(self):
        _, _, asked = self.request()
        self.assertRegex(asked["User-Agent"], r"^kns/\d+\.\d+\S* \(\+https?://\S+\)$")

    def test_only_get_is_used(self):
        knsd, origin, _ = self.request()
        self.poll(knsd)
        self.assertEqual({r.method for r in origin.asked()}, {"GET"})

    def test_the_query_goes_out_as_it_was_given(self):
        _, _, asked = self.request()
        self.assertEqual(asked.target, "/feed?b=2&a=1")

    def test_cookies_are_not_returned_and_no_referer_is_told(self):
        knsd, origin, _ = self.request(Set_Cookie="id=1")
        self.poll(knsd)
        for asked in origin.asked():
            self.assertIsNone(asked["Cookie"])
            self.assertIsNone(asked["Referer"])
            self.assertIsNone(asked["Cache-Control"])
            self.assertIsNone(asked["Pragma"])

    def test_compression_is_offered(self):
        _, _, asked = self.request()
        for coding in ("gzip", "deflate", "br"):
            self.assertIn(coding, asked["Accept-Encoding"])

    def test_adding_a_feed_is_one_request(self):
        _, origin, _ = self.request()
        self.assertEqual(len(origin.asked()), 1)

    def test_a_refresh_by_hand_is_one_request_a_minute_and_says_so(self):
        knsd, origin = self.knsd(), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", answer(200, feed(1))))
        said = [self.poll(knsd, feed_id, force=False) for _ in range(10)]
        self.assertEqual(len(origin.asked()), 2)
        self.assertTrue(all(s["skipped"] and "minute" in s["text"] for s in said[1:]), said)

    def test_a_refresh_by_hand_before_the_time_that_the_server_named_is_refused_unless_forced(self):
        knsd, origin = self.knsd(), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", answer(200, feed(1), Cache_Control="max-age=7200")))
        said = self.poll(knsd, feed_id, force=False)
        self.assertTrue(said["skipped"], said)
        self.assertEqual(len(origin.asked()), 1)
        self.poll(knsd, feed_id, force=True)
        self.assertEqual(len(origin.asked()), 2)

    def test_credentials_in_the_url_are_sent_and_never_shown(self):
        knsd, origin = self.knsd(), self.origin()
        origin.on("/feed", answer(200, feed(1)))
        self.subscribe(knsd, "http://ann:s3cret@127.0.0.1:%d/feed" % origin.port)
        self.assertEqual(origin.asked()[0]["Authorization"], "Basic YW5uOnMzY3JldA==")
        for path in ("/v1/feeds", "/v1/opml", "/v1/items"):
            self.assertNotIn(b"s3cret", knsd.api("GET", path).body)
        self.assertNotIn("s3cret", knsd.log)


if __name__ == "__main__":
    unittest.main()

"""Subscribing to what a person pastes: a feed, a page that names one or several, or neither; nothing is guessed."""
import unittest

from tests.integration import wire
from tests.integration.wire import answer, feed, redirect


def page(*links, head="", body=""):
    return ("<!DOCTYPE html><html><head><title>A site</title>%s%s</head><body>%s</body></html>"
            % (head, "".join('<link rel="%s" type="%s" href="%s" title="%s">' % link for link in links), body))


def alternate(href, kind="application/rss+xml", title="Feed"):
    return ("alternate", kind, href, title)


class Discovery(wire.Case):
    def add(self, body, path="/page", **more):
        self.knsd_, self.origin_ = self.knsd(), self.origin()
        for name in ("/feed", "/sub/feed", "/feed.json", "/other"):
            self.origin_.on(name, answer(200, feed(1)))
        return self.knsd_.add(self.origin_.on(path, answer(200, body)), **more)

    def assert_subscribed(self, added, path):
        self.assertEqual(added.status, 201, added.body)
        self.assertEqual([f["url"] for f in self.knsd_.get("/v1/feeds")], [self.origin_.base + path])

    def assert_nothing_added(self, added, status, word):
        self.assertEqual(added.status, status, added.body)
        self.assertIn(word, added.json["detail"])
        self.assertEqual(self.knsd_.get("/v1/feeds"), [])

    def test_a_page_that_names_one_feed_is_that_feed_in_one_request_more(self):
        self.assert_subscribed(self.add(page(alternate("/feed"))), "/feed")
        self.assertEqual([r.target for r in self.origin_.asked()], ["/page", "/feed"])

    def test_relative_links_and_base_are_resolved(self):
        self.assert_subscribed(self.add(page(alternate("feed")), path="/sub/page"), "/sub/feed")
        self.assert_subscribed(self.add(page(alternate("feed"), head='<base href="/sub/">')), "/sub/feed")

    def test_links_are_resolved_against_where_the_page_came_from(self):
        knsd, origin = self.knsd(), self.origin()
        origin.on("/sub/page", answer(200, page(alternate("feed"))))
        origin.on("/sub/feed", answer(200, feed(1)))
        self.subscribe(knsd, origin.on("/short", redirect(302, "/sub/page")))
        self.assertEqual(knsd.get("/v1/feeds")[0]["url"], origin.base + "/sub/feed")

    def test_several_feeds_are_listed_and_none_is_taken(self):
        added = self.add(page(alternate("/feed", title="Articles"), alternate("/other", "application/atom+xml", "Comments")))
        self.assert_nothing_added(added, 409, "2 feeds")
        self.assertEqual([(c["url"][len(self.origin_.base):], c["title"]) for c in added.json["candidates"]],
                         [("/feed", "Articles"), ("/other", "Comments")])
        self.assertEqual(len(self.origin_.asked()), 1)

    def test_the_same_feed_named_twice_is_one(self):
        self.assert_subscribed(self.add(page(alternate("/feed"), alternate("/feed", title="Again"))), "/feed")

    def test_json_feeds_are_found(self):
        self.assert_subscribed(self.add(page(alternate("/feed.json", "application/feed+json"))), "/feed.json")

    def test_what_is_no_feed_link_is_no_candidate(self):
        self.assert_nothing_added(self.add(page(("stylesheet", "text/css", "/feed", ""), alternate("/feed", "text/html"),
                                                ("icon", "application/rss+xml", "/feed", ""))), 422, "names no feed")

    def test_links_in_scripts_comments_and_text_are_none(self):
        hidden = '<link rel="alternate" type="application/rss+xml" href="/feed">'
        for body in ("<!-- %s -->" % hidden, "<script>var x = '%s';</script>" % hidden, "<textarea>%s</textarea>" % hidden,
                     "<noscript></noscript>&lt;link rel=alternate&gt;"):
            with self.subTest(body[:20]):
                self.assert_nothing_added(self.add(page(body=body)), 422, "names no feed")

    def test_nothing_is_guessed(self):
        self.assert_nothing_added(self.add(page(body='<a href="/feed">RSS</a>')), 422, "names no feed")
        self.assertEqual([r.target for r in self.origin_.asked()], ["/page"])

    def test_a_page_behind_a_page_is_not_followed(self):
        self.assert_nothing_added(self.add(page(alternate("/deeper"))), 502, "404")
        added = self.add(page(alternate("/again")))
        self.assertNotEqual(added.status, 201)

    def test_without_discovery_a_page_is_no_feed(self):
        added = self.add(page(alternate("/feed")), discover=False)
        self.assert_nothing_added(added, 422, "HTML page")
        self.assertEqual(len(self.origin_.asked()), 1)

    def test_links_to_anything_but_the_web_are_none(self):
        self.assert_nothing_added(self.add(page(alternate("file:///etc/passwd"), alternate("javascript:1"), alternate("data:text/xml,x"))),
                                  422, "names no feed")

    def test_it_judges_by_content_and_not_by_content_type(self):
        knsd, origin = self.knsd(), self.origin()
        self.assertEqual(knsd.add(origin.on("/feed", answer(200, feed(1), Content_Type="text/html"))).status, 201)
        self.assertEqual(len(origin.asked()), 1)


class Failing(wire.Case):
    def test_a_url_that_fails_is_not_added_and_why_is_said(self):
        for script, word in ((answer(404), "404"), (answer(403), "403"), (answer(500), "500"), (answer(410), "Gone"), (answer(200, ""), "empty"),
                             (answer(200, "hello"), "not a feed"), (answer(200, "{\"a\":1}"), "feed")):
            with self.subTest(word):
                knsd, origin = self.knsd(), self.origin()
                added = knsd.add(origin.on("/feed", script))
                self.assertIn(added.status, (422, 502))
                self.assertIn(word, added.json["detail"])
                self.assertEqual(knsd.get("/v1/feeds"), [])

    def test_force_adds_it_and_it_is_polled_as_any_other(self):
        knsd, origin = self.knsd(), self.origin()
        added = knsd.add(origin.on("/feed", answer(503), answer(200, feed(1))), force=True)
        self.assertEqual(added.status, 201, added.body)
        wire.wait_until(lambda: self.titles(knsd) == ["Article 1"], "its first good poll")

    def test_what_is_no_url_is_said(self):
        knsd = self.knsd()
        for url in ("", "example.org/feed", "ftp://example.org/feed", "http://", "file:///etc/passwd", "exec:/bin/true", "http:///feed", "http://[::1", "  "):
            with self.subTest(url):
                added = knsd.add(url)
                self.assertIn(added.status, (400, 403, 422, 502), added.body)
                self.assertEqual(knsd.get("/v1/feeds"), [])

    def test_the_same_url_twice_is_one_feed(self):
        knsd, origin = self.knsd(), self.origin()
        url = origin.on("/feed", answer(200, feed(1)))
        self.assertEqual(knsd.add(url).status, 201)
        self.assertEqual(knsd.add(url).status, 200)
        self.assertEqual(len(knsd.get("/v1/feeds")), 1)


if __name__ == "__main__":
    unittest.main()

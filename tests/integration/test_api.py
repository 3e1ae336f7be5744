"""The HTTP interface over its real socket: every route, what it answers, what it refuses, and clients that behave badly.

What kns-api(7) promises. Curated issues, rules, links and hooks have tests of their own.
"""
import contextlib
import json
import os
import re
import socket
import sqlite3
import threading
import time
import unittest
import xml.etree.ElementTree as ElementTree
from email.utils import format_datetime, parsedate_to_datetime
from datetime import timedelta
from urllib.parse import quote

from tests.integration.kns import BUILD, ROOT, Knsd, Origin, UnixConnection, entry, next_link, rss, wait_until

RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
ATOM = "{http://www.w3.org/2005/Atom}"
PROBLEM = "application/problem+json"
MAX_BODY = 32 << 20
# Sanitizers take their time.
SLOWER = 10 if "san" in os.path.basename(BUILD) else 1


class Case(unittest.TestCase):
    """A daemon and an origin for each test."""

    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.knsd = Knsd()
        self.addCleanup(self.knsd.close)

    def feed(self, name="feed", entries=(), **more):
        """Subscribes to a feed of the origin; its id."""
        url = self.origin.put("/" + name, rss([entry(e) if isinstance(e, str) else e for e in entries]))
        answer = self.knsd.add(url, **more)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json["id"]

    def assert_problem(self, answer, status, *words):
        """One RFC 9457 problem: what was wrong, where, and what was expected."""
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["Content-Type"], PROBLEM)
        problem = answer.json
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["title"])
        self.assertEqual(problem["type"], "about:blank")
        for word in words:
            self.assertIn(word, problem["detail"])
        return problem

    def assert_no_nulls(self, value):
        self.assertIsNotNone(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self.assert_no_nulls(inner)

    def stream(self, path, headers=()):
        """An open answer that goes on; headers are extra lines."""
        return Events(self, path, headers)


class Events:
    """A client of /v1/events, on its own connection."""

    def __init__(self, case, path="/v1/events", headers=()):
        self.connection = UnixConnection(case.knsd.socket, timeout=30)
        case.addCleanup(self.connection.close)
        self.connection.request("GET", path, headers=dict(headers))
        self.answer = self.connection.getresponse()
        case.assertEqual(self.answer.status, 200, self.answer.read() if self.answer.status != 200 else b"")

    def next(self):
        """The next event, {"id", "event", "data"}; comments are passed over. None at the end."""
        event = {}
        while True:
            line = self.answer.readline().decode("utf-8")
            if line == "":
                return None
            line = line.rstrip("\n")
            if line == "" and event:
                event["data"] = json.loads(event["data"])
                return event
            if line and not line.startswith(":"):
                name, value = line.split(": ", 1)
                event[name] = value

    def take(self, n):
        return [self.next() for _ in range(n)]


class Items(Case):
    def test_a_page_of_items_is_a_json_feed(self):
        feed = self.feed("a", [entry(1, title="一つ目 & <more>")])
        answer = self.knsd.api("GET", "/v1/items")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/feed+json"))
        page = answer.json
        self.assertEqual(page["version"], "https://jsonfeed.org/version/1.1")
        self.assertTrue(page["title"])
        self.assert_no_nulls(page)
        item = page["items"][0]
        self.assertEqual(item["title"], "一つ目 & <more>")
        self.assertEqual(item["url"], "https://example.org/1")
        self.assertIsInstance(item["id"], str)
        self.assertEqual(item["date_published"], "2026-11-02T08:00:00Z")
        own = item["_kns"]
        self.assertEqual(own["guid"], "https://example.org/1")
        self.assertEqual([f["id"] for f in own["feeds"]], [feed])
        self.assertEqual(set(own["feeds"][0]), {"id", "title", "url"})
        self.assertRegex(own["first_seen"], RFC3339)
        self.assertEqual((own["read"], own["starred"], own["sources"]), (False, False, 1))
        self.assertNotIn("note", own, "what has nothing to say is left out")

    def test_one_item_is_what_the_list_shows_with_its_content(self):
        self.feed("a", [entry(1, text="<p>Whole</p>")])
        listed = self.knsd.get("/v1/items")["items"][0]
        answer = self.knsd.api("GET", "/v1/items/" + listed["id"])
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json, listed)
        without = self.knsd.get("/v1/items?content=false")["items"][0]
        self.assertNotIn("content_html", without)

    def test_an_item_that_is_not_there_is_404_everywhere(self):
        for method, path in (("GET", "/v1/items/99"), ("GET", "/v1/items/99/why"), ("PATCH", "/v1/items/99")):
            self.assert_problem(self.knsd.api(method, path, {"read": True} if method == "PATCH" else None), 404, "99")

    def test_pages_by_key_show_every_item_once_in_order(self):
        self.feed("a", [entry("n%02d" % n) for n in range(23)])
        seen, path, pages = [], "/v1/items?limit=5&sort=old&content=0", 0
        while path:
            answer = self.knsd.api("GET", path)
            self.assertLessEqual(len(answer.json["items"]), 5)
            seen += [i["id"] for i in answer.json["items"]]
            following = next_link(answer)
            if following:
                self.assertIn(answer.json["_kns"]["next_cursor"], following)
                self.assertIn("sort=old", following)
                self.assertIn("content=0", following)
            else:
                self.assertNotIn("_kns", answer.json)
            path, pages = following, pages + 1
        self.assertEqual((len(seen), len(set(seen)), pages), (23, 23, 5))

    def test_a_page_stays_right_while_items_arrive(self):
        self.feed("a", [entry("old%d" % n) for n in range(6)])
        first = self.knsd.api("GET", "/v1/items?limit=3&sort=seen")
        self.feed("b", [entry("new%d" % n, base="https://b.example") for n in range(6)])
        second = self.knsd.api("GET", next_link(first))
        ids = [i["id"] for i in first.json["items"] + second.json["items"]]
        self.assertEqual(len(set(ids)), 6)
        self.assertTrue(all("old" in i["title"] for i in second.json["items"]), "what came later is on no later page")

    def test_every_filter_selects(self):
        a = self.feed("a", [entry(1, title="Alpha gradient"), entry(2, title="機械学習の本")], tags=["ml/papers"])
        b = self.feed("b", [entry(3, title="Beta"), entry(1, title="Alpha gradient")])
        by_title = {i["title"]: i["id"] for i in self.knsd.get("/v1/items")["items"]}
        self.assertEqual(len(by_title), 3)
        self.knsd.api("PATCH", "/v1/items/" + by_title["Beta"], {"read": True, "starred": True, "tags": ["own"]})

        def titles(query):
            return sorted(i["title"] for i in self.knsd.get("/v1/items?" + query)["items"])

        both = ["Alpha gradient", "Beta", "機械学習の本"]
        for query, expected in (
                ("feed=%d" % a, ["Alpha gradient", "機械学習の本"]), ("feed=%d" % b, ["Alpha gradient", "Beta"]),
                ("feed=%d,%d" % (a, b), both), ("feed=%d&feed=%d" % (a, b), both), ("feed=999", []),
                ("tag=ml/papers", ["Alpha gradient", "機械学習の本"]), ("tag=ml", ["Alpha gradient", "機械学習の本"]),
                ("tag=own", ["Beta"]), ("tag=none", []), ("unread=1", ["Alpha gradient", "機械学習の本"]),
                ("unread=false", both), ("unread", ["Alpha gradient", "機械学習の本"]), ("starred=true", ["Beta"]),
                ("min_sources=2", ["Alpha gradient"]), ("q=gradient", ["Alpha gradient"]),
                ("q=" + quote("学習"), ["機械学習の本"]), ("q=title:beta", ["Beta"]), ("q=", both),
                ("since=2026-11-02", both), ("since=2026-11-03", []), ("until=2026-11-02T08:00:00Z", []),
                ("until=2026-11-03&since=2026-11-01T00:00:00%2B09:00", both)):
            self.assertEqual(titles(query), expected, query)

    def test_every_order_is_that_order(self):
        self.feed("a", [entry(1, title="Both")])
        self.feed("b", [entry(2, title="One"), entry(1, title="Both")])
        first = {order: self.knsd.get("/v1/items?sort=" + order)["items"][0]["title"] for order in ("sources", "seen")}
        self.assertEqual(first["sources"], "Both")
        self.assertEqual(first["seen"], "One")
        new = [i["id"] for i in self.knsd.get("/v1/items?sort=new")["items"]]
        self.assertEqual([i["id"] for i in self.knsd.get("/v1/items?sort=old")["items"]], new[::-1])
        self.assertEqual(self.knsd.api("GET", "/v1/items?sort=rank&q=both").status, 200)

    def test_a_parameter_that_makes_no_sense_is_named_with_what_was_expected(self):
        for query, words in (
                ("limit=0", ("limit", "1 to 1000")), ("limit=1001", ("limit", "1 to 1000")), ("limit=many", ("limit", "many")),
                ("limit=5x", ("limit",)), ("limit=", ("limit",)), ("sort=best", ("sort", "best", "new, old")),
                ("since=yesterdayish", ("since", "RFC 3339")), ("until=2026-13-01", ("until",)), ("unread=maybe", ("unread", "true or false")),
                ("feed=one", ("feed", "ids")), ("feed=1,,2", ("feed",)), ("feed=", ("feed", "ids")), ("feed=1,", ("feed", "ids")),
                ("limit=%205", ("limit",)), ("limit=+5", ("limit",)), ("limit=99999999999999999999", ("limit",)), ("limit=1&limit=2", ("limit", "twice")),
                ("min_sources=-1", ("min_sources",)), ("content=perhaps", ("content", "true or false")),
                ("no_such=1", ("no_such", "/v1/items", "cursor")), ("cursor=garbage", ("cursor",)),
                ("q=%FF%FE", ("q", "UTF-8")), ("tag=a%00b", ("tag", "UTF-8"))):
            self.assert_problem(self.knsd.api("GET", "/v1/items?" + query), 400, *words)

    def test_too_many_parameters_are_refused_and_not_dropped(self):
        self.assertEqual(self.knsd.api("GET", "/v1/items?" + "&".join(["feed=1"] * 32)).status, 200)
        self.assert_problem(self.knsd.api("GET", "/v1/items?" + "&".join(["feed=1"] * 33)), 400, "32")

    def test_a_cursor_of_another_query_or_order_never_breaks_the_daemon(self):
        self.feed("a", [entry(n) for n in range(4)])
        cursor = self.knsd.get("/v1/items?limit=1")["_kns"]["next_cursor"]
        for other in ("sort=old", "sort=sources", "sort=seen", "q=article", "feed=1"):
            self.assertIn(self.knsd.api("GET", "/v1/items?%s&cursor=%s" % (other, cursor)).status, (200, 400), other)
        self.assertEqual(self.knsd.api("GET", "/healthz").status, 200)

    def test_patching_sets_what_is_named_and_leaves_the_rest(self):
        self.feed("a", [entry(1)])
        path = "/v1/items/" + self.knsd.get("/v1/items")["items"][0]["id"]

        def own(change):
            answer = self.knsd.api("PATCH", path, change)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.json, self.knsd.get(path), "the answer is the item as it is stored")
            return answer.json["_kns"]

        self.assertTrue(own({"read": True})["read"])
        after = own({"starred": True})
        self.assertEqual((after["read"], after["starred"]), (True, True))
        self.assertEqual(own({"tags": ["b", "a"]})["tags"], ["a", "b"])
        self.assertEqual(own({"add_tags": ["c", "a"], "remove_tags": ["b"]})["tags"], ["a", "c"])
        self.assertNotIn("tags", own({"tags": []}))
        self.assertEqual(own({"note": "注 <b>& more</b>"})["note"], "注 <b>& more</b>")
        self.assertNotIn("note", own({"note": None}))
        after = own({"read": False, "starred": False})
        self.assertEqual((after["read"], after["starred"]), (False, False))
        own({})

    def test_a_patch_that_makes_no_sense_changes_nothing(self):
        self.feed("a", [entry(1)])
        path = "/v1/items/" + self.knsd.get("/v1/items")["items"][0]["id"]
        before = self.knsd.get(path)
        for body, word in (({"read": "yes"}, "read"), ({"starred": 1}, "starred"), ({"tags": "a"}, "tags"), ({"tags": [1]}, "tags"),
                           ({"tags": [""]}, "tags"), ({"tags": ["a\tb"]}, "control"), ({"add_tags": ["\x1b[2J"]}, "control"), ({"note": 7}, "note"), ({"title": "mine"}, "title"),
                           ({"starred": True, "nonsense": 1}, "nonsense")):
            self.assert_problem(self.knsd.api("PATCH", path, body), 400, word)
            self.assertEqual(self.knsd.get(path), before)

    def test_why_names_the_rule_and_every_feed_it_was_seen_in(self):
        a, b = self.feed("a", [entry(1)]), self.feed("b", [dict(entry(1), link="https://EXAMPLE.org/1?utm_source=b")])
        item = self.knsd.get("/v1/items")["items"][0]
        why = self.knsd.get("/v1/items/%s/why" % item["id"])
        self.assertEqual(why["canonical_url"], "https://example.org/1")
        self.assertEqual([s["feed_id"] for s in why["sightings"]], [a, b])
        for sighting in why["sightings"]:
            self.assertTrue({"feed_id", "feed_title", "feed_url", "guid", "url", "rule", "rule_text", "first_seen"} <= set(sighting))
            self.assertRegex(sighting["first_seen"], RFC3339)


class Feeds(Case):
    MEMBERS = {"id", "url", "title", "home_page_url", "tags", "state", "health", "newsletter", "added_at", "last_poll_at",
               "last_success_at", "last_status", "consecutive_failures", "next_poll_at", "next_poll_reason",
               "interval_seconds", "items", "moved_from"}

    def test_a_feed_has_every_member(self):
        url = self.origin.put("/a", rss([entry(1)], title="題名"), headers={"ETag": '"v1"', "Last-Modified": "Mon, 02 Nov 2026 08:00:00 GMT"})
        answer = self.knsd.add(url, tags=["x", "a/b"], newsletter=True, every="2h")
        self.assertEqual((answer.status, answer.headers["Location"]), (201, "/v1/feeds/1"))
        feed = self.knsd.get("/v1/feeds/1")
        self.assertEqual(answer.json, feed)
        self.assert_no_nulls(feed)
        self.assertLessEqual(self.MEMBERS | {"etag", "last_modified"}, set(feed))
        self.assertEqual((feed["id"], feed["url"], feed["title"], feed["home_page_url"]), (1, url, "題名", "https://example.org/"))
        self.assertEqual((feed["tags"], feed["newsletter"], feed["items"]), (["a/b", "x"], True, 1))
        self.assertEqual((feed["state"], feed["health"], feed["last_status"], feed["consecutive_failures"]), ("active", "ok", 200, 0))
        self.assertEqual((feed["etag"], feed["last_modified"]), ('"v1"', "Mon, 02 Nov 2026 08:00:00 GMT"))
        self.assertGreaterEqual(feed["interval_seconds"], 7200)
        for name in ("added_at", "last_poll_at", "last_success_at", "next_poll_at"):
            self.assertRegex(feed[name], RFC3339)
        self.assertEqual(self.knsd.get("/v1/feeds"), [feed])

    def test_subscribing_twice_is_one_feed(self):
        self.feed("a", [entry(1)])
        again = self.knsd.add(self.origin.base + "/a", tags=["more"])
        self.assertEqual((again.status, again.json["id"]), (200, 1))
        self.assertEqual(len(self.knsd.get("/v1/feeds")), 1)

    def test_what_fails_is_not_added_and_why_is_said_unless_forced(self):
        self.origin.put("/page", "<!doctype html><title>No feed</title><p>Nothing here")
        for path, status, word in (("/missing", 502, "404"), ("/page", 422, "")):
            problem = self.assert_problem(self.knsd.add(self.origin.base + path), status, word)
            self.assertTrue(problem["detail"])
        self.assertEqual(self.knsd.get("/v1/feeds"), [])
        forced = self.knsd.add(self.origin.base + "/missing", force=True)
        self.assertEqual(forced.status, 201)
        wait_until(lambda: self.knsd.get("/v1/feeds/1").get("last_status") == 404, "it is polled as any other")

    def test_a_page_leads_to_its_feed_and_several_are_listed_and_none_taken(self):
        self.origin.put("/one", '<!doctype html><title>x</title><link rel=alternate type="application/rss+xml" href="/a">')
        self.origin.put("/two", '<!doctype html><title>x</title><link rel=alternate type="application/rss+xml" href="/a" title=A>'
                                '<link rel=alternate type="application/atom+xml" href="/b" title=B>')
        self.origin.put("/a", rss([entry(1)]))
        several = self.knsd.add(self.origin.base + "/two")
        self.assert_problem(several, 409)
        self.assertEqual([c["url"] for c in several.json["candidates"]], [self.origin.base + "/a", self.origin.base + "/b"])
        self.assertEqual(self.knsd.get("/v1/feeds"), [])
        self.assert_problem(self.knsd.add(self.origin.base + "/one", discover=False), 422)
        found = self.knsd.add(self.origin.base + "/one")
        self.assertEqual((found.status, found.json["url"]), (201, self.origin.base + "/a"))

    def test_a_body_that_makes_no_sense_is_named_member_by_member(self):
        url = self.origin.put("/a", rss([entry(1)]))
        for body, words in (
                ({}, ("url",)), ({"url": 1}, ("url", "string")), ({"url": "ftp://x/"}, ("url", "http")), ({"url": "no url"}, ("url",)),
                ({"url": url, "tags": "x"}, ("tags", "array")), ({"url": url, "tags": ["x" * 201]}, ("tags", "200")),
                ({"url": url, "every": "soon"}, ("every", "30m")), ({"url": url, "every": -5}, ("every",)),
                ({"url": url, "newsletter": "yes"}, ("newsletter", "true or false")), ({"url": url, "title": []}, ("title",)),
                ({"url": url, "access": "me"}, ("access", "object")), ({"url": url, "access": {"pin": "1"}}, ("access", "password")),
                ({"url": url, "colour": 1}, ("colour", "no such member")),
                ({"url": url, "title": "a\0b"}, ("JSON", "NUL"))):
            self.assert_problem(self.knsd.api("POST", "/v1/feeds", body), 400, *words)
        for raw, words in ((b"{", ("JSON", "line 1")), (b"[]", ("no object",)), (b'{"url":1,"url":2}', ("JSON",)), (b'"\xff"', ("JSON",)),
                           (b"", ("url",)), (b"{" * 5000, ("JSON",))):
            self.assert_problem(self.knsd.api("POST", "/v1/feeds", raw), 400, *words)
        self.assertEqual(self.knsd.get("/v1/feeds"), [])
        self.assertEqual(self.origin.count(), 0, "nothing was asked for what made no sense")

    def test_editing_changes_what_is_named_and_removing_ends_it(self):
        feed = self.feed("a", [entry(1)])
        path = "/v1/feeds/%d" % feed
        for change, member, expected in (
                ({"title": "Mine"}, "title", "Mine"), ({"title": None}, "title", "A feed"), ({"tags": ["t"]}, "tags", ["t"]), ({"tags": []}, "tags", []),
                ({"newsletter": True}, "newsletter", True), ({"paused": True}, "state", "paused"), ({"paused": False}, "state", "active")):
            answer = self.knsd.api("PATCH", path, change)
            self.assertEqual((answer.status, answer.json[member]), (200, expected))
            self.assertEqual(answer.json, self.knsd.get(path))
        moved = self.knsd.api("PATCH", path, {"url": self.origin.base + "/b"}).json
        self.assertEqual((moved["url"], moved["moved_from"]), (self.origin.base + "/b", [self.origin.base + "/a"]))
        self.assertNotIn("etag", moved)
        self.assertEqual([f["id"] for f in self.knsd.get("/v1/feeds?url=" + quote(self.origin.base + "/a", safe=""))], [feed])
        self.assert_problem(self.knsd.api("PATCH", path, {"url": "nowhere"}), 400, "url")
        for only_added in ("discover", "force"):
            self.assert_problem(self.knsd.api("PATCH", path, {only_added: True}), 400, only_added, "no such member")
        gone = self.knsd.api("DELETE", path)
        self.assertEqual((gone.status, gone.body), (204, b""))
        for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)):
            self.assert_problem(self.knsd.api(method, path, body), 404)

    def test_a_url_that_another_feed_has_cannot_be_taken(self):
        a, _ = self.feed("a", [entry(1)]), self.feed("b", [entry(2)])
        self.assert_problem(self.knsd.api("PATCH", "/v1/feeds/%d" % a, {"url": self.origin.base + "/b"}), 409)

    def test_lists_filter_and_page(self):
        for name in "abc":
            self.feed(name, [entry(name)], tags=["t/" + name])
        self.origin.put("/a", status=500)
        self.knsd.refresh()
        self.assertEqual([f["id"] for f in self.knsd.get("/v1/feeds?tag=t")], [1, 2, 3])
        self.assertEqual([f["id"] for f in self.knsd.get("/v1/feeds?tag=t/b")], [2])
        failing = self.knsd.get("/v1/feeds?failing=1")
        self.assertEqual([(f["id"], f["health"], f["last_status"]) for f in failing], [(1, "failing", 500)])
        self.assertIn("500", failing[0]["last_error"])
        seen, path = [], "/v1/feeds?limit=2&tag=t"
        while path:
            answer = self.knsd.api("GET", path)
            seen += [f["id"] for f in answer.json]
            path = next_link(answer)
        self.assertEqual(seen, [1, 2, 3])
        for query, word in (("limit=x", "limit"), ("limit=0", "limit"), ("cursor=x", "cursor"), ("failing=perhaps", "failing"), ("state=ok", "state")):
            self.assert_problem(self.knsd.api("GET", "/v1/feeds?" + query), 400, word)
        self.assert_problem(self.knsd.api("GET", "/v1/feeds?url=http://nobody.example/"), 404)

    def test_polls_are_the_last_first_and_as_many_as_asked_for(self):
        feed = self.feed("a", [entry(1)])
        self.origin.put("/a", status=503)
        for _ in range(2):
            self.knsd.refresh()
        answer = self.knsd.get("/v1/feeds/%d/polls" % feed)
        self.assertEqual(answer["feed"], self.knsd.get("/v1/feeds/%d" % feed))
        self.assertEqual([p["outcome"] for p in answer["polls"]], ["error", "error", "new-document"])
        newest, first = answer["polls"][0], answer["polls"][2]
        self.assertEqual((newest["status"], first["new_items"], first["status"]), (503, 1, 200))
        self.assertIn("503", newest["error"])
        self.assertGreater(first["bytes"], 100)
        for name in ("at", "next_poll_at"):
            self.assertRegex(first[name], RFC3339)
        self.assertEqual(len(self.knsd.get("/v1/feeds/%d/polls?limit=1" % feed)["polls"]), 1)
        self.assert_problem(self.knsd.api("GET", "/v1/feeds/%d/polls?limit=-1" % feed), 400, "limit")
        self.assert_problem(self.knsd.api("GET", "/v1/feeds/77/polls"), 404, "77")


class Refreshes(Case):
    def test_without_waiting_it_is_accepted_and_done(self):
        feed = self.feed("a", [entry(1)])
        self.origin.put("/a", rss([entry(2), entry(1)]))
        answer = self.knsd.api("POST", "/v1/feeds/%d/refresh?force=1" % feed)
        self.assertEqual((answer.status, answer.json), (202, {"feeds": 1, "unknown": []}))
        wait_until(lambda: len(self.knsd.get("/v1/items")["items"]) == 2, "the new item")

    def test_waiting_brings_a_line_for_each_feed_as_it_ends(self):
        for name in "abc":
            self.feed(name, [entry(name)])
        self.knsd.refresh()
        self.origin.put("/b", status=500)
        answer = self.knsd.api("POST", "/v1/refresh?wait=1&force=1")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/x-ndjson"))
        lines = answer.lines
        self.assertEqual([line["done"] for line in lines], [1, 2, 3])
        self.assertEqual({line["total"] for line in lines}, {3})
        by_feed = {line["feed_id"]: line for line in lines}
        self.assertEqual([by_feed[n]["outcome"] for n in (1, 2, 3)], ["unchanged", "error", "unchanged"])
        self.assertEqual([by_feed[n]["skipped"] for n in (1, 2, 3)], [False] * 3)
        self.assertIn("500", by_feed[2]["text"])

    def test_named_feeds_alone_are_polled(self):
        for name in "abc":
            self.feed(name, [entry(name)])
        before = self.origin.count()
        lines = self.knsd.api("POST", "/v1/refresh?wait=1", {"feeds": [1, 3], "force": True}).lines
        self.assertEqual(sorted(line["feed_id"] for line in lines), [1, 3])
        self.assertEqual(sorted(r.path for r in self.origin.asked(since=before)), ["/a", "/c"])

    def test_a_poll_that_is_skipped_says_so_and_claims_no_outcome(self):
        self.feed("a", [entry(1)])
        self.knsd.refresh()
        lines = self.knsd.refresh(force=False)
        self.assertEqual(len(lines), 1)
        self.assertTrue(lines[0]["skipped"])
        self.assertNotIn("outcome", lines[0])
        self.assertTrue(lines[0]["text"])

    def test_an_unknown_feed_is_told_apart(self):
        self.feed("a", [entry(1)])
        self.assert_problem(self.knsd.api("POST", "/v1/feeds/9/refresh"), 404, "9")
        self.assert_problem(self.knsd.api("POST", "/v1/feeds/9/refresh?wait=1"), 404, "9")
        self.assertEqual(self.knsd.api("POST", "/v1/refresh", {"feeds": [1, 9]}).json, {"feeds": 1, "unknown": [9]})
        lines = self.knsd.api("POST", "/v1/refresh?wait=1&force=1", {"feeds": [1, 9]}).lines
        self.assertEqual({line["feed_id"]: line.get("text") for line in lines}[9], "no such feed")

    def test_nothing_to_poll_ends_at_once(self):
        self.assertEqual(self.knsd.api("POST", "/v1/refresh?wait=1").lines, [])
        self.assertEqual(self.knsd.api("POST", "/v1/refresh").json, {"feeds": 0, "unknown": []})
        self.assertEqual(self.knsd.api("POST", "/v1/refresh?wait=1", {"feeds": []}).lines, [])

    def test_what_makes_no_sense_is_refused(self):
        for path, body, word in (("/v1/refresh?wait=perhaps", {}, "wait"), ("/v1/refresh", {"feeds": 1}, "feeds"), ("/v1/refresh", {"feeds": ["1"]}, "feeds"),
                                 ("/v1/refresh", {"feeds": [1] * 10001}, "10000"), ("/v1/refresh", {"force": 1}, "force"), ("/v1/refresh", {"all": True}, "all"),
                                 ("/v1/feeds/1/refresh?hurry=1", {}, "hurry"), ("/v1/feeds/1/refresh", {"feeds": [1]}, "feeds"),
                                 ("/v1/feeds/1/refresh", {"force": "yes"}, "force")):
            self.assert_problem(self.knsd.api("POST", path, body), 400, word)

    def test_force_counts_in_the_body_of_one_feeds_refresh_too(self):
        path = "/v1/feeds/%d/refresh?wait=1" % self.feed("a", [entry(1)])
        for body, skipped in (({}, False), ({}, True), ({"force": False}, True), ({"force": True}, False)):
            self.assertEqual([line["skipped"] for line in self.knsd.api("POST", path, body).lines], [skipped], body)

    def test_who_hangs_up_while_waiting_disturbs_nobody(self):
        never = threading.Event()
        self.addCleanup(never.set)
        self.feed("a", [entry(1)])
        self.origin.put("/a", rss([entry(2)]), before=never)
        before = self.origin.count()
        waiting = self.knsd.connect()
        waiting.sendall(b"POST /v1/refresh?wait=1&force=1 HTTP/1.1\r\nHost: kns\r\nContent-Length: 0\r\n\r\n")
        wait_until(lambda: self.origin.count() > before, "the origin is asked")
        waiting.close()
        never.set()
        wait_until(lambda: len(self.knsd.get("/v1/items")["items"]) == 2, "the poll ends")
        self.knsd.stop()


class Subscriptions(Case):
    LIST = ('<?xml version="1.0"?><opml version="2.0"><head><title>L</title></head><body>'
            '<outline text="外"><outline text="In"><outline type="rss" text="A" xmlUrl="%(base)s/a"/></outline>'
            '<outline type="rss" text="B" title="B" xmlUrl="%(base)s/b" htmlUrl="https://b.example/"/></outline>'
            '<outline type="rss" text="Bad" xmlUrl="ftp://x/"/></body></opml>')

    def test_opml_goes_in_without_fetching_and_comes_out_with_its_folders(self):
        answer = self.knsd.api("POST", "/v1/opml", (self.LIST % {"base": self.origin.base}).encode())
        self.assertEqual(answer.status, 200)
        self.assertEqual({k: answer.json[k] for k in ("added", "known", "refused")}, {"added": 2, "known": 0, "refused": 1})
        self.assertIn("ftp://x/", answer.json["problems"][0])
        again = self.knsd.api("POST", "/v1/opml", (self.LIST % {"base": self.origin.base}).encode()).json
        self.assertEqual((again["added"], again["known"]), (0, 2))
        self.assertEqual([f["tags"] for f in self.knsd.get("/v1/feeds")], [["外/In"], ["外"]])
        exported = self.knsd.api("GET", "/v1/opml")
        self.assertEqual(exported.headers["Content-Type"], "text/x-opml; charset=utf-8")
        body = ElementTree.fromstring(exported.body)
        self.assertEqual(body.get("version"), "2.0")
        self.assertEqual([o.get("xmlUrl") for o in body.findall("body/outline[@text='外']/outline[@text='In']/outline")], [self.origin.base + "/a"])
        part = ElementTree.fromstring(self.knsd.api("GET", "/v1/opml?tag=" + quote("外/In", safe="")).body)
        self.assertEqual([o.get("xmlUrl") for o in part.iter("outline") if o.get("xmlUrl")], [self.origin.base + "/a"])

    def test_what_is_no_opml_adds_nothing(self):
        for body in (b"", b"hello", b"<html></html>", b"<opml", b"\x00\x01"):
            answer = self.knsd.api("POST", "/v1/opml", body)
            self.assertIn(answer.status, (400, 422), body)
            self.assertTrue(answer.json["detail"])
        self.assertEqual(self.knsd.get("/v1/feeds"), [])


class Digests(Case):
    TYPES = {"html": "text/html; charset=utf-8", "atom": "application/atom+xml; charset=utf-8", "opml": "text/x-opml; charset=utf-8",
             "markdown": "text/markdown; charset=utf-8", "text": "text/plain; charset=utf-8",
             "jsonfeed": "application/feed+json; charset=utf-8", "eml": "message/rfc822"}

    def test_every_format_has_its_type_and_the_items(self):
        self.feed("a", [entry(1, title="Ünïque 題")])
        for name, content_type in self.TYPES.items():
            answer = self.knsd.api("GET", "/v1/digest?format=" + name)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, content_type))
            self.assertGreater(len(answer.body), 100)
            if name != "eml":
                self.assertIn("題", answer.body.decode("utf-8"), name)
        self.assertEqual(self.knsd.api("GET", "/v1/digest").headers["Content-Type"], self.TYPES["html"])
        self.assert_problem(self.knsd.api("GET", "/v1/digest?format=pdf"), 400, "pdf", "html|atom")

    def test_filters_and_the_title_hold_in_every_format(self):
        self.feed("a", [entry(1, title="Kept")], tags=["t"])
        self.feed("b", [entry(2, title="Dropped")])
        for name in self.TYPES:
            text = self.knsd.api("GET", "/v1/digest?tag=t&title=Mine%26more&format=" + name).body.decode("utf-8")
            if name == "eml":
                continue
            self.assertIn("Kept", text, name)
            self.assertNotIn("Dropped", text, name)
            self.assertRegex(text, "Mine(&amp;|&|\\\\&)more", name)
        self.assert_problem(self.knsd.api("GET", "/v1/digest?title=%FF"), 400, "title", "UTF-8")
        self.assert_problem(self.knsd.api("GET", "/v1/digest?sort=best"), 400, "sort")

    def atom(self, path="/v1/digest?format=atom", headers=None):
        return self.knsd.api("GET", path, headers=headers)

    def test_the_atom_digest_says_where_it_is_served_and_keeps_its_id(self):
        self.feed("a", [entry(1)])
        path = "/v1/digest?format=atom&since=2026-01-01&q=%E2%80%9C%26x"
        self.feed("b", [entry(2, title="“&x")])

        def links(answer, rel):
            return [e.get("href") for e in ElementTree.fromstring(answer.body).findall(ATOM + "link") if e.get("rel") == rel]

        first = self.atom(path)
        self.assertEqual(links(first, "self"), ["http://kns" + path])
        behind = self.atom(path, {"Host": "news.example.org:8443", "X-Forwarded-Proto": "https"})
        self.assertEqual(links(behind, "self"), ["https://news.example.org:8443" + path])
        self.assertEqual(links(self.atom(path, {"Host": "a'&b"}), "self"), ["http://kns" + path])
        self.assert_problem(self.knsd.api("GET", path, headers={"Host": "\"><script>"}), 400, "Host")
        identity = ElementTree.fromstring(first.body).findtext(ATOM + "id")
        self.assertTrue(identity)
        self.assertEqual(ElementTree.fromstring(self.atom(path).body).findtext(ATOM + "id"), identity)
        self.assertNotEqual(ElementTree.fromstring(self.atom().body).findtext(ATOM + "id"), identity)

    def test_a_configured_base_url_is_the_base_of_ids_whatever_host_was_asked(self):
        self.knsd.stop()
        self.knsd.configure("[digest]\nbase_url = https://letter.example/\n")
        self.knsd.start()
        self.feed("a", [entry(1)])
        for path, expected in (("/v1/digest?format=atom", "https://letter.example/"), ("/v1/digest?format=atom&limit=5&tag=t", "https://letter.example/#tag=t")):
            for host in ("kns", "other.example"):
                self.assertEqual(ElementTree.fromstring(self.atom(path, {"Host": host}).body).findtext(ATOM + "id"), expected)

    def test_a_validator_that_still_holds_is_answered_with_304_and_no_body(self):
        self.feed("a", [entry(1)])
        first = self.atom()
        etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
        self.assertRegex(etag, r'^"[^"]+"$')
        self.assertAlmostEqual(parsedate_to_datetime(modified).timestamp(), time.time(), delta=120)
        self.assertEqual(self.atom().headers["ETag"], etag, "the same items, the same bytes")
        later = format_datetime(parsedate_to_datetime(modified) + timedelta(days=1), usegmt=True)
        earlier = format_datetime(parsedate_to_datetime(modified) - timedelta(days=1), usegmt=True)
        for headers, status in (
                ({"If-None-Match": etag}, 304), ({"If-None-Match": "W/" + etag}, 304), ({"If-None-Match": '"x", %s , "y"' % etag}, 304),
                ({"If-None-Match": "*"}, 304), ({"If-None-Match": '"x"'}, 200), ({"If-None-Match": ""}, 200),
                ({"If-None-Match": etag[:-2] + '"'}, 200), ({"If-Modified-Since": modified}, 304), ({"If-Modified-Since": later}, 304),
                ({"If-Modified-Since": earlier}, 200), ({"If-Modified-Since": "some day"}, 200),
                ({"If-None-Match": '"x"', "If-Modified-Since": later}, 200), ({"If-None-Match": etag, "If-Modified-Since": earlier}, 304)):
            answer = self.atom(headers=headers)
            self.assertEqual(answer.status, status, headers)
            self.assertEqual(answer.headers["ETag"], etag)
            self.assertEqual(answer.headers["Last-Modified"], modified)
            self.assertEqual(answer.body == b"", status == 304)

    def test_a_new_item_makes_the_validator_fail(self):
        self.feed("a", [entry(1)])
        etag = self.atom().headers["ETag"]
        self.feed("b", [entry(2)])
        answer = self.atom(headers={"If-None-Match": etag})
        self.assertEqual(answer.status, 200)
        self.assertNotEqual(answer.headers["ETag"], etag)

    def test_a_digest_of_nothing_is_whole(self):
        for name in self.TYPES:
            answer = self.knsd.api("GET", "/v1/digest?format=" + name)
            self.assertEqual(answer.status, 200, name)
            self.assertNotIn("Last-Modified", answer.headers)
        ElementTree.fromstring(self.atom().body)


class Streams(Case):
    def test_items_feeds_and_polls_come_as_they_are_stored_with_growing_numbers(self):
        events = self.stream("/v1/events")
        self.assertEqual(events.answer.headers["Content-Type"], "text/event-stream")
        self.feed("a", [entry(1), entry(2)])
        got = events.take(4)
        self.assertEqual(sorted(e["event"] for e in got), ["feed", "item", "item", "poll"])
        numbers = [int(e["id"]) for e in got]
        self.assertEqual(numbers, sorted(set(numbers)))
        by_kind = {e["event"]: e["data"] for e in got}
        self.assertEqual(by_kind["item"]["_kns"]["event"], "new")
        self.assertEqual(by_kind["item"], dict(self.knsd.get("/v1/items/" + by_kind["item"]["id"]), _kns=by_kind["item"]["_kns"]))
        self.assertEqual((by_kind["feed"]["event"], by_kind["feed"]["feed_id"]), ("added", 1))
        self.assertEqual((by_kind["poll"]["event"], by_kind["poll"]["feed"]["id"]), ("new-document", 1))
        self.knsd.api("PATCH", "/v1/feeds/1", {"title": "New"})
        self.assertEqual(events.next()["data"]["event"], "edited")
        self.knsd.api("DELETE", "/v1/feeds/1")
        gone = events.next()["data"]
        self.assertEqual(gone, {"event": "removed", "feed_id": 1})

    def test_last_event_id_resumes_with_nothing_missed_and_nothing_twice_over_a_restart(self):
        self.feed("a", [entry("a%d" % n) for n in range(3)])
        events = self.stream("/v1/events?kinds=item", {"Last-Event-ID": "0"})
        first = events.next()
        events.connection.close()
        self.origin.put("/a", rss([entry("a%d" % n) for n in range(6)]))
        self.knsd.refresh()
        self.knsd.stop()
        self.knsd.start()
        rest = self.stream("/v1/events?kinds=item", {"Last-Event-ID": first["id"]}).take(5)
        titles = [e["data"]["title"] for e in [first] + rest]
        self.assertEqual(len(set(titles)), 6)
        again = self.stream("/v1/events?kinds=item&since=" + first["id"]).take(5)
        self.assertEqual(again, rest)

    def test_filters_of_a_stream_hold_for_all_it_sends(self):
        self.feed("a", [entry("a")], tags=["t/a"])
        self.feed("b", [entry("b", base="https://b.example")])
        for query, titles in (("feed=2", ["Article b"]), ("tag=t", ["Article a"]), ("kinds=item", ["Article a", "Article b"])):
            events = self.stream("/v1/events?since=0&kinds=item&" + query) if "kinds" not in query else self.stream("/v1/events?since=0&" + query)
            self.assertEqual([e["data"]["title"] for e in events.take(len(titles))], titles)
        self.feed("c", [entry("c1", title="機械学習"), entry("c2"), entry("c3", title="機械学習の本")])
        found = self.stream("/v1/events?since=0&kinds=item&q=" + quote("学習"))
        self.assertEqual(sorted(e["data"]["title"] for e in found.take(2)), ["機械学習", "機械学習の本"])
        self.origin.put("/c", rss([entry("c4"), entry("c5", title="学習")]))
        self.knsd.refresh()
        self.assertEqual(found.next()["data"]["title"], "学習")
        two = self.stream("/v1/events?since=0&kinds=item&feed=1,2").take(2)
        self.assertEqual({e["data"]["title"] for e in two}, {"Article a", "Article b"})
        polls = self.stream("/v1/events?since=0&kinds=poll,feed").take(4)
        self.assertEqual({e["event"] for e in polls}, {"poll", "feed"})
        for query, word in (("kinds=item,posts", "kinds"), ("since=x", "since"), ("since=-1", "since"), ("feed=x", "feed"), ("kind=item", "kind")):
            self.assert_problem(self.knsd.api("GET", "/v1/events?" + query), 400, word)
        self.assert_problem(self.knsd.api("GET", "/v1/events", headers={"Last-Event-ID": "abc"}), 400)

    def test_a_long_replay_with_much_content_comes_whole_and_soon(self):
        """More than a batch of events, more than fits into a stream's buffer at once."""
        text = "<p>" + "words and more words " * 1500 + "</p>"
        for n in range(3):
            self.feed("f%d" % n, [entry("f%d-%d" % (n, i), text=text) for i in range(150)])
        start = time.monotonic()
        got = self.stream("/v1/events?since=0&kinds=item").take(450)
        self.assertEqual(len({e["data"]["title"] for e in got}), 450)
        self.assertLess(time.monotonic() - start, 25 * SLOWER, "no batch waits for a heartbeat")

    def test_an_item_larger_than_a_streams_buffer_comes_through(self):
        self.feed("big", [entry("big", text="<p>" + "x" * (6 << 20) + "</p>"), entry("small")])
        got = self.stream("/v1/events?since=0&kinds=item").take(2)
        self.assertEqual({e["data"]["title"] for e in got}, {"Article big", "Article small"})

    def test_a_client_that_does_not_read_loses_nothing_and_holds_nobody_up(self):
        lazy = self.knsd.connect()
        self.addCleanup(lazy.close)
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.sendall(b"GET /v1/events?since=0&kinds=item HTTP/1.1\r\nHost: kns\r\n\r\n")
        text = "<p>" + "x" * 100000 + "</p>"
        for n in range(2):
            self.feed("f%d" % n, [entry("f%d-%d" % (n, i), text=text) for i in range(50)])
        start = time.monotonic()
        self.assertEqual(len(self.knsd.all_items()), 100)
        self.assertLess(time.monotonic() - start, 10 * SLOWER)
        with open("/proc/%d/status" % self.knsd.process.pid, encoding="ascii") as f:
            rss_kib = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
        seen, buffer = set(), b""
        while len(seen) < 100:
            piece = lazy.recv(1 << 16)
            self.assertTrue(piece, "cut off after %d of 100" % len(seen))
            buffer = (buffer + piece)[-400000:]
            seen |= set(re.findall(rb'"title":"Article (f\d-\d+)"', buffer))
        self.assertLess(rss_kib, 1 << 20)

    def test_streams_have_a_limit_that_closed_ones_do_not_use_up(self):
        for _ in range(2):
            open_ones = []
            for _ in range(256):
                s = self.knsd.connect()
                self.addCleanup(s.close)
                s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: kns\r\n\r\n")
                open_ones.append(s)
            for s in open_ones:
                self.assertIn(b"200 OK", s.recv(200))
            self.assert_problem(self.knsd.api("GET", "/v1/events"), 503, "256")
            self.assertEqual(self.knsd.api("GET", "/v1/items").status, 200, "questions still find a place")
            for s in open_ones:
                s.close()
        self.assertTrue(self.stream("/v1/events"))


class Care(Case):
    def test_status_has_every_figure(self):
        self.feed("a", [entry(1), entry(2)])
        self.knsd.api("PATCH", "/v1/items/1", {"read": True, "starred": True})
        status = self.knsd.get("/v1/status")
        self.assertEqual(set(status), {"version", "uptime_seconds", "feeds", "items", "polls", "store"})
        self.assertEqual(status["feeds"], {"total": 1, "paused": 0, "failing": 0, "gone": 0})
        self.assertEqual(status["items"], {"total": 2, "unread": 1, "starred": 1, "unsearchable": 0})
        self.assertLessEqual({"total", "failed", "in_flight", "due", "new_items", "bytes"}, set(status["polls"]))
        self.assertTrue(status["store"]["writable"])
        self.assertGreater(status["store"]["last_event"], 0)

    def test_metrics_are_prometheus_text(self):
        self.feed("a", [entry(1)])
        answer = self.knsd.api("GET", "/metrics")
        self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        declared, samples = {}, {}
        for line in answer.body.decode().splitlines():
            if line.startswith("#"):
                _, word, name, rest = line.split(" ", 3)
                declared.setdefault(name, {})[word] = rest
                continue
            match = re.fullmatch(r'([a-z_]+)(\{[a-z]+="[^"]*"\})? (\S+)', line)
            self.assertTrue(match, line)
            family = re.sub("_(sum|count)$", "", match.group(1)) if "duration" in match.group(1) else match.group(1)
            self.assertEqual(set(declared[family]), {"HELP", "TYPE"}, line)
            samples[match.group(1) + (match.group(2) or "")] = float(match.group(3))
        self.assertEqual((samples["kns_feeds"], samples["kns_items"]), (1, 1))
        self.assertEqual(samples['kns_polls_total{outcome="error"}'], 0)
        self.assertIn('kns_poll_duration_seconds_count{outcome="new-document"}', samples)

    def test_health_is_ok(self):
        answer = self.knsd.api("GET", "/healthz")
        self.assertEqual((answer.status, answer.body, answer.headers["Content-Type"]), (200, b"ok\n", "text/plain; charset=utf-8"))

    def test_a_backup_is_a_consistent_copy_of_the_live_database_and_never_overwrites(self):
        self.feed("a", [entry(n) for n in range(20)])
        path = os.path.join(self.knsd.dir, "copy.db")
        answer = self.knsd.api("POST", "/v1/backup", {"path": path})
        self.assertEqual((answer.status, answer.json), (200, {"path": path}))
        with sqlite3.connect(path) as copy:
            self.assertEqual(copy.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.assertEqual(copy.execute("SELECT count(*) FROM item").fetchone(), (20,))
        self.assert_problem(self.knsd.api("POST", "/v1/backup", {"path": path}), 409, path)
        for body, status in (({}, 400), ({"path": "relative.db"}, 400), ({"path": 1}, 400), ({"path": "/nowhere/at/all.db"}, 500)):
            self.assert_problem(self.knsd.api("POST", "/v1/backup", body), status, "path" if status == 400 else "/nowhere")

    def test_check_finds_the_database_sound(self):
        self.feed("a", [entry(1)])
        self.assertEqual(self.knsd.api("POST", "/v1/check").json, {"sound": True, "problems": []})


class Manual(Case):
    def setUp(self):
        super().setUp()
        with open(os.path.join(ROOT, "man", "kns-api.7"), encoding="utf-8") as f:
            self.manual = f.read()

    def assert_told(self, word):
        self.assertTrue(re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(word), self.manual), "kns-api(7) says nothing of %s" % word)

    def test_every_route_and_parameter_stands_in_the_manual(self):
        with open(os.path.join(ROOT, "daemon", "routes.c"), encoding="utf-8") as f:
            table = f.read()
        routes = re.findall(r'\{"([A-Z]+)", "(/[^"{]*)', table)
        self.assertGreater(len(routes), 40)
        for method, path in routes:
            self.assertTrue("%s %s" % (method, path) in self.manual, "kns-api(7) says nothing of %s %s" % (method, path))
        for words in re.findall(r'" ([a-z_ ]+) ",\s*(?:true|false)\}', table):
            for word in words.split():
                self.assert_told(word)

    def test_every_member_of_what_is_answered_stands_in_the_manual(self):
        self.feed("a", [entry(1)])
        self.origin.put("/a", status=503)
        self.knsd.refresh()

        def tell(value):
            if isinstance(value, dict):
                for name, inner in value.items():
                    self.assert_told(name)
                    tell(inner)
            for inner in value if isinstance(value, list) else []:
                tell(inner)

        # What stands in JSON Feed is its own manual's.
        for path in ("/v1/status", "/v1/feeds", "/v1/feeds/1/polls", "/v1/items/1/why"):
            tell(self.knsd.get(path))
        tell(self.knsd.get("/v1/items/1")["_kns"])

    def test_every_health_of_a_feed_stands_in_the_manual(self):
        with open(os.path.join(ROOT, "lib", "store", "feeds.c"), encoding="utf-8") as f:
            names = re.search(r"kns_feed_health_name\(.*?\{(?:[^{]*)\{(.*?)\}", f.read(), re.DOTALL).group(1)
        names = re.findall(r'"([a-z-]+)"', names)
        self.assertEqual(len(names), 9)
        for name in names:
            self.assert_told(name)


class Protocol(Case):
    ROUTES = (("/v1/items", "GET"), ("/v1/items/1", "GET, PATCH"), ("/v1/items/1/why", "GET"), ("/v1/feeds", "GET, POST"),
              ("/v1/feeds/1", "GET, PATCH, DELETE"), ("/v1/feeds/1/polls", "GET"), ("/v1/feeds/1/refresh", "POST"), ("/v1/refresh", "POST"),
              ("/v1/opml", "GET, POST"), ("/v1/digest", "GET"), ("/v1/events", "GET"), ("/v1/status", "GET"), ("/v1/backup", "POST"),
              ("/v1/check", "POST"), ("/metrics", "GET"), ("/healthz", "GET"))

    def talk(self, bytes_sent, patience=10):
        """Sends bytes and half-closes; all that comes back."""
        s = self.knsd.connect(patience)
        self.addCleanup(s.close)
        s.sendall(bytes_sent)
        s.shutdown(socket.SHUT_WR)
        got = b""
        while True:
            piece = s.recv(1 << 16)
            if not piece:
                return got
            got += piece

    def test_a_method_that_is_not_taken_names_those_that_are(self):
        for path, taken in self.ROUTES:
            allowed = self.knsd.api("TRACK", path).headers["Allow"]
            self.assertLessEqual(set(taken.split(", ")), set(allowed.split(", ")), path)
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(allowed.split(", ")):
                answer = self.knsd.api(method, path)
                self.assert_problem(answer, 405, path)
                self.assertEqual(answer.headers["Allow"], allowed, path)
            self.assertEqual("HEAD" in allowed, "GET" in allowed, path)
            options = self.knsd.api("OPTIONS", path)
            self.assertEqual((options.status, options.body, options.headers["Allow"]), (204, b"", allowed), path)

    def test_a_request_may_name_the_whole_url(self):
        for url in (b"http://kns/healthz", b"https://kns.example.org:8/healthz"):
            got = self.talk(b"GET " + url + b" HTTP/1.1\r\nHost: kns\r\nConnection: close\r\n\r\n")
            self.assertTrue(got.startswith(b"HTTP/1.1 200 "), got)
        got = self.talk(b"GET http://kns HTTP/1.1\r\nHost: kns\r\nConnection: close\r\n\r\n")
        self.assertTrue(got.startswith(b"HTTP/1.1 404 "), got)

    def test_every_get_has_its_head_without_a_body(self):
        self.feed("a", [entry(1)])
        for path, allowed in self.ROUTES:
            if "GET" not in allowed or path == "/v1/events":
                continue
            get, head = self.knsd.api("GET", path), self.knsd.api("HEAD", path)
            self.assertEqual((head.status, head.body), (get.status, b""), path)
            self.assertEqual(head.headers["Content-Type"], get.headers["Content-Type"], path)
            if path not in ("/v1/status", "/metrics"):
                self.assertEqual(head.headers["Content-Length"], str(len(get.body)), path)
        self.assertIn(b"200 OK", self.talk(b"HEAD /v1/events HTTP/1.1\r\nHost: kns\r\nConnection: close\r\n\r\n"))

    def test_what_is_not_there_is_404(self):
        for path in ("/", "/v1", "/v1/", "/v1/items/", "/v1/items/abc", "/v1/items/1x", "/v1/items/-1", "/v2/items", "/v1/feeds/1/nothing", "/healthz/",
                     "/v1/items/" + "9" * 19, "/../../etc/passwd", "/%00", "/" + "x" * 5000):
            self.assert_problem(self.knsd.api("GET", path), 404)
        self.assert_problem(self.knsd.api("GET", "/v1/items/0"), 404)

    def test_a_connection_is_kept_and_requests_may_be_pipelined(self):
        got = self.talk(b"GET /healthz HTTP/1.1\r\nHost: kns\r\n\r\n" * 3 + b"GET /v1/feeds HTTP/1.1\r\nHost: kns\r\n\r\n"
                        + b"GET /healthz HTTP/1.1\r\nHost: kns\r\nConnection: close\r\n\r\n")
        self.assertEqual(got.count(b"HTTP/1.1 200 OK"), 5, got)
        self.assertIn(b"[]", got)

    def test_http_1_0_is_answered_and_closed(self):
        self.assertTrue(self.talk(b"GET /healthz HTTP/1.0\r\n\r\n").endswith(b"ok\n"))

    def test_requests_that_are_no_http_are_refused_and_the_daemon_goes_on(self):
        for nonsense in (b"\r\n\r\n", b"GET\r\n\r\n", b"\x00\x01\x02\x03\r\n\r\n", b"GET /healthz HTTP/9.9\r\n\r\n", b"GET /healthz\r\n\r\n",
                         b"A" * 100000, b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\nHost: kns\r\n\r\n",
                         b"GET /healthz HTTP/1.1\r\nHost: kns\r\nX: " + b"h" * 200000 + b"\r\n\r\n",
                         b"POST /v1/feeds HTTP/1.1\r\nHost: kns\r\nContent-Length: x\r\n\r\n", b"POST /v1/feeds HTTP/1.1\r\nHost: kns\r\nContent-Length: -1\r\n\r\n",
                         b"POST /v1/feeds HTTP/1.1\r\nHost: kns\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                         b"GET /healthz HTTP/1.1\r\nHost: kns\r\n" + b"X: y\r\n" * 20000 + b"\r\n"):
            try:
                got = self.talk(nonsense)
            except (ConnectionError, socket.timeout):
                got = b""
            self.assertNotIn(b" 200 OK", got.split(b"\r\n")[0], nonsense[:40])
            self.assertEqual(self.knsd.api("GET", "/healthz").status, 200)

    def test_a_request_has_one_host_and_one_length(self):
        """RFC 9112, 3.2, 6.1 and 6.3."""
        get, post, two = b"GET /healthz HTTP/1.1\r\n", b"POST /v1/refresh HTTP/1.1\r\nHost: kns\r\n", b"\r\n\r\n{}"
        for refused in (get + b"\r\n", get + b"Host: a\r\nHost: b\r\n\r\n", get + b"Host: a\r\nHost: a\r\n\r\n", get + b"Host: a b\r\n\r\n",
                        get + b"Host: a/b\r\n\r\n", get.replace(b"/healthz", b"http://kns/healthz") + b"\r\n",
                        b"GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
                        post + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        post + b"Content-Length: 2\r\nContent-Length: 3" + two, post + b"Content-Length: 2\r\nContent-Length: 2" + two,
                        post + b"Content-Length: 2, 2" + two, post + b"Content-Length: +2" + two, post + b"Transfer-Encoding: gzip" + two,
                        post + b"Transfer-Encoding: gzip, chunked" + two, post + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"):
            got = self.talk(refused)
            self.assertTrue(got.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 ")), (refused, got[:200]))
        for taken in (get + b"Host: kns\r\n\r\n", get + b"Host:\r\n\r\n", get + b"host: [::1]:80\r\n\r\n", b"GET /healthz HTTP/1.0\r\n\r\n",
                      post + b"Content-Length: 2" + two, post + b"Transfer-Encoding: Chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n"):
            got = self.talk(taken)
            self.assertRegex(got, rb"^HTTP/1\.[01] 20[02] ", taken)

    def test_clients_that_never_come_to_an_end_keep_nobody_out(self):
        for sent in (b"", b"GET /healthz HTTP/1.1\r\nHost: kns\r\nX-Slow: ", b"POST /v1/opml HTTP/1.1\r\nHost: kns\r\nContent-Length: 100\r\n\r\n<",
                     b"POST /v1/opml HTTP/1.1\r\nHost: kns\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<"):
            lazy = [self.knsd.connect() for _ in range(100)]
            for s in lazy:
                s.sendall(sent)
            for turn in range(3):
                self.assertEqual(self.knsd.api("GET", "/v1/status").status, 200)
                for s in lazy if sent else ():
                    s.sendall(b"a")
            for s in lazy[::2]:
                s.shutdown(socket.SHUT_WR)
            self.assertEqual(self.knsd.api("GET", "/v1/items").status, 200)
            for s in lazy:
                s.close()

    def test_more_clients_than_there_is_room_for_leave_the_daemon_well(self):
        for _ in range(3):
            clients = [self.knsd.connect(20) for _ in range(700)]  # 512 find room
            for s in clients:
                with contextlib.suppress(ConnectionError):
                    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: kns\r\n\r\n")
            served = 0
            for s in clients:
                with contextlib.suppress(ConnectionError):  # a time-out is one who was forgotten
                    served += s.recv(1000).startswith(b"HTTP/1.1 200 ")
                s.close()
            self.assertGreaterEqual(served, 500)
        wait_until(lambda: self.knsd.api("GET", "/healthz").status == 200, "there is room again")
        self.knsd.stop()

    def test_a_body_may_come_in_chunks_and_byte_by_byte(self):
        url = self.origin.put("/a", rss([entry(1)]))
        body = json.dumps({"url": url}).encode()
        chunked = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]) for i in range(0, len(body), 7)) + b"0\r\n\r\n"
        got = self.talk(b"POST /v1/feeds HTTP/1.1\r\nHost: kns\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked, 30)
        self.assertIn(b"201 Created", got)
        s = self.knsd.connect()
        self.addCleanup(s.close)
        for byte in b"PATCH /v1/items/1 HTTP/1.1\r\nHost: kns\r\nContent-Length: 13\r\n\r\n{\"read\":true}":
            s.sendall(bytes([byte]))
        self.assertIn(b"200 OK", s.recv(200))

    def test_expect_100_continue_is_continued(self):
        s = self.knsd.connect()
        self.addCleanup(s.close)
        s.sendall(b"POST /v1/refresh HTTP/1.1\r\nHost: kns\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        self.assertIn(b"100 Continue", s.recv(100))
        s.sendall(b"{}")
        self.assertIn(b"202 Accepted", s.recv(1000))

    def test_a_body_at_the_limit_is_read_and_one_above_is_refused(self):
        below = self.knsd.api("POST", "/v1/opml", b" " * MAX_BODY)
        self.assertIn(below.status, (400, 422), "read to its end: it is only no OPML")
        s = self.knsd.connect()
        self.addCleanup(s.close)
        s.sendall(b"POST /v1/opml HTTP/1.1\r\nHost: kns\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1))
        self.assertIn(b" 413 ", s.recv(200), "what announces too much is not waited for")
        chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
        t = self.knsd.connect()
        self.addCleanup(t.close)
        t.sendall(b"POST /v1/opml HTTP/1.1\r\nHost: kns\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(33):
            t.sendall(chunk)
        t.sendall(b"0\r\n\r\n")
        self.assertIn(b" 413 ", t.recv(200), "nor is what turns out to be")

    def test_who_hangs_up_in_the_middle_disturbs_nobody(self):
        self.feed("a", [entry(n, text="x" * 20000) for n in range(100)])
        for sent in (b"G", b"GET /v1/items HTTP/1.1\r\nHost: kns\r\n\r\n", b"POST /v1/opml HTTP/1.1\r\nHost: kns\r\nContent-Length: 1000\r\n\r\n<opml>",
                     b"GET /v1/events?since=0 HTTP/1.1\r\nHost: kns\r\n\r\n", b"POST /v1/check HTTP/1.1\r\nHost: kns\r\nContent-Length: 0\r\n\r\n",
                     b"PATCH /v1/items/1 HTTP/1.1\r\nHost: kns\r\nContent-Length: 13\r\n\r\n{\"read\":true}"):
            for _ in range(10):
                s = self.knsd.connect()
                s.sendall(sent)
                s.close()
        self.assertEqual(self.knsd.api("GET", "/v1/items?limit=1").status, 200)
        self.knsd.stop()

    def test_a_slow_reader_of_a_large_answer_gets_all_of_it_while_others_are_served(self):
        self.feed("a", [entry(n, text="y" * 30000) for n in range(100)])
        slow = self.knsd.connect()
        self.addCleanup(slow.close)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /v1/items?limit=1000 HTTP/1.1\r\nHost: kns\r\nConnection: close\r\n\r\n")
        got = slow.recv(1000)
        for _ in range(20):
            self.assertEqual(self.knsd.api("GET", "/v1/status").status, 200)
        while True:
            piece = slow.recv(1 << 16)
            if not piece:
                break
            got += piece
        header, body = got.split(b"\r\n\r\n", 1)
        self.assertIn(b"Content-Length: %d" % len(body), header)
        self.assertEqual(len(json.loads(body)["items"]), 100)

    def test_many_clients_at_once_are_all_answered(self):
        self.feed("a", [entry(n) for n in range(30)])
        failures = []

        def ask():
            try:
                for _ in range(10):
                    if len(self.knsd.get("/v1/items?limit=1000")["items"]) != 30:
                        failures.append("not all items")
            except Exception as error:  # whatever it was, the test fails with it
                failures.append(repr(error))

        threads = [threading.Thread(target=ask) for _ in range(24)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(failures, [])

    def test_writes_of_many_clients_are_all_kept(self):
        self.feed("a", [entry(n) for n in range(40)])
        ids = [i["id"] for i in self.knsd.all_items()]
        threads = [threading.Thread(target=self.knsd.api, args=("PATCH", "/v1/items/" + i, {"starred": True})) for i in ids]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(self.knsd.all_items("&starred=1")), 40)


if __name__ == "__main__":
    unittest.main()

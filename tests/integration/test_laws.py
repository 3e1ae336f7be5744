"""The laws of the house (ARCHITECTURE.md), each with tests that a breach would fail:

1. A validator is stored with the items it vouches for, and only after the whole body (Validators):
     test_a_body_that_broke_off_leaves_no_validator_so_that_the_rest_is_asked_for
     test_a_kill_in_the_middle_of_a_body_keeps_the_old_validator_and_loses_nothing
     test_whenever_it_is_killed_who_has_a_validator_has_the_items
     test_what_is_no_feed_does_not_replace_the_validator
2. One article is one item (Identity):
     test_one_article_in_many_spellings_and_feeds_is_one_item_with_all_its_feeds
     test_different_articles_stay_different
     test_where_the_url_tells_nothing_the_guid_does_and_else_title_and_date
     test_an_edited_and_a_moved_entry_keep_their_id_their_flags_and_are_not_new_again
3. Memory is bounded by configuration, not by what a server sends (Bounds):
     test_a_body_is_read_up_to_the_limit_and_no_further
     test_what_is_small_on_the_wire_and_large_inside_is_stopped_at_the_limit
     test_depth_attributes_and_entities_have_their_limits
     test_a_body_without_end_is_ended
     test_a_slow_clients_buffer_is_bounded
     test_transfers_in_flight_are_as_many_as_configured
4. UTF-8 goes in, sanitised HTML comes out (Text):
     test_whatever_bytes_a_feed_has_what_is_stored_and_answered_is_utf_8
     test_html_that_leaves_has_been_through_the_sanitiser_everywhere
5. A poll is polite (Politeness):
     test_a_poll_says_who_we_are_and_sends_validators_back_byte_for_byte
     test_what_one_feed_of_a_site_was_told_holds_for_all_of_it_and_over_a_restart
     test_it_comes_no_sooner_than_it_was_asked_to
     test_failures_are_met_with_longer_waits_and_gone_with_none
6. Credentials appear nowhere (Secrets):
     test_credentials_are_in_no_list_log_export_event_or_error
     test_credentials_do_not_follow_a_redirect_to_another_host
7. What was acknowledged is durable; what cannot be read is never overwritten (Durability):
     test_what_was_answered_is_there_after_a_kill
     test_a_database_that_cannot_be_read_is_refused_and_left_as_it_is
     test_a_database_of_a_newer_kns_is_left_alone
8. SQL in the store, names of dialects in tables, keys of the configuration in one table (Rooms):
     test_all_sql_is_in_the_store
     test_statements_are_never_put_together_from_values
     test_who_includes_whom_is_as_the_house_is_drawn
     test_names_of_feed_dialects_are_in_tables
     test_every_configuration_key_is_in_the_one_table_and_in_the_documentation
     test_every_route_stands_in_the_manual
"""
import glob
import gzip
import json
import os
import re
import sqlite3
import subprocess
import threading
import time
import unittest

from tests.integration.kns import BUILD, ROOT, Knsd, Origin, entry, opml, rss, wait_until

CTL = os.path.join(BUILD, "bin", "knsctl")
# Sanitizers keep what is freed and shadow the rest.
MEMORY = 8 if "san" in os.path.basename(BUILD) else 1
VALIDATORS = {"ETag": '"v1"', "Last-Modified": "Mon, 02 Nov 2026 08:00:00 GMT"}


class Case(unittest.TestCase):
    CONFIG = ""

    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.knsd = Knsd(self.CONFIG)
        self.addCleanup(self.knsd.close)

    def feed(self, path, entries=(), headers=None, **more):
        """Subscribes to a feed of the origin; its id."""
        answer = self.knsd.add(self.origin.put(path, rss(entries), headers=headers), **more)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json["id"]

    def items(self):
        return self.knsd.all_items()

    def ctl(self, *words):
        return subprocess.run([CTL, "--socket", self.knsd.socket, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)

    def memory_mib(self):
        """The most that the daemon ever held."""
        with open("/proc/%d/status" % self.knsd.process.pid, encoding="ascii") as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) // 1024 // MEMORY


class Validators(Case):
    """Law 1."""

    def asked_conditionally(self, path):
        headers = self.origin.asked(path)[-1].headers
        return headers.get("If-None-Match") is not None or headers.get("If-Modified-Since") is not None

    def test_a_body_that_broke_off_leaves_no_validator_so_that_the_rest_is_asked_for(self):
        feed = self.feed("/a", [entry(1)])
        whole = rss([entry(1), entry(2), entry(3)])
        self.origin.put("/a", whole[:whole.index("Article 3")], headers=dict(VALIDATORS, **{"Content-Length": str(len(whole)), "Connection": "close"}))
        self.assertEqual([line["outcome"] for line in self.knsd.refresh()], ["cut"])
        stored = self.knsd.get("/v1/feeds/%d" % feed)
        self.assertNotIn("etag", stored)
        self.assertNotIn("last_modified", stored)
        self.origin.put("/a", whole, headers=VALIDATORS)
        self.knsd.refresh()
        self.assertFalse(self.asked_conditionally("/a"))
        self.assertEqual(len(self.items()), 3)
        self.assertEqual(self.knsd.get("/v1/feeds/%d" % feed)["etag"], '"v1"')

    def test_a_kill_in_the_middle_of_a_body_keeps_the_old_validator_and_loses_nothing(self):
        self.feed("/a", [entry(1)], headers=VALIDATORS)
        never = threading.Event()
        self.addCleanup(never.set)
        self.origin.put("/a", rss([entry(2), entry(1)]), headers={"ETag": '"v2"'}, before=never)
        before = self.origin.count()
        waiting = subprocess.Popen([CTL, "--socket", self.knsd.socket, "refresh", "--wait", "--force"], stderr=subprocess.DEVNULL)
        wait_until(lambda: self.origin.count() > before, "the poll began")
        self.knsd.kill()
        waiting.wait(30)
        self.knsd.start()
        self.origin.put("/a", rss([entry(2), entry(1)]), headers={"ETag": '"v2"'})
        self.knsd.refresh()
        self.assertEqual(self.origin.asked("/a")[-1].headers["If-None-Match"], '"v1"')
        self.assertEqual(len(self.items()), 2)

    def test_whenever_it_is_killed_who_has_a_validator_has_the_items(self):
        feeds = 40
        for n in range(feeds):
            self.origin.put("/%d" % n, rss([entry("%d-%d" % (n, i)) for i in range(3)]), headers={"ETag": '"%d"' % n})
        self.knsd.api("POST", "/v1/opml", opml([self.origin.base + "/%d" % n for n in range(feeds)]))
        for pause in (0.03, 0.08, 0.15, 0.3, 0.6):
            self.knsd.api("POST", "/v1/refresh?force=1")
            time.sleep(pause)
            self.knsd.kill()
            with sqlite3.connect("file:%s?mode=rw" % os.path.join(self.knsd.state, "kns.db"), uri=True) as db:
                self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.knsd.start()
            for feed in self.knsd.get("/v1/feeds"):
                self.assertIn(feed["items"], (3,) if "etag" in feed else (0, 3), feed["url"])
        self.knsd.refresh()
        self.assertEqual(len(self.items()), feeds * 3)

    def test_what_is_no_feed_does_not_replace_the_validator(self):
        feed = self.feed("/a", [entry(1)], headers=VALIDATORS)
        for body, status in (("<!doctype html><p>Maintenance", 200), ("oops", 500)):
            self.origin.put("/a", body, status, headers={"ETag": '"maintenance"'})
            self.knsd.refresh()
            self.assertEqual(self.knsd.get("/v1/feeds/%d" % feed)["etag"], '"v1"')


class Identity(Case):
    """Law 2."""

    def test_one_article_in_many_spellings_and_feeds_is_one_item_with_all_its_feeds(self):
        spellings = ("https://example.org/a?id=1", "HTTPS://EXAMPLE.org:443/a?id=1#top", "https://example.org/a?id=1&utm_source=x&utm_medium=y",
                     "https://example.org/a?fbclid=1&id=1", "https://example.org/./b/../a?id=1", "https://example.org/%61?id=1&gclid=z")
        for n, url in enumerate(spellings):
            self.feed("/%d" % n, [dict(entry(n), link=url, guid="own-%d" % n)])
        items = self.items()
        self.assertEqual(len(items), 1)
        self.assertEqual(items[0]["url"], spellings[0], "the URL shown is the one that the feed gave")
        self.assertEqual([f["id"] for f in items[0]["_kns"]["feeds"]], list(range(1, len(spellings) + 1)))

    def test_different_articles_stay_different(self):
        links = ("https://example.org/a?id=1", "https://example.org/a?id=2", "https://example.org/A?id=1", "http://example.org:8080/a?id=1", "https://example.org/a/?id=3")
        self.feed("/a", [dict(entry(n), link=link, guid="g%d" % n, title="T%d" % n) for n, link in enumerate(links)])
        self.assertEqual(len(self.items()), len(links))

    def test_where_the_url_tells_nothing_the_guid_does_and_else_title_and_date(self):
        same = "https://example.org/changes"
        self.feed("/guids", [dict(entry(n), link=same, guid="release-%d" % n) for n in range(3)])
        self.assertEqual(len(self.items()), 3)
        self.knsd.refresh()
        self.assertEqual(len(self.items()), 3)
        bare = "<rss version='2.0'><channel><title>x</title>%s</channel></rss>" % "".join(
            "<item><title>Note %d</title><description>d</description><pubDate>Mon, 02 Nov 2026 0%d:00:00 GMT</pubDate></item>" % (n, n) for n in range(3))
        self.knsd.add(self.origin.put("/bare", bare))
        self.assertEqual(len(self.items()), 6)
        self.knsd.refresh()
        self.assertEqual(len(self.items()), 6)

    def test_an_edited_and_a_moved_entry_keep_their_id_their_flags_and_are_not_new_again(self):
        self.feed("/a", [dict(entry(1), guid="one")])
        before = self.items()[0]
        self.knsd.api("PATCH", "/v1/items/" + before["id"], {"read": True, "starred": True})
        self.origin.put("/a", rss([dict(entry(1, title="Edited"), guid="one")]))
        line = self.knsd.refresh()[0]
        self.assertEqual((line["new_items"], line["updated_items"]), (0, 1))
        self.origin.put("/a", rss([dict(entry("elsewhere", title="Edited"), guid="one")]))
        self.assertEqual(self.knsd.refresh()[0]["new_items"], 0)
        self.knsd.stop()
        self.knsd.start()
        self.knsd.refresh()
        after = self.items()
        self.assertEqual([(i["id"], i["title"], i["url"], i["_kns"]["read"], i["_kns"]["starred"]) for i in after],
                         [(before["id"], "Edited", "https://example.org/elsewhere", True, True)])
        self.assertEqual(after[0]["_kns"]["first_seen"], before["_kns"]["first_seen"])


class Bounds(Case):
    """Law 3."""

    CONFIG = "[poll]\nmax_size = 1M\nprivate_networks = always\n"

    def refused(self, path, body, headers=None):
        """Adds what is too much; it must be refused within bounds, and the daemon be none the worse. What was said."""
        answer = self.knsd.add(self.origin.put(path, body, headers=headers))
        self.assertIn(answer.status, (413, 422, 502), answer.body[:300])
        self.assertEqual(self.knsd.api("GET", "/healthz").status, 200)
        return answer.json["detail"]

    def test_a_body_is_read_up_to_the_limit_and_no_further(self):
        self.feed("/small", [entry(1, text="x" * 900000)])
        self.assertIn("max_size", self.refused("/large", rss([entry(2, text="x" * 1100000)])))
        self.assertEqual(len(self.items()), 1)

    def test_what_is_small_on_the_wire_and_large_inside_is_stopped_at_the_limit(self):
        bomb = gzip.compress(rss([entry(1, text="x" * (400 << 20))]).encode(), 9)
        self.assertLess(len(bomb), 1 << 20)
        before = self.memory_mib()
        self.refused("/bomb", bomb, {"Content-Encoding": "gzip"})
        self.assertLess(self.memory_mib() - before, 64)

    def test_depth_attributes_and_entities_have_their_limits(self):
        deep = "<rss version='2.0'><channel><title>x</title>%s" % ("<a>" * 150000)
        wide = "<rss version='2.0' %s><channel><title>x</title></channel></rss>" % " ".join("a%d='1'" % n for n in range(80000))
        laughs = "<!DOCTYPE r [<!ENTITY a '%s'>%s]><rss version='2.0'><channel><title>&j;</title></channel></rss>" % (
            "ha" * 10, "".join("<!ENTITY %s '%s'>" % (chr(98 + n), ("&%s;" % chr(97 + n)) * 10) for n in range(9)))
        before = self.memory_mib()
        for path, body in (("/deep", deep), ("/wide", wide), ("/laughs", laughs)):
            answer = self.knsd.add(self.origin.put(path, body))
            self.assertIn(answer.status, (201, 413, 422, 502), path)
            self.assertEqual(self.knsd.api("GET", "/healthz").status, 200)
        self.assertLess(self.memory_mib() - before, 64)
        self.assertFalse([f for f in self.knsd.get("/v1/feeds") if len(f["title"]) > 100000])

    def test_a_body_without_end_is_ended(self):
        def pour(handler):
            try:
                for _ in range(4096):
                    handler.wfile.write(b"10000\r\n" + b"<item><title>more</title></item>" * 2048 + b"\r\n")
            except OSError:
                poured.set()

        poured = threading.Event()
        serve = self.origin.serve

        def endless(handler):
            if handler.path != "/endless":
                serve(handler)
                return
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(b"30\r\n<rss version='2.0'><channel><title>x</title>     \r\n")
            pour(handler)

        self.origin.serve = endless
        answer = self.knsd.add(self.origin.base + "/endless")
        self.assertIn(answer.status, (201, 413, 422, 502), answer.body[:200])
        self.assertTrue(poured.wait(30), "the connection is closed on it")
        self.assertLess(self.memory_mib(), 256)

    def test_a_slow_clients_buffer_is_bounded(self):
        lazy = self.knsd.connect()
        self.addCleanup(lazy.close)
        lazy.sendall(b"GET /v1/events?since=0 HTTP/1.1\r\nHost: kns\r\n\r\n")
        before = self.memory_mib()
        for n in range(60):
            self.feed("/%d" % n, [entry("%d" % n, text="<p>" + "w " * 400000 + "</p>")])
        self.assertEqual(len(self.items()), 60)
        self.assertLess(self.memory_mib() - before, 256)

    def test_transfers_in_flight_are_as_many_as_configured(self):
        self.knsd.stop()
        self.knsd.configure("[poll]\nconcurrency = 3\nper_host = 100\nprivate_networks = always\n")
        self.knsd.start()
        gate, now, most, lock = threading.Event(), [0], [0], threading.Lock()
        serve = self.origin.serve

        def counted(handler):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            gate.wait(1.0)
            with lock:
                now[0] -= 1
            serve(handler)

        for n in range(12):
            self.origin.put("/%d" % n, rss([entry(n)]))
        self.origin.serve = counted
        self.knsd.api("POST", "/v1/opml", opml([self.origin.base + "/%d" % n for n in range(12)]))
        self.knsd.refresh()
        wait_until(lambda: len(self.items()) == 12, "all are polled")
        self.assertLessEqual(most[0], 3)


class Text(Case):
    """Law 4."""

    def test_whatever_bytes_a_feed_has_what_is_stored_and_answered_is_utf_8(self):
        body = ("<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>B\xff\xfed</title>"
                "<item><title>a\xc0\x80b\xed\xa0\x80c\xf5 \x80</title><link>https://example.org/\xff</link><description>\xe3\x81 cut</description>"
                "<author>\xa0\xa0</author><category>\xc3</category></item></channel></rss>").encode("latin-1")
        self.assertEqual(self.knsd.add(self.origin.put("/bad", body)).status, 201)
        sjis = "<?xml version='1.0' encoding='Shift_JIS'?><rss version='2.0'><channel><title>日本</title><item><title>機械学習</title><link>https://example.org/s</link></item></channel></rss>"
        self.assertEqual(self.knsd.add(self.origin.put("/sjis", sjis.encode("shift_jis"))).status, 201)
        self.assertIn("機械学習", [i["title"] for i in self.items()])
        for path in ("/v1/items", "/v1/feeds", "/v1/opml", "/v1/status", "/metrics") + tuple("/v1/digest?format=" + f for f in ("html", "atom", "opml", "markdown", "text", "jsonfeed", "eml")):
            self.knsd.api("GET", path).body.decode("utf-8", "strict")
        self.knsd.stop()
        with sqlite3.connect(os.path.join(self.knsd.state, "kns.db")) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%search_%'").fetchall():
                for row in db.execute('SELECT * FROM "%s"' % table):
                    for value in row:
                        if isinstance(value, str):
                            value.encode("utf-8", "strict")

    HOSTILE = ("<p onclick=\"alert(1)\">Text</p><script>alert(2)</script><img src=x onerror=alert(3)><a href=\"javascript:alert(4)\">link</a>"
               "<iframe src=\"https://evil.example/\"></iframe><style>*{}</style><svg><script>alert(5)</script></svg><object data=x></object>"
               "<a href=\"JaVa&#x09;Script:alert(6)\">two</a><form action=/x><input></form><base href=\"https://evil.example/\"><meta http-equiv=refresh content=0>")

    def test_html_that_leaves_has_been_through_the_sanitiser_everywhere(self):
        self.feed("/a", [entry(1, title="<script>alert(7)</script> & <img src=x onerror=alert(8)>", text=self.HOSTILE)])
        item = self.items()[0]
        note = {"note": "<script>alert(9)</script>"}
        self.knsd.api("PATCH", "/v1/items/" + item["id"], note)
        harmful = re.compile(r"(?i)<script|<iframe|<object|<form|<base|<meta http-equiv=.?refresh|<svg|\son[a-z]+\s*=\s*[\"']?alert|href=.?\s*java")
        for text in (item.get("content_html", ""), item["_kns"].get("summary_html", ""), self.knsd.get("/v1/items/" + item["id"])["_kns"].get("note_html", "")):
            self.assertIsNone(harmful.search(text), text)
        event = self.knsd.connect()
        self.addCleanup(event.close)
        event.sendall(b"GET /v1/events?since=0&kinds=item HTTP/1.1\r\nHost: kns\r\n\r\n")
        got = b""
        while b"event: item" not in got or not got.endswith(b"\n\n\r\n"):
            got += event.recv(65536)
        data = json.loads(re.search(rb"data: (.*)\n", got).group(1))
        self.assertIsNone(harmful.search(data.get("content_html", "") + data["_kns"].get("summary_html", "")))
        html = self.knsd.api("GET", "/v1/digest?format=html").body.decode("utf-8")
        self.assertIsNone(harmful.search(html), harmful.search(html) and harmful.search(html).group(0))
        feed = json.loads(self.knsd.api("GET", "/v1/digest?format=jsonfeed").body)
        self.assertIsNone(harmful.search("".join(i.get("content_html", "") for i in feed["items"])))
        for name in ("atom",):
            import xml.etree.ElementTree as ElementTree  # the text that a reader would render as HTML
            root = ElementTree.fromstring(self.knsd.api("GET", "/v1/digest?format=" + name).body)
            for element in root.iter():
                if element.get("type") == "html":
                    self.assertIsNone(harmful.search(element.text or ""), element.text)


class Politeness(Case):
    """Law 5."""

    def test_a_poll_says_who_we_are_and_sends_validators_back_byte_for_byte(self):
        odd = {"ETag": 'W/"odd, \'tag\'; \\ x"', "Last-Modified": "Mon,  2 Nov 2026 08:00:00 +0000"}
        self.feed("/a", [entry(1)], headers=odd)
        self.knsd.refresh()
        headers = self.origin.asked("/a")[-1].headers
        self.assertEqual((headers["If-None-Match"], headers["If-Modified-Since"]), (odd["ETag"], odd["Last-Modified"]))
        self.assertRegex(headers["User-Agent"], r"^kns/\S+ \(\+https?://.+\)$")
        self.assertIn("gzip", headers["Accept-Encoding"])

    def test_what_one_feed_of_a_site_was_told_holds_for_all_of_it_and_over_a_restart(self):
        for name in "abc":
            self.feed("/" + name, [entry(name)])
        self.origin.put("/a", status=429, headers={"Retry-After": "3600"})
        lines = self.knsd.api("POST", "/v1/refresh?wait=1", {"feeds": [1], "force": True}).lines
        self.assertEqual(lines[0]["outcome"], "throttled")
        for restart in (False, True):
            if restart:
                self.knsd.stop()
                self.knsd.start()
            before = self.origin.count()
            lines = self.knsd.api("POST", "/v1/refresh?wait=1").lines
            self.assertEqual([line["skipped"] for line in lines], [True] * 3, lines)
            self.assertEqual(self.origin.count(), before, "nobody of that site is asked")

    def test_it_comes_no_sooner_than_it_was_asked_to(self):
        now = time.time()
        a = self.feed("/a", [entry(1)], headers={"Cache-Control": "max-age=7200"})
        b = self.knsd.add(self.origin.put("/b", rss([entry(2)]).replace("<link>", "<ttl>300</ttl><link>", 1))).json["id"]
        for feed, least in ((a, 7200), (b, 300 * 60)):
            at = self.knsd.get("/v1/feeds/%d" % feed)["next_poll_at"]
            self.assertGreaterEqual(time.mktime(time.strptime(at, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone, int(now) + least, at)

    def test_failures_are_met_with_longer_waits_and_gone_with_none(self):
        feed = self.feed("/a", [entry(1)])
        waits = []
        self.origin.put("/a", status=500)
        for _ in range(4):
            self.knsd.refresh()
            waits.append(self.knsd.get("/v1/feeds/%d" % feed)["interval_seconds"])
        self.assertEqual(waits, sorted(waits))
        self.assertGreaterEqual(waits[3], 4 * waits[0])
        self.origin.put("/a", status=410)
        self.knsd.refresh()
        gone = self.knsd.get("/v1/feeds/%d" % feed)
        self.assertEqual(gone["state"], "gone")
        self.assertNotIn("next_poll_at", gone)


class Secrets(Case):
    """Law 6."""

    PASSWORD, TOKEN, COOKIE, INLINE = "pa55-w0rd", "t0ken-s3cret", "c00kie-s3cret", "inl1ne-s3cret"

    def test_credentials_are_in_no_list_log_export_event_or_error(self):
        self.knsd.stop()
        self.knsd.configure("[daemon]\nlog_level = debug\n[poll]\nproxy =\n")
        self.knsd.start()
        url = self.origin.put("/a", rss([entry(1)]))
        shown = [self.knsd.add(url, access={"user": "me", "password": self.PASSWORD, "headers": "Cookie: x=" + self.COOKIE}).body]
        self.assertIn("Basic ", self.origin.asked("/a")[-1].headers["Authorization"])
        self.assertEqual(self.origin.asked("/a")[-1].headers["Cookie"], "x=" + self.COOKIE)
        inline = self.origin.url("/b", "user:%s@" % self.INLINE)
        self.origin.put("/b", rss([entry(2)]))
        shown.append(self.knsd.add(inline).body)
        shown.append(self.knsd.add(self.origin.url("/none", "user:%s@" % self.INLINE)).body)
        shown.append(self.knsd.add(inline.replace("/b", "/b%zz")).body)
        shown.append(self.knsd.api("PATCH", "/v1/feeds/1", {"access": {"bearer_token": self.TOKEN}}).body)
        self.origin.put("/untitled", "<rss version='2.0'><channel><item><title>T</title><link>https://example.org/t</link></item></channel></rss>")
        shown.append(self.knsd.add(self.origin.url("/untitled", "user:%s@" % self.INLINE)).body)
        for status in (401, 500, 301):
            for path in ("/a", "/b"):
                self.origin.put(path, status=status, headers={"Location": inline} if status == 301 else None)
            shown.append(self.knsd.api("POST", "/v1/refresh?wait=1&force=1").body)
        for path in ("/v1/feeds", "/v1/feeds/1", "/v1/feeds/2", "/v1/feeds/1/polls", "/v1/feeds/2/polls", "/v1/items", "/v1/items/1/why", "/v1/items/2/why", "/v1/items/3/why", "/v1/opml", "/v1/status", "/metrics",
                     "/v1/digest?format=atom", "/v1/digest?format=html", "/v1/digest?format=opml", "/v1/digest?format=eml"):
            shown.append(self.knsd.api("GET", path).body)
        events = self.knsd.connect(2)
        self.addCleanup(events.close)
        events.sendall(b"GET /v1/events?since=0 HTTP/1.1\r\nHost: kns\r\n\r\n")
        try:
            while True:
                shown.append(events.recv(65536))
        except OSError:
            pass
        for words in (("feeds",), ("feeds", "--json"), ("export",), ("why", "--feed", 1), ("why", "--feed", 2), ("add", inline.replace("/b", "/none")), ("list", "--json")):
            done = self.ctl(*words)
            shown += [done.stdout, done.stderr]
        shown.append(self.knsd.log.encode())
        everything = b"\n".join(shown).decode("utf-8", "replace")
        for secret in (self.PASSWORD, self.TOKEN, self.COOKIE, self.INLINE):
            at = everything.find(secret)
            self.assertEqual(at, -1, everything[max(0, at - 200):at + 60])

    def test_credentials_do_not_follow_a_redirect_to_another_host(self):
        other = Origin()
        self.addCleanup(other.close)
        other.put("/feed", rss([entry(1)]))
        self.origin.put("/a", status=302, headers={"Location": other.base.replace("127.0.0.1", "localhost") + "/feed"})
        self.knsd.stop()
        self.knsd.configure("[poll]\nprivate_networks = always\n")
        self.knsd.start()
        self.knsd.add(self.origin.base + "/a", access={"user": "me", "password": self.PASSWORD, "headers": "Cookie: x=" + self.COOKIE})
        self.assertEqual(other.count(), 1)
        headers = other.asked("/feed")[0].headers
        self.assertIsNone(headers.get("Authorization"))
        self.assertIsNone(headers.get("Cookie"))


class Durability(Case):
    """Law 7."""

    def test_what_was_answered_is_there_after_a_kill(self):
        kept = {}
        self.feed("/a", [entry(n) for n in range(30)])
        for n, item in enumerate(self.items()):
            answer = self.knsd.api("PATCH", "/v1/items/" + item["id"], {"starred": n % 2 == 0, "note": "note %d" % n})
            self.assertEqual(answer.status, 200)
            kept[item["id"]] = (n % 2 == 0, "note %d" % n)
            if n % 10 == 9:
                self.knsd.kill()
                self.knsd.start()
        self.assertEqual(self.knsd.add(self.origin.put("/b", rss([entry("b")]))).status, 201)
        self.knsd.kill()
        self.knsd.start()
        stored = {i["id"]: (i["_kns"]["starred"], i["_kns"].get("note")) for i in self.items()}
        self.assertEqual({i: stored[i] for i in kept}, kept)
        self.assertEqual(len(self.knsd.get("/v1/feeds")), 2)

    def test_a_database_that_cannot_be_read_is_refused_and_left_as_it_is(self):
        self.feed("/a", [entry(n) for n in range(50)])
        self.knsd.stop()
        path = os.path.join(self.knsd.state, "kns.db")
        with open(path, "rb") as f:
            sound = f.read()
        for broken in (b"\x00" * len(sound), b"not a database at all " * 500, b"SQLite format 3\x00" + b"\xa5" * 8000, sound[:100] + b"\xa5" * 4000 + sound[4100:]):
            for name in os.listdir(self.knsd.state):
                if name != "kns.db":
                    os.remove(os.path.join(self.knsd.state, name))
            with open(path, "wb") as f:
                f.write(broken)
            status, _, err = self.knsd.run()
            self.assertEqual(status, 1, err)
            self.assertIn(path, err)
            with open(path, "rb") as f:
                self.assertEqual(f.read(), broken)

    def test_a_database_of_a_newer_kns_is_left_alone(self):
        self.knsd.stop()
        path = os.path.join(self.knsd.state, "kns.db")
        with sqlite3.connect(path) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            db.execute("PRAGMA user_version = %d" % (version + 1))
        status, _, err = self.knsd.run()
        self.assertEqual(status, 1)
        self.assertIn("newer", err)
        with sqlite3.connect(path) as db:
            self.assertEqual(db.execute("PRAGMA user_version").fetchone()[0], version + 1)


class Rooms(unittest.TestCase):
    """Law 8."""

    @staticmethod
    def sources(*folders):
        for folder in folders:
            for path in glob.glob(os.path.join(ROOT, folder, "**", "*.[ch]"), recursive=True):
                with open(path, encoding="utf-8") as f:
                    yield os.path.relpath(path, ROOT), f.read()

    def test_all_sql_is_in_the_store(self):
        sql = re.compile(r'"[^"\n]*\b(SELECT\s+[\w*(]|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX|VIRTUAL)|PRAGMA\s+\w|BEGIN IMMEDIATE)')
        breaches = [path for path, text in self.sources("lib", "daemon", "ctl") if sql.search(text) and not path.startswith("lib/store/")]
        self.assertEqual(breaches, [])
        self.assertTrue([path for path, text in self.sources("lib/store") if sql.search(text)], "the rule finds what it looks for")

    def test_statements_are_never_put_together_from_values(self):
        """But for the rescue of a broken database, which copies tables by the names that its schema gives; and the name
        of an index, which comes from a table of them."""
        formatted = re.compile(r'(printf|addf)\([^;]*"[^"\n]*\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b[^"\n]*(?<!INDEXED BY )%[sdl]', re.S)
        self.assertEqual([path for path, text in self.sources("lib", "daemon", "ctl") if formatted.search(text)], ["lib/store/salvage.c"])

    def test_who_includes_whom_is_as_the_house_is_drawn(self):
        done = subprocess.run(["python3", os.path.join(ROOT, "tests", "lint", "includes.py")], stdout=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout.decode())

    def test_names_of_feed_dialects_are_in_tables(self):
        """The parser's code asks for no element by its name: the tables do. But the root decides which table, and the repair of broken
        XML where an entry begins; "enclosure" is a relation of links."""
        known = {("lib/parse/root.c", "entry"), ("lib/parse/lenient.c", "item"), ("lib/parse/fields.c", "enclosure")}
        compared = re.compile(r'str(n?case)?cmp\([^;()]*"(item|entry|channel|guid|pubDate|published|enclosure|outline|description|summary|author|link|title)"')
        found = {(path, m.group(2)) for path, text in self.sources("lib/parse") for m in compared.finditer(text)}
        self.assertEqual(found - known, set())

    def test_every_configuration_key_is_in_the_one_table_and_in_the_documentation(self):
        with open(os.path.join(ROOT, "daemon", "config.c"), encoding="utf-8") as f:
            keys = re.findall(r'\{"(\w+)",\s*"(\w+)",\s*[A-Z]+,', f.read())
        self.assertGreater(len(keys), 15)
        printed = subprocess.run([os.path.join(BUILD, "bin", "knsd"), "--config", "/dev/null", "--check-config"], stdout=subprocess.PIPE, check=True, timeout=60).stdout.decode()
        with open(os.path.join(ROOT, "man", "kns.conf.5"), encoding="utf-8") as f:
            manual = f.read()
        with open(os.path.join(ROOT, "config", "kns.conf"), encoding="utf-8") as f:
            shipped = f.read()
        for section, key in keys:
            if section != "newsletter":  # there is one for each newsletter, and none at first
                part = printed[printed.index("[%s]" % section):]
                self.assertRegex(part, r"(?m)^; .+\n%s = " % key)
            self.assertRegex(manual, r"(?m)^\.It Cm (\w+ Ns = .*, Cm )?%s Ns = " % key)
            self.assertRegex(shipped, r"(?m)^[;# ]*%s\s*=" % key)

    def test_every_route_stands_in_the_manual(self):
        with open(os.path.join(ROOT, "daemon", "routes.c"), encoding="utf-8") as f:
            routes = re.findall(r'\{"([A-Z]+)",\s*"([^"]+)",\s*KNS_ROUTE', f.read())
        self.assertGreater(len(routes), 20)
        with open(os.path.join(ROOT, "man", "kns-api.7"), encoding="utf-8") as f:
            manual = re.sub(r" Ns Ar \w+( Ns Li )?", "{id}", f.read())
        for method, path in routes:
            wanted = re.sub(r"\{\w+\}", "{id}", path)
            self.assertRegex(manual, r"(?m)%s.*%s(\s|$)" % (method, re.escape(wanted)), "%s %s" % (method, path))


if __name__ == "__main__":
    unittest.main()

"""Hostile feeds, newsletters and comments, opened in Chromium as everything that KNS writes: no script runs, nothing is loaded that was not
allowed, nothing covers, widens or swallows what stands beside it.

The vectors are in tests/fixtures/hostile/vectors.json; each stands between two harmless items. What they try is told by the address
evil.example, the function canary(), and dialogs.
"""
import email
import email.policy
import json
import os
import re
import unittest
import xml.etree.ElementTree as ET

from tests.browser import chromium
from tests.integration import kns

ATOM = "{http://www.w3.org/2005/Atom}"
HERE = os.path.join(kns.ROOT, "tests")
CONFIG = """[poll]
private_networks = always
[newsletter hostile]
title = Hostile
base_url = https://site.example/
language = en
"""
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63644ffb5f0f0002a9018a5ad17d750000000049454e44ae426082")


def vectors():
    with open(os.path.join(HERE, "fixtures", "hostile", "vectors.json"), encoding="utf-8") as fp:
        return [(v["name"], v["html"] * v.get("times", 1) + v.get("end", "")) for v in json.load(fp)]


def in_xml(text):
    """As text of XML: what XML cannot hold is left out."""
    return kns.escape(re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text))


def rss_item(number, title, url, text, name, minute):
    return ("<item><title>%s</title><link>%s</link><guid isPermaLink=\"false\">g%s</guid><author>%s</author><dc:creator>%s</dc:creator><category>%s</category>"
            "<description>%s</description><content:encoded>%s</content:encoded><pubDate>Mon, 02 Nov 2026 %02d:%02d:00 GMT</pubDate></item>"
            % (in_xml(title), in_xml(url), number, in_xml(name), in_xml(name), in_xml(name), in_xml(text), in_xml(text), 23 - minute // 60, 59 - minute % 60))


def rss(title, items):
    return ('<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>%s</title><link>https://ok.example/</link><description>%s</description>%s'
            "</channel></rss>" % (in_xml(title), in_xml(title), "".join(items)))


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lacking = chromium.missing()
        if cls.lacking:
            return
        cls.vectors = vectors()
        cls.origin = kns.Origin()
        cls.addClassCleanup(cls.origin.close)
        cls.knsd = kns.Knsd(CONFIG)
        cls.addClassCleanup(cls.knsd.close)
        cls.browser = chromium.Chromium()
        cls.addClassCleanup(cls.browser.close)
        with open(os.path.join(HERE, "browser", "audit.js"), encoding="utf-8") as fp:
            cls.audit_code = fp.read()
        cls.subscribe()

    def setUp(self):
        if self.lacking:
            self.skipTest(self.lacking)

    @classmethod
    def subscribe(cls):
        """Each vector as title, author, tag, summary and content of an item, behind each an item that is not hostile."""
        items = []
        for n, (_, markup) in enumerate(cls.vectors):
            items.append(rss_item("v%d" % n, "%s %s" % (markup, n), "https://hostile.example/%d" % n, markup, markup, 2 * n))
            items.append(rss_item("s%d" % n, "Sentinel %d" % n, "https://ok.example/%d" % n, "Harmless text %d." % n, "Nobody", 2 * n + 1))
        title = cls.vectors[0][1] + "Feed\u202e" + "<b>of</b> all"
        cls.knsd.add(cls.origin.put("/all", rss(title, items)))
        cls.items = cls.knsd.all_items()

    def served(self, url):
        if url.startswith("https://img.example/"):
            return "image/png", PNG
        return ("image/png", b"") if url.endswith("/favicon.ico") else None

    def page(self, width=1280):
        return self.browser.page(width=width, served=self.served)

    def assert_harmless(self, page, markup, what, **wanted):
        """Opens the page; nothing runs, loads, asks, moves; the audit finds no fault."""
        url = "http://page.example/"
        before = len(self.browser.trap.asked)
        page.show(markup, url)
        self.poke(page)
        faults = page.run("%s(%s)" % (self.audit_code, json.dumps(wanted)))
        self.assertEqual(faults[:12], [], what)
        self.assertEqual((page.canaries, page.dialogs, page.frames, page.windows), ([], [], [], []), what)
        self.assertEqual(page.moves, [url], what)
        self.assertEqual(page.console, [], what)
        allowed = ("http://page.example/", "https://img.example/", "data:image/png")
        # A picture of a feed's own choice is what thumbnails and pictures are: declared. Everything else is not.
        loaded = set(page.requests) - set(page.run("[...document.images].flatMap(i => [i.src, i.currentSrc]).concat([...document.querySelectorAll("
                                                  "'video, audio')].flatMap(v => [v.src, v.currentSrc, v.poster])).filter(u => u).map(u => u.split('#')[0])"))
        self.assertEqual([r for r in loaded if not r.startswith(allowed)], [], what)
        leaked = [a for a in self.browser.trap.asked[before:] if re.search(r"evil|ok\.example|hostile", a) and a.startswith("CONNECT")]
        self.assertEqual([a for a in leaked if not any("https://" + a.split()[1].split(":")[0] in r for r in page.requests)], [], what)

    def poke(self, page):
        """Does what a reader does, and what events wait for."""
        page.run("""(() => {
            for (const type of ['focus', 'click', 'mouseover', 'pointerover', 'wheel', 'scroll', 'animationstart', 'transitionend', 'toggle', 'beforetoggle', 'error', 'load', 'pageshow', 'hashchange'])
              for (const node of [window, document, ...document.querySelectorAll('*')].slice(0, 4000)) {
                const event = new Event(type, {bubbles: false, cancelable: true}); event.preventDefault();
                if (!(type === 'click' && node.localName === 'a')) node.dispatchEvent(event);
              }
            for (const node of document.querySelectorAll('details')) node.open = true;
            return 0; })()""")
        self.browser.settle(0.2)

    # ---- the watch itself

    def test_the_watch_sees_what_raw_vectors_do(self):
        raw = [m for n, m in self.vectors if n in ("script", "onerror of img src=x", "frame", "form", "style position:fixed", "link, javascript",
                                                   "style position:absolute;inset:0;background-color:red", "name body")]
        with self.page() as page:
            page.show("<!DOCTYPE html><body><main>%s<script>alert(1)</script></main>" % "".join(raw))
            self.browser.settle(0.5)
            faults = "\n".join(page.run("%s({sentinels: []})" % self.audit_code))
            self.assertIn("script", page.canaries)
            self.assertEqual(page.dialogs, ["1"])
            self.assertTrue(page.frames)
            self.assertIn("https://evil.example/f", page.strangers)
            for word in ("attribute onerror", "address javascript", "position absolute", "document.body is another", "element: <form", "element: <iframe"):
                self.assertIn(word, faults)

    # ---- digests

    def digest(self, kind):
        return self.knsd.api("GET", "/v1/digest?format=%s&limit=1000" % kind).body.decode()

    def test_a_digest_is_a_harmless_page(self):
        for width in (1280, 390):
            with self.page(width) as page:
                self.assert_harmless(page, self.digest("html"), "digest at %d" % width, sentinels=list(range(len(self.vectors))))

    def test_an_html_mail_is_harmless(self):
        message = email.message_from_string(self.digest("eml"), policy=email.policy.default).get_body(("html",)).get_content()
        for what, markup in (("mail", message), ("mail without its styles", re.sub(r"(?s)<style.*?</style>", "", message))):
            with self.page(600) as page:
                self.assert_harmless(page, markup, what, sentinels=list(range(len(self.vectors))))

    # ---- issues of one's own

    def publish(self):
        """An issue, once: each vector as title and comment of an item, behind it one that is harmless; some in the introduction, too."""
        if hasattr(type(self), "published"):
            return
        ids = {i["url"]: i["id"] for i in self.items}
        lines = ["# Hostile </title><script>canary('title')</script> #1\n"]
        for n, (_, markup) in enumerate(self.vectors):
            if n % 8 == 0:
                lines.append("## Section %d %s\n\n%s\n" % (n, self.one_line(markup), self.prose(markup)))
        lines.append("---\n")
        for n, (_, markup) in enumerate(self.vectors):
            lines.append("- [%s] %s %d\n  > %s\n\n%s\n" % (ids["https://hostile.example/%d" % n], self.one_line(markup), n, self.one_line(markup), self.prose(markup)))
            lines.append("- [%s] Sentinel %d\n\nHarmless comment %d.\n" % (ids["https://ok.example/%d" % n], n, n))
        answer = self.knsd.api("POST", "/v1/issues/draft/text", "\n".join(lines).encode(), {"Content-Type": "text/plain"})
        self.assertEqual(answer.status, 200, answer.body[:400])
        answer = self.knsd.api("POST", "/v1/issues/draft/publish", {"force": True})
        self.assertEqual(answer.status, 201, answer.body[:400])
        type(self).published = True

    def one_line(self, markup):
        return re.sub(r"[\x00-\x1f]", " ", markup)

    def prose(self, markup):
        """As a comment in the text of an issue: a vector is markup, not the text's own structure."""
        return markup.replace("\x00", "\ufffd").replace("```", "``")

    def issue(self, query):
        answer = self.knsd.api("GET", "/v1/issues/1?" + query)
        self.assertEqual(answer.status, 200)
        return answer.body.decode()

    def test_an_issue_is_a_harmless_page(self):
        self.publish()
        everything = list(range(len(self.vectors)))
        message = email.message_from_string(self.issue("format=eml"), policy=email.policy.default).get_body(("html",)).get_content()
        files = {f["path"]: f["content"] for f in self.knsd.get("/v1/site")["files"]}
        for what, width, markup in (("issue", 1280, self.issue("format=html")), ("front page", 390, files["index.html"]), ("page", 1280, files["1/index.html"]),
                                    ("mail", 600, message), ("mail without its styles", 390, re.sub(r"(?s)<style.*?</style>", "", message))):
            with self.page(width) as page:
                self.assert_harmless(page, markup, what, sentinels=everything)
        with self.page(390) as page:
            self.assert_harmless(page, files["archive/index.html"], "archive", sentinels=[])

    def test_what_is_pasted_and_fed_is_harmless_in_any_page(self):
        self.publish()
        files = {f["path"]: f["content"] for f in self.knsd.get("/v1/site")["files"]}
        for what, markup in (("paste", self.issue("format=html&paste=1")), ("feed.atom", ET.fromstring(files["feed.atom"]).find(ATOM + "entry").find(ATOM + "content").text),
                             ("feed.json", json.loads(files["feed.json"])["items"][0]["content_html"])):
            with self.page() as page:
                self.assert_harmless(page, "<!DOCTYPE html><html lang=en><title>x</title><body><div class=sheet><h1>x</h1><main>%s</main>"
                                     "<footer><p>of the page: KNS</p></footer></div>" % markup, what, sentinels=list(range(len(self.vectors))))

    # ---- what the API hands out as HTML

    def assert_fragments_harmless(self, fragments, what):
        """Each fragment in a box of its own between two others; then once more as the browser wrote it out."""
        boxes = "".join('<div class="box"><p class="title">Sentinel %d</p>%s</div>' % (n, f) for n, f in enumerate(fragments))
        with self.page() as page:
            self.assert_harmless(page, "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>x</title><style>.box{overflow:hidden}</style></head>"
                                 "<body><main><h1>x</h1>%s</main></body></html>" % boxes, what, sentinels=list(range(len(fragments))), layout=False, footer=False)
            # Mutation: what the browser writes of its tree is read again, and differently where it can be.
            again = page.run("""(() => { const main = document.querySelector('main');
                const whole = [...document.querySelectorAll('.box')].every(box => box.parentElement === main);
                for (const box of document.querySelectorAll('.box')) { box.innerHTML = box.innerHTML; box.insertAdjacentHTML('beforeend', box.innerHTML); }
                return whole; })()""")
            self.assertTrue(again, what + ": a box was left")
            self.browser.settle(0.3)
            self.assertEqual((page.canaries, page.dialogs, page.frames), ([], [], []), what)

    def test_the_html_of_items_is_harmless(self):
        for name in ("content_html", "summary_html"):
            fragments = [f for f in (i.get(name) or i["_kns"].get(name) for i in self.items) if f]
            self.assertGreater(len(fragments), len(self.vectors) // 2, name)
            self.assert_fragments_harmless(fragments, name)

    def test_the_html_of_newsletters_is_harmless(self):
        """Each vector in the prose and in a comment of an issue of its own."""
        entries = []
        for n, (_, markup) in enumerate(self.vectors):
            body = ("<h2>News</h2><p>Prose <a href='https://prose.example/%d'>of a kind</a>. %s</p><hr><p><b><a href='https://one.example/%d'>One of %d</a></b></p>"
                    "<p>%s</p><p><b><a href='https://two.example/%d'>Two of %d</a></b></p><p>A comment.</p><p><b><a href='https://three.example/%d'>Three</a></b></p>"
                    "<p>Another.</p>" % (n, markup, n, n, markup, n, n, n))
            entries.append(rss_item("n%d" % n, "Letter %d" % n, "https://letters.example/%d" % n, body, "Nobody", n))
        answer = self.knsd.add(self.origin.put("/letters", rss("Letters", entries)), newsletter=True)
        self.assertIn(answer.status, (200, 201), answer.body[:300])
        items = [i for i in self.knsd.all_items("&feed=%d" % answer.json["id"])]
        notes = [c["note_html"] for i in items for c in i["_kns"].get("curated", []) if c.get("note_html")]
        self.assertGreater(len(notes), len(self.vectors))
        letters = [i["id"] for i in items if i["url"].startswith("https://letters.example/")]
        sections = [s["content_html"] for i in letters for s in self.knsd.get("/v1/items/" + i)["_kns"].get("sections", []) if s.get("content_html")]
        self.assertGreater(len(sections), len(self.vectors) // 2)
        self.assert_fragments_harmless(notes, "comments")
        self.assert_fragments_harmless(sections, "sections")


if __name__ == "__main__":
    unittest.main()

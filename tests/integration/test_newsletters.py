"""Newsletters read by `knsctl parse --newsletter`: an archive of real issues beside the repository, where there is one.

What is expected is read out of the archive's own, regular markup by a reader of a few lines that knows nothing but it.
"""
import glob
import html
import json
import os
import re
import subprocess
import sys
import unittest
import urllib.parse

from tests.integration import kns

sys.path.insert(0, os.path.join(kns.ROOT, "tests/tools"))
import make_newsletters  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCHIVE = os.environ.get("KNS_NEWSLETTERS", os.path.join(ROOT, "..", "shared", "newsletters"))
ITEM = re.compile(r"\[embed (?P<embed>\S+)\]\s*<p>(?P<embed_note>.*?)</p>\s*(?=<p>|\[embed|$)"
                  r"|<p>\s*(?:<img (?P<img>[^>]*)>\s*)?<strong style='display: block;'><a href=\"(?P<url>[^\"]*)\">(?P<title>.*?)</a>"
                  r"(?: &mdash; <a href=\"[^\"]*\">(?P<site>.*?)</a>)?</strong>(?P<description>.*?)</p>\s*"
                  r"(?:<div style='clear: both;'></div>\s*)?(?P<note><p>(?:<p>.*?</p>)+</p>)\s*(?=<p>\s*<|\[embed|$)", re.S)


def text(markup):
    """As a reader sees it, on one line; an ideographic space counts as it does on the page."""
    plain = html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"</p>|<br */?>", " ", markup or "")))
    return re.sub(r"\s+", " ", plain).strip()


def line(plain):
    return re.sub(r"\s+", " ", plain or "").strip()


def clean(url):
    url = html.unescape(url)
    parts = urllib.parse.urlsplit(url)
    query = "&".join(p for p in parts.query.split("&") if p and not p.startswith("utm_"))
    return urllib.parse.urlunsplit(parts._replace(query=query))


def links(markup):
    return [(clean(url), text(words)) for url, words in re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', markup, re.S)
            if text(words)]


def expected_sections(introduction):
    marked = re.sub(r"<p>(?:<strong>|<span [^>]*>)([^<]*)(?:</strong>|</span>)</p>", r"<h2>\1</h2>", introduction)
    pieces = re.split(r"<h2>(.*?)</h2>", marked, flags=re.S)
    return [(text(pieces[i]), pieces[i + 1]) for i in range(1, len(pieces), 2)]


def read(path, *options):
    done = subprocess.run([kns.KNSCTL, "parse", "--newsletter", *options, path], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


class Archive(unittest.TestCase):
    def setUp(self):
        self.files = sorted(glob.glob(os.path.join(ARCHIVE, "issues", "*.md")))
        if not self.files:
            self.skipTest("no archive of newsletters at " + ARCHIVE)

    def issues(self):
        for path in self.files:
            with open(path, encoding="utf-8") as fp:
                title, url, body = fp.read().split("\n", 2)
            introduction, _, items = body.partition("<hr>")
            yield title[2:], url, introduction, items, read(path)

    def test_every_item_has_its_own_title_address_picture_description_and_comment(self):
        for _, _, _, items, issue in self.issues():
            found = list(ITEM.finditer(items.strip()))
            self.assertEqual("".join(m.group(0) for m in found).replace("\n", ""), items.strip().replace("\n", ""),
                             "the expectation reads all of it")
            self.assertEqual(len(issue["items"]), len(found))
            for position, (item, wanted) in enumerate(zip(issue["items"], found), 1):
                self.assertEqual(item["_kns"]["position"], position)
                note = wanted["note"] or wanted["embed_note"]
                self.assertEqual(line(item["_kns"].get("note")), text(note))
                self.assertEqual(links(item["_kns"].get("note_html", "")), links(note))
                self.assertNotIn("section", item["_kns"])
                if wanted["embed"]:
                    self.assertEqual(item["url"], wanted["embed"])
                    self.assertNotIn("title", item)
                    continue
                self.assertEqual(item["url"], clean(wanted["url"]))
                self.assertEqual(item["title"], text(wanted["title"]))
                self.assertEqual(item["_kns"].get("site"), wanted["site"])
                self.assertEqual(line(item.get("summary")), text(wanted["description"]))
                src = re.search(r'src="([^"]*)"', wanted["img"] or "")
                self.assertEqual(item.get("image"), html.unescape(src.group(1)) if src else None)

    def test_the_introduction_keeps_its_sections_prose_and_links(self):
        for title, url, introduction, _, issue in self.issues():
            self.assertEqual((issue["title"], issue["home_page_url"]), (title, url))
            self.assertEqual(issue["_kns"]["number"], int(title.rpartition("#")[2]))
            wanted = expected_sections(introduction)
            sections = issue["_kns"]["sections"]
            self.assertEqual([s["title"] for s in sections], [t for t, _ in wanted])
            for section, (_, prose) in zip(sections, wanted):
                self.assertEqual(text(section["content_html"]), text(prose))
            mentions = [(m["section"], m["url"], line(m["text"])) for m in issue["_kns"]["mentions"]]
            self.assertEqual(mentions, [(t, u, w) for t, prose in wanted for u, w in links(prose)])
            for mention in issue["_kns"]["mentions"]:
                self.assertIn(mention["text"], mention["context"])


class Generated(unittest.TestCase):
    """Newsletters made by a seed: shapes, wrapping and programs mixed as no fixture mixes them."""

    def test_each_shape_is_read_into_what_it_was_made_of(self):
        for shape in sorted(make_newsletters.SHAPES):
            for seed in range(1, 9):
                _, body, truth = make_newsletters.make(seed, shape)
                found = make_newsletters.found_in(make_newsletters.read(kns.KNSCTL, body))
                lines = make_newsletters.differences(truth, found)
                self.assertEqual([], lines, "seed %d of %s; see it with tests/tools/make_newsletters.py" % (seed, shape))

    def test_a_wrong_reading_is_noticed(self):
        _, body, truth = make_newsletters.make(3, "heading_items")
        found = make_newsletters.found_in(make_newsletters.read(kns.KNSCTL, body))
        found["items"][-1]["note"] = "what nobody wrote"
        self.assertEqual(1, len(make_newsletters.differences(truth, found)))


class Feeds(unittest.TestCase):
    """What knsd makes of feeds of which it was told nothing, or that they are newsletters."""

    def setUp(self):
        self.origin, self.knsd = kns.Origin(), kns.Knsd()
        self.addCleanup(self.origin.close)
        self.addCleanup(self.knsd.close)

    def add(self, name, texts, **more):
        entries = [kns.entry(number, "https://blog.example/%s" % name, text=text) for number, text in enumerate(texts, 1)]
        feed = self.knsd.add(self.origin.put("/" + name, kns.rss(entries, name, "https://blog.example/")), **more).json
        return self.knsd.get("/v1/feeds/%d" % feed["id"])

    def test_a_blog_is_not_found_to_be_a_newsletter(self):
        for kind in sorted(make_newsletters.POSTS):
            with self.subTest(kind):
                feed = self.add(kind, [make_newsletters.make_post(seed, kind) for seed in range(40, 52)])
                self.assertEqual((feed["newsletter"], feed["items"]), (False, 12))

    def test_show_notes_are_no_roundups(self):
        notes = "<ul>%s</ul>" % "".join("<li><a href='https://s%d.example/'>What we spoke of</a> — a word on it</li>" % n for n in range(6))
        items = "".join("<item><title>Episode %d</title><guid>%d</guid><link>https://pod.example/%d</link><description>%s</description>"
                        "<enclosure url='https://pod.example/%d.mp3' type='audio/mpeg' length='1'/></item>" % (n, n, n, html.escape(notes), n)
                        for n in range(4))
        for name, document in (("spoken", items), ("written", re.sub("<enclosure [^>]*>", "", items))):
            url = self.origin.put("/" + name, "<rss version='2.0'><channel><title>%s</title>%s</channel></rss>" % (name, document))
            feed = self.knsd.add(url).json
            self.assertEqual(self.knsd.get("/v1/feeds/%d" % feed["id"])["newsletter"], name == "written")

    def test_a_feed_of_roundups_is_found_whatever_its_shape(self):
        for shape in sorted(set(make_newsletters.SHAPES) - {"videos", "revue"}):
            with self.subTest(shape):
                self.assertTrue(self.add(shape, [make_newsletters.make(seed, shape)[1] for seed in range(60, 68)])["newsletter"])

    def test_an_article_is_one_item_whoever_brings_it_first(self):
        letter = "<h2>Reading</h2>" + "".join(
            "<h3><a href='https://one.example/%s?utm_source=letter'>%s, as the letter calls it</a></h3><p>A word on %s, and <a href='https://see.example/'>"
            "this</a>.</p>" % (name, name, name) for name in ("early", "late"))
        post = [{"link": "https://one.example/early", "guid": "1", "title": "Early", "text": "Text"}]
        early = self.knsd.add(self.origin.put("/early", kns.rss(post))).json["id"]
        letters = self.add("letters", [letter], newsletter=True)["id"]
        post = [{"link": "https://one.example/late", "guid": "2", "title": "Late", "text": "Text"}]
        late = self.knsd.add(self.origin.put("/late", kns.rss(post))).json["id"]
        for name, own in (("early", early), ("late", late)):
            found = [i for i in self.knsd.all_items() if i["url"] == "https://one.example/" + name]
            self.assertEqual(len(found), 1)
            item = self.knsd.get("/v1/items/%s" % found[0]["id"])
            self.assertEqual(sorted(f["id"] for f in item["_kns"]["feeds"]), sorted([own, letters]))
            curated = item["_kns"]["curated"]
            self.assertEqual([(c["note"], c["section"]) for c in curated], [("A word on %s, and this." % name, "Reading")])
            self.assertEqual(curated[0]["issue"]["url"], "https://blog.example/letters/1")

    def test_an_issue_tells_of_the_links_in_its_prose(self):
        letter = ("<h2>News</h2><p>先週は<a href='https://cup.example/?utm_medium=email'>大会</a>がありました。良かったです。</p><hr>"
                  "<p><b><a href='https://a.example/1'>One</a></b></p><p>See <a href='https://b.example/'>b</a>.</p>"
                  "<p><b><a href='https://a.example/2'>Two</a></b></p><p>Good.</p>")
        feed = self.add("letters", [letter], newsletter=True)
        issue = next(i for i in self.knsd.all_items() if i["url"] == "https://blog.example/letters/1")
        told = self.knsd.get("/v1/items/%s" % issue["id"])["_kns"]
        self.assertEqual(told["mentions"], [{"url": "https://cup.example/", "text": "大会", "section": "News", "context": "先週は大会がありました。"}])
        self.assertEqual([s["title"] for s in told["sections"]], ["News"])
        # What became an item is no such link any more: a feed carries it.
        other = self.add("others", [letter], newsletter=True)
        links = {link["url"]: sorted(m["feed_id"] for m in link["mentions"]) for link in self.knsd.get("/v1/links")["links"]}
        self.assertEqual(links, {"https://cup.example/": [feed["id"], other["id"]], "https://b.example/": [feed["id"], other["id"]]})


class Files(unittest.TestCase):
    def test_a_newsletter_comes_from_standard_input_too(self):
        with open(os.path.join(ROOT, "tests/fixtures/newsletters/cards.html"), "rb") as fp:
            done = subprocess.run([kns.KNSCTL, "parse", "--newsletter", "-"], stdin=fp, stdout=subprocess.PIPE, check=True)
        self.assertEqual(len(json.loads(done.stdout)["items"]), 4)

    def test_html_goes_through_the_sanitiser_where_that_is_asked_for(self):
        path = os.path.join(ROOT, "tests/fixtures/newsletters/cards.html")
        raw, clean = read(path), read(path, "--sanitize")
        notes = [(r["_kns"].get("note_html", ""), c["_kns"].get("note_html", "")) for r, c in zip(raw["items"], clean["items"])]
        self.assertTrue(any("<a " in note for note, _ in notes))
        for before, after in notes:
            self.assertEqual(after.count(' rel="noopener noreferrer"'), before.count("<a "))
            self.assertEqual(text(after), text(before))

    def test_what_is_no_html_is_refused_in_one_line(self):
        done = subprocess.run([kns.KNSCTL, "parse", "--newsletter", "-"], input=b"hello\n", stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertEqual(done.stderr.decode().count("\n"), 1)


if __name__ == "__main__":
    unittest.main()

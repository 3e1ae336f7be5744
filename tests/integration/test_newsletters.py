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

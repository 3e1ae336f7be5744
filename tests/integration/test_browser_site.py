"""The static site, the digest as a page, and the mail, in Chromium: valid, accessible, readable, laid out as they were meant.

Two newsletters (tests/browser/letters.py) are made by the real programs; pages are looked at on a phone and a desk, by day and night,
on paper, and in mail programs that show no pictures or drop style sheets. No picture is kept: what is checked is measured.
"""
import email
import email.policy
import glob
import json
import os
import re
import shutil
import subprocess
import unittest
import xml.etree.ElementTree as ET

from tests.browser import chromium, letters
from tests.integration import kns

ATOM, OPML_TYPE, MAP = "{http://www.w3.org/2005/Atom}", "rss", "{http://www.sitemaps.org/schemas/sitemap/0.9}"
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
TYPES = {"html": "text/html; charset=utf-8", "atom": "application/atom+xml", "json": "application/json", "xml": "application/xml", "opml": "text/x-opml"}
PHONE, DESK = 390, 1280


def without_styles(page):
    return re.sub(r"(?s)<style.*?</style>", "", page)


class Site(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lacking = chromium.missing()
        if cls.lacking:
            return
        cls.letters = letters.Letters()
        cls.addClassCleanup(cls.letters.close)
        cls.browser = chromium.Chromium()
        cls.addClassCleanup(cls.browser.close)
        cls.folders = {letters.JAPANESE: cls.letters.site("hiyori"), letters.ENGLISH: cls.letters.site("tables")}
        with open(os.path.join(kns.ROOT, "tests", "browser", "looks.js"), encoding="utf-8") as fp:
            cls.looks_code = fp.read()

    def setUp(self):
        if self.lacking:
            self.skipTest(self.lacking)

    def pages(self):
        """Every page of both sites, by its address."""
        found = {}
        for base, folder in self.folders.items():
            for path in sorted(glob.glob(folder + "/**/index.html", recursive=True)):
                found[base + "/" + os.path.relpath(path, folder)[:-len("index.html")]] = path
        return found

    def served(self, url):
        """The declared thumbnails (those of imported issues are declared by them), and the sites' files."""
        if url in self.letters.pictures:
            return self.letters.pictures[url]
        if url.startswith("https://img.example/"):
            return "image/png", letters.png(40, 40, (90, 90, 90))
        for base, folder in self.folders.items():
            path = folder + url[len(base):] + ("index.html" if url.endswith("/") else "")
            if url.startswith(base + "/") and os.path.isfile(path):
                with open(path, "rb") as fp:
                    return TYPES[path.rpartition(".")[2]], fp.read()
        return None

    def page(self, width=DESK, **how):
        return self.browser.page(width=width, served=how.pop("served", self.served), **how)

    def looks(self, page):
        return page.run(self.looks_code)

    def digest(self, kind):
        return self.letters.knsd.api("GET", "/v1/digest?format=" + kind).body.decode()

    def mail(self, newsletter="hiyori", number=13):
        text = self.letters.ctl("issue", "show", str(number), "--newsletter", newsletter, "--format", "eml")
        return email.message_from_string(text, policy=email.policy.default).get_body(("html",)).get_content()

    def assert_well(self, page, what):
        """Accessible, nothing too wide, nothing said on the console, nothing asked of others."""
        self.assertEqual(page.violations(), [], what)
        self.assertLessEqual(page.run("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"), page.width, what)
        self.assertEqual((page.console, page.strangers, page.frames, page.dialogs), ([], [], [], []), what)

    # ---- pages

    def test_every_page_is_valid_html(self):
        folder = os.path.join(self.letters.knsd.dir, "valid")
        os.makedirs(folder, exist_ok=True)
        files = list(self.pages().values())
        for name, text in (("digest", self.digest("html")), ("issue", self.letters.ctl("issue", "show", "13", "--newsletter", "hiyori", "--format", "html"))):
            path = os.path.join(folder, name + ".html")
            with open(path, "w", encoding="utf-8") as fp:
                fp.write(text)
            files.append(path)
        self.assertGreaterEqual(len(files), 11)
        done = subprocess.run(["java", "-jar", chromium.VNU, "--format", "json", "--stdout", "--exit-zero-always", *files], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=True)
        messages = json.loads(done.stdout)["messages"]
        self.assertEqual([(m.get("url"), m.get("lastLine"), m["message"], m.get("extract")) for m in messages if m["type"] != "info"], [])

    def test_the_validator_sees_what_is_wrong(self):
        path = os.path.join(self.letters.knsd.dir, "wrong.html")
        with open(path, "w", encoding="utf-8") as fp:
            fp.write("<!DOCTYPE html><html lang=en><title>x</title><p><div></p><img src=x>")
        done = subprocess.run(["java", "-jar", chromium.VNU, "--format", "json", "--stdout", "--exit-zero-always", path], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=True)
        self.assertGreaterEqual(sum(m["type"] == "error" for m in json.loads(done.stdout)["messages"]), 2)

    def test_every_page_is_accessible_and_fits_by_day_and_night(self):
        for width in (PHONE, DESK):
            for scheme in ("light", "dark"):
                with self.page(width, scheme=scheme) as page:
                    for url in self.pages():
                        page.open(url)
                        self.assert_well(page, (url, width, scheme))
                        dark = page.run("getComputedStyle(document.querySelector('.sheet')).backgroundColor")
                        self.assertEqual(dark == "rgb(255, 255, 255)", scheme == "light", url)

    def test_the_watch_sees_what_is_not_well(self):
        with self.page(PHONE) as page:
            page.show("<!DOCTYPE html><html><body><img src=https://other.example/x.png><p style='width:900px;color:#eee'>x</p>"
                      "<script>console.error('no')</script></body></html>")
            self.assertIn("image-alt", [v[0] for v in page.violations()])
            self.assertGreater(page.run("document.documentElement.scrollWidth"), PHONE)
            self.assertIn("https://other.example/x.png", page.strangers)
            self.assertEqual(len(page.console), 1)

    def test_every_link_is_reached_by_the_keyboard_and_shows_it(self):
        with self.page() as page:
            for url in (letters.JAPANESE + "/13/", letters.ENGLISH + "/archive/"):
                page.open(url)
                count = page.run("window.wanted = [...document.querySelectorAll('a[href]')], window.reached = [], wanted.length")
                self.assertGreater(count, 3)
                for _ in range(count):
                    for kind in ("rawKeyDown", "keyUp"):
                        page.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
                    page.run("reached.push(document.activeElement), 0")
                self.assertEqual(page.run("reached.map((a, i) => a === wanted[i]).indexOf(false)"), -1, url)
                self.assertEqual(page.run("getComputedStyle(document.activeElement).outlineStyle"), "solid", url)

    def test_every_link_of_the_site_leads_to_a_page_or_file_of_it(self):
        for url, path in self.pages().items():
            base = max((b for b in self.folders if url.startswith(b + "/")), key=len)
            with open(path, encoding="utf-8") as fp:
                for link in re.findall(r'href="(\.[^"]*|%s/[^"]*)"' % re.escape(base), fp.read()):
                    target = link[len(base) + 1:] if link.startswith(base) else os.path.relpath(os.path.normpath(os.path.join(os.path.dirname(path), link)), self.folders[base])
                    self.assertTrue(os.path.exists(os.path.join(self.folders[base], target)), (url, link))

    def test_a_page_is_laid_out_as_it_was_meant(self):
        for url, width in ((u, w) for u in (letters.JAPANESE + "/13/", letters.ENGLISH + "/1/") for w in (PHONE, DESK)):
            with self.subTest(url=url, width=width), self.page(width) as page:
                page.open(url)
                looks = self.looks(page)
                self.assertLess(looks["h1"]["bottom"], 300, "the title is above the fold")
                self.assertGreaterEqual(looks["h1"]["top"], 0)
                self.assertEqual(looks["tofu"], [], "characters that no font has")
                self.assert_thumbnails(looks, 96 if width == PHONE else 140)
                self.assertEqual([t for t in looks["targets"] if t["height"] < 24], [], "links are large enough to be hit")
                self.assertEqual([t["text"] for t in looks["texts"] if t["size"] < 11 and t["text"] != "じけいれつ"], [], "nothing is too small to be read")
                self.assertEqual([(t["text"], t["contrast"]) for t in looks["texts"] if t["contrast"] < 4.5], [])
                self.assertLess(max(looks["measures"]), 90, "no line is too long")
                self.assertGreater(min(looks["measures"]), 20, "no line is too short")
                if width == DESK:
                    left, right = looks["sheet"]["left"], DESK - looks["sheet"]["right"]
                    self.assertAlmostEqual(left, right, delta=1, msg="the sheet is in the middle")
                self.assert_not_blank(page, looks)

    def assert_thumbnails(self, looks, size):
        """To the right, as large as they should be, over no text, loaded and told in words; items one below the other."""
        items = looks["items"]
        self.assertGreaterEqual(sum(i["thumb"] is not None for i in items), 2)
        for item in items:
            self.assertGreater(item["title"]["width"], 90, item["text"])
            if item["thumb"] is None:
                continue
            thumb, box = item["thumb"], item["box"]
            self.assertEqual((thumb["width"], thumb["height"]), (size, size), item["text"])
            self.assertAlmostEqual(thumb["right"], box["right"], delta=1)
            self.assertGreater(thumb["top"], box["top"])
            self.assertLess(thumb["bottom"], box["bottom"])
            self.assertEqual(item["over"], [], item["text"])
            self.assertTrue(item["alt"] and item["text"].startswith(item["alt"]), item)
            self.assertTrue(item["loaded"], item["text"])
        for above, below in zip(items, items[1:]):
            self.assertLessEqual(above["box"]["bottom"], below["box"]["top"] + 1)

    def assert_not_blank(self, page, looks):
        """The picture shows ink where the title is, and the thumbnails' own colours."""
        title = looks["h1"]
        ink = self.browser.look(page.picture((title["left"], title["top"], title["width"], title["height"])),
                                "let n = 0; for (let i = 0; i < data.length; i += 4) n += data[i] < 100; return n / (width * height);")
        self.assertGreater(ink, 0.01)
        thumb = next(i["thumb"] for i in looks["items"] if i["thumb"])
        colours = self.browser.look(page.picture((thumb["left"], thumb["top"], thumb["width"], thumb["height"])),
                                    "let n = 0; for (let i = 0; i < data.length; i += 4) n += data[i + 2] > 100 && data[i] < 100; return n / (width * height);")
        self.assertGreater(colours, 0.2)

    def test_japanese_is_set_in_a_japanese_font(self):
        with self.page() as page:
            page.open(letters.JAPANESE + "/13/")
            fonts = page.fonts_of("h1")
            self.assertFalse(any(re.search(r"\b(SC|TC|KR|HK)\b", f) for f in fonts), fonts)
            self.assertEqual(page.run("document.documentElement.lang"), "ja")
            self.assertEqual(page.run("getComputedStyle(document.querySelector('main p')).lineBreak"), "strict")
            page.open(letters.ENGLISH + "/1/")
            self.assertEqual(page.run("[...document.querySelectorAll('.title[lang]')].map(t => t.lang).join()"), "ja")
            self.assertEqual(page.run("document.querySelectorAll('.note[lang], article[lang]').length"), 0)

    def test_paper_gets_dark_text_on_white(self):
        for scheme in ("light", "dark"):
            with self.page(700, scheme=scheme, media="print") as page:
                page.open(letters.JAPANESE + "/13/")
                looks = self.looks(page)
                self.assertGreater(len(looks["texts"]), 20)
                self.assertEqual([(t["text"], t["ink"]) for t in looks["texts"] if t["ink"] > 0.15], [], scheme)
                self.assertEqual([t["text"] for t in looks["texts"] if t["paper"] < 0.85], [], scheme)
                self.assertEqual(page.run("getComputedStyle(document.querySelector('.turn')).display"), "none")
                self.assertIn("https://", page.run("getComputedStyle(document.querySelector('.title a.link'), '::after').content + document.querySelector('.title a.link').href"))
                pdf = page.pdf()
                self.assertTrue(pdf.startswith(b"%PDF-"))
                self.assertIn(len(re.findall(rb"/Type\s*/Page\b", pdf)), (2, 3, 4))
                self.assertGreater(len(pdf), 20000)

    # ---- mail

    def test_a_mail_is_well_wherever_it_is_opened(self):
        whole = self.mail()
        for what, markup, width, pictures in (("wide", whole, 600, True), ("phone", whole, PHONE, True), ("without pictures", whole, 600, False),
                                              ("phone without styles", without_styles(whole), PHONE, True), ("without styles", without_styles(whole), 600, True),
                                              ("without both", without_styles(whole), PHONE, False)):
            with self.subTest(what), self.page(width, served=self.served if pictures else (lambda url: None)) as page:
                page.show(markup)
                self.assertEqual(page.violations(), [], what)
                looks = self.looks(page)
                self.assertLessEqual(looks["width"], width)
                self.assertEqual((page.console, page.frames, looks["tofu"]), ([], [], []))
                self.assertEqual([u for u in page.requests if not u.startswith("https://img.example/") and u not in ("https://page.example/", "https://page.example/favicon.ico",
                                                                                                              "http://page.example/", "http://page.example/favicon.ico")], [])
                self.assertLess(looks["h1"]["bottom"], 200)
                self.assertEqual([(t["text"], t["contrast"]) for t in looks["texts"] if t["contrast"] < 4.5], [])
                self.assertEqual([t["text"] for t in looks["texts"] if t["size"] < 11 and t["text"] != "じけいれつ"], [])
                for item in looks["items"]:
                    self.assertGreater(item["title"]["width"], 90, item["text"])
                    if item["thumb"]:
                        self.assertEqual(item["over"], [], item["text"])
                        self.assertTrue(item["alt"])
                        self.assertGreater(item["thumb"]["left"], item["title"]["left"] + 100)
                        self.assertAlmostEqual(item["thumb"]["right"], item["box"]["right"], delta=1)
                if pictures and width == 600:
                    self.assert_thumbnails(looks, 140)

    def test_a_mail_by_night_is_readable(self):
        with self.page(600, scheme="dark") as page:
            page.show(self.mail("tables", 1))
            self.assertEqual(page.violations(), [])
            looks = self.looks(page)
            self.assertTrue(all(t["paper"] < 0.1 for t in looks["texts"]))
            self.assertEqual([i["alt"] for i in looks["items"] if i["thumb"] and i["altContrast"] < 4.5], [], "where a picture does not come")

    def test_a_digest_that_nobody_curated_is_well(self):
        markup = self.digest("html")
        for width in (PHONE, DESK):
            with self.page(width) as page:
                page.show(markup)
                self.assertEqual(page.violations(), [], width)
                looks = self.looks(page)
                self.assertLessEqual(looks["width"], width)
                self.assert_thumbnails(looks, 96 if width == PHONE else 140)

    # ---- files

    def test_the_feeds_of_a_site_are_valid(self):
        # An issue that was published elsewhere first is called by that address.
        known = [*self.pages(), "https://letters.example/shirabe/issues/7-kigou"]
        for base, folder in self.folders.items():
            feed = ET.parse(os.path.join(folder, "feed.atom")).getroot()
            if shutil.which("xmllint"):
                subprocess.run(["xmllint", "--noout", "--nonet", *(os.path.join(folder, n) for n in ("feed.atom", "blogroll.opml", "sitemap.xml"))], check=True)
            self.assertEqual(feed.tag, ATOM + "feed")
            self.assertEqual([link.get("href") for link in feed.findall(ATOM + "link") if link.get("rel") == "self"], [base + "/feed.atom"])
            entries = feed.findall(ATOM + "entry")
            for node in [feed, *entries]:
                for name in ("id", "title", "updated"):
                    self.assertEqual(len(node.findall(ATOM + name)), 1, name)
                    self.assertTrue(node.find(ATOM + name).text.strip())
                self.assertRegex(node.find(ATOM + "updated").text, TIME)
            self.assertTrue(feed.find(ATOM + "author/" + ATOM + "name").text)
            ids = [e.find(ATOM + "id").text for e in entries]
            self.assertEqual(len(set(ids)), len(ids))
            self.assertTrue(all(re.match(r"[a-z]+:\S+$", i) for i in ids))
            for entry in entries:
                self.assertEqual(entry.find(ATOM + "content").get("type"), "html")
                self.assertIn(entry.find(ATOM + "link[@rel='alternate']").get("href"), known)
                self.assertEqual(re.findall(r'(?:src|href)="(?!https?:|mailto:)[^"]*"', entry.find(ATOM + "content").text), [])
            with open(os.path.join(folder, "feed.json"), encoding="utf-8") as fp:
                json_feed = json.load(fp)
            self.assertEqual((json_feed["version"], json_feed["feed_url"]), ("https://jsonfeed.org/version/1.1", base + "/feed.json"))
            self.assertEqual([i["id"] for i in json_feed["items"]], ids)
            for item in json_feed["items"]:
                self.assertTrue(item["content_html"] and item["title"])
                self.assertIn(item["url"], known)
                self.assertRegex(item["date_published"], TIME)
            outlines = ET.parse(os.path.join(folder, "blogroll.opml")).getroot().findall("body//outline[@xmlUrl]")
            self.assertEqual(len(outlines), 3)
            self.assertTrue(all(o.get("type") == OPML_TYPE and o.get("text") for o in outlines))

    def test_a_site_map_names_every_page_where_the_address_is_known(self):
        for base, folder in self.folders.items():
            places = [n.text for n in ET.parse(os.path.join(folder, "sitemap.xml")).getroot().findall(MAP + "url/" + MAP + "loc")]
            self.assertEqual(sorted(places), sorted(u for u in self.pages() if u.startswith(base + "/")))
        # A site map takes whole addresses alone (sitemaps.org): without base_url there is none.
        folder = self.letters.site("unplaced")
        self.assertFalse(os.path.exists(os.path.join(folder, "sitemap.xml")))
        ET.parse(os.path.join(folder, "feed.atom"))
        with open(os.path.join(folder, "index.html"), encoding="utf-8") as fp:
            self.assertNotIn('rel="canonical"', fp.read())

    def test_writing_again_touches_nothing_and_a_change_replaces_whole_files(self):
        folder = self.letters.site("unplaced")
        files = {os.path.relpath(p, folder) for p in glob.glob(folder + "/**/*", recursive=True) if os.path.isfile(p)}
        self.assertEqual(files, {"index.html", "1/index.html", "archive/index.html", "feed.atom", "feed.json", "blogroll.opml"})

        def state():
            return {f: (os.stat(os.path.join(folder, f)).st_ino, os.stat(os.path.join(folder, f)).st_mtime_ns) for f in files}

        before = state()
        self.letters.site("unplaced")
        self.assertEqual(state(), before)
        text = self.letters.ctl("issue", "show", "1", "--newsletter", "unplaced", "--format", "markdown")
        with open(os.path.join(folder, "index.html"), encoding="utf-8") as old:
            content = old.read(100)
            self.letters.ctl("issue", "correct", "1", "-", "--newsletter", "unplaced", text=text.replace("best argument", "finest argument"))
            self.letters.site("unplaced")
            content += old.read()
        after = state()
        self.assertIn("best argument", content)
        self.assertTrue(content.rstrip().endswith("</html>"), "who reads the old file reads it whole")
        self.assertNotEqual(after["index.html"][0], before["index.html"][0])
        for name in ("archive/index.html", "blogroll.opml"):
            self.assertEqual(after[name], before[name], name)
        with open(os.path.join(folder, "index.html"), encoding="utf-8") as fp:
            self.assertIn("finest argument", fp.read())
        self.assertEqual({os.path.relpath(p, folder) for p in glob.glob(folder + "/**/*", recursive=True) + glob.glob(folder + "/**/.*", recursive=True) if os.path.isfile(p)}, files)


if __name__ == "__main__":
    unittest.main()

"""The sample feeds and their server: what `./dev run` stands on."""
import datetime
import json
import os
import re
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET

from tests.integration import kns

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Samples(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([sys.executable, os.path.join(ROOT, "samples/serve.py"), "--print-port"],
                                       stdout=subprocess.PIPE)
        self.base = "http://127.0.0.1:%d" % int(self.server.stdout.readline())

    def tearDown(self):
        self.server.terminate()
        self.assertEqual(self.server.wait(10), 0)
        self.server.stdout.close()

    def get(self, path, **headers):
        request = urllib.request.Request(self.base + path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.headers, answer.read().decode()

    def test_every_subscription_of_the_list_is_well_formed_and_filled_in(self):
        _, opml = self.get("/feeds.opml")
        urls = [o.get("xmlUrl") for o in ET.fromstring(opml).iter("outline") if o.get("xmlUrl")]
        self.assertGreaterEqual(len(urls), 5)
        for url in urls + [self.base + "/shukan-compe.rss"]:
            self.assertTrue(url.startswith(self.base))
            _, body = self.get(url[len(self.base):])
            self.assertNotIn("{{", body)
            if url.endswith(".json"):
                self.assertGreater(len(json.loads(body)["items"]), 0)
            else:
                ET.fromstring(body)

    def test_the_newest_entries_are_of_this_week(self):
        _, body = self.get("/paper-lantern.atom")
        times = [datetime.datetime.fromisoformat(t.replace("Z", "+00:00"))
                 for t in re.findall(r"<published>(.*?)</published>", body)]
        age = datetime.datetime.now(datetime.timezone.utc) - max(times)
        self.assertLess(age, datetime.timedelta(days=1))

    def test_a_conditional_request_is_answered_by_304(self):
        headers, first = self.get("/tabular-notes.rss")
        _, second = self.get("/tabular-notes.rss")
        self.assertEqual(first, second)
        for condition in ({"If_None_Match": headers["ETag"]}, {"If_Modified_Since": headers["Last-Modified"]}):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                self.get("/tabular-notes.rss", **condition)
            self.assertEqual(caught.exception.code, 304)
            caught.exception.close()

    def test_the_first_issue_is_made_as_the_readme_says(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as fp:
            readme = fp.read()
        with open(os.path.join(ROOT, "samples/kns.conf"), encoding="utf-8") as fp:
            knsd = kns.Knsd(fp.read())
        self.addCleanup(knsd.close)

        def ctl(*args, text=""):
            done = subprocess.run([kns.KNSCTL, "--socket", knsd.socket, *args], input=text.encode(), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=kns.PATIENCE_S, check=False)
            self.assertEqual(done.returncode, 0, (args, done.stderr.decode()))
            return done.stdout.decode()

        ctl("import", "-", text=self.get("/feeds.opml")[1])
        ctl("refresh", "--wait")
        ctl("add", "--newsletter", self.base + "/shukan-compe.rss")
        found = {i["url"]: i for i in knsd.all_items()}
        curated = found[self.base + "/nikki/silver.html"]["_kns"]
        self.assertIn("失敗した検証方法", curated["curated"][0]["note_html"])
        draft = ctl("issue", "suggest", "-n", "4")
        rows = [line.split("\t") for line in draft.splitlines()[1:]]
        self.assertEqual(len({row[3] for row in rows}), 4, "one of each feed")
        self.assertNotIn("週刊コンペだより #", draft)
        # The text of the README, with the numbers that the articles have here.
        text = re.search(r"```markdown\n(.*?)```", readme, re.S).group(1)
        for number, row in zip(re.findall(r"(?m)^- \[(\d+)\]", text), rows):
            text = text.replace("[%s]" % number, "[=%s]" % row[0], 1)
        text = text.replace("[=", "[").replace("https://example.com/", self.base + "/gpu/page.html").replace(
            "https://example.org/", self.base + "/nlp/")
        ctl("issue", "edit", "-", text=text)
        self.assertEqual([i.get("section") for i in knsd.get("/v1/issues/draft")["items"]], ["Reading"] * 3 + ["日本語"])
        self.assertEqual(knsd.get("/v1/issues/draft")["items"][2]["title"], "A sample article")
        preview = os.path.join(knsd.dir, "preview.html")
        ctl("issue", "preview", "-o", preview)
        self.assertGreater(os.path.getsize(preview), 5000)
        self.assertEqual(ctl("issue", "lint"), "warning: A sample article: no comment\n")
        self.assertIn("Sample Weekly #1\ttag:", ctl("issue", "publish"))
        for name in ("html", "atom", "markdown", "text", "eml", "jsonfeed", "opml"):
            self.assertIn("Sample Weekly", ctl("issue", "show", "1", "--format", name))
        self.assertEqual(ctl("site", os.path.join(knsd.dir, "public")), "6 written, 0 unchanged\n")


if __name__ == "__main__":
    unittest.main()

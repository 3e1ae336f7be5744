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
        self.assertGreaterEqual(len(urls), 6)
        for url in urls:
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


if __name__ == "__main__":
    unittest.main()

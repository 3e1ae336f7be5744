"""Rules, links and splitting, with the real programs."""
import json
import os
import subprocess
import time
import unittest

from tests.integration import kns

CTL = os.path.join(kns.BUILD, "bin", "knsctl")


def ctl(knsd, *args, status=0, stdin=None):
    """What knsctl printed; standard error where a failure is expected."""
    done = subprocess.run([CTL, "--socket", knsd.socket, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, text=True)
    if done.returncode != status:
        raise AssertionError("knsctl %s: %d: %s" % (" ".join(args), done.returncode, done.stderr))
    return done.stderr if status else done.stdout


class Rules(unittest.TestCase):
    def setUp(self):
        self.origin = kns.Origin()
        self.addCleanup(self.origin.close)
        self.knsd = kns.Knsd()
        self.addCleanup(self.knsd.close)

    def feed(self, path, *entries, **more):
        return self.origin.put(path, kns.rss(list(entries), **more))

    def add(self, path, *entries, **more):
        self.knsd.add(self.feed(path, *entries, **more))

    def titles(self, *args):
        return sorted(line.split("\t")[3] for line in ctl(self.knsd, "list", "--all", *args).splitlines())

    def test_rules_act_on_what_arrives_and_what_they_dropped_stays_away(self):
        self.assertEqual(ctl(self.knsd, "rule", "add", "drop if title ~ /sponsored|広告/i"), "1\tdrop if title ~ /sponsored|広告/i\n")
        ctl(self.knsd, "rule", "add", "tag", "ml/papers,", "score", "-5", "if", "url", "has", "arxiv")
        ctl(self.knsd, "rule", "add", "star, read if content has 解法")
        entries = [kns.entry(1, title="Sponsored: x"), kns.entry(2, title="【広告】y"), kns.entry("arxiv/3"),
                   kns.entry(4, text="<p>この<b>解法</b>は</p>")]
        self.add("/a", *entries)
        self.assertEqual(self.titles(), ["Article 4", "Article arxiv/3"])
        self.assertEqual(self.titles("--starred"), ["Article 4"])
        self.assertEqual(self.titles("--unread"), ["Article arxiv/3"])
        self.assertEqual(self.titles("--tag", "ml/papers"), ["Article arxiv/3"])
        self.assertEqual(json.loads(ctl(self.knsd, "list", "--tag", "ml/papers", "--json"))["items"][0]["_kns"]["score"], -5)
        self.assertEqual([line.split("\t")[:2] for line in ctl(self.knsd, "rule", "list").splitlines()], [["1", "2"], ["2", "1"], ["3", "1"]])
        ctl(self.knsd, "rule", "remove", "1", "2")
        self.feed("/a", *entries, kns.entry(5))
        self.knsd.refresh()
        self.assertEqual(self.titles(), ["Article 4", "Article 5", "Article arxiv/3"])

    def test_a_mistake_is_one_line_that_says_where(self):
        self.assertEqual(ctl(self.knsd, "rule", "add", "drop if titel = x", status=1),
                         'knsctl: rule: character 9: "titel": expected feed, tag, title, author, url, category or content\n')
        self.assertIn("expected add, list", ctl(self.knsd, "rule", "ad", status=2))
        self.assertIn("expected a rule", ctl(self.knsd, "rule", "add", status=2))
        ctl(self.knsd, "rule", "remove", "7", status=4)
        ctl(self.knsd, "rule", "test", "7", status=4)
        self.assertEqual(self.knsd.api("GET", "/v1/rules/test?since=never").status, 400)

    def test_a_rule_can_be_tried_on_what_came(self):
        self.add("/a", *[kns.entry(n, title="%s %d" % ("odd" if n % 2 else "even", n)) for n in range(1, 1205)])
        printed = ctl(self.knsd, "rule", "test", "drop if title has odd", "--last", "30d").splitlines()
        self.assertEqual(len(printed), 602)
        self.assertTrue(all(line.split("\t")[1] == "drop" for line in printed))
        self.assertEqual(len(self.titles()), 1204)
        ctl(self.knsd, "rule", "add", "tag x, score +2 if title = \"even 4\"")
        answer = json.loads(ctl(self.knsd, "rule", "test", "1", "--json"))
        self.assertEqual([answer["tried"], answer["matched"]], [1204, 1])
        self.assertEqual(answer["items"][0]["would"], {"score": 2, "tags": ["x"]})
        self.assertEqual(answer["items"][0]["rules"], [1])
        self.assertEqual(ctl(self.knsd, "rule", "test").split("\t")[1], "tag x, score +2")

    def test_rules_go_out_and_in_as_text(self):
        text = "star if feed = 1\ndrop if title ~ /a\\/b \"c\"/\n"
        self.assertEqual(ctl(self.knsd, "rule", "import", "-", stdin="# mine\n\n" + text), "2 added, 0 known\n")
        self.assertEqual(ctl(self.knsd, "rule", "export"), text)
        self.assertEqual(ctl(self.knsd, "rule", "import", "-", stdin=text), "0 added, 2 known\n")
        self.assertIn("line 2: ", ctl(self.knsd, "rule", "import", "-", "--replace", stdin="read if feed = 2\nread\n", status=1))
        self.assertEqual(ctl(self.knsd, "rule", "export"), text)
        ctl(self.knsd, "rule", "import", "-", "--replace", stdin="read if feed = 2\n")
        self.assertEqual(ctl(self.knsd, "rule", "export"), "read if feed = 2\n")

    def test_a_catastrophic_pattern_does_not_stall_the_writer(self):
        for pattern in ("(a+)+$", "(?:a|aa)+$", "a.*a.*a.*[yz]", "(a*)*[bc]"):
            ctl(self.knsd, "rule", "add", "drop if content ~ /%s/" % pattern)
        self.add("/a", *[kns.entry(n, text="a" * 60000 + "! %d" % n) for n in range(100)])
        began = time.monotonic()
        self.feed("/a", *[kns.entry(n, text="a" * 60000 + "! %d" % n) for n in range(100, 130)])
        self.knsd.refresh()
        ctl(self.knsd, "mark", "read", "1")
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(len(self.titles()), 130)
        self.assertTrue(all("too slow" in line for line in ctl(self.knsd, "rule", "list").splitlines()))

    def test_addresses_that_several_feeds_name_are_listed(self):
        link = '<a href="https://tool.example/x?utm_source=%s">the %s tool</a>'
        self.add("/a", kns.entry("a", text=link % ("a", "fine")), title="A")
        self.assertEqual(ctl(self.knsd, "links"), "")
        self.add("/b", kns.entry("b", text="See " + link % ("b", "new")), title="B")
        self.assertEqual(ctl(self.knsd, "links").split("\t")[::2], ["2", "https://tool.example/x"])
        self.assertIn("the fine tool", ctl(self.knsd, "links", "--since", "1h"))
        named = json.loads(ctl(self.knsd, "links", "--json"))["links"]
        self.assertEqual([(m["feed_title"], m["text"]) for m in named[0]["mentions"]], [("A", "the fine tool"), ("B", "the new tool")])
        self.assertEqual(ctl(self.knsd, "links", "--min-feeds", "3"), "")
        # Once a feed carries it, it is an item with three sources.
        self.add("/c", dict(kns.entry("c"), link="http://www.tool.example/x"), title="C")
        self.assertEqual(ctl(self.knsd, "links"), "")
        self.assertEqual(self.titles("--min-sources", "3"), ["Article c"])
        self.assertEqual(ctl(self.knsd, "list", "--sort", "sources", "-n", "1").split("\t")[3], "Article c")

    def test_what_was_joined_wrongly_is_split_and_stays_split(self):
        one = dict(kns.entry(1, title="one"), guid="g-a", link="https://example.org/same")
        other = dict(kns.entry(1, title="other"), guid="g-b", link="https://example.org/same")
        self.add("/a", one)
        self.add("/b", other)
        self.assertEqual(self.titles(), ["one"])
        ctl(self.knsd, "split", "1", "99", status=4)
        new = ctl(self.knsd, "split", "1").split("\t")[0]
        self.knsd.refresh()
        self.assertEqual(self.titles(), ["one", "other"])
        self.assertIn("split", ctl(self.knsd, "why", new))
        self.assertIn("one feed only", ctl(self.knsd, "split", new, status=1))
        self.knsd.refresh()
        self.assertEqual(self.titles(), ["one", "other"])
        self.assertEqual(ctl(self.knsd, "check"), "sound\n")


if __name__ == "__main__":
    unittest.main()

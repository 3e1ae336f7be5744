"""A newsletter of one's own with the real programs: collect, curate, publish, show, and read back by another KNS."""
import base64
import email
import email.header
import email.policy
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import unittest
import xml.etree.ElementTree as ET

from tests.integration import kns, wire
from tests.integration.test_newsletters import ARCHIVE

ATOM = "{http://www.w3.org/2005/Atom}"
CONFIG = """[poll]
private_networks = always
[newsletter weekly]
title = Weekly Letters
base_url = %s/
language = ja
author = An Editor
sections = Papers, Tools
link_parameters = utm_source=weekly
first_number = 5
"""


class MailServer:
    """An SMTP server that does as it is told: `refuse` maps the beginning of a command to the answer, context begins TLS."""

    def __init__(self, refuse=None, context=None, hang_up_after=None):
        self.refuse, self.context, self.hang_up_after = refuse or {}, context, hang_up_after
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.commands, self.messages, self.transactions = [], [], []
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connection = connection
            try:
                self.talk(connection)
            except OSError:
                pass
            self.connection.close()

    def talk(self, connection):
        stream = connection.makefile("rwb")
        secure = False

        def say(line):
            stream.write(line + b"\r\n")
            stream.flush()

        say(b"220 here")
        while True:
            line = stream.readline()
            if not line:
                return
            command = line.strip().decode()
            self.commands.append(command)
            answer = next((a for c, a in self.refuse.items() if command.upper().startswith(c.upper())), None)
            if answer:
                say(answer.encode())
            elif command.upper().startswith("EHLO"):
                say(b"250-here")
                if self.context and not secure:
                    say(b"250-STARTTLS")
                say(b"250 AUTH PLAIN")
            elif command.upper() == "STARTTLS":
                say(b"220 go on")
                self.connection = connection = self.context.wrap_socket(connection, server_side=True)
                stream, secure = connection.makefile("rwb"), True
            elif command.upper().startswith("MAIL FROM"):
                self.transactions.append([])
                say(b"250 fine")
            elif command.upper().startswith("RCPT TO"):
                self.transactions[-1].append(command[9:-1])
                say(b"250 fine")
            elif command.upper() == "DATA":
                say(b"354 go on")
                message = b""
                for text in iter(stream.readline, b".\r\n"):
                    if not text:
                        return
                    message += text
                self.messages.append(message)
                if self.hang_up_after == "message":
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                say(self.refuse.get("(message)", "250 taken").encode())
            elif command.upper().startswith("AUTH"):
                if len(command.split()) == 2:
                    say(b"334 ")
                    self.commands.append(stream.readline().strip().decode())
                say(b"235 welcome")
            elif command.upper() == "QUIT":
                say(b"221 bye")
                return
            else:
                say(b"250 fine")


class Newsletter(unittest.TestCase):
    def setUp(self):
        self.origin = kns.Origin()
        self.addCleanup(self.origin.close)
        self.knsd = kns.Knsd(CONFIG % self.origin.base)
        self.addCleanup(self.knsd.close)

    def ctl(self, *args, text=None, code=0, env=None, knsd=None):
        done = subprocess.run([kns.KNSCTL, "--socket", (knsd or self.knsd).socket, *args], input=(text or "").encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=2 * kns.PATIENCE_S, check=False,
                              env=dict(os.environ, **env) if env else None)
        self.assertEqual(done.returncode, code, (args, done.stderr.decode()))
        return done.stdout.decode(), done.stderr.decode()

    def draft(self):
        return self.knsd.get("/v1/issues/draft")

    def subscribe(self, feeds=3):
        """Feeds of two articles; the first is in all of them."""
        for i in range(feeds):
            entries = [kns.entry("shared", "https://common.example", "Everybody reads this"),
                       kns.entry("own", "https://site%d.example" % i, "Article of %d - site%d" % (i, i), "What it says. It goes on.")]
            self.knsd.add(self.origin.put("/f%d" % i, kns.rss(entries, "Feed %d" % i)))
        return {item["url"]: int(item["id"]) for item in self.knsd.all_items()}

    def make_issue(self):
        ids = self.subscribe()
        self.ctl("issue", "add", str(ids["https://site1.example/own"]), "--section", "Tools", "--note", "A **tool** for [us](https://us.example/).")
        self.ctl("issue", "add", str(ids["https://site0.example/own"]), "--section", "Papers", "--note", "読みました。\n\n二段落目です。")
        self.ctl("issue", "intro", "--section", "News", "今週は[大会](https://news.example/1)が始まりました。")
        return ids

    # ---- curating

    def test_suggestions_are_the_best_one_of_a_site_at_a_time(self):
        self.subscribe()
        self.ctl("issue", "suggest", "--since", "2026-10-01", "-n", "3")
        items = self.draft()["items"]
        self.assertEqual(len(items), 3)
        self.assertEqual(items[0]["url"], "https://common.example/shared")
        self.assertEqual(len({item["site"] for item in items}), 3)
        self.assertEqual(self.draft()["number"], 5)
        self.ctl("issue", "suggest", "--since", "2026-10-01", "-n", "1")
        self.assertEqual(len({item["url"] for item in self.draft()["items"]}), 4)

    def test_items_stand_in_their_sections_and_titles_lose_the_sites_name(self):
        self.make_issue()
        draft = self.draft()
        self.assertEqual([item["section"] for item in draft["items"]], ["Papers", "Tools"])
        self.assertEqual(draft["items"][0]["title"], "Article of 0")
        self.assertEqual(draft["items"][0]["description"], "What it says. It goes on.")
        papers, tools = [str(item["id"]) for item in draft["items"]]
        self.ctl("issue", "move", papers)
        self.assertEqual([str(item["id"]) for item in self.draft()["items"]], [tools, papers])
        self.ctl("issue", "note", tools, "Another word.")
        self.ctl("issue", "drop", papers)
        self.assertEqual([item["note"] for item in self.draft()["items"]], ["Another word."])
        self.ctl("issue", "drop", papers, code=4)

    def test_the_text_of_a_draft_is_the_draft(self):
        self.make_issue()
        before = self.draft()
        text, _ = self.ctl("issue", "show", "--format", "markdown")
        self.ctl("issue", "edit", "-", text=text)
        after = self.draft()
        self.assertEqual((before["items"], before["sections"]), (after["items"], after["sections"]))
        again, _ = self.ctl("issue", "show", "--format", "markdown")
        self.assertEqual(re.sub("revision .*", "", text), re.sub("revision .*", "", again))

    def test_lines_can_be_moved_dropped_and_written_in_an_editor(self):
        ids = self.make_issue()
        first, second = [item["id"] for item in self.draft()["items"]]
        text = ("# A new title\n\n## News\n\nRewritten.\n\n---\n\n## Tools\n\n- [%d] Renamed\n  > Described anew.\n\nOne.\n\n"
                "```\n- [99] not an item\n```\n\n- https://new.example/page?utm_source=x\n\n- [%d]\n" % (second, ids["https://common.example/shared"]))
        self.ctl("issue", "edit", "-", text=text)
        draft = self.draft()
        self.assertEqual(draft["title"], "A new title")
        self.assertEqual(draft["sections"], [{"title": "News", "text": "Rewritten."}])
        self.assertNotIn(first, [item["id"] for item in draft["items"]])
        self.assertEqual([item["url"] for item in draft["items"]],
                         ["https://site1.example/own", "https://new.example/page", "https://common.example/shared"])
        self.assertEqual(draft["items"][0]["note"], "One.\n\n```\n- [99] not an item\n```")
        self.assertEqual((draft["items"][0]["title"], draft["items"][0]["description"]), ("Renamed", "Described anew."))
        self.assertEqual(draft["items"][2]["title"], "Everybody reads this")

    def test_what_cannot_be_understood_is_named_with_its_line_and_kept(self):
        self.make_issue()
        before = self.draft()
        for text, line in (("# T\n\n- [99999] x\n", 3), ("# T\n- [12x] y\n", 2), 
                           ("- [%d] a\n\n- [%d] b\n" % ((before["items"][0]["id"],) * 2), 3)):
            _, err = self.ctl("issue", "edit", "-", text=text, code=1)
            self.assertIn("line %d: " % line, err)
            self.assertEqual(self.draft(), before)
        _, err = self.ctl("issue", "edit", code=1, env={"EDITOR": "sh -c 'echo \"- [99999] x\" >> \"$1\"' --", "VISUAL": ""})
        path = re.search(r"your text is kept in (\S+);", err).group(1)
        with open(path, encoding="utf-8") as fp:
            self.assertIn("- [99999] x", fp.read())
        os.unlink(path)

    def test_a_link_that_no_feed_carried_is_read_once_for_what_its_page_says(self):
        url = self.origin.put("/page", "<html lang=ja><head><title>A page - Some Site</title><meta property=og:site_name content='Some Site'>"
                              "<meta name=description content='About it.'><meta property=og:image content=/p.png></head>",
                              headers={"Content-Type": "text/html; charset=utf-8"})
        self.ctl("issue", "add", url + "?utm_source=x", "--note", "Good.")
        item = self.draft()["items"][0]
        self.assertEqual((item["url"], item["title"], item["description"], item["image"]),
                         (url, "A page", "About it.", self.origin.base + "/p.png"))
        self.ctl("issue", "discard")
        self.ctl("issue", "add", url)
        self.assertEqual(len(self.origin.asked("/page?utm_source=x")) + len(self.origin.asked("/page")), 1)

    def test_what_a_feed_leaves_out_its_page_says(self):
        page = self.origin.put("/article", "<title>T</title><meta property='og:image' content='https://i.example/1.png'>"
                               "<meta property='og:description' content='From the page.'>")
        self.knsd.add(self.origin.put("/bare", "<rss version='2.0'><channel><title>Bare</title><item><title>From the feed</title>"
                                      "<link>%s</link></item></channel></rss>" % page))
        item = [i for i in self.knsd.all_items() if i["url"] == page][0]
        self.ctl("issue", "add", item["id"])
        added = self.draft()["items"][0]
        self.assertEqual((added["title"], added["description"], added["image"]),
                         ("From the feed", "From the page.", "https://i.example/1.png"))
        self.assertIn("From the feed", self.ctl("search", "page")[0])
        self.assertTrue(self.knsd.api("POST", "/v1/check").json["sound"])

    def test_dead_links_stop_an_issue_and_bot_walls_do_not(self):
        wall = self.origin.put("/wall", "<title>Just a moment...</title>", status=403)
        _, err = self.ctl("issue", "add", wall, "--note", "Behind a wall.")
        self.assertIn("403", err)
        self.assertNotIn("dead", self.ctl("issue", "lint")[0])
        self.ctl("issue", "add", self.origin.base + "/nowhere", code=1)
        page = self.origin.put("/page", "<title>Here</title>")
        self.ctl("issue", "add", page, "--note", "Soon gone.")
        self.origin.put("/page", "gone", status=410)
        self.assertIn("error: Here: a dead link", self.ctl("issue", "lint", code=1)[0])
        self.ctl("issue", "publish", code=1)
        self.ctl("issue", "publish", "--no-links")

    def test_a_text_made_before_a_change_does_not_undo_it(self):
        ids = self.make_issue()
        text, _ = self.ctl("issue", "show", "--format", "markdown")
        self.ctl("issue", "add", str(ids["https://common.example/shared"]))
        _, err = self.ctl("issue", "edit", "-", text=text, code=1)
        self.assertIn("changed meanwhile", err)
        self.assertEqual(len(self.draft()["items"]), 3)

    def test_lint_names_what_is_wrong_and_publish_heeds_it(self):
        ids = self.make_issue()
        self.ctl("issue", "add", str(ids["https://common.example/shared"]), "--section", "Nowhere", "--note", "TODO")
        self.ctl("issue", "add", "https://bit.ly/x", "--note", "See ![](https://i.example/1.png) and [this](/there).")
        out, _ = self.ctl("issue", "lint", code=1)
        for wanted in ("error: Everybody reads this: its comment is a placeholder", "unknown section \"Nowhere\"",
                       "a shortened address", "no alternative text", "a relative address: /there"):
            self.assertIn(wanted, out)
        self.ctl("issue", "publish", code=1)
        self.assertEqual(self.draft()["state"], "draft")

    def test_issue_alone_shows_the_draft_and_options_of_other_actions_are_refused(self):
        self.make_issue()
        self.assertEqual(self.ctl("issue"), self.ctl("issue", "show"))
        self.assertIn("issue lint does not take --section", self.ctl("issue", "lint", "--section", "x", code=2)[1])
        self.assertIn("issue suggest does not take --format", self.ctl("issue", "suggest", "--format", "html", code=2)[1])
        self.assertIn("expected an item's ID, or an address", self.ctl("issue", "add", "foo", code=2)[1])
        self.assertIn("News: 39 characters\n", self.ctl("issue")[0])

    def test_items_of_the_draft_are_named_by_their_address_too(self):
        self.make_issue()
        self.ctl("issue", "note", "https://site1.example/own?utm_source=x", "By address.")
        self.ctl("issue", "move", "https://site0.example/own", "--section", "Tools")
        self.ctl("issue", "move", "https://site0.example/own", "--before", "https://site1.example/own")
        self.assertEqual([(i["url"], i["section"]) for i in self.draft()["items"]],
                         [("https://site0.example/own", "Tools"), ("https://site1.example/own", "Tools")])
        self.assertEqual(self.draft()["items"][1]["note"], "By address.")
        self.ctl("issue", "drop", "https://site1.example/own")
        self.assertIn("https://none.example/ is not in the draft", self.ctl("issue", "drop", "https://none.example/", code=4)[1])

    def edit_with(self, script, *args, code=0):
        """`issue edit` with a shell script as the editor, the file as its $1; what it printed, and the files that are left."""
        editor = os.path.join(self.knsd.dir, "editor")
        with open(editor, "w", encoding="utf-8") as fp:
            fp.write("#!/bin/sh\n" + script)
        os.chmod(editor, 0o755)
        out, err = self.ctl("issue", *(args or ("edit",)), code=code, env={"VISUAL": "", "EDITOR": editor, "TMPDIR": self.knsd.dir})
        return out, err, glob.glob(os.path.join(self.knsd.dir, "kns-issue-*"))

    def test_an_editor_that_fails_changes_nothing_and_leaves_nothing_behind(self):
        self.make_issue()
        before = self.draft()
        for script, says in (("exit 3", "ended with 3"), ("kill -9 $$", "signal 9"), ("exit 127", "cannot be run")):
            _, err, left = self.edit_with(script, code=1)
            self.assertIn(says, err)
            self.assertEqual((left, self.draft()), ([], before))
        _, err, left = self.edit_with("echo more >> $1; exit 1", code=1)
        self.assertEqual(len(left), 1)
        self.assertIn("what it left is kept in " + left[0], err)
        self.assertEqual(self.draft(), before)

    def test_an_empty_text_gives_up(self):
        self.make_issue()
        before = self.draft()
        _, err, left = self.edit_with("echo > $1", code=1)
        self.assertIn("the text is empty: nothing was changed", err)
        self.assertEqual((len(left), self.draft()), (1, before))
        self.ctl("issue", "edit", "-", text="", code=1)
        self.assertEqual(self.knsd.api("POST", "/v1/issues/draft/text", b" \n").status, 400)
        self.assertEqual(self.edit_with("exit 0")[0], "Nothing was changed.\n")
        self.assertEqual(self.draft(), before)

    def test_of_two_editors_at_once_the_second_is_told_and_its_text_is_kept(self):
        self.make_issue()
        inner = "%s --socket %s issue intro --section News Inner >/dev/null" % (kns.KNSCTL, self.knsd.socket)
        _, err, left = self.edit_with("echo 'Outer words.' >> $1\n" + inner, code=1)
        self.assertIn("changed meanwhile", err)
        with open(left[0], encoding="utf-8") as fp:
            text = fp.read()
        self.assertIn("Outer words.", text)
        self.assertEqual(self.draft()["sections"][0]["text"], "Inner")
        # What the message says to do works.
        now = re.search("put ([0-9]+) into its line 2", err).group(1)
        with open(left[0], "w", encoding="utf-8") as fp:
            fp.write(re.sub("revision [0-9]+", "revision " + now, text))
        self.ctl("issue", "edit", left[0])
        self.assertIn("Outer words.", self.draft()["items"][-1]["note"])

    def test_of_two_corrections_at_once_the_second_is_told(self):
        self.make_issue()
        self.ctl("issue", "publish", "--no-links")
        text, _ = self.ctl("issue", "show", "5", "--format", "markdown")
        self.ctl("issue", "correct", "5", "-", text=text.replace("**tool**", "first"))
        _, err = self.ctl("issue", "correct", "5", "-", text=text.replace("**tool**", "second"), code=1)
        self.assertIn("changed meanwhile", err)
        self.assertIn("A first", self.knsd.get("/v1/issues/5")["items"][1]["note"])
        self.ctl("issue", "correct", "5", "-", text="# Weekly Letters #5\n", code=1)
        self.assertEqual(len(self.knsd.get("/v1/issues/5")["items"]), 2)

    def test_links_written_in_the_editor_are_read_once_for_what_their_pages_say(self):
        url = self.origin.put("/page", "<title>A page</title><meta name=description content='About it.'>")
        self.ctl("issue", "edit", "-", text="# T\n\n- %s\n\nGood.\n" % url)
        item = self.draft()["items"][0]
        self.assertEqual((item["title"], item["description"], item["note"]), ("A page", "About it.", "Good."))
        self.assertEqual(len(self.origin.asked("/page")), 1)
        _, err = self.ctl("issue", "edit", "-", text="# T\n\n- %s/nowhere\n" % self.origin.base, code=1)
        self.assertIn("line 3: %s/nowhere cannot be added" % self.origin.base, err)

    def test_lint_looks_at_the_links_of_prose_and_comments_side_by_side(self):
        self.make_issue()
        pages = [self.origin.put("/page%d" % n, "<title>Here</title>", delay=1.0) for n in range(16)]
        links = " ".join("[a page](%s)" % page for page in pages)
        self.ctl("issue", "intro", "--section", "News", "[gone](%s/nowhere) %s" % (self.origin.base, links))
        began = time.monotonic()
        out, _ = self.ctl("issue", "lint", code=1)
        self.assertLess(time.monotonic() - began, 12)
        self.assertIn("error: News: a dead link: %s/nowhere: the server answered 404" % self.origin.base, out)
        self.assertEqual(out.count("dead"), 1)
        self.assertNotIn("dead", self.ctl("issue", "lint", "--no-links")[0])
        self.assertEqual(self.knsd.api("POST", "/v1/links/check", {"urls": ["file:///etc/passwd"]}).status, 400)
        self.assertEqual(self.knsd.api("POST", "/v1/links/check", {"urls": []}).json, {"links": []})

    def test_suggestions_say_why_and_when_there_is_nothing_more(self):
        self.subscribe()
        out, _ = self.ctl("issue", "suggest", "--since", "2026-10-01", "-n", "2", "--why")
        first = out.split("\n")[0].split("\t")
        self.assertIn("3 sources +30", first[2])
        self.assertEqual(first[3], "Everybody reads this")
        answer = self.knsd.api("POST", "/v1/issues/draft/suggest?since=2026-10-01", {}).json
        self.assertEqual([(s["score"] >= 10, "why" in s) for s in answer["suggested"]], [(True, True)] * 2)
        revision = self.draft()["revision"]
        self.assertIn("nothing more to suggest since 2026-10-01", self.ctl("issue", "suggest", "--since", "2026-10-01")[1])
        self.assertEqual(self.draft()["revision"], revision)

    def test_of_two_thousand_articles_the_same_best_are_suggested_and_none_that_was_covered(self):
        for f in range(50):
            entries = [kns.entry("p%d" % n, "https://site%d.example" % f, "Article %d of site %d about the things of the week" % (n, f))
                       for n in range(38)]
            entries += [kns.entry("common%d" % n, "https://common%d.example" % n, "What %d of the feeds have in common this week" % (50 - n))
                        for n in range(f + 1) if n % 5 == 0 and n < 50]
            self.knsd.add(self.origin.put("/g%d" % f, kns.rss(entries, "Feed %d" % f)))
        self.assertGreater(len(self.knsd.all_items()), 1900)
        began = time.monotonic()
        self.ctl("issue", "suggest", "--since", "2026-10-01", "-n", "20")
        self.assertLess(time.monotonic() - began, 10)
        first = self.draft()["items"]
        self.assertEqual([i["url"] for i in first[:10]], ["https://common%d.example/common%d" % (n, n) for n in range(0, 50, 5)])
        self.assertEqual(len({i["site"] for i in first}), 20)
        self.ctl("issue", "discard")
        self.ctl("issue", "suggest", "--since", "2026-10-01", "-n", "20")
        self.assertEqual(self.draft()["items"], first)
        self.ctl("issue", "publish", "--no-links")
        self.ctl("issue", "suggest", "--since", "2026-10-01", "-n", "200")
        second = self.draft()["items"]
        self.assertEqual(len(second), 200)
        self.assertFalse({i["url"] for i in first} & {i["url"] for i in second})

    def test_a_heading_without_text_is_shown_and_edited(self):
        page = os.path.join(self.knsd.dir, "2025-03-04_old.html")
        with open(page, "w", encoding="utf-8") as fp:
            fp.write("<h1>Letters #41</h1><h2>News</h2><h2>Competitions</h2><p>See <a href='https://n.example/'>this</a>.</p><hr>"
                     "<p><b><a href='https://site0.example/own'>Old</a></b></p><p>An old comment.</p>")
        self.ctl("issue", "import", page)
        for name in ("markdown", "html", "text", "eml", "atom", "jsonfeed", "opml"):
            self.ctl("issue", "show", "41", "--format", name)
        self.ctl("issue", "edit", "-", text="# T\n\n## News\n\n---\n\n- [1] x\n\nA comment.\n")
        text, _ = self.ctl("issue", "show", "--format", "markdown")
        self.assertIn("## News\n\n---\n", text)

    # ---- publishing

    def test_what_is_published_is_numbered_and_stays_as_it_was(self):
        ids = self.make_issue()
        out, _ = self.ctl("issue", "publish")
        self.assertEqual(out.split("\t")[0], "Weekly Letters #5")
        issue = self.knsd.get("/v1/issues/5")
        self.assertTrue(issue["id"].startswith("tag:127.0.0.1,"))
        self.origin.put("/f0", kns.rss([kns.entry("own", "https://site0.example", "Renamed by its author", "Other words.")]))
        self.knsd.refresh()
        self.assertEqual(self.knsd.get("/v1/issues/5"), issue)
        self.assertEqual(self.draft()["number"], 6)
        _, err = self.ctl("issue", "add", str(ids["https://site0.example/own"]))
        self.assertIn("already in #5", err)
        self.assertEqual(self.knsd.get("/v1/items/%d" % ids["https://site0.example/own"])["_kns"]["note"], "読みました。\n二段落目です。")

    def test_a_correction_is_seen_and_keeps_the_id(self):
        self.make_issue()
        self.ctl("issue", "publish")
        before = self.knsd.get("/v1/issues/5")
        text, _ = self.ctl("issue", "show", "5", "--format", "markdown")
        self.ctl("issue", "correct", "5", "-", text=text.replace("A **tool**", "A fine tool"))
        after = self.knsd.get("/v1/issues/5")
        self.assertEqual((after["id"], after["published"]), (before["id"], before["published"]))
        self.assertGreater(after["updated"], before["updated"])
        self.assertIn("A fine tool", after["items"][1]["note"])
        text, _ = self.ctl("issue", "show", "5", "--format", "markdown")
        _, err = self.ctl("issue", "correct", "5", "-", text=text.replace("A fine tool", "[A](/tool)"))
        self.assertIn("error: Article of 1: a relative address: /tool", err)

    def test_every_format_shows_the_same_issue(self):
        self.make_issue()
        self.ctl("issue", "publish")
        shown = {f: self.ctl("issue", "show", "5", "--format", f)[0] for f in ("html", "atom", "markdown", "text", "eml", "jsonfeed", "opml")}
        for name, text in shown.items():
            if name != "eml":
                self.assertIn("Article of 0", text, name)
        self.assertIn("<h2", shown["html"])
        ET.fromstring(shown["atom"].encode())
        self.assertEqual(len(json.loads(shown["jsonfeed"])["items"]), 2)
        self.assertTrue(shown["eml"].startswith("From: "), shown["eml"][:80])
        for name, text in shown.items():
            self.assertEqual(text, self.ctl("issue", "show", "5", "--format", name)[0], "the same bytes")
        self.assertIn("utm_source=weekly", self.ctl("issue", "show", "5", "--paste")[0])
        self.assertNotIn("utm_source", shown["html"])

    def test_the_feed_of_issues_has_each_with_its_content(self):
        self.make_issue()
        self.ctl("issue", "publish")
        answer = self.knsd.api("GET", "/issues.atom")
        feed = ET.fromstring(answer.body)
        entry = feed.find(ATOM + "entry")
        self.assertEqual(entry.find(ATOM + "title").text, "Weekly Letters #5")
        self.assertIn("二段落目です。", entry.find(ATOM + "content").text)
        self.assertEqual(self.knsd.api("GET", "/issues.atom", headers={"If-None-Match": answer.headers["ETag"]}).status, 304)
        self.assertEqual(self.knsd.get("/issues.json")["items"][0]["title"], "Weekly Letters #5")

    def test_the_site_is_written_whole_and_only_where_it_changed(self):
        self.make_issue()
        self.ctl("issue", "publish")
        site = os.path.join(self.knsd.dir, "site")
        self.assertIn("0 unchanged", self.ctl("site", site)[0])
        files = {os.path.relpath(f, site) for f in glob.glob(site + "/**/*", recursive=True) if os.path.isfile(f)}
        self.assertEqual(files, {"index.html", "5/index.html", "archive/index.html", "feed.atom", "feed.json", "blogroll.opml", "sitemap.xml"})
        for path in files:
            if path.endswith((".atom", ".opml", ".xml")):
                ET.parse(os.path.join(site, path))
        with open(os.path.join(site, "5/index.html"), encoding="utf-8") as fp:
            page = fp.read()
        for link in re.findall(r'(?:href)="(\.\.?/[^"]*)"', page):
            target = os.path.normpath(os.path.join(site, "5", link))
            self.assertTrue(os.path.exists(target), link)
        self.assertIn("0 written", self.ctl("site", site)[0])
        self.assertRegex(self.ctl("site", "/proc/nowhere", code=1)[1], r"^knsctl: /proc/nowhere/\S+: No such file or directory\n$")

    def test_a_message_is_printed_for_sendmail_and_sending_needs_a_server(self):
        self.make_issue()
        self.ctl("issue", "publish")
        message, _ = self.ctl("issue", "send", "5")
        self.assertIn("multipart/alternative", message)
        _, err = self.ctl("issue", "send", "5", "--to", "a@b.example", code=1)
        self.assertIn("[mail] server is not set", err)
        printed, _ = self.ctl("issue", "send", "5", "--to", "A B <a@b.example>,c@d.example", "--print")
        self.assertEqual(printed, "Bcc: a@b.example,\r\n c@d.example\r\n" + message)
        self.assertEqual(email.message_from_string(printed, policy=email.policy.SMTP)["Bcc"], "a@b.example, c@d.example")
        self.ctl("issue", "send", "5", "--to", "nobody", "--print", code=1)
        self.ctl("issue", "send", "5", "--to", " , ", code=2)
        self.ctl("issue", "send", "draft", code=2)

    def test_thumbnails_go_along_where_they_are_asked_for(self):
        picture = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
        good = self.origin.put("/1.png", picture, headers={"Content-Type": "image/png"})
        svg = self.origin.put("/2.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", headers={"Content-Type": "image/svg+xml"})
        for n, image in enumerate((good, svg, self.origin.base + "/nowhere.png")):
            page = self.origin.put("/page%d" % n, "<title>Page %d</title><meta property=og:image content='%s'>" % (n, image))
            self.ctl("issue", "add", page, "--note", "Good.")
        self.ctl("issue", "publish")
        remote, _ = self.ctl("issue", "show", "5", "--format", "html")
        self.assertEqual(remote.count("<img "), 3)
        self.assertEqual(self.ctl("issue", "show", "5", "--format", "html", "--images", "none")[0].count("<img "), 0)
        embedded, _ = self.ctl("issue", "show", "5", "--format", "html", "--images", "embedded")
        self.assertEqual(re.findall(r'<img [^>]*src="([^"]*)"', embedded), ["data:image/png;base64," + base64.b64encode(picture).decode()])
        mail, _ = self.ctl("issue", "show", "5", "--format", "eml", "--images", "embedded")
        message = email.message_from_string(mail, policy=email.policy.default)
        pictures = [p for p in message.walk() if p.get_content_maintype() == "image"]
        self.assertEqual([p.get_content() for p in pictures], [picture])
        html = message.get_body(("html",)).get_content()
        self.assertIn('src="cid:%s"' % pictures[0]["Content-ID"].strip("<>"), html)
        self.assertEqual(html.count("<img "), 1)

    def test_thumbnails_of_digests_are_as_those_of_issues(self):
        picture = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
        good = self.origin.put("/1.png", picture, headers={"Content-Type": "image/png"})
        self.knsd.add(self.origin.put("/pictures", kns.rss(
            [kns.entry(n, text='<p>Words.</p><img src="%s">' % image)
             for n, image in enumerate((good, good, self.origin.base + "/nowhere.png"))])))
        shown = {how: self.ctl("digest", "--images", how)[0] for how in ("remote", "none", "embedded")}
        self.assertEqual(self.ctl("digest")[0], shown["remote"])
        self.assertEqual({how: text.count("<img ") for how, text in shown.items()}, {"remote": 3, "none": 0, "embedded": 2})
        self.assertEqual(len(self.origin.asked("/1.png")), 1)
        self.assertIn("data:image/png;base64," + base64.b64encode(picture).decode(), shown["embedded"])
        mail = email.message_from_string(self.ctl("digest", "--images", "embedded", "--format", "eml")[0], policy=email.policy.default)
        self.assertEqual([p.get_content() for p in mail.walk() if p.get_content_maintype() == "image"], [picture])
        self.assertNotIn("<html", self.ctl("digest", "--paste")[0])
        self.assertEqual(self.knsd.api("GET", "/v1/digest?images=some").status, 400)
        self.ctl("digest", "--images", "some", code=2)

    def with_templates(self, **files):
        """The daemon again, with these templates."""
        folder = os.path.join(self.knsd.dir, "templates")
        os.makedirs(folder, exist_ok=True)
        for name, text in files.items():
            with open(os.path.join(folder, name.replace("_", ".") + ".mustache"), "w", encoding="utf-8") as fp:
                fp.write(text)
        self.knsd.stop()
        self.knsd.configure(CONFIG % self.origin.base + "[digest]\ntemplate_dir = %s\n" % folder)
        self.knsd.start()
        return folder

    def test_a_template_that_was_copied_and_changed_is_used(self):
        self.make_issue()
        before, _ = self.ctl("issue", "preview")
        names = self.ctl("template")[0].split()
        self.assertIn("item.html", names)
        item, _ = self.ctl("template", "item.html")
        self.with_templates(item_html=item)
        self.assertEqual(self.ctl("issue", "preview")[0], before)
        self.with_templates(item_html=item.replace('class="item"', 'class="item of-ours"'))
        self.assertEqual(self.ctl("issue", "preview")[0].count("of-ours"), 2)
        self.assertIn("of-ours", self.ctl("digest")[0])
        self.ctl("issue", "publish", "--no-links")
        site = os.path.join(self.knsd.dir, "site")
        self.ctl("site", site)
        with open(os.path.join(site, "5/index.html"), encoding="utf-8") as fp:
            self.assertIn("of-ours", fp.read())
        self.ctl("template", "none", code=4)

    def test_a_template_that_is_broken_or_missing_is_one_clear_error(self):
        self.make_issue()
        folder = self.with_templates(item_html="<p>\n{{#title}}\n")
        for args in (("issue", "preview"), ("digest",)):
            _, err = self.ctl(*args, code=1)
            self.assertRegex(err, r"^knsctl: .*%s/digest\.html\.mustache: .*partial item\.html: line 2: a section is not closed\n$" % folder)
        self.with_templates(digest_html="{{title}")
        _, err = self.ctl("issue", "preview", code=1)
        self.assertRegex(err, r"^knsctl: %s/digest\.html\.mustache: line 1: a tag is not closed\n$" % folder)
        shutil.rmtree(folder)
        _, err = self.ctl("issue", "preview", code=1)
        self.assertEqual(err, "knsctl: [digest] template_dir: %s: No such file or directory\n" % folder)
        os.makedirs(os.path.join(folder, "digest.html.mustache"))
        self.assertIn("digest.html.mustache: ", self.ctl("issue", "preview", code=1)[1])

    # ---- mail

    def mail_through(self, config, **server):
        """A mail server, the daemon that sends through it, and issue 5 to send."""
        server = MailServer(**server)
        self.addCleanup(server.close)
        self.knsd.stop()
        self.knsd.configure(CONFIG % self.origin.base + "[mail]\nserver = smtp://localhost:%d\n" % server.port +
                            "from = An Editor <me@news.example>\n" + config)
        self.knsd.start()
        self.make_issue()
        self.ctl("issue", "publish", "--no-links")
        return server

    def secret(self, mode=0o600):
        path = os.path.join(self.knsd.dir, "password")
        with open(path, "w", encoding="ascii") as fp:
            fp.write("s3cret\n")
        os.chmod(path, mode)
        return path

    def test_an_issue_is_handed_to_a_mail_server(self):
        server = self.mail_through("user = me\npassword_file = %s\ntls = never\n" % self.secret())
        readers = os.path.join(self.knsd.dir, "readers")
        with open(readers, "w", encoding="ascii") as fp:
            fp.write("# ours\na@one.example\nB <b@two.example>\nA@one.example\n")
        self.assertEqual(self.ctl("issue", "send", "5", "--to", "@" + readers), ("sent to 2\n", ""))
        self.assertIn("MAIL FROM:<me@news.example>", " ".join(server.commands))
        self.assertEqual(server.transactions, [["a@one.example", "b@two.example"]])
        self.assertIn(base64.b64encode(b"\0me\0s3cret").decode(), " ".join(server.commands))
        message = email.message_from_bytes(server.messages[0], policy=email.policy.default)
        self.assertEqual(message["Subject"], "Weekly Letters #5")
        self.assertIn("二段落目です。", message.get_body(("plain",)).get_content())
        self.assertIn("utm_source=weekly", message.get_body(("html",)).get_content())
        self.assertNotIn("a@one.example", server.messages[0].decode())
        self.assertEqual(server.messages[0].decode(), self.ctl("issue", "show", "5", "--format", "eml")[0])
        self.assertNotIn("s3cret", self.knsd.log)
        self.ctl("issue", "send", "5", "--to", "nobody", code=1)
        self.ctl("issue", "send", "6", "--to", "a@one.example", code=4)
        self.assertEqual(len(server.messages), 1)

    def test_a_refused_reader_is_named_and_keeps_nobody_else_from_it(self):
        server = self.mail_through("tls = never\n", refuse={"RCPT TO:<gone@": "550 nobody here", "RCPT TO:<full@": "452-first\r\n452 come later"})
        out, err = self.ctl("issue", "send", "5", "--to", "gone@x.example,a@one.example,full@x.example,b@one.example", code=5)
        self.assertEqual(out, "sent to 2\n")
        self.assertEqual(err, "knsctl: gone@x.example: not sent: 550 nobody here\nknsctl: full@x.example: not sent: 452 come later\n")
        # Once more to the same list: only to who has not got it.
        server.refuse.pop("RCPT TO:<full@")
        _, err = self.ctl("issue", "send", "5", "--to", "gone@x.example,a@one.example,full@x.example,B@one.example", code=5)
        self.assertIn("2 had it already", err)
        self.assertEqual(server.transactions, [["a@one.example", "b@one.example"], ["full@x.example"]])
        self.assertEqual(self.ctl("issue", "send", "5", "--to", "a@one.example")[0], "sent to 0\n")
        self.assertEqual(self.ctl("issue", "send", "5", "--to", "a@one.example", "--again")[0], "sent to 1\n")
        self.assertEqual(len(server.messages), 3)
        _, err = self.ctl("issue", "send", "5", "--to", "gone@x.example", code=1)
        self.assertIn("550 nobody here", err)

    def test_a_refused_sender_or_message_is_sent_to_nobody_and_may_be_tried_again(self):
        server = self.mail_through("tls = never\n", refuse={"MAIL FROM": "451 not now"})
        for command, answer in (("MAIL FROM", "451 not now"), ("DATA", "554 no mail today"), ("(message)", "552 too large for us")):
            with self.subTest(command):
                server.refuse = {command: answer}
                _, err = self.ctl("issue", "send", "5", "--to", "a@one.example,b@one.example", code=1)
                self.assertIn(answer, err)
        server.refuse, server.transactions = {}, []
        self.assertEqual(self.ctl("issue", "send", "5", "--to", "a@one.example,b@one.example"), ("sent to 2\n", ""))

    def test_a_message_whose_answer_is_lost_is_not_sent_twice(self):
        server = self.mail_through("tls = never\n", hang_up_after="message")
        _, err = self.ctl("issue", "send", "5", "--to", "a@one.example", code=1)
        self.assertIn("a@one.example: not known whether it arrived", err)
        server.hang_up_after = None
        self.assertEqual(self.ctl("issue", "send", "5", "--to", "a@one.example")[0], "sent to 0\n")
        self.assertEqual(len(server.messages), 1)
        # Nobody at all: nothing was sent, and nothing is noted.
        server.close()
        _, err = self.ctl("issue", "send", "5", "--to", "b@one.example", code=1)
        self.assertIn("localhost:%d" % server.port, err)
        self.knsd.stop()
        self.knsd.start()
        self.assertIn("localhost", self.ctl("issue", "send", "5", "--to", "b@one.example", code=1)[1])

    def test_many_readers_are_sent_to_by_hundreds(self):
        server = self.mail_through("tls = never\n")
        self.assertEqual(self.ctl("issue", "send", "5", "--to", ",".join("r%d@x.example" % n for n in range(250)))[0], "sent to 250\n")
        self.assertEqual([len(t) for t in server.transactions], [100, 100, 50])
        self.assertEqual(sum(c.upper().startswith("EHLO") for c in server.commands), 1)

    def test_mail_leaves_by_tls_to_a_server_that_is_who_it_says_or_not_at_all(self):
        folder = wire.certificate("localhost")
        self.addCleanup(shutil.rmtree, folder, True)
        server = self.mail_through("user = me\npassword_file = %s\n" % self.secret(), context=wire.tls_context(folder))
        _, err = self.ctl("issue", "send", "5", "--to", "a@one.example", code=1)
        self.assertRegex(err.lower(), "certificate")
        self.assertFalse([c for c in server.commands if c.startswith(("AUTH", "MAIL"))])
        self.knsd.stop()
        with open(self.knsd.config, "a", encoding="utf-8") as fp:
            fp.write("ca_file = %s/cert.pem\n" % folder)
        self.knsd.start()
        self.assertEqual(self.ctl("issue", "send", "5", "--to", "a@one.example")[0], "sent to 1\n")
        self.assertEqual(len(server.messages), 1)
        server.context = None  # no STARTTLS any more: somebody took it away
        server.commands.clear()
        self.ctl("issue", "send", "5", "--to", "b@one.example", code=1)
        self.assertFalse([c for c in server.commands if c.startswith(("AUTH", "MAIL"))])

    def test_a_password_that_others_may_read_is_refused(self):
        for mode in (0o644, 0o620, 0o604):
            with self.subTest(oct(mode)):
                path = self.secret(mode)
                server = self.mail_through("user = me\npassword_file = %s\ntls = never\n" % path)
                _, err = self.ctl("issue", "send", "5", "--to", "a@one.example", code=1)
                self.assertIn("%s: others may read or change the password (its mode is 0%o): chmod 600" % (path, mode), err)
                self.assertEqual(server.commands, [])
                self.tearDown(), self.doCleanups(), self.setUp()

    def test_a_message_is_what_the_standards_say(self):
        self.knsd.stop()
        self.knsd.configure("[newsletter weekly]\ntitle = 週刊カグルと機械学習のニュースレター、略して週刊\nbase_url = https://news.example/\nlanguage = de\n"
                            "author = Ed. Itor, \"the\" Curator\nemail = ed@news.example\n")
        self.knsd.start()
        self.make_issue()
        self.ctl("issue", "publish", "--no-links")
        raw = self.ctl("issue", "show", "1", "--format", "eml")[0].encode()
        self.assertEqual(raw, self.ctl("issue", "show", "1", "--format", "eml")[0].encode())
        raw.decode("ascii")
        self.assertNotRegex(raw, rb"[^\r]\n|\r[^\n]")
        self.assertLessEqual(max(len(line) for line in raw.split(b"\r\n")), 76)
        message = email.message_from_bytes(raw, policy=email.policy.SMTP)
        self.assertEqual([part.defects for part in message.walk()], [[]] * 3)
        for name in ("From", "To", "Subject", "Date", "Message-ID", "List-Id", "MIME-Version", "Content-Type", "Content-Language"):
            self.assertEqual(len(message.get_all(name, [])), 1, name)
            self.assertEqual(message[name].defects if hasattr(message[name], "defects") else (), (), name)
        self.assertEqual(message["Subject"], "週刊カグルと機械学習のニュースレター、略して週刊 #1")
        address = message["From"].addresses[0]
        self.assertEqual((address.display_name, address.addr_spec), ('Ed. Itor, "the" Curator', "ed@news.example"))
        self.assertEqual(str(email.header.make_header(email.header.decode_header(message["List-Id"]))).replace("\r\n", ""),
                         "週刊カグルと機械学習のニュースレター、略して週刊 <weekly.news.example>")
        self.assertEqual(message["Content-Language"], "de")
        self.assertEqual(message["Date"].datetime.isoformat().replace("+00:00", "Z"), self.knsd.get("/v1/issues/1")["published"])
        self.assertRegex(message["Message-ID"], r"^<[0-9a-f]+@news\.example>$")
        self.assertEqual([p.get_content_type() for p in message.walk()], ["multipart/alternative", "text/plain", "text/html"])
        for part in message.iter_parts():
            self.assertEqual(part["Content-Transfer-Encoding"], "base64")
            self.assertIn("二段落目です。", part.get_content())

    # ---- reading back

    def test_what_is_published_is_read_back_the_same_by_another(self):
        self.make_issue()
        self.ctl("issue", "publish")
        site = os.path.join(self.knsd.dir, "site")
        self.ctl("site", site)
        for name, kind in (("feed.atom", "application/atom+xml"), ("feed.json", "application/feed+json")):
            with open(os.path.join(site, name), "rb") as fp:
                url = self.origin.put("/" + name, fp.read(), headers={"Content-Type": kind})
            with self.subTest(name):
                other = kns.Knsd(CONFIG % "https://other.example")
                self.addCleanup(other.close)
                self.ctl("add", "--newsletter", url, knsd=other)
                read = {i["url"]: i for i in other.all_items() if "curated" in i["_kns"]}
                issue = self.knsd.get("/v1/issues/5")
                self.assertEqual(list(sorted(read)), sorted(i["url"] for i in issue["items"]))
                for position, item in enumerate(issue["items"], 1):
                    found = read[item["url"]]
                    curated = found["_kns"]["curated"][0]
                    self.assertEqual((found["title"], found.get("summary")), (item["title"], item.get("description")))
                    self.assertEqual((curated["section"], curated["position"]), (item["section"], position))
                    self.assertEqual(curated["issue"]["title"], "Weekly Letters #5")
                self.assertEqual(read["https://site0.example/own"]["_kns"]["note"], "読みました。\n二段落目です。")
                letter = other.get("/v1/items/%s" % read["https://site0.example/own"]["_kns"]["curated"][0]["issue"]["id"])["_kns"]
                self.assertEqual(letter["mentions"], [{"url": "https://news.example/1", "text": "大会", "section": "News",
                                                       "context": "今週は大会が始まりました。"}])
                self.assertEqual(read["https://site1.example/own"]["_kns"]["curated"][0]["note_html"],
                                 '<p>A <strong>tool</strong> for <a href="https://us.example/" rel="noopener noreferrer">us</a>.</p>')
                self.assertIn('rel="noopener noreferrer">大会</a>', letter["sections"][0]["content_html"])

    def test_notes_with_lists_code_and_quotations_are_read_back_the_same(self):
        notes = {"https://site0.example/own": "読みました。\n\n- 一つ目は[前編](https://a.example/1)\n- 二つ目は`code`\n\n続きも**どうぞ**。",
                 "https://site1.example/own": "See:\n\n1. first\n2. [second](https://b.example/?q=1&r=2)\n\n> 引用です。\n\n```\nx = 1 < 2\ny = 3\n```\n\nDone."}
        ids = self.subscribe()
        for url, note in notes.items():
            self.ctl("issue", "add", str(ids[url]), "--section", "Tools", "--note", note)
        self.ctl("issue", "publish", "--no-links")
        issue = {i["url"]: i for i in self.knsd.get("/v1/issues/5")["items"]}
        site = os.path.join(self.knsd.dir, "site")
        self.ctl("site", site)
        with open(os.path.join(site, "feed.atom"), "rb") as fp:
            url = self.origin.put("/feed.atom", fp.read(), headers={"Content-Type": "application/atom+xml"})
        other = kns.Knsd(CONFIG % "https://other.example")
        self.addCleanup(other.close)
        self.ctl("add", "--newsletter", url, knsd=other)
        read = {i["url"]: i["_kns"]["curated"][0] for i in other.all_items() if "curated" in i["_kns"]}
        self.assertEqual(sorted(read), sorted(notes))
        rel = ' rel="noopener noreferrer"'
        self.assertEqual(read["https://site0.example/own"]["note_html"],
                         '<p>読みました。</p><ul><li>一つ目は<a href="https://a.example/1"%s>前編</a></li><li>二つ目は<code>code</code></li></ul>'
                         '<p>続きも<strong>どうぞ</strong>。</p>' % rel)
        self.assertEqual(read["https://site1.example/own"]["note_html"],
                         '<p>See:</p><ol><li>first</li><li><a href="https://b.example/?q=1&amp;r=2"%s>second</a></li></ol>'
                         '<blockquote><p>引用です。</p></blockquote><pre><code>x = 1 &lt; 2\ny = 3\n</code></pre><p>Done.</p>' % rel)

    def test_a_published_page_is_read_back_the_same(self):
        self.make_issue()
        self.ctl("issue", "publish")
        page, _ = self.ctl("issue", "show", "5", "--format", "html")
        done = subprocess.run([kns.KNSCTL, "parse", "--newsletter", "--base", self.origin.base + "/5/", "-"], input=page.encode(),
                              stdout=subprocess.PIPE, check=True)
        read = json.loads(done.stdout)
        issue = self.knsd.get("/v1/issues/5")
        self.assertEqual([(i["url"], i["title"], i["summary"], i["_kns"]["section"]) for i in read["items"]],
                         [(i["url"], i["title"], i["description"], i["section"]) for i in issue["items"]])
        self.assertEqual([s["title"] for s in read["_kns"]["sections"]], ["News"])
        self.assertEqual(read["_kns"]["mentions"][0]["url"], "https://news.example/1")

    # ---- past issues

    def test_past_issues_go_on_in_number_and_are_known(self):
        page = os.path.join(self.knsd.dir, "2025-03-04_old.html")
        with open(page, "w", encoding="utf-8") as fp:
            fp.write("<h1>Letters #41</h1><h2>News</h2><p>See <a href='https://n.example/'>this</a>.</p><hr>"
                     "<p><b><a href='https://site0.example/own'>Old</a></b></p><p>An old comment.</p>")
        self.ctl("issue", "import", "--url", "https://old.example/41", page)
        self.assertIn("1 there already", self.ctl("issue", "import", page)[0])
        issue = self.knsd.get("/v1/issues/41")
        self.assertEqual((issue["published"], issue["url"]), ("2025-03-04T00:00:00Z", "https://old.example/41"))
        self.assertEqual(self.draft()["number"], 42)
        self.assertIn("Old", self.ctl("search", "comment")[0])
        ids = self.subscribe()
        _, err = self.ctl("issue", "add", str(ids["https://site0.example/own"]))
        self.assertIn("already in #41", err)
        nothing = os.path.join(self.knsd.dir, "empty.html")
        with open(nothing, "w", encoding="utf-8") as fp:
            fp.write("<p></p>")
        self.ctl("issue", "import", nothing, code=1)

    def test_a_folder_is_imported_with_the_folders_below_it_and_without_its_readme(self):
        top = os.path.join(self.knsd.dir, "archive")
        for folder, name, number in (("2024", "b.html", 2), ("2024", "a.html", 1), ("2025/spring", "c.md", 3),
                                     (".git", "d.html", 4)):
            os.makedirs(os.path.join(top, folder), exist_ok=True)
            with open(os.path.join(top, folder, "2024-05-0%d_%s" % (number, name)), "w", encoding="utf-8") as fp:
                fp.write("<h1>Letters #%d</h1><p><b><a href='https://site%d.example/'>One</a></b></p><p>Good.</p>"
                         % (number, number))
        for name in ("README.md", "notes.txt"):
            with open(os.path.join(top, name), "w", encoding="utf-8") as fp:
                fp.write("# What is here\n\n<p>All of it.</p>\n")
        self.assertEqual(self.ctl("issue", "import", top)[0], "3 imported, 0 there already, 0 failed\n")
        self.assertEqual(sorted(i["number"] for i in self.knsd.get("/v1/issues")), [1, 2, 3])

    def test_an_archive_of_real_issues_is_imported_whole(self):
        if not os.path.isdir(ARCHIVE):
            self.skipTest("no archive of newsletters at " + ARCHIVE)
        files = glob.glob(os.path.join(ARCHIVE, "issues", "*.md"))
        out, _ = self.ctl("issue", "import", os.path.join(ARCHIVE, "issues"))
        self.assertEqual(out, "%d imported, 0 there already, 0 failed\n" % len(files))
        issues = self.knsd.get("/v1/issues")
        self.assertEqual(sorted(i["number"] for i in issues), sorted(int(f.rpartition("#")[2][:-3]) for f in files))
        with open(files[0], encoding="utf-8") as fp:
            title, url = fp.read().split("\n")[:2]
        one = [i for i in issues if "# " + i["title"] == title][0]
        self.assertEqual((one["url"], one["published"][:10]), (url, os.path.basename(files[0])[:10]))

    def test_a_feed_of_past_issues_is_imported(self):
        self.make_issue()
        self.ctl("issue", "publish")
        url = self.origin.put("/feed.atom", self.knsd.api("GET", "/issues.atom").body)
        other = kns.Knsd(CONFIG % "https://other.example")
        self.addCleanup(other.close)
        self.assertIn("1 imported", self.ctl("issue", "import", url, knsd=other)[0])
        self.assertEqual(len(other.get("/v1/issues/5")["items"]), 2)
        self.assertEqual(other.get("/v1/feeds"), [])

    def test_several_newsletters_have_numbers_of_their_own(self):
        self.knsd.stop()
        self.knsd.configure(CONFIG % self.origin.base + "[newsletter other]\ntitle = Other\n")
        self.knsd.start()
        self.make_issue()
        self.ctl("issue", "publish")
        self.ctl("issue", "add", "--newsletter", "other", "https://x.example/1", "--note", "Fine.")
        out, _ = self.ctl("issue", "publish", "--newsletter", "other")
        self.assertIn("Other #1", out)
        self.ctl("issue", "list", "--newsletter", "none", code=4)


if __name__ == "__main__":
    unittest.main()

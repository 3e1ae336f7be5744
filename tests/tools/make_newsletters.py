#!/usr/bin/env python3
"""Newsletters in many shapes, made by a seed, with what a reader must find in them.

    make_newsletters.py --knsctl PATH [--from SEED] [--count N] [--shape NAME] [--keep DIR] [--show]

Every seed gives the same newsletter on every machine. Each is read by `knsctl parse --newsletter` and compared with what it was made
of: link items (address, title, picture, site, description, comment and its links, section, order), sections with their prose, and
mentions. Exit 1 when one is read wrongly; those are kept in DIR. Python's standard library only.

A shape is a function that writes items as some kind of newsletter does; what a shape cannot say (a place for the site, two
texts that look alike) it takes out of the truth, so that the truth is what a person would read on the page.
"""
import argparse
import collections
import html
import json
import os
import random
import re
import subprocess
import sys

BASE = "https://letters.example/weekly/12"
FIELDS = ("url", "title", "image", "site", "description", "note", "note_links", "section")

NOUNS = {"en": ["ranking", "a cache", "tables", "the leaderboard", "gradients", "a compiler", "maps", "queues", "type systems",
                "the sea floor", "log files", "seeds", "embeddings", "tide tables", "sourdough", "window functions", "old radios"],
         "ja": ["勾配ブースティング", "特徴量", "検証の切り方", "画像分類", "ログの読み方", "窓関数", "地図の描き方", "量子化", "言語モデル",
                "時系列", "表形式データ", "活版印刷", "停電の夜", "古い無線機", "コンパイラ", "待ち行列"]}
TITLES = {"en": ["How {} works", "Notes on {}", "Why we gave up on {}", "{}: a field guide", "Rewriting {} in a weekend",
                 "What I learned about {}", "Is {} dead?", "Stop blaming {}", "The case for {}", "v2.0.0: {} at last", "{} & friends",
                 "Show us {}!", "12 ways to draw {}", "{} | Some Blog", "[2611.00042] On {}"],
          "ja": ["{}を一から書く", "{}入門", "はじめての{}", "{}の話 - 手書き日記", "{}と私", "なぜ{}をやめたか", "【前編】{}", "{}、その後",
                 "2026年の{}", "{} 完全ガイド", "{}とは何か？", "「{}」を読む", "{}｜技術ブログ"]}
SENTENCES = {"en": ["The part about {} made me close my laptop.", "Short, and there is no filler.", "I disagreed with the first half.",
                    "It explains {} with coloured pencils.", "Read the limits in section 5 first.", "Number four is the one I fell for.",
                    "The author spent a year on {}.", "Worth it for the plots alone.", "Half the size, same recall!",
                    "Does it scale?", "It reads like a detective story about {}."],
             "ja": ["{}の解説記事です。", "図が多くて分かりやすいです。", "著者の経験に基づいた話が面白いです。", "{}を扱っています。",
                    "実装も公開されています。", "初学者におすすめ。", "続編も楽しみです！", "{}について丁寧に説明しています。",
                    "個人的には後半が好きです。", "本当に速いのでしょうか？"]}
ABSTRACTS = {"en": ["We show that {} can be learned from examples.", "An empirical study of {} in the wild.",
                    "This post walks through {} step by step.", "{} is hard. In this article we look at the reasons…",
                    "The official home of {}", "A library for {} - contribute by creating an account..."],
             "ja": ["本稿では{}の手法を述べる。", "{}について調べました。 間違いがあったら教えてください…", "{}を実装してみた記録です。",
                    "この記事では{}を紹介したいと思います。", "{}に関する発表資料です"]}
HEADINGS = {"en": ["News", "Articles", "Tools & Code", "Competitions", "📚 Reading", "Papers", "Jobs", "Odds and ends", "Top stories",
                   "PR", "Worth five minutes"],
            "ja": ["ニュース", "記事", "📚 読みもの", "コンペ", "ツール", "論文", "イベント", "その他", "今週の注目", "PR", "気になったもの"]}
HELLOS = {"en": ["Hello!", "Good morning.", "Welcome back.", "Hi there,"], "ja": ["こんにちは。", "おはようございます。", "今週もお届けします。"]}
SITES = {"en": ["Some Blog", "The Quiet Review", "Data Notes"], "ja": ["手書き日記", "技術の森", "データ通信"]}
WORDS = {"en": ["this thread", "the code", "last year's talk", "its sequel", "the appendix", "Example 7", "a demo"],
         "ja": ["公式の発表", "前編", "コード", "元論文", "デモ", "昨年の資料", "大会2026"]}
AROUND = {"en": [("See also ", "."), ("Compare with ", ", which is older."), ("More in ", "."), ("", " is the place to start."),
                 ("Yesterday ", " came out."), ("", ", for example, is new.")],
          "ja": [("「", "」もどうぞ。"), ("詳しくは", "で読めます。"), ("", "が公開されました。"), ("", "と合わせて読みたいです。"), ("先日の", "も良かったです。")]}


def esc(text):
    return html.escape(text, quote=True)


class Maker:
    """Words, addresses and decorations of one newsletter."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.seed, self.count = seed, 0
        self.lang = self.r.choice(["en", "ja"])
        self.utm = self.chance(0.6)
        self.number = self.r.randint(1, 400)
        self.nbsp = self.chance(0.1)

    def chance(self, p):
        return self.r.random() < p

    def phrase(self, table, lang=None):
        lang = lang or self.lang
        text = self.r.choice(table[lang]).replace("{}", self.r.choice(NOUNS[lang]))
        return text[0].upper() + text[1:]

    def host(self):
        self.count += 1
        return "%s%d.example" % (self.r.choice(["blog", "www.site", "arxiv", "dev-", "note", "qiita"]), self.count)

    def address(self):
        host = self.host()
        return "https://%s%s" % (host, self.r.choice(["/%d", "/entry/%d/", "/posts/a-b-%d.html", "/watch?v=%d", "/p/%d#part", "/?p=%d"])
                                 % self.r.randint(1, 9999))

    def href(self, url):
        """The address as it stands in the mail, with trackers."""
        if not self.utm:
            return esc(url)
        base, mark, part = url.partition("#")
        base += ("&" if "?" in base else "?") + self.r.choice(
            ["utm_source=letter&utm_medium=email", "utm_campaign=Weekly%20News&utm_medium=email&utm_source=Revue%20newsletter", "mc_cid=1&mc_eid=2"])
        return esc(base + mark + part)

    def link(self, url, text, attributes=""):
        return '<a href="%s"%s>%s</a>' % (self.href(url), attributes, text)

    def sentences(self, low, high):
        return " ".join(self.phrase(SENTENCES) for _ in range(self.r.randint(low, high)))

    def linked(self, p=0.4):
        """A sentence or two as (html, text, [(url, words)])."""
        text = self.sentences(1, 2)
        markup, links = esc(text), []
        if self.chance(0.15):
            word = self.phrase(NOUNS)
            markup, text = markup + " <em>%s</em>" % esc(word), text + " " + word
        if self.chance(p):
            url, words = self.address(), self.r.choice(WORDS[self.lang])
            before, after = self.r.choice(AROUND[self.lang][:4] if not links else AROUND[self.lang])
            markup += " " + esc(before) + self.link(url, esc(words)) + esc(after)
            text += " " + before + words + after
            links.append((url, words))
        return markup, text, links


class Text:
    """A comment or description: blocks of (kind, html), its plain text, its links."""

    def __init__(self):
        self.blocks, self.words, self.links = [], [], []

    def add(self, kind, markup, text, links=()):
        self.blocks.append((kind, markup))
        self.words.append(text)
        self.links += links
        return self

    @property
    def text(self):
        return " ".join(self.words)


def make_comment(m, blocks=1, rich=False, p=0.4):
    """Prose, and when rich perhaps a list, code or a quotation behind it."""
    comment = Text()
    for _ in range(blocks):
        comment.add("p", *m.linked(p))
    if rich and m.chance(0.3):
        kind = m.r.choice(["ul", "ol", "pre", "blockquote"])
        if kind in ("ul", "ol"):
            rows = [m.linked(0.5) for _ in range(m.r.randint(2, 3))]
            comment.add(kind, "".join("<li>%s</li>" % row[0] for row in rows), " ".join(row[1] for row in rows),
                        [link for row in rows for link in row[2]])
        elif kind == "pre":
            comment.add(kind, "<code>x = f(y)</code>", "x = f(y)")
        else:
            text = m.sentences(1, 1)
            comment.add(kind, "<p>%s</p>" % esc(text), text)
    return comment


class Item:
    def __init__(self, m, comment=None, description=True, image=True, site=False, lang=None):
        lang = lang or (m.lang if m.chance(0.7) else "en")
        self.url, self.title = m.address(), m.phrase(TITLES, lang)
        if m.chance(0.05):
            self.title = m.r.choice("🚀🔥📈") + " " + self.title
        self.description = m.phrase(ABSTRACTS, lang) if description else None
        self.image = "https://img.example/%d.png" % m.r.randint(1, 10 ** 6) if image else None
        self.host = re.sub(r"^www\.", "", self.url.split("/")[2])
        self.site = (m.r.choice(SITES[m.lang]) if site == "name" else self.host) if site else None
        self.comment, self.section = comment, None

    def img(self, size=140, extra=""):
        return '<img width="%d" height="%d" alt="" src="%s"%s>' % (size, size, esc(self.image), extra)

    def truth(self):
        return {"url": self.url, "title": self.title, "image": self.image, "site": self.site, "description": self.description,
                "note": self.comment.text if self.comment else None, "note_links": self.comment.links if self.comment else [],
                "section": self.section}


class Issue:
    """What is written so far, and what a reader must find in it."""

    def __init__(self, m):
        self.m, self.out = m, []
        self.items, self.sections, self.mentions = [], [], []

    def write(self, *markup):
        self.out += markup

    def prose(self, heading, paragraphs, wrap="<p>%s</p>"):
        """Paragraphs of (html, text, links) under a heading (None: the introduction)."""
        self.write(*[wrap % p[0] for p in paragraphs])
        self.sections.append((heading, " ".join(p[1] for p in paragraphs)))
        self.mentions += [(heading, url, words) for p in paragraphs for url, words in p[2]]

    def item(self, item, section=None):
        item.section = section
        self.items.append(item)
        return item


def blocks_of(comment, paragraph="<p>%s</p>"):
    """A comment as block elements."""
    shapes = {"p": paragraph, "ul": "<ul>%s</ul>", "ol": "<ol>%s</ol>", "pre": "<pre>%s</pre>", "blockquote": "<blockquote>%s</blockquote>"}
    return "".join(shapes[kind] % markup for kind, markup in comment.blocks) if comment else ""


def plan(m, low=2, high=5, sections=None):
    """Section headings (None: no section), each with how many items stand under it."""
    if sections is None:
        sections = m.r.choice([0, 0, 1, 2, 3])
    if sections == 0:
        return [(None, m.r.randint(max(low, 3), high + 2))]
    return [(h, m.r.randint(low, high)) for h in m.r.sample(HEADINGS[m.lang], sections)]


def introduction(issue, p=0.8):
    m = issue.m
    if m.chance(p):
        first = (esc(m.r.choice(HELLOS[m.lang])),) * 2 + ([],)
        rest = [m.linked(0.7) for _ in range(m.r.randint(0, 2))]
        if m.chance(0.5) and rest:
            rest[0] = (first[0] + " " + rest[0][0], first[1] + " " + rest[0][1], rest[0][2])
        else:
            rest = [first] + rest
        issue.prose(None, rest)


def heading_markup(m, levels=("h2",)):
    """How this newsletter writes its headings."""
    kind = m.r.choice(list(levels))
    if kind == "b":
        return m.r.choice(["<p><strong>%s</strong></p>", "<p><b>%s</b></p>", "<div><b>%s</b></div>"])
    if kind == "span":
        return '<p><span style="font-size: 20px; font-weight: 700; background-color: transparent;">%s</span></p>'
    return m.r.choice(["<%s>%%s</%s>", "<%s><strong>%%s</strong></%s>", "<%s><span style='color: inherit'>%%s</span></%s>"]) % (kind, kind)


# ---- shapes ----------------------------------------------------------------------------------------------------

def revue(issue):
    """Sections of prose, a rule, then items: title and site in bold, the description in their paragraph, the comment behind it."""
    m = issue.m
    head = heading_markup(m, ("h2", "h2", "h3", "b", "span"))
    issue.write(m.r.choice(["<h3>", ""]))
    for heading in m.r.sample(HEADINGS[m.lang], m.r.randint(0, 4)):
        issue.write(head % esc(heading))
        paragraphs = [m.linked(0.8) for _ in range(m.r.randint(1, 3))]
        if m.chance(0.2):
            # Prose that begins with a link goes on as a sentence.
            url, words = m.address(), m.r.choice(WORDS[m.lang])
            after = " is out now." if m.lang == "en" else "が公開されました。"
            paragraphs.append((m.link(url, esc(words), ' target="_blank"') + after, words + after, [(url, words)]))
        issue.prose(heading, paragraphs)
    if not issue.sections and m.chance(0.7):
        issue.prose(None, [m.linked(0.7)])
    issue.write("</h3>" if issue.out[0] == "<h3>" else "", "\n<hr>\n")
    bare = m.chance(0.08)
    for _ in range(m.r.randint(1, 9)):
        comment = make_comment(m, m.r.choice([1, 1, 1, 2, 3]), rich=True) if m.chance(0.93) else None
        if comment and (bare or m.chance(0.1)):
            item = issue.item(Item(m, comment, description=False, image=False))
            item.title, item.url = None, m.r.choice(["https://youtu.be/%s", "https://twitter.com/someone/status/%s"]) % m.r.randint(10 ** 9, 10 ** 10)
            issue.write("[embed %s]\n<p>%s</p>\n" % (item.url, blocks_of(comment)))
            continue
        item = issue.item(Item(m, comment, description=m.chance(0.9), image=m.chance(0.8), site=m.r.choice(["host", "host", "name", False])))
        if item.comment is None and (item.description is None or all(i.comment is None or i.title is None for i in issue.items)):
            item.comment = make_comment(m)
        image = '<img width="140" height="140" alt="%s" style="float: right; margin-left: 20px;" src="%s?1" />\n' % (
            esc(item.title), item.image) if item.image else ""
        item.image = item.image and item.image + "?1"
        site = ' &mdash; <a href="%s">%s</a>' % (esc(item.url), esc(item.site)) if item.site else ""
        described = m.r.choice(["%s", "<p>%s</p>"]) % esc(item.description) if item.description else ""
        issue.write("<p>\n%s<strong style='display: block;'>%s%s</strong>\n%s\n</p>\n" % (image, m.link(item.url, esc(item.title)), site, described))
        issue.write("<div style='clear: both;'></div>\n" if image else "")
        if item.comment:
            issue.write("<p>%s%s</p>\n" % (blocks_of(item.comment), m.r.choice(["", "", "<p><br></p>"])))


def marked(issue, title, levels=("h2",), box=("", ""), site=True):
    """A loud title; description and comment, when both may be there, are told apart by how they look."""
    m = issue.m
    head = heading_markup(m, levels)
    style = m.r.choice(["class", "quote", "small", "italic", "single", "single"])
    place = m.r.choice(["before", "after", "none"])
    site_kind = m.r.choice([False, "host", "name"]) if site else False
    rich = style != "quote"
    introduction(issue)
    for heading, count in plan(m):
        if heading:
            issue.write(head % esc(heading))
            if m.chance(0.2):
                issue.prose(heading, [m.linked(0.7)])
        for _ in range(count):
            comment = make_comment(m, m.r.choice([1, 1, 2]) if style != "single" else 1, rich) if m.chance(0.9) else None
            item = issue.item(Item(m, comment, description=style != "single" and m.chance(0.8), image=place != "none" and m.chance(0.8),
                                   site=site_kind), heading)
            image = m.r.choice(["<p>%s</p>", "%s"]) % m.link(item.url, item.img()) if item.image else ""
            text = {"class": '<p class="excerpt">%s</p>', "quote": "<blockquote><p>%s</p></blockquote>",
                    "small": '<p style="color:#777;font-size:13px">%s</p>', "italic": "<p><i>%s</i></p>"}.get(style, "<p>%s</p>")
            if comment and style == "italic":
                comment.blocks[:] = [b for b in comment.blocks]
            issue.write(box[0], image if place == "before" else "", title(m, item), image if place == "after" else "")
            issue.write(text % esc(item.description) if item.description else "", blocks_of(item.comment), box[1], "\n")


def site_behind(m, item, heading=False):
    if not item.site:
        return ""
    pattern = m.r.choice([" (%s)", " — %s", " | %s", " - %s", " [%s]"]) if item.site == item.host else " — %s"
    name = m.link(item.url, esc(item.site)) if m.chance(0.4) or item.site != item.host else esc(item.site)
    return pattern % name


def heading_items(issue):
    level = issue.m.r.choice(["h3", "h4"])
    box = issue.m.r.choice([("", ""), ("<article>", "</article>"), ('<div class="item">', "</div>"), ("<section>", "</section>")])
    marked(issue, lambda m, i: "<%s>%s%s</%s>" % (level, m.link(i.url, esc(i.title)), site_behind(m, i), level), ("h2",), box)


def numbered_headings(issue):
    state = collections.Counter()

    def title(m, item):
        state["n"] += 1
        return "<h3>%d. %s</h3>" % (state["n"], m.link(item.url, esc(item.title)))
    marked(issue, title, ("h2",), site=False)


def bold_items(issue):
    tag = issue.m.r.choice(["b", "strong"])
    inside = issue.m.chance(0.5)

    def title(m, item):
        linked = m.link(item.url, "<%s>%s</%s>" % (tag, esc(item.title), tag)) if inside else "<%s>%s</%s>" % (tag, m.link(item.url, esc(item.title)), tag)
        return "<p>%s%s</p>" % (linked, site_behind(m, item))
    marked(issue, title, ("h2", "h3"))


def plain_items(issue):
    """A link alone in its paragraph, a comment under it."""
    marked(issue, lambda m, i: "<p>%s</p>" % m.link(i.url, esc(i.title)), ("h2", "h3"), site=False)


def broken_lines(issue):
    """<p><b><a>title</a></b><br>text</p>"""
    m = issue.m
    bold = m.r.choice(["<b>%s</b>", "<strong>%s</strong>", "%s"])
    head = heading_markup(m, ("h2", "h3"))
    breaks = m.r.choice(["<br>", "<br/>\n", "<br><br>"])
    introduction(issue)
    for heading, count in plan(m):
        issue.write(head % esc(heading) if heading else "")
        for _ in range(count):
            item = issue.item(Item(m, make_comment(m) if m.chance(0.9) else None, description=False, image=False), heading)
            text = breaks + item.comment.blocks[0][1] if item.comment else ""
            issue.write("<p>%s%s</p>\n" % (bold % m.link(item.url, esc(item.title)), text))


def lists(issue):
    m = issue.m
    kind = m.r.choice(["dash", "colon", "line", "paragraph", "only", "host"])
    tag = m.r.choice(["ul", "ol"])
    bold = m.r.choice(["%s", "<strong>%s</strong>"])
    introduction(issue)
    for heading, count in plan(m, sections=m.r.choice([1, 2, 3])):
        issue.write("<h2>%s</h2><%s>" % (esc(heading), tag))
        for _ in range(count):
            comment = make_comment(m) if kind != "only" and m.chance(0.9) else None
            item = issue.item(Item(m, comment, description=False, image=False, site="host" if kind == "host" else False), heading)
            words = comment.blocks[0][1] if comment else ""
            between = {"dash": " — ", "colon": ": ", "line": "<br>", "host": " (%s) – " % item.host if comment else " (%s)" % item.host}.get(kind, "")
            title = bold % m.link(item.url, esc(item.title))
            if kind == "paragraph":
                issue.write("<li><p>%s</p>%s</li>\n" % (title, blocks_of(comment)))
            else:
                issue.write("<li>%s%s%s</li>\n" % (title, between if comment or kind == "host" else "", words))
        issue.write("</%s>" % tag)


def link_last(issue):
    """A list whose entries say something and end with their link."""
    m = issue.m
    introduction(issue)
    for heading, count in plan(m, low=3, sections=m.r.choice([1, 2])):
        issue.write("<h2>%s</h2><ul>" % esc(heading))
        for _ in range(count):
            text = m.sentences(1, 2)
            item = issue.item(Item(m, Text().add("p", esc(text), text), description=False, image=False), heading)
            issue.write("<li>%s %s</li>\n" % (esc(text), m.link(item.url, esc(item.title))))
        issue.write("</ul>")


def definitions(issue):
    m = issue.m
    both = m.chance(0.5)
    introduction(issue)
    for heading, count in plan(m):
        issue.write("<h2>%s</h2>" % esc(heading) if heading else "", "<dl>")
        for _ in range(count):
            item = issue.item(Item(m, make_comment(m), description=both, image=False), heading)
            issue.write("<dt>%s</dt>" % m.link(item.url, esc(item.title)))
            issue.write('<dd class="summary">%s</dd>' % esc(item.description) if both else "", "<dd>%s</dd>\n" % item.comment.blocks[0][1])
        issue.write("</dl>")


def ruled(issue):
    m = issue.m
    title = m.r.choice(["<h2>%s</h2>", "<p><b>%s</b></p>", "<p>%s</p>", "<h3>%s</h3>"])
    quoted = m.chance(0.5)
    rule = m.r.choice(["<hr>", "<hr/>\n", "<p>* * *</p>", "<div><hr></div>"])
    introduction(issue)
    for _ in range(m.r.randint(2, 7)):
        item = issue.item(Item(m, make_comment(m, m.r.choice([1, 2]) if quoted else 1, rich=not quoted), description=quoted and m.chance(0.8),
                               image=m.chance(0.4)))
        issue.write(rule, "<p>%s</p>" % item.img(600) if item.image else "", title % m.link(item.url, esc(item.title)))
        issue.write("<blockquote>%s</blockquote>" % esc(item.description) if item.description else "", blocks_of(item.comment))


def nest(inner, depth):
    for _ in range(depth):
        inner = '<table width="100%%" cellpadding="0" cellspacing="0" role="presentation"><tbody><tr><td>%s</td></tr></tbody></table>' % inner
    return inner


def tables(issue):
    """Mail: a table for everything, pictures beside or above, the comment in a row of its own."""
    m = issue.m
    both = m.chance(0.6)
    side = m.r.choice(["left", "right", "above", "none"])
    depth = m.r.randint(0, 3)
    bold = m.r.choice(['font-weight:bold;color:#000', 'font-size:20px;color:#111', 'font-weight:700'])
    out, issue.out = issue.out, []
    head = '<tr><td style="%s">%%s</td></tr>' % m.r.choice(["font-size:22px;font-weight:bold", "font-size:24px"])
    if m.chance(0.7):
        issue.prose(None, [m.linked(0.7)], "<tr><td>%s</td></tr>")
    for heading, count in plan(m):
        issue.write(head % esc(heading) if heading else "")
        for _ in range(count):
            item = issue.item(Item(m, make_comment(m), description=both, image=side != "none" and m.chance(0.85), site="host" if m.chance(0.3) else False), heading)
            picture = m.link(item.url, item.img()) if item.image else ""
            words = m.link(item.url, esc(item.title), ' style="%s"' % bold)
            words += '<br><span style="color:#777">%s</span>' % item.host if item.site else ""
            words += "<br>" + esc(item.description) if both else ""
            cells = {"left": '<td width="140">%s</td><td>%s</td>', "right": "<td>%s</td><td>%s</td>", "above": "<td>%s</td></tr><tr><td>%s</td>",
                     "none": "%s<td>%s</td>"}[side]
            row = cells % ((words, picture) if side == "right" else (picture, words))
            inner = '<table width="100%%"><tr>%s</tr><tr><td colspan="2" style="padding:8px;background:#fafafa">%s</td></tr></table>' % (
                row, item.comment.blocks[0][1])
            issue.write("<tr><td>%s</td></tr>" % nest(inner, depth), m.r.choice(["", '<tr><td height="20">&nbsp;</td></tr>']))
    rows = "".join(issue.out)
    issue.out = out
    issue.write('<table width="600" align="center">%s</table>' % rows)


def cards(issue):
    """A title without a link, a text, and a button that says to read on."""
    m = issue.m
    # An inline button needs a box, or it would stand beside the next item's picture.
    more = m.r.choice({"en": ["Read more", "Read more →", "Continue reading", "Read the article"], "ja": ["続きを読む", "もっと読む", "記事を読む →", "続きはこちら"]}[m.lang])
    button = m.r.choice(["<p>%s</p>", "%s", "inline", '<div class="button">%s</div>'])
    both = m.chance(0.4)
    level = m.r.choice(["h3", "h4"])
    box = m.r.choice([("", "")] * (button != "%s") + [('<div class="card">', "</div>"), ("<section>", "</section>"), ("<table><tr><td>", "</td></tr></table>")])
    linked = m.chance(0.4)
    introduction(issue)
    for heading, count in plan(m):
        issue.write("<h2>%s</h2>" % esc(heading) if heading else "")
        for _ in range(count):
            item = issue.item(Item(m, make_comment(m, p=0.3), description=both, image=m.chance(0.6)), heading)
            text = m.link(item.url, more)
            issue.write(box[0], m.link(item.url, item.img()) if item.image else "")
            issue.write("<%s>%s</%s>" % (level, m.link(item.url, esc(item.title)) if linked else esc(item.title), level))
            issue.write('<p class="excerpt">%s</p>' % esc(item.description) if both else "")
            if button == "inline":
                issue.write("<p>%s%s%s</p>" % (item.comment.blocks[0][1], m.r.choice([" ", "<br>", "<br><br>"]), text))
            else:
                issue.write("<p>%s</p>" % item.comment.blocks[0][1], button % text)
            issue.write(box[1], "\n")


def link_cards(issue):
    """A whole card is one link (title, description, site); the comment stands behind it."""
    m = issue.m
    kind = m.r.choice(["bookmark", "divs"])
    introduction(issue)
    for heading, count in plan(m):
        issue.write("<h2>%s</h2>" % esc(heading) if heading else "")
        for _ in range(count):
            comment = make_comment(m, m.r.choice([1, 1, 2]), rich=True) if m.chance(0.9) else None
            item = issue.item(Item(m, comment, description=m.chance(0.9), image=m.chance(0.8), site=m.r.choice(["name", "host"])), heading)
            if kind == "bookmark":
                card = ('<div class="kg-bookmark-content"><div class="kg-bookmark-title">%s</div>%s<div class="kg-bookmark-metadata">'
                        '<img class="kg-bookmark-icon" src="https://icons.example/f.ico" alt=""><span class="kg-bookmark-author">%s</span>%s</div></div>%s')
                described = '<div class="kg-bookmark-description">%s</div>' % esc(item.description) if item.description else ""
                card %= (esc(item.title), described, esc(item.site), m.r.choice(["", '<span class="kg-bookmark-publisher">Ada Lund</span>']),
                         '<div class="kg-bookmark-thumbnail"><img src="%s" alt=""></div>' % item.image if item.image else "")
                issue.write('<figure class="kg-card kg-bookmark-card">%s</figure>' % m.link(item.url, card, ' class="kg-bookmark-container"'))
            else:
                described = '<div class="desc">%s</div>' % esc(item.description) if item.description else ""
                card = '%s<div class="t"><b>%s</b></div>%s<div class="site">%s</div>' % (item.img() if item.image else "", esc(item.title), described, esc(item.site))
                issue.write('<div class="embed">%s</div>' % m.link(item.url, card))
            issue.write(blocks_of(item.comment))


def minutes(issue):
    """Title (5 minute read), a gap, a text: the whole of it in one block."""
    m = issue.m
    introduction(issue, 0.5)
    for heading, count in plan(m, sections=m.r.choice([2, 3])):
        issue.write("<div><h1><strong>%s</strong></h1></div>" % esc(heading))
        for _ in range(count):
            item = issue.item(Item(m, make_comment(m, p=0.1), description=False, image=False), heading)
            item.title += m.r.choice([" (%d minute read)" % m.r.randint(2, 20), " (GitHub Repo)"])
            issue.write('<div class="text-block"><span>%s<br><br><span style="font-family:Helvetica">%s</span></span></div>\n' % (
                m.link(item.url, "<span><strong>%s</strong></span>" % esc(item.title)), item.comment.blocks[0][1]))


def addresses_below(issue):
    """A title in bold or as a heading, its address below, then a text."""
    m = issue.m
    kind = m.r.choice(["lines", "heading", "paragraphs"])
    shown = m.r.choice(["full", "host"])
    introduction(issue)
    for heading, count in plan(m):
        issue.write("<h2>%s</h2>" % esc(heading) if heading else "")
        for _ in range(count):
            item = issue.item(Item(m, make_comment(m), description=False, image=False), heading)
            link = m.link(item.url, esc(item.url) if shown == "full" else item.url.split("/")[2] + "/…" if kind == "x" else esc(item.url))
            text = item.comment.blocks[0][1]
            issue.write({"lines": "<p><strong>%s</strong><br>\n%s<br>\n%s</p>", "heading": "<h3>%s</h3><p>%s</p><p>%s</p>",
                         "paragraphs": "<p><b>%s</b></p><p>%s</p><p>%s</p>"}[kind] % (esc(item.title), link, text))


def outlook(issue):
    m = issue.m
    line = "<p class=MsoNormal>%s</p>"
    gap = line % "<o:p>&nbsp;</o:p>"
    span = "<span style='font-size:%spt;font-family:\"Calibri\",sans-serif'>%s<o:p></o:p></span>"
    issue.prose(None, [m.linked(0.6)], line % (span % ("11.0", "%s")))
    issue.write(gap)
    for heading, count in plan(m, sections=m.r.choice([1, 2, 3])):
        issue.write(line % ("<b>%s</b>" % (span % ("14.0", esc(heading)))), gap)
        for _ in range(count):
            item = issue.item(Item(m, make_comment(m) if m.chance(0.9) else None, description=False, image=False), heading)
            issue.write(line % ("<b>%s</b>" % (span % ("11.0", m.link(item.url, "<span style='color:#0563C1'>%s</span>" % esc(item.title))))))
            issue.write(line % (span % ("11.0", item.comment.blocks[0][1])) if item.comment else "", gap, "\n")


def tails(issue):
    """A link and behind it a short tail in grey: the site, who wrote it, a link to the discussion."""
    m = issue.m
    tail = m.r.choice(["host", "author", "discussion", "slashes"])
    introduction(issue, 0.6)
    for heading, count in plan(m, low=3, sections=m.r.choice([1, 2, 3])):
        issue.write("<h2>%s</h2>" % esc(heading))
        for _ in range(count):
            item = issue.item(Item(m, None, description=False, image=False, site=False if tail in ("author", "discussion") else "host"), heading)
            behind = {"host": " <span style='color:#999'>(%s)</span>" % item.host, "author": " by Ada Lund", "slashes": " <span>// %s</span>" % item.host,
                      "discussion": ' <a href="https://news.example/item?id=%d">comments</a>' % m.r.randint(1, 999)}[tail]
            issue.write('<p style="margin:0">%s%s</p>\n' % (m.link(item.url, esc(item.title)), behind))


def markdown_mail(issue):
    """What comes out of Markdown: lists of paragraphs, titles in bold inside their link."""
    m = issue.m
    introduction(issue)
    for heading, count in plan(m, sections=m.r.choice([1, 2])):
        issue.write("<h2>%s</h2>\n<ul>\n" % esc(heading))
        for _ in range(count):
            # Were all of two paragraphs, the first would be the article's.
            comment = make_comment(m, m.r.choice([1, 1, 1, 2]) if len(issue.items) % 2 else 1)
            item = issue.item(Item(m, comment, description=False, image=False), heading)
            issue.write("<li><p>%s</p>\n%s</li>\n" % (m.link(item.url, "<strong>%s</strong>" % esc(item.title)), blocks_of(comment)))
        issue.write("</ul>\n")


def stories(issue):
    """Blocks of a mail editor: picture, heading, text, each in a table of its own."""
    m = issue.m
    block = '<table role="none" width="100%%"><tr><td style="padding:10px">%s</td></tr></table>'
    nested = m.chance(0.5)
    if m.chance(0.7):
        issue.prose(None, [m.linked(0.6)], block.replace("%%", "%").replace("100%", "100%%").replace("%s", "<p>%s</p>"))
    for heading, count in plan(m, sections=m.r.choice([1, 2, 3])):
        issue.write(block % ("<h2>%s</h2>" % esc(heading)))
        for _ in range(count):
            comment = make_comment(m, m.r.choice([1, 1, 2]) if len(issue.items) % 2 else 1, rich=True)
            item = issue.item(Item(m, comment, description=False, image=m.chance(0.6)), heading)
            rows = [item.img(600)] if item.image else []
            rows += ["<h3>%s</h3>" % m.link(item.url, "<span>%s</span>" % esc(item.title)), blocks_of(item.comment)]
            issue.write(block % ("<table>%s</table>" % "".join("<tr><td>%s</td></tr>" % row for row in rows)) if nested
                        else "".join(block % row for row in rows))


def videos(issue):
    """Items that are only an embedded video with a comment."""
    m = issue.m
    kind = m.r.choice(["embed", "iframe"])
    introduction(issue, 0.5)
    heading = m.r.choice(HEADINGS[m.lang]) if m.chance(0.6) else None
    issue.write("<h2>%s</h2>" % esc(heading) if heading else "<hr>")
    for _ in range(m.r.randint(1, 5)):
        item = issue.item(Item(m, make_comment(m, m.r.choice([1, 2])), description=False, image=False), heading)
        key, item.title = "%011d" % m.r.randint(1, 10 ** 10), None
        if kind == "embed":
            item.url = "https://youtu.be/" + key
            issue.write("[embed %s]\n" % item.url, blocks_of(item.comment))
        else:
            item.url = "https://www.youtube.com/watch?v=" + key
            issue.write('<figure><iframe width="560" src="https://www.youtube.com/embed/%s?feature=oembed" allowfullscreen></iframe></figure>' % key,
                        blocks_of(item.comment))


def paired(issue):
    """Every item has a description and a comment, paragraphs that look alike: the first is the article's."""
    m = issue.m
    level = m.r.choice(["h3", "h4", "b"])
    introduction(issue)
    for heading, count in plan(m):
        issue.write("<h2>%s</h2>" % esc(heading) if heading else "")
        for _ in range(count):
            item = issue.item(Item(m, make_comment(m), image=m.chance(0.3)), heading)
            title = m.link(item.url, esc(item.title))
            issue.write("<p>%s</p>" % item.img() if item.image else "", "<p><b>%s</b></p>" % title if level == "b" else "<%s>%s</%s>" % (level, title, level))
            issue.write("<p>%s</p>" % esc(item.description), blocks_of(item.comment), "\n")


def own_words(issue):
    """Headings with a link and only the curator's words under them, one or several paragraphs."""
    m = issue.m
    introduction(issue)
    for heading, count in plan(m, low=3):
        issue.write("<h2>%s</h2>" % esc(heading) if heading else "")
        for k in range(count):
            item = issue.item(Item(m, make_comment(m, 2 if k == 1 else 1), description=False, image=False), heading)
            issue.write("<h3>%s</h3>" % m.link(item.url, esc(item.title)), blocks_of(item.comment), "\n")


SHAPES = {shape.__name__: shape for shape in (
    revue, heading_items, numbered_headings, bold_items, plain_items, broken_lines, lists, link_last, definitions, ruled, tables, cards,
    link_cards, minutes, addresses_below, outlook, tails, markdown_mail, stories, videos, paired, own_words)}


# ---- what stands around it -------------------------------------------------------------------------------------

def top_of(m):
    """Wrapping above the content."""
    parts = []
    if m.chance(0.4):
        parts.append(m.r.choice(['<div style="display:none;max-height:0">%s &#847; &zwnj; &nbsp;</div>',
                                 '<span style="font-size:0;line-height:0;max-height:0;overflow:hidden;opacity:0">%s</span>',
                                 '<span style="display:none !important;mso-hide:all">%s</span>']) % esc(m.phrase(SENTENCES)))
    if m.chance(0.3):
        words = m.r.choice({"en": ["View in browser", "View this email in your browser", "Read online"], "ja": ["ブラウザで表示", "ブラウザで見る", "Webで読む"]}[m.lang])
        parts.append('<p style="font-size:11px"><a href="https://mail.example/v/%d">%s</a></p>' % (m.number, words))
    if m.chance(0.3):
        parts.append('<a href="https://letters.example/"><img src="https://letters.example/logo.png" width="200" alt="Letters"></a>')
    if m.chance(0.4):
        name = {"en": "Weekly Letters #%d", "ja": "週刊たより 第%d号"}[m.lang] % m.number
        parts.append("<h1>%s</h1>" % m.r.choice(["%s", '<a href="%s">%%s</a>' % BASE]) % name)
        if m.chance(0.4):
            parts.append("<p>%s</p>" % m.r.choice({"en": ["November 20, 2026", "Nov 20, 2026 · Ada Lund", "Issue %d — November 20th 2026" % m.number],
                                                   "ja": ["2026年11月20日", "第%d号　2026年11月20日（金）" % m.number, "2026/11/20"]}[m.lang]))
    return "\n".join(parts)


def bottom_of(m):
    """Wrapping below it."""
    parts = []
    if m.chance(0.3):
        parts.append("<p>%s</p>" % m.r.choice({"en": ["That's all for this week.", "See you next Friday!", "Thanks for reading."],
                                               "ja": ["それではまた来週。", "お読みいただきありがとうございました。", "また来週お会いしましょう。"]}[m.lang]))
    if m.chance(0.4):
        share = m.r.choice({"en": [("Share this issue", "Tweet"), ("Share on Twitter", "Forward to a friend")], "ja": [("この号をシェア", "ツイート"), ("Xでシェア", "友達に転送")]}[m.lang])
        parts.append('<p><a href="https://twitter.com/intent/tweet?text=x">%s</a> %s <a href="https://letters.example/share?i=1">%s</a></p>' % (
            share[0], m.r.choice(["|", "·", "/"]), share[1]))
    if m.chance(0.3):
        parts.append({"en": '<p>Did someone forward this to you? <a href="https://letters.example/subscribe">Sign up here</a>.</p>',
                      "ja": '<p>このメールは登録された方にお送りしています。<a href="https://letters.example/subscribe">登録はこちら</a></p>'}[m.lang])
    if m.chance(0.7):
        parts.append(m.r.choice({"en": ['<p style="font-size:11px">You received this because you signed up. <a href="https://mail.example/u/%d">Unsubscribe</a></p>',
                                        '<div class="footer">© 2026 Letters, 1 Gear Lane<br><a href="https://mail.example/u/%d">Unsubscribe</a> · <a href="https://mail.example/p/">Preferences</a></div>',
                                        '<footer><p>Powered by <a href="https://platform.example/?ref=%d">Platform</a></p></footer>'],
                                 "ja": ['<p>配信停止は<a href="https://mail.example/stop/%d">こちら</a></p>',
                                        '<p>© 2026 たより編集部 <a href="https://mail.example/u/%d">購読解除</a></p>']}[m.lang]) % m.number)
    if m.chance(0.3):
        parts.append('<img src="https://mail.example/open.gif?id=%d" width="1" height="1" alt="">' % m.number)
    return "\n".join(parts)


def dress(m, body):
    """The same page as other programs would have written it."""
    if m.nbsp:
        body = re.sub(r"(?<=[a-z]) (?=[a-z]+[.!?])", "&nbsp;", re.sub(r"<[^>]*>", lambda t: t.group(0).replace(" ", "\0"), body)).replace("\0", " ")
    if m.chance(0.2):
        body = re.sub(r">\s+<", "><", body)
    elif m.chance(0.2):
        body = re.sub(r"(</(?:p|div|h[1-6]|li|ul|ol|tr|td|table)>)", r"\1\n   ", body)
    if m.chance(0.5):
        body = m.r.choice(["<div>%s</div>", "<html><head><title>x</title><style>p{margin:0}</style></head><body>%s</body></html>",
                           '<div class="wrap"><div class="inner">%s</div></div>', '<table width="600"><tr><td>%s</td></tr></table>',
                           "<center><table><tr><td><table><tr><td>%s</td></tr></table></td></tr></table></center>"]) % body
    return body


def make(seed, shape=None):
    """(name of the shape, HTML, truth) of a seed."""
    m = Maker(seed)
    name = m.r.choice(sorted(SHAPES))
    name = shape or name
    issue = Issue(m)
    SHAPES[name](issue)
    plain = name == "revue" and m.chance(0.7)
    content = "".join(issue.out)
    body = content if plain else dress(m, "\n".join([top_of(m), content, bottom_of(m)]))
    truth = {"items": [item.truth() for item in issue.items], "sections": issue.sections, "mentions": issue.mentions}
    return name, body, truth


# ---- what is none -----------------------------------------------------------------------------------------------

def article(m):
    """Prose with links in its sentences, headings, pictures."""
    parts = []
    for _ in range(m.r.randint(2, 4)):
        parts.append("<h2>%s</h2>" % esc(m.r.choice(HEADINGS[m.lang])) if m.chance(0.6) else "")
        parts += ["<p>%s</p>" % " ".join(m.linked(0.8)[0] for _ in range(m.r.randint(2, 4))) for _ in range(m.r.randint(2, 4))]
        parts.append('<p><img src="https://img.example/%d.jpg"></p>' % m.r.randint(1, 99) if m.chance(0.3) else "")
    return "".join(parts)


def references(m):
    """An article, and below it what it refers to."""
    kind = m.r.choice(["<li>%s. Ada Lund, 2025.</li>", "<li>%s</li>", "<li>%s: a survey of the field</li>"])
    rows = "".join(kind % m.link(m.address(), esc(m.phrase(TITLES))) for _ in range(m.r.randint(3, 6)))
    return article(m) + article(m) + "<h2>%s</h2><ol>%s</ol>" % (m.r.choice(["References", "Further reading", "参考文献"]), rows)


def release(m):
    """What changed, with links to where it was changed."""
    kind = m.r.choice(['<li>{text} by <a href="https://forge.example/u/ada">@ada</a> in <a href="{url}">#{n}</a></li>',
                       '<li><a href="{url}">#{n}</a>: {text}</li>', "<li>{text} ({link})</li>", '<li><a href="{url}">a1b2c3{n}</a> {text}</li>'])
    rows = []
    for _ in range(m.r.randint(3, 9)):
        n = m.r.randint(10, 9999)
        url = "https://forge.example/p/pull/%d" % n
        rows.append(kind.format(text=esc(m.phrase(SENTENCES).rstrip(".")), url=url, n=n, link='<a href="%s">#%d</a>' % (url, n)))
    return "<h2>v%d.%d.0</h2><h3>Fixes</h3><ul>%s</ul>" % (m.r.randint(1, 9), m.r.randint(0, 9), "".join(rows))


def aggregated(m):
    """What link aggregators write into their entries."""
    url = m.address()
    return m.r.choice(['<p>Article URL: <a href="{0}">{0}</a></p><p>Comments URL: <a href="https://news.example/item?id=1">https://news.example/item?id=1</a></p>'
                       "<p>Points: 12</p><p># Comments: 3</p>",
                       'submitted by <a href="https://forum.example/u/x">/u/x</a> <br> <span><a href="{0}">[link]</a></span> '
                       '<span><a href="https://forum.example/1">[comments]</a></span>']).format(esc(url))


def tutorial(m):
    """Steps with code, in each a link."""
    steps = ["<h3>%d. %s</h3><p>%s</p><pre><code>make install</code></pre>" % (k, esc(m.phrase(NOUNS)), m.linked(0.9)[0]) for k in range(1, m.r.randint(4, 7))]
    return "<p>%s</p>%s" % (m.sentences(1, 2), "".join(steps))


def own_news(m):
    """Headlines of the blog's own site."""
    rows = ["<h3><a href=\"https://blog.example/posts/%d\">%s</a></h3><p>%s</p>" % (m.r.randint(1, 999), esc(m.phrase(TITLES)), esc(m.sentences(1, 2)))
            for _ in range(m.r.randint(3, 6))]
    return "".join(rows)


POSTS = {post.__name__: post for post in (article, references, release, aggregated, tutorial, own_news)}


def make_post(seed, kind):
    """The HTML of a post that is no roundup."""
    return POSTS[kind](Maker(seed))


# ---- comparing -------------------------------------------------------------------------------------------------

def squeeze(text):
    """Without white space: where a line is broken is not what is tried here."""
    return re.sub(r"\s+", "", text) if text else None


def plain(markup):
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def found_in(issue):
    kns = issue.get("_kns", {})
    items = [{"url": i["url"], "title": i.get("title"), "image": i.get("image"), "site": i["_kns"].get("site"), "description": i.get("summary"),
              "note": i["_kns"].get("note"), "section": i["_kns"].get("section"),
              "note_links": [(html.unescape(u), plain(w)) for u, w in re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', i["_kns"].get("note_html", ""), re.S)]}
             for i in issue["items"]]
    sections = [(s.get("title"), plain(s["content_html"])) for s in kns.get("sections", [])]
    mentions = [(m.get("section"), m["url"], m["text"]) for m in kns.get("mentions", [])]
    return {"items": items, "sections": sections, "mentions": mentions}


def comparable(truth):
    def item(i):
        row = {field: i[field] for field in FIELDS}
        for field in ("title", "description", "note", "site"):
            row[field] = squeeze(row[field])
        row["note_links"] = [(u, squeeze(w)) for u, w in row["note_links"]]
        return row
    return {"items": [item(i) for i in truth["items"]], "sections": [(t, squeeze(x)) for t, x in truth["sections"]],
            "mentions": [(s, u, squeeze(w)) for s, u, w in truth["mentions"]]}


def differences(truth, found):
    """Lines that say what is read wrongly."""
    truth, found = comparable(truth), comparable(found)
    lines = []
    for kind in ("sections", "mentions"):
        if truth[kind] != found[kind]:
            lines += ["%s: -%s +%s" % (kind, [x for x in truth[kind] if x not in found[kind]], [x for x in found[kind] if x not in truth[kind]])]
    if [i["url"] for i in truth["items"]] != [i["url"] for i in found["items"]]:
        urls = [[i["url"] for i in side["items"]] for side in (truth, found)]
        lines.append("items: %d of %d, -%s +%s" % (len(urls[1]), len(urls[0]), [u for u in urls[0] if u not in urls[1]], [u for u in urls[1] if u not in urls[0]]))
        return lines
    for wanted, got in zip(truth["items"], found["items"]):
        lines += ["%s of %s: %r, not %r" % (f, wanted["url"], got[f], wanted[f]) for f in FIELDS if wanted[f] != got[f]]
    return lines


def read(knsctl, body):
    done = subprocess.run([knsctl, "parse", "--newsletter", "--base", BASE, "-"], input=body.encode(), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--knsctl", required=True)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--shape", choices=sorted(SHAPES))
    parser.add_argument("--keep")
    parser.add_argument("--show", action="store_true", help="print the newsletters, read nothing")
    options = parser.parse_args()
    wrong, tried = collections.Counter(), collections.Counter()
    for seed in range(options.first, options.first + options.count):
        name, body, truth = make(seed, options.shape)
        tried[name] += 1
        if options.show:
            print(body, json.dumps(truth, ensure_ascii=False, indent=1), sep="\n\n")
            continue
        lines = differences(truth, found_in(read(options.knsctl, body)))
        if not lines:
            continue
        wrong[name] += 1
        print("seed %d, %s:\n  %s" % (seed, name, "\n  ".join(lines).replace("\0", "")))
        if options.keep:
            os.makedirs(options.keep, exist_ok=True)
            with open(os.path.join(options.keep, "%d-%s.html" % (seed, name)), "w", encoding="utf-8") as fp:
                fp.write(body)
    for name in sorted(tried):
        print("%-20s %5d tried, %5d wrong" % (name, tried[name], wrong[name]))
    print("%d tried, %d wrong" % (sum(tried.values()), sum(wrong.values())))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Two newsletters, Japanese and English, curated by the real knsd and knsctl from feeds on loopback: what the tests in a browser look at."""
import os
import struct
import subprocess
import zlib

from tests.integration import kns

FIXTURES = os.path.join(kns.ROOT, "tests", "fixtures", "newsletters")
JAPANESE, ENGLISH = "https://hiyori.example", "https://letters.example/tables"
CONFIG = """[poll]
private_networks = always
[newsletter hiyori]
title = 週刊データ日和
base_url = %s/
language = ja
author = 編集室
email = hello@hiyori.example
link_parameters = utm_source=hiyori&utm_medium=email
first_number = 13
[newsletter tables]
title = Table Talk
issue_title = {title}, No. {number}
base_url = %s
language = en
author = M. Lindqvist
[newsletter unplaced]
title = Without an Address
language = en
""" % (JAPANESE, ENGLISH)

# (address, title, description, thumbnail, language)
ARTICLES = [
    ("https://blog.compe.example/rice-leaf", "稲の葉の病気を見分けるコンペで金メダルを取るまで", "画像は三万枚、ラベルの一割は誤り。最初の二週間は学習を一切せず、画像を眺めて過ごした。ノイズの見つけ方から最後の混ぜ方までを順に振り返る。", "rice.png", "ja"),
    ("https://tech.maru.example/posts/vector-search-in-sqlite", "SQLiteで作るベクトル検索 - まる技術日誌", "拡張を入れずに、普通の表と索引だけで近傍探索を組みます。百万件までなら、これで足ります。", "search.png", "ja"),
    ("https://papers.example/abs/2611.00042", "Tables Are All You Keep: Gradient Boosting at the Edge of What a Laptop Can Hold", "We keep the tables and drop the rest. A single machine, forty datasets, and a baseline that refuses to lose.", "tables.png", "en"),
    ("https://slides.example/d/validation", "検証の切り方、五つの型", "", "split.png", "ja"),
    ("https://long.example/a/very/long/path", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft_and_other_names_that_no_browser_can_break.ipynb", "A notebook about words that do not fit.", None, "de"),
    ("https://notes.example/gpu", "一枚のGPUで足りるとき、足りないとき", "手元の一枚で回る実験の大きさを、メモリと時間の表から見積もる方法。表は計算機ごとに作り直せます。", None, "ja"),
    ("https://tabular.example/leakage", "Target encoding without leakage: a checklist", "Smoothing, out-of-fold means, and the two mistakes that survive code review.", "folds.png", "en"),
    ("https://tabular.example/single-model", "When a single GBDT beats the ensemble", "We removed models from a 14-member blend, one at a time, until the score moved. It moved at the last one.", "boost.png", "en"),
    ("https://weather.example/blog/radar", "Nowcasting rain from one radar & no budget", "What a small town can do with open data, a Raspberry Pi and patience.", "rain.png", "en"),
    ("https://stat.example/p/intervals", "Intervals people can read", "", None, "en"),
]

HIYORI_13 = """# 週刊データ日和 #13

## ニュース

今週は[データ会議2026](https://conf.example/2026)の募集が始まりました。締切は来月末です。発表資料は[昨年のページ](https://conf.example/archive)で読めます。運営の[松本さん](https://people.example/matsumoto)によると、今年は表形式データの枠が広がるそうです。

## コンペ

「[稲の病気を見分ける](https://compe.example/c/rice)」が終わりました。一位は学習率を週ごとに**手で**変えたそうです。次は「[地図を読む](https://compe.example/c/map)」、締切は十二月二十日です。

- [規約の変更点](https://compe.example/rules): 外部データの申告が必須になりました
- [参加者数の推移](https://compe.example/stats)

---

- https://blog.compe.example/rice-leaf

長いのに最後まで飽きない参加記です。ラベルの誤りを見つける章だけでも読む価値があります。[前回の優勝者の記事](https://compe.example/win)と合わせてどうぞ。

- https://tech.maru.example/posts/vector-search-in-sqlite

「拡張を入れない」と決めたところが面白い。図はありませんが、次の一行で全部わかります。

```
SELECT id, distance FROM neighbours WHERE bucket IN (SELECT bucket FROM probe WHERE vector = :query) ORDER BY distance LIMIT 10;
```

- https://papers.example/abs/2611.00042

英語の論文ですが、表3だけ見れば結論がわかります。

> 木は、思っていたよりも、ずっと遠くまで届く。

- https://slides.example/d/validation

勉強会の発表資料。<ruby>時系列<rp>(</rp><rt>じけいれつ</rt><rp>)</rp></ruby>の型を迷ったときに見返したいです。

- https://long.example/a/very/long/path

題が長すぎますが、中身は短いです。

- https://notes.example/gpu

見積もりの表をそのまま載せておきます。

<table><thead><tr><th scope="col">模型</th><th scope="col">メモリ</th><th scope="col">一回の学習</th></tr></thead><tbody><tr><td>小さい木</td><td>2 GB</td><td>三分</td></tr><tr><td>大きい木</td><td>14 GB</td><td>二時間</td></tr></tbody></table>
"""

TABLES_1 = """# Table Talk, No. 1

Welcome. Once a week, a handful of things about tables that are worth your time: nothing sponsored, nothing urgent.

## Papers

- https://papers.example/abs/2611.00042

Read the appendix first. The authors are refreshingly honest about what did *not* work, and the code runs.

- https://tabular.example/leakage

I have made both mistakes. See also [the older list](https://tabular.example/old).

## Tools & small things

- https://weather.example/blog/radar

1. Take one radar.
2. Take `scipy.ndimage`, nothing more.
3. Wait for rain.

- https://stat.example/p/intervals
- https://blog.compe.example/rice-leaf

In Japanese, and worth a translator: a gold medal told from the first blurry picture on.
"""

TABLES_2 = """# Table Talk, No. 2

## News

The [call for notebooks](https://conf.example/notebooks) is open until <time datetime="2026-12-20">20 December</time>. Last year's are [still online](https://conf.example/archive), and still good.

---

- https://tabular.example/single-model

The best argument against complexity I have read this year.

- https://tech.maru.example/posts/vector-search-in-sqlite

A vector index in plain SQL. The post is Japanese, the queries are not.
"""


def png(width, height, colour):
    """A picture of two colours, so that it can be told from nothing."""
    line = lambda y: b"\0" + b"".join(bytes(colour if (x // 20 + y // 20) % 2 else (255, 255, 255)) for x in range(width))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"".join(line(y) for y in range(height)))) + chunk(b"IEND", b""))


def pictures():
    """The declared thumbnails: address to (type, bytes). None is square, as in the world."""
    names = [a[3] for a in ARTICLES if a[3]]
    return {picture(name): ("image/png", png(320, 180 + 40 * (i % 4), (30 + 24 * i, 90, 200 - 20 * i))) for i, name in enumerate(names)}


def picture(name):
    return "https://img.example/" + name


def feed(language):
    items = "".join(
        "<item><title>%s</title><link>%s</link><guid>%s</guid><description>%s</description>%s"
        "<pubDate>Mon, 02 Nov 2026 08:00:00 GMT</pubDate></item>"
        % (kns.escape(title), url, url, kns.escape(text), '<media:thumbnail url="%s"/>' % picture(image) if image else "")
        for url, title, text, image, lang in ARTICLES if lang == language)
    return ('<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>'
            "<title>Feed %s</title><link>https://feed.example/%s</link><language>%s</language><description>Of a test</description>"
            "%s</channel></rss>" % (language, language, language, items))


class Letters:
    """The daemon with its newsletters published; `site(name)` is the folder of a newsletter's static site."""

    def __init__(self):
        self.origin = kns.Origin()
        self.knsd = kns.Knsd(CONFIG)
        self.pictures = pictures()
        for language in ("ja", "en", "de"):
            self.knsd.add(self.origin.put("/" + language, feed(language)))
        for number, name in ((11, "archive.md"), (12, "bold-links.html")):
            self.ctl("issue", "import", "--newsletter", "hiyori", "--issue-number", str(number), "--date", "2026-11-%02d" % (number * 7 - 70),
                     "--url", "%s/%d/" % (JAPANESE, number), os.path.join(FIXTURES, name))
        self.publish("hiyori", HIYORI_13, "2026-11-22")
        self.publish("tables", TABLES_1, "2026-11-16")
        self.publish("tables", TABLES_2, "2026-11-23")
        self.publish("unplaced", TABLES_2, "2026-11-23")

    def close(self):
        self.knsd.close()
        self.origin.close()

    def ctl(self, *args, text=None):
        done = subprocess.run([kns.KNSCTL, "--socket", self.knsd.socket, *args], input=(text or "").encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=kns.PATIENCE_S, check=False)
        if done.returncode != 0:
            raise AssertionError("knsctl %s: %d: %s" % (" ".join(args), done.returncode, done.stderr.decode()))
        return done.stdout.decode()

    def publish(self, name, text, date):
        self.ctl("issue", "edit", "--newsletter", name, "-", text=text)
        self.ctl("issue", "publish", "--newsletter", name, "--no-links", "--date", date)

    def site(self, name):
        folder = os.path.join(self.knsd.dir, "site-" + name)
        self.ctl("site", "--newsletter", name, folder)
        return folder

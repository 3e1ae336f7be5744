#!/usr/bin/env python3
"""Leave knsd for a while with feeds whose servers do everything wrong, and watch it: memory and files stay as they are, the API answers in
time, a reload and a restart change nothing, it stops when asked.

    tests/tools/soak.py --build build/asan [--minutes 30] [--feeds 300] [--budget-ms 100]

Everything happens on loopback. A line a minute; the last line says "soak: good", or what was wrong. Not part of `./dev test`: half an
hour is what it takes to see something grow.
"""
import argparse
import collections
import gzip
import os
import random
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

CONFIG = """[poll]
interval = 5s
min_interval = 1s
max_interval = 20s
timeout = 4s
max_size = 1M
private_networks = always
"""


def document(n, items=12):
    from tests.integration.kns import entry, rss
    return rss([entry(i, base="https://f%s.example" % n) for i in range(items)], title="Feed %s" % n).encode()


def head(status, size, *more):
    lines = ["HTTP/1.1 %d X" % status, *more] + ([] if size is None else ["Content-Length: %d" % size])
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


RSS = "Content-Type: application/rss+xml"


def good(c, r, n):
    if r["If-None-Match"]:
        c.send(head(304, None, 'ETag: "1"'))
    else:
        body = document(n)
        c.send(head(200, len(body), RSS, 'ETag: "1"'), body)


def changing(c, r, n):
    body = document("%s-%d" % (n, random.randrange(20)))
    c.send(head(200, len(body), RSS, 'ETag: "%d"' % random.randrange(1 << 30)), body)


def compressed(c, r, n):
    body = gzip.compress(document(n))
    c.send(head(200, len(body), RSS, "Content-Encoding: gzip"), body)


def half_compressed(c, r, n):
    body = gzip.compress(document(n))[:200]
    c.send(head(200, len(body), RSS, "Content-Encoding: gzip"), body)


def no_gzip(c, r, n):
    body = document(n)
    c.send(head(200, len(body), RSS, "Content-Encoding: gzip"), body)


def bomb(c, r, n):
    body = zlib.compress(b" " * (32 << 20), 9)
    c.send(head(200, len(body), RSS, "Content-Encoding: deflate"), body)


def hang(c, r, n):
    time.sleep(8)
    c.close()


def slow(c, r, n):
    body = document(n)
    c.send(head(200, len(body), RSS))
    for at in range(0, len(body), 300):
        c.send(body[at:at + 300])
        time.sleep(0.3)


def reset(c, r, n):
    c.reset()


def reset_in_the_body(c, r, n):
    body = document(n)
    c.send(head(200, len(body), RSS), body[:len(body) // 2])
    c.reset()


def close_in_the_header(c, r, n):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    c.close()


def too_long(c, r, n):
    body = document(n)
    c.send(head(200, len(body) + 1000, RSS), body)
    c.close()


def too_short(c, r, n):
    body = document(n)
    c.send(head(200, len(body) - 300, RSS), body)


def huge(c, r, n):
    c.send(head(200, 64 << 20, RSS), b"<rss version='2.0'><channel>")
    for _ in range(64):
        c.send(b"<item><title>" + b"x" * 65000 + b"</title></item>")


def endless_header(c, r, n):
    c.send(b"HTTP/1.1 200 OK\r\n")
    for i in range(4000):
        c.send(b"X-%d: %s\r\n" % (i, b"y" * 60))
    c.close()


def cookies(c, r, n):
    body = document(n)
    assert r["Cookie"] is None, "a cookie was sent back"
    c.send(head(200, len(body), RSS, *("Set-Cookie: c%d=%d" % (i, i) for i in range(40))), body)


def redirect(c, r, n):
    status, where = random.choice((301, 302, 303, 307, 308)), random.choice(("good", "changing", "redirect", "page", "gone"))
    c.send(head(status, 0, "Location: /%s/%s" % (where, n)))


def loop(c, r, n):
    c.send(head(302, 0, "Location: /loop/%s" % n))


def elsewhere(c, r, n):
    c.send(head(302, 0, "Location: " + random.choice(("ftp://h.example/", "http://[::", "//", "file:///etc/passwd", ""))))


def failing(c, r, n):
    c.send(head(random.choice((500, 502, 503, 504)), 0))


def overloaded(c, r, n):
    c.send(head(503, 0, random.choice(("X-A: b", "Retry-After: 3"))))


def throttling(c, r, n):
    c.send(head(429, 0, "Retry-After: %s" % random.choice(("2", "soon", "-1", "4"))))


def page(c, r, n):
    body = b"<!doctype html><title>Just a moment...</title>" + b"<p>x" * 3000
    c.send(head(200, len(body), "Content-Type: text/html"), body)


def gone(c, r, n):
    c.send(head(random.choice((404, 410, 403)), 0))


def shifting(c, r, n):
    kind = random.choice(("text/html; charset=shift_jis", "application/json", "image/png", "text/xml; charset=utf-16", ";;;"))
    body = document(n)
    c.send(head(200, len(body), "Content-Type: " + kind), body)


def chunked(c, r, n):
    body = document(n)
    c.send(head(200, None, RSS, "Transfer-Encoding: chunked"), b"%x\r\n" % len(body), body, b"\r\nZZ\r\n")
    c.close()


def garbage(c, r, n):
    c.send(struct.pack("<40I", *(random.randrange(1 << 32) for _ in range(40))))
    c.close()


KINDS = [good, changing, compressed, half_compressed, no_gzip, bomb, hang, slow, reset, reset_in_the_body, close_in_the_header,
         too_long, too_short, huge, endless_header, cookies, redirect, loop, elsewhere, failing, page, gone, shifting,
         chunked, garbage]
# What holds for all feeds of a site: on a site of its own.
SITEWIDE = [overloaded, throttling]


def farm_class():
    from tests.integration import wire

    class Farm(wire.Server):
        def answer(self, connection, request):
            self.count = getattr(self, "count", 0) + 1
            kind, _, n = request.target.strip("/").partition("/")
            script = {k.__name__: k for k in KINDS + SITEWIDE}.get(kind, gone)
            script(connection, request, n)

    return Farm


def tls_context(directory):
    key = os.path.join(directory, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", key + ".crt", "-days", "2",
                    "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(key + ".crt", key)
    return context


def memory_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


class Soak:
    def __init__(self, knsd, budget_ms):
        self.knsd, self.budget_ms, self.problems = knsd, budget_ms, []
        self.times_ms = []
        self.samples = collections.deque()  # (kB, files) of this process, a pair a second

    def expect(self, good, problem):
        if not good:
            self.problems.append(problem)
            print("PROBLEM: " + problem, flush=True)

    def look(self):
        for path in ("/healthz", "/v1/status", "/v1/items?limit=20"):
            began = time.monotonic()
            answer = self.knsd.api("GET", path)
            self.times_ms.append((time.monotonic() - began) * 1000)
            self.expect(answer.status == 200, "%s: %d" % (path, answer.status))
        pid = self.knsd.process.pid
        self.samples.append((memory_kb(pid), len(os.listdir("/proc/%d/fd" % pid))))

    def restart(self):
        items = self.knsd.get("/v1/status")["items"]["total"]
        began = time.monotonic()
        self.judge_growth()
        self.knsd.stop()  # insists on five seconds and on status 0: no leak
        took = time.monotonic() - began
        self.knsd.start()
        self.expect(self.knsd.get("/v1/status")["items"]["total"] >= items, "items were lost by a restart")
        self.samples.clear()
        return took

    def judge_growth(self):
        """The last quarter beside the second, once the first has warmed it up."""
        n = len(self.samples) // 4
        if n < 60:
            return
        samples = list(self.samples)
        early, late = samples[n:2 * n], samples[3 * n:]
        middle = lambda values: sorted(values)[len(values) // 2]
        for i, name, more in ((0, "kB", 1.1), (1, "files", 1.2)):
            before, after = middle([s[i] for s in early]), middle([s[i] for s in late])
            print("%s in %d s: %d, later %d" % (name, len(samples), before, after), flush=True)
            self.expect(after <= before * more + 16, "%s grew from %d to %d" % (name, before, after))


def subscriptions(farms, feeds):
    urls = []
    for n in range(feeds):
        kind = KINDS[n % len(KINDS)] if n % 3 else good
        base = farms[n % (len(farms) - 1)].base
        urls.append("%s/%s/%d" % (base, kind.__name__, n))
    urls += ["%s/%s/%d" % (farms[-1].base, SITEWIDE[n % 2].__name__, n) for n in range(feeds // 20)]
    return urls + ["http://127.0.0.1:1/refused/%d" % n for n in range(5)] + ["http://no-such-host.invalid/%d" % n for n in range(5)]


def run(a, knsd, farms):
    from tests.integration.kns import opml
    soak = Soak(knsd, a.budget_ms)
    soak.expect(knsd.api("POST", "/v1/opml", opml(subscriptions(farms, a.feeds))).status == 200, "the import")
    began, minute = time.monotonic(), 0
    while time.monotonic() - began < a.minutes * 60:
        tick = time.monotonic()
        soak.look()
        if int((tick - began) // 60) > minute:
            minute += 1
            knsd.process.send_signal(signal.SIGHUP)
            figures, times = knsd.get("/v1/status"), sorted(soak.times_ms)
            print("%3d min: %d polls, %d items, %d kB, %d files, API %.1f ms in the middle, %.1f of a hundred the slowest, %.1f at most"
                  % (minute, figures["polls"]["total"], figures["items"]["total"], *soak.samples[-1], times[len(times) // 2],
                     times[-len(times) // 100], times[-1]), flush=True)
            if minute in (2, a.minutes - 2):
                print("restarted; it took %.1f s to stop" % soak.restart(), flush=True)
        time.sleep(max(0, 1 - (time.monotonic() - tick)))
    times = sorted(soak.times_ms)
    late = sum(t > a.budget_ms for t in times)
    print("%d of %d answers took more than %d ms; the slowest %.1f ms" % (late, len(times), a.budget_ms, times[-1]))
    soak.expect(late * 1000 <= len(times), "more than one answer in a thousand was late")
    soak.expect(all(f.count > 0 for f in farms if f.context is None), "a farm that nobody asked")
    print("stopped in %.1f s" % soak.restart())
    knsd.stop()
    return soak.problems


def main():
    ap = argparse.ArgumentParser(description="Leave knsd with feeds whose servers do everything wrong.")
    ap.add_argument("--build", default="build/asan")
    ap.add_argument("--minutes", type=int, default=30)
    ap.add_argument("--feeds", type=int, default=300)
    ap.add_argument("--budget-ms", type=float, default=100)
    a = ap.parse_args()
    os.environ["KNS_BUILD"] = os.path.abspath(a.build)
    # What a sanitizer keeps of freed memory would look like growth.
    os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=4:detect_leaks=1")
    from tests.integration.kns import Knsd
    farm = farm_class()
    with tempfile.TemporaryDirectory() as directory:
        farms = [farm(), farm("127.0.0.2"), farm("127.0.0.3"), farm("::1"), farm(context=tls_context(directory)), farm("127.0.0.4")]
        for f in farms:
            f.count = 0
        knsd = Knsd(CONFIG)
        try:
            problems = run(a, knsd, farms)
        finally:
            log = knsd.log
            knsd.close()
            for f in farms:
                f.close()
    for word in ("AddressSanitizer", "runtime error", "LeakSanitizer"):
        if word in log:
            problems.append(word)
            print(log[-5000:])
    print("soak: " + ("good" if not problems else "; ".join(problems)))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())

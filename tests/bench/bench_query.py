#!/usr/bin/env python3
"""How fast knsd answers over its socket: bench_query.py [--items N] [--feeds N] [--db FILE] [--rounds N]

The store is made by bench_store (or is the one of --db, which is not changed). Beside each request stands what the same connection
takes for /healthz, which asks no store.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.integration import kns

REQUESTS = [
    ("list", "/v1/items?limit=50&content=false"),
    ("list --feed, small", "/v1/items?limit=50&content=false&feed=8"),
    ("list --feed, a tenth", "/v1/items?limit=50&content=false&feed=1"),
    ("list --tag, of a tenth", "/v1/items?limit=50&content=false&tag=tenth"),
    ("list --unread", "/v1/items?limit=50&content=false&unread=1"),
    ("list --starred --feed", "/v1/items?limit=50&content=false&starred=1&feed=1"),
    ("list --min-sources 2", "/v1/items?limit=50&content=false&min_sources=2"),
    ("list with content", "/v1/items?limit=50"),
    ("search, one article", "/v1/items?limit=50&content=false&q=%22Article+4711%22"),
    ("links", "/v1/links?since=9999d"),
    ("status", "/v1/status"),
]


def make_store(path, items, feeds):
    subprocess.run([os.path.join(kns.BUILD, "bin", "bench_store"), "--items", str(items), "--feeds", str(feeds), "--db", path],
                   check=True, stdout=subprocess.DEVNULL)


def took_ms(connection, path):
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit("%s: %d: %s" % (path, answer.status, body[:200]))
    return (time.perf_counter() - began) * 1e3


def measure(knsd, rounds):
    connection = kns.UnixConnection(knsd.socket)
    print("%-24s %10s %10s   %s" % ("", "median ms", "worst ms", "/healthz median ms"))
    for name, path in REQUESTS:
        both = [(took_ms(connection, path), took_ms(connection, "/healthz")) for _ in range(rounds)]
        asked, bare = sorted(b[0] for b in both), sorted(b[1] for b in both)
        print("%-24s %10.2f %10.2f   %.2f" % (name, asked[rounds // 2], asked[-1], bare[rounds // 2]), flush=True)
    connection.close()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--items", type=int, default=40000)
    ap.add_argument("--feeds", type=int, default=400)
    ap.add_argument("--rounds", type=int, default=25)
    ap.add_argument("--db", help="a database that bench_store --db made")
    a = ap.parse_args()
    # No feed is polled: the database's feeds are of no site.
    knsd = kns.Knsd("[poll]\nproxy = http://127.0.0.1:9\n[daemon]\nlog_level = error\n", start=False)
    made = tempfile.mkdtemp(prefix="kns-bench-")
    try:
        path = a.db or os.path.join(made, "kns.db")
        if not os.path.exists(path):
            make_store(path, a.items, a.feeds)
        os.makedirs(knsd.state, exist_ok=True)
        for end in ("", "-wal"):
            if os.path.exists(path + end):
                # A link where the file system allows one would be changed; a copy is not.
                shutil.copyfile(path + end, os.path.join(knsd.state, "kns.db" + end))
        knsd.start()
        print("-- %d items" % knsd.get("/v1/status")["items"]["total"])
        measure(knsd, a.rounds)
    finally:
        knsd.close()
        shutil.rmtree(made, ignore_errors=True)


if __name__ == "__main__":
    main()

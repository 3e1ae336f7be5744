#!/usr/bin/env python3
"""How fast feedparser reads what bench_parse reads, beside it: bench_parse.py [FILE...]

Needs python3-feedparser and $KNS_BUILD; without feedparser it says so and measures nothing.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
SYSTEM_PYTHON = "/usr/bin/python3"


def kns_speed(bench, files):
    out = subprocess.run([bench] + files, stdout=subprocess.PIPE, check=True).stdout.decode()
    return float(re.findall(r"kns +([0-9.]+) MB/s", out)[-1])


def feedparser_speed(feedparser, files):
    total, seconds = 0, 0.0
    for path in files:
        with open(path, "rb") as fp:
            data = fp.read()
        best = None
        for _ in range(ROUNDS):
            start = time.process_time()
            feedparser.parse(data)
            spent = time.process_time() - start
            best = spent if best is None else min(best, spent)
        total += len(data)
        seconds += best
    return total / seconds / 1e6


def main():
    try:
        import feedparser
    except ImportError:
        # The package is for the system's Python, which need not be the first one on the path.
        if os.path.realpath(sys.executable) != os.path.realpath(SYSTEM_PYTHON) and os.path.exists(SYSTEM_PYTHON):
            os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON] + sys.argv)
        print("skipped: beside feedparser: python3-feedparser is not installed")
        return
    bench = os.path.join(os.environ["KNS_BUILD"], "bin", "bench_parse")
    with tempfile.TemporaryDirectory() as folder:
        files = sys.argv[1:]
        if not files:
            subprocess.run([bench, "--write", folder], check=True)
            files = sorted(os.path.join(folder, name) for name in os.listdir(folder))
        theirs, ours = feedparser_speed(feedparser, files), kns_speed(bench, files)
    print("feedparser %s   %6.2f MB/s   kns %7.1f MB/s   %.0f times" % (feedparser.__version__, theirs, ours, ours / theirs))


main()

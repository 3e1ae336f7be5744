#!/usr/bin/env python3
"""Feed documents cut and mutated, through `knsctl parse`: whatever comes in, it ends in time and in bounded memory, and prints JSON in
UTF-8 or one line that says why not.

    mutate_parse.py --knsctl PATH [--count N] [--seed N] [--jobs N] [--keep DIR] [FOLDER...]

FOLDER: where documents are; default tests/fixtures/feeds, and ../shared/conformance/cases where it is. Exit 1 when a mutation got
the better of the parser; it is kept in DIR. Python's standard library only.
"""
import argparse
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(ROOT, "tests/fixtures/feeds")
CONFORMANCE = os.path.join(ROOT, "../shared/conformance/cases")
LIMIT_S = 5
LIMIT_MB = 256

TOKENS = [b"<", b">", b"</", b"/>", b"&", b"&amp;", b"&#0;", b"&nbsp;", b"&bogus;", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"\"", b"'",
          b"<item>", b"</item>", b"<entry>", b"</entry>", b"</channel>", b"</feed>", b"<title>", b"<div>", b"<?xml version='1.0'?>",
          b"<!DOCTYPE rss [<!ENTITY a 'b'>]>", b"xml:base='//x/'", b"xmlns=''", b"xmlns:media='urn:x'", b"type='xhtml'", b"type='html'",
          b"mode='base64'", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80", b"\x1b$B", b"\x01", b"{", b"}", b"[", b"null",
          b"1e999", b"\\u0000", b"\\ud800", b"Sat, 31 Feb 2004", b"9" * 40, b"<b>" * 50]
CONTENT_TYPES = [None, None, None, "application/rss+xml", "text/xml; charset=utf-16", "text/html; charset=shift_jis",
                 "application/feed+json", "text/plain; charset=iso-2022-jp"]


def find_documents(folders):
    """The documents below the folders, by name, so that a seed means the same on every machine."""
    found = []
    for folder in folders:
        for parent, _, names in os.walk(folder):
            found += [os.path.join(parent, n) for n in names if not n.endswith((".expected", ".md", ".txt"))]
    return [path for path in sorted(found) if not is_expectation(path)]


def is_expectation(path):
    """A conformance case's .json stands beside its document; a JSON Feed of ours has no other file of its stem."""
    stem, suffix = os.path.splitext(path)
    return suffix == ".json" and not os.path.exists(path + ".expected") and any(
        os.path.exists(stem + other) for other in (".xml", ".jsonfeed", ".html", ".bin"))


def cut(data, rng, _):
    return data[:rng.randrange(len(data) + 1)]


def drop(data, rng, _):
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.randrange(1, 200):]


def repeat(data, rng, _):
    at, size = rng.randrange(len(data) + 1), rng.randrange(1, 500)
    return data[:at] + data[at:at + size] * rng.randrange(2, 20) + data[at:]


def flip(data, rng, _):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 8)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def insert(data, rng, _):
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(data) + 1)
        data = data[:at] + rng.choice(TOKENS) + data[at:]
    return data


def splice(data, rng, other):
    return data[:rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1):]


def recode(data, rng, _):
    return data.decode("utf-8", "replace").encode(rng.choice(["utf-16", "utf-16-be", "utf-32", "latin-1", "shift_jis"]), "ignore")


MUTATIONS = [cut, cut, drop, repeat, flip, insert, insert, splice, recode]


class Mutant:
    """The nth mutation of a seed: a document and how it is read."""

    def __init__(self, documents, seed, n):
        rng = random.Random("%d/%d" % (seed, n))
        with open(documents[n % len(documents)], "rb") as fp:
            self.data = fp.read()
        with open(rng.choice(documents), "rb") as fp:
            other = fp.read()
        for _ in range(rng.choice([1, 1, 2, 4])):
            self.data = rng.choice(MUTATIONS)(self.data, rng, other)
        self.options = ["--sanitize"] if rng.random() < 0.2 else []
        content_type = rng.choice(CONTENT_TYPES)
        if content_type is not None:
            self.options += ["--content-type", content_type]
        if rng.random() < 0.5:
            self.options += ["--base", "https://example.org/feed"]


def run(knsctl, mutant, limit_s):
    """(status, stdout, stderr, MB); status None: it had to be stopped."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        source.write(mutant.data)
        source.seek(0)
        child = subprocess.Popen([knsctl, "parse"] + mutant.options + ["-"], stdin=source, stdout=out, stderr=err)
        late = threading.Event()

        def stop():
            late.set()
            child.kill()
        timer = threading.Timer(limit_s, stop)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return None if late.is_set() else child.returncode, out.read(), err.read(), usage.ru_maxrss / 1024


def complaint(status, out, err, size_mb, limit_mb):
    """What is wrong with the outcome; None: nothing."""
    if status is None:
        return "no end in time"
    if status not in (0, 1):
        return "exit status %d: %s" % (status, err[-500:].decode("utf-8", "replace"))
    if limit_mb and size_mb > limit_mb:
        return "%.0f MB of memory" % size_mb
    try:
        text, why = out.decode("utf-8"), err.decode("utf-8")
        if status == 0:
            json.loads(text)
    except ValueError as error:
        return str(error)
    if status == 1 and (text or why.count("\n") != 1):
        return "no single line that says why: %r" % why[:300]
    return None


def baseline_mb(knsctl):
    """What the program takes for nothing: a sanitizer's shadow makes all figures meaningless."""
    mutant = Mutant.__new__(Mutant)
    mutant.data, mutant.options = b"", []
    return run(knsctl, mutant, 60)[3]


def check(knsctl, documents, count, seed=1, jobs=2, keep=None):
    """[(n, complaint)] of the mutations that got the better of the parser."""
    plain = baseline_mb(knsctl) < 32
    limit_mb, limit_s = (LIMIT_MB, LIMIT_S) if plain else (0, 6 * LIMIT_S)

    def attempt(n):
        mutant = Mutant(documents, seed, n)
        wrong = complaint(*run(knsctl, mutant, limit_s), limit_mb)
        if wrong is not None and keep is not None:
            os.makedirs(keep, exist_ok=True)
            with open(os.path.join(keep, "%d-%d" % (seed, n)), "wb") as fp:
                fp.write(mutant.data)
            wrong += " (%s)" % " ".join(mutant.options)
        return n, wrong
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [(n, wrong) for n, wrong in pool.map(attempt, range(count)) if wrong is not None]


def main():
    parser = argparse.ArgumentParser(description="Feed documents cut and mutated, through knsctl parse.")
    parser.add_argument("--knsctl", required=True)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", default=os.path.join(ROOT, "build/mutants"))
    parser.add_argument("folders", nargs="*")
    args = parser.parse_args()
    folders = args.folders or [f for f in (FIXTURES, CONFORMANCE) if os.path.isdir(f)]
    documents = find_documents(folders)
    if not documents:
        sys.exit("mutate_parse: no documents in " + ", ".join(folders))
    failures = check(args.knsctl, documents, args.count, args.seed, args.jobs, args.keep)
    for n, wrong in failures:
        print("FAIL seed %d, mutation %d of %s: %s" % (args.seed, n, documents[n % len(documents)], wrong))
    print("%d mutations of %d documents, %d failed" % (args.count, len(documents), len(failures)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

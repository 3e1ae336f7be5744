#!/usr/bin/env python3
"""Run the conformance cases, less the listed exceptions, and hold the result against what is expected: all of them.

    tests/conformance.py RUNNER KNSCTL

tests/conformance-exceptions names, a line each, the cases that contradict their specification: name, section, reason.
tests/conformance-pending names those that are right and that we do not pass yet, with the cause: the list may only shrink.
A listed case that passes is an error too: it must leave its list. Adds its counts to $KNS_TALLY.
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def listed_in(name):
    path = os.path.join(HERE, name)
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as fp:
        return {line.split()[0] for line in fp if line.strip() and not line.startswith("#")}


def main():
    runner, knsctl = sys.argv[1:3]
    done = subprocess.run([sys.executable, runner, "--knsctl", knsctl, "-v"], stdout=subprocess.PIPE)
    out = done.stdout.decode("utf-8", "replace")
    failing = set(re.findall(r"^FAIL (\S+)", out, re.M))
    passing = set(re.findall(r"^ok   (\S+)", out, re.M))
    listed = listed_in("conformance-exceptions") | listed_in("conformance-pending")
    unexpected, stale = failing - listed, listed & passing
    for name in sorted(unexpected):
        print("FAIL " + name)
    for name in sorted(stale):
        print("FAIL %s passes: take it off its list" % name)
    failed = len(unexpected) + len(stale)
    print("conformance: %d passed, %d failed, %d listed" % (len(passing), failed, len(failing & listed)))
    if os.environ.get("KNS_TALLY"):
        with open(os.environ["KNS_TALLY"], "a", encoding="utf-8") as fp:
            fp.write("%d %d %d\n" % (len(passing), failed, len(failing & listed)))
    return 1 if failed or not passing else 0


if __name__ == "__main__":
    sys.exit(main())

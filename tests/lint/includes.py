#!/usr/bin/env python3
"""Who may include whom: the walls of the house, checked.

Prints one line for each breach and exits 1 if there is any.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)

# header (regular expression) -> the only files (regular expression) that may include it
ONLY_IN = [
    (r"sqlite3(ext)?\.h", r"lib/store/|tests/(unit|bench)/\w*(store|query|search)\w*\.c"),
    (r"expat\.h", r"lib/(parse|opml)/|tests/bench/bench_parse\.c"),
    (r"gumbo\.h", r"lib/html/"),
    (r"lib/html/.*", r"lib/(html|newsletter)/|tests/"),
    (r"curl/.*|curl\.h", r"lib/url/|daemon/(fetch|net)\w*|daemon/fetch/|ctl/client|lib/mail/|tests/bench/bench_poll\w*\.c"),
    (r"microhttpd\.h", r"daemon/(server|stream)\w*|tests/bench/bench_poll\w*\.c"),
    (r"cmark\.h", r"lib/(digest|issue|markdown)\w*"),
    (r"ini\.h", r"daemon/config"),
    (r"libpsl\.h", r"lib/url/"),
    (r"pcre2\.h", r"lib/store/|lib/rules?/"),
    (r"utf8proc\.h", r"lib/(text|store|parse)/"),
    (r"openssl/.*", r"daemon/signature\.c"),
    (r"iconv\.h", r"lib/text/|tests/(bench|unit)/"),
    (r"daemon/.*", r"daemon/|tests/"),
    (r"ctl/.*", r"ctl/|tests/"),
]

# files (regular expression) -> headers that they may not include
NEVER = [
    (r"lib/", r"daemon/.*|ctl/.*|uv\.h|microhttpd\.h|systemd/.*"),
    (r"ctl/", r"daemon/.*|uv\.h|sqlite3\.h"),
    (r"lib/store\.h", r"sqlite3\.h"),
]

# The files of the daemon that decide: a unit test with a fake clock can ask them anything.
DECIDING = re.compile(r"daemon/(config|nextpoll|scheduler|sites|outcome|headers|netguard|redirect|routes|params|validators|bodyhash|"
                      r"signature|hub|"
                      r"answers|problem|metrics|log)\w*\.[ch]$")


def tracked():
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.c", "*.h"], cwd=ROOT,
                         stdout=subprocess.PIPE, check=True)
    return [f for f in out.stdout.decode().split() if os.path.exists(os.path.join(ROOT, f))]


def main():
    breaches = []
    for path in tracked():
        with open(os.path.join(ROOT, path), encoding="utf-8") as fp:
            included = INCLUDE.findall(fp.read())
        for header in included:
            for wall, allowed in ONLY_IN:
                if re.fullmatch(wall, header) and not re.match(allowed, path):
                    breaches.append("%s includes %s, which only %s may" % (path, header, allowed))
            for files, forbidden in NEVER:
                if re.match(files, path) and re.fullmatch(forbidden, header):
                    breaches.append("%s includes %s" % (path, header))
            if DECIDING.match(path) and header in ("uv.h", "curl/curl.h"):
                breaches.append("%s decides, and includes %s" % (path, header))
    print("\n".join(breaches) or "every include keeps to its room")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())

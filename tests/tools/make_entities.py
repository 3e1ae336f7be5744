#!/usr/bin/env python3
"""Write the table of HTML's named character references for lib/text/entities.c to standard output."""
import html.entities


def literal(text):
    return "".join("\\x%02X" % byte for byte in text.encode())


line = "    "
for name, text in sorted((k[:-1], v) for k, v in html.entities.html5.items() if k.endswith(";")):
    row = '{"%s", "%s"}, ' % (name, literal(text))
    if len(line) + len(row) > 118:
        print(line.rstrip())
        line = "    "
    line += row
print(line.rstrip())

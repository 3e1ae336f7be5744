#!/usr/bin/env python3
"""Serve the sample feeds on loopback.

    python3 samples/serve.py [--port N] [--port-file FILE] [--print-port] [--now RFC3339]

Files of samples/feeds are templates: {{base}} is this server's address, {{rfc822:-2d}} and {{rfc3339:-36h}} are
points in time before the start, so that a digest of the last seven days is never empty. Answers carry ETag and
Last-Modified, and conditional requests get 304. It listens on 127.0.0.1 alone and stops on SIGTERM, on Ctrl-C, and
when the process that started it is gone.
"""
import argparse
import datetime
import email.utils
import hashlib
import http.server
import os
import re
import signal
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = {".rss": "application/rss+xml; charset=utf-8", ".rdf": "application/rdf+xml", ".atom": "application/atom+xml",
         ".json": "application/feed+json", ".opml": "text/x-opml; charset=utf-8", ".svg": "image/svg+xml",
         ".html": "text/html; charset=utf-8"}
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
MAX_AT_ONCE = 64
ARTICLE = (TYPES[".html"], b"<!DOCTYPE html><html lang='en'><title>A sample article</title><p>An article of a sample feed."
           b"</p></html>\n", '"article"')


def fill(text, base, now):
    """The template with its placeholders replaced."""
    def point(match):
        at = now - datetime.timedelta(**{UNITS[match.group(3)]: int(match.group(2))})
        if match.group(1) == "rfc822":
            return email.utils.format_datetime(at)
        return at.isoformat().replace("+00:00", "Z")

    text = re.sub(r"\{\{(rfc822|rfc3339):-(\d+)([mhd])\}\}", point, text)
    return text.replace("{{base}}", base)


def load(base, now):
    """{path: (type, body, etag)} of all there is to serve."""
    pages = {}
    for folder, prefix in (("feeds", "/"), ("images", "/images/")):
        for name in sorted(os.listdir(os.path.join(HERE, folder))):
            with open(os.path.join(HERE, folder, name), encoding="utf-8") as fp:
                body = fill(fp.read(), base, now).encode()
            kind = TYPES.get(os.path.splitext(name)[1], "text/plain; charset=utf-8")
            pages[prefix + name] = (kind, body, '"%s"' % hashlib.sha256(body).hexdigest()[:20])
    return pages


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "kns-samples"
    timeout = 30

    def do_GET(self):
        path = self.path.split("?")[0]
        page = self.server.pages.get(path)
        if page is None and path.endswith((".html", "/")):
            page = ARTICLE  # where the samples' links lead
        if page is None:
            self.answer(404, "text/plain; charset=utf-8", b"no such sample\n", None)
            return
        kind, body, etag = page
        same = [tag.strip() for tag in self.headers.get("If-None-Match", "").split(",")]
        since = self.headers.get("If-Modified-Since")
        if etag in same or (not same[0] and since == self.server.modified):
            self.answer(304, kind, b"", etag)
        else:
            self.answer(200, kind, body, etag)

    do_HEAD = do_GET

    def answer(self, status, kind, body, etag):
        self.send_response(status)
        if etag is not None:
            self.send_header("ETag", etag)
            self.send_header("Last-Modified", self.server.modified)
            self.send_header("Cache-Control", "max-age=60")
        if status != 304:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address):
        super().__init__(address, Handler)
        self.slots = threading.BoundedSemaphore(MAX_AT_ONCE)
        self.pages, self.modified = {}, ""

    def process_request_thread(self, request, client_address):
        with self.slots:
            super().process_request_thread(request, client_address)

    def handle_error(self, request, client_address):
        pass  # a client that went away


def watch_parent(server, parent, stopped):
    """Stop when the parent is gone: nobody is left who would."""
    while not stopped.wait(1.0):
        if os.getppid() != parent:
            server.shutdown()
            return


def main():
    ap = argparse.ArgumentParser(prog="samples/serve.py", description="Serve the sample feeds on loopback.")
    ap.add_argument("--port", type=int, default=0, help="0: any free one")
    ap.add_argument("--port-file", metavar="FILE", help="write the port there once requests are answered")
    ap.add_argument("--print-port", action="store_true")
    ap.add_argument("--now", help="RFC 3339; the time that the feeds' dates count from (default: the start)")
    a = ap.parse_args()
    parent = os.getppid()
    now = datetime.datetime.now(datetime.timezone.utc)
    if a.now:
        now = datetime.datetime.fromisoformat(a.now.replace("Z", "+00:00"))
    now = now.astimezone(datetime.timezone.utc).replace(microsecond=0)
    try:
        server = Server(("127.0.0.1", a.port))
    except OSError as why:
        print("samples: port %d: %s" % (a.port, why), file=sys.stderr)
        return 1
    port = server.server_address[1]
    server.pages = load("http://127.0.0.1:%d" % port, now)
    server.modified = email.utils.format_datetime(now, usegmt=True)
    if a.print_port:
        print(port, flush=True)
    if a.port_file:
        with open(a.port_file + ".new", "w", encoding="ascii") as fp:
            fp.write("%d\n" % port)
        os.replace(a.port_file + ".new", a.port_file)
    stopped = threading.Event()
    threading.Thread(target=watch_parent, args=(server, parent, stopped), daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
    server.serve_forever(poll_interval=0.1)
    stopped.set()
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

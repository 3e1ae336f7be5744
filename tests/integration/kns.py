"""What the integration tests stand on: a real knsd in a directory of its own, and an origin that answers as scripted."""
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from xml.sax.saxutils import escape, quoteattr

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("KNS_BUILD", "build"))
KNSD = os.path.join(BUILD, "bin", "knsd")
KNSCTL = os.path.join(BUILD, "bin", "knsctl")

# Sanitizers and a busy machine are slow; nobody waits so long when all is well.
PATIENCE_S = 60
STOP_S = 5


def wait_until(condition, what, patience=PATIENCE_S):
    """The condition's first true value; an AssertionError that names `what` when there is none in time."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("waited %d s in vain: %s" % (patience, what))
        time.sleep(0.02)


class Answer:
    """What the API answered."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body.decode("utf-8"))

    @property
    def lines(self):
        """The objects of an application/x-ndjson answer."""
        return [json.loads(line) for line in self.body.decode("utf-8").splitlines()]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=PATIENCE_S):
        super().__init__("kns", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Knsd:
    """One daemon, and the directory it lives in; the directory outlives restarts and goes with close()."""

    def __init__(self, config="", start=True, build=KNSD):
        self.program = build
        self.dir = tempfile.mkdtemp(prefix="kns-")
        self.state = os.path.join(self.dir, "state")
        self.socket = os.path.join(self.dir, "kns.sock")
        self.config = os.path.join(self.dir, "kns.conf")
        self.log_file = os.path.join(self.dir, "log")
        self.process = None
        self.configure(config)
        if start:
            try:
                self.start()
            except BaseException:
                self.close()
                raise

    def configure(self, text):
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(text)

    def argv(self, *more):
        return [self.program, "--config", self.config, "--state-dir", self.state, "--socket", self.socket, *more]

    def run(self, *more):
        """Runs knsd to its end; for what ends by itself: (status, standard output, standard error)."""
        done = subprocess.run(self.argv(*more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE_S, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def start(self, *more):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(self.argv(*more), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.is_healthy, "knsd answers /healthz")
        return self

    def is_healthy(self):
        if self.process.poll() is not None:
            raise AssertionError("knsd ended with %s:\n%s" % (self.process.returncode, self.log))
        try:
            return self.api("GET", "/healthz").status == 200
        except OSError:
            return False

    @property
    def log(self):
        with open(self.log_file, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self, number=signal.SIGTERM):
        """Asks it to stop, and insists that it does so in time and without complaint."""
        process, self.process = self.process, None
        process.send_signal(number)
        try:
            status = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("knsd did not stop within %d s:\n%s" % (STOP_S, self.log)) from None
        if status != 0:
            raise AssertionError("knsd stopped with %d:\n%s" % (status, self.log))

    def kill(self):
        """The power cut of processes: no signal handler, no last write."""
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def close(self):
        """Ends what still runs, whatever the test did; a test that wants to see a clean end calls stop() itself."""
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def connect(self, timeout=PATIENCE_S):
        """A raw connection to the socket."""
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(timeout)
        s.connect(self.socket)
        return s

    def api(self, method, path, body=None, headers=None):
        """One request; a body that is no bytes goes as JSON."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection = UnixConnection(self.socket)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path):
        return self.api("GET", path).json

    def add(self, url, **more):
        return self.api("POST", "/v1/feeds", dict(more, url=url))

    def refresh(self, force=True):
        """Polls all feeds; the outcome of each."""
        return self.api("POST", "/v1/refresh?wait=1" + ("&force=1" if force else "")).lines

    def all_items(self, query=""):
        """Every stored item, over all pages."""
        items, path = [], "/v1/items?limit=1000" + query
        while path:
            answer = self.api("GET", path)
            items += answer.json["items"]
            path = next_link(answer)
        return items


def next_link(answer):
    """Where the next page is; None on the last."""
    link = answer.headers.get("Link")
    return link[1:link.index(">")] if link and 'rel="next"' in link else None


class Script:
    """What an origin answers at one path."""

    def __init__(self, body=b"", status=200, headers=None, delay=0.0, before=None):
        self.body = body.encode() if isinstance(body, str) else body
        self.status, self.headers, self.delay = status, dict(headers or {}), delay
        self.before = before  # waited for before the answer: a threading.Event


class Request:
    """What an origin was asked."""

    def __init__(self, path, headers):
        self.path, self.headers = path, headers


class Origin:
    """An HTTP server on a loopback port. It answers 304 where the client's validators are those of the script."""

    def __init__(self):
        self.scripts, self.requests, self.lock = {}, [], threading.Lock()
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                origin.serve(self)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, address):
                pass  # a client that was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.base = "http://127.0.0.1:%d" % self.port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def put(self, path, body=b"", status=200, headers=None, **more):
        """Scripts what is answered at the path from now on; its URL."""
        with self.lock:
            self.scripts[path] = Script(body, status, headers, **more)
        return self.base + path

    def url(self, path, credentials=""):
        return "http://%s127.0.0.1:%d%s" % (credentials, self.port, path)

    def asked(self, path=None, since=0):
        """The requests so far, of one path or of all."""
        with self.lock:
            return [r for r in self.requests[since:] if path is None or r.path == path]

    def count(self):
        with self.lock:
            return len(self.requests)

    def serve(self, handler):
        with self.lock:
            self.requests.append(Request(handler.path, handler.headers))
            script = self.scripts.get(handler.path, Script("not here", 404))
        if script.before is not None:
            script.before.wait(PATIENCE_S)
        if script.delay:
            time.sleep(script.delay)
        known = is_known(script, handler.headers)
        body = b"" if known else script.body
        handler.send_response(304 if known else script.status)
        for name, value in script.headers.items():
            handler.send_header(name, value)
        if not known and "Content-Length" not in script.headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


def is_known(script, asked):
    """RFC 9110 13.2.2: an entity tag decides alone."""
    if script.status != 200:
        return False
    if asked.get("If-None-Match") is not None:
        return asked["If-None-Match"] == script.headers.get("ETag")
    since = asked.get("If-Modified-Since")
    return since is not None and since == script.headers.get("Last-Modified")


def entry(number, base="https://example.org", title=None, text=None, guid=None):
    """One entry of rss(): link, guid, title and text."""
    link = "%s/%s" % (base, number)
    return {"link": link, "guid": guid or link, "title": title or "Article %s" % number, "text": text or "Text %s" % number}


def rss(entries, title="A feed", link="https://example.org/"):
    """An RSS 2.0 document of entries as entry() makes them."""
    items = "".join(
        "<item><title>%s</title><link>%s</link><guid isPermaLink=\"false\">%s</guid>"
        "<description>%s</description><pubDate>Mon, 02 Nov 2026 08:00:00 GMT</pubDate></item>"
        % tuple(escape(e[name]) for name in ("title", "link", "guid", "text")) for e in entries)
    return ('<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>%s</title><link>%s</link>'
            "<description>Of a test</description>%s</channel></rss>" % (escape(title), escape(link), items))


def opml(urls):
    """A list of subscriptions."""
    return ('<opml version="2.0"><head><title>List</title></head><body>%s</body></opml>'
            % "".join('<outline type="rss" text=%s xmlUrl=%s/>' % (quoteattr(u), quoteattr(u)) for u in urls)).encode()

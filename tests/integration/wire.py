"""A server at the level of bytes: what it answers is scripted to the last octet, and what it was asked is kept as it came.

    origin = wire.Server()
    url = origin.on("/feed", wire.answer(200, rss([...]), ETag='"1"'))
    origin.on("/feed", one_after_another(answer(503), answer(200, ...)))

A script is called with (connection, request) and sends what it likes; a string or bytes are sent as they are. The same server
serves as an HTTP proxy: scripts are looked up by the whole URL then.
"""
import contextlib
import gzip
import os
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from tests.integration.kns import Knsd, entry, rss, wait_until

FAST = "[poll]\nmin_interval = 1s\n"


class Asked:
    """One request as it came."""

    def __init__(self, raw, connection_number):
        self.raw, self.at, self.connection_number = raw, time.monotonic(), connection_number
        lines = raw.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.method, self.target = lines[0].split(" ")[:2]
        self.header_lines = [l for l in lines[1:] if l]
        self.headers = {n.lower(): v.strip() for n, _, v in (l.partition(":") for l in self.header_lines)}

    def __getitem__(self, name):
        """A header's value, None when it was not sent."""
        return self.headers.get(name.lower())


class Connection:
    """A client's connection, for scripts."""

    def __init__(self, sock, number):
        self.sock, self.number, self.open = sock, number, True

    def send(self, *parts):
        for part in parts:
            self.sock.sendall(part.encode() if isinstance(part, str) else part)

    def close(self):
        self.open = False

    def reset(self):
        """A RST, not a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        self.open = False


class Server:
    def __init__(self, host="127.0.0.1", context=None):
        self.scripts, self.requests, self.lock = {}, [], threading.Lock()
        self.connections, self.busy, self.most_busy = 0, {}, {}
        self.context = context
        self.stopping = threading.Event()
        self.listener = socket.create_server((host, 0), backlog=256,
                                             family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.listener.settimeout(0.1)
        self.port = self.listener.getsockname()[1]
        self.host = "[%s]" % host if ":" in host else host
        self.base = "%s://%s:%d" % ("https" if context else "http", self.host, self.port)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def close(self):
        self.stopping.set()
        self.thread.join()
        self.listener.close()

    def on(self, path, *scripts):
        """Scripts the answers at a path, each once and the last from then on; the URL."""
        with self.lock:
            self.scripts[path] = list(scripts)
        return path if "://" in path else self.base + path

    def asked(self, path=None):
        with self.lock:
            return [r for r in self.requests if path is None or r.target == path]

    def forget(self):
        with self.lock:
            self.requests.clear()

    def accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                continue
            with self.lock:
                self.connections += 1
                number = self.connections
            threading.Thread(target=self.serve, args=(sock, number), daemon=True).start()

    def serve(self, sock, number):
        with contextlib.suppress(OSError, ValueError):
            sock.settimeout(30)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            connection = Connection(sock, number)
            while connection.open and not self.stopping.is_set():
                raw = self.read_header(sock)
                if not raw:
                    break
                self.answer(connection, Asked(raw, number))
        with contextlib.suppress(OSError):
            sock.close()

    @staticmethod
    def read_header(sock):
        raw = b""
        while not raw.endswith(b"\r\n\r\n"):
            byte = sock.recv(1)
            if not byte:
                return b""
            raw += byte
        return raw[:-4]

    def answer(self, connection, request):
        with self.lock:
            self.requests.append(request)
            scripts = self.scripts.get(request.target) or [answer(404, "nothing here")]
            script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
            host = request["Host"]
            self.busy[host] = self.busy.get(host, 0) + 1
            self.most_busy[host] = max(self.most_busy.get(host, 0), self.busy[host])
            self.most_busy["*"] = max(self.most_busy.get("*", 0), sum(self.busy.values()))
        try:
            if callable(script):
                script(connection, request)
            else:
                connection.send(script)
        finally:
            with self.lock:
                self.busy[host] -= 1


def answer(status=200, body=b"", delay=0.0, length=None, **headers):
    """A whole and honest answer; underscores in header names are hyphens. length: what Content-Length says."""
    body = body.encode() if isinstance(body, str) else body

    def script(connection, request):
        if delay:
            time.sleep(delay)
        lines = ["HTTP/1.1 %d Something" % status]
        lines += ["%s: %s" % (n.replace("_", "-"), v) for n, v in headers.items()]
        if status not in (204, 304):
            lines.append("Content-Length: %d" % (len(body) if length is None else length))
        connection.send("\r\n".join(lines) + "\r\n\r\n", b"" if status in (204, 304) else body)

    return script


def redirect(status, location, **headers):
    return answer(status, "gone there", Location=location, **headers)


def validated(body, **headers):
    """304 for who sends back what these headers gave, else 200 with them."""

    def script(connection, request):
        etag, modified = headers.get("ETag"), headers.get("Last_Modified")
        known = request["If-None-Match"] == etag if etag else modified and request["If-Modified-Since"] == modified
        answer(304 if known else 200, body, **headers)(connection, request)

    return script


def hang(connection, request):
    """Says nothing until the client goes away, or long enough."""
    connection.sock.settimeout(20)
    with contextlib.suppress(OSError):
        connection.sock.recv(1)
    connection.close()


def feed(*numbers, base="https://example.org", **more):
    return rss([entry(n, base) for n in numbers], **more)


def certificate(name="localhost"):
    """A directory with key.pem and cert.pem that vouch for name (and 127.0.0.1)."""
    folder = tempfile.mkdtemp(prefix="kns-tls-")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-keyout", os.path.join(folder, "key.pem"), "-out", os.path.join(folder, "cert.pem"), "-subj", "/CN=" + name,
                    "-addext", "subjectAltName=DNS:%s,IP:127.0.0.1" % name],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder


def tls_context(folder, oldest=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
    if oldest:
        context.minimum_version = context.maximum_version = oldest
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


class Case(unittest.TestCase):
    """A daemon and an origin for a test, both ended with it."""

    def origin(self, *args, **kwargs):
        origin = Server(*args, **kwargs)
        self.addCleanup(origin.close)
        return origin

    def knsd(self, config=FAST, **more):
        knsd = Knsd(config, **more)
        self.addCleanup(knsd.close)
        return knsd

    def subscribe(self, knsd, url, **more):
        """Adds a feed that must be taken; its id."""
        added = knsd.add(url, **more)
        self.assertIn(added.status, (200, 201), added.body)
        return added.json["id"]

    def poll(self, knsd, feed_id=None, force=True):
        """One poll of the feed; what was said of it."""
        path = "/v1/refresh" if feed_id is None else "/v1/feeds/%d/refresh" % feed_id
        answered = knsd.api("POST", path + "?wait=1" + ("&force=1" if force else ""))
        self.assertEqual(answered.status, 200, answered.body)
        return answered.lines[-1]

    def feed(self, knsd, feed_id):
        return knsd.get("/v1/feeds/%d" % feed_id)

    def titles(self, knsd):
        return sorted(item["title"] for item in knsd.all_items())

"""Names, as a name server of ours answers them: what leads to a private network is refused whatever its name, and who was asked is not
asked again for every feed.

Each test runs in a network and a mount namespace of its own, where it is root: no name leaves the machine. Where that is not permitted
they are skipped.
"""
import ctypes
import fcntl
import functools
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

from tests.integration import wire
from tests.integration.kns import ROOT
from tests.integration.wire import answer, feed

INSIDE = "KNS_TEST_NAMESPACE"
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount", "--net"]
PUBLIC = "93.184.216.34"  # in here it is our own


def permitted():
    try:
        return subprocess.run([*UNSHARE, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def in_a_namespace(test):
    """Runs the test by itself in new namespaces; there, the test."""

    @functools.wraps(test)
    def outside(self):
        if os.environ.get(INSIDE):
            return test(self)
        if not permitted():
            self.skipTest("namespaces are not permitted")
        done = subprocess.run([*UNSHARE, sys.executable, "-m", "unittest", self.id()], env=dict(os.environ, **{INSIDE: "1"}),
                              cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
        said = done.stdout.decode("utf-8", "replace")
        if "skipped=1" in said:
            self.skipTest("the name server cannot be replaced here")
        self.assertEqual(done.returncode, 0, said)
        return None

    return outside


def set_interface(name, address=None):
    """Brings lo up; or gives it one more address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        if address:
            sockaddr = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(s, 0x8916, struct.pack("16s16s", name, sockaddr))  # SIOCSIFADDR
        fcntl.ioctl(s, 0x8914, struct.pack("16sH22x", name, 1))  # SIOCSIFFLAGS, IFF_UP


def replace_file(path, text):
    """For this mount namespace alone."""
    with tempfile.NamedTemporaryFile("w", delete=False) as f:
        f.write(text)
    os.chmod(f.name, 0o644)
    real = os.path.realpath(path)
    libc = ctypes.CDLL(None, use_errno=True)
    good = libc.mount(f.name.encode(), real.encode(), None, 4096, None) == 0  # MS_BIND
    os.unlink(f.name)
    if not good:
        raise unittest.SkipTest("%s: %s" % (path, os.strerror(ctypes.get_errno())))


class NameServer:
    """Says for each name the addresses that it was given, one list after another and the last from then on."""

    def __init__(self):
        self.names, self.asked = {}, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def on(self, name, *answers):
        self.names[name] = list(answers)

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(2000)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += query[at] + 1
            name, kind = ".".join(labels).lower(), struct.unpack("!H", query[at + 1:at + 3])[0]
            self.asked.append((name, kind))
            known = self.names.get(name)
            addresses = []
            if known and kind == 1:
                addresses = known.pop(0) if len(known) > 1 else known[0]
            out = query[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, len(addresses), 0, 0) + query[12:at + 5]
            for address in addresses:
                out += struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(address)
            self.socket.sendto(out, client)


class Case(wire.Case):
    def setUp(self):
        if not os.environ.get(INSIDE):
            return
        set_interface(b"lo")
        set_interface(b"lo:1", PUBLIC)
        replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        replace_file("/etc/nsswitch.conf", "hosts: files dns\n")
        self.names = NameServer()
        self.private = self.origin()
        self.private.on("/feed", answer(200, feed(1)))

    def public_origin(self):
        """An origin at the public address, on the port of the private one."""
        original = socket.create_server
        port = self.private.port
        socket.create_server = lambda address, **more: original((address[0], port), **more)
        try:
            return self.origin(PUBLIC)
        finally:
            socket.create_server = original

    def url(self, name, path="/feed"):
        return "http://%s:%d%s" % (name, self.private.port, path)


class Private(Case):
    @in_a_namespace
    def test_a_name_of_a_private_address_is_refused_unless_that_is_allowed(self):
        self.names.on("inside.example.org", ["127.0.0.1"])
        for policy in ("never", "direct"):
            knsd = self.knsd("[poll]\nprivate_networks = %s\n" % policy)
            added = knsd.add(self.url("inside.example.org"))
            self.assertEqual(added.status, 422, added.body)
            self.assertIn("private network", added.json["detail"])
        self.assertEqual(self.private.asked(), [])
        self.subscribe(self.knsd("[poll]\nprivate_networks = always\n"), self.url("inside.example.org"))

    @in_a_namespace
    def test_a_name_that_turns_private_is_refused(self):
        """What DNS rebinding does: public when it is subscribed to, private when it is polled."""
        public = self.public_origin()
        public.on("/feed", answer(200, feed(1), Connection="close"))
        self.names.on("turns.example.org", [PUBLIC], ["127.0.0.1"])
        knsd = self.knsd("[poll]\nprivate_networks = never\nmin_interval = 1s\n")
        feed_id = self.subscribe(knsd, self.url("turns.example.org"))
        self.assertEqual(len(public.asked()), 1)
        knsd.stop()
        knsd.start()  # what was resolved is forgotten
        self.poll(knsd, feed_id)
        self.assertIn("private network", self.feed(knsd, feed_id)["last_error"])
        self.assertEqual(self.private.asked(), [])

    @in_a_namespace
    def test_of_several_addresses_the_private_one_is_not_taken(self):
        self.names.on("both.example.org", ["127.0.0.1", PUBLIC], [PUBLIC, "127.0.0.1"])
        knsd = self.knsd("[poll]\nprivate_networks = never\n")
        self.assertIn(knsd.add(self.url("both.example.org")).status, (422, 502))  # nobody listens at the public one
        public = self.public_origin()
        public.on("/feed", answer(200, feed(1)))
        self.subscribe(knsd, self.url("both.example.org"))
        self.assertEqual((len(public.asked()), self.private.asked()), (1, []))

    @in_a_namespace
    def test_a_redirect_to_a_name_of_a_private_address_is_refused(self):
        public = self.public_origin()
        self.names.on("outside.example.org", [PUBLIC])
        self.names.on("inside.example.org", ["10.1.2.3"], ["127.0.0.1"])
        public.on("/feed", wire.redirect(302, self.url("inside.example.org")))
        for policy in ("never", "direct"):
            added = self.knsd("[poll]\nprivate_networks = %s\n" % policy).add(self.url("outside.example.org"))
            self.assertEqual(added.status, 422, added.body)
            self.assertIn("private network", added.json["detail"])
        self.assertEqual(self.private.asked(), [])


class Shared(Case):
    @in_a_namespace
    def test_a_name_is_asked_for_once_however_many_feeds_it_has(self):
        public = self.public_origin()
        self.names.on("many.example.org", [PUBLIC])
        knsd = self.knsd("[poll]\nprivate_networks = never\nmin_interval = 1s\n")
        for n in range(5):
            public.on("/%d" % n, answer(200, feed(n), Connection="close"))
            self.subscribe(knsd, self.url("many.example.org", "/%d" % n))
        self.assertEqual(public.connections, 5)
        self.assertEqual(len([a for a in self.names.asked if a == ("many.example.org", 1)]), 1, self.names.asked)


if __name__ == "__main__":
    unittest.main()

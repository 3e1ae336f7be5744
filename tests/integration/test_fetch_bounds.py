"""No answer, however broken or hostile, stalls, bloats or misleads: sizes, times, cuts, compression, connections."""
import gzip
import threading
import time
import unittest
import zlib

from tests.integration import wire
from tests.integration.kns import wait_until
from tests.integration.wire import answer, feed

SMALL = "[poll]\nmin_interval = 1s\nmax_size = 64K\ntimeout = 3s\n"


def raw(*parts, then_close=True):
    def script(connection, _request):
        connection.send(*parts)
        if then_close:
            connection.close()

    return script


def zstd(data, again=0):
    """RFC 8878, without compressing: raw blocks, and behind them `again` blocks of 128 KiB that say one byte each."""
    blocks = [(0, data[i:i + 65536]) for i in range(0, len(data), 65536)] + [(1, b"a")] * again
    out = b"\x28\xb5\x2f\xfd\x00\x58"
    for i, (kind, content) in enumerate(blocks):
        size = 1 << 17 if kind == 1 else len(content)
        out += (size << 3 | kind << 1 | (i == len(blocks) - 1)).to_bytes(3, "little") + content
    return out


def brotli(data):
    """RFC 7932, without compressing: a window of 64 KiB, meta-blocks of bytes as they are, an empty last one."""
    out, first = b"", True
    for i in range(0, len(data), 60000):
        piece = data[i:i + 60000]
        header = (len(piece) - 1) << 3 | 1 << 19  # not the last, four nibbles of length, uncompressed
        out += (header << 1 if first else header).to_bytes(3, "little") + piece
        first = False
    return out + b"\x03"


# 40 MiB of spaces.
BROTLI_BOMB = bytes.fromhex("cbffff3ff82540e2b14020f7fe8fffff7ff04b00c4611180eefd1fffffffe0970088c30200ddfb3ffeffffc12f0110870500baf77f"
                            "f9ffff875f02200e0b0074efff00")
CODINGS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli, "zstd": zstd}


class Case(wire.Case):
    def after(self, *scripts, config=SMALL):
        self.knsd_, self.origin_ = self.knsd(config), self.origin()
        feed_id = self.subscribe(self.knsd_, self.origin_.on("/feed", answer(200, feed(1), ETag='"1"'), *scripts))
        started = time.monotonic()
        for _ in scripts:
            self.poll(self.knsd_, feed_id)
        self.seconds = time.monotonic() - started
        return self.feed(self.knsd_, feed_id)

    def next_validator(self, feed_id):
        """What the next poll sends back."""
        self.poll(self.knsd_, feed_id)
        return self.origin_.asked()[-1]["If-None-Match"]

    def assert_cut(self, shown):
        """Whole entries are kept, the answer's validators are not."""
        self.assertIn("Article 2", self.titles(self.knsd_))
        self.assertIsNone(self.next_validator(shown["id"]))


class Sizes(Case):
    def test_a_document_at_the_limit_is_read_and_one_over_it_is_not(self):
        shell = feed(1, 2)
        room = 64 * 1024 - len(shell)
        fits = shell.replace("Of a test", "Of a test" + "x" * room)
        self.assertEqual(self.after(answer(200, fits))["state"], "active")
        self.assertEqual(self.after(answer(200, fits.replace("xx", "xxx", 1)))["state"], "failing")

    def test_the_limit_counts_decoded_bytes(self):
        begun = b"<rss version='2.0'><channel><title>"
        bombs = {"gzip": gzip.compress(begun + b"a" * (50 << 20)), "deflate": zlib.compress(begun + b"a" * (50 << 20)),
                 "br": BROTLI_BOMB, "zstd": zstd(begun, again=400)}
        for name, bomb in bombs.items():
            with self.subTest(name):
                self.assertLess(len(bomb), 60000)
                shown = self.after(answer(200, bomb, Content_Encoding=name))
                self.assertIn("limit", shown["last_error"])

    def test_an_endless_body_is_ended(self):
        def endless(connection, _request):
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.send("1000\r\n", b" " * 4096, "\r\n")

        self.assertEqual(self.after(endless)["state"], "failing")

    def test_an_endless_error_page_is_ended_and_the_status_is_told(self):
        def endless(connection, _request):
            connection.send("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.send("1000\r\n", b"x" * 4096, "\r\n")

        shown = self.after(endless)
        self.assertEqual(shown["last_status"], 404)
        self.assertLess(self.seconds, 2.5)

    def test_a_header_over_64_kib_is_refused(self):
        shown = self.after(raw("HTTP/1.1 200 OK\r\n", *["X-%d: %s\r\n" % (n, "x" * 1000) for n in range(100)], "\r\n", feed(1, 2)))
        self.assertIn("header", shown["last_error"])

    def test_one_header_line_without_end_is_refused(self):
        shown = self.after(raw("HTTP/1.1 200 OK\r\nX: " + "x" * 300000))
        self.assertEqual(shown["state"], "failing")

    def test_a_length_over_the_limit_is_refused_before_the_body(self):
        def announces(connection, _request):
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n<rss>")
            wire.hang(connection, _request)

        self.assertIn("larger", self.after(announces)["last_error"])
        self.assertLess(self.seconds, 2.5)


class Times(Case):
    def test_a_server_that_never_answers_is_given_up(self):
        shown = self.after(wire.hang)
        self.assertIn("timed out", shown["last_error"])
        self.assertLess(self.seconds, 6)

    def test_a_body_that_stands_still_is_given_up_and_its_entries_kept(self):
        def stalls(connection, request):
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nETag: \"2\"\r\n\r\n", feed(1, 2)[:-20])
            wire.hang(connection, request)

        shown = self.after(stalls, answer(200, feed(1, 2)))
        self.assert_cut(shown)
        self.assertLess(self.seconds, 8)

    def test_a_body_that_drips_is_given_up(self):
        def drips(connection, _request):
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n<rss version='2.0'>")
            for _ in range(200):
                connection.send(" ")
                time.sleep(0.1)

        self.after(drips)
        self.assertLess(self.seconds, 6)

    def test_a_header_that_drips_is_given_up(self):
        def drips(connection, _request):
            connection.send("HTTP/1.1 200 OK\r\n")
            for n in range(200):
                connection.send("X-%d: y\r\n" % n)
                time.sleep(0.1)

        self.after(drips)
        self.assertLess(self.seconds, 6)

    def test_a_chain_of_slow_redirects_has_one_time_limit(self):
        knsd, origin = self.knsd(SMALL), self.origin()
        for n in range(10):
            origin.on("/%d" % n, answer(302, "", delay=0.9, Location="/%d" % (n + 1)))
        started = time.monotonic()
        self.assertEqual(knsd.add(origin.base + "/0").status, 502)
        self.assertLess(time.monotonic() - started, 6)


class Cuts(Case):
    def cut(self, script):
        shown = self.after(script, answer(200, feed(1, 2)))
        self.assert_cut(shown)

    def test_by_content_length(self):
        self.cut(raw("HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 100000\r\n\r\n", feed(1, 2)))

    def test_by_content_length_inside_an_entry(self):
        self.cut(raw("HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 100000\r\n\r\n", feed(1, 2, 3)[:-60]))

    def test_by_a_missing_last_chunk(self):
        body = feed(1, 2)
        self.cut(raw("HTTP/1.1 200 OK\r\nETag: \"2\"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)))

    def test_by_a_reset(self):
        def resets(connection, _request):
            connection.send("HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 100000\r\n\r\n", feed(1, 2))
            time.sleep(0.3)
            connection.reset()

        self.cut(resets)

    def test_by_a_close_without_a_length_inside_the_document(self):
        self.cut(raw("HTTP/1.1 200 OK\r\nETag: \"2\"\r\nConnection: close\r\n\r\n", feed(1, 2)[:-20]))

    def test_in_the_middle_of_a_gzip_stream(self):
        packed = gzip.compress(feed(*range(1, 400)).encode())
        self.cut(answer(200, packed[:-200], Content_Encoding="gzip", ETag='"2"'))

    def test_in_the_middle_of_the_header(self):
        shown = self.after(raw("HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-"))
        self.assertEqual(shown["state"], "failing")
        self.assertEqual(self.next_validator(shown["id"]), '"1"')

    def test_before_the_first_byte(self):
        self.assertEqual(self.after(raw(""))["state"], "failing")

    def test_an_empty_gzip_body_is_a_failure(self):
        self.assertEqual(self.after(answer(200, b"", Content_Encoding="gzip"))["state"], "failing")

    def test_a_whole_document_without_a_length_is_whole(self):
        self.after(raw("HTTP/1.1 200 OK\r\nETag: \"2\"\r\nConnection: close\r\n\r\n", feed(1, 2)), answer(304))
        self.assertEqual(self.origin_.asked()[2]["If-None-Match"], '"2"')


class Compression(Case):
    def test_every_coding_that_is_offered_is_read(self):
        for name, pack in (*CODINGS.items(), ("x-gzip", gzip.compress)):
            with self.subTest(name):
                self.after(answer(200, pack(feed(1, 2).encode()), Content_Encoding=name))
                self.assertEqual(self.titles(self.knsd_), ["Article 1", "Article 2"])
                offered = self.origin_.asked()[-1]["Accept-Encoding"]
                self.assertIn(name.replace("x-", ""), offered.replace(" ", "").split(","))

    def test_a_stream_that_ends_in_the_middle_is_cut(self):
        for name, pack in CODINGS.items():
            with self.subTest(name):
                packed = pack(feed(*range(1, 400)).encode())
                shown = self.after(answer(200, packed[:-400], Content_Encoding=name, ETag='"2"'))
                self.assertNotEqual(shown["state"], "gone")
                self.assertNotEqual(self.next_validator(shown["id"]), '"2"')

    def test_what_is_not_in_the_coding_that_it_names_is_a_failure(self):
        for name in CODINGS:
            with self.subTest(name):
                self.assertEqual(self.after(answer(200, feed(1, 2), Content_Encoding=name))["state"], "failing")

    def test_a_coding_that_was_named_wrongly_is_a_failure(self):
        for name, pack in (("br", gzip.compress), ("zstd", brotli), ("gzip", zstd)):
            with self.subTest(name):
                self.assertEqual(self.after(answer(200, pack(feed(1, 2).encode()), Content_Encoding=name))["state"], "failing")

    def test_a_coding_that_nobody_offered_is_a_failure(self):
        self.assertEqual(self.after(answer(200, b"\x28\xb5\x2f\xfd\x00", Content_Encoding="rot13"))["state"], "failing")

    def test_codings_inside_codings_inside_codings_are_bounded(self):
        bomb = b"a" * (20 << 20)
        for _ in range(6):
            bomb = gzip.compress(bomb)
        self.assertEqual(self.after(answer(200, bomb, Content_Encoding=", ".join(["gzip"] * 6)))["state"], "failing")


class Nonsense(Case):
    def test_what_is_no_http_is_a_failure(self):
        for text in ("SSH-2.0-OpenSSH_9\r\n", "\x00\x01\x02", "HTTP/9.9 999 Hm\r\n\r\n", "<rss version='2.0'/>", "ICY 200 OK\r\n\r\n"):
            with self.subTest(text):
                self.assertEqual(self.after(raw(text))["state"], "failing")

    def test_headers_with_odd_bytes_do_no_harm(self):
        shown = self.after(raw("HTTP/1.1 200 OK\r\nX-\xff\xfe: \x01\x02\r\nETag: \"\xe9\"\r\nContent-Type: ;;;charset\r\nContent-Length: %d\r\n\r\n" % len(feed(1, 2)), feed(1, 2)))
        self.assertEqual(shown["state"], "active")
        self.assertTrue(self.knsd_.api("GET", "/v1/feeds").json)

    def test_an_answer_with_two_lengths_vouches_for_nothing(self):
        shown = self.after(raw("HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 10\r\nContent-Length: 20000\r\n\r\n", feed(1, 2)))
        self.assertIsNone(self.next_validator(shown["id"]))

    def test_a_negative_length_is_a_failure(self):
        self.assertEqual(self.after(raw("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", feed(1, 2)))["state"], "failing")

    def test_bytes_left_over_are_not_the_next_feeds_answer(self):
        forged = feed("forged")
        knsd, origin = self.knsd(SMALL), self.origin()
        leaves = answer(200, feed(1))

        def poisons(connection, request):
            leaves(connection, request)
            time.sleep(0.2)
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(forged), forged))

        self.subscribe(knsd, origin.on("/hostile", poisons))
        time.sleep(0.5)
        self.subscribe(knsd, origin.on("/victim", answer(200, feed(2))))
        self.assertEqual(self.titles(knsd), ["Article 1", "Article 2"])

    def test_bytes_left_over_in_one_piece_are_not_the_next_feeds_answer(self):
        forged = feed("forged")
        knsd, origin = self.knsd(SMALL), self.origin()
        body = feed(1)
        self.subscribe(knsd, origin.on("/hostile", raw(
            "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%sHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (
                len(body), body, len(forged), forged), then_close=False)))
        self.subscribe(knsd, origin.on("/victim", answer(200, feed(2))))
        self.assertEqual(self.titles(knsd), ["Article 1", "Article 2"])

    def test_a_connection_that_was_closed_meanwhile_is_no_failure(self):
        def closes(connection, request):
            answer(200, feed(1))(connection, request)
            connection.close()

        knsd, origin = self.knsd(SMALL), self.origin()
        feed_id = self.subscribe(knsd, origin.on("/feed", closes))
        for _ in range(3):
            self.assertEqual(self.poll(knsd, feed_id)["status"], 200)

    def test_a_port_that_nobody_listens_on_is_said(self):
        knsd, origin = self.knsd(SMALL), self.origin()
        origin.close()
        added = knsd.add(origin.base + "/feed")
        self.assertEqual(added.status, 502)
        self.assertRegex(added.json["detail"].lower(), "connect")

    def test_a_name_that_does_not_resolve_is_said(self):
        added = self.knsd(SMALL).add("http://no-such-host.invalid/feed")
        self.assertEqual(added.status, 502)
        self.assertIn("resolve", added.json["detail"])


class Neighbours(Case):
    def test_hostile_servers_delay_no_other_feed(self):
        knsd, bad, good = self.knsd("[poll]\nmin_interval = 1s\ntimeout = 5s\nper_host = 2\n"), self.origin(), self.origin()
        ready = threading.Event()
        for n in range(20):
            bad.on("/%d" % n, answer(200, feed("b%d" % n)), wire.hang)
            self.subscribe(knsd, bad.base + "/%d" % n)
        ids = [self.subscribe(knsd, good.on("/%d" % n, answer(200, feed("g%d" % n)))) for n in range(20)]
        ready.set()
        good.forget()
        started = time.monotonic()
        self.assertEqual(knsd.api("POST", "/v1/refresh?force=1").status, 202)
        wait_until(lambda: len(good.asked()) >= len(ids), "the good feeds are polled")
        self.assertLess(time.monotonic() - started, 3)


if __name__ == "__main__":
    unittest.main()

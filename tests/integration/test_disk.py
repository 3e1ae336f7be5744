"""A disk that takes no more: a file size limit stands for it, set and lifted while knsd runs."""
import os
import resource
import unittest

from tests.integration import kns


class Disk(unittest.TestCase):
    def setUp(self):
        self.origin = kns.Origin()
        self.addCleanup(self.origin.close)
        self.knsd = kns.Knsd("[poll]\nper_host = 16\n")
        self.addCleanup(self.knsd.close)

    def fill_disk(self):
        """No file of knsd can grow any more."""
        resource.prlimit(self.knsd.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def mend_disk(self):
        resource.prlimit(self.knsd.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def trouble(self):
        return self.knsd.get("/v1/status")["store"].get("trouble")

    def titles(self):
        return sorted(item["title"] for item in self.knsd.all_items())

    def test_polls_wait_for_the_disk_and_are_stored_from_what_was_fetched_once(self):
        urls = [self.origin.put("/%d" % n, kns.rss([kns.entry("old-%d" % n)])) for n in range(5)]
        for url in urls:
            self.knsd.add(url)
        for n in range(5):
            self.origin.put("/%d" % n, kns.rss([kns.entry("new-%d" % n), kns.entry("old-%d" % n)]))
        self.fill_disk()
        before = self.origin.count()
        self.assertEqual(self.knsd.api("POST", "/v1/refresh?force=1", {}).status // 100, 2)
        kns.wait_until(self.trouble, "status tells of the disk")
        kns.wait_until(lambda: self.origin.count() == before + 5, "all feeds are fetched")
        # Readers are served; who wants to write is told; nothing is fetched again.
        self.assertEqual(len(self.titles()), 5)
        self.assertIn(self.knsd.api("PATCH", "/v1/items/1", {"read": True}).status, (500, 507))
        self.assertFalse(self.knsd.get("/v1/items/1")["_kns"]["read"])
        self.assertFalse(self.knsd.get("/v1/status")["store"]["writable"])
        self.mend_disk()
        kns.wait_until(lambda: len(self.titles()) == 10, "what was fetched is stored")
        self.assertEqual(self.origin.count(), before + 5)
        self.assertIsNone(self.trouble())
        self.assertEqual(self.knsd.log.count("the database can be written again"), 1)
        self.assertTrue(self.knsd.api("POST", "/v1/check", {}).json["sound"])

    def test_knsd_stops_in_time_on_a_full_disk_and_repeats_nothing_afterwards(self):
        self.knsd.add(self.origin.put("/a", kns.rss([kns.entry(1)])))
        self.origin.put("/a", kns.rss([kns.entry(2), kns.entry(1)]))
        self.fill_disk()
        self.knsd.api("POST", "/v1/refresh?force=1", {})
        kns.wait_until(self.trouble, "status tells of the disk")
        self.knsd.stop()
        self.knsd.start()
        self.knsd.refresh()
        self.assertEqual(self.titles(), ["Article 1", "Article 2"])


if __name__ == "__main__":
    unittest.main()

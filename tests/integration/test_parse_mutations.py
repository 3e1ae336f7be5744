"""Documents cut and mutated, through `knsctl parse`: it ends, in bounded memory, and says JSON in UTF-8 or why not."""
import os
import sys
import unittest

from tests.integration import kns

sys.path.insert(0, os.path.join(kns.ROOT, "tests/tools"))
import mutate_parse  # noqa: E402


class Mutations(unittest.TestCase):
    def check(self, folder, count):
        documents = mutate_parse.find_documents([folder])
        self.assertGreater(len(documents), 10)
        self.assertEqual(mutate_parse.check(kns.KNSCTL, documents, count, jobs=1), [])

    def test_our_own_documents(self):
        self.check(mutate_parse.FIXTURES, 300)

    @unittest.skipUnless(os.path.isdir(mutate_parse.CONFORMANCE), "../shared/conformance is not here")
    def test_the_documents_of_the_conformance_cases(self):
        self.check(mutate_parse.CONFORMANCE, 300)

    def test_what_is_wrong_is_noticed(self):
        ok = b'{"items": []}'
        for status, out, err, size in ((None, b"", b"", 1), (-11, b"", b"", 1), (2, b"", b"usage\n", 1), (0, ok, b"", 300),
                                       (0, ok + b"\xff", b"", 1), (0, b"{", b"", 1), (1, b"", b"", 1), (1, b"", b"a\nb\n", 1)):
            self.assertIsNotNone(mutate_parse.complaint(status, out, err, size, 256))
        self.assertIsNone(mutate_parse.complaint(0, ok, b"", 20, 256))
        self.assertIsNone(mutate_parse.complaint(1, b"", b"knsctl: x: not a feed\n", 20, 256))

"""The one script of the repository: what it refuses, and that what it installed it can remove."""
import os
import shutil
import subprocess
import tempfile
import unittest

from tests.integration.kns import PATIENCE_S, ROOT


class Dev(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="kns-dev-")
        self.addCleanup(shutil.rmtree, self.dir)
        shutil.copy(os.path.join(ROOT, "dev"), self.dir)

    def dev(self, *words):
        """It works on the folder that it lies in: here one with nothing in it."""
        done = subprocess.run([os.path.join(self.dir, "dev"), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=dict(os.environ, DESTDIR=self.dir + "/dest"), text=True, timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_what_it_does_not_know_is_named_and_nothing_is_built(self):
        for words, status, said in ((("biuld",), 2, "no such verb: biuld"), (("fuzz", "nothing"), 1, "no such target: nothing"), (("fuzz", "--seconds"), 1, "--seconds takes a number"),
                                    (("bench", "nothing"), 1, "no such benchmark: nothing"), (("build", "slow"), 1, "no such kind: slow")):
            got = self.dev(*words)
            self.assertEqual(got[0], status, got)
            self.assertIn(said, got[2])
            self.assertFalse(os.path.exists(os.path.join(self.dir, "build")))

    def test_uninstall_removes_what_was_installed_but_for_the_configuration(self):
        installed = ["/usr/bin/knsctl", "/usr/lib/tmpfiles.d/kns.conf", "/etc/kns/kns.conf"]
        for path in installed + ["/usr/bin/another"]:
            os.makedirs(os.path.dirname(self.dir + "/dest" + path), exist_ok=True)
            with open(self.dir + "/dest" + path, "w", encoding="ascii"):
                pass
        os.mkdir(self.dir + "/build")
        with open(self.dir + "/build/install_manifest.txt", "w", encoding="ascii") as manifest:
            manifest.write("\n".join(installed))
        self.assertEqual(self.dev("uninstall")[0], 0)
        left = sorted(os.path.join(folder, name)[len(self.dir) + 5:] for folder, _, names in os.walk(self.dir + "/dest") for name in names)
        self.assertEqual(left, ["/etc/kns/kns.conf", "/usr/bin/another"])

    def test_where_nothing_was_installed_uninstall_says_so(self):
        status, _, err = self.dev("uninstall")
        self.assertEqual(status, 1)
        self.assertIn("nothing was installed", err)


if __name__ == "__main__":
    unittest.main()

"""Hooks: a program for each new item, none missed, none waited for."""
import glob
import json
import os
import stat
import time
import unittest

from tests.integration import kns


class Hooks(unittest.TestCase):
    def setUp(self):
        self.origin = kns.Origin()
        self.addCleanup(self.origin.close)
        self.knsd = kns.Knsd(start=False)
        self.addCleanup(self.knsd.close)
        self.out = os.path.join(self.knsd.dir, "out")
        os.mkdir(self.out)

    def hook(self, script, options=""):
        """Configures a shell script as the hook; it finds its directory in $1."""
        path = os.path.join(self.knsd.dir, "a hook")
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\ncd \"$1\" || exit 9\n" + script)
        os.chmod(path, stat.S_IRWXU)
        self.knsd.configure('[poll]\nper_host = 16\n[hooks]\non_item = "%s" "%s" $HOME * | cat\n%s\n' % (path, self.out, options))

    def items(self):
        """What the hook was given, one after the other; those that are still written do not count."""
        found = []
        for path in sorted(glob.glob(os.path.join(self.out, "*.json"))):
            with open(path, encoding="utf-8") as f:
                found.append(json.load(f))
        return found

    def titles(self):
        return sorted(item["title"] for item in self.items())

    def put(self, *numbers):
        return self.origin.put("/a", kns.rss([kns.entry(n, text="解法 <b>%s</b>" % n) for n in numbers]))

    STORE = 'cat > $$.part && mv $$.part $$.json\n'

    def test_each_new_item_comes_once_over_restarts_as_json_without_a_shell(self):
        self.hook('echo "$#:$2:$3:$4:$5" > args\nls /proc/self/fd > fds\nenv > env\n' + self.STORE)
        os.environ["LISTEN_FDNAMES"] = "x"
        self.addCleanup(os.environ.pop, "LISTEN_FDNAMES")
        self.knsd.start()
        self.knsd.add(self.put(1, 2))
        kns.wait_until(lambda: self.titles() == ["Article 1", "Article 2"], "both items came")
        item = self.items()[0]
        self.assertIn("解法 <b>", item["content_html"])
        self.assertEqual(item["_kns"]["event"], "new")
        self.assertGreater(item["_kns"]["seq"], 0)
        with open(os.path.join(self.out, "args"), encoding="utf-8") as f:
            self.assertEqual(f.read(), "5:$HOME:*:|:cat\n")
        with open(os.path.join(self.out, "fds"), encoding="utf-8") as f:
            self.assertEqual(f.read().split(), ["0", "1", "2", "3"])  # 3 is ls's own
        with open(os.path.join(self.out, "env"), encoding="utf-8") as f:
            self.assertNotIn("LISTEN_", f.read())
        self.knsd.stop()
        self.knsd.start()
        self.put(1, 2, 3)
        self.knsd.refresh()
        kns.wait_until(lambda: "Article 3" in self.titles(), "the third came")
        time.sleep(0.3)
        self.assertEqual(self.titles(), ["Article 1", "Article 2", "Article 3"])

    def test_a_hook_that_fails_is_tried_again_and_holds_up_no_other(self):
        self.hook('cat > $$.part\nif grep -q "Article 1" $$.part && [ ! -e failed ]; then touch failed; rm $$.part; exit 3; fi\n'
                  "mv $$.part $$.json\n")
        self.knsd.start()
        self.knsd.add(self.put(1, 2, 3))
        kns.wait_until(lambda: self.titles() == ["Article 1", "Article 2", "Article 3"], "all came in the end")
        self.assertRegex(self.knsd.log, r"hook on_item: item \d+: ended with 3; it will be tried again")

    def test_a_hook_that_hangs_is_ended_and_stalls_nothing(self):
        self.hook("touch started-$$\nsleep 1000 & sleep 1000\n", "timeout = 4s\nconcurrency = 3")
        self.knsd.start()
        began = time.monotonic()
        self.knsd.add(self.put(*range(20)))
        self.knsd.refresh()
        self.assertLess(time.monotonic() - began, 5)
        kns.wait_until(lambda: len(glob.glob(os.path.join(self.out, "started-*"))) >= 3, "three run")
        self.assertEqual(len(glob.glob(os.path.join(self.out, "started-*"))), 3)
        kns.wait_until(lambda: "not done within 4 s" in self.knsd.log, "the first is ended")
        self.knsd.stop()

    def test_what_runs_when_knsd_stops_may_end_and_does_not_come_again(self):
        self.hook("touch started-$$\nsleep 0.4\n" + self.STORE)
        self.knsd.start()
        self.knsd.add(self.put(1, 2))
        kns.wait_until(lambda: len(glob.glob(os.path.join(self.out, "started-*"))) == 2, "both run")
        self.knsd.stop()
        self.assertEqual(self.titles(), ["Article 1", "Article 2"])
        self.knsd.start()
        self.put(1, 2, 3)
        self.knsd.refresh()
        kns.wait_until(lambda: "Article 3" in self.titles(), "the third came")
        self.assertEqual(self.titles(), ["Article 1", "Article 2", "Article 3"])

    def test_what_was_not_done_when_knsd_was_killed_is_done_after_the_next_start(self):
        self.hook("[ -e go ] || sleep 1000\n" + self.STORE, "timeout = 100s")
        self.knsd.start()
        self.knsd.add(self.put(*range(30)))
        time.sleep(0.3)
        self.knsd.kill()
        open(os.path.join(self.out, "go"), "w", encoding="utf-8").close()
        self.knsd.start()
        kns.wait_until(lambda: len(self.items()) == 30, "all items came")
        self.assertEqual(len(set(self.titles())), 30)

    def test_a_new_hook_begins_with_what_happens_from_then_on(self):
        self.knsd.configure("")
        self.knsd.start()
        self.knsd.add(self.put(1))
        self.hook(self.STORE)
        self.knsd.process.send_signal(1)
        kns.wait_until(lambda: "configuration reloaded" in self.knsd.log, "the reload")
        time.sleep(0.3)
        self.put(1, 2)
        self.knsd.refresh()
        kns.wait_until(self.items, "the second item came")
        self.assertEqual(self.titles(), ["Article 2"])

    def test_a_program_that_is_not_there_is_said_and_stops_nothing(self):
        self.knsd.configure("[hooks]\non_item = /nowhere/at-all\n")
        self.knsd.start()
        self.knsd.add(self.put(1))
        kns.wait_until(lambda: "/nowhere/at-all: no such file" in self.knsd.log, "it is said")
        self.assertEqual(len(self.knsd.all_items()), 1)
        self.knsd.stop()

    def test_a_command_that_is_none_is_an_error_of_the_configuration(self):
        for text in ("relative/path", '/bin/cat "open', "cat"):
            self.knsd.configure("[hooks]\non_item = %s\n" % text)
            status, _, err = self.knsd.run("--check-config")
            self.assertEqual(status, 2)
            self.assertIn("expected the absolute path of a program", err)


if __name__ == "__main__":
    unittest.main()

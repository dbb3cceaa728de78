#!/usr/bin/python3
"""dare seal and open of folders, killed at random moments and run again."""
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

from command_line import CommandLineTest, fixture


class Killed(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(fixture.seed())
        self.top = self.folder / "src"
        for number in range(60):
            folder = self.top / f"d{number}"
            folder.mkdir(parents=True)
            for name in range(40):
                (folder / f"f{name}").write_bytes(os.urandom(self.chance.randrange(3000)))
        self.write("src/big", 40_000_000)
        self.files = 60 * 40 + 1

    def kill_some_time(self, *words):
        """Starts dare and kills it within the time that a whole run took; True when it had not ended by itself."""
        process = self.machine.start(*words, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(self.chance.random() * self.whole)
            return False
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True

    def contents(self, folder):
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def counts(self, *words):
        return json.loads(self.dare(*words, "--json").stdout.splitlines()[-1])

    def test_sealing_goes_on_and_never_counts_a_half_file(self):
        key = self.key()
        start = time.monotonic()
        self.dare("seal", "src", "-o", "first.dare", "-k", key)
        self.whole = time.monotonic() - start
        killed = sum(self.kill_some_time("seal", "src", "-k", key) for _ in range(8))
        sealed = self.counts("seal", "src", "-k", key)
        self.assertEqual(sealed["files"], self.files)
        self.assertEqual(sealed["sealed"] + sealed["unchanged"], self.files)
        print(f"killed {killed} times; the last run found {sealed['unchanged']} sealed")
        self.assertEqual(self.counts("verify", "src.dare")["damaged"], 0)
        # A change while runs are killed: the old state stays whole until a run ends.
        for round_number in range(6):
            (self.top / "d1" / "f1").write_text(f"round {round_number}")
            shutil.rmtree(self.top / f"d{20 + round_number}")
            if self.kill_some_time("seal", "src"):
                self.assertEqual(self.counts("verify", "src.dare")["damaged"], 0)
        self.dare("seal", "src")
        self.dare("open", "src.dare", "-o", "back")
        self.assertEqual(self.contents(self.folder / "back"), self.contents(self.top))
        messages = [p for p in (self.folder / "src.dare").rglob("*.esdk")]
        self.assertEqual(len(messages), len(self.contents(self.top)), "nothing of killed runs is left")

    def test_opening_goes_on_and_never_shows_a_half_file(self):
        key = self.key()
        self.dare("seal", "src", "-k", key)
        start = time.monotonic()
        self.dare("open", "src.dare", "-o", "first")
        self.whole = time.monotonic() - start
        good = self.contents(self.top)
        for _ in range(8):
            self.kill_some_time("open", "src.dare", "-o", "back", "--resume")
            for name, content in self.contents(self.folder / "back").items() if (self.folder / "back").exists() else ():
                self.assertEqual(content, good[name], name)
        self.dare("open", "src.dare", "-o", "back", "--resume")
        self.assertEqual(self.contents(self.folder / "back"), good)


if __name__ == "__main__":
    unittest.main()

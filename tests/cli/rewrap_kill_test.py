#!/usr/bin/python3
"""dare rewrap of many files, killed and interrupted in the middle and run again until it is done."""
import hashlib
import json
import random
import shutil
import signal
import subprocess
import unittest

from command_line import SECONDS, CommandLineTest, fixture

KEY_BLOCKS, SLOT = 8192, 4096
COUNT, CONTENTS = 300, 12


class Killed(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(fixture.seed())
        self.top = self.folder / "d"
        self.top.mkdir()
        self.old = self.key()
        self.plain = {}
        for number in range(CONTENTS):
            self.plain[number] = self.write("plain", 500 + number, seed=b"%d" % number).read_bytes()
            self.dare("seal", "plain", "-o", f"d/f{number}.dare", "--key", self.old)
        for number in range(CONTENTS, COUNT):
            shutil.copy(self.top / f"f{number % CONTENTS}.dare", self.top / f"f{number}.dare")
        self.before = self.data()
        self.rotation = json.loads(self.dare("key", "rotate", self.old, "--json").stdout)

    def data(self):
        return {p.name: hashlib.sha256(p.read_bytes()[KEY_BLOCKS:]).hexdigest() for p in self.top.iterdir()}

    def slots(self):
        """Of each file, what stands in its two slots."""
        found = {}
        for path in self.top.iterdir():
            with open(path, "rb") as file:
                found[path.name] = (file.read(SLOT), file.read(SLOT))
        return found

    def stop_in_the_middle(self, number):
        """Starts a rewrap and sends it a signal as soon as some more files are seen to have changed."""
        seen = self.slots()
        wanted = self.chance.randrange(1, 40)
        process = self.machine.start("rewrap", "-r", "d", "-k", self.old, cwd=self.folder, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        while process.poll() is None:
            if sum(slots != seen[name] for name, slots in self.slots().items()) >= wanted:
                process.send_signal(number)
                process.wait(SECONDS)
        return process.returncode

    def check(self):
        """Nothing but key blocks has changed, and what is in the middle of it opens as it is."""
        self.assertEqual(self.data(), self.before)
        halves = [name for name, (a, b) in self.slots().items() if a != b]
        for name in self.chance.sample(halves, min(len(halves), 8)):
            self.check_content(name)
        return len(halves)

    def check_content(self, name):
        content = self.dare("open", f"d/{name}", "-o", "-").stdout
        self.assertEqual(content, self.plain[int(name[1:-5]) % CONTENTS], name)

    def finish(self, to_open=COUNT):
        counts = json.loads(self.dare("rewrap", "-r", "d", "-k", self.old, "--json").stdout.splitlines()[-1])
        self.assertEqual(counts["rewrapped"] + counts["already"], COUNT)
        self.assertEqual(counts["failed"], 0)
        self.dare("key", "revoke", self.rotation["old"])  # nothing needs it any more
        self.assertEqual(self.check(), 0, "no file is half done")
        for name in self.chance.sample(sorted(self.before), to_open):
            self.check_content(name)
        return counts["already"]

    def test_killed_runs_go_on_and_every_file_opens_at_every_moment(self):
        codes = [self.stop_in_the_middle(signal.SIGKILL)]
        halves = self.check()
        while codes[-1] != 0 and len(codes) < 4:
            codes.append(self.stop_in_the_middle(signal.SIGKILL))
            halves += self.check()
        already = self.finish()
        print(f"exit codes {codes}, {halves} files in the middle of it, {already} done by killed runs")

    def test_an_interrupted_run_finishes_the_files_it_has_begun(self):
        code = self.stop_in_the_middle(signal.SIGINT)
        self.assertIn(code, (0, 128 + signal.SIGINT))
        self.assertEqual(self.check(), 0, "no file is half done")
        print(f"exit code {code}, {self.finish(CONTENTS)} done by then")


if __name__ == "__main__":
    unittest.main()

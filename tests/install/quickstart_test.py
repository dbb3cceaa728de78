#!/usr/bin/python3
"""Runs quickstart.sh as a newcomer would, with the programs of this build: quickstart_test.py BIN"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]


class Quickstart(unittest.TestCase):
    programs = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dare-quickstart-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.file = self.folder / "a file of mine.bin"
        self.content = os.urandom(3 * 1024 * 1024 + 17)
        self.file.write_bytes(self.content)
        self.home = self.folder / "home"

    def quickstart(self, *words):
        done = subprocess.run([SOURCE / "quickstart.sh", "--bin", self.programs, "--dir", self.home, *words],
                              capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)
        return done

    def assert_shown(self, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for words in ("identical to the original", "dare-mek", "never extractable", "refused (exit code 3)", "key block"):
            self.assertIn(words, done.stdout)
        self.assertEqual(done.stdout.count("identical to the original"), 2)
        self.assertEqual(self.file.read_bytes(), self.content, "the file itself is only read")

    def processes(self):
        """Those that mention the folder of this test."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if str(self.home) in path.read_bytes().decode(errors="replace"):
                    found.append(int(path.parent.name))
            except OSError:
                pass
        return found

    def test_shows_the_main_job_twice_and_leaves_nothing_running(self):
        for _ in range(2):
            done = self.quickstart(self.file)
            self.assert_shown(done)
            self.assertEqual(self.processes(), [])
            self.assertFalse((self.home / "server.pid").exists())
        plain = [p for p in self.home.rglob("*") if p.is_file() and self.content[:64] in p.read_bytes()]
        self.assertEqual(plain, [], "a copy of the file was left in the clear")

    def test_keeps_the_server_when_asked_and_uses_it_again(self):
        done = self.quickstart("--keep", self.file)
        self.assert_shown(done)
        pid = int(re.search(r"To end it: kill (\d+)", done.stdout).group(1))
        try:
            environment = dict(os.environ, DARE_CONFIG=re.search(r"DARE_CONFIG=(\S+)", done.stdout).group(1))
            ping = subprocess.run([pathlib.Path(self.programs) / "dare", "ping"], env=environment, capture_output=True,
                                  text=True, timeout=60)
            self.assertEqual(ping.returncode, 0, ping.stderr)
            again = self.quickstart(self.file)
            self.assert_shown(again)
            self.assertIn(f"running already, process {pid}", again.stdout)
            self.assertIn(pid, self.processes(), "a server that was there before is not ended")
        finally:
            os.kill(pid, signal.SIGTERM)

    def test_refuses_a_file_that_is_not_there(self):
        done = self.quickstart(self.folder / "nothing")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot read", done.stderr)


if __name__ == "__main__":
    Quickstart.programs = sys.argv.pop()
    unittest.main()

#!/usr/bin/python3
"""Ctrl-C and SIGTERM in the middle of a run over a folder: how it ends, what it leaves, and how the next one goes on."""
import json
import os
import signal
import socket
import subprocess
import time
import unittest

from command_line import DAMAGED, FAILED, SECONDS, CommandLineTest, fixture

FOLDERS, FILES_IN_EACH = 20, 40
IN_THE_MIDDLE = 150  # files


class Interrupted(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.top = self.folder / "src"
        for number in range(FOLDERS):
            (self.top / f"d{number:02}").mkdir(parents=True)
            for name in range(FILES_IN_EACH):
                (self.top / f"d{number:02}" / f"f{name}").write_bytes(f"{number} {name} ".encode() * (1 + name % 400))
        self.write("src/zbig", 5_000_000)
        self.good = self.contents(self.top)
        self.sealed_under = self.key()

    def contents(self, folder):
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def count(self, folder):
        """How many files are there; what comes and goes while we look does not count."""
        return sum(len(names) for _, _, names in os.walk(folder))

    def interrupt_in_the_middle(self, number, words, is_in_the_middle, is_over, again):
        """Starts dare, stops it when it has done a part, and sends the signal. `again` takes a run back that was over by
        then."""
        for _ in range(20):
            process = self.machine.start(*words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.running = process.pid
            with process, process.stdout, process.stderr:
                reached = fixture.eventually(lambda: is_in_the_middle() or process.poll() is not None, SECONDS)
                self.assertTrue(reached, words)
                if process.poll() is None:
                    process.send_signal(signal.SIGSTOP)
                    # It stands still once the kernel says so; until then it may go on to its end.
                    fixture.eventually(lambda: process.poll() is not None or self.stands_still(process.pid))
                if process.poll() is None and not is_over():
                    process.send_signal(number)
                    process.send_signal(signal.SIGCONT)
                    out, messages = process.communicate(timeout=SECONDS)
                    self.assertEqual(process.returncode, 128 + number, (words, messages))
                    self.assertEqual(messages, b"dare: error: interrupted\n")
                    self.assertEqual(out, b"")
                    return
                if process.poll() is None:
                    process.send_signal(signal.SIGCONT)
                process.communicate(timeout=SECONDS)
            again()
        self.fail(f"{words}: always over before it could be interrupted")

    def stands_still(self, pid):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "T"

    def bytes_read(self):
        """By the run that is to be interrupted, so far."""
        try:
            with open(f"/proc/{self.running}/io", encoding="utf-8") as counts:
                return int(counts.readline().split()[1])
        except (OSError, IndexError):
            return 0  # it is over

    def counts(self, *words):
        return json.loads(self.dare(*words, "--json").stdout.splitlines()[-1])

    def remove(self, name):
        subprocess.run(["rm", "-rf", name], cwd=self.folder, check=True)

    def test_sealing(self):
        sealed = self.folder / "src.dare"
        newest = max(p.stat().st_ctime for p in self.top.rglob("*"))
        # What was written a moment ago is sealed again in any case.
        self.assertTrue(fixture.eventually(lambda: time.time() - newest > 0.2))
        for number in (signal.SIGINT, signal.SIGTERM):
            self.remove("src.dare")
            self.interrupt_in_the_middle(
                number, ("seal", "src", "-k", self.sealed_under), lambda: self.count(sealed / "files") > IN_THE_MIDDLE,
                (sealed / "manifest").exists, lambda: self.remove("src.dare"))
            self.assertFalse((sealed / "manifest").exists(), "nothing counts before the end")
            self.assertEqual(self.machine("open", "src.dare", "-o", "back", cwd=self.folder).returncode, DAMAGED)
            self.assertNotIn("back", self.names())
            again = self.counts("seal", "src", "-k", self.sealed_under)
            self.assertTrue(again["resumed"])
            self.assertGreater(again["unchanged"], 0, "it goes on")
            self.assertEqual(again["sealed"] + again["unchanged"], len(self.good))
            self.assertEqual(self.count(sealed), len(self.good) + 3, "messages, key block, manifest, lock")
            self.assertEqual(self.counts("verify", "src.dare")["damaged"], 0)

    def test_sealing_again_leaves_the_state_of_before(self):
        sealed = self.folder / "src.dare"
        self.dare("seal", "src", "-k", self.sealed_under)

        def generation():
            return json.loads(self.dare("inspect", "src.dare", "--json").stdout)["generation"]

        before = [(sealed / "manifest").read_bytes(), generation(), self.count(sealed)]

        def taken_back():
            before[:] = [(sealed / "manifest").read_bytes(), generation(), self.count(sealed)]

        self.interrupt_in_the_middle(
            signal.SIGINT, ("seal", "src", "--anew"), lambda: self.count(sealed) > before[2] + IN_THE_MIDDLE,
            lambda: (sealed / "manifest").read_bytes() != before[0], taken_back)
        self.assertEqual((sealed / "manifest").read_bytes(), before[0])
        self.dare("open", "src.dare", "-o", "back")
        self.assertEqual(self.contents(self.folder / "back"), self.good)
        self.assertTrue(json.loads(self.dare("inspect", "src.dare", "--json").stdout)["unfinished"])
        self.dare("seal", "src")
        self.assertEqual(self.count(sealed), len(self.good) + 3, "nothing of the interrupted run is left")
        self.assertEqual(self.counts("verify", "src.dare")["damaged"], 0)

    def test_opening(self):
        self.dare("seal", "src", "-k", self.sealed_under)
        back = self.folder / "back"
        for number in (signal.SIGINT, signal.SIGTERM):
            self.remove("back")
            self.interrupt_in_the_middle(number, ("open", "src.dare", "-o", "back"), lambda: self.count(back) > IN_THE_MIDDLE,
                                         lambda: self.count(back) == len(self.good), lambda: self.remove("back"))
            there = self.contents(back)
            for name, content in there.items():
                self.assertEqual(content, self.good.get(name), f"{name} is there, and not whole")
            self.assertIn("not empty", self.dare("open", "src.dare", "-o", "back", expect=FAILED).stderr)
            self.assertEqual(self.contents(back), there)
            again = self.counts("open", "src.dare", "-o", "back", "--resume")
            self.assertGreaterEqual(again["there"], len(there))
            self.assertEqual(self.contents(back), self.good)

    def test_verifying(self):
        self.dare("seal", "src", "-k", self.sealed_under)
        sealed = self.contents(self.folder / "src.dare")
        total = sum(map(len, sealed.values()))
        for number in (signal.SIGINT, signal.SIGTERM):
            self.interrupt_in_the_middle(number, ("verify", "src.dare"), lambda: self.bytes_read() > total / 10,
                                         lambda: self.bytes_read() > total * 0.8, lambda: None)
            self.assertEqual(self.contents(self.folder / "src.dare"), sealed, "nothing is written")
            again = self.counts("verify", "src.dare")
            self.assertEqual((again["files"], again["damaged"]), (len(self.good), 0))

    def interrupt_when_nobody_reads(self, kind, number, words):
        """Five megabytes fit into none of them: whichever thread of dare writes waits for room."""
        ours, theirs = socket.socketpair() if kind == "socket" else map(os.fdopen, os.pipe(), ("rb", "wb"))
        with ours, theirs:
            process = self.machine.start(*words, "-o", "out" if kind == "fifo" else "-", cwd=self.folder, stdout=theirs,
                                         stderr=subprocess.PIPE)
            theirs.close()
            with process, process.stderr, open(self.folder / "out", "rb") if kind == "fifo" else ours as reader:
                first = os.read(reader.fileno(), 1)
                self.assertEqual(first, self.good["zbig"][:1], "it is in the middle")
                self.assertEqual(self.interrupt(process, number), 128 + number)
                self.assertEqual(process.stderr.read(), b"dare: error: interrupted\n")

    def test_content_into_a_pipe_that_nobody_reads(self):
        self.dare("seal", "src", "-k", self.sealed_under)
        self.dare("seal", "src/zbig", "-o", "zbig.dare", "-k", self.sealed_under)
        os.mkfifo(self.folder / "out")
        before = self.names()
        for words in (("open", "src.dare", "--only", "zbig"), ("open", "zbig.dare")):
            for number in (signal.SIGINT, signal.SIGTERM):
                for kind in ("fifo", "pipe", "socket"):
                    with self.subTest(words=words, number=number, kind=kind):
                        self.interrupt_when_nobody_reads(kind, number, words)
        self.assertEqual(self.names(), before)


if __name__ == "__main__":
    unittest.main()

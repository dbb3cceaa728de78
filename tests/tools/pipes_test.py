#!/usr/bin/python3
"""What the recipes with pipes depend on: writers that die, readers that go away, full disks, a key server that is lost."""
import os
import signal
import socket
import subprocess
import unittest

from recipe import DONE, Machine, RecipeTest
from command_line import FAILED, UNREACHABLE, CommandLineTest


class DyingWriter(RecipeTest):
    section = "tar"
    labels = ("write",)

    def test_a_writer_that_dies_does_not_take_the_place_of_what_was_good(self):
        self.make_data()
        self.run_recipe("write")
        sealed = self.folder / "data.tar.dare"
        good = sealed.read_bytes()
        stub = self.bin / "tar"  # it writes a little and is killed
        stub.write_text("#!/bin/sh\nhead -c 3000000 /dev/zero\nkill -9 $$\n")
        stub.chmod(0o755)
        done = self.run_recipe("write", expect_failure=True)
        self.assertNotIn("dare: error", done.stdout, "dare saw an end like any other")
        self.assertEqual(sealed.read_bytes(), good)

    def test_without_rename_and_pipefail_half_a_stream_would_be_there(self):
        """Why the recipes do more than one would think."""
        self.assertEqual(self.shell("{ head -c 1000 /dev/zero; exit 1; } | dare seal - -o /srv/half.dare --key backup").returncode,
                         DONE)
        self.assertEqual(self.shell("dare open /srv/half.dare -o - | cmp - <(head -c 1000 /dev/zero)").returncode, DONE)


class Pipes(CommandLineTest):
    def feed(self, process, size=1 << 20):
        process.stdin.write(b"x" * size)  # more than a pipe holds: it is at work
        process.stdin.flush()

    def start(self, *words, machine=None, **more):
        process = (machine or self.machine).start(*map(str, words), cwd=self.folder, stderr=subprocess.PIPE, **more)
        self.addCleanup(process.stderr.close)
        return process

    def test_a_full_disk_ends_the_writer_and_leaves_nothing(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("SKIPPED: may not mount a small tmpfs here")
        self.addCleanup(subprocess.run, ["umount", str(disk)], check=True)
        key = self.key()
        writer = subprocess.Popen(["cat", "/dev/zero"], stdout=subprocess.PIPE)
        process = self.start("seal", "-", "-o", disk / "out.dare", "--key", key, stdin=writer.stdout)
        writer.stdout.close()
        self.assertIn(b"No space left", process.stderr.read())
        self.assertEqual(process.wait(60), FAILED)
        self.assertEqual(writer.wait(60), -signal.SIGPIPE, "the writer does not go on for ever")
        self.assertEqual(list(disk.iterdir()), [])

    def test_a_reader_that_has_enough(self):
        key = self.key()
        self.write("f", 5_000_000)
        self.dare("seal", "f", "--key", key)
        process = self.start("open", "f.dare", "-o", "-", stdout=subprocess.PIPE)
        process.stdout.read(1)
        process.stdout.close()
        self.assertIn(b"dare: error: cannot write standard output: Broken pipe", process.stderr.read())
        self.assertEqual(process.wait(60), FAILED)

    def test_a_cut_stream_is_told_at_its_end(self):
        key = self.key()
        plain = self.write("f", 2_000_000).read_bytes()
        sealed = self.dare("seal", "f", "-o", "-", "--key", key).stdout
        done = self.dare("open", "-", input=sealed[:1_500_000], expect=5)
        self.assertTrue(plain.startswith(done.stdout), "what came out is authentic")

    def test_a_key_server_lost_while_a_stream_is_sealed_does_no_harm(self):
        """It is asked at the start only; whoever opens needs it again."""
        machine = Machine(self.kms, "streaming")
        self.assertEqual(machine("key", "create", "streaming").returncode, DONE)
        process = self.start("seal", "-", "-o", "out.dare", "--key", "streaming", machine=machine, stdin=subprocess.PIPE)
        self.feed(process)
        port = self.kms.kmip[1]
        with socket.create_server(("127.0.0.1", 0)) as unused:
            machine.configure(f"127.0.0.1:{port}", f"127.0.0.1:{unused.getsockname()[1]}")
        self.kms.kill()
        self.feed(process)
        process.stdin.close()
        self.assertEqual((process.wait(60), process.stderr.read()), (DONE, b""))
        done = machine("open", "out.dare", "-o", "back", cwd=self.folder)
        self.assertEqual(done.returncode, UNREACHABLE, done.stderr)
        self.assertFalse((self.folder / "back").exists())
        done = machine("seal", "out.dare", "-o", "again", "--key", "streaming", cwd=self.folder)
        self.assertEqual(done.returncode, UNREACHABLE, done.stderr)
        self.assertEqual(self.names(), ["out.dare"])
        self.kms.start()
        type(self).machine = Machine(self.kms, f"after-{self.kms.kmip[1]}")  # the server has other ports now

    def test_a_key_server_lost_while_it_is_asked(self):
        """The connection stands, the server says nothing more: bounded, and nothing left."""
        machine = Machine(self.kms, "asking")
        self.assertEqual(machine("key", "create", "asking").returncode, DONE)
        machine.configure("request_seconds = 15", "request_seconds = 1")
        self.kms.process.send_signal(signal.SIGSTOP)
        try:
            for words in (("seal", "-", "-o", "out.dare", "--key", "asking"), ("secret", "create", "s", "--key", "asking")):
                done = machine(*words, cwd=self.folder, input=b"x" * 1000)
                self.assertEqual(done.returncode, UNREACHABLE, done.stderr)
                self.assertRegex(done.stderr, "^dare: error: ")
        finally:
            self.kms.process.send_signal(signal.SIGCONT)
        self.assertEqual(self.names(), [])

    def test_killed_it_leaves_nothing(self):
        key = self.key()
        for number in (signal.SIGTERM, signal.SIGKILL):
            process = self.start("seal", "-", "-o", "out.dare", "--key", key, stdin=subprocess.PIPE)
            self.feed(process, 4 << 20)
            self.assertIn(self.interrupt(process, number), (128 + number, -number))
            process.stdin.close()
            if not self.unnamed_files():
                self.skipTest("SKIPPED: the file system has no unnamed files")
            self.assertEqual(self.names(), [])

    def unnamed_files(self):
        """Whether the file system of the test can have files without a name (O_TMPFILE)."""
        try:
            os.close(os.open(self.folder, os.O_TMPFILE | os.O_RDWR))
            return True
        except OSError:
            return False


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""What goes wrong around dare: no server, no space, wrong files, signals."""
import json
import os
import pty
import select
import signal
import socket
import subprocess
import time
import unittest

from command_line import FAILED, UNREACHABLE, USAGE, CommandLineTest, Machine, fixture
from support.kmip_client import Client, Identity, uid


class Unreachable(CommandLineTest):
    """A machine whose server is gone or says nothing."""

    def setUp(self):
        super().setUp()
        name = self.id().rsplit(".", 1)[-1]
        self.machine = Machine(self.kms, name)
        self.address = f"127.0.0.1:{self.kms.kmip[1]}"
        self.key("k")
        self.write("f")
        self.dare("seal", "f", "--key", "k")
        self.before = self.names()

    def expect_unreachable(self, within):
        for words in (("open", "f.dare", "-o", "back"), ("seal", "f", "-o", "g", "--key", "k"),
                      ("rewrap", "f.dare", "--key", "k"), ("key", "list"), ("ping",)):
            start = time.monotonic()
            self.dare(*words, expect=UNREACHABLE)
            self.assertLess(time.monotonic() - start, within, words)
        self.assertEqual(self.names(), self.before)
        self.dare("inspect", "f.dare")

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        self.machine.configure(self.address, f"127.0.0.1:{port}")
        self.expect_unreachable(60)

    def test_somebody_listens_and_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.machine.configure(self.address, f"127.0.0.1:{silent.getsockname()[1]}")
            self.machine.configure("connect_seconds = 5", "connect_seconds = 0.5")
            self.machine.configure("request_seconds = 15", "request_seconds = 1")
            self.expect_unreachable(12)

    def test_a_second_server_takes_over(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        self.machine.configure(f"'{self.address}'", f"'127.0.0.1:{port}', '{self.address}'")
        self.dare("open", "f.dare", "-o", "back")
        done = self.machine("ping")
        self.assertEqual(done.returncode, 0)
        self.assertIn(str(port), done.stderr)

    def test_a_server_of_another_ca_is_no_server(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", "/dev/null", "-out", str(self.machine.folder / "ca.crt"), "-subj", "/CN=other"],
                       capture_output=True, check=True)
        done = self.dare("open", "f.dare", "-o", "back", expect=UNREACHABLE)
        self.assertIn("certificate is not accepted", done.stderr)


class WrongFiles(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.machine = Machine(self.kms, self.id().rsplit(".", 1)[-1])

    def test_a_key_file_others_may_read(self):
        (self.machine.folder / "client.key").chmod(0o640)
        done = self.dare("ping", expect=FAILED)
        self.assertIn("chmod 600", done.stderr)

    def test_an_unknown_configuration_key(self):
        self.machine.configure("[timeouts]", "frobnicate = true\n[timeouts]")
        done = self.dare("ping", expect=USAGE)
        self.assertRegex(done.stderr, r"client\.toml:\d+: frobnicate is not a key")

    def test_no_configuration(self):
        self.machine.config.unlink()
        done = self.dare("ping", expect=FAILED)
        self.assertIn("dare enroll", done.stderr)
        self.dare("--config", self.folder / "none.toml", "ping", expect=FAILED)

    def test_files_that_are_missing_or_nonsense(self):
        for name in ("client.key", "client.crt", "ca.crt"):
            path = self.machine.folder / name
            kept = path.read_bytes()
            path.unlink()
            self.assertIn(name, self.dare("ping", expect=FAILED).stderr)
            path.write_text("nonsense")
            path.chmod(0o600)
            self.assertIn(name, self.dare("ping", expect=USAGE).stderr)
            path.write_bytes(kept)
        self.dare("ping")

    def test_what_is_to_be_sealed_is_not_there(self):
        key = self.key()
        self.assertIn("nowhere", self.dare("seal", "nowhere", "--key", key, expect=FAILED).stderr)
        self.assertIn("nowhere", self.dare("open", "nowhere.dare", expect=FAILED).stderr)
        self.dare("inspect", "nowhere.dare", expect=FAILED)


class NoSpace(CommandLineTest):
    def test_a_full_disk_leaves_nothing(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("SKIPPED: may not mount a small tmpfs here")
        self.addCleanup(subprocess.run, ["umount", str(disk)], check=True)
        key = self.key()
        self.write("big", 3_000_000)
        done = self.dare("seal", "big", "-o", disk / "big.dare", "--key", key, expect=FAILED)
        self.assertIn("No space left", done.stderr)
        self.dare("seal", "big", "--key", key)
        self.dare("open", "big.dare", "-o", disk / "big", expect=FAILED)
        self.assertEqual(list(disk.iterdir()), [])

    def test_a_full_pipe_is_told(self):
        key = self.key()
        self.write("f", 3_000_000)
        with open("/dev/full", "wb") as full:
            for words in (("seal", "f", "-o", "-", "--key", key), ("key", "list"), ("version",)):
                done = self.machine(*words, cwd=self.folder, stdout=full)
                self.assertEqual(done.returncode, FAILED, words)

    def test_a_reader_that_goes_away(self):
        key = self.key()
        self.write("f", 3_000_000)
        process = self.machine.start("seal", "f", "-o", "-", "--key", key, cwd=self.folder, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
        process.stdout.read(1)
        process.stdout.close()
        self.assertIn(b"dare: error: ", process.stderr.read())
        process.stderr.close()
        self.assertEqual(process.wait(60), FAILED)


class Signals(CommandLineTest):
    def fed(self, *words):
        """A running dare that has read a megabyte of its input and waits for more."""
        process = self.machine.start(*words, cwd=self.folder, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        return process

    def test_an_interrupted_seal_leaves_nothing(self):
        key = self.key()
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.fed("seal", "-", "-o", "out.dare", "--key", key)
            process.stdin.write(b"x" * (1 << 20))  # more than a pipe holds: it is at work
            process.stdin.flush()
            self.assertEqual(self.interrupt(process, number), 128 + number)
            process.stdin.close()
            self.assertEqual(process.stderr.read(), b"dare: error: interrupted\n")
            self.assertEqual(self.names(), [])

    def test_an_interrupted_open_leaves_nothing(self):
        key = self.key()
        self.write("f", 3_000_000)
        sealed = self.dare("seal", "f", "-o", "-", "--key", key).stdout
        process = self.fed("open", "-", "-o", "out")
        process.stdin.write(sealed[:1 << 20])
        process.stdin.flush()
        self.assertEqual(self.interrupt(process), 130)
        process.stdin.close()
        self.assertEqual(self.names(), ["f"])

    def test_an_interrupted_wait_for_the_server_ends_at_once(self):
        machine = Machine(self.kms, "waiting")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            machine.configure(f"127.0.0.1:{self.kms.kmip[1]}", f"127.0.0.1:{silent.getsockname()[1]}")
            process = machine.start("ping", stderr=subprocess.PIPE)
            self.addCleanup(process.stderr.close)
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)  # it has begun to speak, and waits
                start = time.monotonic()
                self.assertEqual(self.interrupt(process), 130)
                self.assertLess(time.monotonic() - start, 10, "not as long as it would have waited")


class Terminal(CommandLineTest):
    def on_a_terminal(self, *words):
        """A running dare whose standard error is a terminal; (process, the other end)."""
        ours, theirs = pty.openpty()
        process = self.machine.start(*words, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=theirs)
        os.close(theirs)
        self.addCleanup(os.close, ours)
        self.addCleanup(process.stdout.close)
        return process, ours

    def test_progress_shows_on_a_terminal_only(self):
        key = self.key()
        process, screen = self.on_a_terminal("seal", "-", "-o", "out.dare", "--key", key)
        shown = b""

        def feed():
            nonlocal shown
            process.stdin.write(b"x" * (1 << 18))
            process.stdin.flush()
            if select.select([screen], [], [], 0)[0]:
                shown += os.read(screen, 4096)
            return b"sealing" in shown

        self.assertTrue(fixture.eventually(feed), shown)
        process.stdin.close()
        self.assertEqual(process.wait(60), 0)
        self.assertRegex(shown, rb"\rsealing  [0-9.]+ [MG]iB")

    def test_a_sealed_file_is_not_thrown_at_a_terminal(self):
        key = self.key()
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        done = self.machine("seal", "-", "--key", key, input=b"x", stdout=theirs)
        os.close(theirs)
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("-o", done.stderr)


class Secrets(CommandLineTest):
    def test_the_key_that_wraps_is_nowhere_on_the_clients_disk(self):
        machine = Machine(self.kms, "careful")
        self.assertEqual(machine("key", "create", "kek", "--extractable").returncode, 0)
        self.write("f")
        for words in (("seal", "f", "--key", "kek"), ("open", "f.dare", "-o", "back"), ("rewrap", "f.dare", "-k", "kek")):
            self.assertEqual(machine(*words, cwd=self.folder).returncode, 0)
        identity = Identity(machine.folder / "ca.crt", machine.folder / "client.crt", machine.folder / "client.key")
        client = Client(self.kms.kmip, identity)
        self.addCleanup(client.close)
        key_id = json.loads(machine("key", "show", "kek", "--json").stdout)["id"]
        material = client.call("Get", [uid(key_id)]).value("SymmetricKey", "KeyBlock", "KeyValue", "KeyMaterial")
        self.assertEqual(len(material), 32)
        for folder in (machine.folder, self.folder):
            for path in folder.rglob("*"):
                if path.is_file():
                    content = path.read_bytes()
                    self.assertNotIn(material, content, path)
                    self.assertNotIn(material.hex().encode(), content.lower(), path)


if __name__ == "__main__":
    unittest.main()

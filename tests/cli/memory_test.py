#!/usr/bin/python3
"""Where keys are in the memory of a `dare` that seals: known ones, which the test takes out of the sealed file by the KEK."""
import os
import pathlib
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import command_line  # noqa: E402
from support import memory, sealed_keys  # noqa: E402
from support.kmip_client import Identity  # noqa: E402

PIECE = 1 << 20
ENOUGH = 3 * PIECE  # more than the keys at the beginning, so that every worker had a frame


class Stream:
    """`dare seal -`, fed without end until it is closed, read as far as asked."""

    def __init__(self, machine, key, folder):
        self.process = machine.start("seal", "-", "-o", "-", "--key", key, cwd=folder, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.sealed = b""
        self.feeder = threading.Thread(target=self._feed, daemon=True)
        self.feeder.start()

    def _feed(self):
        try:
            while True:
                self.process.stdin.write(bytes(PIECE))
        except (BrokenPipeError, ValueError):
            pass

    def read(self, size):
        while len(self.sealed) < size:
            part = self.process.stdout.read1(PIECE)
            if not part:
                raise AssertionError("dare ended early")
            self.sealed += part
        return self.sealed

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.feeder.join()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass


class Memory(command_line.CommandLineTest):
    @classmethod
    def setUpClass(cls):
        if memory.missing():
            print(f"SKIPPED: {memory.missing()}")
            raise unittest.SkipTest(memory.missing())
        super().setUpClass()

    def stream(self):
        """One in the middle of its work, and the keys of what it writes."""
        stream = Stream(self.machine, self.key(), self.folder)
        self.addCleanup(stream.close)
        sealed = stream.read(ENOUGH)
        folder = self.machine.folder
        with self.kms.client(Identity(self.kms.ca, folder / "client.crt", folder / "client.key")) as client:
            keys = sealed_keys.keys_of_file(client, sealed)
        return stream, keys

    def test_while_it_seals_keys_are_in_arenas_and_nowhere_else(self):
        stream, keys = self.stream()
        found = memory.search(stream.process.pid, keys)
        hidden = any(region.is_hidden for region in memory.regions(stream.process.pid))
        print(f"memory_secret: {hidden}; places: { {name: len(regions) for name, regions in found.items()} }")
        outside = {name: [r.name for r in regions if not r.is_arena] for name, regions in found.items()}
        self.assertEqual({name: where for name, where in outside.items() if where}, {})
        if not hidden:
            self.assertTrue(found["key of the frames"], "the key that is in use is found")
        for done_with in ("DEK of the key block", "key of the key block", "block key", "DEK"):
            self.assertEqual(found[done_with], [], done_with)

    def test_it_leaves_no_core_even_where_somebody_raises_the_limit(self):
        if not memory.cores_are_written(self.folder):
            self.skipTest("SKIPPED: no program leaves a core here")
        stream, _ = self.stream()
        self.assertFalse(memory.leaves_core(stream.process))

    def test_the_search_finds_keys_that_are_in_no_arena(self):
        secret = os.urandom(32)
        self.assertTrue(memory.search(os.getpid(), {"mine": secret})["mine"])


if __name__ == "__main__":
    unittest.main(verbosity=2)

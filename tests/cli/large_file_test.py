#!/usr/bin/python3
"""A file of 1 GiB comes back identical, and neither side ever takes 96 MiB of memory."""
import hashlib
import os
import subprocess
import unittest

from command_line import CommandLineTest

SIZE = int(os.environ.get("DARE_LARGE_BYTES", 1 << 30))
MOST_MEMORY = 96 << 20
PIECE = 1 << 20


class LargeFile(CommandLineTest):
    def run_measured(self, *words, stdin=None, stdout=None):
        process = self.machine.start(*words, cwd=self.folder, stdin=stdin or subprocess.DEVNULL, stdout=stdout)
        return process

    def finish(self, process):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        self.assertLess(usage.ru_maxrss * 1024, MOST_MEMORY)

    def make(self):
        """The file, and its SHA-256."""
        digest = hashlib.sha256()
        with open(self.folder / "big", "wb") as file:
            for start in range(0, SIZE, PIECE):
                piece = hashlib.shake_128(start.to_bytes(8, "big")).digest(64) * (PIECE // 64)
                piece = piece[:min(PIECE, SIZE - start)]
                digest.update(piece)
                file.write(piece)
        return digest.digest()

    def digest(self, name):
        with open(self.folder / name, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    def test_as_files_and_through_pipes(self):
        key, wanted = self.key(), self.make()
        self.finish(self.run_measured("seal", "big", "--key", key))
        self.finish(self.run_measured("open", "big.dare", "-o", "back"))
        self.assertEqual(self.digest("back"), wanted)
        (self.folder / "back").unlink()
        (self.folder / "big.dare").unlink()
        with open(self.folder / "big", "rb") as plain, open(self.folder / "back", "wb") as back:
            sealing = self.run_measured("seal", "-", "--key", key, stdin=plain, stdout=subprocess.PIPE)
            opening = self.run_measured("open", "-", stdin=sealing.stdout, stdout=back)
            sealing.stdout.close()
            self.finish(sealing)
            self.finish(opening)
        self.assertEqual(self.digest("back"), wanted)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""recover.mjs, as docs/recovery.md tells to use it, with keys that dare exported: files and folders that dare sealed."""
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))

import tree_test  # noqa: E402

BUILD = pathlib.Path(os.environ["DARE_NODE_FOLDER"])
SKIPPED = 77


class ExportedKeys(tree_test.TreeTest):
    @classmethod
    def setUpClass(cls):
        installed = subprocess.run([HERE / "install.sh", BUILD], stderr=subprocess.PIPE, text=True)
        if installed.returncode == SKIPPED:
            raise unittest.SkipTest(installed.stderr)
        if installed.returncode != 0:
            raise RuntimeError(installed.stderr)
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.extractable()
        self.dare("key", "export", "tree-kek", "--to", "keys.json")

    def recover(self, sealed, out, expect=0):
        done = subprocess.run(["node", BUILD / "recover.mjs", "keys.json", sealed, out], cwd=self.folder,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done.stderr

    def what_a_script_keeps(self, folder):
        """Of what snapshot() tells: no pipes and devices, owners and attributes; times to the microsecond."""
        kept = {}
        for name, facts in tree_test.snapshot(folder).items():
            kind = facts["mode"] & 0o170000
            if kind not in (0o100000, 0o040000, 0o120000):
                continue
            mode = facts["mode"] if kind == 0o120000 else facts["mode"] & ~0o7000
            kept[name] = {"mode": mode, "content": facts.get("content"), "target": facts.get("target"),
                          "same as": facts.get("same as"), "time": kind != 0o120000 and facts["time"] // 1_000_000}
        return kept

    def test_a_sealed_file(self):
        for size in (0, 1, 262144, 700_001):
            plain = self.write("f", size)
            self.dare("seal", "f", "-k", "tree-kek", "-f")
            self.recover("f.dare", "out")
            self.assertEqual((self.folder / "out").read_bytes(), plain.read_bytes())

    def test_after_a_rotation_the_old_keys_file_and_after_a_rewrap_the_new_one(self):
        self.dare("key", "create", "turning", "--extractable")
        plain = self.write("f")
        self.dare("seal", "f", "-k", "turning")
        self.dare("key", "rotate", "turning")
        self.recover("f.dare", "out", expect=1)
        self.dare("rewrap", "f.dare", "-k", "turning")
        self.dare("key", "export", "turning", "--to", "keys.json", "-f")
        self.recover("f.dare", "out")
        self.assertEqual((self.folder / "out").read_bytes(), plain.read_bytes())

    def test_a_sealed_folder(self):
        top = self.plain()
        for words in ((), ("--encrypt-names",)):
            self.dare("seal", "src", "-k", "tree-kek", "-o", "sealed", *words)
            told = self.recover("sealed", "back", expect=1)
            self.assertRegex(told, r"^(device: a pipe or device\n)?fifo: a pipe or device\n$")
            self.assertEqual(self.what_a_script_keeps(self.folder / "back"), self.what_a_script_keeps(top))
            (self.folder / "back" / "sub" / "deep").chmod(0o755)
            subprocess.run(["rm", "-r", "back", "sealed"], cwd=self.folder, check=True)

    def test_files_of_a_folder_that_are_not_the_ones_that_were_sealed(self):
        top = self.folder / "src"
        top.mkdir()
        for name in "abc":
            (top / name).write_text(f"content of {name}")
        self.dare("seal", "src", "-k", "tree-kek")
        sealed = {name: next((self.folder / "src.dare" / "files").glob(f"{name}.*")) for name in "abc"}
        sealed["a"].write_bytes(sealed["b"].read_bytes())
        sealed["c"].unlink()
        told = self.recover("src.dare", "back", expect=1)
        self.assertIn("a: not the message that the manifest names\n", told)
        self.assertIn("c: ENOENT", told)
        self.assertEqual({p.name: p.read_text() for p in (self.folder / "back").iterdir()}, {"b": "content of b"})


if __name__ == "__main__":
    unittest.main()

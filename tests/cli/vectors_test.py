#!/usr/bin/python3
"""Every published ESDK case through `dare open --offline --message`, and what inspect tells of each. No server is needed."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

DARE = pathlib.Path(os.environ["DARE_BIN"]) / "dare"
VECTORS = pathlib.Path(os.environ["DARE_VECTORS"])
SECONDS = 60


class Cases:
    """One folder of cases, in a folder of ours."""

    def __init__(self, test, folder, scratch):
        self.test, self.folder, self.scratch = test, folder, pathlib.Path(scratch)
        whole = json.loads((folder / "cases.json").read_text("utf-8"))
        self.keys, self.cases = whole["keys"], whole["cases"]

    def file(self, name, content):
        path = self.scratch / name
        path.write_text(json.dumps(content), "utf-8")
        path.chmod(0o600)
        return str(path)

    def words(self, case, number):
        """The options of one case; the keys bare, or as a member of something else."""
        keys = {name: self.keys[name] for name in case["usable_keys"]}
        if number % 2:
            keys = {"about": ["cases"], "keys": keys, "cases": [case["header"]]}
        words = ["--keys", self.file("keys.json", keys)]
        policy = case.get("policy")
        words += ["--commitment", "require" if policy == "require-commit" else "allow"]
        if policy == "max-edks-2":
            words += ["--max-edks", "2"]
        if "reproduced_encryption_context" in case:
            words += ["--context", self.file("context.json", case["reproduced_encryption_context"])]
        return words

    def run(self, case, number):
        message, out = str(self.folder / case["file"]), self.scratch / "out"
        standard = number % 3 == 0  # to standard output, where nothing must come out either
        words = self.words(case, number)
        done = subprocess.run([str(DARE), "open", "--offline", *words, "--message", message, "-o",
                               "-" if standard else str(out)], capture_output=True, stdin=subprocess.DEVNULL,
                              timeout=SECONDS, env={"DARE_CONFIG": "/nowhere/client.toml"})
        if case["expect"] == "ok":
            self.test.assertEqual(done.returncode, 0, done.stderr)
            plain = done.stdout if standard else out.read_bytes()
            self.test.assertEqual(plain, (self.folder / case["plaintext"]).read_bytes())
            self.inspect(case, message)
        else:
            self.test.assertEqual(done.returncode, 5, (done.returncode, done.stderr))
            self.test.assertEqual(done.stdout, b"")
            self.test.assertFalse(out.exists())
            self.test.assertRegex(done.stderr.decode(), r"^dare: error: ")
        out.unlink(missing_ok=True)

    def inspect(self, case, message):
        done = subprocess.run([str(DARE), "inspect", "--json", message], capture_output=True, timeout=SECONDS)
        self.test.assertEqual(done.returncode, 0, done.stderr)
        facts = json.loads(done.stdout)
        self.test.assertEqual(facts["header"], case["header"])
        self.test.assertEqual(facts["plaintext_bytes"], (self.folder / case["plaintext"]).stat().st_size)


class Vectors(unittest.TestCase):
    def play(self, name, least):
        folder = VECTORS / name
        with tempfile.TemporaryDirectory(prefix="dare-vectors-") as scratch:
            cases = Cases(self, folder, scratch)
            self.assertGreaterEqual(len(cases.cases), least)
            for number, case in enumerate(cases.cases):
                with self.subTest(id=case["id"]):
                    cases.run(case, number)

    def test_messages_of_aws(self):
        self.play("esdk-upstream", 242)

    def test_messages_made_for_this_project(self):
        self.play("esdk-generated", 108)


if __name__ == "__main__":
    if not VECTORS.is_dir():
        print("SKIPPED: no published cases at", VECTORS)
        sys.exit(0)
    unittest.main()

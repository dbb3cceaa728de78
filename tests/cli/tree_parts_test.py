#!/usr/bin/python3
"""Out of a sealed folder: its names, one entry, a part of a file; and all of it without a key server."""
import base64
import json
import os
import shutil
import stat
import subprocess
import unittest

import tree_test
from command_line import DAMAGED, DENIED, DONE, FAILED, USAGE
from tree_test import snapshot

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo", stat.S_IFBLK: "device"}


class Parts(tree_test.TreeTest):
    def setUp(self):
        super().setUp()
        self.top = self.plain()
        self.sealed_under = self.key()
        self.dare("seal", "src", "-k", self.sealed_under, "--encrypt-names")

    def alone(self, path):
        """What snapshot() tells of a path by itself."""
        facts = snapshot(path)["."]
        facts.pop("same as", None)
        return facts

    def test_one_entry_comes_back_as_it_was(self):
        for path in ("sub/big", "report", "sub/other-name", "sub.txt", "holes", "only-hole", "sub/dangling", "absolute",
                     "fifo", os.fsdecode(b"sub/not \xff utf-8\n")):
            name = path.rsplit("/", 1)[-1]
            self.dare("open", "src.dare", "--only", path)
            self.assertEqual(self.alone(self.folder / name), self.alone(self.top / path), path)
            (self.folder / name).unlink()
        self.dare("open", "src.dare", "--only", "./sub//big/", "-o", "other")
        self.assertEqual(self.alone(self.folder / "other"), self.alone(self.top / "sub" / "big"))
        self.assertEqual(self.names(), ["other", "src", "src.dare"])

    def test_a_folder_comes_back_with_what_is_in_it(self):
        # "sub.txt" only begins like it, and the other name of a file in it is outside.
        opened, _ = self.counts("open", "src.dare", "--only", "sub", "-o", "back")
        before = snapshot(self.top / "sub")
        self.assertEqual(snapshot(self.folder / "back"), before)
        self.assertEqual(opened["entries"], len(before))
        self.assertEqual(opened["bytes"], sum(len(f.get("content", b"")) for f in before.values()))
        (self.folder / "back" / "deep").chmod(0o755)
        self.dare("open", "src.dare", "--only", "sub/deep/empty")
        self.assertEqual(snapshot(self.folder / "empty"), snapshot(self.top / "sub" / "deep" / "empty"))
        again, _ = self.counts("open", "src.dare", "--only", "sub", "-o", "back", "--resume")
        self.assertEqual(again["there"], again["files"])
        self.dare("open", "src.dare", "--only", "sub", "-o", "back", expect=FAILED)

    def test_what_is_there_stays_without_force(self):
        (self.folder / "report").write_text("mine")
        done = self.dare("open", "src.dare", "--only", "report", expect=FAILED)
        self.assertIn("report exists; --force", done.stderr)
        self.assertEqual((self.folder / "report").read_text(), "mine")
        self.dare("open", "src.dare", "--only", "report", "-f")
        self.assertEqual(self.alone(self.folder / "report"), self.alone(self.top / "report"))
        (self.folder / "big").mkdir()
        self.dare("open", "src.dare", "--only", "sub/big", "-f", expect=USAGE)
        # A link of somebody else in its place is replaced, not followed.
        (self.folder / "victim").write_text("mine")
        (self.folder / "out").symlink_to("victim")
        self.dare("open", "src.dare", "--only", "report", "-o", "out", "-f")
        self.assertFalse((self.folder / "out").is_symlink())
        self.assertEqual((self.folder / "victim").read_text(), "mine")

    def test_content_to_a_pipe_and_parts_of_it(self):
        for path in ("sub/big", "sub/nothing", "holes", "only-hole", "report"):
            content = (self.top / path).read_bytes()
            self.assertEqual(self.dare("open", "src.dare", "--only", path, "-o", "-").stdout, content, path)
            size = len(content)
            for begin, length in ((0, 5), (0, size), (size // 2, 1000), (size, 1), (20 << 20, 8), ((20 << 20) - 3, 4007),
                                  (1 << 19, 1 << 19), (10, None)):
                if begin > size:
                    continue
                part = f"{begin}:{'' if length is None else length}"
                wanted = content[begin:] if length is None else content[begin:begin + length]
                done = self.dare("open", "src.dare", "--only", path, "-o", "-", "--range", part)
                self.assertEqual(done.stdout, wanted, (path, part))
        self.dare("open", "src.dare", "--only", "sub/big", "-o", "part", "--range", "1000:10")
        self.assertEqual((self.folder / "part").read_bytes(), (self.top / "sub" / "big").read_bytes()[1000:1010])
        self.dare("open", "src.dare", "--only", "sub/big", "-o", "part", "--range", "1000:10", expect=FAILED)
        self.dare("open", "src.dare", "--only", "sub/big", "-o", "/dev/null")

    def test_what_makes_no_sense(self):
        self.write("f", 10)
        self.dare("seal", "f", "-k", self.sealed_under)
        before = self.names()
        for path in ("nowhere", "sub/big/x", "su", "src/report"):
            self.assertIn(f"there is no {path}", self.dare("open", "src.dare", "--only", path, expect=FAILED).stderr)
            self.dare("list", "src.dare", "--only", path, expect=FAILED)
        for words in (("--only", "/report"), ("--only", "sub/../report"), ("--range", "0:1"), ("-o", "-"),
                      ("--only", "sub", "-o", "-"), ("--only", "absolute", "-o", "-"), ("--only", "fifo", "-o", "/dev/null"),
                      ("--only", "sub", "-o", "part", "--range", "0:1"), ("--only", "report", "-o", ".."),
                      ("--only", "report", "-o", "part", "--range", "300002:1"), ("--only", "report", "--message")):
            done = self.dare("open", "src.dare", *words, expect=USAGE)
            self.assertEqual((done.stdout, self.names()), (b"", before), words)
        self.dare("open", "f.dare", "--only", "f", expect=USAGE)

    def test_damage_counts_where_it_is(self):
        shutil.rmtree(self.folder / "src.dare")
        self.dare("seal", "src", "-k", self.sealed_under)
        big = next((self.folder / "src.dare" / "files" / "sub").glob("big.*.esdk"))
        content = bytearray(big.read_bytes())
        content[5_000_000] ^= 1
        big.write_bytes(content)
        self.dare("open", "src.dare", "--only", "sub.txt")
        done = self.machine("open", "src.dare", "--only", "sub/big", cwd=self.folder)
        self.assertEqual(done.returncode, DAMAGED)
        self.assertIn("sub/big: ", done.stderr)
        self.assertNotIn("big", self.names())
        done = self.dare("open", "src.dare", "--only", "sub/big", "-o", "-", expect=DAMAGED)
        self.assertTrue((self.top / "sub" / "big").read_bytes().startswith(done.stdout), "what came out is authentic")
        self.dare("open", "src.dare", "--only", "sub/big", "-o", "-", "--range", "9000000:10")
        self.dare("open", "src.dare", "--only", "sub/big", "-o", "x", "--range", "5000000:10", expect=DAMAGED)
        self.assertNotIn("x", self.names())
        # Of the manifest nothing may differ, whatever is wanted.
        manifest = self.folder / "src.dare" / "manifest"
        content = bytearray(manifest.read_bytes())
        content[-5] ^= 1
        manifest.write_bytes(content)
        for words in (("open", "--only", "fifo"), ("open", "--only", "report", "-o", "-"), ("list",)):
            self.assertEqual(self.dare(words[0], "src.dare", *words[1:], expect=DAMAGED).stdout, b"")
        self.assertNotIn("fifo", self.names())

    def test_list_tells_what_is_in_it(self):
        before = snapshot(self.top)
        listed, entries = self.counts("list", "src.dare")
        self.assertEqual((listed["event"], listed["entries"], listed["generation"]), ("listed", len(before), 1))
        for entry in entries:
            path = entry.get("path") or os.fsdecode(base64.b64decode(entry.get("path_base64", "")))
            facts = before.pop(path or ".")
            self.assertEqual(entry["kind"], KINDS[stat.S_IFMT(facts["mode"])], path)
            self.assertEqual(int(entry["mode"], 8), stat.S_IMODE(facts["mode"]), path)
            self.assertEqual((entry["owner"], entry["group"]), facts["owner"], path)
            self.assertEqual(entry.get("size"), len(facts["content"]) if "content" in facts else None, path)
            self.assertEqual(entry.get("target"), facts.get("target"), path)
            self.assertEqual(entry["modified"], "2020-09-13T12:26:40Z", path)
        self.assertEqual(before, {})
        names = self.dare("list", "src.dare", "--only", "sub/deep").stdout
        self.assertEqual(names, b"sub/deep/\nsub/deep/empty/\n")
        self.assertIn(b"\nsub/not \xff utf-8?\n", self.dare("list", "src.dare").stdout)
        self.dare("list", "src.dare", "--at-least-generation", 2, expect=DAMAGED)


class WithoutKeyServer(tree_test.TreeTest):
    def offline(self, *words, keys="keys.json", expect=DONE, input=None):
        done = subprocess.run([str(self.kms.programs.dare), *words, "--offline", "--keys", keys], cwd=self.folder, input=input,
                              capture_output=True, timeout=60,
                              env={"PATH": os.environ["PATH"], "DARE_CONFIG": "/nowhere/client.toml"})
        self.assertEqual(done.returncode, expect, (words, done.stderr))
        return done

    def everything(self, **more):
        """Each verb that only reads, on src.dare."""
        self.assertIn(b"src.dare: generation 1", self.offline("verify", "src.dare", **more).stdout)
        self.offline("open", "src.dare", "-o", "back", **more)
        self.assertEqual(snapshot(self.folder / "back"), snapshot(self.folder / "src"))
        (self.folder / "back" / "sub" / "deep").chmod(0o755)
        shutil.rmtree(self.folder / "back")
        report = (self.folder / "src" / "report").read_bytes()
        self.assertEqual(self.offline("open", "src.dare", "--only", "report", "-o", "-", **more).stdout, report)
        self.assertEqual(self.offline("open", "src.dare", "--only", "report", "-o", "-", "--range", "7:9", **more).stdout,
                         report[7:16])
        self.assertIn(b"sub/deep/\n", self.offline("list", "src.dare", **more).stdout)

    def test_exported_keys_open_all_of_it(self):
        self.plain()
        self.extractable()
        self.dare("seal", "src", "-k", "tree-kek", "--encrypt-names")
        self.dare("key", "export", "tree-kek", "--to", "keys.json")
        self.everything()
        self.everything(keys="-", input=(self.folder / "keys.json").read_bytes())
        key = self.key()
        self.dare("seal", "src", "-o", "other.dare", "-k", key)
        for verb in (("verify",), ("open", "-o", "back"), ("list",), ("open", "--only", "report")):
            self.offline(verb[0], "other.dare", *verb[1:], expect=DAMAGED)
        self.assertEqual(self.names(), ["keys.json", "other.dare", "src", "src.dare"])

    def test_a_recovery_key_opens_all_of_it(self):
        self.plain()
        private = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
                                 capture_output=True, check=True).stdout
        (self.folder / "recovery.pem").write_bytes(subprocess.run(["openssl", "pkey", "-pubout"], input=private,
                                                                  capture_output=True, check=True).stdout)
        key = self.key()
        self.dare("seal", "src", "-k", key, "--recipient-key", "recovery.pem")
        facts = json.loads(self.dare("inspect", "src.dare", "--json").stdout)
        name = next(k["key"] for k in facts["slots"][0]["keys"] if k["namespace"] == "offline-recovery")
        (self.folder / "keys.json").write_text(json.dumps({"safe": {
            "type": "raw-rsa", "namespace": "offline-recovery", "name": name, "padding": "oaep", "hash": "sha256",
            "private_pem": private.decode()}}))
        (self.folder / "keys.json").chmod(0o600)
        self.dare("key", "revoke", key)
        self.dare("verify", "src.dare", expect=DENIED)
        self.everything()

    def test_the_keys_file_is_needed(self):
        self.plain()
        self.dare("seal", "src", "-k", self.key())
        for words in (("verify", "src.dare"), ("list", "src.dare"), ("open", "src.dare", "-o", "back")):
            self.dare(*words, "--offline", expect=USAGE)
            self.dare(*words, "--keys", "keys.json", expect=USAGE)
            self.dare(*words, "--offline", "--keys", "none.json", expect=FAILED)


if __name__ == "__main__":
    unittest.main()

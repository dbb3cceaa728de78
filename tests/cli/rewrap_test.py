#!/usr/bin/python3
"""dare rewrap of many files: what it counts, how it is told which, and that only key blocks change."""
import fcntl
import hashlib
import json
import os
import shutil
import unittest

from command_line import DAMAGED, DENIED, DONE, FAILED, USAGE, CommandLineTest, Machine

KEY_BLOCKS = 8192  # bytes in front of the data message: docs/formats/sealed-file.md


class Rewrap(CommandLineTest):
    def counts(self, *words, expect=DONE, **more):
        """The counts that `dare rewrap --json` ends with."""
        lines = self.dare("rewrap", *words, "--json", expect=expect, **more).stdout.splitlines()
        self.events = [json.loads(line) for line in lines]
        self.assertEqual(self.events[-1]["event"], "counts")
        return self.events[-1]

    def key_id(self, key):
        return json.loads(self.dare("key", "show", key, "--json").stdout)["id"]

    def seal(self, *names, key, size=1000):
        for name in names:
            self.write("plain", size, seed=name.encode())
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            self.dare("seal", "plain", "-o", name, "--key", key)
        (self.folder / "plain").unlink()

    def many(self, folder, count, key):
        """`count` copies of one sealed file."""
        self.seal(f"{folder}/f0.dare", key=key)
        for number in range(1, count):
            shutil.copy(self.folder / folder / "f0.dare", self.folder / folder / f"f{number}.dare")

    def files(self):
        return {str(p.relative_to(self.folder)): p for p in self.folder.rglob("*") if p.is_file() and not p.is_symlink()}

    def state(self):
        """Of each file: what must never change, what a rewrap changes, and when it was changed."""
        state = {}
        for name, path in self.files().items():
            content = path.read_bytes()
            state[name] = (hashlib.sha256(content[KEY_BLOCKS:]).hexdigest(), content[:KEY_BLOCKS],
                           path.stat().st_mtime_ns)
        return state

    def changed(self, before):
        after = self.state()
        self.assertEqual({n: s[0] for n, s in before.items()}, {n: s[0] for n, s in after.items()},
                         "not a byte behind the key blocks changes")
        return sorted(name for name, state in after.items() if state != before[name])

    def content(self, name):
        return self.dare("open", name, "-o", "-").stdout

    def test_many_files_take_few_messages_and_the_second_run_finds_them_done(self):
        key = self.key()
        self.many("d", 150, key)
        content = self.content("d/f149.dare")
        before = self.state()
        rotation = json.loads(self.dare("key", "rotate", key, "--json").stdout)
        counts = self.counts("-r", "d", "--key", key)
        self.assertEqual((counts["rewrapped"], counts["failed"], counts["already"]), (150, 0, 0))
        self.assertEqual(counts["bytes_written"], 150 * 4 * 4096)
        self.assertEqual(len(self.changed(before)), 150)
        self.assertEqual(sorted(e["path"] for e in self.events[:-1]), sorted(self.files()))
        # Each file was unwrapped, wrapped and tried, in messages of many: the key server's own word for it.
        used = [e for e in self.kms.audit_records() if e["operation"] in ("Encrypt", "Decrypt")
                and e["object"] in (rotation["old"], rotation["new"])]
        messages = {e["request"] for e in used}
        self.assertGreaterEqual(len(used), 3 * 150)
        self.assertLessEqual(counts["kms_messages"], 15)
        self.assertLessEqual(len(messages), 20, "the sealing and opening above included")
        again = self.counts("-r", "d", "--key", key)
        self.assertEqual((again["rewrapped"], again["already"], again["bytes_written"]), (0, 150, 0))
        self.dare("key", "revoke", rotation["old"])
        self.assertEqual(self.content("d/f149.dare"), content)

    def test_a_dry_run_counts_and_changes_nothing(self):
        key, other = self.key(), self.key("dry-other")
        self.many("d", 5, key)
        (self.folder / "d" / "text").write_text("x" * 20000)
        before = self.state()
        counts = self.counts("-r", "d", "--key", other, "--dry-run")
        self.assertEqual((counts["rewrapped"], counts["not_sealed"], counts["dry_run"]), (5, 1, True))
        self.assertEqual(self.changed(before), [])
        self.assertEqual({e["event"] for e in self.events[:-1]}, {"to-rewrap"})
        self.assertIn(b"5 to be rewrapped", self.dare("rewrap", "-n", "-r", "d", "--key", other).stdout)
        for name in self.files():
            (self.folder / name).chmod(0o400)
        self.counts("-r", "d", "--key", other, "--dry-run")

    def test_a_folder_holds_all_kinds_of_things(self):
        key, other = self.key(), self.key("kinds-other")
        self.seal("d/a.dare", "d/deep/er/b.dare", "outside.dare", key=key)
        self.write("d/text", 30000)
        self.write("d/key-block", 8192)  # a name alone makes no sealed folder
        (self.folder / "d" / "link.dare").symlink_to(self.folder / "outside.dare")
        (self.folder / "d" / "loop").symlink_to(self.folder / "d")
        os.mkfifo(self.folder / "d" / "pipe")
        self.dare("seal", "d/text", "--message", "-o", "d/message.esdk", "--key", key)
        (self.folder / "src").mkdir()
        (self.folder / "src" / "file").write_text("in the tree")
        self.dare("seal", "src", "-o", "d/tree.dare", "--key", key)
        before = self.state()
        counts = self.counts("-r", "d", "--key", other)
        self.assertEqual((counts["rewrapped"], counts["not_sealed"], counts["messages"], counts["failed"]), (3, 2, 1, 0))
        self.assertEqual(self.changed(before), ["d/a.dare", "d/deep/er/b.dare", "d/tree.dare/key-block"])
        self.dare("verify", "d/tree.dare")
        self.dare("open", "outside.dare", "-o", "back")
        # Named, a folder and a message are refused and say why.
        done = self.dare("rewrap", "d", "--key", other, expect=USAGE)
        self.assertIn("-r goes into it", done.stderr)
        self.assertIn("seal it anew", self.dare("rewrap", "d/message.esdk", "--key", other, expect=FAILED).stderr)
        self.assertEqual(self.counts("d/tree.dare/", "--key", other)["already"], 1)

    def test_files_come_from_a_list(self):
        key, other = self.key(), self.key("list-other")
        strange = "new\nline.dare"
        self.seal("a.dare", "b.dare", "c.dare", strange, "named.dare", key=key)
        (self.folder / "list").write_text("a.dare\n\nb.dare")
        counts = self.counts("--files-from", "list", "named.dare", "--key", other)
        self.assertEqual((counts["rewrapped"], counts["failed"]), (3, 0))
        names = f"a.dare\0c.dare\0{strange}\0".encode()
        counts = self.counts("--files-from", "-", "-0", "--key", other, input=names)
        self.assertEqual((counts["rewrapped"], counts["already"]), (2, 1))
        (self.folder / "list").write_text("a.dare\nabsent.dare\n")
        counts = self.counts("--files-from", "list", "--key", key, expect=FAILED)
        self.assertEqual((counts["rewrapped"], counts["failed"]), (1, 1))
        self.assertEqual(self.counts("--files-from", "-", "--key", other, input=b"")["rewrapped"], 0)
        self.dare("rewrap", "--files-from", "nowhere", "--key", other, expect=FAILED)
        self.dare("rewrap", "--key", other, expect=USAGE)

    def test_one_file_by_several_names_is_done_once(self):
        key, other = self.key(), self.key("links-other")
        self.seal("d/a.dare", key=key)
        os.link(self.folder / "d/a.dare", self.folder / "d/b.dare")
        (self.folder / "s.dare").symlink_to("d/a.dare")
        counts = self.counts("-r", "d", "d/a.dare", "s.dare", "--key", other)
        self.assertEqual((counts["rewrapped"], counts["repeated"], counts["failed"]), (1, 3, 0))

    def test_only_what_a_key_opens(self):
        first, second, new = self.key("from-1"), self.key("from-2"), self.key("from-3")
        self.seal("d/a.dare", key=first)
        self.seal("d/b.dare", key=second)
        before = self.state()
        counts = self.counts("-r", "d", "--from", self.key_id(second), "--key", new)
        self.assertEqual((counts["rewrapped"], counts["other_keys"]), (1, 1))
        self.assertEqual(self.changed(before), ["d/b.dare"])
        counts = self.counts("-r", "d", "--from", second, "--from", first, "--key", new)
        self.assertEqual((counts["rewrapped"], counts["other_keys"]), (1, 1))

    def test_a_refused_new_key_ends_it_and_changes_nothing(self):
        key, refused = self.key(), self.key("refused-new")
        self.many("d", 30, key)
        number = self.key_id(refused)
        self.dare("key", "revoke", refused)
        before = self.state()
        done = self.dare("rewrap", "-r", "d", "--key", number, "--json", expect=DENIED)
        self.assertEqual(len([l for l in done.stderr.splitlines() if "error" in l]), 1, done.stderr)
        counts = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((counts["rewrapped"], counts["failed"], counts["stopped"]), (0, 0, True))
        self.assertEqual(self.changed(before), [])

    def test_what_fails_is_told_and_the_rest_is_done(self):
        key, other, third = self.key(), self.key("mixed-other"), self.key("mixed-third")
        self.many("d", 4, key)
        damaged = bytearray((self.folder / "d/f1.dare").read_bytes())
        for slot in (0, 4096):
            damaged[slot + 3000] ^= 1
        (self.folder / "d/f1.dare").write_bytes(damaged)
        counts = self.counts("-r", "d", "--key", other, expect=DAMAGED)
        self.assertEqual((counts["rewrapped"], counts["failed"]), (3, 1))
        with open(self.folder / "d/f2.dare", "rb") as held:
            fcntl.flock(held, fcntl.LOCK_SH)
            done = self.dare("rewrap", "-r", "d", "--key", third, expect=FAILED)
        self.assertIn("f1.dare: not a sealed file or damaged", done.stderr)
        self.assertIn("f2.dare is being rewrapped by another process", done.stderr)
        self.assertIn("2 failed, for different reasons", done.stderr)
        self.assertIn(b"2 rewrapped, 0 under these keys already, 2 failed\n", done.stdout)
        self.assertEqual(self.counts("-r", "d", "--key", third, expect=DAMAGED)["already"], 2)

    def test_another_machine_is_refused_each_file_and_none_changes(self):
        key, folder = self.key(), self.folder
        self.many("d", 3, key)
        stranger = Machine(self.kms, "stranger")
        self.assertEqual(stranger("key", "create", "mine").returncode, DONE)
        before = self.state()
        done = stranger("rewrap", "-r", "d", "--key", "mine", cwd=folder)
        self.assertEqual(done.returncode, DENIED, done.stderr)
        self.assertEqual(sorted(line.split(": ")[2] for line in done.stderr.splitlines() if "error" in line),
                         [f"d/f{number}.dare" for number in range(3)])
        self.assertIn(b"0 rewrapped, 0 under these keys already, 3 failed", done.stdout)
        self.assertEqual(self.changed(before), [])


if __name__ == "__main__":
    unittest.main()

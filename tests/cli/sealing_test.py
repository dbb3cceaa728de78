#!/usr/bin/python3
"""dare seal, open, rewrap and inspect as a person or a script uses them."""
import json
import os
import random
import stat
import unittest

from command_line import DAMAGED, DENIED, FAILED, USAGE, CommandLineTest, Machine, fixture

KEY_BLOCKS = 8192  # bytes in front of the data message: docs/formats/sealed-file.md


class Sealing(CommandLineTest):
    def test_a_file_is_sealed_and_opened_with_mode_and_times(self):
        key, plain = self.key(), self.write("report", 1_000_003)
        plain.chmod(0o640)
        os.utime(plain, ns=(1_000_000_000_123_456_789, 1_000_000_000_123_456_789))
        self.dare("seal", "report", "--key", key)
        self.assertEqual(self.names(), ["report", "report.dare"], "the original stays")
        plain.rename(self.folder / "original")
        self.dare("open", "report.dare")
        opened = self.folder / "report"
        self.assertEqual(opened.read_bytes(), (self.folder / "original").read_bytes())
        for path in (opened, self.folder / "report.dare"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
            self.assertEqual(path.stat().st_mtime_ns, 1_000_000_000_123_456_789)

    def test_sizes_around_a_frame_and_nothing_at_all(self):
        key = self.key()
        frame = 256 << 10
        for size in (0, 1, frame - 1, frame, frame + 1, 3 * frame):
            with self.subTest(size=size):
                plain = self.write(f"f{size}", size)
                self.dare("seal", plain.name, "--key", key)
                self.dare("open", f"{plain.name}.dare", "-o", "back")
                self.assertEqual((self.folder / "back").read_bytes(), plain.read_bytes())
                (self.folder / "back").unlink()

    def test_pipes_work_both_ways(self):
        key, plain = self.key(), self.write("f", 2_000_000).read_bytes()
        sealed = self.dare("seal", "-", "--key", key, input=plain).stdout
        self.assertNotIn(plain[:64], sealed)
        self.assertEqual(self.dare("open", "-", input=sealed).stdout, plain)
        (self.folder / "p.dare").write_bytes(sealed)
        self.assertEqual(self.dare("open", "p.dare", "-o", "-").stdout, plain)
        self.dare("seal", "f", "-o", "-", "--key", key)

    def test_seals_under_several_keys_and_any_of_them_opens(self):
        first, second = self.key("several-1"), self.key("several-2")
        plain = self.write("f")
        self.dare("seal", "f", "-k", first, "-k", second)
        for key in (first, second):
            self.dare("key", "revoke", key)
            if key == first:
                self.dare("open", "f.dare", "-o", "back")
                self.assertEqual((self.folder / "back").read_bytes(), plain.read_bytes())
        self.dare("open", "f.dare", "-o", "again", expect=DENIED)
        self.assertFalse((self.folder / "again").exists())

    def test_the_default_key_comes_from_the_configuration(self):
        machine = Machine(self.kms, "with-default", enrol=False)
        self.assertEqual(machine.enrol("--default-key", "usual").returncode, 0)
        self.write("f")
        refused = self.machine("seal", "f", cwd=self.folder)
        self.assertEqual(refused.returncode, USAGE)
        self.assertIn("--key", refused.stderr)
        self.assertEqual(machine("key", "create", "usual").returncode, 0)
        self.assertEqual(machine("seal", "f", cwd=self.folder).returncode, 0)

    def test_never_overwrites_unasked(self):
        key = self.key()
        self.write("f")
        (self.folder / "f.dare").write_text("precious")
        done = self.dare("seal", "f", "--key", key, expect=FAILED)
        self.assertIn("--force", done.stderr)
        self.assertEqual((self.folder / "f.dare").read_text(), "precious")
        self.dare("seal", "f", "--key", key, "--force")
        done = self.dare("open", "f.dare", expect=FAILED)
        self.assertIn("f exists", done.stderr)
        self.dare("open", "f.dare", "--force")

    def test_context_is_shown_and_bound(self):
        key = self.key()
        self.write("f")
        self.dare("seal", "f", "--key", key, "--context", "tenant=acme", "-c", "purpose=backup")
        facts = json.loads(self.dare("inspect", "f.dare", "--json").stdout)
        self.assertEqual(facts["context"], {"tenant": "acme", "purpose": "backup"})
        sealed = bytearray((self.folder / "f.dare").read_bytes())
        at = sealed.index(b"acme", KEY_BLOCKS)
        sealed[at:at + 4] = b"evil"
        (self.folder / "f.dare").write_bytes(sealed)
        self.dare("open", "f.dare", "-o", "back", expect=DAMAGED)
        for bad in ("tenant", "=x", "Tenant=x", "aws-crypto-x=y"):
            self.dare("seal", "f", "-o", "g", "--key", key, "--context", bad, expect=USAGE)

    def test_rotation_and_rewrap_leave_the_data_alone(self):
        key, plain = self.key(), self.write("f", 700_000)
        self.dare("seal", "f", "--key", key)
        old_id = json.loads(self.dare("key", "show", key, "--json").stdout)["id"]
        before = (self.folder / "f.dare").read_bytes()
        rotation = json.loads(self.dare("key", "rotate", key, "--json").stdout)
        self.assertEqual(rotation["old"], old_id)
        self.dare("open", "f.dare", "-o", "before-rewrap")
        self.dare("rewrap", "f.dare", "--key", key)
        after = (self.folder / "f.dare").read_bytes()
        self.assertEqual(before[KEY_BLOCKS:], after[KEY_BLOCKS:])
        self.assertNotEqual(before[:KEY_BLOCKS], after[:KEY_BLOCKS])
        facts = json.loads(self.dare("inspect", "f.dare", "--json").stdout)
        self.assertEqual([k["key"] for slot in facts["slots"] for k in slot["keys"]], [rotation["new"]] * 2)
        self.dare("key", "revoke", old_id)
        self.dare("key", "destroy", old_id)
        self.dare("open", "f.dare", "-o", "back")
        self.assertEqual((self.folder / "back").read_bytes(), plain.read_bytes())

    def test_rewrap_does_what_it_can_and_tells_the_rest(self):
        key = self.key()
        self.write("f")
        self.dare("seal", "f", "--key", key)
        (self.folder / "bad.dare").write_bytes(b"x" * 20000)
        self.dare("key", "rotate", key)
        done = self.machine("rewrap", "bad.dare", "f.dare", "--key", key, cwd=self.folder)
        self.assertEqual(done.returncode, DAMAGED)
        self.assertIn("bad.dare", done.stderr)
        self.assertIn(b"f.dare: key block", done.stdout)

    def test_a_revoked_key_neither_seals_nor_opens(self):
        key = self.key()
        self.write("f")
        self.dare("seal", "f", "--key", key)
        self.dare("key", "revoke", key)
        self.dare("seal", "f", "-o", "g", "--key", key, expect=DENIED)
        self.dare("open", "f.dare", "-o", "back", expect=DENIED)
        self.dare("key", "destroy", key)
        self.dare("open", "f.dare", "-o", "back", expect=DENIED)
        self.assertEqual(self.names(), ["f", "f.dare"])

    def test_another_machine_may_not_open(self):
        key = self.key()
        self.write("f")
        self.dare("seal", "f", "--key", key)
        bob = Machine(self.kms, "bob")
        done = bob("open", "f.dare", "-o", "back", cwd=self.folder)
        self.assertEqual(done.returncode, DENIED, done.stderr)
        self.assertFalse((self.folder / "back").exists())
        self.assertEqual(bob("key", "show", key).returncode, FAILED, "names of others are not found")


class Damage(CommandLineTest):
    def setUp(self):
        super().setUp()
        if not hasattr(type(self), "sealed"):
            key = self.key("damage")
            self.write("f", 600_000)
            self.dare("seal", "f", "--key", key)
            self.dare("seal", "f", "-o", "other.dare", "--key", key)
            type(self).sealed = (self.folder / "f.dare").read_bytes()
            type(self).other = (self.folder / "other.dare").read_bytes()
            type(self).frame = 256 * 1024 + 32
            type(self).body = len(self.sealed) - (2 * self.frame + 40 + 600_000 - 2 * 256 * 1024)

    def refused(self, sealed, what):
        """No exit code but 5, one message, no output; from a file and from a pipe."""
        (self.folder / "d.dare").write_bytes(sealed)
        before = self.names()
        done = self.dare("open", "d.dare", "-o", "out", expect=DAMAGED)
        self.assertEqual(len([line for line in done.stderr.splitlines() if ": error: " in line]), 1, what)
        self.assertIn("d.dare", done.stderr)
        self.assertEqual(self.names(), before, f"{what}: something was left behind")
        done = self.dare("open", "-", "-o", "out", input=sealed, expect=DAMAGED)
        self.assertEqual(self.names(), before, f"{what}: something was left behind")

    def test_cut_anywhere(self):
        for size in (0, 1, 4095, 4096, 8192, 8193, self.body, self.body + 1, self.body + self.frame,
                     len(self.sealed) - 40, len(self.sealed) - 1):
            with self.subTest(size=size):
                self.refused(self.sealed[:size], f"cut to {size}")

    def test_extended(self):
        for more in (b"\0", b"x" * self.frame, self.sealed[self.body:]):
            self.refused(self.sealed + more, f"{len(more)} bytes more")

    def test_frames_reordered_repeated_or_missing(self):
        head, one = self.sealed[:self.body], self.sealed[self.body:self.body + self.frame]
        two = self.sealed[self.body + self.frame:self.body + 2 * self.frame]
        last = self.sealed[self.body + 2 * self.frame:]
        self.assertEqual(head + one + two + last, self.sealed)
        for frames, what in (((two, one, last), "swapped"), ((one, one, last), "repeated"), ((one, last), "missing"),
                             ((one, two, one, last), "inserted"), ((last,), "only the last")):
            self.refused(head + b"".join(frames), what)

    def test_pieces_of_another_file(self):
        self.refused(self.other[:KEY_BLOCKS] + self.sealed[KEY_BLOCKS:], "key blocks of another file")
        self.refused(self.sealed[:self.body] + self.other[self.body:], "frames of another file")
        self.refused(self.sealed[KEY_BLOCKS:], "no key blocks")

    def test_not_a_sealed_file(self):
        for content in (b"hello\n", b"\x7fELF" + b"\0" * 20000, b"\0" * 100_000, b"Ag" * 20000):
            self.refused(content, "something else")
            done = self.dare("inspect", "d.dare", expect=DAMAGED)
            self.assertIn("d.dare: not a sealed file or damaged", done.stderr)

    def test_one_bit_anywhere(self):
        chance = random.Random(fixture.seed())
        places = [chance.randrange(len(self.sealed) * 8) for _ in range(40)]
        places += [8 * chance.randrange(self.body) + chance.randrange(8) for _ in range(60)]
        # the name of the KEK in both slots: to the server it is a key it has never seen
        at = self.sealed.index(b"\0\4kmip") + 8
        places += [8 * (slot + at + i) + i % 8 for slot in (0, 4096) for i in range(36)]
        for bit in places:
            with self.subTest(bit=bit):
                changed = bytearray(self.sealed)
                changed[bit // 8] ^= 1 << bit % 8
                (self.folder / "d.dare").write_bytes(changed)
                self.dare("open", "d.dare", "-o", "out", expect=DAMAGED)
                self.assertNotIn("out", self.names())


if __name__ == "__main__":
    unittest.main()

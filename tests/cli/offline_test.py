#!/usr/bin/python3
"""dare without key server and configuration: recovery keys, bare messages, parts of files, exported keys."""
import hashlib
import json
import os
import pathlib
import random
import stat
import subprocess
import tempfile
import unittest

DARE = pathlib.Path(os.environ["DARE_BIN"]) / "dare"
DONE, FAILED, USAGE, DENIED, UNREACHABLE, DAMAGED = range(6)
FRAME = 256 << 10


def openssl(*words, input=None):
    return subprocess.run(["openssl", *words], input=input, capture_output=True, check=True).stdout


class OfflineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.private = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072").decode()
        cls.public = openssl("pkey", "-pubout", input=cls.private.encode())
        cls.name = hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", input=cls.public)).hexdigest()

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="dare-offline-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        (self.folder / "recovery.pem").write_bytes(self.public)
        self.keys({"safe": self.entry()})

    def entry(self, **changes):
        return dict({"type": "raw-rsa", "namespace": "offline-recovery", "name": self.name, "padding": "oaep",
                     "hash": "sha256", "private_pem": self.private}, **changes)

    def keys(self, content, name="keys.json", mode=0o600):
        path = self.folder / name
        path.write_text(json.dumps(content))
        path.chmod(mode)
        return name

    def dare(self, *words, expect=DONE, **more):
        more.setdefault("stdin", None if "input" in more else subprocess.DEVNULL)
        done = subprocess.run([str(DARE), *map(str, words)], capture_output=True, cwd=self.folder, timeout=60,
                              env={"PATH": os.environ["PATH"], "DARE_CONFIG": "/nowhere/client.toml"}, **more)
        done.stderr = done.stderr.decode()
        self.assertEqual(done.returncode, expect, (words, done.stderr))
        if expect != DONE:
            self.assertRegex(done.stderr, r"^dare: error: ")
        return done

    def seal(self, content, *words, name="f"):
        (self.folder / name).write_bytes(content)
        self.dare("seal", "--offline", "--recipient-key", "recovery.pem", name, "-f", *words)
        return name + ".dare"

    def open(self, sealed, *words, expect=DONE, **more):
        return self.dare("open", "--offline", "--keys", "keys.json", sealed, *words, expect=expect, **more)

    def names(self):
        return sorted(p.name for p in self.folder.iterdir())


class Recovery(OfflineTest):
    def test_a_recovery_key_opens_without_anybody(self):
        content = os.urandom(700_000)
        for words in ((), ("--suite", "0578"), ("--message",), ("--message", "--suite", "0x0578")):
            with self.subTest(words=words):
                sealed = self.seal(content, *words)
                flags = ("--message",) if "--message" in words else ()
                self.open(sealed, "-o", "back", "-f", *flags)
                self.assertEqual((self.folder / "back").read_bytes(), content)
                self.assertEqual(self.open(sealed, "-o", "-", *flags).stdout, content)
                sealed_bytes = (self.folder / sealed).read_bytes()
                self.assertEqual(self.open("-", *flags, input=sealed_bytes).stdout, content)

    def test_the_copy_is_named_by_the_fingerprint_that_openssl_tells(self):
        facts = json.loads(self.dare("inspect", "--json", self.seal(b"x")).stdout)
        self.assertEqual(facts["kind"], "sealed-file")
        for slot in facts["slots"]:
            self.assertEqual(slot["keys"], [{"namespace": "offline-recovery", "key": self.name}])

    def test_other_keys_do_not_open_it(self):
        sealed = self.seal(b"secret")
        wrong = {"name": "0" * 64}, {"namespace": "offline"}, {"hash": "sha1"}, {"padding": "pkcs1"}
        for change in wrong:
            self.keys({"safe": self.entry(**change)})
            done = self.open(sealed, "-o", "out", expect=DAMAGED)
            self.assertIn("f.dare: ", done.stderr)
            self.assertNotIn("out", self.names())

    def test_private_keys_and_other_files_are_no_recipients(self):
        (self.folder / "private.pem").write_text(self.private)
        (self.folder / "f").write_bytes(b"x")
        for file, words in (("private.pem", "private key"), ("f", "not a public RSA key")):
            done = self.dare("seal", "--offline", "--recipient-key", file, "f", expect=USAGE)
            self.assertIn(words, done.stderr)
        self.dare("seal", "--offline", "f", expect=USAGE)
        self.dare("seal", "--offline", "--recipient-key", "recovery.pem", "--key", "k", "f", expect=USAGE)
        self.dare("seal", "--offline", "--recipient-key", "recovery.pem", "--suite", "0178", "f", expect=USAGE)
        self.assertNotIn("f.dare", self.names())

    def test_keys_that_others_may_read_are_told(self):
        sealed = self.seal(b"x")
        self.keys({"safe": self.entry()}, mode=0o644)
        done = self.open(sealed, "-o", "back")
        self.assertRegex(done.stderr, r"^dare: hint: others may read the keys in keys.json")

    def test_bad_keys_files_are_a_usage_error(self):
        sealed = self.seal(b"x")
        for content in ([], {}, {"keys": {}}, {"a": {"type": "raw-x"}}, {"a": self.entry(private_pem="no")}):
            self.keys(content)
            done = self.open(sealed, "-o", "back", expect=USAGE)
            self.assertIn("keys.json: ", done.stderr)
            self.assertNotIn("BEGIN", done.stderr)
        self.dare("open", "--offline", sealed, "-o", "back", expect=USAGE)
        self.dare("open", "--keys", "keys.json", sealed, "-o", "back", expect=USAGE)
        self.dare("open", "--offline", "--keys", "none.json", sealed, "-o", "back", expect=FAILED)

    def test_keys_may_come_from_a_pipe(self):
        sealed = self.seal(b"x")
        keys = (self.folder / "keys.json").read_bytes()
        self.dare("open", "--offline", "--keys", "-", sealed, "-o", "back", input=keys)
        self.assertEqual((self.folder / "back").read_bytes(), b"x")

    def test_context_and_limits(self):
        sealed = self.seal(b"x", "--context", "tenant=acme")
        for pairs, expect in (({"tenant": "acme"}, DONE), ({"tenant": "evil"}, DAMAGED), ({"more": "x"}, DAMAGED),
                              ([], USAGE), ({"tenant": 1}, USAGE), ({"aws-crypto-x": "y"}, USAGE)):
            (self.folder / "context.json").write_text(json.dumps(pairs))
            self.open(sealed, "-o", "back", "-f", "--context", "context.json", expect=expect)
        second = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        (self.folder / "second.pem").write_bytes(openssl("pkey", "-pubout", input=second))
        for words in ((), ("--message",)):
            sealed = self.seal(b"x", "--recipient-key", "second.pem", *words)
            self.open(sealed, "-o", "back", "-f", "--max-edks", "2", *words)
            self.open(sealed, "-o", "back", "-f", "--max-edks", "1", *words, expect=DAMAGED)
        self.open(sealed, "-o", "back", "--max-edks", "0", expect=USAGE)
        self.open(sealed, "-o", "back", "--commitment", "perhaps", expect=USAGE)

    def test_damaged_messages_leave_nothing(self):
        for suite in ("0478", "0578"):
            sealed = self.seal(os.urandom(600_000), "--message", "--suite", suite)
            good = (self.folder / sealed).read_bytes()
            chance = random.Random(1)
            for _ in range(15):
                at = chance.randrange(len(good))
                bad = bytearray(good)
                bad[at] ^= 1 << chance.randrange(8)
                for content in (bytes(bad), good[:at], good + b"\0"):
                    (self.folder / "d.dare").write_bytes(content)
                    self.open("d.dare", "-o", "out", "--message", expect=DAMAGED)
                    self.assertNotIn("out", self.names())
                    done = self.open("d.dare", "-o", "-", "--message", expect=DAMAGED)
                    self.assertEqual(done.stdout, b"", "short content comes whole or not at all")
            self.assertNotIn("authentication failed", done.stderr)

    def test_a_message_is_no_sealed_file_and_the_reverse(self):
        message, sealed = self.seal(b"x", "--message"), self.seal(b"x", name="g")
        self.open(message, "-o", "out", expect=DAMAGED)
        (self.folder / "text").write_bytes(b"AgR4kUFUvu7J9L1SpVMmVk==" * 10)
        done = self.open("text", "-o", "out", "--message", expect=DAMAGED)
        self.assertIn("base64", done.stderr)
        self.assertNotIn("out", self.names())
        # What stands in front of a sealed file is a message, but with another one behind it.
        self.open(sealed, "-o", "out", "--message", expect=DAMAGED)
        facts = json.loads(self.dare("inspect", "--json", message).stdout)
        self.assertEqual((facts["kind"], facts["suite"], facts["signed"], facts["plaintext_bytes"]),
                         ("message", "0x0478", False, 1))
        self.assertIn(b"ESDK message", self.dare("inspect", message).stdout)

    def test_inspect_tells_the_size_of_signed_content(self):
        for words in ((), ("--message",)):
            facts = json.loads(self.dare("inspect", "--json", self.seal(os.urandom(300_000), "--suite", "0578",
                                                                        *words)).stdout)
            self.assertEqual((facts["plaintext_bytes"], facts["signed"], facts["suite"]), (300_000, True, "0x0578"))

    def test_modes_of_what_is_written(self):
        sealed = self.seal(b"x")
        (self.folder / sealed).chmod(0o640)
        self.open(sealed, "-o", "back")
        self.assertEqual(stat.S_IMODE((self.folder / "back").stat().st_mode), 0o640)


class Ranges(OfflineTest):
    SIZE = 3 * FRAME + 1000

    def test_parts_of_the_content(self):
        content = os.urandom(self.SIZE)
        ranges = [(0, 10), (0, self.SIZE), (5, None), (FRAME - 1, 2), (FRAME, FRAME), (2 * FRAME, 1),
                  (self.SIZE - 1, 1), (self.SIZE - 1, 100), (self.SIZE, 1), (self.SIZE, None), (7, 0)]
        for words in ((), ("--suite", "0578"), ("--message",), ("--message", "--suite", "0578")):
            sealed = self.seal(content, *words)
            flags = ("--message",) if "--message" in words else ()
            for offset, length in ranges:
                part = f"{offset}:{'' if length is None else length}"
                expected = content[offset:] if length is None else content[offset:offset + length]
                self.assertEqual(self.open(sealed, "-o", "-", "--range", part, *flags).stdout, expected, part)
                self.open(sealed, "-o", "part", "-f", "--range", part, *flags)
                self.assertEqual((self.folder / "part").read_bytes(), expected, part)

    def test_ranges_that_make_no_sense(self):
        sealed = self.seal(b"0123456789")
        for part in ("11:1", "11:", "x:1", "1", "-1:1", "1:-1", "1:2:3", ":5", "", "99999999999999999999:1", "0x1:1"):
            self.open(sealed, "-o", "part", "--range", part, expect=USAGE)
        done = self.open(sealed, "-o", "part", "--range", "11:1", expect=USAGE)
        self.assertIn("the content has 10 bytes", done.stderr)
        self.dare("open", "--offline", "--keys", "keys.json", "-", "--range", "0:1", expect=USAGE,
                  input=(self.folder / sealed).read_bytes())
        self.assertNotIn("part", self.names())

    def test_damage_counts_where_it_is_needed(self):
        sealed = self.folder / self.seal(os.urandom(self.SIZE))
        content = bytearray(sealed.read_bytes())
        body = len(content) - (3 * (FRAME + 32) + 40 + 1000)
        content[body + FRAME + 32 + 500] ^= 1  # in the second frame
        sealed.write_bytes(content)
        self.open(sealed, "-o", "part", "-f", "--range", f"0:{FRAME}")
        self.open(sealed, "-o", "part", "-f", "--range", f"{2 * FRAME}:")
        self.open(sealed, "-o", "part2", "--range", f"{FRAME - 1}:2", expect=DAMAGED)
        self.assertNotIn("part2", self.names())
        # Cut anywhere, the size is not authentic, and no range is served.
        for cut in (1, 1040, FRAME):
            sealed.write_bytes(content[:-cut])
            self.open(sealed, "-o", "part2", "--range", "0:1", expect=DAMAGED)


if __name__ == "__main__":
    unittest.main()

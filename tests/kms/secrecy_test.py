#!/usr/bin/python3
"""What a thief of the server's disk gets: nothing. Looks for known key bytes in every file, in many spellings."""
import base64
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms  # noqa: E402
from support.kmip_client import Identity, KmipFailure, attribute, item, mask, uid  # noqa: E402


def spellings(secret):
    """The forms in which a leaked secret may stand in a file: raw, reversed, hex, base64 at every alignment."""
    forms = {"raw": secret, "reversed": secret[::-1], "hex": secret.hex().encode(),
             "HEX": secret.hex().upper().encode(), "hex with colons": secret.hex(":").encode(),
             "reversed hex": secret[::-1].hex().encode(),
             "decimal list": ", ".join(str(b) for b in secret).encode()}
    for alphabet, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for shift in range(3):
            text = encode(bytes(shift) + secret)
            forms[f"{alphabet} at {shift}"] = text[4 if shift else 0:len(text) // 4 * 4 - 4]
    words = [secret[i:i + 4][::-1] for i in range(0, len(secret), 4)]
    forms["byte-swapped words"] = b"".join(words)
    # A half is enough to be a leak, and survives a page or line break in the middle.
    half = len(secret) // 2
    forms["first half"], forms["second half"] = secret[:half], secret[half:]
    forms["first half in hex"], forms["second half in hex"] = secret[:half].hex().encode(), secret[half:].hex().encode()
    return forms


def files_below(folder):
    return sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file() and not p.is_symlink())


class Secrecy(fixture.KmsTest):
    clients = ("alice",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secrets = {}
        with cls.kms.client(cls.identities["alice"]) as client:
            cls.fill(client)

    @classmethod
    def fill(cls, client):
        """Keys whose bytes we know, having gone every way a key goes."""
        registered = os.urandom(32)
        cls.registered = client.register(registered, "registered", usage=("Encrypt", "Decrypt", "WrapKey"))
        cls.secrets["registered key"] = registered
        cls.created = client.create("created")
        cls.secrets["created key"] = client.get(cls.created)
        for key in (cls.registered, cls.created):
            client.activate(key)
            data, nonce, tag = client.encrypt_gcm(key, b"plaintext that must not be logged 0123456789", b"aad")
            client.decrypt_gcm(key, data, nonce, tag, b"aad")
        cls.secrets["plaintext"] = b"plaintext that must not be logged 0123456789"
        password = b"secret data " + os.urandom(16)
        client.call("Register", [
            item("ObjectType", "SecretData"),
            item("TemplateAttribute", [attribute("Cryptographic Usage Mask", mask("Verify"))]),
            item("SecretData", [item("SecretDataType", "Password"), item("KeyBlock", [
                item("KeyFormatType", "Opaque"), item("KeyValue", [item("KeyMaterial", password)])])])])
        cls.secrets["secret data"] = password
        destroyed = client.create("destroyed")
        cls.secrets["destroyed key"] = client.get(destroyed)
        client.destroy(destroyed)
        replaced = client.call("ReKey", [uid(cls.created)]).value("UniqueIdentifier")
        cls.secrets["re-keyed key"] = client.get(replaced)
        client.call("ModifyAttribute", [uid(cls.registered), item("Attribute", [
            item("AttributeName", "Name"), item("AttributeIndex", 0),
            item("AttributeValue", [item("NameValue", "renamed"), item("NameType", "UninterpretedTextString")])])])

    def leaks(self):
        """[(file, secret, spelling)]"""
        found = []
        forms = {(name, how): form for name, secret in self.secrets.items() for how, form in spellings(secret).items()}
        for path in files_below(self.kms.home):
            data = path.read_bytes()
            found.extend((str(path.relative_to(self.kms.home)), *key) for key, form in forms.items() if form in data)
        return found

    def test_the_search_finds_what_is_there(self):
        planted = self.kms.home / "planted"
        try:
            for how, form in spellings(self.secrets["created key"]).items():
                planted.write_bytes(b"x" * 100 + form + b"y" * 100)
                with self.subTest(spelling=how):
                    self.assertIn(("planted", "created key", how), self.leaks())
        finally:
            planted.unlink()

    def test_key_bytes_appear_in_no_file_while_the_server_runs(self):
        names = {p.name for p in files_below(self.kms.folder)}
        self.assertIn(self.kms.database.name, names)
        self.assertTrue(any(n.endswith("-wal") for n in names), "the write-ahead log is searched too")
        self.assertEqual(self.leaks(), [])

    def test_key_bytes_appear_in_no_file_after_a_kill_nor_after_a_clean_stop(self):
        self.kms.kill()
        self.assertEqual(self.leaks(), [])
        self.kms.start()
        self.kms.stop()
        self.assertEqual(self.leaks(), [])

    def pin(self):
        return self.kms.path_of("hsm", "pin").read_text().strip()

    def test_nothing_secret_in_arguments_or_environment(self):
        process = pathlib.Path(f"/proc/{self.kms.process.pid}")
        seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        self.assertNotIn(self.pin().encode(), seen)

    def test_the_server_leaves_no_core_dump(self):
        limits = pathlib.Path(f"/proc/{self.kms.process.pid}/limits").read_text()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        dumpable = os.stat(f"/proc/{self.kms.process.pid}").st_uid  # 0 for a process that may not be dumped
        self.assertTrue(core.split()[4] == "0" or dumpable == 0, core)

    def test_private_files_are_private(self):
        for path in files_below(self.kms.folder):
            if path.suffix in (".key", ".pin") or "pin" in path.name:
                with self.subTest(path=path.name):
                    self.assertEqual(path.stat().st_mode & 0o077, 0)

    def pkcs11_tool(self, *words):
        config = self.kms.config()["hsm"]
        done = subprocess.run(
            ["pkcs11-tool", "--module", config["module"], "--token-label", config["token_label"], "--login",
             "--pin", "env:PIN", *words], capture_output=True, text=True, timeout=60,
            env=dict(self.kms.environment(), PIN=self.pin()))
        return done.stdout + done.stderr

    def objects(self):
        """The secret keys of the token as pkcs11-tool prints them: {label: text}"""
        table = {}
        for block in self.pkcs11_tool("--list-objects", "--type", "secrkey").split("Secret Key Object")[1:]:
            label = next(line.split(":", 1)[1].strip() for line in block.splitlines() if "label:" in line)
            table[label] = block
        return table

    def test_the_master_key_is_sensitive_never_extractable_local_and_wraps_nothing(self):
        text = self.objects()[self.kms.config()["hsm"].get("mek_label", "dare-mek")]
        access = next(line for line in text.splitlines() if "Access:" in line)
        usage = next(line for line in text.splitlines() if "Usage:" in line)
        for word in ("sensitive", "always sensitive", "never extractable", "local"):
            self.assertIn(word, access)
        self.assertEqual({u.strip() for u in usage.split(":", 1)[1].split(",")}, {"encrypt", "decrypt"})

    def test_the_master_key_cannot_be_read(self):
        label = self.kms.config()["hsm"].get("mek_label", "dare-mek")
        text = self.pkcs11_tool("--read-object", "--type", "secrkey", "--label", label)
        self.assertRegex(text, "CKR_ATTRIBUTE_SENSITIVE|sensitive|failed|error")


class ClientSecrecy(fixture.KmsTest):
    """A machine that seals files: the key that wraps never reaches its disk."""

    clients = ()

    def setUp(self):
        super().setUp()
        if not self.kms.programs.dare.exists():
            self.skipTest("SKIPPED: the dare program is not built")
        self.folder = self.kms.home / "machine"
        self.folder.mkdir()
        host, port = self.kms.https
        token = self.folder / "token"
        token.touch(0o600)
        token.write_text(self.kms.token("machine") + "\n")
        self.dare("enroll", f"https://{host}:{port}", "--token-file", token, "--ca-file", self.kms.ca, "--dir",
                  self.folder, "--server", "{}:{}".format(*self.kms.kmip))

    def dare(self, *words):
        return kms.run([self.kms.programs.dare, "--config", self.folder / "client.toml", *words])

    def identity(self):
        """The machine's own certificate, for a client that asks for more than `dare` does."""
        config = tomllib.loads((self.folder / "client.toml").read_text())
        files = [self.folder / v for v in flatten(config) if isinstance(v, str) and (self.folder / v).is_file()]
        key = next(p for p in files if b"PRIVATE KEY" in p.read_bytes())
        certificate = next(p for p in files if b"BEGIN CERTIFICATE" in p.read_bytes() and self.belongs(p, key))
        return Identity(self.kms.ca, certificate, key)

    @staticmethod
    def belongs(certificate, key):
        def public(*words):
            return kms.run(["openssl", *words]).stdout

        return public("x509", "-in", certificate, "-noout", "-pubkey") == public("pkey", "-in", key, "-pubout")

    def test_the_wrapping_key_is_on_no_disk_of_the_client(self):
        self.dare("key", "create", "kek", "--extractable")
        plaintext = os.urandom(100_000)
        (self.folder / "file").write_bytes(plaintext)
        self.dare("seal", "-k", "kek", self.folder / "file")
        (self.folder / "file").unlink()
        self.dare("open", self.folder / "file.dare")
        self.assertEqual((self.folder / "file").read_bytes(), plaintext)
        (self.folder / "file").unlink()
        with self.kms.client(self.identity()) as client:
            kek = client.get(client.locate("kek")[0])
        self.assertEqual(len(kek), 32)
        found = []
        for path in files_below(self.kms.home):
            data = path.read_bytes()
            found += [(path.name, how) for how, form in spellings(kek).items() if form in data]
            found += [(path.name, "plaintext")] if plaintext[5000:5032] in data else []
        self.assertEqual(found, [])

    def test_a_wrapping_key_does_not_leave_the_server_by_default(self):
        self.dare("key", "create", "stays")
        with self.kms.client(self.identity()) as client:
            with self.assertRaises(KmipFailure) as caught:
                client.get(client.locate("stays")[0])
        self.assertIn(caught.exception.reason, ("NotExtractable", "Sensitive", "PermissionDenied"))

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def flatten(value):
    """Every value inside tables and lists."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from flatten(inner)
    else:
        yield value


if __name__ == "__main__":
    unittest.main()

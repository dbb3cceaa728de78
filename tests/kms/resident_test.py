#!/usr/bin/python3
"""Keys that stay in the HSM: made over KMIP, looked at in the token itself, used, and gone once they are destroyed."""
import json
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms  # noqa: E402
from support.kmip_client import KmipFailure, attribute, item, mask, uid  # noqa: E402
from support.ttlv import Type  # noqa: E402

WISH = "x-OpenDaRE-Protection-Storage"
HARDWARE = 2


@unittest.skipUnless(shutil.which("pkcs11-tool"), "SKIPPED: pkcs11-tool (opensc) is not installed")
class Resident(fixture.KmsTest):
    @classmethod
    def configure_server(cls, server):
        server.configure("hsm", "resident_keys", True)
        server.configure("hsm", "most_resident_keys", 20)

    # --- the token, as anybody with its PIN sees it

    def tool(self, *words, check=True):
        config = self.kms.config()["hsm"]
        pin = self.kms.path_of("hsm", "pin").read_text().strip()
        return subprocess.run(
            ["pkcs11-tool", "--module", config["module"], "--token-label", config["token_label"], "--login", "--pin",
             pin, *words], capture_output=True, text=True, timeout=60, check=check, env=self.kms.environment())

    def in_token(self):
        """{object: text} of the keys of clients that the token holds."""
        found = {}
        for kind in ("secrkey", "privkey"):
            for part in self.tool("--list-objects", "--type", kind).stdout.split(" Key Object"):
                lines = {key.strip(): value.strip() for key, _, value in
                         (line.partition(":") for line in part.splitlines())}
                label = lines.get("label", "")
                if label.startswith("dare-kms-key "):
                    found[label.split()[-1]] = part
        return found

    def assertOnlyInToken(self, identifier):
        text = self.in_token()[identifier]
        for word in ("sensitive", "always sensitive", "never extractable", "local"):
            self.assertIn(word, text)
        return text

    # --- making them

    def make_14(self, client, name=None, usage=("Encrypt", "Decrypt")):
        key = client.create(name, usage, extra=[attribute(WISH, "Hardware", Type.TEXT_STRING)])
        client.activate(key)
        return key

    def make_2(self, client, version, usage=("Encrypt", "Decrypt")):
        key = client.call("Create", [
            item("ObjectType", "SymmetricKey"),
            item("Attributes", [item("CryptographicAlgorithm", "AES"), item("CryptographicLength", 256),
                                item("CryptographicUsageMask", mask(*usage))]),
            item("ProtectionStorageMasks", [item("ProtectionStorageMask", HARDWARE)])], version)
        key = key.value("UniqueIdentifier")
        client.activate(key)
        return key

    def refused(self, call, *words):
        with self.assertRaises(KmipFailure) as raised:
            call()
        self.assertIn(raised.exception.reason, words)
        return raised.exception

    def finish(self, client, *keys):
        for key in keys:
            client.revoke(key)
            client.destroy(key)

    def test_in_every_version_the_key_is_in_the_token_and_encrypts_there(self):
        client = self.client()
        for version in ((1, 4), (2, 0), (2, 1)):
            with self.subTest(version=version):
                key = self.make_14(client) if version == (1, 4) else self.make_2(client, version)
                text = self.assertOnlyInToken(key)
                self.assertRegex(text, r"Usage:\s+encrypt, decrypt\n")
                data, nonce, tag = client.encrypt_gcm(key, b"a data key", b"bound")
                self.assertEqual(client.decrypt_gcm(key, data, nonce, tag, b"bound"), b"a data key")
                self.refused(lambda: client.decrypt_gcm(key, data, nonce, tag, b"other"), "CryptographicFailure",
                             "InvalidField")
                self.refused(lambda: client.get(key), "NotExtractable")
                self.assertEqual(client.attribute_values(key, "y-OpenDaRE-Protection-Storage"), ["Hardware"])
                self.finish(client, key)
                self.assertNotIn(key, self.in_token())

    def test_masks_that_cannot_be_met_are_refused(self):
        client = self.client()
        before = self.in_token()
        for value in (HARDWARE | 0x1000, 0x20):
            self.refused(lambda: client.call("Create", [
                item("ObjectType", "SymmetricKey"),
                item("Attributes", [item("CryptographicAlgorithm", "AES"), item("CryptographicLength", 256),
                                    item("CryptographicUsageMask", mask("Encrypt"))]),
                item("ProtectionStorageMasks", [item("ProtectionStorageMask", value)])], (2, 1)),
                "ProtectionStorageUnavailable")
        self.assertEqual(self.in_token(), before)
        answer = client.call("Query", [item("QueryFunction", "QueryStorageProtectionMasks")], (2, 1))
        masks = [m.value for m in answer.find("ProtectionStorageMasks").value]
        self.assertEqual(masks, [1, HARDWARE])

    def test_a_key_pair_signs_in_the_token_and_openssl_verifies(self):
        client = self.client()
        answer = client.call("CreateKeyPair", [
            item("CommonAttributes", [item("CryptographicAlgorithm", "ECDSA"), item("CryptographicLength", 256)]),
            item("PrivateKeyAttributes", [item("CryptographicUsageMask", mask("Sign"))]),
            item("PublicKeyAttributes", [item("CryptographicUsageMask", mask("Verify"))]),
            item("PrivateProtectionStorageMasks", [item("ProtectionStorageMask", HARDWARE)])], (2, 1))
        private, public = answer.value("PrivateKeyUniqueIdentifier"), answer.value("PublicKeyUniqueIdentifier")
        for key in (private, public):
            client.activate(key)
        self.assertRegex(self.assertOnlyInToken(private), r"Usage:\s+sign\n")
        data = b"to be signed"
        signature = client.call("Sign", [
            uid(private), item("CryptographicParameters", [item("HashingAlgorithm", "SHA_256")]),
            item("Data", data)], (2, 1)).value("SignatureData")
        half = client.call("Get", [uid(public), item("KeyFormatType", "X_509")], (2, 1))
        der = half.value("PublicKey", "KeyBlock", "KeyValue", "KeyMaterial")
        folder = self.kms.home
        for name, content in (("half.der", der), ("data", data), ("signature", signature)):
            (folder / name).write_bytes(content)
        done = kms.run(["openssl", "dgst", "-sha256", "-verify", folder / "half.der", "-keyform", "DER", "-signature",
                        folder / "signature", folder / "data"])
        self.assertIn("Verified OK", done.stdout)
        self.refused(lambda: client.call("Get", [uid(private)], (2, 1)), "NotExtractable")
        self.finish(client, private)
        self.assertNotIn(private, self.in_token())

    def test_a_key_in_the_token_wraps_another(self):
        client = self.client()
        kek = self.make_14(client, usage=("WrapKey", "UnwrapKey"))
        secret = bytes(range(32))
        key = client.register(secret)
        answer = client.call("Get", [uid(key), item("KeyWrappingSpecification", [
            item("WrappingMethod", "Encrypt"),
            item("EncryptionKeyInformation", [uid(kek), item("CryptographicParameters", [
                item("BlockCipherMode", "NISTKeyWrap")])])])])
        wrapped = answer.value("SymmetricKey", "KeyBlock", "KeyValue")
        wrapped = wrapped if isinstance(wrapped, bytes) else answer.value("SymmetricKey", "KeyBlock", "KeyValue",
                                                                          "KeyMaterial")
        self.assertEqual(len(wrapped), 40)
        self.assertNotIn(secret, wrapped)
        self.assertRegex(self.assertOnlyInToken(kek), r"Usage:\s+wrap, unwrap\n")
        self.finish(client, kek)

    def test_keys_serve_after_a_restart_and_revocation_ends_that(self):
        client = self.client()
        key = self.make_14(client)
        data, nonce, tag = client.encrypt_gcm(key, b"kept")
        self.kms.restart()
        client = self.client()
        self.assertEqual(client.decrypt_gcm(key, data, nonce, tag), b"kept")
        client.revoke(key)
        self.refused(lambda: client.decrypt_gcm(key, data, nonce, tag), "PermissionDenied", "WrongKeyLifecycleState")
        self.assertIn(key, self.in_token(), "revoked is not destroyed")
        client.destroy(key)
        self.assertNotIn(key, self.in_token())

    def test_a_crash_leaves_no_key_that_anybody_can_use(self):
        """Destroy is committed before the key leaves the token: what a crash in between leaves, the next start ends."""
        client = self.client()
        key, other = self.make_14(client), self.make_14(client)
        data, nonce, tag = client.encrypt_gcm(other, b"kept")
        client.revoke(key)
        tokens = self.kms.path_of("hsm", "softhsm2_conf").parent / "tokens"
        saved = self.kms.home / "tokens-before"
        shutil.copytree(tokens, saved)
        client.destroy(key)
        self.kms.kill()
        shutil.rmtree(tokens)  # the token as it was when the destruction was committed
        shutil.copytree(saved, tokens)
        self.assertIn(key, self.in_token())
        self.kms.start()
        self.assertNotIn(key, self.in_token())
        client = self.client()
        self.assertEqual(client.decrypt_gcm(other, data, nonce, tag), b"kept")
        self.finish(client, other)

    def test_a_key_without_an_object_is_told_of_and_removed_by_hand(self):
        """An older copy of the database must not take the newer one's keys away."""
        client = self.client()
        known = self.make_14(client)
        self.kms.stop()
        saved = self.kms.home / "kms-before.db"
        shutil.copy(self.kms.database, saved)
        self.kms.start()
        client = self.client()
        newer = self.make_14(client)
        self.kms.stop()
        shutil.copy(saved, self.kms.database)
        self.kms.start()
        self.assertIn(f"belongs to no object of this store ('dare-kms-key", self.kms.log_tail(1 << 16))
        self.assertIn(newer, self.in_token())
        listed = json.loads(self.kms.command("resident-keys", "--json").stdout)
        self.assertEqual({k["object"] for k in listed}, set(self.in_token()))
        key = next(k["id"] for k in listed if k["object"] == newer)
        self.kms.command("resident-keys", "--remove", key)
        self.assertNotIn(newer, self.in_token())
        self.assertNotEqual(self.kms.command("resident-keys", "--remove", key, check=False).returncode, 0)
        self.finish(self.client(), known)

    def test_no_more_keys_than_the_configuration_allows(self):
        client = self.client()
        made = []
        with self.assertRaises(KmipFailure) as raised:
            for _ in range(25):
                made.append(self.make_14(client))
        self.assertIn("as many as the configuration allows", raised.exception.message)
        self.finish(client, *made)

    def test_switched_off_there_are_none(self):
        self.kms.stop()
        self.kms.configure("hsm", "resident_keys", False)
        self.kms.start()
        self.addCleanup(self.kms.restart)
        self.addCleanup(self.kms.configure, "hsm", "resident_keys", True)
        failure = self.refused(lambda: self.make_14(self.client()), "InvalidField")
        self.assertIn("cannot be kept", failure.message)


if __name__ == "__main__":
    unittest.main()

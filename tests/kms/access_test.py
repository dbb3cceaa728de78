#!/usr/bin/python3
"""Who is let in, and to what: certificates that must be refused with the right TLS alert, and other people's objects.

Certificates the server's own CA would never issue (expired, not yet valid, for servers) come from a second CA that
the server is told to trust in addition.
"""
import pathlib
import ssl
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms  # noqa: E402
from support.kmip_client import (Client, ConnectionLost, Identity, KmipFailure, item, mask, message,  # noqa: E402
                                 name_attribute, uid)
from support.ttlv import Type  # noqa: E402

CA_CONFIG = """
[ca]
default_ca = d
[d]
database = {d}/index.txt
serial = {d}/serial
new_certs_dir = {d}
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[client]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
[server]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
"""


class TestCa:
    """A certificate authority of the test's own, by the openssl program."""

    __test__ = False

    def __init__(self, folder, name):
        self.folder = folder
        folder.mkdir()
        (folder / "index.txt").touch()
        (folder / "serial").write_text("01\n")
        (folder / "ca.cnf").write_text(CA_CONFIG.format(d=folder))
        self.certificate, self.key = folder / "ca.crt", folder / "ca.key"
        kms.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                 self.key, "-out", self.certificate, "-subj", f"/CN={name}", "-days", "30"])

    def issue(self, name, start="20200101000000Z", end="20990101000000Z", extensions="client", file=None):
        """(certificate, key) for a common name, valid from start to end."""
        certificate, key = (self.folder / f"{file or name}.{suffix}" for suffix in ("crt", "key"))
        kms.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                 "-out", f"{key}.csr", "-subj", f"/CN={name}"])
        kms.run(["openssl", "ca", "-batch", "-notext", "-config", self.folder / "ca.cnf", "-cert", self.certificate,
                 "-keyfile", self.key, "-extensions", extensions, "-startdate", start, "-enddate", end, "-in",
                 f"{key}.csr", "-out", certificate])
        return certificate, key


class Access(fixture.KmsTest):
    clients = ("alice", "bob")

    @classmethod
    def configure_server(cls, server):
        cls.trusted = TestCa(server.home / "trusted-ca", "trusted test CA")
        cls.foreign = TestCa(server.home / "foreign-ca", "foreign test CA")
        bundle = server.path_of("tls", "client_ca")
        both = bundle.read_text("utf-8") + cls.trusted.certificate.read_text("utf-8")
        (server.folder / "client-cas.pem").write_text(both, "utf-8")
        server.configure("tls", "client_ca", "client-cas.pem")

    def identity(self, pair):
        return Identity(self.kms.ca, *(pair or ()))

    # --- certificates

    def refusal(self, identity, maximum):
        """What TLS says when the server refuses a client: the alert's name."""
        try:
            with Client(self.kms.kmip, identity, context=identity.context(maximum)) as client:
                client.exchange_bytes(bytes.fromhex("42007801000000004200780100000000"))
        except ssl.SSLError as e:
            return e.reason
        except ConnectionLost as e:
            cause = e.__cause__
            return cause.reason if isinstance(cause, ssl.SSLError) else str(cause)
        self.fail("the server answered")

    def assertRefused(self, pair, *alerts, logged):
        for maximum in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(tls=maximum.name):
                before = len(self.kms.audit_records())
                reason = self.refusal(self.identity(pair), maximum)
                self.assertTrue(any(a in reason.upper() for a in alerts), reason)
                self.await_audit(before, logged)

    def await_audit(self, before, words):
        """A record after the first `before` that contains all the words."""
        def there():
            return any(all(w in str(r) for w in words) for r in self.kms.audit_records()[before:])

        self.assertTrue(fixture.eventually(there), f"no audit record with {words}")

    def test_a_client_with_a_good_certificate_is_served(self):
        for maximum in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            identity = self.identities["alice"]
            with Client(self.kms.kmip, identity, context=identity.context(maximum)) as client:
                self.assertTrue(client.create())

    def test_a_certificate_of_an_additional_trusted_ca_is_served(self):
        identity = self.identity(self.trusted.issue("carol"))
        with self.kms.client(identity) as client:
            self.assertTrue(client.create())

    def test_no_certificate_is_refused(self):
        self.assertRefused(None, "CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", logged=["denied"])

    def test_a_certificate_of_another_ca_is_refused(self):
        self.assertRefused(self.foreign.issue("alice"), "UNKNOWN_CA", logged=["denied"])

    def test_an_expired_certificate_is_refused(self):
        pair = self.trusted.issue("expired", "20200101000000Z", "20200201000000Z")
        self.assertRefused(pair, "CERTIFICATE_EXPIRED", logged=["denied", "expired"])

    def test_a_certificate_that_is_not_yet_valid_is_refused(self):
        pair = self.trusted.issue("early", "20980101000000Z", "20990101000000Z")
        self.assertRefused(pair, "BAD_CERTIFICATE", "CERTIFICATE_EXPIRED", logged=["denied", "early"])

    def test_a_server_certificate_does_not_make_a_client(self):
        pair = self.trusted.issue("a-server", extensions="server")
        self.assertRefused(pair, "UNSUPPORTED_CERTIFICATE", "BAD_CERTIFICATE", logged=["denied", "a-server"])

    def test_a_certificate_without_its_key_is_refused(self):
        certificate, _ = self.trusted.issue("thief")
        _, key = self.trusted.issue("other")
        with self.assertRaises(ssl.SSLError):  # Python's own library will not even try
            Identity(self.kms.ca, certificate, key).context()

    def test_old_tls_is_refused(self):
        host, port = self.kms.kmip
        identity = self.identities["alice"]
        for version in ("-tls1", "-tls1_1"):
            done = subprocess.run(
                ["openssl", "s_client", version, "-cipher", "ALL:@SECLEVEL=0", "-connect", f"{host}:{port}", "-cert",
                 identity.certificate, "-key", identity.key], input=b"", capture_output=True, timeout=30)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr + done.stdout, b"protocol version|no protocols available")

    def test_a_revoked_certificate_is_refused_at_once(self):
        revoked = self.kms.identity("mallory")
        with self.kms.client(revoked) as client:
            key = client.create()
            self.kms.revoke_certificate("mallory")
            # The open connection ends too, at the latest with the next request.
            def cut_off():
                try:
                    client.get(key)
                    return False
                except (ConnectionLost, KmipFailure):
                    return True

            self.assertTrue(fixture.eventually(cut_off), "the open connection lives on")
        self.assertRefused((revoked.certificate, revoked.key), "CERTIFICATE_REVOKED", logged=["denied", "mallory"])

    # --- enrolment

    def test_a_token_works_once_and_only_for_its_name(self):
        token = self.kms.token("dave")
        key = self.kms.clients / "dave.key"
        self.assertIn(self.kms.est_enrol("eve", token, key)[0], (401, 403))
        token = self.kms.token("dave")
        self.assertEqual(self.kms.est_enrol("dave", token, key)[0], 200)
        self.assertIn(self.kms.est_enrol("dave", token, key)[0], (401, 403))

    def test_a_wrong_token_is_refused(self):
        self.kms.token("frank")
        status, _ = self.kms.est_enrol("frank", "0123456789abcdef0123456789abcdef", self.kms.clients / "frank.key")
        self.assertIn(status, (401, 403))

    # --- other people's objects

    def operations_on(self, identifier):
        one = [uid(identifier)]
        return {
            "Get": one,
            "GetAttributes": one,
            "GetAttributeList": one,
            "Activate": one,
            "Revoke": one + [item("RevocationReason", [item("RevocationReasonCode", "Unspecified")])],
            "Destroy": one,
            "Check": one,
            "ReKey": one,
            "AddAttribute": one + [item("Attribute", [item("AttributeName", "x-mine", Type.TEXT_STRING),
                                                      item("AttributeValue", "yes", Type.TEXT_STRING)])],
            "Encrypt": one + [item("CryptographicParameters", [item("BlockCipherMode", "ECB")]),
                              item("Data", bytes(16))],
            "Decrypt": one + [item("CryptographicParameters", [item("BlockCipherMode", "ECB")]),
                              item("Data", bytes(16))],
            "MAC": one + [item("Data", b"x")],
        }

    def test_another_clients_object_is_refused_by_every_operation_and_logged(self):
        alice, bob = self.client("alice"), self.client("bob")
        key = alice.create("alice's own", usage=("Encrypt", "Decrypt", "MACGenerate"))
        alice.activate(key)
        material = alice.get(key)
        for operation, payload in self.operations_on(key).items():
            with self.subTest(operation=operation):
                with self.assertRaises(KmipFailure) as caught:
                    bob.call(operation, payload)
                self.assertIn(caught.exception.reason, ("PermissionDenied", "ItemNotFound"))
                self.assertTrue(self.kms.audit_has("bob", operation, key, "denied"), "not in the audit log")
        self.assertEqual((alice.state(key), alice.get(key)), ("Active", material), "nothing happened to it")

    def test_another_clients_object_is_not_found_by_locate(self):
        alice, bob = self.client("alice"), self.client("bob")
        key = alice.create("hidden")
        self.assertEqual(bob.locate("hidden"), [])
        self.assertNotIn(key, bob.call("Locate", []).values("UniqueIdentifier"))
        self.assertEqual(alice.locate("hidden"), [key])

    def test_two_clients_may_use_the_same_name(self):
        alice, bob = self.client("alice"), self.client("bob")
        keys = alice.create("the same"), bob.create("the same")
        self.assertEqual((alice.locate("the same"), bob.locate("the same")), ([keys[0]], [keys[1]]))

    def test_an_administrator_retires_any_key_and_uses_or_reads_none(self):
        alice, admin = self.client("alice"), self.kms.client(self.kms.identity("boss", admin=True))
        self.addCleanup(admin.close)
        key = alice.create("to be retired")
        alice.activate(key)
        self.assertEqual((admin.state(key), admin.locate("to be retired")), ("Active", [key]))
        for operation in ("Get", "Encrypt", "Decrypt", "MAC", "ReKey", "AddAttribute", "Activate"):
            with self.subTest(operation=operation):
                with self.assertRaises(KmipFailure) as caught:
                    admin.call(operation, self.operations_on(key)[operation])
                self.assertEqual(caught.exception.reason, "PermissionDenied")
        admin.revoke(key)
        admin.destroy(key)
        self.assertEqual(alice.state(key), "Destroyed")

    def test_another_clients_key_cannot_wrap(self):
        alice, bob = self.client("alice"), self.client("bob")
        kek = alice.create(usage=("WrapKey",))
        alice.activate(kek)
        own = bob.create()
        wrapping = item("KeyWrappingSpecification", [
            item("WrappingMethod", "Encrypt"),
            item("EncryptionKeyInformation", [uid(kek), item("CryptographicParameters", [
                item("BlockCipherMode", "NISTKeyWrap")])])])
        with self.assertRaises(KmipFailure) as caught:
            bob.call("Get", [uid(own), wrapping])
        self.assertIn(caught.exception.reason, ("PermissionDenied", "ItemNotFound", "WrappingObjectDestroyed"))

    def test_a_batch_does_not_carry_rights_from_one_item_to_the_next(self):
        alice, bob = self.client("alice"), self.client("bob")
        key = alice.create()
        answers = bob.batch([("Create", self.create_payload()), ("Get", [uid(key)])])
        self.assertEqual([a[1] for a in answers], ["Success", "OperationFailed"])

    @staticmethod
    def create_payload():
        from support.kmip_client import attribute
        return [item("ObjectType", "SymmetricKey"), item("TemplateAttribute", [
            attribute("Cryptographic Algorithm", "AES"), attribute("Cryptographic Length", 128),
            attribute("Cryptographic Usage Mask", mask("Encrypt")), name_attribute("in a batch")])]

    def test_a_broken_message_is_answered_or_cut_off_and_harms_nobody(self):
        alice = self.client("alice")
        key = alice.create()
        good = message([("Get", [uid(key)])])
        from support import ttlv
        raw = bytearray(ttlv.encode(good))
        for place in range(0, len(raw), 3):
            changed = bytearray(raw)
            changed[place] ^= 0xFF
            changed[4:8] = raw[4:8]  # the frame's length stays, so that an answer can come
            try:
                with self.kms.client(self.identities["alice"], timeout=15) as client:
                    ttlv.decode(client.exchange_bytes(bytes(changed)))
            except ConnectionLost as e:
                self.assertNotIn("timed out", str(e), f"byte {place}: no answer")
        self.assertEqual(alice.state(key), "PreActive")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Debian's PyKMIP client (python3-pykmip, TLS 1.2) against dare-kms, in every KMIP version it speaks.

PyKMIP is somebody else's reading of the standard: what works here works for its users (OpenStack Barbican, Swift,
…) as well. Each test runs once for each version. Left out, because PyKMIP 0.10 cannot read what the standard prescribes:
a wrapped Key Value (a Byte String, KMIP 1.4 section 2.1.4; PyKMIP expects a structure), and Re-key in 2.0 (it sends a
Template-Attribute, which 2.0 does not have).
"""
import base64
import datetime
import hashlib
import hmac
import logging
import os
import pathlib
import sys
import tempfile
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
warnings.simplefilter("ignore")  # PyKMIP warns about its own ciphers

from support import kms  # noqa: E402

try:
    from kmip import enums
    from kmip.core import attributes as core_attributes
    from kmip.core import objects as core_objects
    from kmip.core.factories.attributes import AttributeFactory
    from kmip.pie import exceptions
    from kmip.pie.client import ProxyKmipClient
    from kmip.pie.objects import (OpaqueObject, PrivateKey, PublicKey, SecretData, SplitKey, SymmetricKey,
                                  X509Certificate)
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
except ImportError:
    enums = None

CONFIG = tempfile.NamedTemporaryFile("w", suffix=".conf")  # a file of the user must not change what is tested
USAGE = ("ENCRYPT", "DECRYPT")
SERVER = None


def setUpModule():
    global SERVER
    if enums is None:
        raise unittest.SkipTest("SKIPPED: python3-pykmip is not installed")
    CONFIG.write("[client]\n")
    CONFIG.flush()
    logging.getLogger("kmip").setLevel(logging.CRITICAL)
    SERVER = Server()


def tearDownModule():
    CONFIG.close()
    if SERVER:
        SERVER.close()


class Server:
    """A dare-kms with two enrolled clients."""

    def __init__(self):
        self.kms = kms.Kms(kms.Programs())
        try:
            self.kms.start()
            self.identities = {n: self.kms.identity(n) for n in ("alice", "bob")}
        except BaseException:
            self.kms.close()
            raise

    def client(self, version, name="alice"):
        identity = self.identities[name]
        host, port = self.kms.kmip
        return ProxyKmipClient(hostname=host, port=port, cert=identity.certificate, key=identity.key, ca=identity.ca,
                               ssl_version="PROTOCOL_TLSv1_2", config_file=CONFIG.name,
                               kmip_version=getattr(enums.KMIPVersion, version))

    def close(self):
        self.kms.close()


def load_private(key):
    """A cryptography key of a PyKMIP PrivateKey in PKCS#1 or PKCS#8."""
    return serialization.load_der_private_key(key.value, None)


def load_public(key):
    if key.key_format_type == enums.KeyFormatType.PKCS_1:  # cryptography wants PEM for it
        return serialization.load_pem_public_key(
            b"-----BEGIN RSA PUBLIC KEY-----\n" + base64.encodebytes(key.value) + b"-----END RSA PUBLIC KEY-----\n")
    return serialization.load_der_public_key(key.value)


def self_signed_certificate():
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pykmip")])
    now = datetime.datetime.utcnow()
    return x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now,
                                   now + datetime.timedelta(days=1)).sign(key, hashes.SHA256()).public_bytes(
                                       serialization.Encoding.DER)


class Versions:
    """The tests; a subclass for each KMIP version sets `version`."""

    version = None

    def setUp(self):
        self.client = SERVER.client(self.version)
        self.client.open()
        self.addCleanup(self.client.close)
        self.counter = 0

    def at_least(self, version):
        return self.version >= version  # KMIP_1_0 … KMIP_2_0 sort as text

    def name(self):
        self.counter += 1
        return f"{self.version}-{self.id().rpartition('.')[2]}-{self.counter}"

    def create(self, name=None, usage=USAGE, length=256):
        return self.client.create(enums.CryptographicAlgorithm.AES, length, name=name,
                                  cryptographic_usage_mask=[getattr(enums.CryptographicUsageMask, u) for u in usage])

    def assertFailsWith(self, reason, call, *arguments, **more):
        with self.assertRaises(exceptions.KmipOperationFailure) as caught:
            call(*arguments, **more)
        self.assertEqual(caught.exception.reason, reason)

    def test_creates_gets_and_destroys_a_key(self):
        uid = self.create()
        key = self.client.get(uid)
        self.assertIsInstance(key, SymmetricKey)
        self.assertEqual((len(key.value), key.cryptographic_length), (32, 256))
        self.assertNotEqual(key.value, self.client.get(self.create()).value)
        self.client.destroy(uid)
        with self.assertRaises(exceptions.KmipOperationFailure):
            self.client.get(uid)

    def test_makes_keys_of_every_length(self):
        for length in (128, 192, 256):
            self.assertEqual(len(self.client.get(self.create(length=length)).value) * 8, length)

    def test_locates_by_name(self):
        name = self.name()
        uid = self.create(name)
        self.create(self.name())
        wanted = AttributeFactory().create_attribute(enums.AttributeType.NAME, name)
        self.assertEqual(self.client.locate(attributes=[wanted]), [uid])

    def test_registers_a_symmetric_key_and_gets_it_back(self):
        material = os.urandom(32)
        uid = self.client.register(SymmetricKey(
            enums.CryptographicAlgorithm.AES, 256, material, masks=[enums.CryptographicUsageMask.ENCRYPT],
            name=self.name()))
        self.assertEqual(self.client.get(uid).value, material)

    def test_registers_secret_data_and_gets_it_back(self):
        uid = self.client.register(SecretData(b"correct horse", enums.SecretDataType.PASSWORD,
                                              masks=[enums.CryptographicUsageMask.VERIFY], name=self.name()))
        got = self.client.get(uid)
        self.assertEqual((got.value, got.data_type), (b"correct horse", enums.SecretDataType.PASSWORD))

    def test_tells_attributes(self):
        uid = self.create(self.name())
        names = self.client.get_attribute_list(uid)
        for name in ("Cryptographic Algorithm", "Cryptographic Length", "State", "Unique Identifier", "Name"):
            self.assertIn(name, names)
        got, attributes = self.client.get_attributes(uid, ["Cryptographic Length", "State"])
        self.assertEqual(got, uid)
        values = {a.attribute_name.value: a.attribute_value.value for a in attributes}
        self.assertEqual(values, {"Cryptographic Length": 256, "State": enums.State.PRE_ACTIVE})

    def state(self, uid):
        return self.client.get_attributes(uid, ["State"])[1][0].attribute_value.value

    def test_walks_the_life_cycle(self):
        uid = self.create()
        self.assertEqual(self.state(uid), enums.State.PRE_ACTIVE)
        self.client.activate(uid)
        self.assertEqual(self.state(uid), enums.State.ACTIVE)
        with self.assertRaises(exceptions.KmipOperationFailure):
            self.client.destroy(uid)  # still active
        self.client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, uid)
        self.assertEqual(self.state(uid), enums.State.DEACTIVATED)
        self.client.destroy(uid)
        self.assertEqual(self.state(uid), enums.State.DESTROYED)

    def test_a_compromised_key_says_so(self):
        uid = self.create()
        self.client.activate(uid)
        self.client.revoke(enums.RevocationReasonCode.KEY_COMPROMISE, uid, compromise_occurrence_date=0)
        self.assertEqual(self.state(uid), enums.State.COMPROMISED)

    def test_encrypts_and_decrypts(self):
        uid = self.create()
        self.client.activate(uid)
        parameters = {"block_cipher_mode": enums.BlockCipherMode.CBC, "padding_method": enums.PaddingMethod.PKCS5,
                      "cryptographic_algorithm": enums.CryptographicAlgorithm.AES}
        iv = os.urandom(16)
        if not self.at_least("KMIP_1_2"):
            self.assertFailsWith(enums.ResultReason.OPERATION_NOT_SUPPORTED, self.client.encrypt, b"attack at dawn",
                                 uid, parameters, iv)
            return
        data, _ = self.client.encrypt(b"attack at dawn", uid, parameters, iv)
        self.assertEqual(len(data), 16)
        self.assertEqual(self.client.decrypt(data, uid, parameters, iv), b"attack at dawn")

    def test_refuses_to_encrypt_with_a_key_that_may_not(self):
        if not self.at_least("KMIP_1_2"):
            self.skipTest("Encrypt came with KMIP 1.2")
        parameters = {"block_cipher_mode": enums.BlockCipherMode.ECB}
        pre_active = self.create()
        only_decrypt = self.create(usage=("DECRYPT",))
        self.client.activate(only_decrypt)
        for uid in (pre_active, only_decrypt):
            with self.assertRaises(exceptions.KmipOperationFailure):
                self.client.encrypt(b"0123456789abcdef", uid, parameters)

    def test_makes_a_mac(self):
        material = os.urandom(32)
        uid = self.client.register(SymmetricKey(
            enums.CryptographicAlgorithm.HMAC_SHA256, 256, material,
            masks=[enums.CryptographicUsageMask.MAC_GENERATE], name=self.name()))
        self.client.activate(uid)
        if not self.at_least("KMIP_1_2"):
            self.assertFailsWith(enums.ResultReason.OPERATION_NOT_SUPPORTED, self.client.mac, b"data", uid,
                                 enums.CryptographicAlgorithm.HMAC_SHA256)
            return
        _, tag = self.client.mac(b"data", uid, enums.CryptographicAlgorithm.HMAC_SHA256)
        self.assertEqual(tag, hmac.new(material, b"data", hashlib.sha256).digest())

    def test_replaces_a_key_and_moves_its_name(self):
        if self.at_least("KMIP_2_0"):
            self.skipTest("PyKMIP does not send Re-key as KMIP 2.0 has it")
        name = self.name()
        old = self.create(name)
        self.client.activate(old)
        new = self.client.rekey(old)
        self.assertNotEqual(self.client.get(old).value, self.client.get(new).value)
        wanted = AttributeFactory().create_attribute(enums.AttributeType.NAME, name)
        self.assertEqual(self.client.locate(attributes=[wanted]), [new])

    def test_checks_what_a_key_may_do(self):
        uid = self.create()
        self.client.activate(uid)
        self.assertEqual(self.client.check(uid, cryptographic_usage_mask=[enums.CryptographicUsageMask.ENCRYPT]), uid)

    def test_another_client_sees_nothing(self):
        name = self.name()
        uid = self.create(name)
        with SERVER.client(self.version, "bob") as bob:
            wanted = AttributeFactory().create_attribute(enums.AttributeType.NAME, name)
            self.assertEqual(bob.locate(attributes=[wanted]), [])
            for call in (bob.get, bob.activate, bob.destroy, bob.get_attributes):
                with self.assertRaises(exceptions.KmipOperationFailure):
                    call(uid)
        self.assertEqual(self.state(uid), enums.State.PRE_ACTIVE)

    def test_an_unknown_object_is_an_operation_failure(self):
        with self.assertRaises(exceptions.KmipOperationFailure):
            self.client.get("no-such-object")

    # --- public-key algorithms

    def make_pair(self, length=2048):
        """(public, private) identifiers of an active RSA key pair that signs and verifies."""
        public, private = self.client.create_key_pair(
            enums.CryptographicAlgorithm.RSA, length, public_name=self.name(),
            public_usage_mask=[enums.CryptographicUsageMask.VERIFY, enums.CryptographicUsageMask.ENCRYPT],
            private_name=self.name(),
            private_usage_mask=[enums.CryptographicUsageMask.SIGN, enums.CryptographicUsageMask.DECRYPT])
        for uid in (public, private):
            self.client.activate(uid)
        return public, private

    def test_makes_a_key_pair_and_gets_both_halves(self):
        public_id, private_id = self.make_pair()
        public, private = self.client.get(public_id), self.client.get(private_id)
        self.assertEqual((type(public), type(private)), (PublicKey, PrivateKey))
        mine = load_private(private)
        self.assertEqual(mine.key_size, 2048)
        self.assertEqual(load_public(public).public_numbers(), mine.public_key().public_numbers())

    def test_registers_a_key_pair_and_gets_it_back(self):
        key = rsa.generate_private_key(65537, 2048)
        der = serialization.Encoding.DER
        plain = serialization.NoEncryption()
        for format_, private in ((enums.KeyFormatType.PKCS_1, serialization.PrivateFormat.TraditionalOpenSSL),
                                 (enums.KeyFormatType.PKCS_8, serialization.PrivateFormat.PKCS8)):
            value = key.private_bytes(der, private, plain)
            uid = self.client.register(PrivateKey(enums.CryptographicAlgorithm.RSA, 2048, value, format_,
                                                  masks=[enums.CryptographicUsageMask.SIGN], name=self.name()))
            self.assertEqual(load_private(self.client.get(uid)).private_numbers(), key.private_numbers())
        for format_, public in ((enums.KeyFormatType.PKCS_1, serialization.PublicFormat.PKCS1),
                                (enums.KeyFormatType.X_509, serialization.PublicFormat.SubjectPublicKeyInfo)):
            value = key.public_key().public_bytes(der, public)
            uid = self.client.register(PublicKey(enums.CryptographicAlgorithm.RSA, 2048, value, format_,
                                                 masks=[enums.CryptographicUsageMask.VERIFY], name=self.name()))
            self.assertEqual(load_public(self.client.get(uid)).public_numbers(), key.public_key().public_numbers())

    def test_signs_and_verifies(self):
        if not self.at_least("KMIP_1_2"):
            self.skipTest("Sign came with KMIP 1.2")
        public, private = self.make_pair()
        parameters = {"padding_method": enums.PaddingMethod.PKCS1v15, "hashing_algorithm": enums.HashingAlgorithm.SHA_256,
                      "cryptographic_algorithm": enums.CryptographicAlgorithm.RSA}
        signature = self.client.sign(b"message", private, parameters)
        load_public(self.client.get(public)).verify(signature, b"message", padding.PKCS1v15(), hashes.SHA256())
        verify = self.client.signature_verify
        self.assertEqual(verify(b"message", signature, public, parameters), enums.ValidityIndicator.VALID)
        self.assertEqual(verify(b"massage", signature, public, parameters), enums.ValidityIndicator.INVALID)

    def test_encrypts_with_a_public_key(self):
        if not self.at_least("KMIP_1_2"):
            self.skipTest("Encrypt came with KMIP 1.2")
        public, private = self.make_pair()
        parameters = {"padding_method": enums.PaddingMethod.OAEP, "hashing_algorithm": enums.HashingAlgorithm.SHA_256,
                      "cryptographic_algorithm": enums.CryptographicAlgorithm.RSA}
        data, _ = self.client.encrypt(b"a key", public, parameters)
        self.assertEqual(self.client.decrypt(data, private, parameters), b"a key")

    def test_replaces_a_key_pair(self):
        if not "KMIP_1_1" <= self.version < "KMIP_2_0":
            self.skipTest("PyKMIP sends Re-key Key Pair as KMIP 1.1 to 1.4 have it")
        public, private = self.make_pair()
        result = self.client.proxy.rekey_key_pair(private_key_uuid=core_attributes.PrivateKeyUniqueIdentifier(private))
        self.assertEqual(result.result_status.value, enums.ResultStatus.SUCCESS)
        new = result.private_key_uuid
        self.assertNotEqual(getattr(new, "value", new), private)

    # --- other objects

    def test_registers_a_certificate_and_gets_it_back(self):
        value = self_signed_certificate()
        uid = self.client.register(X509Certificate(value, name=self.name()))
        got = self.client.get(uid)
        self.assertEqual((type(got), got.value), (X509Certificate, value))

    def test_registers_an_opaque_object_and_gets_it_back(self):
        uid = self.client.register(OpaqueObject(b"whatever", enums.OpaqueDataType.NONE, name=self.name()))
        self.assertEqual(self.client.get(uid).value, b"whatever")
        self.client.destroy(uid)

    def test_registers_a_split_key_and_gets_it_back(self):
        part = SplitKey(enums.CryptographicAlgorithm.AES, 128, bytes(range(16)),
                        [enums.CryptographicUsageMask.ENCRYPT], self.name(), split_key_parts=3, key_part_identifier=1,
                        split_key_threshold=2, split_key_method=enums.SplitKeyMethod.POLYNOMIAL_SHARING_GF_2_8)
        got = self.client.get(self.client.register(part))
        self.assertEqual((type(got), got.value), (SplitKey, bytes(range(16))))
        self.assertEqual((got.split_key_parts, got.key_part_identifier, got.split_key_threshold), (3, 1, 2))

    # --- derived keys

    def derive(self, base, method, parameters, length=128):
        return self.client.get(self.client.derive_key(
            enums.ObjectType.SYMMETRIC_KEY, [base], method, parameters, cryptographic_length=length,
            cryptographic_algorithm=enums.CryptographicAlgorithm.AES,
            cryptographic_usage_mask=[enums.CryptographicUsageMask.ENCRYPT])).value

    def test_derives_keys(self):
        material = os.urandom(32)
        base = self.client.register(SymmetricKey(enums.CryptographicAlgorithm.AES, 256, material,
                                                 masks=[enums.CryptographicUsageMask.DERIVE_KEY], name=self.name()))
        self.client.activate(base)
        hashing = {"cryptographic_parameters": {"hashing_algorithm": enums.HashingAlgorithm.SHA_256}}
        hashed = self.derive(base, enums.DerivationMethod.HASH, hashing)
        self.assertEqual(hashed, hashlib.sha256(material).digest()[:16])
        stretched = self.derive(base, enums.DerivationMethod.PBKDF2,
                                {**hashing, "salt": b"saltsalt", "iteration_count": 1000})
        self.assertEqual(stretched, hashlib.pbkdf2_hmac("sha256", material, b"saltsalt", 1000, 16))

    # --- the rest

    def test_locates_in_pages(self):
        if not self.at_least("KMIP_1_3"):
            self.skipTest("Offset Items came with KMIP 1.3")
        factory = AttributeFactory()
        wanted = factory.create_attribute(enums.AttributeType.OBJECT_GROUP, self.name())
        made = set()
        for _ in range(3):
            result = self.client.proxy.create(enums.ObjectType.SYMMETRIC_KEY, core_objects.TemplateAttribute(attributes=[
                factory.create_attribute(enums.AttributeType.CRYPTOGRAPHIC_ALGORITHM,
                                         enums.CryptographicAlgorithm.AES),
                factory.create_attribute(enums.AttributeType.CRYPTOGRAPHIC_LENGTH, 128),
                factory.create_attribute(enums.AttributeType.CRYPTOGRAPHIC_USAGE_MASK,
                                         [enums.CryptographicUsageMask.ENCRYPT]), wanted]))
            made.add(result.uuid)
        pages = [self.client.locate(maximum_items=1, offset_items=n, attributes=[wanted]) for n in range(4)]
        self.assertEqual([len(p) for p in pages], [1, 1, 1, 0])
        self.assertEqual({uid for p in pages for uid in p}, made)

    def test_asks_what_the_server_is(self):
        functions = [enums.QueryFunction.QUERY_OPERATIONS, enums.QueryFunction.QUERY_OBJECTS,
                     enums.QueryFunction.QUERY_SERVER_INFORMATION]
        if self.at_least("KMIP_1_1"):
            functions.append(enums.QueryFunction.QUERY_EXTENSION_LIST)
        if self.at_least("KMIP_1_3"):
            functions += [enums.QueryFunction.QUERY_RNGS, enums.QueryFunction.QUERY_PROFILES,
                          enums.QueryFunction.QUERY_CAPABILITIES,
                          enums.QueryFunction.QUERY_CLIENT_REGISTRATION_METHODS]
        # Not those of 2.0: PyKMIP 0.10 wants defaults where there are none, and reads the storage protection masks
        # without the structure around them.
        result = self.client.proxy.query(query_functions=functions)
        self.assertEqual(result.result_status.value, enums.ResultStatus.SUCCESS)
        self.assertIn(enums.Operation.CREATE, result.operations)
        self.assertIn(enums.ObjectType.SYMMETRIC_KEY, result.object_types)
        if self.at_least("KMIP_1_1"):
            versions = self.client.proxy.discover_versions().protocol_versions
            self.assertIn((1, 1), [(v.major, v.minor) for v in versions])

    def test_modifies_and_deletes_an_attribute(self):
        uid = self.create(self.name())
        renamed = self.name()
        if self.at_least("KMIP_2_0"):
            self.client.set_attribute(uid, attribute_name="Sensitive", attribute_value=True)
            got = self.client.get_attributes(uid, ["Sensitive"])[1]
            self.assertTrue(got[0].attribute_value.value)
            return
        attribute = AttributeFactory().create_attribute(enums.AttributeType.NAME, renamed, 0)
        self.client.modify_attribute(uid, attribute=attribute)
        wanted = AttributeFactory().create_attribute(enums.AttributeType.NAME, renamed)
        self.assertEqual(self.client.locate(attributes=[wanted]), [uid])
        self.client.delete_attribute(uid, attribute_name="Name", attribute_index=0)
        self.assertEqual(self.client.locate(attributes=[wanted]), [])


for _version in ("KMIP_1_0", "KMIP_1_1", "KMIP_1_2", "KMIP_1_3", "KMIP_1_4", "KMIP_2_0"):
    globals()[_version] = type(_version, (Versions, unittest.TestCase), {"version": _version})

if __name__ == "__main__":
    unittest.main()

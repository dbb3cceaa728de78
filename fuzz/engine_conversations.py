#!/usr/bin/python3
"""Writes seeds of corpus/engine that are conversations: what one message answers, the next one uses.

    fuzz/engine_conversations.py fuzz/corpus/engine

engine_key.h says how an input names what only the running engine knows. Beside engine_seeds.cc, which makes single
messages with the product's own encoder; here speaks the encoder of the tests, so that the two cannot err alike. Made by
us: no published conversation is copied.
"""
import base64
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

from support import ttlv  # noqa: E402
from support.kmip_client import VOCABULARY, identity_extension, item, mask, message  # noqa: E402
from support.ttlv import Item, Type  # noqa: E402

KEY = "00000000-0000-4000-8000-000000000000"
CORRELATION = b"correlation-----"
BOB, ROOT, MINUTE, DAY = 1, 2, 4, 8


def answered(n):
    """The n-th identifier that the conversation was answered."""
    return KEY[:-2] + f"{n:02x}"


def text(name, value):
    return item(name, value, Type.TEXT_STRING)


def uid(value, name="UniqueIdentifier"):
    return text(name, value)


def name(value):
    return item("Name", [text("NameValue", value), item("NameType", "UninterpretedTextString")])


def attributes(*members, tag="Attributes"):
    return item(tag, list(members))


def made(name):
    """A certificate or a request of src/crypto/certificates_for_test.h, made with the openssl command."""
    header = pathlib.Path(__file__).resolve().parents[1] / "src/crypto/certificates_for_test.h"
    text = re.search(rf"\b{name} =((?:\s*\"[^\"]*\")+);", header.read_text("utf-8")).group(1)
    return base64.b64decode("".join(re.findall(r'"([^"]*)"', text)))


def certificate(der):
    return item("Certificate", [item("CertificateType", "X_509"), item("CertificateValue", der)])


def reference(tag):
    return Item(VOCABULARY.tags["AttributeReference"], Type.ENUMERATION, VOCABULARY.tags[tag])


def date(tag, value):
    return item(tag, value, Type.DATE_TIME)


def parameters(**members):
    return item("CryptographicParameters", [item(k, v) for k, v in members.items()])


def symmetric(usage=("Encrypt", "Decrypt"), algorithm="AES", length=128, *more):
    return [item("ObjectType", "SymmetricKey"),
            attributes(item("CryptographicAlgorithm", algorithm), item("CryptographicLength", length),
                       item("CryptographicUsageMask", mask(*usage)), date("ActivationDate", 1_600_000_000), *more)]


def pair(algorithm="EC", length=256, private=("Sign",), public=("Verify",)):
    domain = [item("CryptographicDomainParameters", [item("RecommendedCurve", "P_256")])] if algorithm != "RSA" else []
    return [attributes(item("CryptographicAlgorithm", algorithm), item("CryptographicLength", length), *domain,
                       date("ActivationDate", 1_600_000_000), tag="CommonAttributes"),
            attributes(item("CryptographicUsageMask", mask(*private)), tag="PrivateKeyAttributes"),
            attributes(item("CryptographicUsageMask", mask(*public)), tag="PublicKeyAttributes")]


def revocation(code):
    return [item("RevocationReason", [item("RevocationReasonCode", code)]),
            date("CompromiseOccurrenceDate", 1_600_000_000)]


ECDSA = parameters(HashingAlgorithm="SHA_256", DigitalSignatureAlgorithm="ECDSAWithSHA256")
OAEP = parameters(PaddingMethod="OAEP", HashingAlgorithm="SHA_256")
CBC = parameters(BlockCipherMode="CBC", PaddingMethod="PKCS5")
HMAC = parameters(CryptographicAlgorithm="HMAC_SHA256")

# name: [(flags, [(operation, payload)], more header fields)]; flags None: no byte in front.
TALKS = {
    "pair-signs": [
        (None, [("CreateKeyPair", pair())]),
        (None, [("Sign", [uid(answered(1)), ECDSA, item("Data", b"message")])]),
        (None, [("SignatureVerify", [uid(answered(2)), ECDSA, item("Data", b"message"),
                                     item("SignatureData", bytes(64))])]),
        (None, [("Sign", [uid(answered(1)), ECDSA, item("Data", b"mess"), item("InitIndicator", True)])]),
        (None, [("Sign", [uid(answered(1)), item("Data", b"age"), item("CorrelationValue", CORRELATION),
                          item("FinalIndicator", True)])]),
        (None, [("GetAttributes", [uid(answered(1))]), ("Get", [uid(answered(2)), item("KeyFormatType", "X_509")])]),
    ],
    "pair-agrees": [
        (None, [("CreateKeyPair", pair(private=("DeriveKey",), public=("DeriveKey",)))]),
        (None, [("DeriveKey", [item("ObjectType", "SymmetricKey"), uid(answered(1)), uid(answered(2)),
                               item("DerivationMethod", "AsymmetricKey"), item("DerivationParameters", []),
                               *symmetric()[1:]])]),
    ],
    "rsa-encrypts": [
        (None, [("CreateKeyPair", pair("RSA", 2048, ("Decrypt",), ("Encrypt",)))]),
        (None, [("Encrypt", [uid(answered(2)), OAEP, item("Data", bytes(32))])]),
        (None, [("Decrypt", [uid(answered(1)), OAEP, item("Data", bytes(256))])]),
    ],
    "pair-is-replaced": [
        (None, [("CreateKeyPair", pair())]),
        (MINUTE, [("ReKeyKeyPair", [uid(answered(1), "PrivateKeyUniqueIdentifier"),
                                    item("Offset", 60, Type.INTERVAL)])]),
    ],
    "pair-in-every-format": [
        (None, [("CreateKeyPair", pair())]),
        *[(None, [("Get", [uid(answered(1)), item("KeyFormatType", form)])])
          for form in ("Raw", "PKCS_1", "PKCS_8", "ECPrivateKey", "TransparentECPrivateKey", "PKCS_12")],
        *[(None, [("Get", [uid(answered(2)), item("KeyFormatType", form), item("KeyCompressionType", point)])])
          for form, point in (("Raw", "ECPublicKeyTypeUncompressed"),
                              ("X_509", "ECPublicKeyTypeX9_62CompressedPrime"),
                              ("TransparentECPublicKey", "ECPublicKeyTypeX9_62Hybrid"),
                              ("PKCS_1", "ECPublicKeyTypeX9_62CompressedChar2"))],
    ],
    "rsa-in-every-format": [
        (None, [("CreateKeyPair", pair("RSA", 512, ("Decrypt",), ("Encrypt",)))]),
        *[(None, [("Get", [uid(answered(who)), item("KeyFormatType", form)])])
          for who, form in ((1, "PKCS_8"), (1, "TransparentRSAPrivateKey"), (2, "X_509"), (2, "TransparentRSAPublicKey"))],
    ],
    # A container that PKCS#12 Password Links open; what comes back is registered by the fuzzer's mutations.
    "pair-in-a-container": [
        (None, [("Register", [item("ObjectType", "SecretData"),
                              attributes(date("ActivationDate", 1_600_000_000)),
                              item("SecretData", [item("SecretDataType", "Password"), item("KeyBlock", [
                                  item("KeyFormatType", "Opaque"),
                                  item("KeyValue", [item("KeyMaterial", b"sesame")])])])])]),
        (None, [("CreateKeyPair", [*pair()[:1], attributes(
            item("CryptographicUsageMask", mask("Sign")),
            item("Link", [item("LinkType", "PKCS_12PasswordLink"), text("LinkedObjectIdentifier", answered(1))]),
            tag="PrivateKeyAttributes")])]),
        (None, [("Get", [uid(answered(2)), item("KeyFormatType", "PKCS_12")])]),
        (None, [("Register", [item("ObjectType", "PrivateKey"), attributes(
            item("Link", [item("LinkType", "PKCS_12PasswordLink"), text("LinkedObjectIdentifier", answered(1))])),
            item("PrivateKey", [item("KeyBlock", [
                item("KeyFormatType", "PKCS_12"),
                item("KeyValue", [item("KeyMaterial", bytes.fromhex(
                    "303202010330 2d06092a864886f70d010701a020041e301c301a06092a864886f70d010706a00d300b020100300606042a030405"
                    .replace(" ", "")))])])])])]),
    ],
    "numbers-are-registered": [
        *[(None, [("Register", [item("ObjectType", kind), attributes(item("CryptographicUsageMask", mask("Sign"))),
                                item(kind, [item("KeyBlock", [
                                    item("KeyFormatType", form),
                                    item("KeyValue", [item("KeyMaterial", [item(n, v, Type.BIG_INTEGER) for n, v in numbers])])
                                ])])])])
          for kind, form, numbers in (
              ("PrivateKey", "TransparentRSAPrivateKey", (("Modulus", 3233), ("PrivateExponent", 2753), ("PublicExponent", 17))),
              ("PrivateKey", "TransparentRSAPrivateKey", (("Modulus", 3233), ("PublicExponent", 17), ("P", 61), ("Q", 53))),
              ("PublicKey", "TransparentRSAPublicKey", (("Modulus", 2 ** 511 + 187), ("PublicExponent", 65537))),
              ("PrivateKey", "TransparentDSAPrivateKey", (("P", 2 ** 511 + 111), ("Q", 2 ** 159 + 19), ("G", 2), ("X", 5))),
              ("PublicKey", "TransparentDHPublicKey", (("P", 2 ** 511 + 111), ("G", 2), ("Y", 32))))],
    ],
    "certificates": [
        (None, [("CreateKeyPair", pair())]),
        (None, [("Certify", [uid(answered(2)), attributes(name("cert"), item("CertificateType", "X_509"))])]),
        (None, [("ReCertify", [uid(answered(3)), item("Offset", 60, Type.INTERVAL)])]),
        (None, [("Validate", [uid(answered(3))])]),
        (None, [("Get", [uid(answered(3))]), ("GetAttributes", [uid(answered(3))])]),
        (None, [("Register", [item("ObjectType", "Certificate"), attributes(),
                              item("Certificate", [item("CertificateType", "X_509"),
                                                   item("CertificateValue", bytes.fromhex("3003020101"))])])]),
    ],
    "certificate-requests": [
        (None, [("Certify", [item("CertificateRequestType", "PKCS_10"),
                             item("CertificateRequestValue", made("kClientRequest")), attributes(name("cert"))])]),
        (None, [("Register", [item("ObjectType", "CertificateRequest"), attributes(),
                              item("CertificateRequest", [
                                  item("CertificateRequestType", "PKCS_10"),
                                  item("CertificateRequestValue", made("kClientRequest"))])])]),
        (None, [("Certify", [uid(answered(2))])]),
        (None, [("ReCertify", [uid(answered(1)), uid(answered(2), "CertificateRequestUniqueIdentifier")])]),
        (None, [("Certify", [item("CertificateRequestType", "PKCS_10"),
                             item("CertificateRequestValue", made("kRequest"))])]),
    ],
    "certificate-chains": [
        *[(None, [("Register", [item("ObjectType", "Certificate"), attributes(), certificate(made(name))])])
          for name in ("kLeaf", "kInter", "kEverything")],
        (None, [("GetAttributes", [uid(answered(1))]), ("GetAttributes", [uid(answered(3))])]),
        (None, [("Validate", [certificate(made("kRoot")), uid(answered(1)), uid(answered(2))])]),
        (None, [("Validate", [certificate(made("kRogue")), certificate(made("kExpired")), uid(answered(1)),
                              date("ValidityDate", 1_600_000_000)])]),
        (None, [("Locate", [attributes(text("CertificateSubjectOU", "Two"))])]),
        (None, [("Get", [uid(answered(1)), item("KeyFormatType", "X_509")])]),
        (None, [("Encrypt", [uid(answered(3)), OAEP, item("Data", bytes(16))])]),
    ],
    "derived": [
        (None, [("Create", symmetric(("DeriveKey",)))]),
        *[(None, [("DeriveKey", [item("ObjectType", "SymmetricKey"), uid(answered(1)),
                                 item("DerivationMethod", method),
                                 item("DerivationParameters", [inner, *more]), *symmetric()[1:]])])
          for method, inner, more in (
              ("HMAC", HMAC, [item("DerivationData", b"label")]),
              ("HASH", parameters(HashingAlgorithm="SHA_256"), []),
              ("PBKDF2", HMAC, [item("Salt", b"saltsalt"), item("IterationCount", 2)]),
              ("ENCRYPT", CBC, [item("InitializationVector", bytes(16)), item("DerivationData", bytes(16))]),
              ("NIST800_108_C", HMAC, [item("DerivationData", b"label")]))],
    ],
    "split-and-joined": [
        *[(None, [("CreateSplitKey", [item("ObjectType", "SplitKey"), uid(KEY), item("SplitKeyParts", 3),
                                      item("SplitKeyThreshold", threshold), item("SplitKeyMethod", method),
                                      *symmetric()[1:]])])
          for method, threshold in (("XOR", 3), ("PolynomialSharingGF2_8", 2), ("PolynomialSharingGF2_16", 2))],
        (None, [("JoinSplitKey", [item("ObjectType", "SymmetricKey"), *[uid(answered(n)) for n in (1, 2, 3)],
                                  *symmetric()[1:]])]),
        (None, [("JoinSplitKey", [item("ObjectType", "SecretData"), uid(answered(5)), uid(answered(4)),
                                  item("SecretDataType", "Password")])]),
    ],
    "streams": [
        (None, [("Create", symmetric(("MACGenerate", "MACVerify", "Encrypt"), "AES", 256))]),
        (None, [("MAC", [uid(answered(1)), parameters(BlockCipherMode="CMAC"), item("Data", b"a" * 20),
                         item("InitIndicator", True)])]),
        (None, [("MAC", [uid(answered(1)), item("Data", b"b"), item("CorrelationValue", CORRELATION),
                         item("FinalIndicator", True)])]),
        (None, [("Hash", [parameters(HashingAlgorithm="SHA_256"), item("Data", b"a"),
                          item("InitIndicator", True)])]),
        (None, [("Hash", [parameters(HashingAlgorithm="SHA_256"), item("Data", b"b"),
                          item("CorrelationValue", CORRELATION), item("FinalIndicator", True)])]),
        (None, [("Encrypt", [uid(answered(1)), CBC, item("Data", b"a" * 20), item("IVCounterNonce", bytes(16)),
                             item("InitIndicator", True)])]),
        (MINUTE, [("Encrypt", [uid(answered(1)), item("Data", b"b"), item("CorrelationValue", CORRELATION),
                               item("FinalIndicator", True)])]),
    ],
    "mac-is-verified": [
        (None, [("Create", symmetric(("MACGenerate", "MACVerify"), "HMAC_SHA256", 256))]),
        (None, [("MACVerify", [uid(answered(1)), HMAC, item("Data", b"a"), item("MACData", bytes(32))])]),
    ],
    "leases-and-allowances": [
        (None, [("Create", symmetric(("Encrypt",), "AES", 128, item("UsageLimits", [
            item("UsageLimitsTotal", 100, Type.LONG_INTEGER), item("UsageLimitsUnit", "Byte")])))]),
        (None, [("ObtainLease", [uid(answered(1))]),
                ("GetUsageAllocation", [uid(answered(1)), item("UsageLimitsCount", 60, Type.LONG_INTEGER)]),
                ("Check", [uid(answered(1)), item("UsageLimitsCount", 60, Type.LONG_INTEGER)])]),
        (DAY, [("Encrypt", [uid(answered(1)), parameters(BlockCipherMode="ECB"), item("Data", bytes(64))])]),
    ],
    "archived": [
        (None, [("Create", symmetric()), ("Archive", []), ("Get", []), ("Recover", []), ("Get", [])]),
        (None, [("Locate", [item("StorageStatusMask", 2), attributes(item("ObjectType", "SymmetricKey"))])]),
    ],
    "exported-and-imported": [
        (None, [("Create", symmetric()), ("Export", [uid(answered(1))])]),
        (None, [("Export", [uid(answered(1))])]),
        (None, [("Import", [uid("a-key-of-elsewhere"), item("ObjectType", "SymmetricKey"),
                            item("ReplaceExisting", True),
                            attributes(item("CryptographicAlgorithm", "AES"), item("CryptographicLength", 128),
                                       item("CryptographicUsageMask", 12), item("State", "Compromised"),
                                       date("InitialDate", 1)),
                            item("SymmetricKey", [item("KeyBlock", [
                                item("KeyFormatType", "Raw"), item("KeyValue", [item("KeyMaterial", bytes(16))]),
                                item("CryptographicAlgorithm", "AES"), item("CryptographicLength", 128)])])])]),
    ],
    "found-in-pages": [
        (None, [("Create", symmetric(("Encrypt",), "AES", 128, text("ObjectGroup", "g"), name("n1")))]),
        (None, [("Create", symmetric(("Encrypt",), "AES", 128, text("ObjectGroup", "g"), name("n2")))]),
        (None, [("Locate", [item("MaximumItems", 1), item("OffsetItems", 1), item("ObjectGroupMember",
                                                                                 "GroupMemberFresh"),
                            attributes(text("ObjectGroup", "g"), date("InitialDate", 1), date("InitialDate", 2**60))])]),
        (BOB, [("Locate", [attributes(text("ObjectGroup", "g"))]), ("Get", [])]),
        (ROOT, [("Locate", [attributes(text("ObjectGroup", "g"))]), ("GetAttributes", [uid(answered(1))])]),
    ],
    "other-objects": [
        (None, [("Register", [item("ObjectType", "OpaqueObject"), attributes(),
                              item("OpaqueObject", [item("OpaqueDataType", 0x80000001, Type.ENUMERATION),
                                                    item("OpaqueDataValue", b"opaque")])])]),
        (None, [("Register", [item("ObjectType", "SecretData"),
                              attributes(item("CryptographicUsageMask", mask("DeriveKey"))),
                              item("SecretData", [item("SecretDataType", "Password"), item("KeyBlock", [
                                  item("KeyFormatType", "Opaque"),
                                  item("KeyValue", [item("KeyMaterial", b"sesame")])])])])]),
        (None, [("Register", [item("ObjectType", "PGPKey"), attributes(),
                              item("PGPKey", [item("PGPKeyVersion", 4), item("KeyBlock", [
                                  item("KeyFormatType", "Raw"),
                                  item("KeyValue", [item("KeyMaterial", bytes.fromhex("99000304"))])])])])]),
        (None, [("Register", [item("ObjectType", "PrivateKey"),
                              attributes(item("CryptographicUsageMask", mask("Sign"))),
                              item("PrivateKey", [item("KeyBlock", [
                                  item("KeyFormatType", "TransparentECPrivateKey"),
                                  item("KeyValue", [item("KeyMaterial", [
                                      item("RecommendedCurve", "P_256"), item("D", 12345, Type.BIG_INTEGER)])]),
                                  item("CryptographicAlgorithm", "EC"), item("CryptographicLength", 256)])])])]),
    ],
    "asynchronous": [
        (None, [("Create", symmetric())], [item("AsynchronousIndicator", 1, Type.ENUMERATION)]),
        (None, [("Poll", [item("AsynchronousCorrelationValue", CORRELATION)])]),
        (None, [("QueryAsynchronousRequests", [])]),
        (None, [("Cancel", [item("AsynchronousCorrelationValue", CORRELATION)])]),
        (BOB, [("Poll", [item("AsynchronousCorrelationValue", CORRELATION)]),
               ("Process", [item("AsynchronousCorrelationValue", CORRELATION)])]),
    ],
    "sessions": [
        (None, [("Login", [item("LeaseTime", 60, Type.INTERVAL), item("RequestCount", 3)])]),
        (None, [("DelegatedLogin", [item("RequestCount", 1), item("Rights", [item("Right", [
            item("UsageLimits", [item("UsageLimitsTotal", 9, Type.LONG_INTEGER),
                                 item("UsageLimitsUnit", "Object")])])])])]),
        (None, [("Logout", [item("Ticket", [item("TicketType", "Login"), item("TicketValue", bytes(16))])])]),
        (None, [("Ping", [])], [item("Authentication", [item("Credential", [
            item("CredentialType", "UsernameAndPassword"),
            item("CredentialValue", [text("Username", "alice"), text("Password", "secret")])])])]),
        (None, [("Ping", [])], [item("Authentication", [item("Credential", [
            item("CredentialType", "Ticket"),
            item("CredentialValue", [item("Ticket", [item("TicketType", "Login"),
                                                     item("TicketValue", CORRELATION)])])])])]),
    ],
    "administration": [
        (ROOT, [("Log", [text("LogMessage", "here I was")]), ("Ping", []),
                ("Interop", [item("InteropFunction", "Begin"), text("InteropIdentifier", "seed")])]),
        (ROOT, [("SetDefaults", [item("DefaultsInformation", [item("ObjectDefaults", [
            item("ObjectTypes", [item("ObjectType", "SymmetricKey")]),
            attributes(item("CryptographicAlgorithm", "AES"), item("CryptographicLength", 256))])])])]),
        (ROOT, [("SetConstraints", [item("Constraints", [item("Constraint", [
            item("ObjectTypes", [item("ObjectType", "SymmetricKey")]),
            attributes(item("CryptographicAlgorithm", "AES"), item("CryptographicLength", 256))])])])]),
        (ROOT, [("GetConstraints", []), ("Query", [item("QueryFunction", "QueryDefaultsInformation")])]),
        (None, [("Create", symmetric())]),
        (None, [("SetEndpointRole", [item("EndpointRole", "Server")]), ("ReProvision", [])]),
    ],
    "asked": [
        (None, [("Query", [item("QueryFunction", n, Type.ENUMERATION) for n in range(1, 16)])]),
        (None, [("DiscoverVersions", [item("ProtocolVersion", [item("ProtocolVersionMajor", 2),
                                                               item("ProtocolVersionMinor", 1)])])]),
        (None, [("RNGSeed", [item("Data", bytes(32))]), ("RNGRetrieve", [item("DataLength", 8)])]),
    ],
    "pkcs11": [
        (None, [("PKCS_11", [item("PKCS_11Function", 1, Type.ENUMERATION), item("PKCS_11InputParameters", b"\1")])]),
        *[(None, [("PKCS_11", [item("PKCS_11Function", n, Type.ENUMERATION),
                               item("CorrelationValue", CORRELATION)])]) for n in (3, 13, 2, 3)],
    ],
    "wrapped": [
        (None, [("Create", symmetric(("WrapKey", "UnwrapKey"), "AES", 256)), ("Create", symmetric())]),
        *[(None, [("Get", [uid(answered(2)), item("KeyWrappingSpecification", [
            item("WrappingMethod", "Encrypt"),
            item("EncryptionKeyInformation", [uid(answered(1)), parameters(BlockCipherMode=mode)]),
            item("EncodingOption", encoding)])])])
          for mode, encoding in (("NISTKeyWrap", "NoEncoding"), ("AESKeyWrapPadding", "TTLVEncoding"),
                                 ("GCM", "NoEncoding"), ("CBC", "NoEncoding"))],
    ],
    "repeated": [
        *[(flags, [("Create", symmetric(), identity_extension(b"identity of a Create"))]) for flags in (0, 0, BOB, DAY, 0)],
        (None, [("Create", symmetric(length=256), identity_extension(b"identity of a Create", critical=True))]),
        *[(None, [("Create", symmetric(), identity_extension(bytes(16))),
                  ("Activate", [], identity_extension(bytes(64), critical=True)),
                  ("Get", [], identity_extension(bytes(63)))])] * 2,
        (None, [("Revoke", [uid(answered(1)), *revocation("KeyCompromise")], identity_extension(b"identity of Revoke"))]),
        (None, [("Create", symmetric(), identity_extension(bytes(15)), identity_extension(bytes(65)))]),
        (None, [("Create", symmetric(), identity_extension(bytes(16)), identity_extension(bytes(17)))]),
    ],
    "life": [
        (None, [("Create", symmetric())]),
        (None, [("ModifyAttribute", [uid(answered(1)), item("NewAttribute", [date("DeactivationDate", 1_700_000_050)])]),
                ("SetAttribute", [uid(answered(1)), item("NewAttribute", [item("Sensitive", True)])]),
                ("AdjustAttribute", [uid(answered(1)), reference("CryptographicUsageMask"),
                                     item("AdjustmentType", "Increment")]),
                ("DeleteAttribute", [uid(answered(1)), reference("Name")])]),
        (MINUTE, [("Encrypt", [uid(answered(1)), CBC, item("Data", b"late"), item("IVCounterNonce", bytes(16))]), ("ReKey", [uid(answered(1))])]),
        (None, [("Revoke", [uid(answered(1)), *revocation("KeyCompromise")]), ("Destroy", [uid(answered(1))]),
                ("Get", [uid(answered(1))])]),
    ],
}


def draft(talk):
    """The same in 3.0: no Batch Count, identifiers under a type of their own."""
    data = b""
    for flags, batch, *header in talk:
        request = message(batch, (3, 0), *header)
        head = request.value[0]
        head.value = [m for m in head.value if m.tag != VOCABULARY.tags["BatchCount"]]
        for batch_item in request.children(VOCABULARY.tags["BatchItem"]):
            batch_item.value = [m for m in batch_item.value if m.tag != VOCABULARY.tags["UniqueBatchItemID"]]
        encoded = bytearray(ttlv.encode(request))
        identifier = VOCABULARY.tags["UniqueIdentifier"].to_bytes(3, "big")
        for at in range(0, len(encoded) - 8, 8):
            if encoded[at:at + 4] == identifier + b"\x07":
                encoded[at + 3] = 0x0C
        data += (b"" if flags is None else bytes([flags])) + encoded
    return data


def encode(talk):
    data = b""
    for flags, batch, *header in talk:
        data += (b"" if flags is None else bytes([flags])) + ttlv.encode(message(batch, (2, 1), *header))
    return data


def main():
    folder = pathlib.Path(sys.argv[1])
    for title, talk in TALKS.items():
        (folder / f"talk-{title}-2.1").write_bytes(encode(talk))
    for title in ("life", "asked", "found-in-pages"):
        (folder / f"talk-{title}-3.0").write_bytes(draft(TALKS[title]))


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""What devices send, message by message: a storage appliance, a firewall, databases, an object gateway, and the C and
C++ clients that databases build upon (libkmip, kmippp, kmipclient).

The conversations are ours, written from what is known of each kind of client: the version it speaks, its operations and
their order, and its habits (fields that its version does not need or does not know). Each habit that once was refused
has a test that says so.
"""
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture  # noqa: E402
from support.kmip_client import (VOCABULARY, KmipFailure, attribute, item, mask, message, name_attribute,  # noqa: E402
                                 results, uid)
from support.ttlv import Item, Type  # noqa: E402

ENCRYPT_AND_DECRYPT = mask("Encrypt", "Decrypt")


def text(name, value):
    return item(name, value, Type.TEXT_STRING)


def template(*attributes):
    return item("TemplateAttribute", list(attributes))


def indexed(name, value, type_=None, index=0):
    """An Attribute with an explicit Attribute Index, which clients of 1.0 like to send."""
    structure = attribute(name, value, type_)
    structure.value.insert(1, item("AttributeIndex", index))
    return structure


def aes(*more, length=256):
    return template(attribute("Cryptographic Algorithm", "AES"), attribute("Cryptographic Length", length),
                    attribute("Cryptographic Usage Mask", ENCRYPT_AND_DECRYPT), *more)


def secret_data(value, format_="Raw"):
    return item("SecretData", [item("SecretDataType", "Password"), item("KeyBlock", [
        item("KeyFormatType", format_), item("KeyValue", [item("KeyMaterial", value)])])])


def symmetric_key(value):
    return item("SymmetricKey", [item("KeyBlock", [
        item("KeyFormatType", "Raw"), item("KeyValue", [item("KeyMaterial", value)]),
        item("CryptographicAlgorithm", "AES"), item("CryptographicLength", 8 * len(value))])])


def revocation(reason, message_=None):
    members = [item("RevocationReasonCode", reason)]
    if message_ is not None:
        members.append(text("RevocationMessage", message_))
    return item("RevocationReason", members)


class Device(fixture.KmsTest):
    """A device speaks one version and begins every message with the same header."""

    version = None
    header = ()

    def setUp(self):
        super().setUp()
        self.connection = self.client()

    def call(self, operation, *payload):
        return self.connection.call(operation, payload, self.version, self.header)

    def batch(self, *items):
        return self.connection.batch(items, self.version, self.header)

    def refused(self, operation, *payload):
        with self.assertRaises(KmipFailure) as caught:
            self.call(operation, *payload)
        return caught.exception.reason

    def state(self, identifier):
        value = self.call("GetAttributes", uid(identifier), text("AttributeName", "State")).attributes()["State"][0]
        return VOCABULARY.enum_name(VOCABULARY.tags["State"], value)


class StorageAppliance(Device):
    """KMIP 1.2; a disk's pass phrase as Secret Data with custom attributes."""

    version = (1, 2)

    def test_keeps_the_pass_phrase_of_a_disk(self):
        versions = self.call("DiscoverVersions").values("ProtocolVersion")
        self.assertIn([1, 2], [[member.value for member in v] for v in versions])
        answer = self.call("Query", item("QueryFunction", "QueryOperations"), item("QueryFunction", "QueryObjects"),
                           item("QueryFunction", "QueryServerInformation"))
        operations = {VOCABULARY.enum_name(VOCABULARY.tags["Operation"], v) for v in answer.values("Operation")}
        self.assertLessEqual({"Locate", "Register", "Activate", "ModifyAttribute", "GetAttributes", "Get", "Revoke",
                              "Destroy"}, operations)
        self.assertIn(VOCABULARY.enum_value(VOCABULARY.tags["ObjectType"], "SecretData"), answer.values("ObjectType"))

        serial = attribute("x-Disk-Serial", "S3Z8NB0K", Type.TEXT_STRING)
        self.assertEqual(self.call("Locate", serial).values("UniqueIdentifier"), [])
        identifier = self.call(
            "Register", item("ObjectType", "SecretData"),
            template(attribute("Cryptographic Usage Mask", mask("Verify")), name_attribute("appliance-1/disk-7"),
                     serial, attribute("x-Shelf", 3)),
            secret_data(b"correct horse battery staple", "Opaque")).value("UniqueIdentifier")
        self.call("Activate", uid(identifier))
        self.assertEqual(self.state(identifier), "Active")
        self.call("ModifyAttribute", uid(identifier), attribute("x-Shelf", 4))
        got = self.call("GetAttributes", uid(identifier), text("AttributeName", "x-Shelf"),
                        text("AttributeName", "x-Disk-Serial"), text("AttributeName", "Object Type")).attributes()
        self.assertEqual((got["x-Shelf"], got["x-Disk-Serial"]), ([4], ["S3Z8NB0K"]))
        self.assertEqual(self.call("Locate", serial).values("UniqueIdentifier"), [identifier])
        answer = self.call("Get", uid(identifier))
        self.assertEqual(answer.value("SecretData", "KeyBlock", "KeyValue", "KeyMaterial"),
                         b"correct horse battery staple")
        self.call("Revoke", uid(identifier), revocation("CessationOfOperation"))
        self.call("Destroy", uid(identifier))
        self.assertEqual(self.refused("Get", uid(identifier)), "ItemNotFound")

    def test_asks_the_same_in_one_batch(self):
        answers = self.batch(
            ("Register", [item("ObjectType", "SecretData"),
                          template(attribute("Cryptographic Usage Mask", mask("Verify")),
                                   name_attribute("appliance-1/disk-8")), secret_data(b"sesame")]),
            ("Activate", []), ("GetAttributes", [text("AttributeName", "State")]), ("Get", []))
        self.assertEqual([a[1] for a in answers], ["Success"] * 4)
        self.assertEqual(answers[3][4].value("SecretData", "KeyBlock", "KeyValue", "KeyMaterial"), b"sesame")


class Firewall(Device):
    """KMIP 1.0, which has no Discover Versions; one AES key for its own store, found again by name."""

    version = (1, 0)
    header = (item("AsynchronousIndicator", False), item("BatchOrderOption", True))

    def test_makes_its_key_once_and_finds_it_after_each_boot(self):
        self.assertEqual(self.refused("DiscoverVersions"), "OperationNotSupported")
        self.call("Query", item("QueryFunction", "QueryOperations"), item("QueryFunction", "QueryObjects"))
        name = indexed("Name", [text("NameValue", "fw-0017"), item("NameType", "UninterpretedTextString")])
        created = self.call("Create", item("ObjectType", "SymmetricKey"), aes(name))
        identifier = created.value("UniqueIdentifier")
        self.call("Activate", uid(identifier))
        keys = set()
        for _ in range(2):
            answers = self.batch(("Locate", [item("MaximumItems", 1), attribute("Object Type", "SymmetricKey"),
                                             name_attribute("fw-0017")]), ("Get", []))
            self.assertEqual([a[1] for a in answers], ["Success", "Success"])
            self.assertEqual(answers[0][4].values("UniqueIdentifier"), [identifier])
            keys.add(answers[1][4].value("SymmetricKey", "KeyBlock", "KeyValue", "KeyMaterial"))
        self.assertEqual([len(k) for k in keys], [32])
        self.assertEqual(self.call("GetAttributeList", uid(identifier)).values("AttributeName").count("Name"), 1)


class Database11(Device):
    """KMIP 1.1: a master key in an object group; rotation makes a new one."""

    version = (1, 1)

    def test_rotates_its_master_key(self):
        group = attribute("Object Group", "db/tablespace", Type.TEXT_STRING)
        made = []
        for n in (1, 2):
            identifier = self.call("Create", item("ObjectType", "SymmetricKey"),
                                   aes(name_attribute(f"db-master-{n}"), group)).value("UniqueIdentifier")
            self.call("Activate", uid(identifier))
            made.append(identifier)
        found = self.call("Locate", group, attribute("Object Type", "SymmetricKey"), attribute("State", "Active"))
        self.assertEqual(sorted(found.values("UniqueIdentifier")), sorted(made))
        self.call("Revoke", uid(made[0]), revocation("Superseded", "rotated"))
        self.assertEqual(self.state(made[0]), "Deactivated")
        # What was written under the old key is still read.
        self.assertEqual(len(self.call("Get", uid(made[0])).value("SymmetricKey", "KeyBlock", "KeyValue",
                                                                  "KeyMaterial")), 32)
        found = self.call("Locate", group, attribute("State", "Active"))
        self.assertEqual(found.values("UniqueIdentifier"), made[1:])


class Database14(Device):
    """KMIP 1.4: brings its own key, asks for its state before every use, and lets the server wrap."""

    version = (1, 4)
    header = (text("ClientCorrelationValue", "mongod 42"),)

    def test_brings_a_key_and_watches_its_state(self):
        identifier = self.call("Register", item("ObjectType", "SymmetricKey"),
                               template(attribute("Cryptographic Usage Mask", ENCRYPT_AND_DECRYPT),
                                        attribute("Cryptographic Algorithm", "AES"),
                                        attribute("Cryptographic Length", 256)),
                               symmetric_key(bytes(range(32)))).value("UniqueIdentifier")
        self.assertEqual(self.state(identifier), "PreActive")
        self.call("Activate", uid(identifier))
        self.assertEqual(self.state(identifier), "Active")
        answer = self.call("Get", uid(identifier), item("KeyFormatType", "Raw"))
        self.assertEqual(answer.value("SymmetricKey", "KeyBlock", "KeyValue", "KeyMaterial"), bytes(range(32)))

    def test_lets_the_server_encrypt_its_data_key(self):
        identifier = self.call("Create", item("ObjectType", "SymmetricKey"), aes()).value("UniqueIdentifier")
        self.call("Activate", uid(identifier))
        parameters = item("CryptographicParameters", [item("BlockCipherMode", "CBC"), item("PaddingMethod", "PKCS5")])
        sealed = self.call("Encrypt", uid(identifier), parameters, item("Data", b"k" * 32),
                           item("IVCounterNonce", bytes(16)))
        opened = self.call("Decrypt", uid(identifier), parameters, item("Data", sealed.value("Data")),
                           item("IVCounterNonce", bytes(16)))
        self.assertEqual(opened.value("Data"), b"k" * 32)


class ObjectGateway(Device):
    """KMIP 1.1: keys made by an administrator, found by name for every object that is read."""

    version = (1, 1)

    def test_finds_a_key_by_name_and_gets_it(self):
        made = self.call("Create", item("ObjectType", "SymmetricKey"), aes(name_attribute("bucket-42")))
        identifier = made.value("UniqueIdentifier")
        for _ in range(3):
            found = self.call("Locate", name_attribute("bucket-42")).values("UniqueIdentifier")
            self.assertEqual(found, [identifier])
            answer = self.call("Get", uid(identifier))
            self.assertEqual(answer.enum("ObjectType"), "SymmetricKey")
            self.assertEqual(len(answer.value("SymmetricKey", "KeyBlock", "KeyValue", "KeyMaterial")), 32)
        self.assertEqual(self.call("Locate", name_attribute("bucket-43")).values("UniqueIdentifier"), [])


class CClient(Device):
    """libkmip and kmippp: KMIP 1.0 for most operations, with a Maximum Response Size of 8192 and a Time Stamp."""

    version = (1, 0)

    def setUp(self):
        super().setUp()
        self.header = (item("MaximumResponseSize", 8192), item("TimeStamp", int(time.time()), Type.DATE_TIME))

    def register(self, name, group="TestGroup", version=(1, 4)):
        return self.connection.call(
            "Register", [item("ObjectType", "SymmetricKey"),
                         aes(name_attribute(name), attribute("Object Group", group, Type.TEXT_STRING)),
                         symmetric_key(b"0123456789abcdef" * 2)], version, self.header).value("UniqueIdentifier")

    def test_walks_through_all_of_its_operations(self):
        identifier = self.register("c-client-key")
        self.assertEqual(self.call("Get", uid(identifier)).value("SymmetricKey", "KeyBlock", "KeyValue", "KeyMaterial"),
                         b"0123456789abcdef" * 2)
        names = self.call("GetAttributes", uid(identifier), text("AttributeName", "Name")).attributes()["Name"]
        self.assertEqual(names[0][0].value, "c-client-key")
        self.call("Activate", uid(identifier))
        # An empty Revocation Message, and an occurrence date whatever the reason is.
        self.call("Revoke", uid(identifier), revocation("CessationOfOperation", "stopped"))
        self.call("Destroy", uid(identifier))
        self.assertEqual(self.refused("Get", uid(identifier)), "ItemNotFound")

    def test_pages_through_locate_with_fields_of_later_versions(self):
        """Offset Items came with 1.3; kmippp sends it in 1.0, 16 objects at a time."""
        made = {self.register(f"c-client-{n}", "paged") for n in range(20)}
        wanted = [attribute("Object Type", "SymmetricKey"), attribute("Object Group", "paged", Type.TEXT_STRING)]
        found, total = [], 1
        while len(found) < total:
            offset = [item("OffsetItems", len(found))] if found else []
            answer = self.call("Locate", item("MaximumItems", 16), *offset, *wanted)
            page = answer.values("UniqueIdentifier")
            found += page
            total = answer.value("LocatedItems") or total + len(page) - (0 if page else 1)
        self.assertEqual((len(found), set(found)), (20, made))
        answer = self.call("Locate", item("MaximumItems", 16), item("OffsetItems", 16), *wanted)
        self.assertEqual((answer.value("LocatedItems"), len(answer.values("UniqueIdentifier"))), (20, 4))

    def test_an_answer_over_its_limit_is_refused_not_cut(self):
        self.header = (item("MaximumResponseSize", 256),)
        self.assertEqual(self.refused("Query", item("QueryFunction", "QueryOperations")), "ResponseTooLarge")


class CppClient(Device):
    """kmipclient of Percona in KMIP 2.0."""

    version = (2, 0)

    def test_registers_a_secret_with_usages_of_older_versions(self):
        """Derive Key and Export: 2.0 has no Export any more."""
        attributes = item("Attributes", [
            item("CryptographicUsageMask", mask("DeriveKey", "Export")),
            item("Name", [text("NameValue", "cpp-secret"), item("NameType", "UninterpretedTextString")]),
            text("ObjectGroup", "TestGroup")])
        identifier = self.call("Register", item("ObjectType", "SecretData"), attributes,
                               secret_data(b"secret")).value("UniqueIdentifier")
        self.call("Activate", uid(identifier))
        answer = self.call("Get", uid(identifier))
        self.assertEqual(answer.value("SecretData", "KeyBlock", "KeyValue", "KeyMaterial"), b"secret")
        reference = Item(VOCABULARY.tags["AttributeReference"], Type.ENUMERATION, VOCABULARY.tags["State"])
        got = self.call("GetAttributes", uid(identifier), reference)
        self.assertEqual(got.enum("Attributes", "State"), "Active")

    def test_discovers_versions_before_it_knows_any(self):
        response = self.connection.exchange(message([("DiscoverVersions", [])], (2, 1)))
        self.assertEqual(results(response)[0][1], "Success")

    def test_finds_and_pages_by_group(self):
        made = []
        for n in range(5):
            made.append(self.call("Create", item("ObjectType", "SymmetricKey"), item("Attributes", [
                item("CryptographicAlgorithm", "AES"), item("CryptographicLength", 256),
                item("CryptographicUsageMask", ENCRYPT_AND_DECRYPT), text("ObjectGroup", "cpp-paged"),
                item("Name", [text("NameValue", f"cpp-{n}"), item("NameType", "UninterpretedTextString")])])
            ).value("UniqueIdentifier"))
        wanted = item("Attributes", [item("ObjectType", "SymmetricKey"), text("ObjectGroup", "cpp-paged")])
        pages = [self.call("Locate", item("MaximumItems", 2), *([item("OffsetItems", at)] if at else []), wanted)
                 for at in (0, 2, 4)]
        self.assertEqual(sorted(i for p in pages for i in p.values("UniqueIdentifier")), sorted(made))
        self.assertEqual([p.value("LocatedItems") for p in pages[1:]], [5, 5])


del Device  # it has no tests of its own

if __name__ == "__main__":
    unittest.main()

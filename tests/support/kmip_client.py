"""A KMIP client in plain Python: messages are trees of items, nothing is hidden.

    client = Client(("127.0.0.1", 5696), identity)
    key = client.call("Create", [...], version=(1, 4)).text("UniqueIdentifier")
"""
import os
import socket
import ssl
import struct

from . import ttlv, vocabulary
from .ttlv import Item, Type

VOCABULARY = vocabulary.load()
MAX_ANSWER = 16 << 20


class KmipFailure(Exception):
    """The server answered that an operation failed."""

    def __init__(self, operation, status, reason, message):
        super().__init__(f"{operation}: {status}, {reason}: {message}")
        self.reason = reason
        self.message = message


class ConnectionLost(Exception):
    """The server went away before it answered; what became of the request is unknown."""


class Identity:
    """The PEM files a client proves itself with. `certificate` is None for a client without one."""

    def __init__(self, ca, certificate=None, key=None):
        self.ca, self.certificate, self.key = str(ca), certificate and str(certificate), key and str(key)

    def context(self, maximum=None, ciphers=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca)
        context.check_hostname = False
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        if maximum:
            context.maximum_version = maximum
        if ciphers:
            context.set_ciphers(ciphers)
        return context


def _type_of(name, value):
    """The item type for a value: from its Python type, and from the tag where that is not enough."""
    if isinstance(value, bool):
        return Type.BOOLEAN
    if isinstance(value, (bytes, bytearray)):
        return Type.BYTE_STRING
    if isinstance(value, list):
        return Type.STRUCTURE
    if isinstance(value, str):
        tag = VOCABULARY.tag(name)
        return Type.ENUMERATION if tag in VOCABULARY.enumerations and name != "UniqueIdentifier" and value in \
            VOCABULARY.enumerations[tag] else Type.TEXT_STRING
    if name.endswith("Date"):
        return Type.DATE_TIME
    return Type.INTEGER


def item(name, value, type_=None):
    """An item by tag name; enumeration and mask values may be given by name."""
    tag = VOCABULARY.tag(name)
    type_ = type_ or _type_of(name, value)
    if type_ == Type.ENUMERATION and isinstance(value, str):
        value = VOCABULARY.enum_value(tag, value)
    return Item(tag, type_, value)


def mask(*names):
    """A Cryptographic Usage Mask value."""
    return VOCABULARY.mask_value(VOCABULARY.tags["CryptographicUsageMask"], " ".join(names))


def attribute(name, value, type_=None):
    """A 1.x Attribute structure; enumeration values by name."""
    tag = VOCABULARY.attribute_tags.get(name)
    if isinstance(value, str) and tag in VOCABULARY.enumerations and type_ is None:
        value, type_ = VOCABULARY.enum_value(tag, value), Type.ENUMERATION
    if type_ is None:
        type_ = _type_of(name, value) if not isinstance(value, str) else Type.TEXT_STRING
    return item("Attribute", [item("AttributeName", name, Type.TEXT_STRING),
                              Item(VOCABULARY.tags["AttributeValue"], type_, value)])


def name_attribute(name):
    return attribute("Name", [item("NameValue", name, Type.TEXT_STRING), item("NameType", "UninterpretedTextString")])


def uid(value):
    return item("UniqueIdentifier", value, Type.TEXT_STRING)


class Payload:
    """A response payload, read by tag names."""

    def __init__(self, structure):
        self.item = structure

    def find(self, *path):
        """The first item at a path of tag names, or None."""
        here = self.item
        for name in path:
            here = here.child(VOCABULARY.tags[name]) if here is not None and here.type == Type.STRUCTURE else None
        return here

    def value(self, *path):
        found = self.find(*path)
        return None if found is None else found.value

    def values(self, name):
        return [c.value for c in self.item.children(VOCABULARY.tags[name])] if self.item else []

    def enum(self, *path):
        found = self.find(*path)
        return None if found is None else VOCABULARY.enum_name(found.tag, found.value)

    def attributes(self):
        """1.x: {name: [values]}."""
        result = {}
        for a in self.item.children(VOCABULARY.tags["Attribute"]):
            name = a.child(VOCABULARY.tags["AttributeName"]).value
            result.setdefault(name, []).append(a.child(VOCABULARY.tags["AttributeValue"]).value)
        return result


REQUEST_IDENTITY = 0x54DA01  # docs/formats/request-identity.md


def identity_extension(identity, critical=False):
    """What names a request, so that it can be repeated."""
    return item("MessageExtension", [
        item("VendorIdentification", "OpenDaRE"), item("CriticalityIndicator", critical),
        item("VendorExtension", [Item(REQUEST_IDENTITY, Type.BYTE_STRING, identity)])])


def message(batch, version=(1, 4), header=()):
    """A request message of [(operation, payload items)], or of [(operation, payload items, message extensions)]."""
    items = []
    for n, (operation, payload, *extensions) in enumerate(batch):
        identifier = [item("UniqueBatchItemID", struct.pack(">I", n + 1))] if len(batch) > 1 else []
        items.append(item("BatchItem", [item("Operation", operation), *identifier,
                                        item("RequestPayload", list(payload)), *extensions]))
    return item("RequestMessage", [
        item("RequestHeader", [
            item("ProtocolVersion", [item("ProtocolVersionMajor", version[0]),
                                     item("ProtocolVersionMinor", version[1])]),
            *header,
            item("BatchCount", len(batch)),
        ]), *items])


def results(response):
    """[(operation, status, reason, message, Payload)] of a response message."""
    answers = []
    for batch_item in response.children(VOCABULARY.tags["BatchItem"]):
        p = Payload(batch_item)
        answers.append((p.enum("Operation"), p.enum("ResultStatus"), p.enum("ResultReason"),
                        p.value("ResultMessage"), Payload(p.find("ResponsePayload"))))
    return answers


class Client:
    """One mutually authenticated connection. Not for several threads."""

    def __init__(self, address, identity, timeout=30.0, context=None, session=None):
        """`session`: a TLS session of an earlier connection with the same `context`, to be resumed."""
        self.sent_at = None
        raw = socket.create_connection(address, timeout)
        try:
            self.socket = (context or identity.context()).wrap_socket(raw, server_hostname=address[0],
                                                                       session=session)
        except BaseException:
            raw.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass

    def exchange_bytes(self, data):
        """Sends one message and returns the bytes of the answer. ConnectionLost if there is none."""
        try:
            self.socket.sendall(data)
            head = self._read(8)
            length = struct.unpack(">I", head[4:])[0]
            if length > MAX_ANSWER:
                raise ttlv.TtlvError(f"an answer of {length} bytes")
            return head + self._read(length)
        except (OSError, EOFError) as e:
            raise ConnectionLost(str(e)) from e

    def _read(self, size):
        parts = []
        while size:
            part = self.socket.recv(min(size, 65536))
            if not part:
                raise EOFError("the server closed the connection")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def exchange(self, request):
        return ttlv.decode(self.exchange_bytes(ttlv.encode(request)))

    def batch(self, batch, version=(1, 4), header=()):
        """[(operation, status, reason, message, Payload)] for a batch."""
        return results(self.exchange(message(batch, version, header)))

    def call(self, operation, payload, version=(1, 4), header=(), extensions=()):
        """The response payload of a single operation, or KmipFailure."""
        answered, status, reason, text, answer = self.batch([(operation, payload, *extensions)], version, header)[0]
        if status != "Success":
            raise KmipFailure(answered or operation, status, reason, text)
        return answer

    # --- shorthands of the tests, KMIP 1.4

    def create(self, name=None, usage=("Encrypt", "Decrypt"), length=256, extra=(), extensions=()):
        attributes = [attribute("Cryptographic Algorithm", "AES"),
                      attribute("Cryptographic Length", length),
                      attribute("Cryptographic Usage Mask", mask(*usage))]
        if name:
            attributes.append(name_attribute(name))
        answer = self.call("Create", [item("ObjectType", "SymmetricKey"),
                                      item("TemplateAttribute", attributes + list(extra))],
                           extensions=extensions)
        return answer.value("UniqueIdentifier")

    def register(self, material, name=None, usage=("Encrypt", "Decrypt"), extra=()):
        attributes = [attribute("Cryptographic Usage Mask", mask(*usage))]
        if name:
            attributes.append(name_attribute(name))
        answer = self.call("Register", [
            item("ObjectType", "SymmetricKey"), item("TemplateAttribute", attributes + list(extra)),
            item("SymmetricKey", [item("KeyBlock", [
                item("KeyFormatType", "Raw"), item("KeyValue", [item("KeyMaterial", bytes(material))]),
                item("CryptographicAlgorithm", "AES"), item("CryptographicLength", len(material) * 8)])])])
        return answer.value("UniqueIdentifier")

    def get(self, identifier):
        """The key's bytes."""
        answer = self.call("Get", [uid(identifier)])
        return answer.value("SymmetricKey", "KeyBlock", "KeyValue", "KeyMaterial")

    def activate(self, identifier):
        self.call("Activate", [uid(identifier)])

    def revoke(self, identifier, reason="CessationOfOperation"):
        more = []
        if reason in ("KeyCompromise", "CACompromise"):
            more = [item("CompromiseOccurrenceDate", 0)]
        self.call("Revoke", [uid(identifier),
                             item("RevocationReason", [item("RevocationReasonCode", reason)]), *more])

    def destroy(self, identifier):
        self.call("Destroy", [uid(identifier)])

    def state(self, identifier):
        answer = self.call("GetAttributes", [uid(identifier), item("AttributeName", "State", Type.TEXT_STRING)])
        value = answer.attributes()["State"][0]
        return VOCABULARY.enum_name(VOCABULARY.tags["State"], value)

    def attribute_values(self, identifier, name):
        answer = self.call("GetAttributes", [uid(identifier), item("AttributeName", name, Type.TEXT_STRING)])
        return answer.attributes().get(name, [])

    def locate(self, name):
        answer = self.call("Locate", [name_attribute(name)])
        return answer.values("UniqueIdentifier")

    def encrypt_gcm(self, identifier, data, aad=b""):
        """(ciphertext, nonce, tag) by AES-GCM with a nonce of the server's choice."""
        answer = self.call("Encrypt", [
            uid(identifier),
            item("CryptographicParameters", [item("BlockCipherMode", "GCM"), item("RandomIV", True),
                                             item("TagLength", 16)]),
            item("Data", data), *([item("AuthenticatedEncryptionAdditionalData", aad)] if aad else [])])
        return answer.value("Data"), answer.value("IVCounterNonce"), answer.value("AuthenticatedEncryptionTag")

    def decrypt_gcm(self, identifier, data, nonce, tag, aad=b""):
        answer = self.call("Decrypt", [
            uid(identifier),
            item("CryptographicParameters", [item("BlockCipherMode", "GCM"), item("TagLength", 16)]),
            item("Data", data), item("IVCounterNonce", nonce),
            *([item("AuthenticatedEncryptionAdditionalData", aad)] if aad else []),
            item("AuthenticatedEncryptionTag", tag)])
        return answer.value("Data")


def random_bytes(count):
    return os.urandom(count)

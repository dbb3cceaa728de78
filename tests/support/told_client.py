"""A client that keeps a connection on which it is told of changes (Set Endpoint Role, KMIP 2.1 6.1.54)."""
from .kmip_client import Payload, item
from .ttlv import Type, decode, encode

VERSION = (2, 1)
# Bob and carol may get what alice makes under these names.
SHARED = """format = 1
[[domain]]
name = "default"
[domain.roles]
custodian = ["principal:keeper"]
client = ["principal:alice"]
[[domain.grant]]
name = "shared"
to = ["principal:bob", "principal:carol"]
operations = ["Get"]
objects = ["shared-*"]
"""


class Told:
    """Takes the server's role on a connection of its own, and answers what the server asks there."""

    def __init__(self, client):
        self.client = client
        client.call("SetEndpointRole", [item("EndpointRole", "Client")], version=VERSION)

    def next(self):
        """(Unique Identifier, name of the new State or None, the whole message) of the next Notify."""
        while True:
            header = self.client._read(8)
            assert header[:3] == b"\x42\x00\x78", "a Request Message"
            whole = header + self.client._read(int.from_bytes(header[4:8], "big"))
            batch = Payload(decode(whole)).find("BatchItem")
            notified = Payload(batch).enum("Operation") == "Notify"
            self.client.socket.sendall(encode(self._answer(Payload(batch), notified)))
            if notified:
                payload = Payload(Payload(batch).find("RequestPayload"))
                return payload.value("UniqueIdentifier"), payload.enum("Attributes", "State"), whole

    @staticmethod
    def _answer(batch, done):
        result = [item("ResultStatus", "Success")] if done else [
            item("ResultStatus", "OperationFailed"), item("ResultReason", "OperationNotSupported"),
            item("ResultMessage", "not here")]
        return item("ResponseMessage", [
            item("ResponseHeader", [
                item("ProtocolVersion", [item("ProtocolVersionMajor", VERSION[0]),
                                         item("ProtocolVersionMinor", VERSION[1])]),
                item("TimeStamp", 0, Type.DATE_TIME), item("BatchCount", 1)]),
            item("BatchItem", [batch.find("Operation"), *result])])

#!/usr/bin/python3
"""The server asks: a client that took the server's role hears of changes to its objects, and answers."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import kill_switch, kms  # noqa: E402
from support.kmip_client import Payload, item, mask  # noqa: E402
from support.told_client import SHARED  # noqa: E402
from support.ttlv import Type, decode, encode  # noqa: E402

STATE_COMPROMISED = bytes.fromhex("42008d05" "00000004" "00000004")  # the attribute of KMIP 2.1
MAKES_AND_DOES_NOT_GET = """format = 1
[[domain]]
name = "default"
[domain.roles]
custodian = ["principal:keeper"]
client = ["principal:alice"]
[[domain.grant]]
name = "makes"
to = ["principal:bob"]
operations = ["Create"]
"""


class Push(unittest.TestCase):
    def test_a_client_in_the_role_of_the_server_is_notified_and_put_to(self):
        with kms.Kms(kms.Programs()) as server:
            server.configure("push", "put", ["alice"])
            server.start()
            alice = server.identity("alice")
            told, asking = server.client(alice), server.client(alice)
            role = told.call("SetEndpointRole", [item("EndpointRole", "Client")], version=(2, 1))
            self.assertIsNotNone(role)
            key = asking.create("pushed")
            self.assertIn(b"\x42\x00\x70", self.next_request(told), "Put Function")
            asking.destroy(key)
            notified = self.next_request(told)
            self.assertIn(key.encode(), notified)

    def test_who_got_somebody_elses_key_hears_that_it_is_revoked(self):
        with kms.Kms(kms.Programs()) as server:
            server.start()
            alice, bob, carol = (server.identity(name) for name in ("alice", "bob", "carol"))
            policy = server.clients / "policy.toml"
            policy.write_text(SHARED, "utf-8")
            kill_switch.administer(server, "admin", "policy", "apply", policy)
            owner, holder, stranger = server.client(alice), server.client(bob), server.client(carol)
            key, other = owner.create("shared-key"), owner.create("shared-other")
            for created in (key, other):
                owner.activate(created)
            listening = [server.client(who) for who in (bob, carol)]
            for client in (owner, holder, stranger, *listening):
                self.addCleanup(client.close)
            for client in listening:
                client.call("SetEndpointRole", [item("EndpointRole", "Client")], version=(2, 1))
            holder.get(key)
            stranger.get(other)
            owner.revoke(other)
            owner.revoke(key, reason="KeyCompromise")
            told = self.next_request(listening[0])
            self.assertIn(key.encode(), told)
            self.assertIn(STATE_COMPROMISED, told)
            self.assertNotIn(b"shared-key", told, "the state and nothing else")
            self.assertIn(other.encode(), self.next_request(listening[1]))

    def test_a_key_that_the_server_rotates_is_put_to_its_owner_unless_a_policy_would_have_to_be_asked(self):
        with kms.Kms(kms.Programs()) as server:
            server.configure("push", "put", ["alice", "bob", "carol"])
            server.configure("rotation", "look_seconds", 1)
            server.configure("rotation", "shortest_seconds", 1)
            server.start()
            self.assert_told_of_a_rotating_key(server, "carol", ["Put", "Notify", "Put"])
            policy = server.clients / "policy.toml"
            policy.write_text(MAKES_AND_DOES_NOT_GET, "utf-8")
            kill_switch.administer(server, "admin", "policy", "apply", policy)
            self.assert_told_of_a_rotating_key(server, "alice", ["Put", "Notify", "Notify"])
            self.assert_told_of_a_rotating_key(server, "bob", ["Notify", "Notify"])

    def assert_told_of_a_rotating_key(self, server, name, expected):
        """The last one is of the key that takes the first one's place."""
        identity = server.identity(name)
        told, asking = server.client(identity), server.client(identity)
        for client in (told, asking):
            self.addCleanup(client.close)
        told.call("SetEndpointRole", [item("EndpointRole", "Client")], version=(2, 1))
        key = self.create_rotating(asking, seconds=2)
        heard = [self.next_told(told) for _ in expected]
        self.assertEqual([request.operation for request in heard], expected, name)
        self.assertEqual([request.identifier() == key for request in heard], [True] * (len(heard) - 1) + [False])

    @staticmethod
    def create_rotating(client, seconds):
        attributes = [item("CryptographicAlgorithm", "AES"), item("CryptographicLength", 256),
                      item("CryptographicUsageMask", mask("Encrypt", "Decrypt")), item("RotateAutomatic", True),
                      item("RotateInterval", seconds, Type.INTERVAL)]
        answer = client.call("Create", [item("ObjectType", "SymmetricKey"), item("Attributes", attributes)], version=(2, 1))
        return answer.value("UniqueIdentifier")

    def test_the_server_asks_what_the_client_can_do(self):
        with kms.Kms(kms.Programs()) as server:
            server.configure("push", "put", ["alice"])
            server.start()
            alice = server.identity("alice")
            told, asking = server.client(alice), server.client(alice)
            told.call("SetEndpointRole", [item("EndpointRole", "Client")], version=(2, 0))
            question = self.read(told)
            self.assertEqual((question.operation, question.version), ("DiscoverVersions", (2, 0)))
            self.assertIn((2, 1), question.versions())
            self.answer(told, question, [self.version(2, 0), self.version(2, 1)])
            question = self.read(told)
            self.assertEqual((question.operation, question.version), ("Query", (2, 1)), "the highest that both have")
            self.answer(told, question, [item("Operation", "Notify")])
            told.locate("nothing")  # answered when that was taken
            key = asking.create("not-put")
            asking.destroy(key)
            first = self.read(told)
            self.assertEqual((first.operation, first.version), ("Notify", (2, 1)), "no Put, which the client does not take")
            self.assertIn(key.encode(), first.whole)

    def test_a_client_that_answers_no_question_is_told_all_the_same(self):
        with kms.Kms(kms.Programs()) as server:
            server.start()
            alice = server.identity("alice")
            told, asking = server.client(alice), server.client(alice)
            told.call("SetEndpointRole", [item("EndpointRole", "Client")], version=(2, 1))
            key = asking.create("told")
            asking.destroy(key)
            self.assertEqual([self.read(told).operation for _ in range(2)], ["DiscoverVersions", "Notify"])

    def next_told(self, client):
        """What the server tells next; what it asks before is not known here."""
        while True:
            request = self.read(client)
            told = request.operation in ("Notify", "Put")
            self.answer(client, request, refused=not told)
            if told:
                return request

    def next_request(self, client):
        return self.next_told(client).whole

    @staticmethod
    def read(client):
        header = client._read(8)
        assert header[:3] == b"\x42\x00\x78", "a Request Message"
        return Request(header + client._read(int.from_bytes(header[4:8], "big")))

    @staticmethod
    def version(major, minor):
        return item("ProtocolVersion", [item("ProtocolVersionMajor", major), item("ProtocolVersionMinor", minor)])

    def answer(self, client, request, payload=None, refused=False):
        result = [item("ResultStatus", "Success")]
        if refused:
            result = [item("ResultStatus", "OperationFailed"), item("ResultReason", "OperationNotSupported"),
                      item("ResultMessage", "what?")]
        if payload is not None:
            result.append(item("ResponsePayload", payload))
        client.socket.sendall(encode(item("ResponseMessage", [
            item("ResponseHeader", [self.version(*request.version), item("TimeStamp", 0, Type.DATE_TIME), item("BatchCount", 1)]),
            item("BatchItem", [item("Operation", request.operation), *result])])))


class Request:
    """What the server sent."""

    def __init__(self, whole):
        self.whole = whole
        message = Payload(decode(whole))
        self.version = self._numbers(message.find("RequestHeader", "ProtocolVersion"))
        self.operation = message.enum("BatchItem", "Operation")
        self.payload = message.find("BatchItem", "RequestPayload")

    def identifier(self):
        return Payload(self.payload).value("UniqueIdentifier")

    def versions(self):
        return [self._numbers(v) for v in self.payload.value]

    @staticmethod
    def _numbers(version):
        return tuple(part.value for part in version.value)


if __name__ == "__main__":
    unittest.main()

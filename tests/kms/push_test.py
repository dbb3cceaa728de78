#!/usr/bin/python3
"""The server asks: a client that took the server's role hears of changes to its objects, and answers."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import kill_switch, kms  # noqa: E402
from support.kmip_client import item, message  # noqa: E402
from support.told_client import SHARED  # noqa: E402

STATE_COMPROMISED = bytes.fromhex("42008d05" "00000004" "00000004")  # the attribute of KMIP 2.1


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

    def next_request(self, client):
        header = client._read(8)
        self.assertEqual(header[:3], b"\x42\x00\x78", "a Request Message")
        body = client._read(int.from_bytes(header[4:8], "big"))
        client.socket.sendall(self.response())
        return body

    @staticmethod
    def response():
        from support.ttlv import encode  # the answer without payload
        return encode(item("ResponseMessage", [
            item("ResponseHeader", [
                item("ProtocolVersion", [item("ProtocolVersionMajor", 2), item("ProtocolVersionMinor", 1)]),
                item("TimeStamp", 0), item("BatchCount", 1)]),
            item("BatchItem", [item("Operation", "Notify"), item("ResultStatus", "Success")])]))


if __name__ == "__main__":
    unittest.main()

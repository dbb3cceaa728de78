#!/usr/bin/python3
"""Limits of clients and addresses: who asks too much is slowed down, who keeps failing is turned away, and nobody else notices."""
import json
import pathlib
import socket
import ssl
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import cluster, fixture, kill_switch  # noqa: E402
from support.kmip_client import KmipFailure  # noqa: E402

STRANGER = "127.0.0.2"  # all of 127.0.0.0/8 is this machine


def connect_from(address, server):
    return socket.create_connection(server, timeout=20, source_address=(address, 0))


class LimitsTest(fixture.KmsTest):
    clients = ("alice", "bob")

    @classmethod
    def configure_server(cls, server):
        server.configure("limits", "bad_per_address", 1)
        server.configure("limits", "requests_per_client", 50)
        server.configure("limits", "half_open", 4)
        server.configure("", "threads", 1)

    def refusals(self, word):
        return [r for r in self.kms.audit_records() if word in r["detail"]]

    def fail_often(self, address):
        for _ in range(12):
            try:
                with connect_from(address, self.kms.kmip) as connection:
                    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    while connection.recv(4096):
                        pass
            except OSError:
                pass  # turned away, at last

    def test_an_address_that_keeps_failing_is_turned_away_and_nobody_else(self):
        alice = self.client()
        key = alice.create("kept")
        self.fail_often(STRANGER)
        self.assertTrue(fixture.eventually(lambda: self.refusals("address turned away")))
        told = self.refusals("address turned away")[0]
        self.assertEqual((told["address"], told["rule"], told["outcome"]), (STRANGER, "limits", "denied"))
        self.assertTrue(alice.get(key))
        self.assertTrue(self.client("bob").create("another address comes in"))
        # A certificate that is good would not help from there, until the ban has ended.
        def comes_in():
            try:
                with connect_from(STRANGER, self.kms.kmip) as plain, self.identities["bob"].context().wrap_socket(plain):
                    return True
            except (OSError, ssl.SSLError):
                return False
        self.assertTrue(fixture.eventually(comes_in, 60), "a ban has an end")

    def test_a_client_that_asks_too_much_waits_on_all_its_connections(self):
        alice, again, bob = self.client(), self.client(), self.client("bob")
        key, other = alice.create(), bob.create()
        begin = time.monotonic()
        for _ in range(60):  # 120 requests, 50 of which may come at once
            self.assertTrue(alice.get(key))
            self.assertTrue(again.get(key))
        self.assertGreater(time.monotonic() - begin, 1.0)
        told = self.refusals("slowed down")
        self.assertEqual([r["principal"] for r in told], ["alice"], "told once")
        self.assertEqual(told[0]["rule"], "limits")
        self.assertTrue(bob.get(other))

    def test_unfinished_handshakes_keep_nobody_out(self):
        held = [connect_from("127.0.0.3", self.kms.kmip) for _ in range(50)]
        try:
            for _ in range(3):
                self.assertTrue(self.client("bob").create())
            self.assertEqual(held[0].recv(1), b"", "the oldest gave way")
        finally:
            for connection in held:
                connection.close()


class AlarmTest(fixture.KmsTest):
    @classmethod
    def configure_server(cls, server):
        server.configure("alarm", "keys", 20)

    def test_an_identity_that_takes_many_keys_at_once_is_told(self):
        alice = self.client()
        keys = [alice.create() for _ in range(60)]
        alarms = lambda: [r for r in self.kms.audit_records() if r["operation"] == "alarm"]  # noqa: E731
        for _ in range(5):
            for key in keys[:15]:
                alice.get(key)
        self.assertEqual(alarms(), [])
        for key in keys:
            alice.get(key)
        told = alarms()
        self.assertGreaterEqual(len(told), 1)  # two, where a window ends in between
        self.assertEqual((told[0]["principal"], told[0]["rule"]), ("alice", "habit"))
        self.assertIn("different keys", told[0]["detail"])

class AlarmLockoutTest(fixture.KmsTest):
    clients = ("mallory", "bob")

    @classmethod
    def configure_server(cls, server):
        server.configure("alarm", "keys", 20)
        server.configure("alarm", "action", "lockout")

    def test_an_identity_that_takes_many_keys_at_once_is_locked_out_until_an_administrator_lets_it_in(self):
        mallory, bob = self.client("mallory"), self.client("bob")
        keys = [mallory.create() for _ in range(60)]

        def take_all():
            try:
                for key in keys:
                    mallory.get(key)
            except KmipFailure as failure:
                self.assertEqual(failure.reason, "PermissionDenied")
                return True
            except cluster.LOST:
                return True
            return False
        self.assertTrue(fixture.eventually(take_all))
        with self.assertRaises(cluster.LOST), self.client("mallory") as again:
            again.locate("nothing")
        self.assertEqual(bob.get(key := bob.create("of-bob")), bob.get(key))
        listed = json.loads(kill_switch.administer(self.kms, "admin", "lockouts", "--json").stdout)["lockouts"]
        self.assertEqual([(entry["kind"], entry["name"], entry["by"]) for entry in listed],
                         [("principal", "mallory", "alarm")])
        self.assertIn("different keys", listed[0]["reason"])
        done = [r for r in self.kms.audit_records() if r["operation"] == "lock out"]
        self.assertEqual([(r["principal"], r["rule"], r["outcome"]) for r in done], [("mallory", "habit", "allowed")])
        self.assertIn("'mallory' is locked out everywhere", self.kms.log_tail())
        kill_switch.administer(self.kms, "admin", "unlock", "mallory")
        self.assertEqual(len(self.client("mallory").get(keys[0])), 32)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Caches of libdare that listen, with a running dare-kms: what a key wraps is gone when the key is revoked or destroyed, whosever it
is, or when the client is locked out; and what holds while the connection for it is lost: listening_test.py LIBRARY"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from libdare.library import DENIED, OK, UNREACHABLE, Client, Refused, config_text  # noqa: E402
from support import kill_switch, kms  # noqa: E402
from support.cutting_proxy import CuttingProxy  # noqa: E402
from support.fixture import KmsTest, eventually  # noqa: E402

LIBRARY = None
LONG = 1_000_000  # seconds, or so long that no limit of time ends anything here
# Bob and carol may unwrap with what alice makes, and own nothing.
SHARED = """format = 1
[[domain]]
name = "default"
[domain.roles]
custodian = ["principal:keeper"]
client = ["principal:alice"]
[[domain.grant]]
name = "shared"
to = ["principal:bob", "principal:carol"]
operations = ["Decrypt"]
objects = ["shared-*"]
"""


class Listening(KmsTest):
    clients = ("alice", "bob", "carol")
    made = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        policy = cls.kms.clients / "policy.toml"
        policy.write_text(SHARED, "utf-8")
        kill_switch.administer(cls.kms, "admin", "policy", "apply", policy)

    def setUp(self):
        super().setUp()
        Listening.made += 1
        self.key = f"shared-{Listening.made}"
        self.dare("key", "create", self.key)
        owner = self.handle("alice")
        self.sealed = owner.seal(b"value", table="people")

    def dare(self, *words):
        return kms.run([self.kms.programs.dare, "--config", self.config("alice"), *words])

    def config(self, name, address=None):
        path = self.kms.clients / f"listening-{name}.toml"
        path.write_text(config_text([address or self.kms.kmip], self.identities[name], self.key))
        return path

    def handle(self, name, address=None):
        client = Client(LIBRARY, self.config(name, address))
        self.addCleanup(client.close)
        return client

    def listening(self, name, address=None, deaf_seconds=LONG):
        """A handle that keeps the key of self.sealed, asked for while it listened."""
        caching = self.handle(name, address).with_cache(seconds=LONG, refresh_seconds=0, listen=1,
                                                        deaf_seconds=deaf_seconds)
        self.addCleanup(caching.close)
        self.assertEqual(self.opens(caching), OK)
        self.assertTrue(eventually(lambda: caching.counts().listens == 1))
        self.assertEqual(self.opens(caching), OK)
        return caching

    def opens(self, client):
        try:
            self.assertEqual(client.open(self.sealed, table="people"), b"value")
            return OK
        except Refused as refused:
            return refused.status

    def assert_asks_nobody(self, client):
        before = client.counts().misses
        self.assertEqual(self.opens(client), OK)
        self.assertEqual(client.counts().misses, before)

    def assert_recalled(self, client):
        self.assertTrue(eventually(lambda: client.counts().recalls > 0))
        self.assertEqual(client.counts().entries, 0)
        self.assertEqual(self.opens(client), DENIED)

    def test_a_revoked_key_is_not_used_once_more(self):
        mine, other = self.listening("alice"), self.listening("bob")
        quiet = self.handle("alice").with_cache(seconds=LONG, refresh_seconds=0)
        self.addCleanup(quiet.close)
        self.assertEqual(self.opens(quiet), OK)
        for client in (mine, other):
            self.assert_asks_nobody(client)
        self.dare("key", "revoke", self.key)
        self.assert_recalled(mine)
        self.assert_recalled(other)
        self.assertEqual(self.opens(quiet), OK, "one that does not listen uses it for its time")

    def test_nor_is_a_destroyed_one(self):
        other = self.listening("bob")
        self.dare("key", "revoke", self.key)
        self.assert_recalled(other)
        self.dare("key", "destroy", self.key)
        self.assertEqual(self.opens(other), DENIED)

    def test_the_end_of_one_key_leaves_the_others(self):
        mine = self.listening("alice")
        self.dare("key", "create", f"{self.key}-other")
        sealed = mine.seal(b"another", f"{self.key}-other".encode(), table="people")
        self.dare("key", "revoke", f"{self.key}-other")
        self.assertTrue(eventually(lambda: mine.counts().recalls > 0))
        with self.assertRaises(Refused):
            mine.open(sealed, table="people")
        self.assert_asks_nobody(mine)

    def test_who_is_locked_out_uses_nothing_from_before(self):
        carol = self.listening("carol")
        self.assert_asks_nobody(carol)
        kill_switch.administer(self.kms, "admin", "lockout", "carol", "--reason", "a test")
        self.addCleanup(kill_switch.administer, self.kms, "admin", "unlock", "carol")
        self.assertTrue(eventually(lambda: carol.counts().entries == 0))
        self.assertEqual(self.opens(carol), DENIED)

    def test_a_lost_connection(self):
        proxy = CuttingProxy(self.kms.kmip, lambda: False)
        self.addCleanup(proxy.close)
        patient = self.listening("bob", proxy.address)
        strict = self.listening("bob", proxy.address, deaf_seconds=0)
        proxy.shut()
        for client in (patient, strict):
            self.assertTrue(eventually(lambda c=client: c.counts().listens == 0))
        self.assertEqual(strict.counts().entries, 0)
        self.assertEqual(self.opens(strict), UNREACHABLE)
        self.dare("key", "revoke", self.key)
        self.assert_asks_nobody(patient)  # for deaf_seconds, which is what they are
        proxy.let_in()
        self.assertTrue(eventually(lambda: patient.counts().listens == 1, seconds=60))
        self.assertEqual(self.opens(patient), DENIED)
        self.assertEqual(self.opens(strict), DENIED)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    unittest.main(verbosity=2)

#!/usr/bin/python3
"""Two dare-kms nodes on one PostgreSQL: who keeps a connection at one to be told of changes hears what the other did."""
import os
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import cluster, fixture, told_client  # noqa: E402
from support.kill_switch import administer  # noqa: E402
from support.kmip_client import KmipFailure, attribute, item, uid  # noqa: E402

ROWS = 256  # of changes that a node leaves for the others


class Told(told_client.Told):
    def __init__(self, test, node, name):
        super().__init__(test.client(node, name))

    def next_state(self):
        """The next change of a state; the first Get of a key changes its Fresh, for one."""
        while True:
            change = self.next()
            if change[1] is not None:
                return change


class ClientsThatAreTold(cluster.TwoNodes):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        policy = cls.nodes[0].clients / "policy.toml"
        policy.write_text(told_client.SHARED, "utf-8")
        administer(cls.nodes[0], "admin", "policy", "apply", policy)

    def shared_key(self, name):
        """Made and activated by alice at one node, got by bob at the other."""
        owner, holder = self.client(self.one), self.client(self.two, "bob")
        key = owner.create(f"shared-{name}")
        owner.activate(key)

        def got():  # the policy comes to the other node within a second
            try:
                return bool(holder.get(key))
            except KmipFailure:
                return False

        self.assertTrue(fixture.eventually(got))
        return key

    @staticmethod
    def heard_of(told, key):
        """The next state of this key; what is told of others, that were there before, is passed over."""
        return next(state for identifier, state, _ in iter(told.next_state, None) if identifier == key)

    def test_owner_and_holder_hear_what_the_other_node_changed(self):
        bob, alice = Told(self, self.two, "bob"), Told(self, self.two, "alice")
        key, last = self.shared_key("told"), self.shared_key("last")
        alice_at_one, owner = Told(self, self.one, "alice"), self.client(self.one)
        owner.revoke(key, reason="KeyCompromise")
        owner.destroy(key)
        owner.revoke(last)
        begun, ended = time.monotonic(), ["Compromised", "DestroyedCompromised"]
        for told, expected in ((bob, ended), (alice, ["Active", *ended]), (alice_at_one, ended)):
            heard = []
            for identifier, state, message in iter(told.next_state, None):
                if told is bob:
                    self.assertNotIn(b"shared-", message, "the state and nothing else")
                if identifier == key:
                    heard.append(state)
                if (identifier, state) == (last, "Deactivated"):
                    break
            if told is alice:
                print(f"changed at one node, told at the other {(time.monotonic() - begun) * 1000:.0f} ms after the answer "
                      "(bound 1000)")
            self.assertEqual(heard, expected, "each change once, in order")

    def test_a_node_that_saw_nothing_for_a_while_tells_afterwards(self):
        bob = Told(self, self.two, "bob")
        keys = [self.shared_key(f"late-{i}") for i in range(2)]
        os.kill(self.two.process.pid, signal.SIGSTOP)
        try:
            owner = self.client(self.one)
            owner.revoke(keys[0])
            for i in range(ROWS + 1):  # more changes than the node finds afterwards
                change = (uid(keys[1]), attribute("Object Group", "busy"))
                owner.call(*(("AddAttribute", [*change]) if i % 2 == 0 else
                             ("DeleteAttribute", [change[0], item("AttributeName", "Object Group")])))
        finally:
            os.kill(self.two.process.pid, signal.SIGCONT)
        self.assertEqual(self.heard_of(bob, keys[0]), "Deactivated")
        self.client(self.one).revoke(keys[1])
        self.assertEqual(self.heard_of(bob, keys[1]), "Deactivated")

    def test_a_database_that_was_away_keeps_nothing_from_them(self):
        bob, key = Told(self, self.two, "bob"), self.shared_key("away")
        self.database.kill()
        self.database.start()
        self.assertTrue(fixture.eventually(lambda: self.revoked(key), 60))
        self.assertEqual(self.heard_of(bob, key), "Deactivated")

    def revoked(self, key):
        try:
            with self.one.client(self.one.identity("alice"), timeout=60) as client:
                client.revoke(key)
                return True
        except (KmipFailure, *cluster.LOST):
            return False


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/python3
"""Many clients at once on the same keys: whoever comes first wins, everybody else is told so, nobody sees a state go
back. The thread sanitizer's build of dare-kms plays this too (`./test.sh --preset tsan`).

    contention_test.py     DARE_SEED=… repeats the choices of a run
"""
import collections
import pathlib
import random
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import audit, fixture  # noqa: E402
from support.kmip_client import KmipFailure  # noqa: E402

CLIENTS = 8
KEYS = 12
STEPS = 150
RANK = {"PreActive": 0, "Active": 1, "Deactivated": 2, "Compromised": 2, "Destroyed": 3, "DestroyedCompromised": 3}


class Player(threading.Thread):
    """A connection of its own that does STEPS random things to the shared keys."""

    def __init__(self, server, identity, names, seed):
        super().__init__(daemon=True)
        self.server, self.identity, self.names, self.keys = server, identity, names, list(names)
        self.random = random.Random(seed)
        self.won = collections.Counter()    # (operation, key): how often it was told "done"
        self.seen = dict.fromkeys(names, 0)  # the highest rank of a state seen
        self.material = {}
        self.findings = []

    def run(self):
        try:
            with self.server.client(self.identity) as client:
                for _ in range(STEPS):
                    self.step(client, self.random.choice(self.keys))
        except Exception as e:  # a lost connection or an unreadable answer is a finding
            self.findings.append(f"{type(e).__name__}: {e}")

    def step(self, client, key):
        choice = self.random.random()
        if choice < 0.3:
            self.look(client, key)
        elif choice < 0.5:
            self.fetch(client, key)
        elif choice < 0.7:
            self.use(client, key)
        elif choice < 0.8:
            self.found(client, key)
        elif choice < 0.9:
            self.attempt("activate", client.activate, key)
        elif choice < 0.97:
            self.attempt("revoke", client.revoke, key)
        else:
            self.attempt("destroy", client.destroy, key)

    def attempt(self, name, operation, key):
        try:
            operation(key)
            self.won[name, key] += 1
            self.seen[key] = max(self.seen[key], {"activate": 1, "revoke": 2, "destroy": 3}[name])
        except KmipFailure:
            pass  # somebody was first, or the state forbids it

    def look(self, client, key):
        rank = RANK[client.state(key)]
        if rank < self.seen[key]:
            self.findings.append(f"{key} went back from {self.seen[key]} to {rank}")
        self.seen[key] = rank

    def fetch(self, client, key):
        try:
            material = client.get(key)
        except KmipFailure:
            return
        if self.seen[key] == 3:
            self.findings.append(f"{key} is destroyed, and Get answers")
        if self.material.setdefault(key, material) != material:
            self.findings.append(f"{key} became another key")

    def use(self, client, key):
        data = self.random.randbytes(self.random.randrange(1, 3000))
        try:
            sealed = client.encrypt_gcm(key, data)
            if self.seen[key] >= 2:
                self.findings.append(f"{key} encrypts after it was revoked")
            if client.decrypt_gcm(key, *sealed) != data:
                self.findings.append(f"{key} decrypts to something else")
        except KmipFailure:
            pass

    def found(self, client, key):
        name = self.names[key]
        if client.locate(name) not in ([key], []):
            self.findings.append(f"{name} is not {key} alone")


class Contention(fixture.KmsTest):
    @classmethod
    def configure_server(cls, server):
        server.configure("", "threads", 4)  # more than there may be cores, so that they interrupt each other

    def test_whoever_comes_first_wins_and_no_state_goes_back(self):
        rng = random.Random(fixture.seed())
        with self.kms.client(self.identities["alice"]) as client:
            keys = {client.create(f"contended-{n}"): f"contended-{n}" for n in range(KEYS)}
        players = [Player(self.kms, self.identities["alice"], keys, rng.getrandbits(64)) for _ in range(CLIENTS)]
        for player in players:
            player.start()
        for player in players:
            player.join(100)
            self.assertFalse(player.is_alive(), "a client hangs")
        self.assertEqual([f for player in players for f in player.findings], [])
        won = sum((player.won for player in players), collections.Counter())
        self.assertTrue(won, "nobody changed anything")
        self.assertEqual({what: n for what, n in won.items() if n > 1 and what[0] != "revoke"}, {})
        for key in keys:
            materials = {player.material[key] for player in players if key in player.material}
            self.assertLessEqual(len(materials), 1, f"clients got different keys of {key}")
        self.assertEqual(self.kms.stop(), 0, self.kms.log_tail())
        self.assertGreater(audit.verify(self.kms.audit_folder), CLIENTS * STEPS)


if __name__ == "__main__":
    unittest.main()

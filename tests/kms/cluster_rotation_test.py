#!/usr/bin/python3
"""The master key is rotated while clients make and use keys at both of two nodes, and one node is killed (-9) in the middle
and started again: every key that was acknowledged is there, opens at both nodes, and is sealed under the new master key.

    cluster_rotation_test.py     DARE_SEED=… repeats the choices of a run
"""
import json
import pathlib
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import cluster, fixture, kms  # noqa: E402
from support.kmip_client import KmipFailure  # noqa: E402

RECORDS = 600  # there before the rotation begins
PER_SECOND = 150  # so that it takes some seconds


class Worker(threading.Thread):
    """Makes a key, uses it at its own node, and reads one that anybody made; comes back after each loss of its node."""

    def __init__(self, node, identity, known, seed):
        super().__init__(daemon=True)
        self.node, self.identity, self.known, self.random = node, identity, known, random.Random(seed)
        self.acknowledged, self.uses, self.refused, self.broken = 0, 0, [], 0
        self.longest, self.end = 0.0, threading.Event()

    def run(self):
        client = None
        while not self.end.is_set():
            begun = time.monotonic()
            try:
                client = client or self.node.client(self.identity, timeout=60)
                self.step(client)
                self.longest = max(self.longest, time.monotonic() - begun)
            except KmipFailure as e:
                self.refused.append(str(e))
            except cluster.LOST:
                if client is not None:
                    client.close()
                client, self.broken = None, self.broken + 1
                self.end.wait(0.02)  # its node is dead or starting

    def step(self, client):
        key = client.create()
        client.activate(key)
        self.known[key] = client.get(key)
        self.acknowledged += 1
        if client.decrypt_gcm(key, *client.encrypt_gcm(key, b"data", b"aad"), b"aad") != b"data":
            self.refused.append(f"{key}: decrypts to something else")
        other = self.random.choice(list(self.known))
        if client.get(other) != self.known[other]:
            self.refused.append(f"{other}: another key than before")
        self.uses += 3


class Rotation(cluster.TwoNodes):
    clients = ("alice", "root")

    @classmethod
    def configure_node(cls, node):
        one = cls.nodes[0]
        node.configure("", "administrators", ["root"])
        node.configure("hsm", "reseal_per_second", PER_SECOND)
        # One HSM for both.
        node.configure("hsm", "softhsm2_conf", str(one.path_of("hsm", "softhsm2_conf")))

    def hsm(self, node, *words):
        (node.clients / "client.toml").write_text(
            f'servers = ["127.0.0.1:{node.kmip[1]}"]\nca_file = "{node.ca}"\ncertificate_file = "root.crt"\n'
            f'key_file = "root.key"\nenrolment_url = "https://127.0.0.1:{node.https[1]}"\n', "utf-8")
        done = kms.run([node.programs.dare, "hsm", *words, "--json", "--config", node.clients / "client.toml"], timeout=180)
        return json.loads(done.stdout.splitlines()[-1])

    def rotation(self, node):
        return self.hsm(node, "status")["rotation"] or {}

    def sealed_under(self):
        """{key id: records whose material is sealed under it}, by the database itself."""
        rows = self.database.sql("SELECT encode(substring(material from 3 for 8), 'hex'), count(*) FROM objects "
                                 "WHERE length(material) > 0 GROUP BY 1").splitlines()
        return {key: int(count) for key, count in (row.split("|") for row in rows)}

    def test_a_rotation_with_two_nodes_at_work_and_one_killed_loses_nothing(self):
        identity = self.one.identity("alice")
        known = {}
        with self.one.client(identity) as client:
            for _ in range(RECORDS):
                key = client.create()
                known[key] = client.get(key)
        rng = random.Random(fixture.seed())
        workers = [Worker(node, node.identity("alice"), known, rng.getrandbits(64)) for node in self.nodes for _ in range(2)]
        for worker in workers:
            worker.start()
        try:
            before = [k["id"] for k in self.hsm(self.one, "status")["keys"] if k["state"] == "current"][0]
            self.hsm(self.one, "rotate")
            # In the middle: some records are under the new key, some not yet.
            self.assertTrue(fixture.eventually(lambda: len(self.sealed_under()) > 1, 60))
            in_the_middle = self.sealed_under()
            self.one.kill()
            done = {w: w.acknowledged for w in workers if w.node is self.two}
            self.assertTrue(fixture.eventually(lambda: all(w.acknowledged > n for w, n in done.items()), 60),
                            "the other node works on alone")
            self.one.start()
            finished = fixture.eventually(lambda: self.rotation(self.one).get("state") == "finished", 240)
            self.assertTrue(finished, self.rotation(self.one))
            done = {w: w.acknowledged for w in workers}
            self.assertTrue(fixture.eventually(lambda: all(w.acknowledged > n for w, n in done.items()), 60))
        finally:
            for worker in workers:
                worker.end.set()
            for worker in workers:
                worker.join(90)
        lost = 0
        for node in self.nodes:
            with node.client(node.identity("alice"), timeout=60) as client:
                for key, material in known.items():
                    try:
                        lost += client.get(key) != material
                    except KmipFailure:
                        lost += 1
        sealed = self.sealed_under()
        refused = [r for w in workers for r in w.refused]
        made = sum(w.acknowledged for w in workers)
        print(f"master key rotated with two nodes at work, one killed when {in_the_middle.get(before, 0)} of "
              f"{sum(in_the_middle.values())} records were left: {RECORDS + made} keys acknowledged, {lost} lost, "
              f"{sum(w.uses for w in workers)} uses, {len(refused)} refused, {sum(w.broken for w in workers)} without an answer, "
              f"longest step {max(w.longest for w in workers):.1f} s")
        self.assertEqual(lost, 0)
        self.assertEqual(refused, [])
        self.assertGreater(in_the_middle.get(before, 0), 0, "the kill came too late to prove anything")
        self.assertNotIn(before, sealed)
        self.assertEqual(len(sealed), 1, sealed)
        for node in self.nodes:
            self.assertEqual(node.command("verify", "--no-audit", check=False).returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/python3
"""Two dare-kms nodes on one PostgreSQL: what one does the other knows, and a database that dies loses nothing.

Counts are printed: operations acknowledged, lost (must be 0), refused, the longest gap.
"""
import pathlib
import ssl
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms, postgres  # noqa: E402
from support.kmip_client import ConnectionLost, KmipFailure, attribute, uid  # noqa: E402

LOST = (ConnectionLost, OSError, ssl.SSLError)
PATIENCE = 5  # seconds that the nodes wait for a database


class Writer(threading.Thread):
    """Creates named keys until it is told to stop; its books are read when it has ended."""

    def __init__(self, node, identity, name):
        super().__init__(daemon=True)
        self.node, self.identity, self.prefix = node, identity, name
        self.acknowledged, self.unknown, self.refused = {}, [], 0
        self.longest_gap, self.end = 0.0, threading.Event()

    def run(self):
        last, number, client = time.monotonic(), 0, None
        while not self.end.is_set():
            name = f"{self.prefix}-{number}"
            number += 1
            try:
                client = client or self.node.client(self.identity, timeout=60)
                self.acknowledged[name] = client.create(name)
                now = time.monotonic()
                self.longest_gap, last = max(self.longest_gap, now - last), now
            except KmipFailure:
                self.refused += 1
                self.unknown.append(name)
            except LOST:
                client = None
                self.unknown.append(name)


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if postgres.missing():
            print(f"SKIPPED: {postgres.missing()}")
            raise unittest.SkipTest(postgres.missing())
        cls.database = postgres.Server().start()
        cls.template = kms.Template(kms.Programs(), ["alice", "bob"])
        cls.nodes = []
        for name in ("one", "two"):
            node = cls.template.instantiate()
            node.configure("", "node", name)
            node.configure("store", "backend", "postgresql")
            node.configure("store", "connection", cls.database.connection)
            node.configure("store", "patience_seconds", PATIENCE)
            cls.nodes.append(node)
        cls.start_together()

    @classmethod
    def start_together(cls):
        starts = [threading.Thread(target=node.start) for node in cls.nodes]
        for start in starts:
            start.start()
        for start in starts:
            start.join()

    @classmethod
    def tearDownClass(cls):
        for node in getattr(cls, "nodes", []):
            node.close()
        if hasattr(cls, "template"):
            cls.template.close()
        if hasattr(cls, "database"):
            cls.database.close()

    def setUp(self):
        self.one, self.two = self.nodes
        self.assertIsNotNone(self.one.process, self.one.log_tail())
        self.assertIsNotNone(self.two.process, self.two.log_tail())

    def client(self, node, name="alice"):
        client = node.client(node.identity(name), timeout=60)
        self.addCleanup(client.close)
        return client

    def test_what_one_node_makes_the_other_uses(self):
        one, two = self.client(self.one), self.client(self.two)
        key = one.create("shared")
        one.activate(key)
        self.assertEqual(one.decrypt_gcm(key, *two.encrypt_gcm(key, b"data", b"aad"), b"aad"), b"data")
        self.assertEqual(two.locate("shared"), [key])
        with self.assertRaises(KmipFailure):
            two.create("shared")
        self.assertEqual(self.client(self.two, "bob").locate("shared"), [])

    def test_a_name_that_both_want_goes_to_one_of_them(self):
        won, refusals = [], set()

        def want(node, number):
            with node.client(node.identity("alice"), timeout=60) as client:
                for i in range(30):
                    try:
                        client.create(f"wanted-{i}")
                        won.append((i, number))
                    except KmipFailure as e:
                        refusals.add(e.reason)

        threads = [threading.Thread(target=want, args=(node, n)) for n, node in enumerate(self.nodes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(i for i, _ in won), list(range(30)), "each name once")
        self.assertLessEqual(refusals, {"NonUniqueNameAttribute", "InvalidField"}, "as if both had asked one node")
        print(f"names that two nodes wanted at once: 30, given once each ({sum(n for _, n in won)} by node two)")

    def test_updates_of_one_object_by_both_are_all_made(self):
        key = self.client(self.one).create("counted")
        failures = []

        def change(node, who):
            with node.client(node.identity("alice"), timeout=60) as client:
                for i in range(25):
                    try:
                        client.call("AddAttribute", [uid(key), attribute("Object Group", f"{who}-{i}")])
                    except KmipFailure as e:
                        failures.append(str(e))

        threads = [threading.Thread(target=change, args=(node, n)) for n, node in enumerate(self.nodes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [], "another node's change is no failure")
        groups = self.client(self.two).attribute_values(key, "Object Group")
        self.assertEqual(len(groups), 50)
        print("simultaneous updates of one object: 50 acknowledged, 0 lost, 0 refused")

    def test_a_revoked_key_is_refused_everywhere_within_a_second(self):
        one, two = self.client(self.one), self.client(self.two)
        worst, uses = 0.0, 0
        for round_ in range(3):
            key = one.create(f"revoked-{round_}")
            one.activate(key)
            two.encrypt_gcm(key, b"warm")  # in the other node's cache
            last = [0.0]
            stop = time.monotonic() + 30
            revoked_at = [0.0]

            def hammer():
                nonlocal uses
                with self.two.client(self.two.identity("alice"), timeout=60) as client:
                    while time.monotonic() < stop:
                        try:
                            client.encrypt_gcm(key, b"x")
                            uses += 1
                            last[0] = time.monotonic()
                        except KmipFailure:
                            return

            thread = threading.Thread(target=hammer)
            thread.start()
            fixture.eventually(lambda: last[0] > 0)
            one.revoke(key)
            revoked_at[0] = time.monotonic()
            thread.join()
            self.assertLess(last[0] - revoked_at[0], 1.0)
            worst = max(worst, last[0] - revoked_at[0])
        print(f"revoked on one node: last use on the other {worst * 1000:.0f} ms after the answer (bound 1000), {uses} uses")

    def test_the_database_dies_under_load_and_comes_back(self):
        writers = [Writer(node, node.identity("alice"), f"load-{n}-{i}") for n, node in enumerate(self.nodes)
                   for i in range(2)]
        for writer in writers:
            writer.start()
        for _ in range(3):
            before = sum(len(w.acknowledged) for w in writers)
            self.assertTrue(fixture.eventually(lambda: sum(len(w.acknowledged) for w in writers) > before + 40, 60))
            self.database.kill()
            self.database.start()
        self.assertTrue(fixture.eventually(lambda: all(w.longest_gap > 0 for w in writers), 60))
        before = [len(w.acknowledged) for w in writers]
        self.assertTrue(fixture.eventually(
            lambda: all(len(w.acknowledged) > b for w, b in zip(writers, before)), 60), "both nodes go on")
        for writer in writers:
            writer.end.set()
        for writer in writers:
            writer.join(120)
        client = self.client(self.two)
        lost = twice = 0
        for writer in writers:
            for name, key in writer.acknowledged.items():
                found = client.locate(name)
                lost += key not in found
                twice += len(found) > 1
            twice += sum(len(client.locate(name)) > 1 for name in writer.unknown)
        sample = [next(iter(w.acknowledged.values())) for w in writers]
        self.assertTrue(all(client.get(key) for key in sample))
        print(f"database killed 3 times: {sum(len(w.acknowledged) for w in writers)} keys acknowledged, {lost} lost, "
              f"{twice} twice, {sum(w.refused for w in writers)} refused, "
              f"longest gap {max(w.longest_gap for w in writers):.1f} s")
        self.assertEqual((lost, twice), (0, 0))

    def test_z_without_a_database_requests_are_refused_in_time(self):
        one = self.client(self.one)
        key = one.create("kept")
        self.database.kill()
        try:
            for attempt in ("create", "get", "create", "get"):
                begun = time.monotonic()
                with self.assertRaises(KmipFailure):
                    getattr(one, attempt)(*([] if attempt == "create" else [key]))
                self.assertLess(time.monotonic() - begun, PATIENCE + 20)
        finally:
            self.database.start()
        self.assertTrue(fixture.eventually(lambda: self.works(one, key), 30), "it recovers by itself")

    @staticmethod
    def works(client, key):
        try:
            return bool(client.get(key)) and bool(client.create())
        except KmipFailure:
            return False


if __name__ == "__main__":
    unittest.main(verbosity=2)

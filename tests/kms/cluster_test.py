#!/usr/bin/python3
"""Two dare-kms nodes on one PostgreSQL: what one does the other knows, and a database that dies loses nothing.

Counts are printed: operations acknowledged, lost (must be 0), refused, the longest gap.
"""
import pathlib
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import cluster, fixture  # noqa: E402
from support.kmip_client import KmipFailure, attribute, uid  # noqa: E402


class Cluster(cluster.TwoNodes):
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
        won, refusals, together = [], set(), threading.Barrier(len(self.nodes))
        asked = [[] for _ in self.nodes]

        def want(node, number):
            with node.client(node.identity("alice"), timeout=60) as client:
                for i in range(30):
                    together.wait(60)
                    begun = time.monotonic()
                    try:
                        client.create(f"wanted-{i}")
                        won.append((i, number))
                    except KmipFailure as e:
                        refusals.add(e.reason)
                    asked[number].append((begun, time.monotonic()))

        threads = [threading.Thread(target=want, args=(node, n)) for n, node in enumerate(self.nodes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(i for i, _ in won), list(range(30)), "each name once")
        self.assertLessEqual(refusals, {"NonUniqueNameAttribute", "InvalidField"}, "as if both had asked one node")
        overlapped = self.overlapped(asked)
        self.assertGreater(overlapped, 0, "no request met another: this proves nothing")
        print(f"names that two nodes wanted at once: 30 ({overlapped} requests overlapped), given once each "
              f"({sum(n for _, n in won)} by node two)")

    @staticmethod
    def overlapped(asked):
        """In how many rounds every request was on its way at one moment; [(begin, end)] of each client."""
        return sum(max(b for b, _ in times) < min(e for _, e in times) for times in zip(*asked))

    def test_updates_of_one_object_by_both_are_all_made(self):
        # One object has room for a hundred and some groups.
        keys = [self.client(self.one).create(f"counted-{i}") for i in range(3)]
        each, failures = 25, []
        rounds = each * len(keys)
        together = threading.Barrier(len(self.nodes) * 2)
        asked = [[] for _ in range(together.parties)]  # when each one's request went out and was answered

        def change(node, who):
            with node.client(node.identity("alice"), timeout=60) as client:
                for i in range(rounds):
                    together.wait(60)
                    begun = time.monotonic()
                    try:
                        client.call("AddAttribute", [uid(keys[i // each]), attribute("Object Group", f"{who}-{i}")])
                    except KmipFailure as e:
                        failures.append(str(e))
                    asked[who].append((begun, time.monotonic()))

        before = self.conflicts()
        threads = [threading.Thread(target=change, args=(node, n + len(self.nodes) * i))
                   for n, node in enumerate(self.nodes) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [], "another node's change is no failure")
        made = rounds * together.parties
        groups = [g for key in keys for g in self.client(self.two).attribute_values(key, "Object Group")]
        self.assertEqual(len(set(groups)), made)
        overlapped = self.overlapped(asked)
        fixture.eventually(lambda: self.conflicts() > before, 15)  # the database counts with a delay
        conflicts = self.conflicts() - before
        print(f"simultaneous updates of one object: {made} acknowledged, {made - len(set(groups))} lost, 0 refused; "
              f"{overlapped} of {rounds} rounds overlapped wholly, {conflicts} conflicts in the database")
        self.assertGreater(conflicts, 0, "no update met another: this proves nothing")

    def conflicts(self):
        """Transactions that a node gave up because another was faster, as the database counts them."""
        return int(self.database.sql("SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"))

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
                        asked = time.monotonic()
                        try:
                            client.encrypt_gcm(key, b"x")
                            uses += 1
                            last[0] = asked
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
        print(f"revoked on one node: last good request at the other {worst * 1000:.0f} ms after the answer (bound 1000), {uses} uses")

    def test_the_database_dies_under_load_and_comes_back(self):
        writers = [cluster.Writer(node, node.identity("alice"), f"load-{n}-{i}") for n, node in enumerate(self.nodes)
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
                # Refused, or, when what was revoked has not been known for so long, not let in.
                with self.assertRaises((KmipFailure, *cluster.LOST)):
                    with self.one.client(self.one.identity("alice"), timeout=60) as client:
                        getattr(client, attempt)(*([] if attempt == "create" else [key]))
                self.assertLess(time.monotonic() - begun, cluster.PATIENCE + 20)
        finally:
            self.database.start()
        self.assertTrue(fixture.eventually(lambda: self.works(key), 30), "it recovers by itself")

    def works(self, key):
        try:
            with self.one.client(self.one.identity("alice"), timeout=60) as client:
                return bool(client.get(key)) and bool(client.create())
        except (KmipFailure, *cluster.LOST):
            return False


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/python3
"""The kill switch on two dare-kms nodes with one PostgreSQL: after the command at one node has returned, the other serves
nobody whom it was about, on new, resumed and open connections; and a node that cannot read the database serves nobody.
"""
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import cluster, fixture, kms  # noqa: E402
from support.kill_switch import BOUND, Guest, administer  # noqa: E402
from support.kmip_client import Client, KmipFailure  # noqa: E402


class Lockouts(cluster.TwoNodes):
    clients = ("bob",)

    def enrol(self, name):
        key, certificate = self.one.clients / f"{name}.key", self.one.clients / f"{name}.crt"
        status, body = self.one.est_enrol(name, self.one.token(name), key)
        self.assertEqual(status, 200, body)
        kms.write_certificates(body, certificate)
        return kms.Identity(self.one.ca, certificate, key)

    def assert_turned_away(self, node, identity):
        with self.assertRaises(cluster.LOST), node.client(identity) as client:
            client.locate("nothing")

    def guests(self, node, identity, key):
        """On connections that are new, resumed and open: each uses a key."""
        context, session, resumed = identity.context(), [None], [0]
        open_connection = node.client(identity, timeout=60)
        self.addCleanup(open_connection.close)

        def new():
            with node.client(identity) as client:
                client.get(key)

        def resume():
            with Client(node.kmip, identity, context=context, session=session[0]) as client:
                client.get(key)
                resumed[0] += client.socket.session_reused
                session[0] = client.socket.session

        guests = {"new": Guest(new), "resumed": Guest(resume), "open": Guest(lambda: open_connection.get(key))}
        self.assertTrue(fixture.eventually(lambda: all(g.times > 2 for g in guests.values()) and resumed[0] > 0))
        self.assertTrue(all(guest.is_alive() for guest in guests.values()), "nobody was refused before")
        return guests

    def assert_over(self, guests, returned, worst):
        for how, guest in guests.items():
            guest.join(60)
            self.assertFalse(guest.is_alive(), how)
            # Asking began before the command had returned, with nothing to be taken off.
            self.assertLess(guest.last, returned, f"{how}: {guest.why}")
            worst[how] = max(worst.get(how, -BOUND), guest.last - returned)

    def test_whom_one_node_locks_out_the_other_does_not_serve(self):
        worst = {}
        for round_ in range(3):
            name = f"mallory-{round_}"
            identity = self.enrol(name)
            with self.one.client(identity) as client:
                key = client.create(f"of-{name}")
            guests = self.guests(self.two, identity, key)
            administer(self.one, "admin", "lockout", name)
            self.assert_over(guests, time.monotonic(), worst)
            for node in self.nodes:
                self.assert_turned_away(node, identity)
            administer(self.two, "admin", "unlock", name)
            for node in self.nodes:
                with node.client(identity) as client:
                    self.assertEqual(len(client.get(key)), 32)
        print("locked out at one node, last use at the other after the command's end (bound 0 ms): " +
              ", ".join(f"{how} {seconds * 1000:.0f} ms" for how, seconds in worst.items()))

    def test_the_seal_of_one_node_seals_the_other_and_is_taken_off_by_either(self):
        identity = self.enrol("carol")
        with self.one.client(identity) as client:
            key = client.create("of-carol")
        guests = self.guests(self.two, identity, key)
        administer(self.one, "kms", "seal")
        self.assert_over(guests, time.monotonic(), {})
        for node in self.nodes:
            with node.client(identity) as client, self.assertRaises(KmipFailure) as caught:
                client.get(key)
            self.assertIn("sealed", caught.exception.message)
        # Nodes that are killed and started in between know it, too.
        for node in self.nodes:
            node.kill()
        self.start_together()
        for node in self.nodes:
            with node.client(identity) as client, self.assertRaises(KmipFailure):
                client.get(key)
        administer(self.two, "kms", "unseal")
        for node in self.nodes:
            with node.client(identity) as client:
                self.assertEqual(len(client.get(key)), 32)

    def test_a_lockout_that_is_in_the_database_holds_though_its_node_died_at_once(self):
        identity = self.enrol("dave")
        with self.one.client(identity) as client:
            key = client.create("of-dave")
        guests = self.guests(self.two, identity, key)
        administer(self.one, "admin", "lockout", "dave")
        self.one.kill()
        self.assert_over(guests, time.monotonic(), {})
        self.one.start()
        self.assert_turned_away(self.one, identity)
        administer(self.one, "admin", "unlock", "dave")

    def test_a_node_that_cannot_read_the_database_serves_nobody(self):
        client = self.two.client(self.two.identity("bob"), timeout=60)
        self.addCleanup(client.close)
        client.locate("nothing")
        self.database.kill()
        try:
            guest = Guest(lambda: client.call("Query", [], version=(1, 4)))
            guest.join(60)
            self.assertFalse(guest.is_alive(), "what needs no key is refused as well")
        finally:
            self.database.start()

        def served():
            try:
                with self.two.client(self.two.identity("bob"), timeout=60) as again:
                    again.locate("nothing")
                return True
            except (*cluster.LOST, KmipFailure):
                return False
        self.assertTrue(fixture.eventually(served, 60))

    def test_z_what_is_forged_in_the_database_is_no_way_out(self):
        identity = self.enrol("erin")
        with self.one.client(identity) as client:
            client.create("of-erin")
        administer(self.one, "admin", "lockout", "erin")
        self.database.sql("DELETE FROM meta WHERE convert_from(key, 'UTF8') LIKE 'table/lockouts/%'")
        self.assert_turned_away(self.two, identity)
        done = self.one.command("verify", "--no-audit", check=False)
        self.assertEqual(done.returncode, 5)
        self.assertIn("table-sum/lockouts", done.stdout)
        self.two.stop()
        with self.assertRaises(RuntimeError):
            self.two.start()
        self.assertIn("lockouts in the database", self.two.log_tail())


if __name__ == "__main__":
    unittest.main(verbosity=2)

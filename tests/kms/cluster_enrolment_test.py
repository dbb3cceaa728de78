#!/usr/bin/python3
"""Who may come in, on two dare-kms nodes with one PostgreSQL: a token counts once, and what is revoked at one node is refused
at the other within a second, on new, resumed and open connections.
"""
import pathlib
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import cluster, fixture, kms  # noqa: E402
from support.kill_switch import BOUND, Guest  # noqa: E402
from support.kmip_client import Client, KmipFailure, item  # noqa: E402

PASSWORD = "correct horse\n"


def together(*works):
    """Runs them at once; their results."""
    results, barrier = [None] * len(works), threading.Barrier(len(works))

    def run(place, work):
        barrier.wait(60)
        results[place] = work()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Enrolment(cluster.TwoNodes):
    clients = ("alice",)

    @classmethod
    def configure_node(cls, node):
        node.configure("credentials", "gateways", ["gateway"])

    def enrol(self, node, name, token):
        key = node.clients / f"{name}.key"
        status, body = node.est_enrol(name, token, key)
        self.assertEqual(status, 200, body)
        kms.write_certificates(body, node.clients / f"{name}.crt")
        return kms.Identity(node.ca, node.clients / f"{name}.crt", key)

    def test_a_token_of_one_node_enrols_at_the_other_once(self):
        token = self.one.token("carol")
        identity = self.enrol(self.two, "carol", token)
        for node in self.nodes:
            with node.client(identity) as client:
                client.create()
            self.assertEqual(node.est_enrol("carol", token, node.clients / "again.key")[0], 401)
            self.assertIn("carol", node.command("certificates").stdout)

    def test_an_administrator_of_one_node_is_one_at_the_other(self):
        identity = self.enrol(self.one, "admin", self.two.token("admin", admin=True))
        key = self.client(self.one).create("of-alice")
        for node in self.nodes:
            with node.client(identity) as client:
                self.assertEqual(client.state(key), "PreActive")

    def test_a_token_that_both_nodes_are_shown_at_once_is_used_once(self):
        request = kms.signing_request("dave", self.one.clients / "dave.key")
        rounds, given, refused = 12, 0, 0
        for _ in range(rounds):
            token = self.one.token("dave")
            # Several at each node, or one is done before the other begins.
            statuses = [status for status, _ in together(*(
                lambda node=node: node.est_send("dave", token, request) for node in self.nodes * 3))]
            self.assertEqual(sorted(statuses), [200, 401, 401, 401, 401, 401])
            given, refused = given + statuses.count(200), refused + statuses.count(401)
        recorded = self.two.command("certificates").stdout.count(" dave ")
        print(f"{rounds} tokens of one use shown six times at once to two nodes: {given} certificates, {refused} refused, "
              f"{recorded} recorded")
        self.assertEqual(recorded, rounds)

    def test_a_certificate_revoked_at_one_node_is_refused_at_the_other_within_a_second(self):
        worst = {}
        for round_ in range(3):
            name = f"mallory-{round_}"
            identity = self.enrol(self.one, name, self.one.token(name))
            context = identity.context()
            session = [None]
            resumed = [0]
            open_connection = self.two.client(identity, timeout=60)
            self.addCleanup(open_connection.close)

            def shake():
                with self.two.client(identity) as client:
                    client.locate("nothing")

            def resume():
                with Client(self.two.kmip, identity, context=context, session=session[0]) as client:
                    client.locate("nothing")
                    resumed[0] += client.socket.session_reused
                    session[0] = client.socket.session

            guests = {"new": Guest(shake), "resumed": Guest(resume), "open": Guest(lambda: open_connection.locate("nothing"))}
            self.assertTrue(fixture.eventually(lambda: all(g.times > 2 for g in guests.values())))
            self.assertTrue(all(guest.is_alive() for guest in guests.values()), "nobody was refused before")
            self.one.command("revoke-certificate", "--name", name)
            revoked = time.monotonic()
            for how, guest in guests.items():
                guest.join(60)
                self.assertFalse(guest.is_alive())
                self.assertLess(guest.last - revoked, BOUND, how)
                worst[how] = max(worst.get(how, 0.0), guest.last - revoked)
            self.assertGreater(resumed[0], 1, "no session was resumed")
            # The server of the node where the command ran hears of it as the others do.
            asked = time.monotonic()
            while self.welcome(self.one, identity):
                self.assertLess(asked - revoked, BOUND)
                asked = time.monotonic()
            self.assertFalse(any(self.welcome(node, identity) for node in self.nodes))
        print("certificate revoked on one node, last use on the other after the command's end (bound 1000 ms): " +
              ", ".join(f"{how} {seconds * 1000:.0f} ms" for how, seconds in worst.items()))

    def test_a_name_that_enrols_again_is_welcome_at_both(self):
        old = self.enrol(self.one, "erin", self.one.token("erin"))
        self.two.command("revoke-certificate", "--name", "erin")
        new = self.enrol(self.two, "erin", self.one.token("erin"))
        # A node that has not heard of the revocation yet lets both in: the old one first.
        self.assertTrue(fixture.eventually(lambda: not any(self.welcome(node, old) for node in self.nodes)))
        self.assertTrue(fixture.eventually(lambda: all(self.welcome(node, new) for node in self.nodes)))
        self.assertFalse(any(self.welcome(node, old) for node in self.nodes))

    @staticmethod
    def welcome(node, identity):
        try:
            with node.client(identity) as client:
                client.locate("nothing")
                return True
        except (*cluster.LOST, KmipFailure):
            return False

    def test_a_credential_of_one_node_counts_at_the_other_until_it_is_removed(self):
        header = [item("Authentication", [item("Credential", [
            item("CredentialType", "UsernameAndPassword"),
            item("CredentialValue", [item("Username", "fred"), item("Password", PASSWORD.strip())])])])]
        gateway = self.two.client(self.enrol(self.one, "gateway", self.one.token("gateway")))
        self.addCleanup(gateway.close)

        def known():
            try:
                gateway.call("Ping", [], version=(2, 1), header=header)
                return True
            except KmipFailure:
                return False

        words = [self.one.programs.dare_kms, "credential"]
        kms.run([*words, "add", "--user", "fred", "--config", self.one.config_file], input=PASSWORD)
        self.assertTrue(fixture.eventually(known), "put at one node")
        guest = Guest(lambda: gateway.call("Ping", [], version=(2, 1), header=header))
        self.assertTrue(fixture.eventually(lambda: guest.times > 2))
        kms.run([*words, "remove", "--user", "fred", "--config", self.one.config_file])
        removed = time.monotonic()
        guest.join(60)
        self.assertLess(guest.last - removed, BOUND)
        self.assertFalse(known())
        print(f"credential removed at one node: last use at the other {(guest.last - removed) * 1000:.0f} ms after the "
              f"command's end (bound 1000)")

    def test_z_what_is_forged_in_the_database_is_no_token_and_a_missing_revocation_is_noticed(self):
        for node in self.nodes:
            self.assertEqual(node.command("verify", "--no-audit", check=False).returncode, 0)
        token = self.one.token("frank")
        self.database.sql("UPDATE meta SET value = value || '\\x00'::bytea WHERE convert_from(key, 'UTF8') "
                          "LIKE 'table/enrolment/token/%'")
        self.assertEqual(self.two.est_enrol("frank", token, self.two.clients / "frank.key")[0], 401)
        self.one.command("revoke-certificate", "--serial", "abcd")
        self.database.sql("DELETE FROM meta WHERE key = (SELECT key FROM meta WHERE convert_from(key, 'UTF8') "
                          "LIKE 'table/revocations/%' ORDER BY key DESC LIMIT 1)")
        done = self.one.command("verify", "--no-audit", check=False)
        self.assertEqual(done.returncode, 5)
        self.assertIn("table-sum/revocations", done.stdout)
        self.assertIn("table/enrolment/token/", done.stdout)
        self.two.stop()
        with self.assertRaises(Exception):
            self.two.start()
        self.assertIn("revocations in the database", self.two.log_tail())


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/python3
"""The kill switch on one server: `dare admin lockout`, `dare kms seal` and back, from the outside."""
import json
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import administered, cluster, fixture, kms  # noqa: E402
from support.kmip_client import Identity, KmipFailure  # noqa: E402

DENIED, FAILED, USAGE, DAMAGED = 3, 1, 2, 5


class Lockouts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = administered.Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.server.fix_ports()
        cls.server.identity("root")

    def setUp(self):
        if self.server.process is None:
            self.server.start()

    def dare(self, *words, who="root", check=True):
        config = self.server.clients / f"{who}.toml"
        config.write_text(self.server.client_toml(who), "utf-8")
        return kms.run([self.server.programs.dare, *words, "--config", config], check=check)

    def enrol(self, name, *options):
        """An identity of its own for each test, in the groups that the options name."""
        key, certificate = self.server.clients / f"{name}.key", self.server.clients / f"{name}.crt"
        token = self.server.command("enroll-token", "--name", name, *options).stdout.split()[-1]
        status, body = self.server.est_enrol(name, token, key)
        self.assertEqual(status, 200, body)
        kms.write_certificates(body, certificate)
        return Identity(self.server.ca, certificate, key)

    def open(self, identity):
        client = self.server.client(identity)
        self.addCleanup(client.close)
        return client

    def assert_turned_away(self, identity):
        """Not even a handshake; TLS 1.3 tells a client so at its first read."""
        with self.assertRaises(cluster.LOST), self.server.client(identity) as client:
            client.locate("nothing")

    def assert_cut(self, client):
        """The connection ends; until then it is denied everything."""
        def gone():
            try:
                client.locate("nothing")
            except KmipFailure as failure:
                self.assertEqual(failure.reason, "PermissionDenied")
                return False
            except cluster.LOST:
                return True
            self.fail("it was served")
        self.assertTrue(fixture.eventually(gone))

    def test_a_principal_is_cut_and_refused_until_it_is_unlocked(self):
        alice, bob = self.enrol("alice"), self.enrol("bob")
        client, other = self.open(alice), self.open(bob)
        key, others = client.create("of-alice"), other.create("of-bob")
        said = self.dare("admin", "lockout", "alice", "--reason", "laptop stolen").stdout
        self.assertIn("alice: locked out", said)
        self.assert_cut(client)
        self.assert_turned_away(alice)
        self.assertEqual(other.get(others), other.get(others))
        # What an administrator and an auditor see.
        listed = json.loads(self.dare("admin", "lockouts", "--json").stdout)
        self.assertEqual([(e["kind"], e["name"], e["by"], e["reason"]) for e in listed["lockouts"]],
                         [("principal", "alice", "root", "laptop stolen")])
        self.assertIn("laptop stolen", self.dare("admin", "lockouts").stdout)
        self.assertTrue(self.server.audit_has('"operation":"lock out"', "alice", "laptop stolen"))
        self.assertTrue(fixture.eventually(lambda: self.server.audit_has('"operation":"connect"', "locked out", "alice")))
        # The program says that it is denied, not that the server is away.
        self.assertEqual(self.dare("ping", who="alice", check=False).returncode, DENIED)
        self.dare("admin", "unlock", "alice")
        self.assertEqual(len(self.open(alice).get(key)), 32)
        self.assertEqual(json.loads(self.dare("admin", "lockouts", "--json").stdout)["lockouts"], [])

    def test_a_group_is_refused_with_all_its_members(self):
        carol = self.enrol("carol", "--group", "lab")
        dave = self.enrol("dave", "--group", "office")
        client, other = self.open(carol), self.open(dave)
        client.create("of-carol")
        other.create("of-dave")
        self.dare("admin", "lockout", "--group", "lab")
        self.assert_cut(client)
        other.locate("of-dave")
        self.dare("admin", "unlock", "--group", "lab")
        self.assertEqual(len(self.open(carol).locate("of-carol")), 1)

    def test_a_lockout_outlives_a_kill(self):
        erin = self.enrol("erin")
        self.open(erin).create("of-erin")
        self.dare("admin", "lockout", "erin")
        self.server.kill()
        self.server.start()
        self.assert_turned_away(erin)
        self.dare("admin", "unlock", "erin")
        self.assertEqual(len(self.open(erin).locate("of-erin")), 1)

    def test_under_the_seal_nobody_is_served_and_administration_goes_on(self):
        frank = self.enrol("frank")
        client = self.open(frank)
        key = client.create("of-frank")
        client.get(key)
        self.assertEqual(self.server.health()[0], 200)
        self.dare("kms", "seal", "--reason", "fire drill")
        with self.assertRaises(KmipFailure) as caught:
            client.get(key)
        self.assertIn("sealed", caught.exception.message)
        status, health = self.server.health()
        self.assertEqual((status, health["status"], health["sealed"]), (503, "sealed", True))
        # A server that is killed and started is sealed still, and can be administered.
        self.server.kill()
        self.server.start()
        with self.assertRaises(KmipFailure):
            self.open(frank).get(key)
        listed = json.loads(self.dare("admin", "lockouts", "--json").stdout)
        self.assertEqual(listed["seal"]["reason"], "fire drill")
        self.assertIn("keys", json.loads(self.dare("hsm", "status", "--json").stdout))
        self.dare("kms", "unseal")
        self.assertEqual(len(self.open(frank).get(key)), 32)
        self.assertEqual(self.server.health()[1]["status"], "ok")

    def test_only_an_administrator_has_the_switch_and_not_against_himself(self):
        self.enrol("grace")
        for words in (("admin", "lockout", "frank"), ("admin", "unlock", "frank"), ("admin", "lockouts"),
                      ("kms", "seal"), ("kms", "unseal")):
            done = self.dare(*words, who="grace", check=False)
            self.assertEqual(done.returncode, DENIED, words)
        done = self.dare("admin", "lockout", "root", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("yourself", done.stderr)
        self.assertEqual(self.dare("admin", "lockout", check=False).returncode, USAGE)
        self.assertEqual(self.dare("admin", "lockout", "a", "--group", "b", check=False).returncode, USAGE)
        self.assertEqual(self.dare("admin", "unlock", "nobody", check=False).returncode, FAILED)
        self.assertEqual(self.dare("kms", "unseal", check=False).returncode, FAILED)

    def test_the_machine_itself_is_the_way_back(self):
        other = self.enrol("henry", *kms.ADMIN_OPTIONS)
        self.assertEqual(self.dare("admin", "lockouts", who="henry").returncode, 0)
        self.dare("admin", "lockout", "root", who="henry")
        self.dare("kms", "seal", who="henry")
        self.assertNotEqual(self.dare("admin", "lockouts", check=False).returncode, 0)
        self.server.command("unlock", "--seal")
        self.server.command("unlock", "--name", "root")
        self.assertTrue(fixture.eventually(lambda: self.dare("admin", "lockouts", check=False).returncode == 0))
        self.assertTrue(fixture.eventually(lambda: self.server.health()[1]["status"] == "ok"))
        self.assertIsNotNone(other)

    def test_a_list_whose_sum_somebody_removed_is_for_a_person_to_adopt(self):
        ivan = self.enrol("ivan")
        self.dare("admin", "lockout", "ivan")
        self.server.stop()
        with sqlite3.connect(self.server.database) as database:
            self.assertEqual(database.execute("DELETE FROM meta WHERE key = 'table-sum/lockouts'").rowcount, 1)
        with self.assertRaises(RuntimeError):
            self.server.start()
        self.assertIn("nobody is served (dare-kms verify)", self.server.log_tail())
        found = self.server.command("verify", "--no-audit", check=False)
        self.assertEqual(found.returncode, DAMAGED)
        self.assertIn("lockouts", found.stdout)
        adopted = self.server.command("verify", "--no-audit", "--adopt")
        self.assertIn("adopted: the table 'lockouts' as it is", adopted.stdout)
        self.server.start()
        self.assert_turned_away(ivan)
        self.dare("admin", "unlock", "ivan")
        self.open(ivan).locate("anything")


if __name__ == "__main__":
    unittest.main(verbosity=2)

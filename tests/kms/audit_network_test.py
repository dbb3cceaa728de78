#!/usr/bin/python3
"""`dare audit log`, `tail` and `export`: who may read a server's audit log over the network, what is found in it, that reading is
recorded, and that what was taken away is verified elsewhere, by a program that knows nothing of ours, too."""
import json
import pathlib
import re
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import audit, fixture, kms, merkle, ttlv  # noqa: E402
from support.kill_switch import administer  # noqa: E402
from support.kmip_client import KmipFailure, item, message, uid  # noqa: E402

DONE, FAILED, USAGE, DENIED, UNREACHABLE, DAMAGED = range(6)

ONE_DOMAIN = """format = 1
[[domain]]
name = "default"
[domain.roles]
custodian = ["principal:carol"]
auditor = ["principal:eve"]
client = ["principal:*"]
"""
TWO_DOMAINS = ONE_DOMAIN + """
[[domain]]
name = "red"
members = ["red-*"]
[domain.roles]
custodian = ["principal:red-keeper"]
auditor = ["principal:red-eve"]
client = ["principal:red-app"]
"""


class Reading(fixture.KmsTest):
    clients = ("alice", "bob", "eve", "red-app", "red-eve")

    @classmethod
    def configure_server(cls, server):
        server.configure("audit", "checkpoint_entries", 20)

    def dare(self, *words, who="root", check=True):
        return administer(self.kms, "audit", *words, who=who, check=check)

    def log(self, *words, who="root"):
        return [json.loads(line) for line in self.dare("log", *words, who=who).stdout.splitlines()]

    def apply(self, policy):
        file = self.kms.clients / "policy.toml"
        file.write_text(policy, "utf-8")
        administer(self.kms, "admin", "policy", "apply", file)

    def readings(self, who):
        return [r for r in self.kms.audit_records() if r["operation"] == "read audit log" and r["principal"] == who]

    def test_every_filter_gives_what_the_files_have(self):
        """Also of what was answered just before."""
        alice, bob = self.client(), self.client("bob")
        key = alice.create("found")
        alice.get(key)
        with self.assertRaises(KmipFailure):
            bob.get(key)
        given = self.log("--from", "1")
        there = self.kms.audit_records()
        self.assertEqual(given, there[:len(given)], "the lines are those of the files")
        self.assertGreater(len(given), 5)
        for words, keep in {
            ("--principal", "bob"): lambda r: r["principal"] == "bob",
            ("--object", key): lambda r: r["object"] == key,
            ("--operation", "Create"): lambda r: r["operation"] == "Create",
            ("--decision", "denied"): lambda r: r["outcome"] == "denied",
            ("--principal", "alice", "--operation", "Get"): lambda r: r["principal"] == "alice" and r["operation"] == "Get",
            ("--since", "2001-01-01", "--principal", "bob"): lambda r: r["principal"] == "bob",
            ("--since", "1h", "--object", key): lambda r: r["object"] == key,
            ("--until", "2001-01-01T00:00:00Z"): lambda r: False,
            ("--from", "3", "--object", key): lambda r: r["seq"] >= 3 and r["object"] == key,
        }.items():
            with self.subTest(words):
                found = self.log(*words)
                self.assertEqual(found, [r for r in there if keep(r)])
        self.assertEqual([r["outcome"] for r in self.log("--object", key, "--principal", "bob")], ["denied"])
        last = self.log("-n", "2")
        self.assertEqual([r["seq"] for r in last], [last[0]["seq"], last[0]["seq"] + 1])

    def test_a_person_gets_a_table(self):
        key = self.client().create("row\x1b[31m")
        row = self.dare("log", "--table", "--object", key).stdout
        self.assertRegex(row, rf"^\d+  20\d\d-\d\d-\d\dT\S+Z  allowed  alice  Create  {key}  \S+  ")
        self.assertNotIn("\x1b", self.dare("log", "--table").stdout)
        for wrong in (["--since", "yesterday"], ["--decision", "maybe"], ["--from", "0"], ["--from", "1", "-n", "1"]):
            self.assertEqual(self.dare("log", *wrong, check=False).returncode, USAGE, wrong)

    def test_correlation_values_of_client_and_server_find_the_entry(self):
        client = self.client()
        key = client.create()
        request = [item("ClientCorrelationValue", "job 17, step 4")]
        answer = client.exchange_bytes(ttlv.encode(message([("Get", [uid(key)])], header=request)))
        found = self.log("--request", "job 17, step 4")
        self.assertEqual([(r["operation"], r["object"], r["principal"]) for r in found], [("Get", key, "alice")])
        client_value, server_value = found[0]["request"].rsplit(" ", 1)
        self.assertEqual(client_value, "job 17, step 4")
        self.assertRegex(server_value, r"^[0-9a-f]{16}-\d+$")
        self.assertIn(server_value.encode(), answer, "the client was told the server's")
        self.assertEqual(self.log("--request", server_value), found)
        # Without one of the client's, the server's own is there, and is another each time.
        client.get(key)
        client.get(key)
        own = [r["request"] for r in self.log("--object", key, "--operation", "Get")][-2:]
        self.assertEqual(len(set(own)), 2)
        for value in own:
            self.assertRegex(value, r"^[0-9a-f]{16}-\d+$")

    def test_administrators_and_auditors_read_and_nobody_else(self):
        self.log("-n", "1")
        for who in ("alice", "eve"):
            refused = self.dare("log", who=who, check=False)
            self.assertEqual((refused.returncode, refused.stdout), (DENIED, ""))
            self.assertEqual(self.readings(who)[-1]["outcome"], "denied")
        self.apply(ONE_DOMAIN)
        self.assertEqual(self.log("-n", "1", who="eve")[0].keys() >= {"seq", "prev"}, True)
        self.assertEqual((self.readings("eve")[-1]["outcome"], self.readings("eve")[-1]["rule"]),
                         ("allowed", "role auditor"))
        for who in ("alice", "carol"):
            self.kms.identity(who)
            for verb in (["log"], ["tail"], ["export", self.kms.home / "none"]):
                self.assertEqual(self.dare(*verb, who=who, check=False).returncode, DENIED)
        for words in (["admin", "policy", "show"], ["admin", "lockouts"], ["hsm", "status"]):
            self.assertEqual(administer(self.kms, *words, who="eve", check=False).returncode, DONE)
        for words in (["kms", "seal"], ["admin", "lockout", "alice"], ["hsm", "rotate"]):
            self.assertEqual(administer(self.kms, *words, who="eve", check=False).returncode, DENIED,
                             "an auditor can change nothing")
        administer(self.kms, "admin", "lockout", "eve")
        self.assertEqual(self.dare("log", who="eve", check=False).returncode == DONE, False)
        administer(self.kms, "admin", "unlock", "eve")

    def test_an_auditor_of_one_domain_among_two_sees_its_own_principals(self):
        self.apply(TWO_DOMAINS)
        self.addCleanup(self.apply, ONE_DOMAIN)
        with self.kms.client(self.identities["red-app"]) as red:
            red.create("of red")
        self.client().create("of alice")
        seen = {r["principal"] for r in self.log(who="red-eve")}
        self.assertEqual(seen - {"red-eve"}, {"red-app"})
        refused = self.dare("export", self.kms.home / "red", who="red-eve", check=False)
        self.assertEqual(refused.returncode, DENIED)
        self.assertIn("whole log", refused.stderr)
        self.assertEqual(list(self.kms.home.glob("red*")), [], "nothing is left")
        self.assertNotIn("red-app", {r["principal"] for r in self.log(who="eve")})
        self.assertIn("red-app", {r["principal"] for r in self.log()})

    def test_a_reading_is_recorded_once_and_says_what_was_asked(self):
        before = len(self.readings("root"))
        self.log("--principal", "alice", "--since", "1h")
        made = self.readings("root")[before:]
        self.assertEqual(len(made), 1)
        self.assertRegex(made[0]["detail"], r"^principal alice, since 20\S+Z$")
        self.assertEqual((made[0]["outcome"], made[0]["rule"]), ("allowed", "administrator"))

    def test_tail_follows_across_a_restart_and_is_recorded_once(self):
        self.kms.configure("kmip", "port", self.kms.kmip[1])
        self.kms.configure("https", "port", self.kms.https[1])
        self.kms.restart()
        self.log("-n", "1")  # writes the configuration
        before = len(self.readings("root"))
        tail = subprocess.Popen([self.kms.programs.dare, "audit", "tail", "--operation", "Create", "-n", "1", "--config",
                                 self.kms.clients / "root.toml"], stdout=subprocess.PIPE, text=True)
        lines, done = [], threading.Event()

        def read():
            for line in tail.stdout:
                lines.append(json.loads(line))
            done.set()

        threading.Thread(target=read, daemon=True).start()
        try:
            for turn in range(2):
                self.assertTrue(fixture.eventually(lambda: len(self.readings("root")) == before + turn + 1))
                with self.kms.client(self.identities["alice"]) as client:
                    key = client.create()
                self.assertTrue(fixture.eventually(lambda: [r for r in lines if r["object"] == key]))
                with self.kms.client(self.identities["alice"]) as client:
                    key = client.create()
                self.assertTrue(fixture.eventually(lambda: [r for r in lines if r["object"] == key]))
                self.assertEqual(len(self.readings("root")), before + turn + 1, "recorded once, each time it began")
                if turn == 0:
                    self.kms.restart()
            self.assertEqual(len({r["seq"] for r in lines}), len(lines), "nothing twice")
        finally:
            tail.terminate()
            tail.wait()
            self.assertTrue(done.wait(20))
            tail.stdout.close()

    def test_what_was_exported_is_verified_elsewhere(self):
        client = self.client()
        for _ in range(15):
            client.get(client.create())
        folder = pathlib.Path(self.kms.audit_folder)
        self.assertTrue(fixture.eventually((folder / "checkpoints").exists))
        away = self.kms.home / "away"
        said = self.dare("export", away, who="root").stdout
        entries = int(re.search(r"(\d+) entries", said).group(1))
        self.kms.stop()
        lines = [line for _, _, line in audit.lines(away)]
        self.assertEqual(lines, [line for _, _, line in audit.lines(folder)][:entries])
        self.assertEqual(audit.verify(away), entries)
        self.assertEqual((away / "audit.pub").read_bytes(), (folder / "audit.pub").read_bytes())
        leaves = [merkle.leaf_hash(line) for line in lines]
        checkpoints = merkle.checkpoints(away / "checkpoints")
        self.assertTrue(checkpoints)
        for checkpoint in checkpoints:
            self.assertEqual(checkpoint.root, merkle.tree_hash(leaves[:checkpoint.size]))
            self.assertTrue(checkpoint.is_signed_by(away / "audit.pub", self.kms.home))
        verify = [self.kms.programs.dare, "audit", "verify", away, "--key", folder / "audit.pub"]
        report = json.loads(kms.run([*verify, "--json"]).stdout)
        self.assertEqual((report["intact"], report["entries"], report["covered"]), (True, entries, checkpoints[-1].size))
        self.assertEqual(self.dare_offline("export", away).returncode, FAILED, "it is there already")
        segment = audit.segments(away)[0]
        segment.write_bytes(segment.read_bytes().replace(b'"outcome":"allowed"', b'"outcome":"refused"', 1))
        self.assertEqual(kms.run(verify, check=False).returncode, DAMAGED)

    def dare_offline(self, *words):
        return kms.run([self.kms.programs.dare, "audit", *words, "--config", self.kms.clients / "root.toml"], check=False)

    def test_an_export_of_a_log_that_was_altered_is_refused(self):
        client = self.client()
        key = client.create("to be altered")
        client.get(key)
        client.get(key)
        self.kms.stop()
        segment = audit.segments(self.kms.audit_folder)[0]
        good = segment.read_bytes()
        segment.write_bytes(good.replace(b'"operation":"Get"', b'"operation":"Got"', 1))
        self.kms.start()
        try:
            refused = self.dare("export", self.kms.home / "altered", check=False)
            self.assertEqual(refused.returncode, DAMAGED, refused.stderr)
            self.assertRegex(refused.stderr, r"entry \d+: (it does not follow the line before|entries \d+ to \d+ are not)")
            self.assertEqual(list(self.kms.home.glob("altered*")), [])
        finally:
            self.kms.stop()
            segment.write_bytes(good + segment.read_bytes()[len(good):])


if __name__ == "__main__":
    unittest.main(verbosity=2)

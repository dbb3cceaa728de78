#!/usr/bin/python3
"""Dual control on two nodes with one PostgreSQL: what the policy wants others to agree to waits, is approved or refused by those
whom it names, at whatever node, happens once, and expires; the emergency path is loud; forged rows close what needs approval.
"""
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import cluster, fixture  # noqa: E402
from support.kill_switch import administer  # noqa: E402
from support.kmip_client import KmipFailure, uid  # noqa: E402

DONE, FAILED, USAGE, DENIED, UNREACHABLE, DAMAGED = range(6)

POLICY = """format = 1
[[domain]]
name = "default"
[domain.roles]
custodian = ["principal:carol", "principal:cecil"]
client = ["principal:*"]
[[domain.approval]]
name = "short"
acts = ["Destroy"]
objects = ["short-*"]
needed = 1
by = ["principal:carol"]
valid_for = "2s"
[[domain.approval]]
name = "keys"
acts = ["Destroy", "Get", "Export"]
objects = ["guarded-*"]
needed = 2
by = ["role:custodian", "principal:dora"]
emergency = ["principal:oscar"]
[[domain.approval]]
name = "service"
acts = ["RotateMasterKey", "ApplyPolicy", "PruneAudit"]
needed = 1
by = ["role:custodian"]
"""


class Approvals(cluster.TwoNodes):
    clients = ("alice", "bob", "carol", "cecil", "dora", "oscar")

    @classmethod
    def configure_node(cls, node):
        # One HSM for both, as for a rotation there must be.
        node.configure("hsm", "softhsm2_conf", str(cls.nodes[0].path_of("hsm", "softhsm2_conf")))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        applied = cls.apply(POLICY)
        assert applied.returncode == DONE, applied.stderr

        def obeyed():
            told = administer(cls.nodes[1], "admin", "explain", "alice", "Destroy", "--owner", "alice", "--name", "guarded-x")
            return "approval: needs 2 of" in told.stdout
        assert fixture.eventually(obeyed), "the other node does not obey the policy"

    @classmethod
    def apply(cls, text, check=False):
        file = cls.nodes[0].clients / "policy.toml"
        file.write_text(text, "utf-8")
        return administer(cls.nodes[0], "admin", "policy", "apply", file, check=check)

    def admin(self, node, who, *words, code=DONE):
        done = administer(node, "admin", *words, who=who, check=False)
        self.assertEqual(done.returncode, code, f"{who}: {words}: {done.stdout} {done.stderr}")
        return done

    def listed(self, node, who):
        return json.loads(self.admin(node, who, "approvals", "--json").stdout)

    def ids(self, node, who):
        return [request["id"] for request in self.listed(node, who)["requests"]]

    def refused(self, node, operation, key, who="alice"):
        """The message with which the operation is refused."""
        with self.assertRaises(KmipFailure) as caught:
            self.client(node, who).call(operation, [uid(key)])
        self.assertEqual(caught.exception.reason, "PermissionDenied", caught.exception.message)
        return caught.exception.message

    def request(self, text):
        found = re.search(r"request ([0-9a-f]{12})\b", text)
        self.assertIsNotNone(found, text)
        return found.group(1)

    def test_what_enough_others_approved_happens_once(self):
        key = self.client(self.one).create("guarded-one")
        message = self.refused(self.one, "Destroy", key)
        self.assertIn("needs approval by 2 of role:custodian, principal:dora", message)
        request = self.request(message)
        self.admin(self.one, "alice", "approve", request, code=DENIED)  # one's own
        self.admin(self.two, "bob", "approve", request, code=DENIED)  # not named
        self.admin(self.two, "root", "approve", request, code=DENIED)  # an administrator is not named either
        self.assertIn("it is waiting", self.admin(self.two, "carol", "approve", request).stdout)
        self.admin(self.one, "carol", "approve", request, code=DENIED)  # one voice for each person
        self.assertEqual(self.request(self.refused(self.two, "Destroy", key)), request)
        self.assertIn("it is approved", self.admin(self.one, "dora", "approve", request).stdout)
        self.client(self.two).destroy(key)
        self.assertEqual(self.client(self.one).state(key), "Destroyed")
        self.assertTrue(self.two.audit_has("Destroy", "approved by carol, dora", key), self.two.audit_text()[-2000:])
        self.assertTrue(self.one.audit_has("approve request", "dora", request))
        self.assertTrue(self.one.audit_has("Destroy", "denied", "approval default/keys", request))
        # Another key, and the same people: another request.
        other = self.client(self.one).create("guarded-two")
        self.assertNotEqual(self.request(self.refused(self.one, "Destroy", other)), request)
        self.assertNotIn(request, self.ids(self.one, "carol"))

    def test_a_key_leaves_in_the_clear_once_for_each_approval(self):
        key = self.client(self.one).create("guarded-clear")
        request = self.request(self.refused(self.one, "Get", key))
        for who in ("carol", "cecil"):
            self.admin(self.one, who, "approve", request)
        self.refused(self.one, "Destroy", key)  # it was for Get
        self.assertEqual(len(self.client(self.two).get(key)), 32)
        self.assertNotEqual(self.request(self.refused(self.two, "Get", key)), request)
        free = self.client(self.one).create("free")
        self.assertEqual(len(self.client(self.one).get(free)), 32)

    def test_one_refusal_refuses(self):
        key = self.client(self.one).create("guarded-refused")
        request = self.request(self.refused(self.one, "Destroy", key))
        self.admin(self.two, "carol", "approve", request)
        self.admin(self.two, "dora", "refuse", request, "--reason", "still in use")
        self.admin(self.one, "cecil", "approve", request, code=DENIED)
        self.assertIn("was refused by dora", self.refused(self.one, "Destroy", key))
        self.assertTrue(self.two.audit_has("refuse request", "still in use", request))

    def test_a_request_expires(self):
        key = self.client(self.one).create("short-lived")
        request = self.request(self.refused(self.one, "Destroy", key))
        self.assertTrue(fixture.eventually(lambda: request not in self.ids(self.two, "carol")))
        self.admin(self.two, "carol", "approve", request, code=FAILED)
        self.assertNotEqual(self.request(self.refused(self.one, "Destroy", key)), request)

    def test_everybody_sees_what_concerns_them(self):
        key = self.client(self.one).create("guarded-seen")
        request = self.request(self.refused(self.one, "Destroy", key))
        for who in ("alice", "carol", "oscar", "root"):
            self.assertIn(request, self.ids(self.two, who), who)
        self.assertNotIn(request, self.ids(self.two, "bob"))
        self.admin(self.two, "bob", "approvals", request, code=FAILED)
        shown = [r for r in self.listed(self.two, "carol")["requests"] if r["id"] == request][0]
        self.assertEqual((shown["act"], shown["subject"], shown["requester"], shown["standing"], shown["may_speak"]),
                         ("Destroy", key, "alice", "waiting", True))
        self.assertIn("guarded-seen", shown["note"])
        text = self.admin(self.one, "carol", "approvals").stdout
        self.assertIn(f"{request}  waiting  Destroy {key}", text)

    def test_a_policy_is_applied_when_somebody_else_approved_this_very_text(self):
        def version():
            return json.loads(self.admin(self.one, "root", "policy", "show", "--json").stdout)["version"]
        before, text = version(), "# reviewed\n" + POLICY
        refused = self.apply(text)
        self.assertEqual(refused.returncode, DENIED, refused.stderr)
        request = self.request(refused.stderr)
        self.assertIn("dare: hint: \"dare admin approvals\"", refused.stderr)
        self.assertIn("# reviewed", self.admin(self.two, "carol", "approvals", request).stdout)
        self.admin(self.two, "root", "approve", request, code=DENIED)
        self.admin(self.two, "carol", "approve", request)
        other = self.apply("# something else\n" + POLICY)
        self.assertEqual(other.returncode, DENIED, "the approval is for another text")
        self.assertEqual(version(), before)
        applied = self.apply(text)
        self.assertEqual(applied.returncode, DONE, applied.stderr)
        self.assertEqual(version(), before + 1)
        self.assertEqual(self.apply(text).returncode, DENIED, "a second time")
        self.assertIn("needs 1 of role:custodian",
                      self.admin(self.one, "root", "explain", "root", "ApplyPolicy",
                                 "--certificate-groups", "dare-administrator").stdout)

    def test_the_master_key_is_rotated_when_somebody_else_approved(self):
        def rotate():
            return administer(self.one, "hsm", "rotate", "--json", check=False)
        refused = rotate()
        self.assertEqual(refused.returncode, DENIED, refused.stderr)
        request = self.request(refused.stderr)
        self.admin(self.two, "cecil", "approve", request)
        done = rotate()
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertEqual(rotate().returncode, DENIED, "a second time")

    def test_the_audit_log_is_pruned_when_somebody_else_approved(self):
        def prune(age):
            return administer(self.one, "audit", "prune", "--keep", age, check=False)
        refused = prune("400d")
        self.assertEqual(refused.returncode, DENIED, refused.stderr)
        request = self.request(refused.stderr)
        self.admin(self.two, "carol", "approve", request)
        self.assertEqual(prune("300d").returncode, DENIED, "the approval is for what is older")
        done = prune("400d")
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertEqual(prune("400d").returncode, DENIED, "a second time")

    def test_an_emergency_is_loud_and_stays_listed(self):
        key = self.client(self.one).create("guarded-fire")
        request = self.request(self.refused(self.one, "Destroy", key))
        self.admin(self.two, "carol", "emergency", request, "--reason", "fire", code=DENIED)
        self.admin(self.two, "oscar", "emergency", request, code=USAGE)  # without a reason
        self.admin(self.two, "oscar", "emergency", request, "--reason", "the building is on fire")
        self.client(self.one).destroy(key)
        self.assertIn("emergency: oscar lets pass without approval", self.two.log_tail())
        self.assertIn("emergency: alice does Destroy", self.one.log_tail())
        self.assertTrue(self.two.audit_has("emergency: let request pass", "oscar", "the building is on fire"))
        self.assertTrue(self.one.audit_has("Destroy", "EMERGENCY", "the building is on fire", key))
        listed = [e for e in self.listed(self.one, "carol")["emergencies"] if e["id"] == request]
        self.assertEqual((listed[0]["by"], listed[0]["subject"]), ("oscar", key))
        self.assertIsNotNone(listed[0]["used"])
        self.assertIn("EMERGENCY", self.admin(self.one, "root", "approvals").stdout)
        for who in ("oscar", "alice", "bob"):
            self.admin(self.one, who, "acknowledge", request, code=DENIED)
        self.admin(self.one, "carol", "acknowledge", request)
        self.assertEqual([e for e in self.listed(self.two, "carol")["emergencies"] if e["id"] == request], [])
        self.refused(self.one, "Destroy", self.client(self.one).create("guarded-fire-2"))

    def test_a_rule_that_nobody_could_satisfy_is_refused(self):
        file = self.one.clients / "locked.toml"
        file.write_text(POLICY.replace('needed = 1\nby = ["role:custodian"]', 'needed = 3\nby = ["role:custodian"]'), "utf-8")
        done = self.admin(self.one, "root", "policy", "check", file, code=USAGE)
        self.assertRegex(done.stderr, r"locked\.toml:\d+: 'service' needs the approval of 3, and only 2 could give it")

    def test_z_rows_that_somebody_forged_close_what_needs_approval(self):
        key = self.client(self.one).create("guarded-forged")
        request = self.request(self.refused(self.one, "Destroy", key))
        self.database.sql("DELETE FROM meta WHERE convert_from(key, 'UTF8') LIKE 'table/approvals/%'")
        for node in self.nodes:
            with self.assertRaises(KmipFailure) as caught:
                self.client(node).destroy(key)
            self.assertNotEqual(caught.exception.reason, "PermissionDenied")
            self.admin(node, "carol", "approve", request, code=FAILED)
            self.assertEqual(administer(node, "hsm", "rotate", check=False).returncode, FAILED)
        self.assertEqual(self.client(self.one).state(key), "PreActive")
        free = self.client(self.one).create("free-all-the-same")
        self.client(self.one).destroy(free)
        done = self.one.command("verify", "--no-audit", check=False)
        self.assertEqual(done.returncode, DAMAGED)
        self.assertIn("table-sum/approvals", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)

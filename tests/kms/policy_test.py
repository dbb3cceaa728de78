#!/usr/bin/python3
"""A policy in force: two domains on two nodes with one PostgreSQL, applied at one and obeyed by both; versions, explanations, and
rows that somebody edited in the database. The examples of docs/policy.md are applied to a server of their own.
"""
import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import cluster, fixture, kill_switch, kms  # noqa: E402
from support.kmip_client import KmipFailure, item, uid  # noqa: E402

BOUND = 1.0  # seconds until a policy is in force everywhere
DONE, FAILED, USAGE, DENIED, UNREACHABLE, DAMAGED = range(6)

PLAIN = """format = 1
[[domain]]
name = "default"
[domain.roles]
custodian = ["principal:carol"]
client = ["principal:*"]
"""
TENANTS = """format = 1
[[domain]]
name = "default"
[domain.roles]
custodian = ["principal:carol"]

[[domain]]
name = "red"
members = ["red-*"]
[domain.roles]
custodian = ["principal:red-keeper"]
client = ["principal:red-app"]
[[domain.grant]]
name = "few"
to = ["principal:red-guest"]
operations = ["Get"]
objects = ["shared-*"]
uses = 3

[[domain]]
name = "blue"
members = ["blue-*"]
[domain.roles]
custodian = ["principal:blue-keeper"]
client = ["principal:blue-app"]
"""


class Administrator:
    """`dare admin …` against a server, with the certificate of one of its administrators."""

    def __init__(self, server):
        self.server = server
        server.identity("root", admin=True)

    def __call__(self, *words, check=True):
        return kill_switch.administer(self.server, "admin", *words, check=check)

    def apply(self, text, *words, check=True):
        file = self.server.clients / "policy.toml"
        file.write_text(text, "utf-8")
        return self("policy", "apply", file, *words, check=check)

    def version(self):
        return json.loads(self("policy", "show", "--json").stdout)["version"]

    def explain(self, *words):
        return json.loads(self("explain", *words, "--json").stdout)


class TwoDomains(cluster.TwoNodes):
    clients = ("red-app", "red-keeper", "red-guest", "blue-app", "blue-keeper")

    def setUp(self):
        super().setUp()
        self.admin, self.there = Administrator(self.one), Administrator(self.two)
        self.admin.apply(TENANTS)
        self.assertTrue(fixture.eventually(lambda: self.obeys(self.two)))

    def refusal(self, client, operation, identifier):
        """(reason, message) of what must be refused."""
        with self.assertRaises(KmipFailure) as raised:
            client.call(operation, [uid(identifier)])
        return raised.exception.reason, raised.exception.message

    def obeys(self, node):
        """Whether the node has the tenants' policy in force: red's object is hidden from blue, and not from its keeper."""
        if not hasattr(TwoDomains, "probe"):
            TwoDomains.probe = self.client(self.one, "red-app").create("probe")
        with node.client(node.identity("red-keeper")) as keeper:
            if not keeper.locate("probe"):
                return False
        with node.client(node.identity("blue-app")) as stranger:
            return self.refusal(stranger, "Get", TwoDomains.probe)[0] == "ItemNotFound"

    def test_nobody_sees_names_or_counts_the_objects_of_another_domain(self):
        key = self.client(self.one, "red-app").create("shared-name")
        for node in self.nodes:
            for name in ("blue-app", "blue-keeper", "root"):
                with self.subTest(node=node.folder.parent.name, principal=name):
                    node.identity("root", admin=True)
                    client = self.client(node, name)
                    for operation in ("Get", "GetAttributes", "Activate", "Destroy"):
                        self.assertEqual(self.refusal(client, operation, key),
                                         self.refusal(client, operation, "no-such-object"))
                    self.assertEqual(client.locate("shared-name"), [])
            self.assertEqual(self.client(node, "red-app").locate("shared-name"), [key])
            self.assertEqual(self.client(node, "red-keeper").locate("shared-name"), [key])
        # The same name is free in the other domain.
        self.assertNotEqual(self.client(self.two, "blue-app").create("shared-name"), key)

    def test_a_custodian_keeps_the_life_of_keys_that_it_cannot_use(self):
        key = self.client(self.one, "red-app").create("kept")
        keeper = self.client(self.two, "red-keeper")
        self.assertEqual(self.refusal(keeper, "Get", key)[0], "PermissionDenied")
        keeper.activate(key)
        replacement = keeper.call("ReKey", [uid(key)]).value("UniqueIdentifier")
        self.assertEqual(self.refusal(keeper, "Get", replacement)[0], "PermissionDenied")
        self.assertTrue(self.client(self.one, "red-app").get(replacement))
        keeper.revoke(key)
        keeper.destroy(key)
        own = keeper.create("of-the-keeper")
        self.assertEqual(self.refusal(keeper, "Get", own)[0], "PermissionDenied")

    def test_uses_are_counted_on_both_nodes_together(self):
        key = self.client(self.one, "red-app").create("shared-few")
        done = 0
        for turn in range(6):
            try:
                self.client(self.nodes[turn % 2], "red-guest").get(key)
                done += 1
            except KmipFailure as failure:
                self.assertEqual(failure.reason, "PermissionDenied")
        self.assertEqual(done, 3)
        why = self.there.explain("red-guest", "Get", "--owner", "red-app", "--name", "shared-few")
        self.assertEqual((why["allowed"], why["nearest"], why["missing"]),
                         (False, "grant red/few", "its uses are used up"))
        self.assertTrue(self.one.audit_has("red-guest", "grant red/few"), "the audit log names the grant")

    def test_a_policy_that_is_applied_at_one_node_holds_at_the_other_within_a_second(self):
        key = self.client(self.one, "red-app").create("followed")
        keeper = self.client(self.two, "red-keeper")
        self.assertEqual(keeper.locate("followed"), [key])
        self.admin.apply(TENANTS.replace('custodian = ["principal:red-keeper"]', 'custodian = ["principal:red-other"]'))
        applied = time.monotonic()
        last = applied
        while keeper.locate("followed"):
            last = time.monotonic()
            self.assertLess(last - applied, 60)
        print(f"policy applied at one node, last use of the old one at the other: {(last - applied) * 1000:.0f} ms after "
              f"(bound {BOUND * 1000:.0f} ms)")

    def test_a_domain_is_locked_out_with_everybody_in_it(self):
        key = self.client(self.one, "blue-app").create("of-blue")
        self.admin("lockout", "--domain", "blue", "--reason", "contract ended")
        try:
            for node in self.nodes:
                for name in ("blue-app", "blue-keeper"):
                    with self.assertRaises((KmipFailure, *cluster.LOST)) as raised:
                        self.client(node, name).locate("of-blue")
                    if isinstance(raised.exception, KmipFailure):
                        self.assertEqual(raised.exception.reason, "PermissionDenied")
                self.client(node, "red-app").locate("anything")
            listed = json.loads(self.there("lockouts", "--json").stdout)["lockouts"]
            self.assertEqual([(e["kind"], e["name"], e["reason"]) for e in listed], [("domain", "blue", "contract ended")])
            for domain, why in (("green", "no policy in force has a domain 'green'"), ("default", "yourself")):
                refused = self.admin("lockout", "--domain", domain, check=False)
                self.assertEqual(refused.returncode, USAGE)
                self.assertIn(why, refused.stderr)
        finally:
            self.there("unlock", "--domain", "blue")
        self.assertEqual(len(self.client(self.two, "blue-app").get(key)), 32)

    def test_versions_are_kept_compared_and_brought_back(self):
        first = self.admin.version()
        self.admin.apply("# narrower\n" + TENANTS, "--comment", "for the test")
        self.assertEqual(self.there.version(), first + 1)
        history = json.loads(self.there("policy", "history", "--json").stdout)["versions"]
        self.assertEqual([v["version"] for v in history], list(range(first + 1, 0, -1)))
        self.assertEqual((history[0]["who"], history[0]["comment"]), ("root", "for the test"))
        self.assertEqual(self.admin("policy", "diff", str(first), str(first + 1)).stdout,
                         '@@ 1 @@\n+# narrower\n format = 1\n [[domain]]\n name = "default"\n')
        self.assertEqual(self.admin.apply(PLAIN, "--base", str(first), check=False).returncode, FAILED)
        self.there("policy", "apply", "--version", str(first))
        self.assertEqual(self.admin("policy", "show").stdout, TENANTS)
        self.assertEqual(self.admin.version(), first + 2)
        self.assertTrue(self.one.audit_has("apply policy", "for the test"))

    def test_who_explains_learns_nothing_of_another_domain(self):
        key = self.client(self.one, "red-app").create("explained")
        for object_ in (key, "no-such-object"):
            refused = self.admin("explain", "red-app", "Get", object_, check=False)
            self.assertEqual((refused.returncode, refused.stderr.splitlines()[0]), (FAILED, "dare: error: no such object"))
        why = self.admin.explain("blue-app", "Get", "--owner", "red-app")
        self.assertEqual((why["allowed"], why["rule"], why["answer"]), (False, "another domain", "Object Not Found"))
        why = self.admin.explain("red-keeper", "Decrypt", "--owner", "red-app")
        self.assertEqual((why["rule"], why["roles"]), ("a custodian may not use keys", ["custodian"]))
        told = self.admin("explain", "red-app", "Create").stdout
        self.assertTrue(told.startswith("allowed: role client\n"), told)

    def test_a_policy_that_somebody_edited_in_the_database_is_not_believed(self):
        row = f"'table/policy/version/{self.admin.version():016x}'"
        self.two.stop()
        flip = "set_byte(value, length(value) - 5, get_byte(value, length(value) - 5) # 1)"
        self.database.sql(f"UPDATE meta SET value = {flip} WHERE key = {row}")
        try:
            with self.assertRaises(RuntimeError):
                self.two.start()
            self.assertIn("the policy in the database is not what the servers left", self.two.log_tail())
            self.assertEqual(self.admin("policy", "show", check=False).returncode, FAILED)
        finally:
            self.database.sql(f"UPDATE meta SET value = {flip} WHERE key = {row}")
        self.two.start()
        self.assertTrue(self.obeys(self.two))


class OneServer(fixture.KmsTest):
    clients = ("alice", "bob")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert Administrator(cls.kms).version() == 0, "no policy is in force at first"

    def setUp(self):
        super().setUp()
        self.admin = Administrator(self.kms)

    def test_every_example_of_the_documents_passes_the_check(self):
        text = (kms.ROOT / "docs" / "policy.md").read_text("utf-8")
        examples = re.findall(r"```toml\n(.*?)```", text, re.S)
        self.assertEqual(len(examples), 3)
        for number, example in enumerate(examples):
            file = self.kms.clients / f"example-{number}.toml"
            file.write_text(example, "utf-8")
            self.assertIn("good", self.admin("policy", "check", file).stdout)

    def test_what_is_wrong_is_told_with_file_and_line(self):
        done = self.admin.apply(PLAIN + "[[domain.grant]]\nname = \"g\"\nto = [\"group:none\"]\noperations = [\"Get\"]\n",
                                check=False)
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("policy.toml:7: unknown group 'none'", done.stderr)

    def test_only_an_administrator_may_ask(self):
        config = self.kms.clients / "alice.toml"
        self.admin("policy", "show")
        text = (self.kms.clients / "root.toml").read_text("utf-8")
        config.write_text(text.replace("root.", "alice."), "utf-8")
        for words in (["policy", "show"], ["policy", "history"], ["explain", "bob", "Get"]):
            done = kms.run([self.kms.programs.dare, "admin", *words, "--config", config], check=False)
            self.assertEqual(done.returncode, DENIED, done.stderr)

    def test_a_policy_outlives_a_restart(self):
        key = self.client("alice").create("mine")
        self.admin.apply(PLAIN.replace("principal:*", "principal:bob"))
        self.kms.restart()
        try:
            with self.assertRaises(KmipFailure) as raised:
                self.client("alice").get(key)
            self.assertEqual(raised.exception.reason, "ItemNotFound")
            with self.assertRaises(KmipFailure):
                self.client("alice").call("Create", [item("ObjectType", "SymmetricKey")])
        finally:
            self.admin.apply(PLAIN)
        self.assertTrue(self.client("alice").get(key))


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/python3
"""The connection is cut after the server did what it was asked, before the client heard of it: dare asks again, and
nothing is done twice."""
import json
import unittest

from command_line import CommandLineTest, Machine
from support.cutting_proxy import CuttingProxy


class LostAnswers(CommandLineTest):
    def setUp(self):
        super().setUp()
        # A machine of its own for each test: its keys are counted.
        self.client = Machine(self.kms, self.id().rsplit(".", 1)[-1].replace("_", "-"))
        self.direct = f"127.0.0.1:{self.kms.kmip[1]}"

    def records(self, operation):
        return [r for r in self.kms.audit_records()
                if r["operation"] == operation and r["principal"] == self.client.name and r["outcome"] == "allowed"]

    def losing(self, operation, *words):
        """`dare WORDS` through a relay that loses the answer to the operation; then the second server, which is the same."""
        before = len(self.records(operation))
        proxy = CuttingProxy(self.kms.kmip, lambda: len(self.records(operation)) > before)
        self.addCleanup(proxy.close)
        alone, servers = f"'{self.direct}'", f"'127.0.0.1:{proxy.address[1]}', '{self.direct}'"
        self.client.configure(alone, servers)
        try:
            done = self.client(*words)
        finally:
            self.client.configure(servers, alone)
        self.assertEqual(proxy.cuts, 1, "no answer was lost: the test shows nothing")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        twice = self.records(operation)[before:]
        self.assertEqual(len(twice), 2, "asked for twice")
        self.assertNotIn("nothing was done again", twice[0].get("detail", ""))
        self.assertIn("nothing was done again", twice[1]["detail"])
        self.assertEqual(twice[0]["object"], twice[1]["object"])
        return done

    def keys(self):
        return json.loads(self.client("key", "list", "--json").stdout)

    def test_create_makes_one_key(self):
        printed = self.losing("Create", "key", "create", "one").stdout.decode().strip()
        self.assertEqual([k["id"] for k in self.keys()], [printed])

    def test_rotate_makes_one_new_key(self):
        old = self.client("key", "create", "turning").stdout.decode().strip()
        printed = self.losing("ReKey", "key", "rotate", "turning").stdout.decode().split()
        self.assertEqual(sorted(k["id"] for k in self.keys()), sorted([old, printed[3]]))

    def test_activate_revoke_and_destroy_succeed_once(self):
        self.client("key", "create", "life", "--pre-active")
        identifier = self.keys()[0]["id"]
        for operation, words, state in (("Activate", ("activate",), "Active"), ("Revoke", ("revoke",), "Deactivated"),
                                        ("Destroy", ("destroy",), "Destroyed")):
            self.losing(operation, "key", words[0], identifier)
            facts = json.loads(self.client("key", "show", identifier, "--json").stdout)
            self.assertEqual(facts["state"], state)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Files sealed under a key that stays in the HSM."""
import json
import unittest

from command_line import DENIED, USAGE, CommandLineTest


class Resident(CommandLineTest):
    @classmethod
    def configure_server(cls, server):
        server.configure("hsm", "resident_keys", True)

    def show(self, key):
        return json.loads(self.dare("key", "show", key, "--json").stdout)

    def test_seals_opens_rewraps_and_ends_with_its_revocation(self):
        self.dare("key", "create", "kept", "--in-hsm")
        facts = self.show("kept")
        self.assertEqual((facts["in_hsm"], facts["sensitive"], facts["extractable"]), (True, True, False))
        self.assertIn("in the HSM", self.dare("key", "show", "kept").stdout.decode())
        plain = self.write("f")
        self.dare("seal", "f", "--key", "kept")
        self.dare("open", "f.dare", "-o", "back")
        self.assertEqual((self.folder / "back").read_bytes(), plain.read_bytes())
        turned = json.loads(self.dare("key", "rotate", "kept", "--json").stdout)
        self.assertTrue(self.show(turned["new"])["in_hsm"], "what replaces it is in the HSM, too")
        self.dare("rewrap", "f.dare", "--key", "kept")
        self.dare("key", "revoke", turned["old"])
        self.dare("open", "f.dare", "-o", "again")
        self.dare("key", "revoke", "kept")
        self.dare("open", "f.dare", "-o", "no", expect=DENIED)
        self.dare("key", "destroy", turned["new"])
        self.assertEqual(self.show(turned["new"])["state"], "Destroyed")

    def test_what_is_in_the_hsm_cannot_be_extractable(self):
        self.dare("key", "create", "both", "--in-hsm", "--extractable", expect=USAGE)

    def test_other_keys_are_not_there(self):
        self.assertFalse(self.show(self.key("ordinary"))["in_hsm"])


if __name__ == "__main__":
    unittest.main()

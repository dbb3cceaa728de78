#!/usr/bin/python3
"""dare key, ping, version and the command line itself."""
import json
import unittest

from command_line import DENIED, FAILED, USAGE, CommandLineTest, Machine


class Keys(CommandLineTest):
    def show(self, key):
        return json.loads(self.dare("key", "show", key, "--json").stdout)

    def test_a_new_key_is_active_and_stays_in_the_server(self):
        printed = self.dare("key", "create", "fresh").stdout.decode()
        facts = self.show("fresh")
        self.assertEqual(printed, facts["id"] + "\n")
        self.assertEqual(facts["state"], "Active")
        self.assertEqual(facts["algorithm"], "AES-256")
        self.assertEqual(facts["usage"], ["Encrypt", "Decrypt"])
        self.assertEqual((facts["sensitive"], facts["extractable"]), (True, False))
        self.assertEqual(self.show(facts["id"]), facts, "an id is as good as a name")

    def test_an_extractable_key_says_so(self):
        facts = json.loads(self.dare("key", "create", "loose", "--extractable", "--json").stdout)
        self.assertEqual((facts["sensitive"], facts["extractable"]), (False, True))

    def test_a_name_is_taken_once(self):
        self.dare("key", "create", "once")
        done = self.dare("key", "create", "once", expect=FAILED)
        self.assertIn("already", done.stderr)

    def test_a_pre_active_key_waits_for_its_activation(self):
        self.dare("key", "create", "later", "--pre-active")
        self.assertEqual(self.show("later")["state"], "Pre-Active")
        self.write("f")
        self.dare("seal", "f", "--key", "later", expect=DENIED)
        self.dare("key", "activate", "later")
        self.dare("seal", "f", "--key", "later")
        self.dare("key", "activate", "later", expect=DENIED)

    def test_a_life(self):
        self.dare("key", "create", "life")
        first = self.show("life")["id"]
        done = self.dare("key", "rotate", "life")
        self.assertRegex(done.stdout.decode(), rf"^old {first}\nnew [0-9a-f-]{{36}}\n$")
        second = self.show("life")
        self.assertEqual(second["replaces"], first)
        self.assertEqual(self.show(first)["replaced_by"], second["id"])
        self.assertEqual(second["state"], "Active")
        self.assertEqual(second["extractable"], False, "what rotates does not become looser")
        self.dare("key", "destroy", "life", expect=DENIED)
        self.dare("key", "revoke", "life", "--reason", "superseded", "--message", "yearly")
        self.assertEqual(self.show(second["id"])["state"], "Deactivated")
        self.dare("key", "destroy", second["id"])
        self.assertIn(self.show(second["id"])["state"], ("Destroyed",))
        self.dare("key", "revoke", first, "--compromised")
        self.assertEqual(self.show(first)["state"], "Compromised")

    def test_lists_what_this_machine_may_see(self):
        carol = Machine(self.kms, "carol")
        self.assertEqual(json.loads(carol("key", "list", "--json").stdout), [])
        for name in ("one", "two"):
            self.assertEqual(carol("key", "create", name).returncode, 0)
        keys = json.loads(carol("key", "list", "--json").stdout)
        self.assertEqual(sorted(k["names"][0] for k in keys), ["one", "two"])
        table = carol("key", "list").stdout.decode().splitlines()
        self.assertRegex(table[0], r"^NAME +STATE +ALGORITHM +ID$")
        self.assertEqual(len(table), 3)
        self.assertEqual(len(json.loads(carol("key", "list", "--limit", "1", "--json").stdout)), 1)

    def test_an_unknown_key_is_told(self):
        self.write("f")
        for words in (("key", "show", "nobody"), ("seal", "f", "--key", "nobody"),
                      ("key", "show", "00000000-0000-4000-8000-000000000000"),
                      ("seal", "f", "--key", "00000000-0000-4000-8000-000000000000")):
            self.dare(*words, expect=FAILED)
        self.assertEqual(self.names(), ["f"])

    def test_older_protocols_work_where_they_can(self):
        machine = Machine(self.kms, "older")
        for version in ("1.4", "2.0"):
            with self.subTest(version=version):
                machine.configure('kmip_version = "2.1"', f'kmip_version = "{version}"')
                self.write("f")
                key = f"old-{version}"
                for words in (("key", "create", key), ("seal", "f", "-f", "--key", key),
                              ("open", "f.dare", "-f"), ("key", "rotate", key), ("rewrap", "f.dare", "--key", key),
                              ("open", "f.dare", "-f"), ("key", "show", key), ("key", "revoke", key)):
                    done = machine(*words, cwd=self.folder)
                    self.assertEqual(done.returncode, 0, (words, done.stderr))
                self.assertEqual(machine("open", "f.dare", "-f", cwd=self.folder).returncode, DENIED)
                machine.configure(f'kmip_version = "{version}"', 'kmip_version = "2.1"')
        machine.configure('kmip_version = "2.1"', 'kmip_version = "1.2"')
        self.assertEqual(machine("ping").returncode, 0)
        done = machine("key", "create", "too-old")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("KMIP 1.4", done.stderr)

    def test_ping_tells_versions_and_tls(self):
        report = json.loads(self.dare("ping", "--json").stdout)
        self.assertTrue(report["ok"])
        self.assertEqual(report["versions"], ["2.1", "2.0", "1.4", "1.3", "1.2", "1.1", "1.0"])
        self.assertEqual(report["tls"], "TLSv1.3")
        self.assertIn(b"kmip  2.1 2.0", self.dare("ping").stdout)

    def test_version(self):
        self.assertRegex(self.dare("version").stdout.decode(), r"^dare \d+\.\d+\.\d+\n")


class Usage(CommandLineTest):
    def test_wrong_words_are_a_usage_error(self):
        for words in ((), ("nonsense",), ("seal",), ("seal", "a", "b"), ("seal", "f", "--nonsense"), ("key",),
                      ("key", "nonsense"), ("key", "create"), ("key", "revoke", "k", "--reason", "whim"),
                      ("key", "list", "--limit", "0"), ("key", "revoke", "k", "--compromised", "--reason", "superseded"),
                      ("open", "no-suffix"), ("open", ".dare"), ("enroll",),
                      ("enroll", "https://x", "--ca-file", "a", "--ca-fingerprint", "b"), ("inspect",), ("rewrap",)):
            with self.subTest(words=words):
                done = self.dare(*words, expect=USAGE)
                self.assertEqual(done.stdout, b"")

    def test_a_file_may_be_called_like_a_verb(self):
        self.key("list")
        self.write("open")
        self.dare("seal", "open", "--key", "list", "--config", self.machine.config)
        self.dare("--config", self.machine.config, "open", "open.dare", "-o", "key")
        self.dare("key", "show", "--config", self.machine.config, "list")

    def test_help_is_no_error(self):
        for words in (("--help",), ("seal", "--help"), ("key", "revoke", "--help")):
            self.assertIn(b"Usage: dare", self.dare(*words).stdout)


if __name__ == "__main__":
    unittest.main()

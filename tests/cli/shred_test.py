#!/usr/bin/python3
"""dare shred and dare key export against a real server; recovery keys out of the configuration."""
import json
import os
import pty
import stat
import subprocess
import unittest

from command_line import DAMAGED, DENIED, DONE, FAILED, USAGE, CommandLineTest, Machine


def recovery_pair(folder):
    private = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                             capture_output=True, check=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=private, capture_output=True, check=True).stdout
    (folder / "recovery.pem").write_bytes(public)
    return private.decode()


class Export(CommandLineTest):
    def test_an_exported_key_opens_without_server_and_configuration(self):
        self.dare("key", "create", "loose", "--extractable")
        self.dare("key", "create", "loose2", "--extractable")
        plain = self.write("f", 500_000).read_bytes()
        self.dare("seal", "f", "--key", "loose")
        self.dare("seal", "f", "-o", "m.dare", "--message", "--key", "loose2")
        self.dare("key", "export", "loose", "loose2", "--to", "keys.json")
        keys = self.folder / "keys.json"
        self.assertEqual(stat.S_IMODE(keys.stat().st_mode), 0o600)
        found = json.loads(keys.read_text())
        self.assertEqual(set(found), {"loose", "loose2"})
        self.assertEqual({key["type"] for key in found.values()}, {"raw-aes"})
        (self.folder / "nothing.toml").write_text("nothing = \"that a client could use\"\n")
        offline = ("--config", "nothing.toml", "open", "--offline", "--keys", "keys.json")
        self.assertEqual(self.dare(*offline, "f.dare", "-o", "-").stdout, plain)
        self.assertEqual(self.dare(*offline, "m.dare", "--message", "-o", "-").stdout, plain)
        self.assertEqual(self.dare("open", "m.dare", "--message", "-o", "-").stdout, plain, "and with the server")
        done = self.dare("key", "export", "loose", "--to", "keys.json", expect=FAILED)
        self.assertIn("--force", done.stderr)

    def test_a_key_that_may_not_leave_does_not(self):
        key = self.key()
        self.dare("key", "export", key, "--to", "keys.json", expect=DENIED)
        self.assertEqual(self.names(), [])
        self.dare("key", "create", "mine", "--extractable")
        id_ = json.loads(self.dare("key", "show", "mine", "--json").stdout)["id"]
        other = Machine(self.kms, "export-other")
        done = other("key", "export", id_, "--to", "keys.json", cwd=self.folder)
        self.assertEqual(done.returncode, DENIED, done.stderr)
        self.assertEqual(self.names(), [])


class RecoveryKeys(CommandLineTest):
    def test_the_configuration_names_recovery_keys_for_every_file(self):
        machine = Machine(self.kms, "with-recovery")
        private = recovery_pair(machine.folder)
        machine.configure('key_namespace = ', 'recovery_keys = ["recovery.pem"]\nkey_namespace = ')

        def run(*words, expect=DONE):
            done = machine(*words, cwd=self.folder)
            self.assertEqual(done.returncode, expect, (words, done.stderr))
            return done

        def recovery_names():
            facts = json.loads(run("inspect", "f.dare", "--json").stdout)
            return [[k["key"] for k in slot["keys"] if k["namespace"] == "offline-recovery"]
                    for slot in facts["slots"]]

        run("key", "create", "r")
        plain = self.write("f", 300_000).read_bytes()
        run("seal", "f", "--key", "r")
        (name,), again = recovery_names()
        self.assertEqual([name], again)
        run("key", "rotate", "r")
        run("rewrap", "f.dare", "--key", "r")
        self.assertEqual(recovery_names(), [[name], [name]], "rewrap makes it anew")
        # Without the public key it could not be made: that is said, and nothing is lost by oversight.
        machine.configure('recovery_keys = ["recovery.pem"]\n', "")
        before = (self.folder / "f.dare").read_bytes()
        done = run("rewrap", "f.dare", "--key", "r", expect=USAGE)
        self.assertIn("--recipient-key", done.stderr)
        self.assertEqual((self.folder / "f.dare").read_bytes(), before)
        run("rewrap", "f.dare", "--key", "r", "--recipient-key", machine.folder / "recovery.pem")
        self.assertEqual(recovery_names(), [[name], [name]])

        run("key", "revoke", "r")
        keys = self.folder / "keys.json"
        keys.write_text(json.dumps({"safe": {"type": "raw-rsa", "namespace": "offline-recovery", "name": name,
                                             "padding": "oaep", "hash": "sha256", "private_pem": private}}))
        keys.chmod(0o600)
        self.assertEqual(run("open", "--offline", "--keys", "keys.json", "f.dare", "-o", "-").stdout, plain)
        run("key", "create", "r2")
        run("seal", "f", "-o", "g.dare", "--key", "r2", "--recipient-key", machine.folder / "recovery.pem")
        run("rewrap", "g.dare", "--key", "r2", "--drop-recovery")
        run("open", "--offline", "--keys", "keys.json", "g.dare", "-o", "-", expect=DAMAGED)


    def test_a_folder_has_recovery_keys_as_a_file_has(self):
        key = self.key()
        private = recovery_pair(self.folder)
        (self.folder / "data").mkdir()
        (self.folder / "data" / "f").write_bytes(b"content")
        self.machine("seal", "data", "-o", "data.dare", "--key", key, "--recipient-key", "recovery.pem",
                     cwd=self.folder)
        facts = json.loads(self.dare("inspect", "data.dare", "--json").stdout)
        names = {k["key"] for s in facts["slots"] for k in s["keys"] if k["namespace"] == "offline-recovery"}
        self.assertEqual(len(names), 1, facts)
        self.dare("rewrap", "data.dare", "--key", key, expect=USAGE)
        self.dare("rewrap", "data.dare", "--key", key, "--recipient-key", "recovery.pem")
        keys = self.folder / "keys.json"
        keys.write_text(json.dumps({"safe": {"type": "raw-rsa", "namespace": "offline-recovery",
                                             "name": names.pop(), "padding": "oaep", "hash": "sha256",
                                             "private_pem": private}}))
        keys.chmod(0o600)
        done = self.machine("open", "--config", "/nowhere", "--offline", "--keys", "keys.json", "data.dare",
                            "-o", "back", cwd=self.folder)
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertEqual((self.folder / "back" / "f").read_bytes(), b"content")
        found = json.loads(self.dare("shred", key, "--dry-run", "--json", "--under", "data.dare").stdout)
        self.assertEqual(found["unreadable"], [], "the recovery key still opens it")
        self.assertEqual([f["kind"] for f in found["readable"]], ["key-blocks"])
        for words in (("--message",), ("--suite", "0578"), ("--offline",)):
            done = self.machine("seal", "data", "-o", "more.dare", *words, cwd=self.folder)
            self.assertEqual(done.returncode, USAGE, done.stderr)
            self.assertNotIn("more.dare", self.names(), words)


class Shred(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.name, self.other = self.key(), self.key(self.id().rsplit(".", 1)[-1] + "-other")
        self.id_ = json.loads(self.dare("key", "show", self.name, "--json").stdout)["id"]
        self.write("f", 1000)
        (self.folder / "data" / "deep").mkdir(parents=True)
        for out, keys in (("data/only.dare", [self.name]), ("data/deep/both.dare", [self.name, self.other]),
                          ("data/deep/other.dare", [self.other])):
            self.dare("seal", "f", "-o", out, *[w for k in keys for w in ("--key", k)])
        self.dare("seal", "f", "-o", "data/deep/message", "--message", "--key", self.name)
        (self.folder / "data" / "notes.txt").write_text("hello")
        (self.folder / "data" / "link.dare").symlink_to("only.dare")

    def state(self):
        return json.loads(self.dare("key", "show", self.id_, "--json").stdout)["state"]

    def survey(self, *words):
        return json.loads(self.dare("shred", self.name, "--dry-run", "--json", "--under", "data", *words).stdout)

    def test_shows_what_would_be_lost_and_what_not(self):
        found = self.survey()
        self.assertEqual([f["file"] for f in found["unreadable"]], ["data/deep/message", "data/only.dare"])
        self.assertEqual([f["kind"] for f in found["unreadable"]], ["message", "sealed-file"])
        other = json.loads(self.dare("key", "show", self.other, "--json").stdout)["id"]
        self.assertEqual([(f["file"], f["other_keys"]) for f in found["readable"]],
                         [("data/deep/both.dare", [f"kmip {other}"])])
        self.assertEqual((found["other_files"], found["failed"]), (2, []))
        text = self.dare("shred", self.name, "--under", "data", "--dry-run").stdout.decode()
        self.assertIn("unreadable for ever without it:\n  data/deep/message  (message)\n  data/only.dare\n", text)
        self.assertIn("2 unreadable, 1 still readable, 0 not examined, 2 not under this key", text)
        self.assertEqual(self.state(), "Active")

    def test_a_key_that_is_gone_does_not_count(self):
        self.dare("key", "revoke", self.other)
        self.dare("key", "destroy", self.other)
        self.assertEqual(len(self.survey()["unreadable"]), 3)

    def test_destroys_what_is_confirmed_and_nothing_else(self):
        for words in ((), ("--yes-destroy", "another")):
            done = self.dare("shred", self.name, "--under", "data", *words, expect=USAGE)
            self.assertEqual(self.state(), "Active", done.stderr)
        self.dare("shred", self.name, "--under", "data", "--yes-destroy", self.name)
        self.assertEqual(self.state(), "Destroyed")
        self.dare("open", "data/only.dare", "-o", "back", expect=DENIED)
        self.dare("open", "data/deep/both.dare", "-o", "back")
        done = self.dare("shred", self.id_, "--yes-destroy", self.id_, expect=FAILED)
        self.assertIn("destroyed already", done.stderr)

    def test_asks_on_a_terminal(self):
        for typed, expect, state in (("yes", USAGE, "Active"), (self.name, DONE, "Destroyed")):
            controller, terminal = pty.openpty()
            process = self.machine.start("shred", self.name, cwd=self.folder, stdin=terminal,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            os.close(terminal)
            os.write(controller, typed.encode() + b"\n")
            out, messages = process.communicate(timeout=60)
            os.close(controller)
            self.assertEqual(process.returncode, expect, messages)
            self.assertIn(b"Type the key's name", messages)
            self.assertIn(b"nothing was looked at", out)
            self.assertEqual(self.state(), state)

    def test_does_not_destroy_where_it_could_not_look(self):
        self.assertEqual([f["file"] for f in self.survey("nowhere")["failed"]], ["nowhere"])
        words = ("shred", self.name, "--under", "data", "nowhere", "--yes-destroy", self.name)
        done = self.dare(*words, expect=FAILED)
        self.assertIn("could not be examined", done.stderr)
        self.assertEqual(self.state(), "Active")
        self.dare(*words, "--force")
        self.assertEqual(self.state(), "Destroyed")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Keys that the server replaces by itself: made by `dare key create --rotate-every`, whatever the policy says by then, through a
restart, and once where two nodes look after one database."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

from command_line import CommandLineTest, FAILED, USAGE, Machine  # noqa: E402
from support import cluster, fixture, kms  # noqa: E402
from support.kill_switch import administer  # noqa: E402

MAY_LOOK = """format = 1
[[domain]]
name = "default"
[domain.roles]
custodian = ["principal:carol"]
[[domain.grant]]
name = "look"
to = ["principal:alice"]
operations = ["Locate", "GetAttributes"]
"""


def rotate_soon(server):
    server.configure("rotation", "look_seconds", 1)
    server.configure("rotation", "shortest_seconds", 1)


class RotatedKeys(CommandLineTest):
    @classmethod
    def configure_server(cls, server):
        rotate_soon(server)

    def show(self, key):
        return json.loads(self.dare("key", "show", key, "--json").stdout)

    def successor(self, name, old):
        """The key that has the name once it is another one."""
        self.assertTrue(fixture.eventually(lambda: self.show(name)["id"] != old), "nothing was rotated")
        return self.show(name)

    def test_a_key_is_replaced_and_files_open_all_the_same(self):
        old = self.dare("key", "create", "auto", "--rotate-every", "3s").stdout.decode().strip()
        self.assertEqual(self.show("auto")["rotate_every_seconds"], 3)
        plain = self.write("f").read_bytes()
        self.dare("seal", "f", "--key", "auto")
        new = self.successor("auto", old)
        self.assertEqual((new["replaces"], new["state"], new["rotate_every_seconds"]), (old, "Active", 3))
        (self.folder / "f").unlink()
        self.dare("rewrap", "f.dare", "--key", "auto")
        self.dare("open", "f.dare")
        self.assertEqual((self.folder / "f").read_bytes(), plain)
        self.assertIn("rotates every", self.dare("key", "show", old).stdout.decode())
        # Nobody rotates what was revoked.
        newest = self.show("auto")["id"]
        self.dare("key", "revoke", newest)
        last = self.show(newest)
        if "replaced_by" in last:  # it was faster than the word
            self.dare("key", "revoke", last["replaced_by"])

    def test_what_is_no_time_is_refused(self):
        for wrong in ("", "0d", "3", "d", "-3d", "200000w"):
            done = self.machine("key", "create", "never", f"--rotate-every={wrong}")
            self.assertIn(done.returncode, (FAILED, USAGE), wrong)
            self.assertIn("dare: error: ", done.stderr)
        self.dare("key", "show", "never", expect=FAILED)

    def test_an_older_protocol_cannot_ask_for_it(self):
        machine = Machine(self.kms, "old")
        machine.configure("2.1", "1.4")
        done = machine("key", "create", "k", "--rotate-every", "1d")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("KMIP 2.1", done.stderr)


class ServersOwnAct(unittest.TestCase):
    def test_what_was_arranged_is_done_after_a_restart_and_under_a_policy_that_lets_its_owner_rotate_nothing(self):
        with kms.Kms(kms.Programs()) as server:
            rotate_soon(server)
            server.configure("rotation", "automatic", False)
            server.start()
            alice = Machine(server, "alice")
            old = alice("key", "create", "k", "--rotate-every", "1s").stdout.decode().strip()
            self.assertTrue(old)
            policy = server.clients / "policy.toml"
            policy.write_text(MAY_LOOK, "utf-8")
            administer(server, "admin", "policy", "apply", policy)
            refused = alice("key", "rotate", "k")
            self.assertNotEqual(refused.returncode, 0, "the policy lets nobody rotate")
            server.configure("kmip", "port", server.kmip[1])  # as the machine knows it
            server.stop()
            server.configure("rotation", "automatic", True)
            server.start()

            def replaced():
                done = alice("key", "show", old, "--json")
                return done.returncode == 0 and "replaced_by" in json.loads(done.stdout)

            self.assertTrue(fixture.eventually(replaced))
            server.stop()
            done = [record for record in server.audit_records()
                    if record.get("object") == old and record.get("rule") == "automatic rotation"]
            self.assertEqual([e["principal"] for e in done], ["dare-kms"])


class TwoNodesLook(cluster.TwoNodes):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for node in cls.nodes:
            node.stop()
            rotate_soon(node)
            node.start()

    def test_each_key_has_one_successor(self):
        machine = Machine(self.one, "alice-cli")
        keys = {}
        for number in range(12):
            done = machine("key", "create", f"k{number}", "--rotate-every", "4s")
            self.assertEqual(done.returncode, 0, done.stderr)
            keys[f"k{number}"] = done.stdout.decode().strip()

        def facts():
            return json.loads(machine("key", "list", "--json").stdout)

        def all_replaced():
            replaced = {key["id"] for key in facts() if "replaced_by" in key}
            return replaced >= set(keys.values())

        self.assertTrue(fixture.eventually(all_replaced, 60))
        replaces = [key["replaces"] for key in facts() if "replaces" in key]
        self.assertEqual(len(replaces), len(set(replaces)), "one key was replaced twice")


if __name__ == "__main__":
    unittest.main()

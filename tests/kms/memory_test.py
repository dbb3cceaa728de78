#!/usr/bin/python3
"""Where keys are in the memory of a dare-kms that was used a lot: in locked arenas that no dump shows, and nowhere once it was
sealed. Searched through /proc/PID/mem, which has what a core image would have, for keys that the test knows."""
import concurrent.futures
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kill_switch, memory, sealed_keys, softhsm  # noqa: E402
from support.administered import Server  # noqa: E402

ROUNDS = 6
SEARCHABLE = '\n[process]\nsecret_memory = "off"\n'  # what is hidden cannot be searched


class Memory(fixture.KmsTest):
    clients = ("alice", "bob", "carol", "dave")

    @classmethod
    def setUpClass(cls):
        if memory.missing():
            print(f"SKIPPED: {memory.missing()}")
            raise unittest.SkipTest(memory.missing())
        super().setUpClass()
        cls.secrets = {}
        with concurrent.futures.ThreadPoolExecutor(len(cls.clients)) as together:
            list(together.map(cls.work, cls.clients))
        cls.kept = {}  # the same, of keys that are in the cache for certain
        with cls.kms.client(cls.identities["alice"]) as client:
            key = client.create("kept")
            cls.kept["kept"] = client.get(key)
            client.activate(key)
            client.encrypt_gcm(key, os.urandom(32))
        cls.secrets.update(cls.kept)

    @classmethod
    def work(cls, name):
        """Keys go every way that a key goes: made, registered, given out, used; data keys wrapped and unwrapped."""
        with cls.kms.client(cls.identities[name], timeout=120) as client:
            for number in range(ROUNDS):
                kek = os.urandom(32)
                registered = client.register(kek, f"{name}-r{number}")
                created = client.create(f"{name}-c{number}")
                cls.secrets[f"{name} registered {number}"] = kek
                cls.secrets[f"{name} created {number}"] = client.get(created)
                for key in (registered, created):
                    client.activate(key)
                    dek = os.urandom(32)
                    cls.secrets[f"{name} data key {number} {key}"] = dek
                    data, nonce, tag = client.encrypt_gcm(key, dek)
                    client.decrypt_gcm(key, data, nonce, tag)
                client.get(registered)
                if number % 3 == 0:
                    client.revoke(created)
                    client.destroy(created)

    @classmethod
    def configure_server(cls, server):
        with open(server.config_file, "a", encoding="utf-8") as config:
            config.write(SEARCHABLE)

    def search(self):
        return memory.search(self.kms.process.pid, self.secrets)

    def test_1_the_search_finds_what_is_there(self):
        """In a process of our own, in memory that is no arena."""
        secret = os.urandom(32)
        found = memory.search(os.getpid(), {"mine": secret})["mine"]
        self.assertTrue(found)
        self.assertFalse(any(region.is_arena for region in found))
        self.assertTrue(any(region.is_arena for region in memory.regions(self.kms.process.pid)))

    def test_2_keys_are_in_locked_memory_that_is_not_dumped_and_nowhere_else(self):
        found = self.search()
        self.assertTrue(found["kept"], "what is in the cache is found")
        outside = {name: [region.name for region in regions if not region.is_arena] for name, regions in found.items()}
        outside = {name: where for name, where in outside.items() if where}
        print(f"{len(self.secrets)} keys, {sum(map(len, found.values()))} places, {sum(map(len, outside.values()))} of them "
              "outside of locked arenas")
        self.assertEqual(outside, {})

    def test_3_once_it_is_sealed_none_is_left_anywhere(self):
        kill_switch.administer(self.kms, "kms", "seal")
        left = {}

        def gone():
            left.clear()
            left.update({name: [r.name for r in regions] for name, regions in self.search().items() if regions})
            return not left
        self.assertTrue(fixture.eventually(gone, 5), left)
        kill_switch.administer(self.kms, "kms", "unseal")

    def test_4_where_the_kernel_has_memory_that_it_cannot_read_itself_keys_are_there(self):
        self.kms.configure("process", "secret_memory", "auto")
        self.kms.restart()
        with self.client() as client:
            key = client.create("hidden")
            secret = client.get(key)
            client.activate(key)
            client.encrypt_gcm(key, os.urandom(32))
        if not any(region.is_hidden for region in memory.regions(self.kms.process.pid)):
            self.skipTest("SKIPPED: this kernel has no memfd_secret")
        self.assertEqual(memory.search(self.kms.process.pid, {"hidden": secret})["hidden"], [])

    def test_5_it_leaves_no_core_even_where_somebody_raises_the_limit(self):
        if not memory.cores_are_written(self.kms.home):
            self.skipTest("SKIPPED: no program leaves a core here")
        process, self.kms.process = self.kms.process, None
        process.stdout.close()
        self.assertFalse(memory.leaves_core(process))


class MasterKeys(unittest.TestCase):
    """The keys above: known by opening SoftHSM2's files with its PIN, and proved by opening records of the database with them."""

    def serve(self, *options):
        """A server that was used; gives the keys of its client."""
        if memory.missing():
            self.skipTest(f"SKIPPED: {memory.missing()}")
        self.server = Server(*options)
        self.addCleanup(self.server.close)
        with open(self.server.config_file, "a", encoding="utf-8") as config:
            config.write(SEARCHABLE)
        self.server.start()
        with self.server.client(self.server.identity("alice")) as client:
            known = {client.get(client.create(f"key {number}")) for number in range(20)}
        pin = self.server.path_of("hsm", "pin").read_text("utf-8").strip()
        self.in_token = softhsm.keys(self.server.token_folder("dare"), pin)
        return known

    @staticmethod
    def holds(opened, known):
        return any(key in opened for key in known)

    def places(self, secrets):
        return {name: regions for name, regions in memory.search(self.server.process.pid, secrets).items() if regions}

    def assert_token_keeps_its_own(self):
        """SoftHSM2 is in this process. Between its calls it has its keys encrypted, and the key to them under a mask."""
        self.assertTrue(fixture.eventually(lambda: not self.places(self.in_token), 10), self.places(self.in_token))

    def test_the_master_key_is_nowhere_between_calls_of_the_token(self):
        known = self.serve()
        record = self.server.materials()[0]
        self.assertTrue(record.startswith(sealed_keys.GCM_RECORD))
        meks = [name for name, key in self.in_token.items() if self.holds(sealed_keys.open_record(key, record), known)]
        self.assertEqual(len(meks), 1, "one of the token's keys opens the record")
        self.assert_token_keeps_its_own()

    def test_the_root_key_is_in_arenas_and_the_master_key_above_it_nowhere(self):
        known = self.serve("--sealing", "root")
        record = self.server.materials()[0]
        self.assertTrue(record.startswith(sealed_keys.ROOT_RECORD))
        roots = [root for root in sealed_keys.root_keys(self.in_token.values(), self.server.meta("custody"))
                 if self.holds(sealed_keys.open_root_record(root, record), known)]
        self.assertEqual(len(roots), 1, "one of the token's keys opens the row of custody")
        found = self.places({"root key": roots[0]})
        self.assertIn("root key", found)
        self.assertEqual([region.name for region in found["root key"] if not region.is_arena], [])
        self.assert_token_keeps_its_own()


if __name__ == "__main__":
    unittest.main(verbosity=2)

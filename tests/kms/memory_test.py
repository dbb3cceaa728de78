#!/usr/bin/python3
"""Where keys are in the memory of a dare-kms that was used a lot: in locked arenas that no dump shows, and nowhere once it was
sealed. Searched through /proc/PID/mem, which has what a core image would have, for keys that the test knows."""
import concurrent.futures
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kill_switch, memory  # noqa: E402

ROUNDS = 6


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


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/python3
"""libdare with two running dare-kms that have the same keys, one of them killed under load, stopped in its tracks, or
replaced by something that never answers: failover_test.py LIBRARY"""
import os
import pathlib
import signal
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from libdare.library import DENIED, UNREACHABLE, Client, Refused, config_text  # noqa: E402
from support import kms  # noqa: E402

LIBRARY = None
THREADS = 6


class Failover(unittest.TestCase):
    """The second server is a copy of the first one's folder, made when the key existed."""

    @classmethod
    def setUpClass(cls):
        programs = kms.Programs()
        cls.template = kms.Template(programs, ["alice"])
        cls.addClassCleanup(cls.template.close)
        original = cls.template.original
        original.start()
        cls.write_config(original, [original.kmip], "setup.toml", original)
        kms.run([programs.dare, "--config", original.clients / "setup.toml", "key", "create", "values"])
        original.stop()

    @staticmethod
    def write_config(server, addresses, name, owner, more=""):
        path = owner.clients / name
        path.write_text(config_text(addresses, server.identity("alice"), "values") + more)
        return path

    def setUp(self):
        self.servers = []
        for _ in range(2):
            server = self.template.instantiate()
            self.addCleanup(server.close)
            self.servers.append(server.start())

    def client_of(self, addresses, more=""):
        config = self.write_config(self.servers[0], addresses, "client.toml", self.servers[0], more)
        client = Client(LIBRARY, config)
        self.addCleanup(client.close)
        return client

    def under_load(self, client, disturb):
        """Seals and opens on several threads, disturbs in the middle; how long each took."""
        failures, begun = [], []
        halfway = threading.Barrier(THREADS + 1)

        def work(number):
            try:
                for i in range(40):
                    if i == 10:
                        halfway.wait(60)
                    start = time.monotonic()
                    plain = f"{number} {i}".encode()
                    sealed = client.seal(plain, thread=str(number))
                    assert client.open(sealed, thread=str(number)) == plain
                    begun.append(time.monotonic() - start)
            except Exception as e:
                failures.append(e)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        halfway.wait(60)
        disturb()
        for thread in threads:
            thread.join(120)
        self.assertEqual(failures, [])
        self.assertEqual(len(begun), THREADS * 40)
        return begun

    def test_a_server_killed_under_load_costs_no_call(self):
        client = self.client_of([s.kmip for s in self.servers])
        self.under_load(client, self.servers[0].kill)
        self.assertTrue(self.servers[1].audit_has("Encrypt"), "the second one took over")

    def test_a_server_that_hangs_under_load_costs_no_call(self):
        client = self.client_of([s.kmip for s in self.servers], "[timeouts]\nrequest_seconds = 6\nconnect_seconds = 1\n")
        process = self.servers[0].process
        self.addCleanup(process.send_signal, signal.SIGCONT)
        took = self.under_load(client, lambda: process.send_signal(signal.SIGSTOP))
        slow = [t for t in took if t > 1]
        self.assertLessEqual(len(slow), 2 * THREADS, "only what was under way waited")

    def test_something_that_never_answers_is_left_alone(self):
        with socket.create_server(("127.0.0.1", 0)) as hole:
            client = self.client_of([hole.getsockname(), self.servers[1].kmip], "[timeouts]\nconnect_seconds = 0.5\n")
            self.under_load(client, lambda: None)
            alone = self.client_of([hole.getsockname()], "[timeouts]\nconnect_seconds = 0.5\nrequest_seconds = 1\n")
            with self.assertRaises(Refused) as refused:
                alone.seal(b"x")
            self.assertEqual(refused.exception.status, UNREACHABLE)

    def test_a_revoked_key_is_used_for_the_time_of_the_cache_and_no_longer(self):
        client = self.client_of([self.servers[0].kmip])
        caching = client.with_cache(seconds=3600)
        self.addCleanup(caching.close)
        none = client.with_cache(seconds=0)
        self.addCleanup(none.close)
        sealed = caching.seal(b"value", column="name")
        self.assertEqual(caching.open(sealed, column="name"), b"value")
        dare = [self.servers[0].programs.dare, "--config", self.servers[0].clients / "client.toml"]
        kms.run([*dare, "key", "revoke", "values"])
        self.assertEqual(caching.open(sealed, column="name"), b"value")
        for handle in (client, none):
            with self.assertRaises(Refused) as refused:
                handle.open(sealed, column="name")
            self.assertEqual(refused.exception.status, DENIED)
        caching.flush()
        for call in (lambda: caching.open(sealed, column="name"), lambda: caching.seal(b"value", column="name")):
            with self.assertRaises(Refused) as refused:
                call()
            self.assertEqual(refused.exception.status, DENIED)

    def test_a_kms_that_is_away_is_bridged_by_the_cache(self):
        client = self.client_of([self.servers[0].kmip])
        caching = client.with_cache(seconds=3600)
        self.addCleanup(caching.close)
        sealed = caching.seal(b"value", column="name")
        caching.open(sealed, column="name")
        self.servers[0].kill()
        self.assertEqual(caching.open(caching.seal(b"more", column="name"), column="name"), b"more")
        with self.assertRaises(Refused) as refused:
            client.open(sealed, column="name")
        self.assertEqual(refused.exception.status, UNREACHABLE)


if __name__ == "__main__":
    LIBRARY = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)

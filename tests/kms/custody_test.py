#!/usr/bin/python3
"""The store's keys in the hands of an administrator: rotated under load and kill -9, moved between HSMs, split and
brought back. After each, every key that a client was told of is there and is the same.

    custody_test.py [--kills N]     DARE_SEED=… repeats the choices of a run
"""
import pathlib
import random
import re
import shutil
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms  # noqa: E402
from support.administered import MODULE, Server  # noqa: E402
from support.kmip_client import ConnectionLost, KmipFailure, item, uid  # noqa: E402

KILLS = int(sys.argv[sys.argv.index("--kills") + 1]) if "--kills" in sys.argv else 8
RECORDS = 400


class Load(threading.Thread):
    """A client that makes and reads keys until it is told to stop; it comes back after each kill."""

    def __init__(self, server, identity, known):
        super().__init__(daemon=True)
        self.server, self.identity, self.known = server, identity, known
        self.stopping = threading.Event()
        self.refused, self.longest, self.reads = [], 0.0, 0

    def run(self):
        while not self.stopping.is_set():
            try:
                with self.server.client(self.identity) as client:
                    while not self.stopping.is_set():
                        self.step(client)
            except (ConnectionLost, OSError):
                time.sleep(0.02)  # the server is being killed or started: ask again
            except KmipFailure as e:
                self.refused.append(str(e))

    def step(self, client):
        begun = time.monotonic()
        identifier = client.create()
        material = client.get(identifier)
        self.known[identifier] = material
        other = random.choice(list(self.known))
        if client.get(other) != self.known[other]:
            self.refused.append(f"{other}: another key than before")
        self.reads += 2
        self.longest = max(self.longest, time.monotonic() - begun)


class CustodyTest(unittest.TestCase):
    def server(self, *init_options):
        server = Server(*init_options)
        self.addCleanup(server.close)
        return server

    def fill(self, server, count=RECORDS):
        known = {}
        with server.client(server.identity("alice")) as client:
            for _ in range(count):
                identifier = client.create()
                known[identifier] = client.get(identifier)
        return known

    def assert_all_open(self, server, known):
        lost = []
        with server.client(server.identity("alice")) as client:
            for identifier, material in known.items():
                try:
                    if client.get(identifier) != material:
                        lost.append(f"{identifier}: another key")
                except KmipFailure as e:
                    lost.append(str(e))
        print(f"keys acknowledged: {len(known)}, lost: {len(lost)}")
        self.assertEqual(lost, [])

    def rotate_under_kills(self, server, known, *words, kills=KILLS):
        """A rotation while a client works and the server is killed `kills` times."""
        server.identity("alice")
        server.configure("hsm", "reseal_per_second", 400)
        server.fix_ports()
        server.restart()
        load = Load(server, server.identity("alice"), known)
        load.start()
        before = server.current()
        server.hsm("rotate", *words)
        killed = 0
        while killed < kills and not server.finished():
            time.sleep(random.uniform(0.02, 0.3))
            server.kill()
            server.start()
            killed += 1
        self.assertTrue(fixture.eventually(server.finished, 120), server.hsm("status"))
        load.stopping.set()
        load.join(30)
        now = server.current()
        print(f"rotation {before} -> {now}: {killed} kills, {load.reads} reads, {len(load.refused)} refused, "
              f"longest step {load.longest:.2f} s")
        self.assertNotEqual(before, now)
        self.assertEqual(load.refused, [])
        self.assertEqual(set(server.key_ids()), {now})
        return before

    def test_rotation_under_load_and_kills_loses_nothing(self):
        server = self.server()
        server.start()
        known = self.fill(server)
        old = self.rotate_under_kills(server, known)
        self.assert_all_open(server, known)
        # Destroyed in the token only when that is said, and nothing needed it.
        shown = kms.run(["pkcs11-tool", "--module", MODULE, "--token-label", "dare", "--login", "--pin",
                         (server.folder / "hsm-pin").read_text(), "-O", "--type", "secrkey"], env=server.environment())
        self.assertIn(old, shown.stdout)
        destroyed = server.hsm("rotate", "--destroy-old")["destroyed"]
        self.assertIn(old, destroyed)
        shown = kms.run(["pkcs11-tool", "--module", MODULE, "--token-label", "dare", "--login", "--pin",
                         (server.folder / "hsm-pin").read_text(), "-O", "--type", "secrkey"], env=server.environment())
        self.assertNotIn(old, shown.stdout)
        server.restart()
        self.assert_all_open(server, known)
        self.assertTrue(server.audit_has("rotate master key", "root"))
        self.assertTrue(server.audit_has("master key rotated"))

    def test_any_of_two_hsms_starts_a_store_under_a_root_key(self):
        server = self.server()
        server.add_token("second")  # SoftHSM2 shows a process the tokens that were there when it began
        server.start()
        known = self.fill(server, 50)
        refused = server.hsm("add", "second", check=False)
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.assertIn("--sealing root", refused.stderr)
        self.rotate_under_kills(server, known, "--sealing", "root", kills=2)
        status = server.hsm("status")
        self.assertEqual(status["mode"], "root")
        current = [k for k in status["keys"] if k["state"] == "current"][0]
        self.assertEqual(sorted(current["holders"]), ["primary", "second"])
        self.assertNotIn("most_seals", current)
        self.assert_all_open(server, known)
        server.stop()
        away = server.home / "pulled-out"
        shutil.move(server.token_folder("dare"), away)
        server.start()
        self.assertIn("of no use", server.log_tail())
        self.assert_all_open(server, known)
        more = self.fill(server, 10)
        last = server.hsm("remove", "second", check=False)
        self.assertEqual(last.returncode, 3, last.stderr)
        server.hsm("remove", "primary")
        only = server.hsm("remove", "second", check=False)
        self.assertIn("the only one", only.stderr)
        server.restart()
        self.assert_all_open(server, {**known, **more})

    def test_shares_bring_a_root_key_back_when_every_hsm_is_lost(self):
        server = self.server("--sealing", "root")
        server.start()
        known = self.fill(server, 60)
        shares = server.home / "shares"
        told = server.ceremony("backup", "--shares", "5", "--threshold", "3", "--out", shares)
        self.assertIn("any 3 of 5 shares open it", told.stdout)
        three = [f for n in (5, 1, 3) for f in ("--share", shares / f"share-{n}.txt")]
        drill = server.ceremony("drill", *three)
        self.assertIn("60 records opened", drill.stdout)
        self.assertIn("0 failed", drill.stdout)
        self.assertEqual(list(pathlib.Path("/dev/shm").glob("dare-drill-*")), [])
        two = server.ceremony("drill", *three[:4], check=False)
        self.assertEqual(two.returncode, 2, two.stderr)
        self.assertIn("2 of 3 shares", two.stderr)
        twice = server.ceremony("drill", *three[:4], *three[:2], check=False)
        self.assertIn("given twice", twice.stderr)
        server.stop()
        # The token is gone; the store and three people are left.
        shutil.rmtree(server.folder / "tokens")
        (server.folder / "tokens").mkdir(mode=0o700)
        self.assertRaises(RuntimeError, server.start)
        pin = (server.folder / "hsm-pin").read_text()
        kms.run(["softhsm2-util", "--init-token", "--free", "--label", "dare", "--pin", pin, "--so-pin", "12345678"],
                env=server.environment())
        too_few = server.ceremony("restore", *three[:4], check=False)
        self.assertEqual(too_few.returncode, 2, too_few.stderr)
        self.assertRaises(RuntimeError, server.start)
        typed = "".join((shares / f"share-{n}.txt").read_text() for n in (2, 4, 5))
        restored = server.ceremony("restore", input=typed)
        self.assertIn("restored into 1 token", restored.stdout)
        server.start()
        self.assert_all_open(server, known)
        self.assertEqual(len(self.fill(server, 5)), 5)

    def test_shares_bring_the_master_key_of_a_ceremony_back(self):
        shares = kms.free_folder()
        self.addCleanup(shutil.rmtree, shares, True)
        server = self.server("--origin", "ceremony", "--shares", "3", "--threshold", "2", "--out", str(shares))
        server.start()
        known = self.fill(server, 30)
        key = server.hsm("status")["keys"][0]
        self.assertEqual(key["origin"], "ceremony")
        self.assertEqual(key["backup"]["threshold"], 2)
        refused = server.ceremony("backup", "--shares", "3", "--threshold", "2", "--out", shares / "new", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("handed out in ceremony", refused.stderr)
        two = [f for n in (3, 1) for f in ("--share", shares / f"share-{n}.txt")]
        server.ceremony("backup", "--shares", "4", "--threshold", "3", "--out", shares / "new", *two)
        server.stop()
        shutil.rmtree(server.token_folder("dare"))
        pin = (server.folder / "hsm-pin").read_text()
        kms.run(["softhsm2-util", "--init-token", "--free", "--label", "dare", "--pin", pin, "--so-pin", "12345678"],
                env=server.environment())
        server.ceremony("restore", *[f for n in (1, 2, 4) for f in ("--share", shares / "new" / f"share-{n}.txt")])
        drill = server.ceremony("drill", *two)
        self.assertIn("30 records opened", drill.stdout)
        server.start()
        self.assert_all_open(server, known)

    def test_a_master_key_of_a_token_is_not_backed_up_and_the_way_out_is_told(self):
        server = self.server()
        server.start()
        known = self.fill(server, 20)
        refused = server.ceremony("backup", "--shares", "3", "--threshold", "2", "--out", server.home / "s",
                                  check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("never leaves it", refused.stderr)
        self.assertFalse((server.home / "s").exists())
        made = server.ceremony("init", "--origin", "ceremony", "--shares", "3", "--threshold", "2", "--out",
                               server.home / "s")
        key = re.search(r"rotate --key ([0-9a-f]{16})", made.stdout).group(1)
        self.assertEqual(server.hsm("rotate", "--key", key, "--wait")["to"], key)
        self.assertEqual(set(server.key_ids()), {key})
        self.assert_all_open(server, known)

    def test_only_administrators_ask(self):
        server = self.server()
        server.start()
        server.identity("root")
        server.identity("mallory")
        (server.clients / "mallory.toml").write_text(
            server.client_toml("mallory"), "utf-8")
        for words in (["status"], ["rotate"], ["add", "x"], ["remove", "primary"]):
            done = kms.run([server.programs.dare, "hsm", *words, "--config", server.clients / "mallory.toml"],
                           check=False)
            self.assertEqual(done.returncode, 3, done.stderr)
        self.assertTrue(server.audit_has("mallory", "rotate master key", "denied"))
        self.assertEqual(server.hsm("status")["rotation"], None)


if __name__ == "__main__":
    random.seed(fixture.seed())
    arguments = [a for n, a in enumerate(sys.argv)
                 if a != "--kills" and (n == 0 or sys.argv[n - 1] != "--kills")]
    unittest.main(argv=arguments)

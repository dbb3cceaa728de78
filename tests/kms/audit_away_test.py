#!/usr/bin/python3
"""What the audit log needs beside its disk goes away: the HSM that signs checkpoints, and a witness. Keys are served meanwhile, health
tells, nothing is pruned without a signature, and all of it is made up for without a restart."""
import json
import pathlib
import ssl
import sys
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import audit, faulty_hsm, fixture, kms, merkle  # noqa: E402
from support.kill_switch import administer  # noqa: E402

PATIENCE = 120  # seconds; a try after a failure comes later and later, half a minute at most


class Away(fixture.KmsTest):
    @classmethod
    def setUpClass(cls):
        if faulty_hsm.built() is None:
            raise unittest.SkipTest("SKIPPED: the module that fails on demand is not built")
        super().setUpClass()

    @classmethod
    def configure_server(cls, server):
        cls.hsm = faulty_hsm.FaultyHsm(server.home, "a")
        cls.mounted = server.home / "mounted"
        cls.mounted.mkdir()
        server.configure("hsm", "module", str(cls.hsm.module))
        server.configure("hsm", "call_timeout_ms", 1000)
        server.configure("hsm", "bounded_calls", "always")
        server.configure("audit", "checkpoint_seconds", 1)
        server.configure("audit", "file_kib", 16)
        server.configure("audit", "witness", [f"file:{cls.mounted / 'witness'}"])

    @classmethod
    def tearDownClass(cls):
        cls.hsm.mend()
        super().tearDownClass()
        cls.hsm.close()

    def tearDown(self):
        self.hsm.mend()

    def health(self):
        context = ssl.create_default_context(cafile=str(self.kms.ca))
        context.check_hostname = False
        with urllib.request.urlopen("https://{}:{}/healthz".format(*self.kms.https), context=context, timeout=30) as answer:
            return json.load(answer)

    def newest(self, path=None):
        path = path or pathlib.Path(self.kms.audit_folder) / "checkpoints"
        made = merkle.checkpoints(path) if path.exists() else []
        return made[-1].size if made else 0

    def entries(self):
        return audit.records(self.kms.audit_folder)[-1]["seq"]

    def cached(self, client):
        """A key that is served without the HSM."""
        key = client.create()
        client.get(key)
        client.get(key)
        return key

    def verify(self):
        done = kms.run([self.kms.programs.dare, "audit", "verify", self.kms.audit_folder, "--key",
                        pathlib.Path(self.kms.audit_folder) / "audit.pub", "--witness", self.mounted / "witness", "--json"])
        return json.loads(done.stdout)

    def test_checkpoints_are_late_while_the_hsm_is_away_and_nothing_is_pruned(self):
        client = self.client()
        key = self.cached(client)
        before = len(audit.segments(self.kms.audit_folder))
        while len(audit.segments(self.kms.audit_folder)) < before + 2:
            client.get(key)
        client.get(key)
        wanted = self.entries()
        self.assertTrue(fixture.eventually(lambda: self.newest() >= wanted, PATIENCE))
        administer(self.kms, "audit", "prune", "--keep", "1d")  # the administrator is enrolled while there is an HSM
        self.hsm.gone()
        client.get(key)
        self.assertTrue(fixture.eventually(lambda: self.health()["checkpoints"] == "failing", PATIENCE))
        self.assertTrue(client.get(key), "keys are served")
        files = audit.segments(self.kms.audit_folder)
        refused = administer(self.kms, "audit", "prune", "--keep", "0s", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual(audit.segments(self.kms.audit_folder)[:len(files)], files, "nothing goes without a signature")
        self.assertFalse((pathlib.Path(self.kms.audit_folder) / "pruned").exists())
        self.hsm.mend()
        wanted = self.entries()
        self.assertTrue(fixture.eventually(lambda: self.newest() >= wanted, PATIENCE))
        self.assertTrue(fixture.eventually(lambda: self.health()["checkpoints"] == "ok", PATIENCE))
        self.assertTrue(self.verify()["intact"])

    def test_a_witness_that_is_away_is_told_the_newest_when_it_is_back(self):
        client = self.client()
        key = self.cached(client)
        self.assertTrue(fixture.eventually((self.mounted / "witness").exists, PATIENCE))
        away = self.mounted.with_name("away")
        self.mounted.rename(away)
        client.get(key)
        self.assertTrue(fixture.eventually(lambda: self.health()["witness"] == "failing", PATIENCE))
        self.assertTrue(client.get(key), "keys are served")
        wanted = self.entries()
        self.assertTrue(fixture.eventually(lambda: self.newest() >= wanted, PATIENCE), "checkpoints are made meanwhile")
        away.rename(self.mounted)
        self.assertTrue(fixture.eventually(lambda: self.newest(self.mounted / "witness") >= wanted, PATIENCE))
        self.assertTrue(fixture.eventually(lambda: self.health()["witness"] == "ok", PATIENCE))
        self.assertTrue(self.verify()["intact"])


if __name__ == "__main__":
    unittest.main(verbosity=2)

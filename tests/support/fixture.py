"""unittest plumbing for tests that need a running dare-kms."""
import os
import random
import time
import unittest

from . import kms


def seed():
    """The seed of a random test: $DARE_SEED or a fresh one, printed so that a failure can be repeated."""
    value = int(os.environ.get("DARE_SEED", random.SystemRandom().getrandbits(32)))
    print(f"seed: DARE_SEED={value}", flush=True)
    return value


class KmsTest(unittest.TestCase):
    """A server for the whole class, with enrolled clients; `configure_server` may edit its configuration first."""

    clients = ("alice",)

    @classmethod
    def setUpClass(cls):
        cls.kms = kms.Kms(kms.Programs())
        try:
            cls.configure_server(cls.kms)
            cls.kms.start()
            cls.identities = {name: cls.kms.identity(name) for name in cls.clients}
        except BaseException:
            cls.kms.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.kms.close()

    @classmethod
    def configure_server(cls, server):
        pass

    def setUp(self):
        if self.kms.process is None:
            self.kms.start()

    def client(self, name="alice"):
        client = self.kms.client(self.identities[name])
        self.addCleanup(client.close)
        return client


def eventually(condition, seconds=20):
    """Polls until the condition holds; False when it does not within the bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True

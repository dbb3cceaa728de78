"""Two dare-kms nodes on one PostgreSQL, and clients that keep books of what they were told."""
import ssl
import threading
import time
import unittest

from . import kms, postgres
from .kmip_client import ConnectionLost, KmipFailure

LOST = (ConnectionLost, OSError, ssl.SSLError)
PATIENCE = 5  # seconds that the nodes wait for a database


class Writer(threading.Thread):
    """Creates named keys until it is told to stop; its books are read when it has ended."""

    def __init__(self, node, identity, name):
        super().__init__(daemon=True)
        self.node, self.identity, self.prefix = node, identity, name
        self.acknowledged, self.unknown, self.refused = {}, [], 0
        self.longest_gap, self.end = 0.0, threading.Event()

    def run(self):
        last, number, client = time.monotonic(), 0, None
        while not self.end.is_set():
            name = f"{self.prefix}-{number}"
            number += 1
            try:
                client = client or self.node.client(self.identity, timeout=60)
                self.acknowledged[name] = client.create(name)
                now = time.monotonic()
                self.longest_gap, last = max(self.longest_gap, now - last), now
            except KmipFailure:
                self.refused += 1
                self.unknown.append(name)
            except LOST:
                client = None
                self.unknown.append(name)


class TwoNodes(unittest.TestCase):
    """The nodes, for the whole class; `configure_node` may edit each one's configuration first."""

    clients = ("alice", "bob")

    @classmethod
    def setUpClass(cls):
        if postgres.missing():
            print(f"SKIPPED: {postgres.missing()}")
            raise unittest.SkipTest(postgres.missing())
        cls.database = postgres.Server().start()
        cls.template = kms.Template(kms.Programs(), cls.clients)
        cls.nodes = []
        for name in ("one", "two"):
            node = cls.template.instantiate()
            node.configure("", "node", name)
            node.configure("store", "backend", "postgresql")
            node.configure("store", "connection", cls.database.connection)
            node.configure("store", "patience_seconds", PATIENCE)
            cls.nodes.append(node)
        for node in cls.nodes:
            cls.configure_node(node)
        cls.start_together()

    @classmethod
    def configure_node(cls, node):
        pass

    @classmethod
    def start_together(cls):
        starts = [threading.Thread(target=node.start) for node in cls.nodes]
        for start in starts:
            start.start()
        for start in starts:
            start.join()

    @classmethod
    def tearDownClass(cls):
        for node in getattr(cls, "nodes", []):
            node.close()
        if hasattr(cls, "template"):
            cls.template.close()
        if hasattr(cls, "database"):
            cls.database.close()

    def setUp(self):
        self.one, self.two = self.nodes
        self.assertIsNotNone(self.one.process, self.one.log_tail())
        self.assertIsNotNone(self.two.process, self.two.log_tail())

    def client(self, node, name="alice"):
        client = node.client(node.identity(name), timeout=60)
        self.addCleanup(client.close)
        return client

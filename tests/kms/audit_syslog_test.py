#!/usr/bin/python3
"""Entries of the audit log as they reach a syslog collector (RFC 5424 over TCP, counted as in RFC 6587): every one, its line byte
for byte, also after the collector or the server was away."""
import pathlib
import re
import socket
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import audit, fixture  # noqa: E402
from support.kmip_client import KmipFailure  # noqa: E402

MESSAGE = re.compile(r"<(\d+)>1 (\S+) (\S+) dare-kms - (\S+) - (.*)", re.S)


class Collector:
    """Listens on the loopback interface; what came, message by message."""

    def __init__(self, port=0):
        self.messages = []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            try:
                with connection.makefile("rb") as stream:
                    while size := self._size(stream):
                        self.messages.append(stream.read(size))
            except OSError:
                pass

    @staticmethod
    def _size(stream):
        digits = b""
        while (c := stream.read(1)) not in (b"", b" "):
            digits += c
        return int(digits) if digits else 0

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was faster
            connection.close()
        self.thread.join(20)

    def lines(self):
        return [MESSAGE.fullmatch(m.decode()).group(5).encode() for m in self.messages
                if MESSAGE.fullmatch(m.decode()).group(4) == "audit"]


class Syslog(fixture.KmsTest):
    clients = ("alice", "bob")

    @classmethod
    def configure_server(cls, server):
        cls.collector = Collector()
        server.configure("audit", "syslog", [f"tcp:127.0.0.1:{cls.collector.port}"])

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.collector.close()

    def there(self):
        return [line for _, _, line in audit.lines(self.kms.audit_folder)]

    def await_all(self, collector):
        """Everything from the first line that came to the last there is, in order and once."""
        self.assertTrue(fixture.eventually(lambda: collector.lines() and collector.lines()[-1] == self.there()[-1]))
        came, there = collector.lines(), self.there()
        begin = there.index(came[0])
        self.assertEqual(came, there[begin:])
        return begin

    def test_every_entry_comes_as_it_stands_in_the_log(self):
        alice, bob = self.client(), self.client("bob")
        key = alice.create()
        alice.get(key)
        with self.assertRaises(KmipFailure):
            bob.get(key)
        self.await_all(self.collector)
        node = self.kms.config().get("node") or socket.gethostname()
        for message in self.collector.messages:
            priority, _, host, identifier, line = MESSAGE.fullmatch(message.decode()).groups()
            self.assertEqual((host, identifier), (node, "audit"))
            outcome = re.search(r'"outcome":"(\w+)"', line).group(1)
            self.assertEqual(int(priority), 13 * 8 + {"allowed": 6, "denied": 4, "failed": 5}[outcome])

    def test_what_happens_while_the_collector_or_the_server_is_away_comes_later(self):
        alice = self.client()
        key = alice.create()
        self.await_all(self.collector)
        port, last = self.collector.port, self.there()[-1]
        self.collector.close()
        for _ in range(20):
            alice.get(key)
        self.assertTrue(fixture.eventually(lambda: "do not reach" in self.kms.log_tail(1 << 20)),
                        "it is told that nobody takes them")
        type(self).collector = Collector(port)
        begin = self.await_all(self.collector)
        self.assertLessEqual(begin, self.there().index(last) + 2,
                             "at most what was on its way when the collector closed is lost: nobody acknowledges syslog")
        self.kms.stop()
        self.await_all(self.collector)
        self.kms.start()
        self.client().get(key)
        self.await_all(self.collector)

    def test_a_place_that_is_none_is_refused(self):
        self.kms.stop()
        good = self.kms.config_file.read_bytes()
        try:
            self.kms.configure("audit", "syslog", ["tcp:nowhere"])
            with self.assertRaisesRegex(RuntimeError, "'tcp:nowhere' is no syslog collector"):
                self.kms.start()
        finally:
            self.kms.config_file.write_bytes(good)


if __name__ == "__main__":
    unittest.main(verbosity=2)

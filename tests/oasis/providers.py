"""Where the runner gets a server from: one that runs already, any command, or a dare-kms of our own.

A provider's `open(group)` gives a Session: `connect(n)` makes a connection as the n-th identity, `close()` ends it.
"""
import pathlib
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

from support.kmip_client import Client, Identity

START_SECONDS = 30


class Session:
    def __init__(self, address, identity, close=lambda: None, maximum_tls=None):
        self.address, self._identity, self.close, self._maximum_tls = address, identity, close, maximum_tls

    def connect(self, number):
        identity = self._identity(number)
        return Client(self.address, identity, context=identity.context(self._maximum_tls))


def _pem_identity(arguments):
    """The n-th --cert/--key pair; the last one stands in for those that are missing."""
    pairs = list(zip(arguments.cert, arguments.key))

    def identity(number):
        certificate, key = pairs[min(number, len(pairs) - 1)]
        return Identity(arguments.ca, certificate, key)

    return identity


class Running:
    """--connect HOST:PORT: every case meets the same server."""

    def __init__(self, arguments):
        host, _, port = arguments.connect.rpartition(":")
        self.address = (host, int(port))
        self.identity = _pem_identity(arguments)

    def open(self, _group):
        return Session(self.address, self.identity)

    def close(self):
        pass


class Command:
    """--server-cmd: a command started afresh for each group, with {dir} and {port} replaced."""

    def __init__(self, arguments):
        self.command = arguments.server_cmd
        self.identity = _pem_identity(arguments)

    def open(self, _group):
        folder = tempfile.mkdtemp(prefix="dare-oasis-")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        words = [w.replace("{dir}", folder).replace("{port}", str(port)) for w in shlex.split(self.command)]
        with open(pathlib.Path(folder) / "output", "wb") as output:
            process = subprocess.Popen(words, stdout=output, stderr=output)

        def close():
            process.kill()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)

        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    text = (pathlib.Path(folder) / "output").read_text(errors="replace")[-500:]
                    close()
                    raise RuntimeError(f"the server did not start: {text}") from None
                time.sleep(0.05)
        return Session(("127.0.0.1", port), self.identity, close)

    def close(self):
        pass


class DareKms:
    """A dare-kms for each group, its folder copied from one that was set up once."""

    NAMES = ("client-a", "client-b", "client-c")

    def __init__(self, arguments):
        from support import kms
        # The published cases use ECB and 3DES, which a server refuses by default.
        self.template = kms.Template(kms.Programs(arguments.dare_kms), self.NAMES,
                                     {("", "allow_legacy_algorithms"): True,
                                      # The texts of the case's vendor in CK_INFO.
                                      ("pkcs11", "manufacturer"): "TEST      Pty Ltd",
                                      ("pkcs11", "description"): "TEST"})

    def open(self, _group):
        server = self.template.instantiate()
        try:
            server.start()
        except BaseException:
            server.close()
            raise
        return Session(server.kmip, lambda n: server.identity(self.NAMES[min(n, len(self.NAMES) - 1)]), server.close)

    def close(self):
        self.template.close()

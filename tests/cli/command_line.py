"""A dare-kms and machines that use it through the dare program, for the tests of this folder."""
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms  # noqa: E402

DONE, FAILED, USAGE, DENIED, UNREACHABLE, DAMAGED = range(6)
SECONDS = 60


class Machine:
    """An enrolled machine: a folder with its key, certificate and client.toml."""

    def __init__(self, server, name, enrol=True):
        self.server, self.name = server, name
        self.folder = server.home / f"machine-{name}"
        self.folder.mkdir()
        if enrol:
            done = self.enrol()
            if done.returncode != DONE:
                raise RuntimeError(done.stderr)

    @property
    def config(self):
        return self.folder / "client.toml"

    @property
    def url(self):
        return f"https://127.0.0.1:{self.server.https[1]}"

    def enrol(self, *words, token=None, ca=None):
        """`dare enroll`, the token on standard input."""
        token = token or self.server.token(self.name)
        ca = ca or ("--ca-file", str(self.server.ca))
        return self("enroll", self.url, "--token-file", "-", *ca, "--dir", str(self.folder), "--server",
                    f"127.0.0.1:{self.server.kmip[1]}", *words, input=token.encode())

    def configure(self, old, new):
        """Changes a piece of the configuration file."""
        text = self.config.read_text("utf-8")
        if old not in text:
            raise AssertionError(f"{old!r} is not in {text}")
        self.config.write_text(text.replace(old, new), "utf-8")

    def environment(self):
        return dict(os.environ, DARE_CONFIG=str(self.config))

    def __call__(self, *words, input=None, cwd=None, timeout=SECONDS, **more):
        """Runs `dare WORDS`; bytes in, bytes out, messages as text."""
        done = subprocess.run([str(self.server.programs.dare), *map(str, words)], input=input,
                              stdin=None if input is not None else subprocess.DEVNULL,
                              stdout=more.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, timeout=timeout,
                              cwd=cwd, env=self.environment(), **more)
        done.stderr = done.stderr.decode()
        return done

    def start(self, *words, **more):
        """The same, running."""
        return subprocess.Popen([str(self.server.programs.dare), *map(str, words)], env=self.environment(), **more)


class CommandLineTest(fixture.KmsTest):
    """One server and one enrolled machine for the class; a fresh folder for each test."""

    clients = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.machine = Machine(cls.kms, "alice")
        except BaseException:
            cls.kms.close()
            raise

    def setUp(self):
        super().setUp()
        self.folder = kms.free_folder("dare-cli-")
        self.addCleanup(subprocess.run, ["rm", "-rf", str(self.folder)])

    def dare(self, *words, expect=DONE, **more):
        """Runs dare in the test's folder and checks its exit code and its messages' form."""
        done = self.machine(*words, cwd=self.folder, **more)
        self.assertEqual(done.returncode, expect, f"dare {words}: {done.stderr}")
        self.check_messages(done)
        return done

    def check_messages(self, done):
        lines = done.stderr.splitlines()
        if done.returncode == DONE:
            self.assertEqual(lines, [])
            return
        self.assertTrue(lines and lines[0].startswith("dare: error: "), done.stderr)
        for line in lines:
            self.assertRegex(line, r"^dare: (error|hint): ")

    def key(self, name=None):
        """A fresh key's name."""
        name = name or self.id().rsplit(".", 1)[-1]
        self.dare("key", "create", name)
        return name

    def write(self, name, size=300_000, seed=b"x"):
        """A file of bytes that do not repeat with a short period."""
        data = bytearray()
        counter = 0
        while len(data) < size:
            data += seed + counter.to_bytes(8, "big") * 4
            counter += 1
        path = self.folder / name
        path.write_bytes(bytes(data[:size]))
        return path

    def names(self):
        return sorted(p.name for p in self.folder.iterdir())

    def interrupt(self, process, number=signal.SIGINT):
        """Sends a signal and gives the exit code."""
        process.send_signal(number)
        return process.wait(SECONDS)

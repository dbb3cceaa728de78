#!/usr/bin/python3
"""libdare through its C interface, against a running dare-kms, and beside the program dare: libdare_test.py LIBRARY"""
import ctypes
import pathlib
import re
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.fixture import KmsTest  # noqa: E402

OK, FAILED, USAGE, DENIED, UNREACHABLE, DAMAGED = range(6)
READ = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
WRITE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
LIBRARY = None


class Streams:
    """A source of bytes in odd pieces and a sink, as callbacks; `fail_after` bytes the sink gives up."""

    def __init__(self, source, fail_after=None):
        self.source, self.out, self.at = source, bytearray(), 0
        self.fail_after = fail_after
        self.read, self.write = READ(self._read), WRITE(self._write)

    def _read(self, _, buffer, size):
        piece = self.source[self.at:self.at + min(size, 4001)]
        ctypes.memmove(buffer, piece, len(piece))
        self.at += len(piece)
        return len(piece)

    def _write(self, _, data, size):
        if self.fail_after is not None and len(self.out) + size > self.fail_after:
            return 1
        self.out += ctypes.string_at(data, size)
        return 0


class Libdare(KmsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.library = ctypes.CDLL(LIBRARY)
        cls.library.dare_last_error.restype = ctypes.c_char_p
        cls.library.dare_version.restype = ctypes.c_char_p
        identity = cls.identities["alice"]
        cls.folder = cls.kms.clients
        cls.config = cls.folder / "client.toml"
        cls.config.write_text(
            f'servers = ["{cls.kms.kmip[0]}:{cls.kms.kmip[1]}"]\nca_file = "{identity.ca}"\n'
            f'certificate_file = "{identity.certificate}"\nkey_file = "{identity.key}"\ndefault_key = "backup"\n')
        cls.dare("key", "create", "backup")

    @classmethod
    def dare(cls, *words):
        program = cls.kms.programs.dare
        done = subprocess.run([program, "--config", cls.config, *words], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"dare {words}: {done.stderr}")

    def setUp(self):
        super().setUp()
        self.handle = ctypes.c_void_p()
        self.assertEqual(self.library.dare_client_new(str(self.config).encode(), ctypes.byref(self.handle)), OK,
                         self.library.dare_last_error())
        self.addCleanup(lambda: self.library.dare_client_free(self.handle))

    def path(self, name):
        path = self.folder / name
        path.unlink(missing_ok=True)
        return path

    def seal_file(self, key, source, target, replace=0):
        return self.library.dare_seal_file(self.handle, key, str(source).encode(), str(target).encode(), replace)

    def open_file(self, source, target, replace=0):
        return self.library.dare_open_file(self.handle, str(source).encode(), str(target).encode(), replace)

    def test_streams_round_trip(self):
        plain = bytes(range(251)) * 4000
        sealing = Streams(plain)
        self.assertEqual(self.library.dare_seal_stream(self.handle, None, sealing.read, sealing.write, None), OK,
                         self.library.dare_last_error())
        opening = Streams(bytes(sealing.out))
        self.assertEqual(self.library.dare_open_stream(self.handle, opening.read, opening.write, None), OK,
                         self.library.dare_last_error())
        self.assertEqual(bytes(opening.out), plain)

    def test_library_and_program_open_each_others_files(self):
        plain, ours, theirs = self.path("plain"), self.path("ours"), self.path("theirs")
        plain.write_bytes(b"data at rest " * 1000)
        self.assertEqual(self.seal_file(b"backup", plain, ours), OK, self.library.dare_last_error())
        opened = self.path("opened")
        self.dare("open", ours, "-o", opened)
        self.assertEqual(opened.read_bytes(), plain.read_bytes())
        self.dare("seal", plain, "-o", theirs)
        self.assertEqual(self.library.dare_rewrap_file(self.handle, None, str(theirs).encode()), OK,
                         self.library.dare_last_error())
        self.assertEqual(self.open_file(theirs, opened, 1), OK, self.library.dare_last_error())
        self.assertEqual(opened.read_bytes(), plain.read_bytes())

    def test_errors_have_codes_and_words(self):
        plain, sealed = self.path("plain"), self.path("sealed")
        plain.write_bytes(b"x" * 5000)
        self.assertEqual(self.seal_file(b"nobody-made-this-key", plain, sealed), FAILED)
        self.assertFalse(sealed.exists())
        self.assertEqual(self.seal_file(None, plain, sealed), OK)
        self.assertEqual(self.seal_file(None, plain, sealed), FAILED, "it exists")
        self.assertIn(b"exists", self.library.dare_last_error())
        sealed.write_bytes(sealed.read_bytes()[:-1])
        opened = self.path("opened")
        self.assertEqual(self.open_file(sealed, opened), DAMAGED)
        self.assertIn(b"not a sealed file or damaged", self.library.dare_last_error())
        self.assertFalse(opened.exists())
        self.assertEqual(self.library.dare_open_file(self.handle, None, None, 0), USAGE)
        missing = ctypes.c_void_p(1)
        self.assertNotEqual(self.library.dare_client_new(b"/nowhere/client.toml", ctypes.byref(missing)), OK)
        self.assertIsNone(missing.value)

    def test_callback_that_gives_up_ends_the_call(self):
        sealing = Streams(b"y" * 1000000, fail_after=20000)
        self.assertEqual(self.library.dare_seal_stream(self.handle, None, sealing.read, sealing.write, None), FAILED)
        self.assertLessEqual(len(sealing.out), 20000)

    def test_a_server_that_goes_away_does_not_end_the_program(self):
        # Python ignores SIGPIPE, other programs do not.
        self.addCleanup(signal.signal, signal.SIGPIPE, signal.signal(signal.SIGPIPE, signal.SIG_DFL))
        plain, sealed = self.path("plain"), self.path("sealed")
        plain.write_bytes(b"x")
        self.assertEqual(self.seal_file(None, plain, sealed), OK)
        self.kms.stop()
        self.assertEqual(self.seal_file(None, plain, sealed, 1), UNREACHABLE)
        self.library.dare_client_free(self.handle)  # says good-bye to nobody
        self.handle = ctypes.c_void_p()
        self.kms.start()
        self.config.write_text(re.sub(r'servers = \["[^"]*"\]', f'servers = ["{self.kms.kmip[0]}:{self.kms.kmip[1]}"]',
                                      self.config.read_text()))

    def test_no_server_is_unreachable(self):
        nobody = self.path("nobody.toml")
        nobody.write_text(self.config.read_text().replace(f":{self.kms.kmip[1]}", ":1"))  # tcpmux: nobody listens
        other = ctypes.c_void_p()
        self.assertEqual(self.library.dare_client_new(str(nobody).encode(), ctypes.byref(other)), OK)
        self.addCleanup(self.library.dare_client_free, other)
        plain, sealed = self.path("plain"), self.path("sealed")
        plain.write_bytes(b"x")
        self.assertEqual(self.library.dare_seal_file(other, None, str(plain).encode(), str(sealed).encode(), 0),
                         UNREACHABLE, self.library.dare_last_error())
        self.assertFalse(sealed.exists())

    def test_version_is_told(self):
        self.assertRegex(self.library.dare_version().decode(), r"^\d+\.\d+\.\d+$")


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    unittest.main(verbosity=2)

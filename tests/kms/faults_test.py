#!/usr/bin/python3
"""What breaks around the server: the HSM, the disk, the configuration. Each must end in a clear error, never in a
wrong answer, a hang or a dead server."""
import contextlib
import os
import pathlib
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import faulty_hsm, fixture, kms  # noqa: E402
from support.kmip_client import KmipFailure  # noqa: E402

FREE_BYTES = 4 << 20  # of the small disk, beside what the server has already


class StartUp(fixture.KmsTest):
    """Each test spoils one thing and the server must refuse to start, saying what is wrong."""

    def setUp(self):
        self.kms.stop()
        self.saved = self.kms.config_file.read_text("utf-8")
        self.addCleanup(self.kms.config_file.write_text, self.saved, "utf-8")

    def refusal(self):
        """What the server prints when it does not start."""
        done = kms.run([self.kms.programs.dare_kms, "serve", "--config", self.kms.config_file], check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("listening", done.stdout)
        self.assertIn("error", done.stderr)
        return done.stderr

    def test_an_unknown_configuration_key_is_named_with_its_line(self):
        for section, key in (("kmip", "colour"), ("store", "synchronous"), ("nonsense", "key")):
            with self.subTest(section=section):
                self.kms.config_file.write_text(self.saved, "utf-8")
                self.kms.configure(section, key, "x")
                text = self.refusal()
                self.assertIn(key if section != "nonsense" else "nonsense", text)
                self.assertRegex(text, r"kms\.toml:\d+")

    def test_a_value_of_the_wrong_type_or_out_of_range_is_named(self):
        for section, key, value in (("kmip", "port", "many"), ("kmip", "port", 70000), ("store", "backend", "paper")):
            with self.subTest(key=key, value=value):
                self.kms.config_file.write_text(self.saved, "utf-8")
                self.kms.configure(section, key, value)
                self.assertIn(key, self.refusal())

    def test_broken_toml_is_named_with_its_line(self):
        self.kms.config_file.write_text(self.saved + "\n[store\n", "utf-8")
        self.assertRegex(self.refusal(), r"kms\.toml:\d+")

    def test_a_pin_file_that_others_may_read_is_refused(self):
        pin = self.kms.path_of("hsm", "pin")
        pin.chmod(0o644)
        self.addCleanup(pin.chmod, 0o600)
        self.assertIn(pin.name, self.refusal())

    def test_a_private_key_that_others_may_read_is_refused(self):
        key = self.kms.path_of("tls", "key")
        key.chmod(0o644)
        self.addCleanup(key.chmod, 0o600)
        self.assertIn(key.name, self.refusal())

    def test_a_missing_pin_is_named(self):
        pin = self.kms.path_of("hsm", "pin")
        moved = pin.with_suffix(".away")
        pin.rename(moved)
        self.addCleanup(moved.rename, pin)
        self.assertIn(pin.name, self.refusal())

    def test_a_wrong_pin_is_refused_without_showing_it(self):
        pin = self.kms.path_of("hsm", "pin")
        right = pin.read_bytes()
        self.addCleanup(pin.write_bytes, right)
        pin.write_bytes(b"91827364\n")
        text = self.refusal()
        self.assertRegex(text, "(?i)pin")
        self.assertNotIn("91827364", text)

    def test_a_missing_module_is_named(self):
        self.kms.configure("hsm", "module", "/nonexistent/libhsm.so")
        self.assertIn("/nonexistent/libhsm.so", self.refusal())

    def test_a_missing_token_is_named(self):
        self.kms.configure("hsm", "token_label", "no such token")
        self.assertIn("no such token", self.refusal())

    def test_a_missing_master_key_is_never_made_anew(self):
        self.kms.configure("hsm", "mek_label", "another-mek")
        self.assertIn("another-mek", self.refusal())

    def test_a_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.kms.configure("kmip", "port", port)
            self.assertIn(str(port), self.refusal())

    def test_a_damaged_database_is_refused(self):
        database = self.kms.database
        saved = database.read_bytes()
        self.addCleanup(database.write_bytes, saved)
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{database}{suffix}").unlink(missing_ok=True)
        database.write_bytes(b"this is not a database" + saved[22:])
        self.refusal()

    def test_a_database_of_another_program_is_refused_and_left_alone(self):
        other = self.kms.folder / "other.db"
        self.addCleanup(other.unlink)
        with contextlib.closing(sqlite3.connect(other)) as database:
            database.execute("CREATE TABLE theirs (x)")
            database.commit()
        before = other.read_bytes()
        self.kms.configure("store", "path", str(other))
        self.refusal()
        self.assertEqual(other.read_bytes(), before)

    def test_it_starts_again_when_nothing_is_wrong(self):
        self.kms.start()
        self.assertEqual(self.kms.stop(), 0)


class HsmGone(fixture.KmsTest):
    """The HSM goes away under a running server and comes back: a PKCS#11 module between the server and SoftHSM2."""

    @classmethod
    def configure_server(cls, server):
        if faulty_hsm.built() is None:
            raise unittest.SkipTest("SKIPPED: the module that fails on demand is not built")
        cls.hsm = faulty_hsm.FaultyHsm(server.home, "a")
        server.configure("hsm", "module", str(cls.hsm.module))

    def test_cached_keys_go_on_serving_others_fail_cleanly_and_all_work_again_when_it_is_back(self):
        client = self.client()
        key, uncached = client.create("cached"), client.create("uncached")
        material = client.get(key)  # the first Get changes the object (Fresh), the second one fills the cache
        self.assertEqual(client.get(key), material)
        self.hsm.gone()
        try:
            self.assertEqual(client.get(key), material, "an opened key is served from the cache")
            for call in (lambda: client.get(uncached), client.create, client.create):
                with self.assertRaises(KmipFailure) as caught:
                    call()
                self.assertTrue(caught.exception.reason and caught.exception.message)
            self.assertEqual(client.state(uncached), "PreActive", "attributes need no HSM")
            with self.kms.client(self.identities["alice"]) as another:
                self.assertEqual(another.get(key), material)
            self.assertIsNone(self.kms.process.poll(), "the server lives")
        finally:
            self.hsm.mend()
        self.assertTrue(fixture.eventually(lambda: self.creates(client)), "it recovers by itself")
        self.assertEqual((client.get(key), len(client.get(uncached))), (material, 32))

    @staticmethod
    def creates(client):
        try:
            return len(client.get(client.create())) == 32
        except KmipFailure:
            return False

    def test_a_start_without_the_hsm_fails_clearly(self):
        self.kms.stop()
        self.hsm.gone()
        try:
            done = kms.run([self.kms.programs.dare_kms, "serve", "--config", self.kms.config_file], check=False,
                           env=dict(os.environ, **self.kms.extra_environment))
            self.assertIn(done.returncode, (1, 4), "failed, or HSM unreachable")
            self.assertIn("error", done.stderr)
        finally:
            self.hsm.mend()
        self.kms.start()

    def test_a_start_without_the_token_fails_clearly(self):
        self.kms.stop()
        text = pathlib.Path(self.kms.environment()["SOFTHSM2_CONF"]).read_text()
        tokens = pathlib.Path(re.search(r"directories\.tokendir\s*=\s*(\S+)", text).group(1))
        away = tokens.with_name("tokens-away")
        tokens.rename(away)
        try:
            done = kms.run([self.kms.programs.dare_kms, "serve", "--config", self.kms.config_file], check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, "error: .*(token|HSM|module)")
        finally:
            away.rename(tokens)
        self.kms.start()


class DiskFull(fixture.KmsTest):
    """The disk fills up: changes fail with a clear error, reads go on, and room brings changes back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kms.stop()
        cls.mounted = None

    @classmethod
    def tearDownClass(cls):
        cls.kms.stop()
        if cls.mounted:
            kms.run(["umount", cls.mounted], check=False)
        super().tearDownClass()

    def small_disk(self):
        """A tmpfs of a few MiB with the server's folder on it; None where mounting is not allowed."""
        point = self.kms.home / "small-disk"
        point.mkdir(exist_ok=True)
        used = sum(-(-p.stat().st_size // 4096) * 4096 for p in self.kms.folder.rglob("*"))
        done = kms.run(["mount", "-t", "tmpfs", "-o", f"size={used + FREE_BYTES}", "tmpfs", point], check=False)
        if done.returncode != 0:
            return None
        type(self).mounted = point
        kms.run(["cp", "-a", f"{self.kms.folder}/.", point])
        self.kms.folder.rename(self.kms.home / "kms-before")
        self.kms.folder.symlink_to(point)
        return point

    def setUp(self):
        pass  # the tests start the server themselves

    def fill_up(self, client):
        """Creates until it fails; returns the failure. The number of keys is bounded by the disk."""
        for _ in range(40000):
            try:
                client.create()
            except KmipFailure as failure:
                return failure
        self.fail("the disk never filled up")

    def test_changes_fail_reads_go_on_and_room_brings_changes_back(self):
        point = self.small_disk()
        if point is None:
            self.skipTest("SKIPPED: mounting a tmpfs is not allowed here")
        filler = point / "filler"
        self.kms.start()
        client = self.client()
        key = client.create("before")
        material = client.get(key)
        descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            while True:
                os.write(descriptor, bytes(4096))
        except OSError:
            pass  # full: that was the point
        finally:
            os.close(descriptor)
        failure = self.fill_up(client)
        self.assertTrue(failure.reason and failure.message, "a reason and a text")
        self.assertIsNone(self.kms.process.poll(), "the server lives")
        try:
            self.assertEqual(client.get(key), material, "reads go on")
        except KmipFailure as e:
            self.fail(f"a read fails on a full disk: {e}")
        filler.unlink()
        self.assertTrue(fixture.eventually(lambda: HsmGone.creates(client)), "room brings changes back")
        self.kms.restart()
        with self.kms.client(self.identities["alice"]) as again:
            self.assertEqual(again.get(key), material)
        self.kms.stop()

    def test_a_limit_on_file_sizes_is_survived(self):
        # No root needed: every file of the server may grow to what it has now and a little more.
        largest = max(p.stat().st_size for p in self.kms.folder.rglob("*") if p.is_file())
        limit = largest + (512 << 10)

        def limits():
            # Python ignores it; what the server does must not hang on that.
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        self.kms.start(limits=limits)
        client = self.client()
        key = client.create("before the limit")
        material = client.get(key)
        failure = self.fill_up(client)
        self.assertTrue(failure.reason and failure.message)
        self.assertIsNone(self.kms.process.poll(), "the server lives")
        self.kms.stop()
        self.kms.start()
        with self.kms.client(self.identities["alice"]) as again:
            self.assertEqual(again.get(key), material)
            self.assertTrue(again.create())
        self.kms.stop()


class CommandLine(unittest.TestCase):
    def test_usage_errors_exit_with_2(self):
        program = kms.Programs().dare_kms
        # Never a bare "init": without --dir it is right to set up /etc/dare and /var/lib/dare of this machine.
        for words in ([], ["no-such-command"], ["init", "--no-such-option"], ["init", "--dir"], ["serve", "--config"],
                      ["enroll-token"]):
            with self.subTest(words=words):
                done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60,
                                      cwd=os.sep, env=dict(os.environ, HOME="/nonexistent"))
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("error", done.stderr)
                self.assertEqual(done.stdout, "")

    def test_a_missing_configuration_is_named(self):
        done = kms.run([kms.Programs().dare_kms, "serve", "--config", "/nonexistent/kms.toml"], check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nonexistent/kms.toml", done.stderr)

    def test_init_does_not_touch_a_folder_that_is_in_use(self):
        with kms.Kms(kms.Programs()) as server:
            before = {p: p.read_bytes() for p in server.folder.rglob("*") if p.is_file()}
            done = kms.run([server.programs.dare_kms, "init", "--dir", server.folder], check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("error", done.stderr)
            self.assertEqual({p: p.read_bytes() for p in server.folder.rglob("*") if p.is_file()}, before)


if __name__ == "__main__":
    unittest.main()

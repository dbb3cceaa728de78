#!/usr/bin/python3
"""A server on tokens of other makers, and on one that has no AES-GCM, under the filter of system calls: `dare-kms init` finds
out what there is, keys are made, used, kept over a restart and got, and the master key is rotated, also to a better mechanism
and to a worse one."""
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import faulty_hsm, fixture, kms  # noqa: E402
from support.administered import Server  # noqa: E402

PIN = "123456"
# CKM_AES_GCM, CKM_AES_CBC_PAD, CKM_AES_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN, CKM_EC_KEY_PAIR_GEN
GCM, CBC_PAD, AES, SECRETS, CURVES = "1087", "1085", "1080", "350", "1040"
RSA_ALONE = (AES, SECRETS, CURVES)
# The second byte of a sealed record (docs/formats/sealed-record.md).
BY_GCM, BY_CBC_AND_HMAC, BY_RSA = 1, 2, 3


def pin_file(folder):
    path = folder / "pin"
    path.write_text(PIN, "utf-8")
    path.chmod(0o600)
    return path


def refused(*mechanisms):
    return mock.patch.dict(os.environ, {"DARE_TEST_REFUSED": f",{','.join(mechanisms)},"})


class ServedFromAToken:
    """What every such server must do; `server` is one that was just made by init."""

    def mechanisms(self):
        return {material[1] for material in self.server.materials()}

    def client(self):
        self.server.identity("alice")
        client = self.server.client(self.server.identity("alice"))
        self.addCleanup(client.close)
        return client

    def check_serves(self, mechanism):
        self.server.start()
        self.server.fix_ports()
        self.assertEqual(self.server.health()[1]["seccomp"], "off" if os.environ.get("DARE_SANITIZED") else "on")
        client = self.client()
        known = {}
        for n in range(20):
            key = client.create(f"key {n}")
            known[key] = client.get(key)
        client.activate(key)
        self.assertEqual(client.decrypt_gcm(key, *client.encrypt_gcm(key, b"text")), b"text")
        self.assertEqual(self.mechanisms(), {mechanism})
        self.server.restart()
        self.check_known(known)
        return known

    def check_known(self, known):
        client = self.client()
        for key, material in known.items():
            self.assertEqual(client.get(key), material)

    def rotate_to(self, mechanism, known):
        self.server.hsm("rotate")
        self.assertTrue(fixture.eventually(self.server.finished, 60))
        self.assertEqual(self.mechanisms(), {mechanism}, "every record is sealed anew")
        self.check_known(known)

    def checked(self):
        (report,) = json.loads(kms.run([self.server.programs.dare_kms, "hsm", "check", "--json", "--config",
                                        self.server.config_file]).stdout)
        return report


@unittest.skipUnless(shutil.which("softhsm2-util"), "SKIPPED: SoftHSM2 is not installed")
class RefusingToken(ServedFromAToken, unittest.TestCase):
    """SoftHSM2 behind a module that refuses mechanisms."""

    def setUp(self):
        if faulty_hsm.built() is None:
            self.skipTest("SKIPPED: the module that refuses is not built")
        everything = contextlib.ExitStack()
        self.addCleanup(everything.close)
        folder = kms.free_folder("dare-token-")
        everything.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "tokens").mkdir()
        conf = folder / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n", "utf-8")
        everything.enter_context(mock.patch.dict(os.environ, {"SOFTHSM2_CONF": str(conf)}))
        kms.run(["softhsm2-util", "--init-token", "--free", "--label", "dare", "--pin", PIN, "--so-pin", "12345678"])
        hsm = faulty_hsm.FaultyHsm(folder, "plain")
        everything.callback(hsm.close)
        self.options = ("--module", hsm.module, "--pin-file", pin_file(folder))
        self.everything = everything

    def make(self, *options):
        self.server = Server(*self.options, *options)
        self.everything.callback(self.server.close)

    def restart(self):
        self.server.stop()
        self.server.start()
        self.server.fix_ports()

    def test_without_gcm_by_cbc_and_hmac(self):
        with refused(GCM):
            self.make()
            self.assertTrue(self.checked()["sealing"].startswith("AES-256-CBC-PAD and HMAC-SHA-256"))
            self.check_serves(BY_CBC_AND_HMAC)

    def test_with_rsa_alone_by_rsa(self):
        with refused(*RSA_ALONE):
            self.make()
            report = self.checked()
            self.assertTrue(report["usable"])
            self.assertTrue(report["sealing"].startswith("RSA-OAEP and RSA signatures"))
            self.check_serves(BY_RSA)

    def test_with_rsa_alone_shares_bring_the_key_back(self):
        self.check_ceremony(BY_RSA, *RSA_ALONE)

    def test_without_gcm_shares_bring_the_key_back(self):
        self.check_ceremony(BY_CBC_AND_HMAC, GCM)

    def check_ceremony(self, mechanism, *absent):
        """What such a token sealed opens in a token that could seal better, from the shares alone."""
        shares = kms.free_folder("dare-shares-")
        self.everything.callback(shutil.rmtree, shares, ignore_errors=True)
        with refused(*absent):
            self.make("--origin", "ceremony", "--shares", "3", "--threshold", "2", "--out", str(shares))
            known = self.check_serves(mechanism)
            self.server.stop()
        two = [word for n in (1, 3) for word in ("--share", shares / f"share-{n}.txt")]
        drill = self.server.ceremony("drill", *two)
        self.assertIn("20 records opened, 0 hold no key any more, 0 failed", drill.stdout)
        kms.run(["softhsm2-util", "--delete-token", "--token", "dare"])
        kms.run(["softhsm2-util", "--init-token", "--free", "--label", "dare", "--pin", PIN, "--so-pin", "12345678"])
        self.assertIn("restored into 1 token", self.server.ceremony("restore", *two).stdout)
        self.server.start()
        self.server.fix_ports()
        self.check_known(known)

    def test_with_rsa_alone_under_a_root_key(self):
        with refused(*RSA_ALONE):
            self.make("--sealing", "root")
            self.check_serves(4)

    def test_with_nothing_that_seals_it_says_so(self):
        with refused(*RSA_ALONE, "0"):  # CKM_RSA_PKCS_KEY_PAIR_GEN
            with self.assertRaisesRegex(RuntimeError, "the token has no mechanism that seals"):
                self.make()

    def test_the_master_key_is_rotated_to_rsa_and_back(self):
        self.make()
        known = self.check_serves(BY_GCM)
        # A token that makes no more keys of AES, and goes on using those that it has.
        with refused(AES, SECRETS):
            self.restart()
            self.rotate_to(BY_RSA, known)
            self.server.restart()
            self.check_known(known)
        self.restart()
        self.rotate_to(BY_GCM, known)
        self.server.restart()
        self.check_known(known)


MODULE = "/usr/lib/x86_64-linux-gnu/opencryptoki/libopencryptoki.so.0"
DAEMON = "/usr/sbin/pkcsslotd"


def why_not():
    if not (os.path.exists(MODULE) and os.path.exists(DAEMON)):
        return "openCryptoki (package opencryptoki) is not installed"
    apart = ["unshare", "--mount", "--ipc", "true"]
    if os.geteuid() != 0 or subprocess.run(apart, check=False, capture_output=True).returncode != 0:
        return "openCryptoki's daemon and its namespaces need root"
    return None


@unittest.skipIf(why_not(), f"SKIPPED: {why_not()}")
class OpenCryptoki(ServedFromAToken, unittest.TestCase):
    """Its software token has neither AES-GCM nor elliptic curves. Its folders have fixed places: this process, and what
    it starts, moves to where those are empty."""

    @classmethod
    def setUpClass(cls):
        if ctypes.CDLL(None, use_errno=True).unshare(0x00020000 | 0x08000000) != 0:  # CLONE_NEWNS | CLONE_NEWIPC
            raise OSError(ctypes.get_errno(), "unshare")
        kms.run(["mount", "--make-rprivate", "/"])
        for folder in ("/etc/opencryptoki", "/var/lib/opencryptoki", "/run", "/dev/shm"):
            kms.run(["mount", "-t", "tmpfs", "-o", "mode=0755,nosuid,nodev", "none", folder])
        for folder in ("/run/lock/opencryptoki", "/run/lock/opencryptoki/swtok", "/var/lib/opencryptoki",
                       "/var/lib/opencryptoki/swtok", "/var/lib/opencryptoki/swtok/TOK_OBJ"):
            os.makedirs(folder, exist_ok=True)
            shutil.chown(folder, 0, "pkcs11")
            os.chmod(folder, 0o770)
        pathlib.Path("/etc/opencryptoki/opencryptoki.conf").write_text(
            "version opencryptoki-3.8\nslot 3\n{\nstdll = libpkcs11_sw.so\n}\n", "utf-8")
        subprocess.run([DAEMON], check=True, timeout=30)
        pid = pathlib.Path("/run/pkcsslotd.pid")
        if not fixture.eventually(lambda: os.path.exists("/run/pkcsslotd.socket") and pid.exists() and pid.read_text()):
            raise RuntimeError("pkcsslotd does not come")
        cls.daemon = int(pid.read_text())
        cls.addClassCleanup(os.kill, cls.daemon, signal.SIGTERM)
        # Both PINs are to be changed from what they were first set to.
        for words, text in ((["-I", "-S", "87654321"], "dare\n"), (["-P", "-S", "87654321", "-n", "76543210"], ""),
                            (["-u", "-S", "76543210", "-n", "12345678"], ""),
                            (["-p", "-U", "12345678", "-n", PIN], "")):
            kms.run(["pkcsconf", "-c", "3", *words], input=text)

    def test_init_restart_get(self):
        folder = kms.free_folder("dare-token-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.server = Server("--module", MODULE, "--pin-file", pin_file(folder))
        self.addCleanup(self.server.close)
        report = self.checked()
        self.assertTrue(report["sealing"].startswith("AES-256-CBC-PAD and HMAC-SHA-256"), report["sealing"])
        self.rotate_to(BY_CBC_AND_HMAC, self.check_serves(BY_CBC_AND_HMAC))


NSS_MODULE = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so"


@unittest.skipUnless(os.path.exists(NSS_MODULE) and shutil.which("certutil"), "SKIPPED: NSS is not installed")
class Nss(ServedFromAToken, unittest.TestCase):
    """Its softoken keeps keys in a SQLite file of its own."""

    def test_init_restart_get(self):
        folder = kms.free_folder("dare-token-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        pin = pin_file(folder)
        kms.run(["certutil", "-N", "-d", f"sql:{folder}", "-f", pin])
        self.server = Server("--module", NSS_MODULE, "--pin-file", pin, "--init-args",
                             f"configdir='sql:{folder}' certPrefix='' keyPrefix='' secmod='' flags= "
                             "dbTokenDescription='dare'")
        self.addCleanup(self.server.close)
        self.rotate_to(BY_GCM, self.check_serves(BY_GCM))


if __name__ == "__main__":
    unittest.main()

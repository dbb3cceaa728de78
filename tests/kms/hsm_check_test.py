#!/usr/bin/python3
"""`dare-kms hsm check`: what it says of tokens that are good, of one that is not there, and that it leaves nothing behind."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import kms  # noqa: E402

NSS_MODULE = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so"


class HsmCheck(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kms = kms.Kms(kms.Programs())

    @classmethod
    def tearDownClass(cls):
        cls.kms.close()

    def check(self, *words, status=0):
        done = kms.run([self.kms.programs.dare_kms, "hsm", "check", *words], check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def abilities(self, report):
        return {row["what"]: row["works"] for row in report["findings"]}

    def test_tells_what_the_configured_token_can_do(self):
        (report,) = json.loads(self.check("--config", self.kms.config_file, "--json").stdout)
        self.assertTrue(report["usable"])
        self.assertTrue(report["sealing"].startswith("AES-256-GCM "), report["sealing"])
        abilities = self.abilities(report)
        self.assertTrue(abilities["AES-256-GCM with associated data"])
        self.assertTrue(abilities["wraps no key that may not leave"])
        self.assertFalse(abilities["RSA-OAEP, SHA-256"], "SoftHSM2 lists it and refuses it")
        self.assertTrue(any("CKR_GENERAL_ERROR" in quirk for quirk in report["quirks"]))

    def test_prints_a_table_for_people(self):
        shown = self.check("--config", self.kms.config_file).stdout
        self.assertIn("primary: token 'dare' (SoftHSM project", shown)
        self.assertIn("  seals by AES-256-GCM (the best that there is)\n  fit for master keys", shown)

    def test_leaves_nothing_in_the_token(self):
        def files():
            return sorted(str(p) for p in self.kms.folder.rglob("*.object"))
        before = files()
        self.assertTrue(before, "the token keeps its objects in files")
        self.check("--config", self.kms.config_file)
        self.assertEqual(files(), before)

    def test_says_that_a_token_is_not_there(self):
        pin = self.kms.home / "pin"
        pin.write_text("123456")
        pin.chmod(0o600)
        done = self.check("--module", self.kms.config()["hsm"]["module"], "--token-label", "nowhere",
                          "--pin-file", pin, status=4)
        self.assertIn("no token labelled 'nowhere'", done.stderr)
        self.check("--module", "/nowhere.so", "--pin-file", pin, status=1)
        self.check("--module", "/nowhere.so", status=2)

    @unittest.skipUnless(os.path.exists(NSS_MODULE) and shutil.which("certutil"), "NSS is not installed")
    def test_warns_of_a_token_that_lets_keys_out(self):
        folder = self.kms.home / "nss"
        folder.mkdir()
        pin = folder / "pin"
        pin.write_text("123456\n")
        pin.chmod(0o600)
        subprocess.run(["certutil", "-N", "-d", f"sql:{folder}", "-f", pin], check=True)
        (report,) = json.loads(self.check(
            "--module", NSS_MODULE, "--token-label", "other", "--pin-file", pin, "--json", "--init-args",
            f"configdir='sql:{folder}' certPrefix='' keyPrefix='' secmod='' flags= dbTokenDescription='other'").stdout)
        self.assertTrue(report["usable"])
        self.assertFalse(self.abilities(report)["wraps no key that may not leave"])
        self.assertIn("can take them out", report["fit_for"])
        self.assertTrue(any("CKA_EXTRACTABLE is false" in quirk for quirk in report["quirks"]))


if __name__ == "__main__":
    unittest.main()

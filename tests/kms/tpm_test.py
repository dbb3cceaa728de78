#!/usr/bin/python3
"""What `dare-kms hsm check` says of a TPM 2.0 (swtpm)."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import kms, swtpm  # noqa: E402

if not swtpm.available():
    print("SKIPPED: swtpm is not installed")
    sys.exit(0)


class TpmTest(unittest.TestCase):
    def setUp(self):
        self.tpm = swtpm.Swtpm().on()
        self.addCleanup(self.tpm.close)


class Check(TpmTest):
    def check(self, tcti, *words):
        return kms.run([kms.Programs().dare_kms, "hsm", "check", "--tcti", tcti, *words], check=False)

    def test_a_good_tpm_is_usable_in_root_mode(self):
        done = self.check(self.tpm.tcti)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("NO ", done.stdout)
        for words in ("made by IBM", "refuses what was made outside and imported", "TPM 2.0 sealed object", "root keys"):
            self.assertIn(words, done.stdout)

    def test_json_says_the_same(self):
        done = self.check(self.tpm.tcti, "--json")
        (checked,) = json.loads(done.stdout)
        self.assertTrue(checked["usable"])
        self.assertEqual(len(checked["findings"]), 7)
        self.assertTrue(all(f["works"] for f in checked["findings"]))

    def test_a_tpm_that_is_off_is_not_usable(self):
        self.tpm.off()
        done = self.check(self.tpm.tcti)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot reach the TPM", done.stdout)
        self.assertIn("not usable", done.stdout)


if __name__ == "__main__":
    unittest.main()

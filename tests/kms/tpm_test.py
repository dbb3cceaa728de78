#!/usr/bin/python3
"""A TPM 2.0 (swtpm) as one of two HSMs that hold the root key of a store: either starts the server, no other TPM does,
and `dare-kms hsm check` says beforehand what it is good for.
"""
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


class RootKey(TpmTest):
    def setUp(self):
        super().setUp()
        programs = kms.Programs()
        home = kms.free_folder()
        kms.run([programs.dare_kms, "init", "--dir", home / "kms", *kms.INIT_OPTIONS, "--sealing", "root",
                 "--administrator", "root"])
        self.kms = kms.Kms(programs, home)
        self.addCleanup(self.kms.close)
        self.kms.start()
        self.alice = self.kms.identity("alice")
        self.kms.identity("root")
        # Written down while the server runs: it learns of the TPM when it is asked to let it in.
        with open(self.kms.config_file, "a", encoding="utf-8") as config:
            config.write(f'\n[[hsm.tokens]]\nname = "board"\ntpm = true\ntcti = "{self.tpm.tcti}"\n')

    def hsm(self, *words):
        """`dare hsm WORDS` as the administrator."""
        clients, https = self.kms.clients, self.kms.https[1]
        (clients / "client.toml").write_text(
            f'servers = ["127.0.0.1:{self.kms.kmip[1]}"]\nca_file = "{self.kms.ca}"\ncertificate_file = "root.crt"\n'
            f'key_file = "root.key"\nenrolment_url = "https://127.0.0.1:{https}"\n', "utf-8")
        return kms.run([self.kms.programs.dare, "hsm", *words, "--config", clients / "client.toml"], check=False)

    def add_board(self):
        done = self.hsm("add", "board")
        self.assertEqual(done.returncode, 0, done.stderr)

    def tokens_away(self):
        """Takes the SoftHSM2 token out; gives the way to put it back."""
        here = self.kms.folder / "tokens"
        away = here.rename(here.with_name("tokens-away"))
        here.mkdir()

        def back():
            here.rmdir()
            away.rename(here)
        return back

    def refusal(self):
        done = kms.run([self.kms.programs.dare_kms, "serve", "--config", self.kms.config_file], check=False)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_either_holder_starts_the_server_and_none_of_them_does_not(self):
        with self.kms.client(self.alice) as client:
            before = client.create(name="before")
            material = client.get(before)
        self.add_board()
        self.kms.stop()

        back = self.tokens_away()  # the TPM alone
        self.kms.start()
        with self.kms.client(self.alice) as client:
            self.assertEqual(client.get(before), material)
            during = client.create(name="during")
            made = client.get(during)
        self.kms.stop()

        self.tpm.off()  # neither
        text = self.refusal()
        self.assertIn("board", text)
        self.assertIn("cannot reach the TPM", text)

        back()  # the token alone
        self.kms.start()
        with self.kms.client(self.alice) as client:
            self.assertEqual(client.get(before), material)
            self.assertEqual(client.get(during), made)

    def test_another_tpm_in_its_place_does_not_start_the_server(self):
        self.add_board()
        self.kms.stop()
        self.tpm.off()
        for path in self.tpm.folder.glob("tpm2-*"):
            path.unlink()  # a new main board
        self.tpm.on()
        back = self.tokens_away()
        self.assertIn("another TPM, or one that was cleared", self.refusal())

        back()  # what docs/operations.md says to do then
        self.kms.start()
        done = self.hsm("remove", "board")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.add_board()
        self.kms.stop()
        self.tokens_away()
        self.kms.start()

    def test_a_tpm_is_let_in_and_taken_off_while_the_server_runs(self):
        self.add_board()
        self.assertIn("board", self.hsm("list").stdout)
        done = self.hsm("remove", "board")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.kms.stop()
        self.tokens_away()
        self.assertIn("primary", self.refusal())

    def test_a_new_root_key_is_wrapped_by_every_hsm_there_is(self):
        self.kms.stop()
        with kms.Kms(self.kms.programs, kms.free_folder()) as fresh:
            fresh.configure("hsm", "sealing", "root")
            with open(fresh.config_file, "a", encoding="utf-8") as config:
                config.write(f'\n[[hsm.tokens]]\nname = "board"\ntpm = true\ntcti = "{self.tpm.tcti}"\n')
            fresh.start()
            fresh.stop()
            tokens = fresh.folder / "tokens"
            tokens.rename(fresh.folder / "tokens-away")
            tokens.mkdir()
            fresh.start()  # by the TPM alone, though nobody said `dare hsm add`

    def test_a_tpm_that_does_not_answer_is_not_let_in(self):
        self.tpm.off()
        done = self.hsm("add", "board")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("cannot reach the TPM", done.stderr)
        self.tpm.on()
        self.add_board()  # and is, as soon as it does


if __name__ == "__main__":
    unittest.main()

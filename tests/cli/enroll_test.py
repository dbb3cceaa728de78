#!/usr/bin/python3
"""dare enroll: who gets a certificate, who does not, and what lies on the disk afterwards."""
import stat
import subprocess
import unittest

from command_line import DENIED, FAILED, UNREACHABLE, USAGE, CommandLineTest, Machine


class Enroll(CommandLineTest):
    def fresh(self):
        self.serial = getattr(type(self), "serial", 0) + 1
        type(self).serial = self.serial
        return Machine(self.kms, f"m{self.serial}", enrol=False)

    def fingerprint(self):
        text = subprocess.run(["openssl", "x509", "-in", str(self.kms.ca), "-noout", "-fingerprint", "-sha256"],
                              capture_output=True, text=True, check=True).stdout
        return text.strip().split("=")[1]

    def test_leaves_a_private_key_and_a_configuration_that_works(self):
        machine = self.fresh()
        done = machine.enrol()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"enrolled as {machine.name} until ".encode(), done.stdout)
        files = {p.name: stat.S_IMODE(p.stat().st_mode) for p in machine.folder.iterdir()}
        self.assertEqual(files, {"client.key": 0o600, "client.crt": 0o644, "ca.crt": 0o644, "client.toml": 0o644})
        self.assertIn("BEGIN PRIVATE KEY", (machine.folder / "client.key").read_text())
        self.assertEqual(machine("ping").returncode, 0)

    def test_a_fingerprint_is_as_good_as_the_ca(self):
        for fingerprint in (self.fingerprint(), self.fingerprint().replace(":", "").lower()):
            machine = self.fresh()
            done = machine.enrol(ca=("--ca-fingerprint", fingerprint))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(machine("ping").returncode, 0)

    def test_another_ca_gets_no_token(self):
        machine = self.fresh()
        token = self.kms.token(machine.name)
        done = machine.enrol(ca=("--ca-fingerprint", "00" * 32), token=token)
        self.assertEqual(done.returncode, DENIED)
        other = self.folder / "other.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", "/dev/null", "-out", str(other), "-subj", "/CN=other"], capture_output=True,
                       check=True)
        done = machine.enrol(ca=("--ca-file", str(other)), token=token)
        self.assertEqual(done.returncode, UNREACHABLE)
        self.assertEqual(list(machine.folder.iterdir()), [])
        self.assertEqual(machine.enrol(token=token).returncode, 0, "the token was not used up")

    def test_a_token_works_once(self):
        machine = self.fresh()
        token = self.kms.token(machine.name)
        self.assertEqual(machine.enrol(token=token).returncode, 0)
        again = machine.enrol("--force", token=token)
        self.assertEqual(again.returncode, DENIED)
        self.assertEqual(machine("ping").returncode, 0, "the earlier enrolment is untouched")
        self.assertEqual(self.fresh().enrol(token="f" * 64).returncode, DENIED)

    def test_an_enrolment_is_not_written_over(self):
        machine = self.fresh()
        self.assertEqual(machine.enrol().returncode, 0)
        done = machine.enrol()
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("enrolled already", done.stderr)
        self.assertEqual(machine.enrol("--force").returncode, 0)
        self.assertEqual(machine("ping").returncode, 0)

    def test_renewal_keeps_the_key(self):
        machine = self.fresh()
        machine.enrol()
        key = (machine.folder / "client.key").read_bytes()
        certificate = (machine.folder / "client.crt").read_bytes()
        done = machine("enroll", "--renew")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((machine.folder / "client.key").read_bytes(), key)
        self.assertNotEqual((machine.folder / "client.crt").read_bytes(), certificate)
        self.assertEqual(machine("ping").returncode, 0)

    def test_a_revoked_machine_is_refused(self):
        machine = self.fresh()
        machine.enrol()
        self.kms.command("revoke-certificate", "--name", machine.name)
        done = machine("ping")
        self.assertEqual(done.returncode, DENIED, done.stderr)
        self.assertIn("does not accept our certificate", done.stderr)
        self.assertIn(machine("enroll", "--renew").returncode, (DENIED, UNREACHABLE))

    def test_the_token_comes_from_a_private_file_or_standard_input(self):
        machine = self.fresh()
        words = ("enroll", machine.url, "--ca-file", self.kms.ca, "--dir", machine.folder)
        self.assertEqual(machine(*words, input=b" \n").returncode, USAGE)
        token = self.folder / "token"
        token.write_text(self.kms.token(machine.name) + "\n")
        token.chmod(0o644)
        done = machine(*words, "--token-file", token)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("chmod 600", done.stderr)
        token.chmod(0o600)
        self.assertEqual(machine(*words, "--token-file", token).returncode, 0)


if __name__ == "__main__":
    unittest.main()

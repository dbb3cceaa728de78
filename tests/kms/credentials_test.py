#!/usr/bin/python3
"""Users with passwords: added by the command line, believed through a gateway, slowed down when they guess."""
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import kms  # noqa: E402
from support.kmip_client import KmipFailure, item  # noqa: E402


def password(user, secret):
    """The header's Authentication."""
    return [item("Authentication", [item("Credential", [
        item("CredentialType", "UsernameAndPassword"),
        item("CredentialValue", [item("Username", user), item("Password", secret)])])])]


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kms = kms.Kms(kms.Programs())
        cls.kms.configure("credentials", "gateways", ["gateway"])
        cls.kms.start()
        cls.gateway = cls.kms.client(cls.kms.identity("gateway"))
        cls.plain = cls.kms.client(cls.kms.identity("plain"))

    @classmethod
    def tearDownClass(cls):
        cls.kms.close()

    def credential(self, *words, stdin="", check=True):
        done = subprocess.run([self.kms.programs.dare_kms, "credential", *words, "--config", self.kms.config_file],
                              input=stdin, capture_output=True, text=True, timeout=60)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done


class Credentials(Base):
    def call(self, client, user, secret):
        return client.call("Ping", [], version=(2, 1), header=password(user, secret))

    def refused(self, client, user, secret):
        with self.assertRaises(KmipFailure) as caught:
            self.call(client, user, secret)
        return caught.exception.reason

    def test_a_user_comes_through_a_gateway_only(self):
        self.credential("add", "--user", "fred", stdin="correct horse\n")
        self.assertIn("fred", self.credential("list").stdout)
        self.call(self.gateway, "fred", "correct horse")
        reasons = {self.refused(self.plain, "fred", "correct horse"), self.refused(self.gateway, "fred", "wrong"),
                   self.refused(self.gateway, "nobody", "wrong")}
        self.assertEqual(reasons, {"AuthenticationNotSuccessful"})
        self.credential("add", "--user", "fred", stdin="battery staple\n")  # at once, without a restart
        self.assertEqual(self.refused(self.gateway, "fred", "correct horse"), "AuthenticationNotSuccessful")
        self.call(self.gateway, "fred", "battery staple")
        self.credential("remove", "--user", "fred")
        self.assertEqual(self.refused(self.gateway, "fred", "battery staple"), "AuthenticationNotSuccessful")
        self.assertNotIn("fred", self.credential("list").stdout)

    def test_short_passwords_and_unknown_users_are_refused_by_the_command_line(self):
        self.assertEqual(self.credential("add", "--user", "eve", stdin="short\n", check=False).returncode, 2)
        self.assertEqual(self.credential("remove", "--user", "eve", check=False).returncode, 1)
        self.assertEqual(self.credential("add", stdin="long enough\n", check=False).returncode, 2)

    def test_conformance_switches_need_the_word_insecure(self):
        text = self.kms.config_file.read_text("utf-8") + "\n[conformance]\naccept_any_user = true\n"
        copy = self.kms.folder / "other.toml"
        copy.write_text(text, "utf-8")
        done = subprocess.run([self.kms.programs.dare_kms, "check-config", "--config", copy],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("conformance.insecure", done.stderr)


if __name__ == "__main__":
    unittest.main()

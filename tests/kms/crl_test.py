#!/usr/bin/python3
"""The revocation list at /crl, judged by the openssl program: who is on it, who signed it, and how it goes on."""
import http.client
import pathlib
import re
import ssl
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture  # noqa: E402

URL = "http://crl.example.org:8080/crl"


def openssl(*words):
    """(exit code, both outputs) of the openssl program."""
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


class RevocationList(fixture.KmsTest):
    @classmethod
    def configure_server(cls, server):
        server.configure("ca", "crl_url", URL)
        server.configure("ca", "crl_hours", 48)

    def ask(self, method="GET"):
        """(status, headers, body); without a certificate."""
        context = ssl.create_default_context(cafile=str(self.kms.ca))
        context.check_hostname = False
        connection = http.client.HTTPSConnection(*self.kms.https, context=context, timeout=30)
        try:
            connection.request(method, "/crl")
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def fetch(self):
        """The list as a file in PEM, as `openssl verify` wants it."""
        status, headers, body = self.ask()
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "application/pkix-crl")
        der, pem = self.kms.folder / "list.crl", self.kms.folder / "list.pem"
        der.write_bytes(body)
        self.assertEqual(openssl("crl", "-inform", "DER", "-in", der, "-out", pem)[0], 0)
        return pem

    def show(self, *what):
        return openssl("crl", "-in", self.fetch(), "-noout", *what)[1]

    def judge(self, name):
        """What a reader of the list says of the certificate."""
        return openssl("verify", "-crl_check", "-CAfile", self.kms.ca, "-CRLfile", self.fetch(),
                       self.kms.identity(name).certificate)

    def serial(self, name):
        said = openssl("x509", "-in", self.kms.identity(name).certificate, "-noout", "-serial")[1]
        return said.strip().partition("=")[2]

    def assert_good(self, name):
        code, said = self.judge(name)
        self.assertEqual(code, 0, said)

    def assert_revoked_soon(self, name):
        self.assertTrue(fixture.eventually(lambda: self.serial(name) in self.show("-text")), self.show("-text"))
        code, said = self.judge(name)
        self.assertNotEqual(code, 0)
        self.assertIn("certificate revoked", said)

    def test_anybody_gets_a_list_that_our_authority_signed(self):
        said = openssl("crl", "-in", self.fetch(), "-noout", "-verify", "-CAfile", self.kms.ca)[1]
        self.assertIn("verify OK", said)
        text = self.show("-text")
        self.assertIn("Version 2", text)
        self.assertIn("X509v3 CRL Number", text)
        key = re.compile(r"Key Identifier: *\n +(?:keyid:)?([0-9A-F:]{59})")
        authority = openssl("x509", "-in", self.kms.ca, "-noout", "-ext", "subjectKeyIdentifier")[1]
        self.assertEqual(key.search(text)[1], key.search(authority)[1])

    def test_a_list_of_another_authority_would_not_verify(self):
        certificate, key = self.kms.folder / "other.pem", self.kms.folder / "other.key"
        subject = openssl("x509", "-in", self.kms.ca, "-noout", "-subject", "-nameopt", "compat")[1]
        self.assertEqual(openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                                 "-keyout", key, "-out", certificate, "-subj",
                                 "/" + subject.strip().partition("=")[2].strip().lstrip("/"))[0], 0)
        said = openssl("crl", "-in", self.fetch(), "-noout", "-verify", "-CAfile", certificate)[1]
        self.assertNotIn("verify OK", said)

    def test_openssl_refuses_a_certificate_whose_name_was_revoked(self):
        self.kms.identity("bob")
        self.assert_good("bob")
        self.kms.revoke_certificate("bob")
        self.assert_revoked_soon("bob")
        self.assert_good("alice")

    def test_openssl_refuses_a_certificate_whose_serial_was_revoked(self):
        self.kms.identity("carol")
        self.assert_good("carol")
        self.kms.command("revoke-certificate", "--serial", self.serial("carol"))
        self.assert_revoked_soon("carol")
        self.assert_good("alice")

    def test_the_number_grows_over_a_restart_and_nobody_is_forgotten(self):
        self.kms.identity("dave")
        self.kms.revoke_certificate("dave")
        self.assert_revoked_soon("dave")

        def number():
            return int(self.show("-crlnumber").strip().partition("=")[2], 16)

        before = number()
        self.assertEqual(number(), before)
        # Numbers begin with the second in which a list was made; within one, those of two processes have no order.
        second = int(time.time())
        while int(time.time()) == second:
            time.sleep(0.05)
        self.kms.restart()
        self.assertGreater(number(), before)
        self.assert_revoked_soon("dave")

    def test_certificates_say_where_the_list_is(self):
        said = openssl("x509", "-in", self.kms.identity("alice").certificate, "-noout", "-ext", "crlDistributionPoints")[1]
        self.assertIn(f"URI:{URL}\n", said)

    def test_only_get_is_answered(self):
        status, headers, _ = self.ask("POST")
        self.assertEqual(status, 405)
        self.assertEqual(headers["Allow"], "GET")


if __name__ == "__main__":
    unittest.main(verbosity=2)

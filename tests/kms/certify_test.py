#!/usr/bin/python3
"""KMIP's Certify on a whole server: what it signs, for whom, and that it lets nobody in.

The openssl program makes the requests and judges the certificates.
"""
import pathlib
import ssl
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms  # noqa: E402
from support.kmip_client import Client, ConnectionLost, Identity, KmipFailure, item, uid  # noqa: E402

NAME = "CN=Issuing CA,O=Example"


class Certify(fixture.KmsTest):
    clients = ("registrar", "alice")
    authority_options = ()

    @classmethod
    def configure_server(cls, server):
        server.command("make-certify-authority", "--name", NAME, *cls.authority_options)
        cls.authority = server.folder / "certify.pem"
        server.configure("certify", "certificate", str(cls.authority))
        server.configure("certify", "clients", ["registrar"])

    def request(self, name, *more):
        """(key, DER of the request) by openssl."""
        key = self.kms.home / f"{name.replace('/', '_')}.key"
        der = kms.run_bytes(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                             "-keyout", key, "-subj", name, "-outform", "DER", *more])
        return key, der

    def certify(self, client, der):
        """The certificate's bytes."""
        answer = client.call("Certify", [item("CertificateRequestType", "PKCS_10"),
                                         item("CertificateRequestValue", der)], version=(2, 1))
        got = client.call("Get", [uid(answer.value("UniqueIdentifier"))], version=(2, 1))
        return got.value("Certificate", "CertificateValue")

    def pem(self, der, name="made.pem"):
        path = self.kms.home / name
        path.write_text(ssl.DER_cert_to_PEM_cert(der), "utf-8")
        return path

    def text(self, path):
        return kms.run(["openssl", "x509", "-in", path, "-noout", "-text", "-nameopt", "RFC2253"]).stdout

    def test_openssl_accepts_what_the_authority_signs(self):
        _, der = self.request("/C=US/CN=www.example.com", "-addext", "subjectAltName=DNS:www.example.com")
        path = self.pem(self.certify(self.client("registrar"), der))
        verified = kms.run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", self.authority, path])
        self.assertIn("OK", verified.stdout)
        text = self.text(path)
        self.assertIn("Subject: CN=www.example.com,C=US", text)
        self.assertIn(f"Issuer: {NAME}", text)
        self.assertIn("DNS:www.example.com", text)
        self.assertIn("CA:FALSE", text)
        self.assertIn("TLS Web Server Authentication", text)
        self.assertNotIn("Client Authentication", text)

    def test_only_named_clients_may_have_certificates_made(self):
        _, der = self.request("/CN=www.example.com")
        with self.assertRaises(KmipFailure) as refused:
            self.certify(self.client("alice"), der)
        self.assertEqual(refused.exception.reason, "PermissionDenied")

    def test_a_request_for_an_authority_is_refused(self):
        _, der = self.request("/CN=sub", "-addext", "basicConstraints=CA:TRUE")
        with self.assertRaises(KmipFailure) as refused:
            self.certify(self.client("registrar"), der)
        self.assertEqual(refused.exception.reason, "PermissionDenied")

    def test_a_certificate_for_another_clients_name_does_not_log_in(self):
        key, der = self.request("/CN=alice", "-addext", "extendedKeyUsage=clientAuth")
        path = self.pem(self.certify(self.client("registrar"), der), "forged.pem")
        chain = self.kms.home / "forged-chain.pem"
        chain.write_text(path.read_text("utf-8") + self.authority.read_text("utf-8"), "utf-8")
        for certificate in (path, chain):
            for maximum in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                identity = Identity(self.kms.ca, certificate, key)
                with self.assertRaises((ssl.SSLError, ConnectionLost)):
                    with Client(self.kms.kmip, identity, context=identity.context(maximum)) as client:
                        client.create()

    def test_the_server_does_not_start_when_that_authority_vouches_for_clients(self):
        bundle = self.kms.path_of("tls", "client_ca")
        both = self.kms.folder / "both.pem"
        both.write_text(bundle.read_text("utf-8") + self.authority.read_text("utf-8"), "utf-8")
        before = self.kms.config_file.read_text("utf-8")
        self.kms.stop()
        try:
            self.kms.configure("tls", "client_ca", "both.pem")
            refused = self.kms.command("serve", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("log in as anybody", refused.stderr)
        finally:
            self.kms.config_file.write_text(before, "utf-8")
            self.kms.start()


class RsaAuthority(Certify):
    """The same with an authority of RSA."""

    authority_options = ("--rsa",)

    def test_it_signs_with_rsa(self):
        _, der = self.request("/CN=www.example.com")
        self.assertIn("sha256WithRSAEncryption", self.text(self.pem(self.certify(self.client("registrar"), der))))


class WithoutAuthority(fixture.KmsTest):
    def test_certify_is_not_supported(self):
        with self.assertRaises(KmipFailure) as refused:
            self.client().call("Certify", [uid("x")], version=(2, 1))
        self.assertEqual(refused.exception.reason, "OperationNotSupported")
        answer = self.client().call("Query", [item("QueryFunction", "QueryOperations")], version=(2, 1))
        self.assertNotIn(6, answer.values("Operation"))  # Certify

    def test_an_authority_of_the_enrolment_ca_is_refused(self):
        """The CA that enrols clients cannot be used for Certify, whatever the configuration says."""
        before = self.kms.config_file.read_text("utf-8")
        self.kms.stop()
        try:
            self.kms.configure("certify", "certificate", str(self.kms.ca))
            self.kms.configure("certify", "key_label", "dare-ca")
            refused = self.kms.command("serve", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("log in as anybody", refused.stderr)
        finally:
            self.kms.config_file.write_text(before, "utf-8")
            self.kms.start()


if __name__ == "__main__":
    unittest.main()

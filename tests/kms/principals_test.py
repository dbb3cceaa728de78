#!/usr/bin/python3
"""Principals of other authorities: names taken from certificates by the rules of [[principals]], with openssl alone as the authority.
An intermediate authority is trusted without its root; SPIFFE identities are machines; what two programs could read differently, and
what no rule names, is refused in the handshake; lockouts and the audit log speak of the principal, not of the certificate's subject.
"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms  # noqa: E402
from support.authority import Authority  # noqa: E402
from support.kmip_client import ConnectionLost, KmipFailure  # noqa: E402

RULES = """
[[principals]]
from = "san-uri"
issuer = "{mesh}"
match = "spiffe://example.org/*"
name = "mesh/*"
groups = ["mesh"]

[[principals]]
from = "san-dns"
issuer = "{office}"
match = "*.example.org"
name = "host/*"
certificate_groups = true
"""


class Principals(fixture.KmsTest):
    clients = ("alice",)

    @classmethod
    def configure_server(cls, server):
        cls.folder = server.home / "pki"
        cls.folder.mkdir()
        root = Authority(cls.folder, "office-root")
        cls.office = Authority(cls.folder, "office", root)  # trusted without its root
        cls.mesh = Authority(cls.folder, "mesh")
        cls.mesh_leaf = Authority(cls.folder, "mesh-leaf", cls.mesh)
        cls.stray = Authority(cls.folder, "stray")  # trusted, and no rule is for it
        client_ca = cls.folder / "clients.pem"
        client_ca.write_text("".join(p.read_text("ascii") for p in (
            server.ca, cls.office.certificate, cls.mesh.certificate, cls.stray.certificate)), "ascii")
        server.configure("tls", "client_ca", str(client_ca))
        with open(server.config_file, "a", encoding="utf-8") as config:
            config.write(RULES.format(mesh=cls.mesh.certificate, office=cls.office.certificate))

    def known_as(self, identity):
        """The principal that the audit log names for a key that this identity makes."""
        with self.kms.client(identity) as client:
            key = client.create()
            client.get(key)
        names = {r["principal"] for r in self.kms.audit_records() if key in str(r)}
        self.assertEqual(len(names), 1, names)
        return names.pop()

    def assert_nobody(self, identity):
        refused = self.refusals()
        with self.assertRaises((ConnectionLost, OSError)):
            with self.kms.client(identity) as client:
                client.create()
        self.assertTrue(fixture.eventually(lambda: self.refusals() > refused), "the refusal is in the audit log")

    def refusals(self):
        return sum("certificate of nobody" in line for line in self.kms.audit_text().splitlines())

    def spiffe(self, *uris, subject="/O=mesh"):
        return self.mesh_leaf.issue(subject, ",".join(f"URI:{uri}" for uri in uris), self.kms.ca,
                                    (self.mesh_leaf.certificate,))

    def test_our_own_certificates_name_themselves(self):
        self.assertEqual(self.known_as(self.identities["alice"]), "alice")

    def test_a_spiffe_identity_under_an_intermediate_authority_is_a_machine(self):
        self.assertEqual(self.known_as(self.spiffe("spiffe://example.org/ns/pay/sa/app", subject="/CN=alice")),
                         "mesh/ns/pay/sa/app")

    def test_a_host_name_is_one_in_whatever_case_and_an_intermediate_is_trusted_without_its_root(self):
        identity = self.office.issue("/CN=root/OU=dare-administrator", "DNS:Web1.Example.ORG", self.kms.ca)
        self.assertEqual(self.known_as(identity), "host/web1")

    def test_what_no_rule_names_is_nobody(self):
        for identity in (self.spiffe("spiffe://example.com/ns/pay"),
                         self.office.issue("/CN=alice", "", self.kms.ca),
                         self.office.issue("/CN=alice", "URI:spiffe://example.org/x", self.kms.ca),
                         self.stray.issue("/CN=alice", "DNS:web1.example.org", self.kms.ca)):
            self.assert_nobody(identity)

    def test_what_is_ambiguous_is_nobody(self):
        for identity in (self.spiffe("spiffe://example.org/a", "spiffe://example.org/b"),
                         self.spiffe("spiffe://example.org/a/../b"),
                         self.office.issue("/CN=web", "DNS:a.example.org,DNS:b.example.org", self.kms.ca),
                         self.office.issue("/CN=web", "DNS:*.example.org", self.kms.ca)):
            self.assert_nobody(identity)

    def test_a_lockout_is_of_the_principal(self):
        identity = self.spiffe("spiffe://example.org/locked")
        other = self.spiffe("spiffe://example.org/other")
        self.assertEqual(self.known_as(identity), "mesh/locked")
        administrator = self.client_toml("root")
        self.kms.identity("root", admin=True)
        with self.kms.client(identity) as open_client:
            key = open_client.create()
            kms.run([self.kms.programs.dare, "admin", "lockout", "mesh/locked", "--config", administrator])
            with self.assertRaises((KmipFailure, ConnectionLost, OSError)):
                open_client.get(key)
        with self.assertRaises((ConnectionLost, OSError)):
            with self.kms.client(identity) as client:
                client.create()
        self.assertEqual(self.known_as(other), "mesh/other")
        kms.run([self.kms.programs.dare, "admin", "unlock", "mesh/locked", "--config", administrator])
        self.assertEqual(self.known_as(identity), "mesh/locked")
        kms.run([self.kms.programs.dare, "admin", "lockout", "--group", "mesh", "--config", administrator])
        with self.assertRaises((ConnectionLost, OSError)):
            with self.kms.client(other) as client:
                client.create()
        kms.run([self.kms.programs.dare, "admin", "unlock", "--group", "mesh", "--config", administrator])

    def client_toml(self, name):
        path = self.kms.clients / "admin.toml"
        path.write_text(f'servers = ["127.0.0.1:{self.kms.kmip[1]}"]\nca_file = "{self.kms.ca}"\ncertificate_file = "{name}.crt"\n'
                        f'key_file = "{name}.key"\nenrolment_url = "https://127.0.0.1:{self.kms.https[1]}"\n', "utf-8")
        return path

    def test_a_certificate_of_another_authority_does_not_renew_ours(self):
        identity = self.office.issue("/CN=alice", "DNS:web1.example.org", self.kms.ca)
        request = kms.signing_request("alice", self.folder / "renewed.key")
        (self.folder / "renewed.der").write_bytes(request)
        host, port = self.kms.https
        base64 = kms.run(["openssl", "base64", "-in", self.folder / "renewed.der"]).stdout
        done = kms.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", self.kms.ca, "--cert",
                        identity.certificate, "--key", identity.key, "-H", "Content-Type: application/pkcs10", "--data-binary",
                        base64, f"https://{host}:{port}/.well-known/est/simplereenroll"])
        self.assertEqual(done.stdout, "401")

    def test_a_configuration_that_cannot_be_meant_is_refused_with_its_line(self):
        whole = self.kms.config_file.read_text("utf-8")
        try:
            self.kms.config_file.write_text(whole + '[[principals]]\nfrom = "san-ip"\nname = "*"\n', "utf-8")
            done = self.kms.command("check-config", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(f'kms.toml:{whole.count(chr(10)) + 1}: principals.from must be one of', done.stderr)
            self.kms.config_file.write_text(whole + '[[principals]]\nfrom = "san-dns"\nname = "*"\nissuer = "none.pem"\n', "utf-8")
            done = self.kms.command("check-config", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("none.pem", done.stderr)
        finally:
            self.kms.config_file.write_text(whole, "utf-8")


if __name__ == "__main__":
    unittest.main(verbosity=2)

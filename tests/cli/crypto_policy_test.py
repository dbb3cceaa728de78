#!/usr/bin/python3
"""[crypto] policy = "fips": what a confined client and a confined key server do, refuse and tell."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from command_line import DAMAGED, DENIED, DONE, FAILED, USAGE, CommandLineTest, Machine

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import kms  # noqa: E402
from support.kmip_client import KmipFailure, attribute, item, mask  # noqa: E402

PROGRAMS = kms.Programs()
FIPS = '[crypto]\npolicy = "fips"\n'
STRICT = FIPS + "require_provider = true\n"


def fips_module():
    """OpenSSL's FIPS provider, or why it cannot be tried. Debian 12 has none; $DARE_FIPS_MODULE names one."""
    named = os.environ.get("DARE_FIPS_MODULE")
    module = pathlib.Path(named or "/usr/lib/x86_64-linux-gnu/ossl-modules/fips.so")
    return (module, None) if module.exists() else (None, f"no FIPS provider: {module} is not there")


def openssl_settings(folder, module, default_properties=""):
    """An openssl.cnf in which `module` is the provider named fips; the environment that makes programs read it."""
    section = folder / "fipsmodule.cnf"
    if module.name == "fips.so":
        subprocess.run(["openssl", "fipsinstall", "-out", str(section), "-module", str(module)], check=True,
                       capture_output=True, env=dict(os.environ, OPENSSL_CONF="/dev/null"))
    else:
        section.write_text("[fips_sect]\nactivate = 1\n", "utf-8")
    text = section.read_text("utf-8") + f"module = {module}\n"
    if not default_properties:  # known where it is, and left to programs to load
        text = text.replace("activate = 1\n", "")
    section.write_text(text, "utf-8")
    base = "base = base_sect\n" if default_properties else ""
    (folder / "openssl.cnf").write_text(
        f"openssl_conf = all\n.include = {section}\n[all]\nproviders = providers\nalg_section = evp\n"
        f"[providers]\nfips = fips_sect\n{base}[base_sect]\nactivate = 1\n[evp]\n"
        + (f"default_properties = {default_properties}\n" if default_properties else ""), "utf-8")
    return {"OPENSSL_CONF": str(folder / "openssl.cnf")}


class Alone(unittest.TestCase):
    """The client without a key server."""

    @classmethod
    def setUpClass(cls):
        make = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
        cls.private = subprocess.run(make, capture_output=True, check=True).stdout.decode()
        cls.public = subprocess.run(["openssl", "pkey", "-pubout"], input=cls.private.encode(), capture_output=True,
                                    check=True).stdout

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="dare-policy-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.config = self.folder / "client.toml"
        (self.folder / "recovery.pem").write_bytes(self.public)

    def dare(self, *words, config=None, expect=DONE, environment=None):
        self.config.unlink(missing_ok=True)
        if config is not None:
            self.config.write_text(config, "utf-8")
        done = subprocess.run([str(PROGRAMS.dare), *words], capture_output=True, text=True, cwd=self.folder, timeout=60,
                              stdin=subprocess.DEVNULL,
                              env=dict(os.environ, DARE_CONFIG=str(self.config), **(environment or {})))
        self.assertEqual(done.returncode, expect, done.stderr)
        return done

    def crypto(self, **more):
        return json.loads(self.dare("version", "--json", **more).stdout)["crypto"]

    def keys(self, padding):
        entry = {"type": "raw-rsa", "namespace": "offline-recovery", "name": "safe", "padding": padding,
                 "private_pem": self.private}
        (self.folder / "keys.json").write_text(json.dumps({"safe": entry}), "utf-8")
        (self.folder / "keys.json").chmod(0o600)

    def test_version_tells_the_policy_and_who_encrypts(self):
        free = self.crypto()
        self.assertEqual(free["policy"], "default")
        self.assertIn(free["aes_gcm"], ("openssl", "ipsec-mb"))
        bound = self.crypto(config=FIPS)
        self.assertEqual((bound["policy"], bound["aes_gcm"]), ("fips", "openssl"))
        self.assertIn("crypto policy: fips", self.dare("version", config=FIPS).stdout)

    def test_a_policy_that_cannot_be_read_is_not_taken_for_none(self):
        for config in ('[crypto]\npolicy = "fisp"\n', '[crypto]\npolicy = "fips\n', "[crypto]\nrequire_provider = true\n"):
            self.assertIn(f"{self.config}:2: ", self.dare("version", config=config, expect=USAGE).stderr)
        self.dare("version", config="servers = 7\n" + FIPS)  # nothing of the rest is needed here

    def test_offline_reading_keeps_to_it(self):
        (self.folder / "f").write_bytes(b"content")
        self.dare("seal", "--offline", "--recipient-key", "recovery.pem", "f", config=FIPS)
        self.keys("pkcs1")
        done = self.dare("open", "--offline", "--keys", "keys.json", "f.dare", "-o", "-", config=FIPS, expect=DENIED)
        self.assertRegex(done.stderr, r"dare: error: .*PKCS#1 v1\.5.*crypto policy is fips\ndare: hint: \[crypto\]")
        unbound = self.dare("open", "--offline", "--keys", "keys.json", "f.dare", "-o", "-", expect=DAMAGED)
        self.assertNotIn("policy", unbound.stderr)

    def test_a_required_provider_must_be_there(self):
        nowhere = {"OPENSSL_MODULES": str(self.folder), "OPENSSL_CONF": "/dev/null"}
        done = self.dare("version", config=STRICT, environment=nowhere, expect=FAILED)
        self.assertRegex(done.stderr, r"crypto\.require_provider .* cannot be loaded\ndare: hint: ")
        self.assertEqual(done.stdout, "")

    def test_a_provider_is_not_believed_for_its_name(self):
        other = pathlib.Path("/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so")
        if not other.exists():
            self.skipTest(f"{other} is not there")
        done = self.dare("version", config=STRICT, environment=openssl_settings(self.folder, other), expect=FAILED)
        self.assertIn("no approved AES-256-GCM", done.stderr)

    def test_with_the_provider(self):
        module, missing = fips_module()
        if missing:
            self.skipTest(missing)
        (self.folder / "f").write_bytes(os.urandom(700_000))
        for config, properties in ((STRICT, ""), ("", "fips=yes")):
            with self.subTest(config=config, properties=properties):
                environment = openssl_settings(self.folder, module, properties)
                told = self.crypto(config=config, environment=environment)
                self.assertEqual((told["policy"], told["aes_gcm"]), ("fips", "openssl"))
                self.assertIn("FIPS", told["fips_provider"])
                self.dare("seal", "--offline", "--recipient-key", "recovery.pem", "f", "-f", config=config,
                          environment=environment)
                facts = json.loads(self.dare("inspect", "--json", "f.dare").stdout)
                entry = {"type": "raw-rsa", "namespace": "offline-recovery", "padding": "oaep", "hash": "sha256",
                         "name": facts["slots"][0]["keys"][0]["key"], "private_pem": self.private}
                (self.folder / "keys.json").write_text(json.dumps({"safe": entry}), "utf-8")
                (self.folder / "keys.json").chmod(0o600)
                self.dare("open", "--offline", "--keys", "keys.json", "f.dare", "-o", "back", "-f", config=config,
                          environment=environment)
                self.assertEqual((self.folder / "back").read_bytes(), (self.folder / "f").read_bytes())


class ConfinedServer(CommandLineTest):
    clients = ("bob",)

    @classmethod
    def configure_server(cls, server):
        server.configure("crypto", "policy", "fips")

    def test_files_are_sealed_and_opened_between_confined_ends(self):
        confined = Machine(self.kms, "confined")
        confined.config.write_text(confined.config.read_text("utf-8") + "\n" + FIPS, "utf-8")
        self.assertEqual(confined("key", "create", "k").returncode, DONE)
        content = os.urandom(600_000)
        sealed = confined("seal", "--key", "k", "-", "-o", "-", input=content)
        self.assertEqual(sealed.returncode, DONE, sealed.stderr)
        self.assertEqual(confined("open", "-", "-o", "-", input=sealed.stdout).stdout, content)
        again = confined.enrol("--force")
        self.assertEqual(again.returncode, DONE, again.stderr)
        self.assertIn(b'"policy":"fips"', confined("version", "--json").stdout, "enrolling anew keeps the policy")

    def test_unapproved_keys_are_denied(self):
        client = self.client("bob")
        for algorithm, length in (("ChaCha20", 256), ("ChaCha20Poly1305", 256), ("DES3", 168)):
            with self.assertRaises(KmipFailure) as failure:
                client.call("Create", [item("ObjectType", "SymmetricKey"), item("TemplateAttribute", [
                    attribute("Cryptographic Algorithm", algorithm),
                    attribute("Cryptographic Length", length), attribute("Cryptographic Usage Mask", mask("Encrypt"))])])
            self.assertIn("FIPS 140-3", failure.exception.message)
        client.create("aes")

    def test_tls_is_of_approved_algorithms(self):
        identity = self.identities["bob"]
        host, port = self.kms.kmip

        def handshake(*words):
            done = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", str(identity.ca),
                                   "-cert", str(identity.certificate), "-key", str(identity.key), "-tls1_3", *words],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            return "Cipher is TLS_" in done.stdout
        self.assertTrue(handshake())
        self.assertTrue(handshake("-groups", "P-256"))
        self.assertFalse(handshake("-groups", "X25519"))
        self.assertFalse(handshake("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"))

    def test_a_confined_client_works_with_an_unbound_server(self):
        unbound = kms.Kms(PROGRAMS)
        self.addCleanup(unbound.close)
        unbound.start()
        machine = Machine(unbound, "carol")
        self.assertEqual(machine("ping").returncode, DONE)
        machine.config.write_text(machine.config.read_text("utf-8") + "\n" + FIPS, "utf-8")
        self.assertEqual(machine("ping").returncode, DONE, "an unbound server has approved algorithms, too")

    def test_the_server_needs_the_provider_that_it_requires(self):
        strict = kms.Kms(PROGRAMS)
        self.addCleanup(strict.close)
        strict.configure("crypto", "policy", "fips")
        strict.configure("crypto", "require_provider", True)
        for verb in ("check-config", "serve"):
            done = subprocess.run([str(PROGRAMS.dare_kms), verb, "--config", str(strict.config_file)], text=True,
                                  capture_output=True, timeout=60,
                                  env=dict(strict.environment(), OPENSSL_MODULES=str(self.folder)))
            self.assertEqual(done.returncode, FAILED, done.stdout)
            self.assertRegex(done.stderr, r"crypto\.require_provider .* cannot be loaded\n(.*\n)*dare-kms: hint: ")


class ServerOnTheProvider(unittest.TestCase):
    def test_serves_keys(self):
        module, missing = fips_module()
        if missing:
            self.skipTest(missing)
        server = kms.Kms(PROGRAMS)
        self.addCleanup(server.close)
        server.configure("crypto", "policy", "fips")
        server.configure("crypto", "require_provider", True)
        settings = mock.patch.dict(os.environ, openssl_settings(server.home, module))
        settings.start()
        self.addCleanup(settings.stop)
        server.start()
        machine = Machine(server, "dave")
        self.assertEqual(machine("key", "create", "k").returncode, DONE)
        sealed = machine("seal", "--key", "k", "-", "-o", "-", input=b"content")
        self.assertEqual(machine("open", "-", "-o", "-", input=sealed.stdout).stdout, b"content")
        self.assertIn("crypto policy fips", server.log.read_text("utf-8"))


if __name__ == "__main__":
    unittest.main()

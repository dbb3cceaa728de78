#!/usr/bin/python3
"""Which versions and suites of TLS the listeners take: each that OpenSSL knows is offered alone, to both ports."""
import pathlib
import socket
import ssl
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture  # noqa: E402

EVERY = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
REFUSED = (ssl.SSLError, ConnectionError)


def suites(version):
    """The names of all suites of a version that this machine's OpenSSL could speak."""
    done = subprocess.run(["openssl", "ciphers", "-s", version, EVERY], capture_output=True, text=True, timeout=60,
                          check=True)
    return done.stdout.strip().split(":")


def is_good(suite):
    """Authenticated encryption, and a key exchange that a stolen key does not open afterwards."""
    return suite.startswith(("ECDHE-", "DHE-")) and any(word in suite for word in ("GCM", "CHACHA20", "CCM")) \
        and "PSK" not in suite


class Scan(fixture.KmsTest):
    def handshake(self, port, version, ciphers=None, identity=True):
        """The version and suite that were agreed on, or None."""
        context = (self.identities["alice"].context() if identity else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        context.check_hostname = False
        if not identity:
            context.load_verify_locations(str(self.kms.ca))
        context.set_ciphers(ciphers or EVERY)
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(port, timeout=30) as bare:
            try:
                with context.wrap_socket(bare) as tls:
                    return tls.version(), tls.cipher()[0]
            except REFUSED:
                return None

    def ports(self):
        return {"kmip": self.kms.kmip, "https": self.kms.https}

    def test_nothing_older_than_1_2_is_spoken(self):
        for name, port in self.ports().items():
            for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
                with self.subTest(port=name, version=version.name):
                    self.assertIsNone(self.handshake(port, version))
            for version, spoken in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
                with self.subTest(port=name, version=version.name):
                    self.assertEqual(self.handshake(port, version)[0], spoken)

    def test_of_1_2_only_suites_with_authenticated_encryption_and_forward_secrecy_are_taken(self):
        offered = suites("-tls1_2")
        bad = [suite for suite in offered if not is_good(suite)]
        self.assertTrue(any("CBC" in s or s.endswith("-SHA") for s in bad) and any(s.startswith("AES") for s in bad),
                        "the scan offers what must be refused")
        for name, port in self.ports().items():
            taken = []
            for suite in offered:
                try:
                    agreed = self.handshake(port, ssl.TLSVersion.TLSv1_2, f"{suite}:@SECLEVEL=0")
                except ssl.SSLError:
                    continue  # Python's ssl cannot offer it
                if agreed:
                    taken.append(agreed[1])
            print(f"{name}: of {len(offered)} suites of TLS 1.2 taken: {', '.join(taken)}")
            self.assertTrue(taken)
            self.assertEqual([suite for suite in taken if not is_good(suite)], [])

    def test_1_3_agrees_on_authenticated_encryption(self):
        for port in self.ports().values():
            self.assertIn(self.handshake(port, ssl.TLSVersion.TLSv1_3)[1],
                          ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"))

    def test_the_configuration_can_ask_for_1_3_alone(self):
        self.kms.configure("tls", "minimum_version", "1.3")
        self.kms.restart()
        try:
            for port in self.ports().values():
                self.assertIsNone(self.handshake(port, ssl.TLSVersion.TLSv1_2))
                self.assertEqual(self.handshake(port, ssl.TLSVersion.TLSv1_3)[0], "TLSv1.3")
        finally:
            self.kms.configure("tls", "minimum_version", "1.2")
            self.kms.restart()


if __name__ == "__main__":
    unittest.main(verbosity=2)

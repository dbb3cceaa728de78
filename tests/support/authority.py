"""Certificate authorities of other people, by the openssl program alone: certificates, and lists of those that are revoked."""
import os
import time

from . import kms
from .kmip_client import Identity

CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[authority]
default_md = sha256
database = {lists}/index.txt
crlnumber = {lists}/number
[list]
authorityKeyIdentifier = keyid
"""
REVOKED = "R\t391231235959Z\t240101000000Z\t{serial}\tunknown\t/CN=x\n"


class Authority:
    """A certificate authority in a folder; `above` signs it, or itself. `name` is its common name, `files` that of its files."""

    def __init__(self, folder, name, above=None, files=None):
        self.folder, self.name, self.files = folder, name, files or name
        self.certificate, self.key = folder / f"{self.files}.pem", folder / f"{self.files}.key"
        self.lists = folder / f"{self.files}-lists"
        self.lists.mkdir()
        self.config = folder / f"{self.files}.cnf"
        self.config.write_text(CONFIG.format(lists=self.lists), "utf-8")
        self.made, self.number = 0, 1000
        request = self.request(self.key, f"/CN={name}")
        signer = ("-signkey", self.key) if above is None else ("-CA", above.certificate, "-CAkey", above.key)
        kms.run(["openssl", "x509", "-req", "-in", request, *signer, "-days", "30", "-out", self.certificate,
                 "-extfile", self.config, "-extensions", "ca"])

    def request(self, key, subject, *more):
        request = key.with_suffix(".csr")
        kms.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                 "-out", request, "-subj", subject, "-config", self.config, "-utf8", *more])
        key.chmod(0o600)
        return request

    def issue(self, subject, names, server_ca, chain=()):
        """An Identity whose certificate has these alternative names; `chain` is sent along."""
        self.made += 1
        certificate, key = self.folder / f"{self.files}-{self.made}.pem", self.folder / f"{self.files}-{self.made}.key"
        extensions = self.folder / "leaf.cnf"
        extensions.write_text("extendedKeyUsage = clientAuth\n" + (f"subjectAltName = {names}\n" if names else ""), "utf-8")
        kms.run(["openssl", "x509", "-req", "-in", self.request(key, subject), "-CA", self.certificate, "-CAkey", self.key,
                 "-days", "3", "-out", certificate, "-extfile", extensions])
        certificate.write_text("".join(p.read_text("ascii") for p in (certificate, *chain)), "ascii")
        return Identity(server_ca, certificate, key)

    def make_list(self, *serials, age=0, life=3600, number=None):
        """A revocation list in PEM that was made `age` seconds ago, for `life` seconds; each has a greater number."""
        self.number = number or self.number + 1
        begin = time.time() - age
        (self.lists / "index.txt").write_text("".join(REVOKED.format(serial=s) for s in serials))
        (self.lists / "number").write_text(f"{self.number:04X}\n")
        when = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(t)) for t in (begin, begin + life)]
        return kms.run(["openssl", "ca", "-gencrl", "-config", self.config, "-name", "authority", "-cert", self.certificate,
                        "-keyfile", self.key, "-crlexts", "list", "-crl_lastupdate", when[0], "-crl_nextupdate", when[1]]).stdout


def serial_of(certificate):
    """The serial number of the first certificate in a file, in hex."""
    said = kms.run(["openssl", "x509", "-in", certificate, "-noout", "-serial"]).stdout
    return said.strip().partition("=")[2]


def put(text, file):
    """Replaces a file in one step, as whoever fetches lists should."""
    new = file.with_suffix(".new")
    new.write_text(text, "ascii")
    os.replace(new, file)

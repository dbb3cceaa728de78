#!/usr/bin/python3
"""Writes the seeds of corpus/crl: fuzz/crl_seeds.py FOLDER. The lists are those of an authority of the openssl program, which is new
every time.
"""
import pathlib
import subprocess
import sys
import tempfile

CONFIG = """
[ca]
default_ca = authority
[authority]
database = {folder}/index.txt
crlnumber = {folder}/number
default_md = sha256
default_crl_days = 30
[none]
[plain]
authorityKeyIdentifier = keyid
[part]
issuingDistributionPoint = critical, @point
[point]
onlyuser = TRUE
fullname = URI:http://crl.example.org/users
[delta]
deltaCRL = critical, DER:020101
[unknown]
1.3.6.1.4.1.99999.1 = critical, ASN1:NULL
"""
ENTRY = "R\t391231235959Z\t240101000000Z{reason}\t{serial}\tunknown\t/CN={serial}\n"


def run(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True).stdout


def key_kinds():
    return {"elliptic": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa": ("rsa:2048",), "ed25519": ("ed25519",)}


class Lists:
    def __init__(self, folder, kind, *words):
        self.folder = folder
        self.config = folder / "openssl.cnf"
        self.config.write_text(CONFIG.format(folder=folder))
        self.certificate, self.key = folder / f"{kind}.pem", folder / f"{kind}.key"
        run("req", "-x509", "-newkey", *words, "-nodes", "-keyout", self.key, "-out", self.certificate, "-subj", "/O=Example/CN=corp")

    def make(self, extensions, *serials, reason="", form="DER", numbered=True):
        (self.folder / "index.txt").write_text("".join(ENTRY.format(serial=s, reason=reason) for s in serials))
        (self.folder / "number").write_text("1001\n")
        words = ["ca", "-gencrl", "-config", self.config, "-cert", self.certificate, "-keyfile", self.key]
        if self.key.stem == "ed25519":
            words += ["-md", "default"]
        if extensions:
            words += ["-crlexts", extensions]
        if not numbered:
            self.config.write_text(CONFIG.format(folder=self.folder).replace("crlnumber", "# crlnumber"))
        pem = run(*words)
        self.config.write_text(CONFIG.format(folder=self.folder))
        if form == "PEM":
            return pem
        return subprocess.run(["openssl", "crl", "-outform", "DER"], input=pem, check=True, capture_output=True).stdout


def main():
    corpus = pathlib.Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        kinds = {kind: Lists(folder, kind, *words) for kind, words in key_kinds().items()}
        lists = kinds["elliptic"]
        seeds = {f"signed-by-{kind}": made.make("plain", "01", "7B") for kind, made in kinds.items()}
        seeds |= {
            "empty": lists.make("plain"),
            "long-serials": lists.make("plain", "7F" * 20, "FF" * 20),
            "too-long-a-serial": lists.make("plain", "7F" * 22),
            "reasons": lists.make("plain", "01", "7B", reason=",keyCompromise"),
            "on-hold": lists.make("plain", "01", reason=",holdInstruction,holdInstructionReject"),
            "compromised": lists.make("plain", "01", reason=",keyTime,20240101000000Z"),
            "version-1": lists.make(None, "01", numbered=False),
            "part": lists.make("part", "01"),
            "delta": lists.make("delta", "01"),
            "unknown-critical": lists.make("unknown", "01"),
            "pem": lists.make("plain", "01", form="PEM"),
            "two-in-pem": lists.make("plain", "01", form="PEM") + lists.make("plain", "02", form="PEM"),
            "certificate": lists.certificate.read_bytes(),
        }
        seeds["cut"] = seeds["reasons"][:-20]
        seeds["cut-pem"] = seeds["pem"][:-40]
    for name, data in seeds.items():
        (corpus / name).write_bytes(data)


if __name__ == "__main__":
    main()

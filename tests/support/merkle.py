"""The Merkle tree of the audit log, its proofs and checkpoints, written from RFC 9162 and docs/formats/audit.md alone: an
auditor who does not trust our programs. Signatures are for the openssl command."""
import base64
import hashlib
import json
import pathlib
import subprocess


def leaf_hash(line):
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(leaves):
    """RFC 9162, 2.1.1: MTH over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(tree_hash(leaves[:split]), tree_hash(leaves[split:]))


def proves(leaf, index, size, path, root):
    """RFC 9162, 2.1.3.2, step by step."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, p)
        fn >>= 1
        sn >>= 1
    return sn == 0 and r == root


class Checkpoint:
    """One of a file's, from its seven lines."""

    def __init__(self, lines):
        self.origin, size, root, time, last, empty, signature = lines
        assert time.startswith("time ") and last.startswith("last ") and empty == ""
        self.size, self.root, self.last = int(size), base64.b64decode(root, validate=True), last[5:]
        mark, origin, signed = signature.split(" ")
        assert mark == "\u2014" and origin == self.origin
        self.signature = base64.b64decode(signed, validate=True)[4:]
        self.body = "".join(line + "\n" for line in lines[:5]).encode()

    def is_signed_by(self, public_key, folder):
        """Asks `openssl dgst -verify`."""
        body, signature = pathlib.Path(folder) / "body", pathlib.Path(folder) / "signature"
        body.write_bytes(self.body)
        signature.write_bytes(self.signature)
        return subprocess.run(["openssl", "dgst", "-sha256", "-verify", public_key, "-signature", signature, body],
                              check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def checkpoints(path):
    lines = pathlib.Path(path).read_text("utf-8").split("\n")[:-1]
    return [Checkpoint(lines[i:i + 7]) for i in range(0, len(lines) // 7 * 7, 7)]


def check_proof(text):
    """(line, checkpoint) of a proof that is right but for the signature."""
    proof = json.loads(text)
    assert proof["format"] == "dare-audit-proof-1"
    checkpoint = Checkpoint(proof["checkpoint"].split("\n")[:-1])
    path = [bytes.fromhex(h) for h in proof["path"]]
    line = proof["line"].encode()
    assert proves(leaf_hash(line), proof["index"], checkpoint.size, path, checkpoint.root)
    assert json.loads(line)["seq"] == proof["index"] + 1
    return line, checkpoint

"""An independent reader and writer of sealed trees, from docs/formats/sealed-tree.md: what a stock reader of the AWS
Encryption SDK format and a few lines make of one, and what a forger who has the block key would write."""
import os
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SUITE = b"\x04\x78"
FRAME = b"AWSKMSEncryptionClient Frame"
FINAL = b"AWSKMSEncryptionClient Final Frame"
FILE, FOLDER, LINK, FIFO, CHAR, BLOCK, END = 1, 2, 3, 4, 5, 6, 255


def derive(dek, message_id):
    def expand(info):
        return HKDF(hashes.SHA512(), 32, message_id, info).derive(dek)
    return expand(SUITE + b"DERIVEKEY"), expand(b"COMMITKEY")


def text(value):
    return struct.pack(">H", len(value)) + value


class Message:
    """A message taken apart: its header's fields and, with a wrapping key, its plaintext."""

    def __init__(self, data):
        self.data, self.at = data, 0
        assert self.take(1) == b"\x02" and self.take(2) == SUITE
        self.id = self.take(32)
        self.aad = self.take(self.u16())
        self.context, count = {}, struct.unpack(">H", self.aad[:2])[0] if self.aad else 0
        rest = self.aad[2:]
        for _ in range(count):
            pair = []
            for _ in range(2):
                size = struct.unpack(">H", rest[:2])[0]
                pair.append(rest[2:2 + size].decode())
                rest = rest[2 + size:]
            self.context[pair[0]] = pair[1]
        self.edks = [[self.take(self.u16()) for _ in range(3)] for _ in range(self.u16())]
        assert self.take(1) == b"\x02"
        self.frame_length = struct.unpack(">I", self.take(4))[0]
        self.commitment = self.take(32)
        self.body, self.tag = self.data[:self.at], self.take(16)

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def u16(self):
        return struct.unpack(">H", self.take(2))[0]

    def open(self, key):
        info, sealed = self.edks[0][1], self.edks[0][2]
        dek = AESGCM(key).decrypt(info[-12:], sealed, self.aad)
        k, commitment = derive(dek, self.id)
        assert commitment == self.commitment
        AESGCM(k).decrypt(bytes(12), self.tag, self.body)
        plain, number, at = b"", 1, self.at
        while True:
            final = self.data[at:at + 4] == b"\xff" * 4
            at += 4 if final else 0
            assert struct.unpack(">I", self.data[at:at + 4])[0] == number
            iv, at = self.data[at + 4:at + 16], at + 16
            length = self.frame_length
            if final:
                length, at = struct.unpack(">I", self.data[at:at + 4])[0], at + 4
            aad = self.id + (FINAL if final else FRAME) + struct.pack(">IQ", number, length)
            plain += AESGCM(k).decrypt(iv, self.data[at:at + length + 16], aad)
            at, number = at + length + 16, number + 1
            if final:
                assert at == len(self.data)
                return plain


def seal(plain, key, name, context, namespace=b"keyblock"):
    """A message of one frame."""
    aad = b""
    if context:
        aad = struct.pack(">H", len(context))
        aad += b"".join(text(k.encode()) + text(context[k].encode()) for k in sorted(context))
    dek, message_id, iv = os.urandom(32), os.urandom(32), os.urandom(12)
    k, commitment = derive(dek, message_id)
    edk = text(namespace) + text(name + struct.pack(">II", 128, 12) + iv) + text(AESGCM(key).encrypt(iv, dek, aad))
    length = max(1, len(plain))
    header = b"\x02" + SUITE + message_id + text(aad) + b"\0\1" + edk + b"\x02" + struct.pack(">I", length) + commitment
    header += AESGCM(k).encrypt(bytes(12), b"", header)
    frame = b"\xff" * 4 + struct.pack(">I", 1) + bytes(8) + struct.pack(">I", 1) + struct.pack(">I", len(plain))
    return header + frame + AESGCM(k).encrypt(bytes(8) + struct.pack(">I", 1), plain,
                                              message_id + FINAL + struct.pack(">IQ", 1, len(plain)))


class Manifest:
    """The plaintext of a manifest as a header and a list of records."""

    def __init__(self, plain):
        assert plain[:8] == b"DARETREE"
        self.header, rest = plain[:44], plain[44:]
        self.generation = struct.unpack(">Q", self.header[12:20])[0]
        self.records = []
        while rest:
            size = struct.unpack(">I", rest[:4])[0]
            self.records.append(rest[4:4 + size])
            rest = rest[4 + size:]

    def entries(self):
        """(kind, flags, depth, name, what is behind the name) of every entry."""
        for record in self.records:
            if record[0] in (0, END):
                continue
            size = struct.unpack(">H", record[4:6])[0]
            yield record[0], record[1], struct.unpack(">H", record[2:4])[0], record[6:6 + size], record[6 + size:]

    def encode(self):
        return self.header + b"".join(struct.pack(">I", len(r)) + r for r in self.records)


def record(kind, depth, name, rest, flags=0, mode=0o755):
    """An entry of root's, of the first second of 1970."""
    return bytes([kind, flags]) + struct.pack(">H", depth) + text(name) + struct.pack(">HIIqI", mode, 0, 0, 0, 0) + rest


def end(records, size=0):
    files = sum(1 for r in records if r[0] == FILE)
    return bytes([END]) + struct.pack(">QQQQ", len(records), files, size, 100)


def file_part(size, sealed):
    """What stands behind the name of a file whose message is `sealed`."""
    message = Message(sealed)
    return struct.pack(">QQ", size, len(sealed)) + message.id + message.tag + sealed[-16:] + struct.pack(">QqI", 0, 0, 0)


class Tree:
    """A sealed tree in a folder, with the KEK's bytes."""

    def __init__(self, folder, kek):
        self.folder = folder
        block = Message((folder / "key-block").read_bytes()[:4096])
        plain = block.open(kek)
        self.key, self.name = plain[:32], block.context["kb-id"].encode()
        assert not any(plain[32:])

    def manifest(self):
        return Message((self.folder / "manifest").read_bytes())

    def read(self):
        return Manifest(self.manifest().open(self.key))

    def write(self, manifest, context=None):
        context = context or {"tree-part": "manifest", "tree-gen": str(manifest.generation)}
        (self.folder / "manifest").write_bytes(seal(manifest.encode(), self.key, self.name, context))

    def forge(self, records, size=0):
        """A manifest of the tree's generation with the root and these records, its messages found by their ids."""
        manifest = self.read()
        manifest.header = manifest.header[:10] + b"\0\1" + manifest.header[12:]
        records = [record(FOLDER, 0, b"", b""), *records]
        manifest.records = [*records, end(records, size)]
        self.write(manifest)

    def data(self, content):
        """Puts a message with that content where its name says; gives the record's part."""
        sealed = seal(content, self.key, self.name, {})
        name = Message(sealed).id[:16].hex()
        path = self.folder / "data" / name[:2] / name[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sealed)
        return file_part(len(content), sealed)

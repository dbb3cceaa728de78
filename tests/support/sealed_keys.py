"""The keys inside sealed files and records, taken out by who has the key above them: an independent reader of
docs/formats/sealed-file.md, sealed-record.md and custody.md."""
import dataclasses
import hashlib
import hmac
import subprocess

SLOT, NAMESPACE = 4096, "kmip"
IV_BYTES, TAG_BYTES = 12, 16


@dataclasses.dataclass(frozen=True)
class WrappedDek:
    namespace: str
    name: str
    iv: bytes
    ciphertext: bytes
    tag: bytes


@dataclasses.dataclass(frozen=True)
class Message:
    """The header of one message, and what follows it."""
    message_id: bytes
    context: bytes
    wrapped: tuple
    commitment: bytes
    body: bytes

    @classmethod
    def read(cls, data):
        if data[:3] != b"\x02\x04\x78":
            raise ValueError(f"no message of suite 0478: {data[:3].hex()}")
        at = 35
        length = int.from_bytes(data[at:at + 2], "big")
        context = data[at + 2:at + 2 + length]
        at += 2 + length
        count, at = int.from_bytes(data[at:at + 2], "big"), at + 2
        wrapped = []
        for _ in range(count):
            fields = []
            for _ in range(3):
                length = int.from_bytes(data[at:at + 2], "big")
                fields.append(data[at + 2:at + 2 + length])
                at += 2 + length
            wrapped.append(WrappedDek(fields[0].decode(), fields[1][:-20].decode(), fields[1][-IV_BYTES:],
                                      fields[2][:-TAG_BYTES], fields[2][-TAG_BYTES:]))
        return cls(data[3:35], context, tuple(wrapped), data[at + 5:at + 37], data[at + 37 + TAG_BYTES:])

    def key_from(self, dek):
        """The key of its frames; refuses a DEK that is not this message's by the commitment."""
        prk = hmac.new(self.message_id, dek, hashlib.sha512).digest()

        def expand(label):
            return hmac.new(prk, label + b"\x01", hashlib.sha512).digest()[:32]
        if not hmac.compare_digest(expand(b"COMMITKEY"), self.commitment):
            raise ValueError("this DEK is not the message's")
        return expand(b"\x04\x78DERIVEKEY")


def gcm_open_unchecked(key, iv, ciphertext):
    """AES-256-GCM without its tag: counter mode from block 2 on. What comes out is judged by a commitment."""
    done = subprocess.run(["openssl", "enc", "-d", "-aes-256-ctr", "-K", key.hex(), "-iv", iv.hex() + "00000002"],
                          input=ciphertext, capture_output=True, timeout=30, check=True)
    return done.stdout


def unwrap_by_kms(client, message):
    """The DEK of a message, by the first of its KEKs that is in the key server."""
    wrapped = next(one for one in message.wrapped if one.namespace.startswith(NAMESPACE))
    return client.decrypt_gcm(wrapped.name, wrapped.ciphertext, wrapped.iv, wrapped.tag, message.context)


def keys_of_file(client, data):
    """{name: key} of a sealed file, of which the beginning will do."""
    slot, content = Message.read(data[:SLOT]), Message.read(data[2 * SLOT:])
    slot_dek = unwrap_by_kms(client, slot)
    slot_key = slot.key_from(slot_dek)
    block_key = gcm_open_unchecked(slot_key, slot.body[8:8 + IV_BYTES], slot.body[24:24 + 32])
    wrapped = content.wrapped[0]
    dek = gcm_open_unchecked(block_key, wrapped.iv, wrapped.ciphertext)
    return {"DEK of the key block": slot_dek, "key of the key block": slot_key, "block key": block_key, "DEK": dek,
            "key of the frames": content.key_from(dek)}


def keys_of_value(client, data):
    """The same of a value or bare message under a KEK."""
    message = Message.read(data)
    dek = unwrap_by_kms(client, message)
    return {"DEK": dek, "key of the frames": message.key_from(dek)}


GCM_RECORD, ROOT_RECORD = b"\x01\x01", b"\x01\x04"
KEY = 32


def open_record(mek, record):
    """The secret in a record under a master key; what comes out of another's record is noise."""
    return gcm_open_unchecked(mek, record[10:22], record[22:-TAG_BYTES])


def open_root_record(root, record):
    """The same under a root key."""
    prk = hmac.new(record[10:42], root, hashlib.sha256).digest()
    info = b"dare-root-record-1" + record[:10]
    first = hmac.new(prk, info + b"\x01", hashlib.sha256).digest()
    nonce = hmac.new(prk, first + info + b"\x02", hashlib.sha256).digest()[:12]
    return gcm_open_unchecked(first, nonce, record[42:-TAG_BYTES])


def root_keys(meks, custody):
    """What may be root keys in the row of custody: whatever one of the master keys opens there."""
    starts = [at for at in range(len(custody)) if custody.startswith(GCM_RECORD, at)]
    return [open_record(mek, custody[at:at + 38 + KEY]) for at in starts for mek in meks]

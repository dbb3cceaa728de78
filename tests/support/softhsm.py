"""What SoftHSM2 keeps in its files, opened by the user's PIN: so that a test knows the keys that must not be where they are sought.

Of its SecureDataManager, RFC4880 and File (version 2.6.1): the PIN's blob is salt ‖ IV ‖ AES-256-CBC(magic ‖ the token's key), its key
SHA-256 repeated; a private object's byte strings are IV ‖ AES-256-CBC under the token's key.
"""
import hashlib
import struct
import subprocess

CKA_VALUE = 0x11
OS_USER_PIN = 0x8000534D
BYTE_STRING = 3
SALT, IV = 8, 16
MAGIC = b"RJR"
FEWEST_ROUNDS = 1500


def _byte_string(data, attribute):
    at = data.find(struct.pack(">QQ", attribute, BYTE_STRING))
    if at < 0:
        return None
    (size,) = struct.unpack_from(">Q", data, at + 16)
    return data[at + 24:at + 24 + size]


def _open(key, sealed):
    done = subprocess.run(["openssl", "enc", "-d", "-aes-256-cbc", "-K", key.hex(), "-iv", sealed[:IV].hex()],
                          input=sealed[IV:], capture_output=True, timeout=30, check=True)
    return done.stdout


def _token_key(folder, pin):
    blob = _byte_string((folder / "token.object").read_bytes(), OS_USER_PIN)
    salt = blob[:SALT]
    key = hashlib.sha256(salt + pin.encode()).digest()
    for _ in range(FEWEST_ROUNDS + salt[-1] - 1):
        key = hashlib.sha256(key).digest()
    opened = _open(key, blob[SALT:])
    if not opened.startswith(MAGIC):
        raise ValueError("this PIN does not open the token")
    return opened[len(MAGIC):]


def keys(folder, pin):
    """{file name: CKA_VALUE}: the secret and private keys of the token in `folder`, and the token's own."""
    token_key = _token_key(folder, pin)
    found = {"token key": token_key}
    for file in sorted(folder.glob("*.object")):
        value = _byte_string(file.read_bytes(), CKA_VALUE)
        if file.name == "token.object" or not value or len(value) % 16:
            continue
        try:
            found[file.name] = _open(token_key, value)
        except subprocess.CalledProcessError:
            continue  # a public key's, which is not encrypted
    return found

"""An HSM that fails on demand: a copy of tests/hsm/faulty_module.c in front of SoftHSM2, and its orders.

    hsm = FaultyHsm(server.home, "a")     # before the server starts
    server.configure("hsm", "module", str(hsm.module))
    hsm.fail("Encrypt", CKR_DEVICE_ERROR) # until hsm.mend()
"""
import mmap
import os
import pathlib
import shutil
import struct

ROOT = pathlib.Path(__file__).resolve().parents[2]

# In the order of the module's FUNCTIONS.
FUNCTIONS = ("GetSlotList", "GetTokenInfo", "OpenSession", "CloseSession", "GetSessionInfo", "Login", "FindObjectsInit",
             "GetAttributeValue", "EncryptInit", "Encrypt", "DecryptInit", "Decrypt", "SignInit", "Sign", "GenerateKey")
ROW = struct.Struct("<QQqQQQ")  # calls, hanging, left, answer, delay, hang
CALLS, HANGING, LEFT, ANSWER, DELAY, HANG = range(6)

CKR_GENERAL_ERROR = 0x05
CKR_DEVICE_ERROR = 0x30
CKR_DEVICE_REMOVED = 0x32
CKR_SESSION_HANDLE_INVALID = 0xB3
CKR_TOKEN_NOT_PRESENT = 0xE0

# The serial number in SoftHSM2's token.object: its attribute 0x8000534A, a byte string of 16.
_SERIAL = struct.pack(">QQQ", 0x8000534A, 3, 16)

# What every seal, open and signature needs.
USES = ("EncryptInit", "DecryptInit", "SignInit")
EVERYTHING = tuple(name for name in FUNCTIONS if name not in ("GetSlotList", "CloseSession"))


def built():
    """The module as the build made it; None where there is none."""
    named = os.environ.get("DARE_FAULTY_PKCS11")
    found = [pathlib.Path(named)] if named else sorted(ROOT.glob("build/*/src/hsm/libdare_faulty_pkcs11.so"))
    return found[-1] if found and found[-1].exists() else None


class FaultyHsm:
    def __init__(self, folder, name):
        self.module = pathlib.Path(folder) / f"hsm-{name}.so"
        shutil.copy(built(), self.module)
        control = self.module.with_name(f"{self.module.name}.control")
        control.write_bytes(bytes(ROW.size * len(FUNCTIONS)))
        self._file = open(control, "r+b")
        self._map = mmap.mmap(self._file.fileno(), 0)

    def close(self):
        self._map.close()
        self._file.close()

    def _put(self, name, field, value):
        struct.pack_into("<q", self._map, ROW.size * FUNCTIONS.index(name) + 8 * field, value)

    def _get(self, name, field):
        return struct.unpack_from("<q", self._map, ROW.size * FUNCTIONS.index(name) + 8 * field)[0]

    def calls(self, *names):
        return sum(self._get(name, CALLS) for name in names or FUNCTIONS)

    def hanging(self):
        return sum(self._get(name, HANGING) for name in FUNCTIONS)

    def order(self, names, answer=0, seconds=0.0, hang=False, times=-1):
        for name in names:
            self._put(name, ANSWER, answer)
            self._put(name, DELAY, int(seconds * 1e6))
            self._put(name, HANG, int(hang))
            self._put(name, LEFT, times)

    def gone(self, answer=CKR_DEVICE_REMOVED):
        self.order(EVERYTHING, answer)

    def slow(self, seconds):
        self.order(USES, seconds=seconds)

    def hangs(self):
        self.order(EVERYTHING, hang=True)

    def mend(self):
        self.order(FUNCTIONS, times=0)


def clone_token(tokens, label, clone_label, serial):
    """A second SoftHSM2 token with the same keys, as HSMs of one security domain are; the label and the serial number
    differ. Private objects stay readable: what encrypts them is copied, too."""
    [folder] = [p for p in tokens.iterdir() if _padded(label) in (p / "token.object").read_bytes()]
    clone = tokens / "00000000-0000-0000-0000-00000000c10e"
    shutil.copytree(folder, clone)
    head = clone / "token.object"
    before = head.read_bytes()
    marker = before.index(_SERIAL) + len(_SERIAL)
    old = before[marker:marker + len(serial)]
    head.write_bytes(before.replace(_padded(label), _padded(clone_label)).replace(old, serial))


def _padded(label):
    return label.encode().ljust(32)

"""A TPM 2.0 for a test: an swtpm process with its own state and sockets, ended by its process id."""
import ctypes.util
import pathlib
import shutil
import socket
import subprocess
import time

from . import kms

START_SECONDS = 30


def available():
    return shutil.which("swtpm") is not None and ctypes.util.find_library("tss2-tcti-swtpm") is not None


class Swtpm:
    def __init__(self):
        # Its own folder: the path of a socket has at most 107 bytes.
        self.folder = kms.free_folder("dare-tpm-")
        self.socket = self.folder / "tpm"
        self.tcti = f"swtpm:path={self.socket}"
        self.process = None

    def on(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--server",
                 f"type=unixio,path={self.socket}", "--ctrl", f"type=unixio,path={self.socket}.ctrl", "--flags",
                 "not-need-init,startup-clear"], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"swtpm did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.01)
        return self

    def _listens(self):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(f"{self.socket}.ctrl")
            except OSError:
                return False
            return self.socket.exists()

    def off(self):
        if self.process is not None:
            process, self.process = self.process, None
            process.terminate()
            process.wait()
        for path in (self.socket, pathlib.Path(f"{self.socket}.ctrl")):
            path.unlink(missing_ok=True)

    def close(self):
        self.off()
        shutil.rmtree(self.folder, ignore_errors=True)

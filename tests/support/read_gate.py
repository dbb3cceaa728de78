"""Holds up whoever reads a file, at the moment of the read, until it is told to let them: to do something in exactly that
moment without waiting for time to pass (fanotify, which needs root)."""
import ctypes
import os
import select
import struct
import time
import unittest

CLASS_CONTENT_AND_CLOEXEC = 0x4 | 0x1
MARK_ADD = 1
ACCESS_PERM = 0x20000
ALLOW = 1
AT_FDCWD = -100
EVENT = struct.Struct("=IBBHQii")


class ReadGate:
    """Closed while the context lasts, or until open() is called. Who reads `path` meanwhile must not be this process."""

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.fanotify_mark.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p]
        self._fd = libc.fanotify_init(CLASS_CONTENT_AND_CLOEXEC, os.O_RDONLY)
        if self._fd < 0:
            raise unittest.SkipTest(f"SKIPPED: may not watch files here: {os.strerror(ctypes.get_errno())}")
        if libc.fanotify_mark(self._fd, MARK_ADD, ACCESS_PERM, AT_FDCWD, os.fsencode(path)) != 0:
            reason = os.strerror(ctypes.get_errno())
            self.open()
            raise unittest.SkipTest(f"SKIPPED: may not watch {path}: {reason}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open()

    def reached(self, process, seconds=60):
        """Waits until `process` has begun to read; False when it ended before."""
        deadline = time.monotonic() + seconds
        while process.poll() is None:
            if not select.select([self._fd], [], [], 0.05)[0]:
                if time.monotonic() > deadline:
                    raise AssertionError("nobody read the file")
                continue
            event = os.read(self._fd, EVENT.size)
            _, _, _, _, _, file, reader = EVENT.unpack(event)
            os.close(file)
            if reader == process.pid:
                return True  # held up until open()
        return False

    def open(self):
        """Whoever waits goes on, and nobody is held up any more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

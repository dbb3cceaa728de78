"""Rewraps many small sealed files, beside the same writes and syncs in a bare loop. Used by run.py."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
import time

FILES = int(os.environ.get("DARE_BENCH_REWRAP_FILES", "100000"))
THREADS = 16
SLOT, KEY_BLOCKS = 4096, 8192
CONTENTS = 16


def _data_hash(paths):
    """One hash over all that a rewrap must leave alone."""
    whole = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        whole.update(b"%d\n" % len(content))
        whole.update(content[KEY_BLOCKS:])
    return whole.hexdigest()


def _write_as_a_rewrap(path):
    """Zeroes, sync, message, sync; the same in the other slot: of the bytes that are there."""
    with open(path, "r+b", buffering=0) as file:
        area = file.read(KEY_BLOCKS)
        for at in (0, SLOT):
            for piece in (bytes(SLOT), area[at:at + SLOT]):
                os.pwrite(file.fileno(), piece, at)
                os.fdatasync(file.fileno())


def rewrap_row(files):
    """`files`: a dare client of a running server (run.py)."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rewrap-", dir=files.place("disk")))  # the syncs are what counts
    try:
        files.dare("key", "create", "bench-rewrap")
        made = []
        for number in range(min(CONTENTS, FILES)):
            (folder / "plain").write_bytes(os.urandom(1024 + number))
            made.append(folder / f"sealed-{number}")
            files.dare("seal", folder / "plain", "-o", made[-1], "--key", "bench-rewrap")
        top = folder / "many"
        for number in range(FILES):
            if number % 1000 == 0:
                inside = top / f"{number // 1000}"
                inside.mkdir(parents=True)
            shutil.copyfile(made[number % CONTENTS], inside / f"{number}.dare")
        os.sync()
        paths = sorted(p for p in top.rglob("*.dare"))
        before = _data_hash(paths)
        files.dare("key", "rotate", "bench-rewrap")
        begin = time.monotonic()
        told = files.dare("rewrap", "-r", top, "--key", "bench-rewrap", "--json")
        seconds = time.monotonic() - begin
        counts = json.loads(told.splitlines()[-1])
        if counts["rewrapped"] != FILES or counts["failed"] or _data_hash(paths) != before:
            raise RuntimeError(f"a rewrap that did not do all, or did too much: {counts}")
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
            for _ in threads.map(_write_as_a_rewrap, paths, chunksize=64):
                pass
        bare = time.monotonic() - begin
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return dict(value=FILES / seconds, unit="files/s", limit=FILES / bare, aim=0.5,
                limit_name=f"the same writes and fdatasyncs from {THREADS} threads in a bare loop",
                note=f"{FILES} files, {seconds:.2f} s beside {bare:.2f} s; {counts['kms_messages']} messages to the key server, "
                     f"{counts['bytes_written']} bytes written; no byte behind the key blocks changed")

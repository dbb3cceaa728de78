#!/usr/bin/python3
"""Writes the seeds of corpus/manifest with the tests' own writer of the format: fuzz/manifest_seeds.py FOLDER"""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "cli"))

from sealed_tree import BLOCK, FIFO, FILE, FOLDER, LINK, end, record, text  # noqa: E402

HEADER = b"DARETREE" + struct.pack(">HHQq", 1, 0, 3, 1_700_000_000) + bytes(16)
ROOT = record(FOLDER, 0, b"", b"")
PART = struct.pack(">QQ", 5, 255) + bytes(range(64)) + struct.pack(">QqI", 9, 1, 2)


def plain(records, last=None):
    records = [*records, last or end(records)]
    return HEADER + b"".join(struct.pack(">I", len(r)) + r for r in records)


def extents(*pairs):
    return PART + struct.pack(">I", len(pairs)) + b"".join(struct.pack(">QQ", *p) for p in pairs)


EVERY = [ROOT, record(FOLDER, 1, b"d", b""), record(FILE, 2, b"f", PART), record(FILE, 2, b"g", PART, flags=1),
         record(FILE, 2, b"h", extents((0, 1), (3, 2)), flags=2), record(LINK, 1, b"l", text(b"../x")),
         record(FIFO, 1, b"p", b""), record(BLOCK, 1, b"q", struct.pack(">II", 8, 1)),
         record(FIFO, 1, b"x", struct.pack(">H", 1) + text(b"user.a") + struct.pack(">I", 2) + b"hi", flags=4)]
SEEDS = {
    "empty-folder": plain([ROOT]),
    "every-kind": plain(EVERY),
    "filler": plain([ROOT, bytes(20)], end([ROOT])),
    "cut": plain(EVERY)[:-9],
    "extended": plain(EVERY) + b"\0",
    "parent-name": plain([ROOT, record(FILE, 1, b"..", PART)]),
    "slash-in-name": plain([ROOT, record(FILE, 1, b"a/b", PART)]),
    "twice": plain([ROOT, record(FILE, 1, b"a", PART), record(FILE, 1, b"a", PART)]),
    "too-deep": plain([ROOT, record(FILE, 9, b"a", PART)]),
    "long-record": HEADER + b"\xff\xff\xff\xff",
    "many-extents": plain([ROOT, record(FILE, 1, b"a", PART + b"\xff\xff\xff\xff", flags=2)]),
    "overlapping-extents": plain([ROOT, record(FILE, 1, b"a", extents((0, 3), (2, 2)), flags=2)]),
}

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name, content in SEEDS.items():
    (folder / name).write_bytes(content)

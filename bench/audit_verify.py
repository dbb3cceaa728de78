"""How long an auditor's program takes for a whole log of made-up entries, beside hashing the same bytes."""
import hashlib
import os
import pathlib
import subprocess
import tempfile

from files import measured

ENTRIES = int(os.environ.get("DARE_BENCH_AUDIT_ENTRIES", "1000000"))


def write_log(path):
    """Chained lines as docs/formats/audit.md has them."""
    previous = "0" * 64
    with open(path, "w", encoding="ascii") as log:
        for sequence in range(1, ENTRIES + 1):
            line = (f'{{"seq":{sequence},"prev":"{previous}","time":"2026-11-29T05:10:00Z","principal":"app-{sequence % 97}",'
                    f'"address":"192.0.2.7:40112","operation":"Get","object":"5f0c1d86-5a3b-4f5e-9b0e-{sequence:012x}",'
                    f'"outcome":"allowed","rule":"owner","request":"0a1b2c3d4e5f6071-{sequence}","reason":0,"detail":""}}')
            previous = hashlib.sha256(line.encode()).hexdigest()
            log.write(line + "\n")


def audit_verify_row(build):
    with tempfile.TemporaryDirectory(prefix="dare-bench-") as folder:
        log = pathlib.Path(folder) / "audit.jsonl"
        write_log(log)
        size = log.stat().st_size
        hashed = measured(["sha256sum", log], stdout=subprocess.DEVNULL)
        mine = measured([build / "bin" / "dare", "audit", "verify", log], stdout=subprocess.DEVNULL)
    return dict(value=ENTRIES / mine.wall, unit="1/s", limit_name="sha256sum of the same file, read once", limit=ENTRIES / hashed.wall,
                aim=0.0, note=f"{ENTRIES} entries of {size / ENTRIES:.0f} bytes in {mine}; "
                              "each line is parsed and hashed twice, for the chain and for the tree")

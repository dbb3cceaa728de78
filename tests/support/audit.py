"""The audit log read and verified from its written format alone (docs/formats/audit.md): an independent auditor."""
import hashlib
import json
import pathlib


class BrokenChain(Exception):
    """The log was altered, or is not one."""


def segments(folder):
    return sorted(pathlib.Path(folder).glob("audit-*.jsonl"))


def lines(folder):
    """[(file name, line number, bytes without the newline)] of the whole lines; a torn last line is left out."""
    found = []
    for path in segments(folder):
        for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
            found.append((path.name, number, line))
    return found


def records(folder):
    return [json.loads(line) for _, _, line in lines(folder)]


def verify(folder):
    """Number of records; BrokenChain where a sequence number or the hash of the line before is wrong."""
    previous, sequence = "0" * 64, 0
    for name, number, line in lines(folder):
        where = f"{name}:{number}"
        try:
            record = json.loads(line)
        except ValueError as e:
            raise BrokenChain(f"{where}: not JSON: {e}") from e
        sequence += 1
        if record["seq"] != sequence:
            raise BrokenChain(f"{where}: sequence number {record['seq']}, expected {sequence}")
        if record["prev"] != previous:
            raise BrokenChain(f"{where}: does not continue the line before")
        previous = hashlib.sha256(line).hexdigest()
    return sequence

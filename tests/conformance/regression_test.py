#!/usr/bin/python3
"""Plays every published case against a fresh dare-kms; none that passed before may be lost.

    regression_test.py [ttlv|json|xml]     DARE_BIN: folder of the programs
    regression_test.py ttlv --report FILE  keeps the report, for tools/conformance_page.py
    regression_test.py --update            writes down what passes now, in TTLV

passing.txt lists what must pass. Cases that pass and are not listed are named, to be added. Skips loudly where
../shared is absent.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CASES = pathlib.Path(os.environ.get("DARE_CASES", HERE.parents[2] / "shared/kmip/testcases"))


LIST = HERE / "passing.txt"
HEAD = "# Cases that dare-kms passes and must not lose; regression_test.py compares, and writes this with --update."


def listed():
    lines = (line.split("#")[0].strip() for line in LIST.read_text("utf-8").splitlines())
    return [line for line in lines if line]


def play(encoding, report):
    return subprocess.run([HERE / "run.sh", "--encoding", encoding, "--draft", CASES, "--", "--quiet", "--report",
                           report], check=False).returncode


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("encoding", nargs="?", default="ttlv", choices=("ttlv", "json", "xml"))
    p.add_argument("--report", type=pathlib.Path)
    p.add_argument("--update", action="store_true")
    a = p.parse_args()
    if not CASES.is_dir():
        print(f"SKIPPED: {CASES} is absent; the OASIS cases were not played")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        report = a.report or pathlib.Path(folder) / "report.json"
        report.unlink(missing_ok=True)
        code = play(a.encoding, report)
        if not report.exists():
            print(f"run.sh ended with {code} and without a report")
            return 1
        cases = {c["case"]: c for c in json.loads(report.read_text("utf-8"))["cases"]}
    if a.update:
        passing = sorted(n for n, c in cases.items() if c["outcome"] == "PASS")
        LIST.write_text("\n".join([HEAD, *passing, ""]), "utf-8")
        return 0
    names = listed()
    lost = [n for n in names if cases.get(n, {}).get("outcome") == "FAIL"]
    for name in sorted(n for n, c in cases.items() if c["outcome"] == "PASS" and n not in set(names)):
        print(f"NEW  {name} passes and is not in passing.txt: add it")
    for name in lost:
        print(f"LOST {name}: {cases[name]['difference']}")
    print(f"{len(lost)} of {len(names)} listed cases lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())

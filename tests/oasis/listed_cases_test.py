#!/usr/bin/python3
"""Plays every shared OASIS case against dare-kms; those of expected_pass.txt must pass, others are reported.

Skips loudly where ../shared is absent. More arguments are passed on to run_cases.py.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import run_cases  # noqa: E402
from support import kms  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parents[2] / "shared/kmip/testcases"

if not CASES.is_dir():
    print(f"SKIPPED: {CASES} is absent; the OASIS cases were not played")
    print("0 passed, 0 failed, all skipped")
    sys.exit(0)
sys.exit(run_cases.main([str(CASES), "--dare-kms", str(kms.Programs().dare_kms), "--list",
                         str(HERE / "expected_pass.txt"), "--quiet", *sys.argv[1:]]))

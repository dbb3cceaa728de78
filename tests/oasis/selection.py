#!/usr/bin/python3
"""Which published cases the server is meant to pass so far, by rule; prints their names.

    selection.py ../shared/kmip/testcases > names

The rule grows with the server: add what it learned to OPERATIONS or OBJECTS, run the cases, and bring
expected_pass.txt and exceptions.txt up to date (lists_test.py keeps them honest).
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import run_cases  # noqa: E402
from support import kmip_client  # noqa: E402

OPERATIONS = frozenset((
    "DiscoverVersions", "Query", "Create", "Register", "Locate", "Get", "GetAttributes", "GetAttributeList",
    "AddAttribute", "ModifyAttribute", "DeleteAttribute", "SetAttribute", "AdjustAttribute", "Activate", "Revoke",
    "Destroy", "Check", "ReKey", "Encrypt", "Decrypt", "MAC", "RNGRetrieve"))
OBJECTS = frozenset(("SymmetricKey", "SecretData", "OpaqueObject"))
HIGHEST_VERSION = (2, 1)


def in_scope(case):
    return (not run_cases.why_skipped(case) and not case.problem
            and case.operations() <= OPERATIONS
            and case.object_types() <= OBJECTS
            and max(case.versions()) <= HIGHEST_VERSION
            and not any("[Server-to-Client]" in e.comments for e in case.exchanges))


def select(path):
    return [c.name for c in run_cases.find_cases([path], kmip_client.VOCABULARY) if in_scope(c)]


if __name__ == "__main__":
    print("\n".join(select(sys.argv[1])))

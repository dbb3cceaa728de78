#!/usr/bin/env python3
"""Prints `N passed, N failed, N skipped` of a report that ctest --output-junit wrote, and why tests were skipped.

Exit 1 when a test failed, or when the report tells of no test at all.
"""
import collections
import re
import sys
import xml.etree.ElementTree as ElementTree

# GoogleTest puts the reason on the line below "FILE:LINE: Skipped"; scripts say "SKIPPED: reason".
REASONS = (re.compile(r":\d+: Skipped\n(.+)"), re.compile(r"^SKIPPED:?\s+(.+)", re.M))


def reason_of(case):
    """The last words a skipped test said about it."""
    text = case.findtext("system-out") or ""
    said = [words for pattern in REASONS for words in pattern.findall(text)]
    return said[-1].strip() if said else f"{case.get('name')} gave no reason"


def main(path):
    counts = collections.Counter()
    reasons = collections.Counter()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        outcome = {"run": "passed", "fail": "failed", "notrun": "skipped", "disabled": "skipped"}[case.get("status")]
        counts[outcome] += 1
        if outcome == "skipped":
            reasons[reason_of(case)] += 1
    for reason, count in reasons.most_common():
        print(f"skipped {count}: {reason}")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 0 if counts["passed"] and not counts["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

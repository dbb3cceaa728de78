#!/usr/bin/python3
"""Every case in scope is in exactly one list: expected to pass, or excepted with a reason."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import run_cases  # noqa: E402
import selection  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parents[2] / "shared/kmip/testcases"


class Lists(unittest.TestCase):
    def exceptions(self):
        lines = (HERE / "exceptions.txt").read_text("utf-8").splitlines()
        return dict(line.split(None, 1) for line in lines if line.strip() and not line.startswith("#"))

    @unittest.skipUnless(CASES.is_dir(), f"SKIPPED: {CASES} is absent")
    def test_lists_are_what_the_rule_selects(self):
        expected = run_cases.read_list(HERE / "expected_pass.txt")
        excepted = self.exceptions()
        self.assertEqual(sorted(expected), sorted(set(expected)), "a case is listed twice")
        self.assertFalse(set(expected) & set(excepted))
        selected = set(selection.select(CASES))
        self.assertFalse(selected - set(expected) - set(excepted), "in scope, but in no list")
        self.assertFalse(set(excepted) - selected, "excepted, but not in scope")

    def test_every_exception_has_a_reason(self):
        for name, reason in self.exceptions().items():
            with self.subTest(case=name):
                self.assertGreater(len(reason.split()), 3)


if __name__ == "__main__":
    unittest.main()

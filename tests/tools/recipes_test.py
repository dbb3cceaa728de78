#!/usr/bin/python3
"""docs/recipes.md and the tests of this folder speak of the same recipes."""
import pathlib
import re
import unittest

import recipe

HERE = pathlib.Path(__file__).resolve().parent


class Recipes(unittest.TestCase):
    def test_every_block_of_commands_has_a_label(self):
        for line in recipe.PAGE.read_text("utf-8").splitlines():
            if line.startswith("```") and line != "```":
                self.assertRegex(line, r"^```(sh|ini) [a-z-]+$")

    def test_every_section_with_commands_has_a_test_and_the_other_way_round(self):
        tested = {title for path in HERE.glob("*_test.py")
                  for title in re.findall(r'(?m)^    section = "(.+)"$', path.read_text("utf-8"))}
        on_the_page = {title for title, blocks in recipe.sections().items() if blocks}
        self.assertEqual(tested | {recipe.EVERYBODY, recipe.ENDING}, on_the_page)

    def test_every_test_is_registered(self):
        registered = (HERE / "CMakeLists.txt").read_text("utf-8")
        for path in HERE.glob("*_test.py"):
            self.assertRegex(registered, rf"\b{path.stem.removesuffix('_test')}\b")

    def test_no_recipe_has_a_secret_in_an_argument_or_variable(self):
        for title, blocks in recipe.sections().items():
            for text in blocks.values():
                self.assertNotRegex(text, r"\$\(dare secret show|`dare secret show", title)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""borg with a passphrase that dare gives it."""
import unittest

from recipe import RecipeTest


class Borg(RecipeTest):
    section = "borg"
    programs = ("borg",)

    def test_backup_restore_and_revocation(self):
        before = self.make_data()
        self.run_recipe("set-up")
        self.run_recipe("write")
        self.run_recipe("read")
        self.assertEqual(self.content(self.folder / "restored" / self.data.relative_to("/")), before)
        self.run_recipe("check")
        self.password_is_nowhere("borg")
        self.end("revoke")
        self.refused("read")


if __name__ == "__main__":
    unittest.main()

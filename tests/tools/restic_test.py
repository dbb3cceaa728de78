#!/usr/bin/python3
"""restic with a password that dare gives it."""
import json
import unittest

from recipe import RecipeTest


class Restic(RecipeTest):
    section = "restic"
    programs = ("restic",)

    def test_backup_restore_rotation_and_revocation(self):
        before = self.make_data()
        self.run_recipe("set-up")
        self.run_recipe("write")
        self.run_recipe("read")
        self.assertEqual(self.content(self.folder / "restored" / self.data.relative_to("/")), before)
        self.run_recipe("check")
        self.password_is_nowhere("restic")

        password = self.shell("dare secret show restic").stdout
        self.run_recipe("new-password")
        self.assertNotEqual(self.shell("dare secret show restic").stdout, password)
        self.run_recipe("check")
        done = self.shell(f"restic -r /srv/restic --password-file <(echo {password.strip()}) check")
        self.assertIn("wrong password", done.stdout)

        self.shell("touch /srv/none && dare seal /srv/none --key backup")  # a sealed file for the page's pattern
        old = json.loads(self.shell("dare key show backup --json").stdout)["id"]
        self.end("rotate")
        self.assertEqual(self.shell(f"dare key revoke {old}").returncode, 0)
        self.run_recipe("write")

        self.end("revoke")
        self.refused("write")
        self.refused("read")


if __name__ == "__main__":
    unittest.main()

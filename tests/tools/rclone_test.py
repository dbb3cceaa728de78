#!/usr/bin/python3
"""rclone whose configuration, and with it the key of a crypt remote, opens through dare only."""
import unittest

from recipe import RecipeTest


class Rclone(RecipeTest):
    section = "rclone"
    programs = ("rclone", "script")

    def test_sync_both_ways_and_revocation(self):
        before = self.make_data()
        del before["link"]  # rclone leaves symbolic links alone
        self.run_recipe("set-up")
        self.run_recipe("remote")
        config = self.folder / "home" / ".config" / "rclone" / "rclone.conf"
        self.assertIn("RCLONE_ENCRYPT_V0", config.read_text())
        self.run_recipe("write")
        sealed = self.content(self.folder / "cloud")
        self.assertEqual(len(sealed), len(before))
        self.assertFalse(set(sealed) & set(before), "names are encrypted")
        self.found_nowhere(b"q" * 1000, self.folder / "cloud")
        self.run_recipe("read")
        self.assertEqual(self.content(self.folder / "restored"), before)
        self.password_is_nowhere("rclone")
        self.end("revoke")
        self.refused("write")
        self.refused("read")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""tar through dare seal and dare open."""
import unittest

from recipe import RecipeTest


class Tar(RecipeTest):
    section = "tar"
    programs = ("tar",)

    def test_written_read_and_revoked(self):
        before = self.make_data()
        self.run_recipe("write")
        self.run_recipe("write")  # again, over the first
        sealed = self.folder / "data.tar.dare"
        self.assertNotIn(b"q" * 1000, sealed.read_bytes())
        self.run_recipe("read")
        self.assertEqual(self.content(self.folder / "restored" / "data"), before)
        self.end("revoke")
        self.refused("read")
        kept = sealed.read_bytes()
        self.refused("write")
        self.assertEqual(sealed.read_bytes(), kept)
        self.assertFalse((self.folder / "data.tar.dare.new").exists())


if __name__ == "__main__":
    unittest.main()

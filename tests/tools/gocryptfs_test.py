#!/usr/bin/python3
"""gocryptfs with a password that dare gives it; without FUSE it is made and checked, but not mounted."""
import pathlib
import shutil
import unittest

from recipe import RecipeTest


def mounting_is_impossible():
    """Why no file system can be mounted here, or None."""
    if not pathlib.Path("/dev/fuse").exists() or "\tfuse\n" not in pathlib.Path("/proc/filesystems").read_text():
        return "the kernel has no FUSE"
    if shutil.which("fusermount") is None:
        return "no fusermount"
    try:
        with open("/dev/fuse", "rb"):
            return None
    except OSError as error:
        return str(error)


class Gocryptfs(RecipeTest):
    section = "gocryptfs"
    programs = ("gocryptfs",)

    def test_made_checked_mounted_and_revoked(self):
        self.run_recipe("set-up")
        self.assertTrue((self.folder / "sealed" / "gocryptfs.conf").exists())
        obstacle = mounting_is_impossible()
        if obstacle:
            print(f"SKIPPED: mounting: {obstacle}; -init and -fsck are tested")
            type(self).left -= {"mount", "unmount"}
        else:
            self.mount_and_compare()
        self.run_recipe("check")
        self.password_is_nowhere("gocryptfs")
        self.end("revoke")
        self.refused("check")
        if not obstacle:
            self.refused("mount")
            self.assertEqual(list((self.folder / "clear").iterdir()), [])

    def mount_and_compare(self):
        before, clear = self.make_data(), self.folder / "clear"
        self.run_recipe("mount")
        try:
            shutil.copytree(self.data, clear / "data", symlinks=True)
        finally:
            self.run_recipe("unmount")
        self.assertEqual(list(clear.iterdir()), [])
        self.found_nowhere(b"q" * 1000, self.folder / "sealed")
        self.run_recipe("mount")
        try:
            self.assertEqual(self.content(clear / "data"), before)
        finally:
            self.run_recipe("unmount")


if __name__ == "__main__":
    unittest.main()

"""Runs the recipes of docs/recipes.md as they stand there, with one change: /srv/ is a folder of the test."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "cli")]

from command_line import DENIED, DONE, CommandLineTest, Machine  # noqa: E402,F401

PAGE = TESTS.parent / "docs" / "recipes.md"
SECONDS = 120
EVERYBODY = "Before you begin"
ENDING = "A new key, and an end"


def sections():
    """{title: {label: text}} of the page's code blocks, in their order."""
    found = {}
    for section in re.split(r"(?m)^## ", PAGE.read_text("utf-8"))[1:]:
        title = section.splitlines()[0].strip()
        found[title] = dict(re.findall(r"(?ms)^```(?:sh|ini) ([\w-]+)\n(.*?)^```$", section))
    return found


class RecipeTest(CommandLineTest):
    """A server, a machine with the key of the recipes, and the section of the page that the class is about."""

    section = None
    labels = None  # of the blocks that the class runs, where another class has the rest
    programs = ()  # that must be there
    begun = False  # the server has the key of the recipes
    account = {}   # whom the commands run as, where that is not us: arguments for subprocess

    @classmethod
    def setUpClass(cls):
        missing = [p for p in cls.programs if shutil.which(p) is None]
        if missing:
            print(f"SKIPPED: no {', '.join(missing)} here (packaging/debian-packages.txt)")
            raise unittest.SkipTest(f"no {', '.join(missing)}")
        super().setUpClass()
        cls.recipes, cls.left = sections(), set(cls.labels or sections()[cls.section])

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        if cls.left:
            raise AssertionError(f"never run: {sorted(cls.left)} of the section {cls.section}")

    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.bin = self.folder / "bin"  # a program that any account may run
        self.bin.mkdir()
        shutil.copy2(self.kms.programs.dare, self.bin / "dare")
        if self.account:
            self.kms.home.chmod(0o711)
            self.give_away(self.machine.folder)
            self.give_away(self.folder)
        if not self.begun:
            done = self.shell(self.recipes[EVERYBODY]["once"])
            self.assertEqual(done.returncode, DONE, done.stdout)
            type(self).begun = True

    def give_away(self, folder):
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.account["user"], self.account["group"])

    def environment(self):
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        if self.account:
            self.give_away(home)
        sanitizers = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        return sanitizers | {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(home), "DARE_CONFIG": str(self.machine.config),
                "LC_ALL": "C.UTF-8", "TMPDIR": str(home)}

    def here(self, text):
        return text.replace("/srv/", f"{self.folder}/").replace("-C /srv ", f"-C {self.folder} ")

    def shell(self, text, **more):
        return subprocess.run(["bash", "-euc", self.here(text)], cwd=self.folder, env=self.environment() | more.pop("env", {}),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=SECONDS, **self.account, **more)

    def text(self, label):
        """A piece of the section that is not for the shell."""
        self.left.discard(label)
        return self.here(self.recipes[self.section][label])

    def run_recipe(self, label, expect_failure=False, **more):
        self.left.discard(label)
        done = self.shell(self.recipes[self.section][label], **more)
        if expect_failure:
            self.assertNotEqual(done.returncode, DONE, done.stdout)
        else:
            self.assertEqual(done.returncode, DONE, f"{label}: {done.stdout}")
        return done

    def refused(self, label, **more):
        """The recipe fails, and dare says why."""
        done = self.run_recipe(label, expect_failure=True, **more)
        self.assertRegex(done.stdout, r"dare: error: .*(?i:denied|revoked|deactivated|state|not active)")
        return done

    def end(self, label):
        """A recipe of the page's last section."""
        done = self.shell(self.recipes[ENDING][label])
        self.assertEqual(done.returncode, DONE, done.stdout)

    def make_data(self):
        """A folder worth keeping: sizes around blocks, names with spaces, folders, an empty file, a link."""
        self.data.mkdir()
        for name, size in (("report", 300_000), ("a name with ümlaut", 4096), ("empty", 0), ("deep/er/small", 5)):
            path = self.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(size // 2) + b"q" * (size - size // 2))
        (self.data / "link").symlink_to("report")
        return self.content(self.data)

    @staticmethod
    def content(folder):
        return {str(p.relative_to(folder)): os.readlink(p) if p.is_symlink() else p.read_bytes()
                for p in sorted(folder.rglob("*")) if p.is_symlink() or p.is_file()}

    def found_nowhere(self, piece, *folders):
        """The bytes are in no file below the folders."""
        for folder in folders:
            for path in folder.rglob("*"):
                if path.is_file():
                    self.assertNotIn(piece, path.read_bytes(), path)

    def password_is_nowhere(self, name):
        """No file of this test, and of the programs' homes, has the secret in it."""
        done = self.shell(f"dare secret show {name}")
        self.assertEqual(done.returncode, DONE, done.stdout)
        self.assertGreaterEqual(len(done.stdout.strip()), 32)
        self.found_nowhere(done.stdout.strip().encode(), self.folder, self.machine.folder)

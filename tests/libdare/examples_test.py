#!/usr/bin/python3
"""Installs a build, builds examples/ against what is installed, runs them against a running dare-kms, and compares what
libdare exports with tests/libdare/symbols.txt: examples_test.py BUILD"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.fixture import KmsTest  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
BUILD = None
IN_C = {"seal_file": ["libdare"], "filter": ["libdare"], "read_range": ["libdare"], "data_key": ["libdare", "libcrypto"]}
IN_CXX = ("columns", "recall", "shutdown")


def run(*words, **more):
    return subprocess.run([str(w) for w in words], capture_output=True, timeout=300, **more)


class Examples(KmsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.kms.clients
        cls.prefix = cls.folder / "prefix"
        cls.must("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.library = next(cls.prefix.rglob("libdare.so")).parent
        cls.programs = cls.folder / "programs"
        cls.programs.mkdir()
        cls.build_with_pkg_config()
        cls.build_with_cmake()
        identity = cls.identities["alice"]
        cls.config = cls.folder / "client.toml"
        cls.config.write_text(
            f'servers = ["{cls.kms.kmip[0]}:{cls.kms.kmip[1]}"]\nca_file = "{identity.ca}"\n'
            f'certificate_file = "{identity.certificate}"\nkey_file = "{identity.key}"\ndefault_key = "examples"\n')
        cls.must(cls.prefix / "bin/dare", "--config", cls.config, "key", "create", "examples")

    @staticmethod
    def must(*words, **more):
        done = run(*words, **more)
        if done.returncode != 0:
            raise AssertionError(f"{words}: {done.stdout.decode()}{done.stderr.decode()}")
        return done.stdout

    @classmethod
    def build_with_pkg_config(cls):
        environment = dict(os.environ, PKG_CONFIG_PATH=str(cls.library / "pkgconfig"))
        for name, packages in IN_C.items():
            flags = cls.must("pkg-config", "--cflags", "--libs", *packages, env=environment).decode().split()
            cls.must("cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o",
                     cls.programs / name, EXAMPLES / f"{name}.c", *flags, f"-Wl,-rpath,{cls.library}")

    @classmethod
    def build_with_cmake(cls):
        build = cls.folder / "examples-build"
        cls.must("cmake", "-S", EXAMPLES, "-B", build, f"-DCMAKE_PREFIX_PATH={cls.prefix}",
                 "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror", f"-DCMAKE_RUNTIME_OUTPUT_DIRECTORY={cls.programs}")
        cls.must("cmake", "--build", build)

    def program(self, name, *words, **more):
        return run(self.programs / name, *words, **more)

    def test_every_example_is_built_and_listed(self):
        there = {p.stem for p in EXAMPLES.iterdir() if p.suffix in (".c", ".cc")}
        self.assertEqual(there, {*IN_C, *IN_CXX})
        for name in there:
            self.assertRegex((EXAMPLES / "README.md").read_text("utf-8"), rf"\[{name}\.cc?\]")

    def test_seal_file(self):
        plain = self.folder / "a file"
        plain.write_bytes(os.urandom(1_000_000))
        done = self.program("seal_file", self.config, plain)
        self.assertEqual(done.returncode, 0, done.stderr)
        sealed, copy = done.stdout.decode().splitlines()
        self.assertEqual(pathlib.Path(copy).read_bytes(), plain.read_bytes())
        self.assertNotIn(plain.read_bytes()[:64], pathlib.Path(sealed).read_bytes())
        self.assertEqual(self.program("seal_file", self.config, self.folder / "nothing").returncode, 1)

    def test_filter(self):
        plain = os.urandom(3_000_000)
        sealed = self.program("filter", "seal", self.config, input=plain)
        self.assertEqual(sealed.returncode, 0, sealed.stderr)
        opened = self.program("filter", "open", self.config, input=sealed.stdout)
        self.assertEqual(opened.returncode, 0, opened.stderr)
        self.assertEqual(opened.stdout, plain)
        cut = self.program("filter", "open", self.config, input=sealed.stdout[:-1])
        self.assertEqual(cut.returncode, 5)
        self.assertTrue(plain.startswith(cut.stdout), "what came out is authentic")

    def test_read_range(self):
        plain = self.folder / "long"
        plain.write_bytes(os.urandom(2_000_000))
        self.assertEqual(self.program("seal_file", self.config, plain).returncode, 0)
        for offset, size in ((0, 10), (262_140, 10), (1_000_000, 700_000), (1_999_990, 100), (5_000_000, 10)):
            done = self.program("read_range", self.config, f"{plain}.dare", offset, size)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout, plain.read_bytes()[offset:offset + size])
            self.assertIn(b"2000000 bytes in all", done.stderr)

    def test_data_key(self):
        done = self.program("data_key", self.config)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"what must not be read by others\n32 bytes of key", done.stdout)

    def test_columns(self):
        done = self.program("columns", self.config, 2000)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout.decode(), r"^2000 cells of \d+ bytes; keys asked for: 2, taken from the cache: 3998$")

    def test_recall(self):
        dare = [self.prefix / "bin/dare", "--config", self.config]
        self.must(*dare, "key", "create", "recalled")
        config = self.folder / "recall.toml"
        config.write_text(self.config.read_text().replace('default_key = "examples"', 'default_key = "recalled"'))
        with subprocess.Popen([self.programs / "recall", config], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
            self.addCleanup(service.kill)

            def request():
                service.stdin.write("\n")
                service.stdin.flush()
                return service.stdout.readline()

            self.assertEqual(service.stdout.readline(), "listening\n")
            request()
            self.assertRegex(request(), r"^opened; keys taken from the cache: [1-9]")
            self.must(*dare, "key", "revoke", "recalled")
            answers = iter(request, "revoked\n")
            for answer in answers:  # until the server's word has come: no limit of time ends this within a day
                self.assertRegex(answer, "^opened; ")
            service.stdin.close()
            self.assertEqual(service.wait(30), 3)

    def test_shutdown(self):
        done = self.program("shutdown", self.config)
        self.assertEqual((done.returncode, done.stdout), (0, b"ended in the middle\n"), done.stderr)

    def test_a_server_that_is_away_is_told(self):
        self.kms.stop()
        self.addCleanup(self.use_new_port)
        done = self.program("data_key", self.config)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"key server", done.stderr)

    def use_new_port(self):
        self.kms.start()
        self.config.write_text(re.sub(r'servers = \["[^"]*"\]', f'servers = ["{self.kms.kmip[0]}:{self.kms.kmip[1]}"]',
                                      self.config.read_text()))

    def test_exports_what_is_promised_and_nothing_else(self):
        names = self.must("nm", "-D", "--defined-only", "--with-symbol-versions", self.library / "libdare.so").decode()
        exported = sorted(line.split()[2] for line in names.splitlines() if line.split()[1] != "A")
        self.assertEqual(exported, sorted((HERE / "symbols.txt").read_text("utf-8").split()),
                         "the ABI has changed (docs/libdare.md)")
        self.assertIn(b"libdare.so.0", self.must("readelf", "-d", self.library / "libdare.so"))

    def test_headers_declare_what_is_exported(self):
        header = (self.prefix / "include/dare/dare.h").read_text("utf-8")
        declared = set(re.findall(r"\b(dare_\w+)\(", re.sub(r"/\*.*?\*/", "", header, flags=re.S)))
        self.assertEqual(declared, {line.split("@")[0] for line in (HERE / "symbols.txt").read_text("utf-8").split()})

    def test_the_package_is_found_after_it_was_moved(self):
        moved = self.folder / "moved"
        shutil.copytree(self.prefix, moved, symlinks=True)
        self.addCleanup(shutil.rmtree, moved)
        environment = dict(os.environ, PKG_CONFIG_PATH=str(next(moved.rglob("pkgconfig"))))
        flags = self.must("pkg-config", "--cflags", "libdare", env=environment).decode().strip()
        self.assertEqual(pathlib.Path(flags.removeprefix("-I")).resolve(), (moved / "include").resolve())


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)

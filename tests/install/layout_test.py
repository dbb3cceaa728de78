#!/usr/bin/python3
"""Installs a build into a temporary root and looks at what is there: layout_test.py BUILD"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
EXPECTED = {
    "bin/dare", "bin/dare-kms", "bin/dare-kmip-conformance", "include/dare/dare.h", "include/dare/client.h",
    "share/man/man1/dare.1", "share/man/man1/dare-kmip-conformance.1",
    "share/man/man3/libdare.3", "share/man/man5/client.toml.5", "share/man/man5/kms.toml.5", "share/man/man8/dare-kms.8",
    "share/doc/dare/README.md", "share/doc/dare/CHANGELOG.md", "share/doc/dare/LICENSE",
    "share/doc/dare/examples/libdare/seal_file.c", "share/doc/dare/examples/libdare/CMakeLists.txt",
    "share/doc/dare/docs/operations.md", "share/doc/dare/docs/formats/sealed-file.md",
    "share/doc/dare/examples/kms.toml", "share/doc/dare/examples/client.toml",
    "lib/systemd/system/dare-kms.service", "lib/sysusers.d/dare-kms.conf", "lib/tmpfiles.d/dare-kms.conf",
}
# A key that the configuration reader asks for, in src/*/config.cc.
READ = re.compile(r'\b\w+\.(?:Text|Flag|Number|Integer|Seconds|Names|Choice|Find)\("([a-z0-9_]+)"|ReadPath\(in, "([a-z0-9_]+)"')


def run(*words):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120)


class Layout(unittest.TestCase):
    build = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="dare-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.root = cls.folder / "usr"
        done = run("cmake", "--install", cls.build, "--prefix", cls.root)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)

    def test_everything_is_where_it_belongs(self):
        there = {str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()}
        self.assertEqual(EXPECTED - there, set())
        self.assertEqual(len([p for p in there if re.fullmatch(r"lib/.*libdare\.so\.0|lib/libdare\.so\.0", p)]) +
                         len(list(self.root.rglob("libdare.so"))), 2, "libdare.so and libdare.so.0")

    def test_programs_run_from_there(self):
        for program in ("dare", "dare-kms"):
            done = run(self.root / "bin" / program, "version")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"\d+\.\d+\.\d+")

    def test_manual_pages_have_no_errors(self):
        self.assertIsNotNone(shutil.which("mandoc"), "mandoc is missing (packaging/debian-packages.txt)")
        for page in self.root.glob("share/man/man*/*"):
            done = run("mandoc", "-Tlint", "-Werror", page)
            self.assertEqual(done.stdout, "")

    def test_manual_pages_and_examples_know_every_key(self):
        for program, reader in (("kms", "src/server/config.cc"), ("client", "src/client/config.cc")):
            keys = {a or b for a, b in READ.findall((SOURCE / reader).read_text("utf-8"))}
            self.assertGreater(len(keys), 8)
            page = (self.root / f"share/man/man5/{program}.toml.5").read_text("utf-8").replace("\\-", "-")
            example = (self.root / f"share/doc/dare/examples/{program}.toml").read_text("utf-8")
            for key in sorted(keys):
                with self.subTest(file=program, key=key):
                    self.assertRegex(page, rf"\b{key}\b")
                    self.assertRegex(example, rf"(?m)^#?\s*{key}\s*=")

    def test_examples_are_toml_with_every_comment_taken_away(self):
        for example in self.root.glob("share/doc/dare/examples/*.toml"):
            text = example.read_text("utf-8")
            tomllib.loads(text)
            tomllib.loads(re.sub(r"(?m)^#\s*(\[+[a-z0-9_.]+\]+|[a-z0-9_]+\s*=)", r"\1", text))

    def test_public_headers_stand_alone(self):
        languages = {"dare.h": ("c", "c11"), "client.h": ("c++", "c++20")}
        self.assertEqual({p.name for p in self.root.glob("include/dare/*")}, set(languages))
        for header, (language, standard) in languages.items():
            source = self.folder / f"only_{header}.source"
            source.write_text(f"#include <dare/{header}>\n")
            done = run("gcc", f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                       "-x", language, "-I", self.root / "include", source)
            self.assertEqual(done.stderr, "")

    def test_a_c_program_links_and_runs_with_what_is_installed(self):
        source, program = self.folder / "program.c", self.folder / "program"
        source.write_text('#include <dare/dare.h>\n#include <stdio.h>\nint main(void) { return puts(dare_version()) < 0; }\n')
        library = next(self.root.rglob("libdare.so")).parent
        done = run("gcc", "-o", program, source, "-I", self.root / "include", "-L", library, "-ldare",
                   f"-Wl,-rpath,{library}")
        self.assertEqual(done.stderr, "")
        self.assertRegex(run(program).stdout, r"^\d+\.\d+\.\d+\n$")

    def test_the_unit_is_one(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("no systemd-analyze here")
        unit = self.folder / "dare-kms.service"
        text = (self.root / "lib/systemd/system/dare-kms.service").read_text("utf-8")
        self.assertNotRegex(text, r"@\w+@", "a placeholder was not filled in")
        unit.write_text(re.sub(r"ExecStart=\S+", f"ExecStart={self.root}/bin/dare-kms", text), "utf-8")
        done = run("systemd-analyze", "verify", "--man=no", unit)
        complaints = [line for line in (done.stdout + done.stderr).splitlines() if "dare-kms" in line]
        self.assertEqual(complaints, [])


if __name__ == "__main__":
    Layout.build = sys.argv.pop()
    unittest.main()

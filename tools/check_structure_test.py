#!/usr/bin/env python3
"""Breaks each rule of check_structure.py once, in a small tree of its own."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_structure


class Structure(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dare-structure-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("src/kmip/README.md", "# kmip\n")
        self.write("src/kmip/message.h", '#pragma once\n#include "ttlv/reader.h"\n#include "kmip/tags.h"\n')
        self.write("src/kmip/CMakeLists.txt", "dare_library(kmip SOURCES message.cc DEPS dare_ttlv dare_base)\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def refused(self, word):
        found = list(check_structure.findings(self.root))
        self.assertEqual(len(found), 1, found)
        self.assertIn(word, found[0])

    def test_a_tidy_tree_passes(self):
        self.assertEqual(list(check_structure.findings(self.root)), [])

    def test_refuses_an_include_against_the_order(self):
        self.write("src/kmip/message.cc", '#include "engine/kms.h"\n')
        self.refused("kmip must not know engine")

    def test_refuses_an_include_between_equals(self):
        self.write("src/store/README.md", "# store\n")
        self.write("src/store/store.h", '#include "policy/principal.h"\n')
        self.refused("store must not know policy")

    def test_refuses_a_comparison_that_tells_of_secrets_by_its_time(self):
        for line in ("std::memcmp(a, b, 8) == 0", "std::ranges::equal(key.Reveal(), other)", "AsText(pin.Reveal()) == given"):
            self.write("src/kmip/message.cc", f"bool Same() {{ return {line}; }}\n")
            self.refused("in a time that tells")
        self.write("src/kmip/message.cc", "bool Same() { return CRYPTO_memcmp(a, b, 8) == 0; }  // not memcmp()\n")
        self.assertEqual(list(check_structure.findings(self.root)), [])

    def test_refuses_a_link_against_the_order(self):
        self.write("src/kmip/CMakeLists.txt", "dare_library(kmip SOURCES message.cc DEPS dare_server)\n")
        self.refused("links dare_server")

    def test_refuses_a_folder_that_has_no_place(self):
        self.write("src/cloud/README.md", "# cloud\n")
        self.write("src/cloud/cloud.h", "#pragma once\n")
        self.refused("no place in the order")

    def test_refuses_a_folder_without_readme(self):
        self.write("src/ttlv/reader.h", "#pragma once\n")
        self.refused("src/ttlv: no README.md")

    def test_refuses_a_long_file_of_ours_but_not_a_generated_one(self):
        self.write("gen/README.md", "# gen\n")
        self.write("gen/tags.h", "\n" * 700)
        self.write("src/kmip/message.cc", "\n" * 700)
        self.refused("700 lines")

    def test_refuses_vague_names(self):
        self.write("src/kmip/string_" "utils.h", "#pragma once\n")
        self.refused("not yet understood")

    def test_refuses_an_opened_namespace(self):
        self.write("src/kmip/message.cc", "using namespace" " std;\n")
        self.refused("whole namespace")

    def test_refuses_a_library_that_prints(self):
        self.write("src/kmip/message.cc", "void F() { std::cout << 1; }\n")
        self.refused("library prints")

    def test_refuses_marks_of_unfinished_work(self):
        self.write("docs/limits.md", "TO" "DO: write this\n")
        self.refused("unfinished")

    def test_refuses_paths_of_one_machine(self):
        self.write("README.md", "cd /ho" "me/somebody/dare\n")
        self.refused("one machine")


if __name__ == "__main__":
    unittest.main()

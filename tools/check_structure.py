#!/usr/bin/env python3
"""Refuses what would make the tree harder to read than docs/architecture.md says it is.

    tools/check_structure.py [ROOT]      exit 1 and one line a finding, or nothing

The rules: includes and link lines follow the order of knowledge; no file of ours is past 600 lines; no folder or file is
named for a thing not yet understood; every folder with sources has a README.md; libraries do not print and nobody opens a
namespace for everybody; bytes that may be secret are compared in constant time; nothing is left
marked as unfinished; no path of one machine is written down.
"""
import pathlib
import re
import subprocess
import sys

# A folder may know the folders of smaller ranks, and itself. Equal ranks do not know each other.
RANKS = {
    "base": 0,
    "crypto": 1, "ttlv": 1, "settings": 1,
    "kmip": 2, "kmip_tables": 1,
    "store": 3, "hsm": 3, "policy": 3, "audit": 3,
    "custody": 4, "identity": 4,
    "engine": 5, "client": 5,
    "server": 6, "integrity": 6, "envelope": 6, "conformance": 6,
    "luks": 7, "backup": 7, "secrets": 7, "tree": 7, "registry": 7, "libdare": 7, "libdare": 7,
    "apps": 8,
}
LONGEST_FILE = 600
SOURCES = {".h", ".cc", ".c", ".py", ".sh"}
TEXTS = SOURCES | {".md", ".txt", ".cmake", ".toml", ".json", ".1", ".5", ".8", ".service"}
VAGUE_NAME = re.compile(r"^(utils?|helpers?|misc|common|manager)$|_(utils?|helpers?|misc|common|manager)$")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
ONE_MACHINE = re.compile(r"(?<![\w./-])/(?:home/\w|root/|work/|farm/|Users/\w)")
# What tells by its time how far two byte strings are alike. SecretBytes have no iterators, and their == takes the same time.
UNEVEN_COMPARISON = re.compile(r"(?<!CRYPTO_)\bmemcmp\s*\(|\b(?:equal|mismatch|lexicographical_compare)\s*\([^;]*\bReveal\b|"
                               r"\bAsText\([^;()]*\bReveal\b[^;]*[!=]=")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
LINK = re.compile(r"\bdare_(\w+)\b")


def tracked(root):
    """Every file that belongs to the tree: what git knows, or every file where there is no git (a source archive)."""
    done = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True)
    if done.returncode == 0:
        return sorted(p for p in (pathlib.Path(n) for n in done.stdout.decode().split("\0") if n)
                      if (root / p).is_file())
    return sorted(p.relative_to(root) for p in root.rglob("*")
                  if p.is_file() and p.relative_to(root).parts[0] not in ("build", ".git", ".quickstart"))


def folder_of(path):
    """The noun of the design a file belongs to, or None for what stands outside the order (tests/, tools/ …)."""
    if path.parts[0] == "src" and len(path.parts) > 2:
        return path.parts[1]
    return {"apps": "apps"}.get(path.parts[0])


def included_folder(name):
    first = name.split("/")[0]
    return first if first in RANKS else None


def may_know(folder, other):
    return folder == other or RANKS[other] < RANKS[folder]


def check_knowledge(path, text):
    folder = folder_of(path)
    if folder is None:
        return
    if folder not in RANKS:
        yield f"src/{folder} has no place in the order of knowledge (RANKS in tools/check_structure.py)"
        return
    for name in INCLUDE.findall(text):
        other = included_folder(name)
        if other is not None and not may_know(folder, other):
            yield f'includes "{name}": {folder} must not know {other}'


def check_links(path, text):
    folder = folder_of(path)
    if folder not in RANKS:
        return
    for name in LINK.findall(re.sub(r"#.*", "", text)):
        other = re.sub(r"_for_test$|_support_for_test$", "", name)
        if other in RANKS and not may_know(folder, other):
            yield f"links dare_{name}: {folder} must not know {other}"


def check_names(path):
    for part in (*path.parts[:-1], path.stem):
        if VAGUE_NAME.search(part):
            yield f"'{part}' is a name for a thing not yet understood; find its noun"


def check_source(path, text):
    lines = text.count("\n")
    if lines > LONGEST_FILE and path.parts[0] != "gen":
        yield f"{lines} lines: past {LONGEST_FILE} a file usually hides a second concept"
    if path.suffix in (".h", ".cc"):
        if re.search(r"^\s*using namespace\b", text, re.M):
            yield "opens a whole namespace"
        prints = re.search(r"\bstd::c(out|err)\b|\bprintf\s*\(", re.sub(r"//.*", "", text))
        if path.parts[0] == "src" and prints and "_test" not in path.name:
            yield f"a library prints ({prints.group(0)}); programs do"
        uneven = UNEVEN_COMPARISON.search(re.sub(r"//.*", "", text))
        if uneven and path.parts[0] in ("src", "apps") and not re.search(r"_test\b", path.stem):
            yield f"compares bytes in a time that tells of them ({uneven.group(0)}); EqualInConstantTime does not"


def check_text(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if path.name != "CHANGELOG.md" and UNFINISHED.search(line):
            yield f"line {number}: marked as unfinished"
        if ONE_MACHINE.search(line):
            yield f"line {number}: a path of one machine"


def check_readmes(files):
    depths = {"src": 2, "apps": 2, "gen": 1, "fuzz": 1, "bench": 1, "tests": 1}
    sources = (p.parent for p in files if p.suffix in SOURCES and p.parts[0] in depths)
    for folder in sorted({pathlib.Path(*p.parts[: depths[p.parts[0]]]) for p in sources}):
        if folder / "README.md" not in files:
            yield f"{folder}: no README.md that says what the folder knows and must not know"


def findings(root):
    files = tracked(root)
    yield from check_readmes(set(files))
    for path in files:
        for finding in check_names(path):
            yield f"{path}: {finding}"
        if path.suffix not in TEXTS or path == pathlib.Path("tools/check_structure.py"):
            continue
        text = (root / path).read_text("utf-8", errors="replace")
        checks = [check_text(path, text)]
        if path.suffix in SOURCES:
            checks += [check_source(path, text), check_knowledge(path, text)]
        if path.name == "CMakeLists.txt":
            checks.append(check_links(path, text))
        for check in checks:
            for finding in check:
                yield f"{path}: {finding}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]).resolve()
    found = list(findings(root))
    print("\n".join(found) or "structure: nothing to refuse")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Writes docs/conformance.md from reports of dare-kmip-conformance.

    tools/conformance_page.py                       plays all cases in the three encodings and writes the page
    tools/conformance_page.py --ttlv R --json R --xml R    writes it from reports that exist
    tools/conformance_page.py --check R             exit 1 when the page does not say what the TTLV report says

The page is a result, never edited. Why a case fails stands in tests/conformance/explained.csv (pattern of the case's path,
reason); a reason changes no verdict.
"""
import argparse
import collections
import csv
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/conformance.md"
EXPLAINED = ROOT / "tests/conformance/explained.csv"
VERSIONS = ("1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1", "3.0")
PROFILES = {
    "AKLC": "Asymmetric Key Lifecycle", "AX": "AES XTS", "BL": "Baseline", "CS-AC": "Advanced Cryptographic",
    "CS-BC": "Basic Cryptographic", "CS-RNG": "RNG Cryptographic", "MSGENC-HTTPS": "HTTPS", "MSGENC-JSON": "JSON",
    "MSGENC-XML": "XML", "OMOS": "Opaque Managed Object Store", "PKCS11": "PKCS#11 Encapsulation",
    "QS": "Quantum Safe", "SASED": "Storage Array with Self-Encrypting Drives", "SKFF": "Symmetric Key Foundry for FIPS 140",
    "SKLC": "Symmetric Key Lifecycle", "SUITEB_128": "Suite B minLOS_128", "SUITEB_192": "Suite B minLOS_192",
    "TL": "Tape Library", "SKC": "Symmetric Key Create"}


def profile_of(case):
    """The profile a profile case belongs to: CS-BC of CS-BC-M-GCM-2."""
    match = re.match(r"(.+?)-[MO](-|$)", case["family"])
    return match.group(1) if match else case["family"]


def base_of(case):
    """(folder and name without version, version): CS-BC-M-1, 1.4."""
    name = pathlib.PurePath(case["case"]).stem
    return name.rpartition("-")[0], case["version"]


def named(cases):
    """The cases by name with their versions: `SKLC-M-1` 1.0–2.1, …"""
    versions = collections.OrderedDict()
    for name, version in map(base_of, cases):
        versions.setdefault(name, set()).add(version)
    return ", ".join(f"{name} {span(v)}" for name, v in sorted(versions.items()))


def span(versions):
    numbers = sorted(VERSIONS.index(v) for v in versions)
    parts, start = [], numbers[0]
    for here, following in zip(numbers, numbers[1:] + [None]):
        if following != here + 1:
            parts.append(VERSIONS[start] if start == here else f"{VERSIONS[start]}–{VERSIONS[here]}")
            start = following
    return "/".join(parts)


def ratio(cases):
    return f"{sum(c['outcome'] == 'PASS' for c in cases)}/{len(cases)}" if cases else ""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(c).replace("|", "\\|") for c in row) + " |" for row in rows])


def by_version(cases):
    return [ratio([c for c in cases if c["version"] == v]) for v in VERSIONS]


def counts(reports):
    rows = []
    for version in VERSIONS:
        for kind in ("mandatory", "optional", "general"):
            picked = [[c for c in r if c["version"] == version and c["kind"] == kind] for r in reports.values()]
            if any(picked):
                rows.append([version, kind, *map(ratio, picked)])
    rows.append(["all", "", *map(ratio, reports.values())])
    return table(["version", "kind", *(f"{n} passed" for n in reports)], rows)


def profiles(cases):
    families = collections.defaultdict(list)
    for case in cases:
        if case["kind"] != "general":
            families[profile_of(case)].append(case)
    rows = []
    for family, members in sorted(families.items()):
        mandatory = [c for c in members if c["kind"] == "mandatory"]
        claimed = [v for v in VERSIONS
                   if any(c["version"] == v for c in mandatory)
                   and all(c["outcome"] == "PASS" for c in mandatory if c["version"] == v)]
        rows.append([PROFILES.get(family, family), family, span(claimed) if claimed else "–", *by_version(members)])
    return table(["profile", "cases", "all mandatory cases pass", *VERSIONS], rows)


def usage(cases, key, names):
    used = collections.defaultdict(list)
    for case in cases:
        for name in case[key]:
            used[name].append(case)
    return [(name, used[name]) for name in sorted(set(used) | set(names))]


def spec_names(file, client_only=False):
    rows = json.loads((ROOT / "spec" / file).read_text("utf-8"))["rows"]
    if file == "operations.json":
        return {r["xml"] for r in rows}
    return {re.sub(r"[^A-Za-z0-9]", "", r["name"]) for r in rows}


def matrix(pairs):
    return table(["", *VERSIONS], [[name, *by_version(members)] for name, members in pairs if members])


def proofs(pairs):
    lines = []
    for name, members in pairs:
        passing = [c for c in members if c["outcome"] == "PASS"]
        if passing:
            lines.append(f"- **{name}**: {named(passing)}")
    return "\n".join(lines)


def unproved(pairs):
    missing = [name for name, members in pairs if not any(c["outcome"] == "PASS" for c in members)]
    return ", ".join(missing) or "none"


def reasons():
    if not EXPLAINED.exists():
        return []
    with open(EXPLAINED, encoding="utf-8", newline="") as f:
        return [(row["case"], row["why"]) for row in csv.DictReader(f)]


def failing(cases):
    explained = reasons()
    rows = []
    for case in cases:
        if case["outcome"] != "FAIL":
            continue
        why = next((w for p, w in explained if fnmatch.fnmatch(case["case"], p)), "not explained yet")
        rows.append([f"`{case['case']}`", stable(case["difference"]), why])
    return rows


def stable(text):
    """Without what changes from run to run: identifiers, keys, dates."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "…", text)
    text = re.sub(r"\b[0-9a-f]{16,}…?( \(\d+ bytes\))?", "…", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*", "…", text)
    return text if len(text) < 300 else text[:297] + "…"


def page(reports):
    cases = reports["TTLV"]
    operations = usage(cases, "operations", spec_names("operations.json"))
    attributes = usage(cases, "attributes", ())
    quirks = sorted({q for c in cases for q in c["quirks"]})
    fails = failing(cases)
    parts = [
        "# Conformance",
        "Written by `tools/conformance_page.py` from reports of `dare-kmip-conformance`; do not edit. The cases are those "
        "OASIS published (598 of them; others exist, which we have not seen). A cell says how many of the cases that use the "
        "row pass. 3.0 is a draft, behind `kmip.kmip_3_0`.",
        "To see it: `tests/conformance/run.sh`, with `--encoding json` or `xml` over HTTPS, with `--draft` for 3.0.",
        "## Results", counts(reports),
        "## Profiles",
        "The third column tells in which versions all mandatory cases of a profile pass; Query claims profiles of these only "
        "(`src/engine/profiles.cc`).", profiles(cases),
        "## Operations", matrix(operations),
        f"No published case proves: {unproved(operations)}.",
        "### Proved by", proofs(operations),
        "## Attributes", matrix(attributes), f"No passing case uses: {unproved(attributes)}.",
        "### Proved by", proofs(attributes),
        "## Slips of the published files",
        "Applied as `quirks.csv` says, each time it is needed:", "\n".join(f"- {q}" for q in quirks) or "none",
        "## Failing cases",
        (f"{len(fails)} cases, in TTLV. Why: `tests/conformance/explained.csv`."), table(["case", "first difference", "why"], fails),
    ]
    others = other_encodings(reports)
    if others:
        parts += ["### Cases that pass in TTLV and not over HTTPS",
                  table(["encoding", "case", "outcome", "first difference"], others)]
    return "\n\n".join(parts) + "\n"


def other_encodings(reports):
    passing = {c["case"] for c in reports["TTLV"] if c["outcome"] == "PASS"}
    return [[name, f"`{c['case']}`", c["outcome"], stable(c["difference"])] for name, cases in reports.items()
            for c in cases if c["case"] in passing and c["outcome"] != "PASS"]


def read(path):
    return json.loads(pathlib.Path(path).read_text("utf-8"))["cases"]


def play(folder):
    reports = {}
    for name in ("ttlv", "json", "xml"):
        report = pathlib.Path(folder) / f"{name}.json"
        subprocess.run([ROOT / "tests/conformance/run.sh", "--draft", "--encoding", name, "--", "--quiet", "--report",
                        report], check=False, stdout=subprocess.DEVNULL)
        reports[name.upper()] = read(report)
    return reports


def listed_failures(text):
    part = text.partition("## Failing cases")[2].partition("### ")[0]
    return set(re.findall(r"^\| `([^`]+)`", part, re.M))


def check(report):
    real = {c["case"] for c in read(report) if c["outcome"] == "FAIL"}
    written = listed_failures(PAGE.read_text("utf-8"))
    for name in sorted(real - written):
        print(f"fails, and docs/conformance.md does not say so: {name}")
    for name in sorted(written - real):
        print(f"passes, and docs/conformance.md says it fails: {name}")
    if real != written:
        print("run tools/conformance_page.py")
    # The generator itself must work with this report, whatever it says.
    page({"TTLV": read(report)})
    return 0 if real == written else 1


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--ttlv", "--json", "--xml", "--check"):
        p.add_argument(name, metavar="REPORT")
    a = p.parse_args()
    if a.check:
        if not pathlib.Path(a.check).exists():
            print(f"SKIPPED: {a.check} is absent (conformance_ttlv writes it where the cases are)")
            return 0
        return check(a.check)
    if a.ttlv:
        reports = {n.upper(): read(f) for n, f in (("ttlv", a.ttlv), ("json", a.json), ("xml", a.xml)) if f}
    else:
        with tempfile.TemporaryDirectory() as folder:
            reports = play(folder)
    PAGE.write_text(page(reports), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

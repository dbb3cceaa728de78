#!/usr/bin/python3
"""Plays OASIS KMIP test cases against a server and says which it answers as printed.

    run_cases.py --dare-kms build/dev/bin/dare-kms ../shared/kmip/testcases
    run_cases.py --connect HOST:5696 --ca ca.crt --cert me.crt --key me.key ../shared/kmip/testcases/1.2

Every case gets a server with a fresh state, except that families which build on each other share one.
Exit code 0 when all selected cases pass (with --list: all listed ones), 1 when not, 2 for a usage error.
"""
import argparse
import concurrent.futures
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import providers  # noqa: E402
from case import Case, Difference, Unanswered, Unplayable, natural  # noqa: E402
from support import kmip_client  # noqa: E402

NEEDS_OTHER_TRANSPORT = {"MSGENC-HTTPS": "HTTPS", "MSGENC-JSON": "JSON over HTTPS", "MSGENC-XML": "XML over HTTPS"}


def arguments_of(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("paths", nargs="+", metavar="DIR|FILE", help="cases, or folders of cases")
    p.add_argument("--dare-kms", metavar="PROGRAM", help="start this dare-kms for the cases")
    p.add_argument("--server-cmd", metavar="CMD", help="start this server; {dir} and {port} are replaced")
    p.add_argument("--connect", metavar="HOST:PORT", help="use a running server")
    p.add_argument("--ca", help="PEM file of the server's CA")
    p.add_argument("--cert", action="append", default=[], help="client certificate; again for further clients")
    p.add_argument("--key", action="append", default=[], help="its private key")
    p.add_argument("--operations-only", metavar="A,B,…", help="only cases that use no other operations")
    p.add_argument("--match", default="", help="only cases whose name contains this text")
    p.add_argument("--list", metavar="FILE", help="names of the cases that must pass; others are only reported")
    p.add_argument("--listed-only", action="store_true", help="play only the cases of --list")
    p.add_argument("--json", metavar="OUT", help="write the results here as JSON")
    p.add_argument("--jobs", type=int, default=2, help="servers at a time (default 2)")
    p.add_argument("--quiet", action="store_true", help="print no line for cases that pass")
    a = p.parse_args(argv)
    if sum(bool(x) for x in (a.dare_kms, a.server_cmd, a.connect)) != 1:
        p.error("give one of --dare-kms, --server-cmd and --connect")
    if not a.dare_kms and not (a.ca and a.cert and len(a.cert) == len(a.key)):
        p.error("--ca, --cert and --key are needed")
    if a.connect:
        a.jobs = 1
    for path in a.paths:
        if not pathlib.Path(path).exists():
            p.error(f"{path} does not exist")
    return a


def read_list(path):
    """The names in a list file: one a line, # begins a comment."""
    lines = (line.split("#")[0].strip() for line in pathlib.Path(path).read_text("utf-8").splitlines())
    return [line for line in lines if line]


def find_cases(paths, vocabulary):
    files = []
    for path in map(pathlib.Path, paths):
        files.extend(path.glob("**/*.xml") if path.is_dir() else [path])
    return [Case(f, vocabulary) for f in sorted(set(files), key=lambda f: (str(f.parent), natural(f.name)))]


def why_skipped(case):
    """Why this runner does not play a case, or None."""
    for family, transport in NEEDS_OTHER_TRANSPORT.items():
        if case.name.startswith(family):
            return f"needs {transport}; this runner speaks TTLV"
    if case.problem and "not of KMIP 1.0 to 2.1" in case.problem or (3, 0) in (case.versions() or ()):
        return "KMIP 3.0 is a draft"
    return None


def select(cases, arguments, listed):
    if arguments.operations_only:
        allowed = {o.strip() for o in arguments.operations_only.split(",")}
        cases = [c for c in cases if c.operations() and c.operations() <= allowed]
    if arguments.listed_only:
        # The whole of a chained family is played when one of its cases is listed: they need each other.
        groups = {c.group() for c in cases if c.name in listed} - {None}
        cases = [c for c in cases if c.name in listed or c.group() in groups]
    return [c for c in cases if arguments.match in c.name]


def grouped(cases):
    """Lists of cases that share a server, in the order they are played."""
    groups, order = {}, []
    for case in cases:
        key = case.group() or str(case.path)
        if key not in groups:
            order.append(key)
        groups.setdefault(key, []).append(case)
    return [sorted(groups[k], key=lambda c: natural(c.name)) for k in order]


def play_group(provider, cases):
    """[(case, "PASS" | "FAIL" | "SKIP", text)]"""
    playable = [c for c in cases if not why_skipped(c)]
    results = [(c, "SKIP", why_skipped(c)) for c in cases if why_skipped(c)]
    if not playable:
        return results
    try:
        session = provider.open(playable[0].group())
    except Exception as e:  # whatever it was, these cases cannot be judged
        return results + [(c, "FAIL", f"no server: {e}") for c in playable]
    inherited = None
    try:
        for case in playable:
            try:
                inherited = case.play(session.connect, inherited)
                results.append((case, "PASS", ""))
            except Unplayable as e:
                results.append((case, "SKIP", str(e)))
            except (Difference, Unanswered, OSError, kmip_client.ConnectionLost) as e:
                results.append((case, "FAIL", str(e)))
    finally:
        session.close()
    return results


def family_of(case):
    return case.name.rpartition("-")[0].rstrip("0123456789").rstrip("-") or case.name


def summary_by_family(results):
    table = {}
    for case, outcome, _ in results:
        row = table.setdefault(family_of(case), {"PASS": 0, "FAIL": 0, "SKIP": 0})
        row[outcome] += 1
    width = max(map(len, table), default=6)
    lines = [f"{'family':{width}}  pass  fail  skip"]
    for family in sorted(table):
        row = table[family]
        lines.append(f"{family:{width}}  {row['PASS']:4}  {row['FAIL']:4}  {row['SKIP']:4}")
    return "\n".join(lines)


def provider_of(arguments):
    if arguments.connect:
        return providers.Running(arguments)
    if arguments.server_cmd:
        return providers.Command(arguments)
    return providers.DareKms(arguments)


def judge(results, listed):
    """Prints what the list makes of the results; True when everything that must pass did."""
    outcome = {c.name: o for c, o, _ in results}
    if listed is None:
        return "FAIL" not in outcome.values()
    broken = [n for n in listed if outcome.get(n) not in ("PASS", None)]
    absent = [n for n in listed if n not in outcome]
    extra = sorted(n for n, o in outcome.items() if o == "PASS" and n not in listed)
    for name in extra:
        print(f"NEW  {name} passes and is not in the list: add it")
    for name in absent:
        print(f"NOTE {name} is in the list and was not among the cases")
    for name in broken:
        print(f"LOST {name} is in the list and does not pass")
    print(f"{len(listed) - len(broken) - len(absent)} of {len(listed)} listed cases pass, "
          f"{len(extra)} others pass too")
    return not broken


def main(argv=None):
    arguments = arguments_of(argv)
    listed = read_list(arguments.list) if arguments.list else None
    cases = select(find_cases(arguments.paths, kmip_client.VOCABULARY), arguments, set(listed or ()))
    provider = provider_of(arguments)
    results = []
    try:
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for group in pool.map(lambda g: play_group(provider, g), grouped(cases)):
                for case, outcome, text in group:
                    if outcome != "PASS" or not arguments.quiet:
                        print(f"{outcome} {case.name}{': ' if text else ''}{text}", flush=True)
                    results.append((case, outcome, text))
    finally:
        provider.close()
    print()
    print(summary_by_family(results))
    good = judge(results, listed)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(
            [{"case": c.name, "path": str(c.path), "outcome": o, "text": t} for c, o, t in results], indent=1), "utf-8")
    count = {o: sum(1 for r in results if r[1] == o) for o in ("PASS", "FAIL", "SKIP")}
    print(f"{count['PASS']} passed, {count['FAIL']} failed, {count['SKIP']} skipped")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""Runs the benchmarks: each figure beside the physical limit measured in the same run. See README.md."""
import argparse
import fnmatch
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

import files  # noqa: E402: beside this file, as the next ones
import revoke_bound  # noqa: E402
from audit_verify import audit_verify_row  # noqa: E402
from files import REPEAT, SECONDS, output  # noqa: E402
from flood import ATTACKS, attack_row, crowd_row  # noqa: E402
from policy_cost import policy_row  # noqa: E402
from rewrap import rewrap_row  # noqa: E402
from scale import PostgresSide, Scale, SqliteSide, latency_row, start_row  # noqa: E402

OBJECTS = int(os.environ.get("DARE_BENCH_OBJECTS", "10000"))
LOCATE_OBJECTS = int(os.environ.get("DARE_BENCH_LOCATE_OBJECTS", "1000000"))
TREE_FILES = int(os.environ.get("DARE_BENCH_TREE_FILES", "100000"))


class Server:
    """A dare-kms with one event loop, an enrolled client and a store with keys in it: made once, at first need."""

    def __init__(self, build, settings=()):
        from support.kms import Kms, Programs
        self.build = build
        self.kms = Kms(Programs(build / "bin" / "dare-kms"))
        for section, key, value in settings:
            self.kms.configure(section, key, value)
        self.kms.configure("", "threads", 1)
        self.kms.configure("limits", "connections_per_address", 8192)
        self.kms.configure("limits", "handshakes_per_address", 0)  # all clients have one address
        self.kms.start()
        self.identity = self.kms.identity("bench")
        folder = self.kms.home
        lines = output([*self.load_words(self.kms.kmip), "--fill", OBJECTS]).split("\n")
        pairs = [line.split() for line in lines if line]
        self.names, self.ids = folder / "names", folder / "ids"
        # 64 keys asked for in turn: all cached, none favoured.
        step = max(1, len(pairs) // 64)
        chosen = pairs[::step][:64]
        self.names.write_text("\n".join(p[0] for p in chosen) + "\n")
        self.ids.write_text("\n".join(p[1] for p in chosen) + "\n")

    def tls_words(self):
        return ["--certificate", self.identity.certificate, "--key", self.identity.key, "--ca", self.identity.ca]

    def load_words(self, address):
        host, port = address
        return [self.build / "bench" / "kms_load", "--host", host, "--port", port, *self.tls_words()]

    def load(self, operation, clients, address=None, **flags):
        words = [*self.load_words(address or self.kms.kmip), "--operation", operation, "--clients", clients,
                 "--seconds", SECONDS, "--ids", self.names if operation == "locate" else self.ids]
        for flag, on in flags.items():
            if on:
                words.append(f"--{flag}")
        return json.loads(output(words))

    def echo(self, operation, clients, like, **flags):
        """The same load against a bare TLS echo whose replies have the size of `like`'s."""
        config = self.kms.config()["tls"]
        echo = subprocess.Popen(
            [str(w) for w in [self.build / "bench" / "tls_echo", "--certificate", self.kms.folder / config["certificate"],
                              "--key", self.kms.folder / config["key"], "--ca", self.identity.ca,
                              "--reply-bytes", like["reply_bytes"], "--threads", 1]],
            stdout=subprocess.PIPE, text=True)
        try:
            port = int(echo.stdout.readline().split()[1])
            return self.load(operation, clients, ("127.0.0.1", port), unchecked=True, **flags)
        finally:
            echo.terminate()
            echo.wait()

    def close(self):
        self.kms.close()


class Bench:
    def __init__(self, build):
        self.build = build
        self._server = self._flooded = self._files = None
        self._scales = {}

    @property
    def server(self):
        self._server = self._server or Server(self.build)
        return self._server

    @property
    def flooded(self):
        """A server with the limits it has by itself, but for the crowd's connections, which come from one address."""
        self._flooded = self._flooded or Server(self.build, [("limits", "connections", 8192)])
        return self._flooded

    @property
    def files(self):
        self._files = self._files or files.Files(self.server)
        return self._files

    @property
    def file_rows(self):
        return files.FileRows(self)

    def scale(self, side):
        if side not in self._scales:
            self._scales[side] = Scale(self.build, output, side)
        return self._scales[side]

    def close(self):
        for part in (self._files, self._server, self._flooded, *self._scales.values()):
            if part:
                part.close()

    # --- folders

    def _tree(self, make, source, target):
        """The best of some runs beside `cp -r` of the same folder; every run writes into a folder that is not there."""
        files, figures, limits = self.files, [], []
        copy = files.folder / "tree-copy"
        for _ in range(REPEAT):
            for words, made, seconds in ((lambda: output(["cp", "-r", source, copy]), copy, limits), (make, target, figures)):
                shutil.rmtree(made, ignore_errors=True)
                begin = time.monotonic()
                words()
                seconds.append(time.monotonic() - begin)
        shutil.rmtree(copy)
        return dict(value=TREE_FILES / min(figures), unit="files/s", limit_name="cp -r of the same folder",
                    limit=TREE_FILES / min(limits), aim=0.5,
                    note=f"{TREE_FILES} files of 1 to 8,192 bytes, {'in memory' if files.in_memory else 'on disk, synced at the end'}; "
                         f"{min(figures):.2f} s beside {min(limits):.2f} s")

    def _plain_tree(self):
        folder = self.files.folder / "tree"
        if not folder.exists():
            noise = os.urandom(1 << 16)
            for number in range(TREE_FILES):
                if number % 500 == 0:
                    inside = folder / f"folder-{number // 5000}" / f"{number}"
                    inside.mkdir(parents=True)
                (inside / f"file-{number}").write_bytes(noise[number % 5000:number % 5000 + 1 + number * 7919 % 8192])
        return folder

    def seal_tree(self):
        folder, target = self._plain_tree(), self.files.folder / "tree.dare"
        return self._tree(lambda: self.files.dare("seal", folder, "--key", "bench-kek"), folder, target)

    def open_tree(self):
        folder, sealed = self._plain_tree(), self.files.folder / "tree.dare"
        if not sealed.exists():
            self.files.dare("seal", folder, "--key", "bench-kek")
        target = self.files.folder / "tree-opened"
        row = self._tree(lambda: self.files.dare("open", sealed, "-o", target), folder, target)
        shutil.rmtree(target)
        return row

    def rewrap(self):
        return rewrap_row(self.files)

    # --- the server

    def _against_echo(self, operation, clients, aim, **flags):
        mine = self.server.load(operation, clients, **flags)
        limit = self.server.echo(operation, clients, mine, **flags)
        return dict(value=mine["ops_per_second"], unit="ops/s", limit_name="bare TLS echo, same sizes and threads",
                    limit=limit["ops_per_second"], aim=aim,
                    note=f"p50 {mine['p50_us']:.0f} us, p99 {mine['p99_us']:.0f} us; {mine['request_bytes']} bytes in, "
                         f"{mine['reply_bytes']} out")

    def kmip_get(self, clients):
        return self._against_echo("get", clients, 0.7)

    def kmip_encrypt(self, clients):
        return self._against_echo("encrypt", clients, 0.6)

    def audit_cost(self, operation):
        """The server's CPU time for an operation, beside what is left of it without making and writing its audit entry, which
        is measured apart: the audit cannot be switched off."""
        pid, clients = self.server.kms.process.pid, 8
        before = files.cpu_of(pid)
        mine = self.server.load(operation, clients)
        each = (files.cpu_of(pid) - before) * 1e6 / mine["replies"]
        with tempfile.TemporaryDirectory(prefix="dare-bench-", dir=self.server.kms.home) as folder:
            entry = json.loads(output([self.build / "bench" / "audit_cost", SECONDS, folder]))["cpu_us_each"]
        return dict(value=1e6 / each, unit="ops/s", limit_name="the same without its audit entry", limit=1e6 / (each - entry),
                    aim=0.85, note=f"in a second of CPU; {each:.1f} us each, {entry:.2f} of them for the entry; "
                                   f"{mine['ops_per_second']:.0f}/s were served to {clients} clients")

    def kmip_connect(self, clients):
        return self._against_echo("get", clients, 0.9, reconnect=True)

    def kmip_create(self, clients):
        mine = self.server.load("create", clients)
        echo = self.server.echo("create", clients, mine)
        with tempfile.TemporaryDirectory(prefix="dare-bench-", dir=self.server.kms.home) as folder:
            limit = float(output([self.build / "bench" / "store_insert", f"{folder}/limit.db", SECONDS, clients, 600]))
        return dict(value=mine["ops_per_second"], unit="ops/s", limit_name=f"the store alone, {clients} rows a commit",
                    limit=limit, aim=0.7,
                    note=f"durable and audited before the answer; p50 {mine['p50_us']:.0f} us, p99 {mine['p99_us']:.0f} us; "
                         f"bare TLS echo {echo['ops_per_second']:.0f}/s",
                    also=[dict(limit_name="bare TLS echo, same sizes and threads", limit=echo["ops_per_second"],
                               ratio=mine["ops_per_second"] / echo["ops_per_second"])])

    def create_postgres(self, clients):
        """Through server and engine, durable and audited, on a PostgreSQL that syncs each commit."""
        from support import postgres
        if postgres.missing():
            raise RuntimeError(postgres.missing())
        with postgres.Server(["fsync=on", "shared_buffers=256MB", "max_wal_size=4GB"]) as database:
            server = Server(self.build, [("store", "backend", "postgresql"),
                                         ("store", "connection", database.connection)])
            try:
                mine = server.load("create", clients)
                limit = float(output([self.build / "bench" / "postgres_insert", database.connection, SECONDS, clients, 600]))
            finally:
                server.close()
        return dict(value=mine["ops_per_second"], unit="ops/s",
                    limit_name=f"bare inserts of the same bytes, {clients} a commit, one pipeline", limit=limit, aim=0.7,
                    note=f"durable and audited before the answer; p50 {mine['p50_us']:.0f} us, p99 {mine['p99_us']:.0f} us")

    def kmip_locate(self, clients):
        mine = self.server.load("locate", clients)
        get = self.server.load("get", clients)
        return dict(value=mine["ops_per_second"], unit="ops/s", limit_name="Get on the same data",
                    limit=get["ops_per_second"], aim=0.5,
                    note=f"by name among {OBJECTS} objects; p50 {mine['p50_us']:.0f} us, p99 {mine['p99_us']:.0f} us")

    def hsm(self, operation, threads):
        mine = json.loads(output([self.build / "bench" / "hsm_seal", operation, threads, SECONDS]))
        return dict(value=mine["mine"], unit="ops/s", limit_name="the token's own calls with the same bytes",
                    limit=mine["raw"], aim=0.9, note=f"SoftHSM2, {threads} sessions and threads, keys of 32 bytes")

    def kmip_inproc(self, operation):
        """One thread of the engine without network; no aim is set against a memcpy."""
        mine = json.loads(output([self.build / "bench" / "kms_inproc", operation, SECONDS, OBJECTS]))
        return dict(value=mine["ops_per_second"], unit="ops/s", limit_name="memcpy of the same bytes",
                    limit=mine["memcpy_per_second"], aim=0.0,
                    note=f"{1e6 / mine['ops_per_second']:.2f} us each, without network and database; "
                         f"{mine['request_bytes']} bytes in, {mine['reply_bytes']} out")

    def kmip_locate_million(self):
        """Every kind of question among 10^6 objects of one owner, in process, beside a Get of the same keys."""
        mine = json.loads(output([self.build / "bench" / "locate_speed", LOCATE_OBJECTS, 1]))
        others = {k: v for k, v in mine.items() if k not in ("objects", "fill_per_second", "get", "name")}
        return dict(value=1e6 / mine["name"], unit="ops/s", limit_name="Get on the same data", limit=1e6 / mine["get"],
                    aim=0.5, note=f"by name among {mine['objects']} objects; microseconds by "
                                  + ", ".join(f"{k} {v:.0f}" for k, v in others.items()))


    def failover_gap(self):
        """How long a writer waits when the primary of the database dies, or is cut off; beside the time that Patroni
        gives a primary to be heard of again, which no failover is shorter than."""
        test = HERE.parent / "tests" / "ha" / "failover_test.py"
        with tempfile.NamedTemporaryFile(suffix=".json") as result:
            said = output([sys.executable, test, "--json", result.name],
                          env=dict(os.environ, DARE_KMS=str(self.build / "bin" / "dare-kms")))
            if "SKIPPED" in said:
                return dict(value=0.0, unit="1/s", limit_name="nothing", limit=1.0, aim=0.0, note=said.strip())
            mine = json.loads(pathlib.Path(result.name).read_text("utf-8"))
        gap = max(mine["gap_killed"], mine["gap_cut"])
        return dict(value=1 / gap, unit="1/s", limit_name=f"one failover in Patroni's ttl of {mine['ttl']} s",
                    limit=1 / mine["ttl"], aim=0.5,
                    note=f"longest gap {gap} s: killed {mine['gap_killed']} s, cut off {mine['gap_cut']} s, reads "
                         f"{mine['reading_gap']} s, a dare-kms killed {mine['gap_server']} s; acknowledged "
                         f"{mine['acknowledged']}, lost {mine['lost']}, refused {mine['refused']}, doubled {mine['doubled']}")

    def revoke_bound(self):
        """How long a node serves a key or a principal that was taken out of use at another one."""
        mine = revoke_bound.measure(self.build)
        if isinstance(mine, str):
            return dict(value=0.0, unit="1/s", limit_name="nothing", limit=1.0, aim=0.0, note=f"SKIPPED: {mine}")
        worst = max(max(times) for times in mine.values())
        told = "; ".join(f"{what}: worst {max(times) * 1000:.0f} ms, best {min(times) * 1000:.0f} ms of {len(times)}"
                         for what, times in mine.items())
        return dict(value=1 / max(worst, 1e-3), unit="1/s", limit_name="the bound of 1000 ms", limit=1.0, aim=1.0,
                    note=f"last use at the other node after the command's end: {told}")


BENCHMARKS = {
    **files.rows(),
    "seal-tree": lambda b: b.seal_tree(),
    "open-tree": lambda b: b.open_tree(),
    "rewrap": lambda b: b.rewrap(),
    "kmip-get-1": lambda b: b.kmip_get(1),
    "kmip-get-8": lambda b: b.kmip_get(8),
    "kmip-get-64": lambda b: b.kmip_get(64),
    "kmip-create-8": lambda b: b.kmip_create(8),
    "create-sqlite-8": lambda b: b.kmip_create(8),
    "create-postgres-8": lambda b: b.create_postgres(8),
    "kmip-encrypt-8": lambda b: b.kmip_encrypt(8),
    "kmip-locate-8": lambda b: b.kmip_locate(8),
    "kmip-locate-million": lambda b: b.kmip_locate_million(),
    "policy-get": lambda b: policy_row(lambda: Server(b.build), "get", 8),
    "policy-encrypt": lambda b: policy_row(lambda: Server(b.build), "encrypt", 8),
    "kmip-connect": lambda b: b.kmip_connect(8),
    "crowd": lambda b: crowd_row(b.flooded),
    **{f"flood-{name}": lambda b, name=name: attack_row(b.flooded, name) for name in ATTACKS},
    "hsm-seal-1": lambda b: b.hsm("seal", 1),
    "hsm-seal-8": lambda b: b.hsm("seal", 8),
    "hsm-open-1": lambda b: b.hsm("open", 1),
    "hsm-open-8": lambda b: b.hsm("open", 8),
    "failover-gap": lambda b: b.failover_gap(),
    "revoke-bound": lambda b: b.revoke_bound(),
    "audit-cost-get": lambda b: b.audit_cost("get"),
    "audit-cost-encrypt": lambda b: b.audit_cost("encrypt"),
    "audit-verify": lambda b: audit_verify_row(b.build),
    "kmip-inproc-get": lambda b: b.kmip_inproc("get"),
    "kmip-inproc-locate": lambda b: b.kmip_inproc("locate"),
    "kmip-inproc-encrypt": lambda b: b.kmip_inproc("encrypt-1k"),
}

# 10^4 to 10^7 records in one growing store; smaller sizes first, so that each is measured on its way.
SCALES = {
    f"scale-{what}-{engine}{power}": (lambda b, what=what, power=power, side=side: start_row(b.scale(side), power)
                                      if what == "start" else latency_row(b.scale(side), what, power))
    for engine, side in (("", SqliteSide), ("postgres-", PostgresSide)) for power in (4, 5, 6, 7)
    for what in ("start", "get", "locate", "create")
}
BENCHMARKS.update(SCALES)
# A run without names leaves out what takes an hour.
BY_DEFAULT = [name for name in BENCHMARKS if name not in SCALES or name.endswith(("-4", "-5"))]


def main():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which benchmarks, or scale-* for a family; by default all but 10^6 and 10^7 records")
    parser.add_argument("--json", metavar="FILE", help="also write one JSON object a line")
    parser.add_argument("--list", action="store_true", help="name the benchmarks")
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build" / "release", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        print("\n".join(BENCHMARKS))
        return 0
    chosen = [name for asked in options.names for name in (fnmatch.filter(BENCHMARKS, asked) or [asked])]
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)} (--list names them)")

    bench, rows = Bench(options.build), []
    print(f"{'name':21} {'value':>12} {'unit':6} {'limit':>12}  {'ratio':>6} {'aim':>6}      beside")
    try:
        for name in chosen or BY_DEFAULT:
            try:
                row = {"name": name, **BENCHMARKS[name](bench)}
            except files.Skipped as why:
                print(f"{name:21} SKIPPED: {why}", flush=True)
                continue
            row["ratio"] = row["value"] / row["limit"]
            at_most = row.get("at_most", False)
            row["met"] = row["ratio"] <= row["aim"] if at_most else row["ratio"] >= row["aim"]
            row.pop("runs", None)
            rows.append(row)
            digits = 2 if row["unit"] in ("GB/s", "1/s", "s CPU") else 0
            print(f"{name:21} {row['value']:12,.{digits}f} {row['unit']:6} {row['limit']:12,.{digits}f}  {row['ratio']:{'6.2f' if row['aim'] else '6.4f'}} "
                  f"{'<' if at_most else ' '}{row['aim']:5.2f} {'met ' if row['met'] else 'miss'} {row['limit_name']}; {row['note']}", flush=True)
    finally:
        bench.close()
        if options.json:
            with open(options.json, "w", encoding="utf-8") as out:
                for row in rows:
                    out.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

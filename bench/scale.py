"""One store that grows from 10^4 to 10^7 records: what a Get, a Create and a Locate by name cost at each size, how long the server takes
to start on it, and how many bytes a record has. Sizes are measured in ascending order; each run goes on filling where the last stopped."""
import hashlib
import json
import os
import pathlib
import random
import time

SECONDS = float(os.environ.get("DARE_BENCH_SECONDS", "5"))
# A folder that stays: the next run goes on filling there.
FOLDER = os.environ.get("DARE_BENCH_SCALE_FOLDER")
OWNER = "bench"
SAMPLE = 200_000  # different records asked for, at most: more than any cache of the server's holds
CLIENTS = 8       # one alone would measure how long this machine's cores take to wake up


def object_id(n):
    """The n-th identifier that scale_fill makes."""
    text = hashlib.sha256(f"scale-{n}".encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


# As a database of keys is set up: each commit synced; memory as baselines have it.
POSTGRES = ("fsync=on", "shared_buffers=4GB", "max_wal_size=8GB", "checkpoint_timeout=15min")


class SqliteSide:
    """The file of the server's own."""
    def __init__(self, kms, _folder):
        self.kms = kms

    def stored_bytes(self):
        return sum(p.stat().st_size for p in self.kms.database.parent.glob(self.kms.database.name + "*"))

    def close(self):
        pass


class PostgresSide:
    """A PostgreSQL beside the server, on the same cores."""
    def __init__(self, kms, folder):
        from support import postgres
        if postgres.missing():
            raise RuntimeError(postgres.missing())
        self.server = postgres.Server(POSTGRES, folder / "postgres" if folder else None).start()
        kms.configure("store", "backend", "postgresql")
        kms.configure("store", "connection", self.server.connection)

    def stored_bytes(self):
        return int(self.server.sql("SELECT pg_database_size('postgres')"))

    def close(self):
        self.server.close()


class Scale:
    def __init__(self, build, output, side=SqliteSide):
        from support.kms import Kms, Programs
        self.build, self.output = build, output
        self.measured = {}
        folder = pathlib.Path(FOLDER) / side.__name__ if FOLDER else None
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        self.kms = Kms(Programs(build / "bin" / "dare-kms"), folder)
        self.side = side(self.kms, folder)
        self.kms.configure("", "threads", 1)
        self.kms.configure("cache", "entries", 0)  # every Get reads the store and asks the HSM
        self.kms.start()
        self.identity = self.kms.identity(OWNER)
        self.kms.stop()

    def close(self):
        self.kms.stop()
        self.side.close()
        if not FOLDER:
            self.kms.close()

    def load(self, operation, lines=()):
        host, port = self.kms.kmip
        wanted = self.kms.home / "wanted"
        wanted.write_text("\n".join(lines) + "\n")
        return json.loads(self.output([
            self.build / "bench" / "kms_load", "--host", host, "--port", port, "--certificate", self.identity.certificate,
            "--key", self.identity.key, "--ca", self.identity.ca, "--operation", operation, "--clients", CLIENTS,
            "--seconds", SECONDS, *(["--ids", wanted] if lines else [])]))

    def start_seconds(self):
        begin = time.monotonic()
        self.kms.start()
        return time.monotonic() - begin

    def at(self, size):
        """Everything there is to know about the store of this size."""
        if size not in self.measured:
            self.measured[size] = self.measure(size)
        return self.measured[size]

    def measure(self, size):
        fill = json.loads(self.output([self.build / "bench" / "scale_fill", self.kms.config_file, OWNER, size]))
        stored = self.side.stored_bytes()
        self.start_seconds()  # the first start after a fill may fold a write-ahead log
        self.kms.stop()
        started = self.start_seconds()
        some = random.Random(size).sample(range(size), min(size, SAMPLE))
        found = dict(
            size=size, start=started, bytes_each=stored / size, fill_per_second=fill["per_second"],
            get=self.load("get", [object_id(n) for n in some]),
            locate=self.load("locate", [f"scale-{n:09}" for n in some]),
            create=self.load("create"))
        self.kms.stop()
        return found


def latency_row(scale, operation, power, smallest=4):
    """At 10^power records beside 10^smallest; the aim is 1.5 times as long at most."""
    base = scale.at(10 ** smallest)[operation]
    here = scale.at(10 ** power)
    mine = here[operation]
    return dict(value=mine["ops_per_second"], unit="ops/s", limit_name=f"the same at 10^{smallest} records",
                limit=base["ops_per_second"], aim=1 / 1.5,
                note=f"{CLIENTS} clients, nothing cached: p50 {mine['p50_us']:.0f} us, p99 {mine['p99_us']:.0f} us; "
                     f"{here['bytes_each']:.0f} bytes a record")


def start_row(scale, power):
    here = scale.at(10 ** power)
    return dict(value=1 / here["start"], unit="1/s", limit_name="a start that takes one second", limit=1.0, aim=1.0,
                note=f"{here['start'] * 1000:.0f} ms until the ports are open; {here['bytes_each']:.0f} bytes a record")

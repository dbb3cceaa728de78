"""Three machines with PostgreSQL, Patroni and etcd each, set up with the files of packaging/ha and nothing else."""
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "packaging" / "ha"
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
NEEDED = ["/usr/bin/patroni", "/usr/bin/etcd", str(POSTGRES / "postgres"), "/usr/bin/setpriv"]
START_SECONDS = 90
REPLICATION_PASSWORD, REWIND_PASSWORD, DARE_PASSWORD = "replication-secret", "rewind-secret", "dare-secret"


def missing():
    """What this machine lacks to run the cluster; empty when nothing."""
    lacks = [] if os.geteuid() == 0 else ["root"]
    lacks += [p for p in NEEDED if not os.access(p, os.X_OK)]
    if not shutil.which("ip"):
        lacks.append("iproute2")
    elif not lacks and subprocess.run(["ip", "netns", "add", f"dare-ha-probe-{os.getpid()}"],
                                      capture_output=True).returncode != 0:
        lacks.append("network namespaces")
    else:
        subprocess.run(["ip", "netns", "del", f"dare-ha-probe-{os.getpid()}"], capture_output=True)
    return lacks


def run(words, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=60, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def filled(template, words):
    """A file of packaging/ha with the administrator's words in it."""
    text = (SHIPPED / template).read_text("utf-8")
    for key, value in words.items():
        text = text.replace(f"@{key}@", str(value))
    left = [line for line in text.splitlines() if "@" in line and not line.startswith("#")]
    if left:
        raise RuntimeError(f"{template}: words are left: {left}")
    return text


def make_authority(folder):
    folder.mkdir()
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=ha-test", "-keyout", folder / "ca.key", "-out", folder / "ca.crt"])


def make_certificate(authority, folder, name, address):
    """node.crt and node.key for a server and client of this address, beside ca.crt."""
    folder.mkdir()
    shutil.copy(authority / "ca.crt", folder)
    run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
         f"/CN={name}", "-keyout", folder / "node.key", "-out", folder / "node.csr"])
    (folder / "extensions").write_text(f"subjectAltName=IP:{address}\nextendedKeyUsage=serverAuth,clientAuth\n")
    run(["openssl", "x509", "-req", "-in", folder / "node.csr", "-CA", authority / "ca.crt", "-CAkey",
         authority / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", folder / "extensions", "-out",
         folder / "node.crt"])
    (folder / "node.key").chmod(0o600)


class DatabaseCluster:
    def __init__(self, network, driver="etcd"):
        """`driver`: Patroni's for etcd. What is shipped, and safe, is etcd; with etcd3 the test must be able to fail."""
        self.network, self.driver = network, driver
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dare-ha-"))
        self.folder.chmod(0o755)
        self.pki = self.folder / "pki"
        self.members = [self.network.address(m) for m in self.network.machines]

    def __enter__(self):
        try:
            make_authority(self.pki)
            for machine in self.network.machines:
                self._prepare(machine)
            for machine in self.network.machines:
                self.start(machine)
            self.await_healthy()
            self._make_database()
        except BaseException:
            self._show_logs()
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind:
            self._show_logs()
        self.close()

    def close(self):
        for machine in self.network.machines:
            self.network.kill(machine)
        if os.environ.get("DARE_TEST_KEEP"):
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _home(self, machine):
        return self.folder / f"n{machine}"

    def _prepare(self, machine):
        home, address = self._home(machine), self.network.address(machine)
        (home / "run").mkdir(parents=True)
        make_certificate(self.pki, home / "pki", f"n{machine}", address)
        words = {
            "NAME": f"n{machine}", "ADDRESS": address, "NETWORK": self.network.SUBNET, "DATA": home,
            "PKI": home / "pki", "REPLICATION_PASSWORD": REPLICATION_PASSWORD, "REWIND_PASSWORD": REWIND_PASSWORD,
            "ETCD_HOSTS": ",".join(f"{a}:2379" for a in self.members),
            "ETCD_MEMBERS": ",".join(f"n{m}=https://{self.network.address(m)}:2380" for m in self.network.machines)}
        (home / "patroni.yml").write_text(
            filled("patroni.yml.in", words).replace("\netcd:\n", f"\n{self.driver}:\n"), "utf-8")
        (home / "etcd.env").write_text(filled("etcd.in", words), "utf-8")
        run(["chown", "-R", "postgres:postgres", home])

    def start(self, machine):
        """What the init system does on a machine: etcd and Patroni, which starts PostgreSQL."""
        home = self._home(machine)
        # As systemd reads an EnvironmentFile.
        settings = dict(line.split("=", 1) for line in (home / "etcd.env").read_text().splitlines()
                        if line and not line.startswith("#"))
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "HOME": str(home)}
        self.network.run(machine, ["/usr/bin/etcd"], self.folder / f"etcd-{machine}.log", "postgres",
                         dict(environment, **settings))
        self.network.run(machine, ["/usr/bin/patroni", home / "patroni.yml"], self.folder / f"patroni-{machine}.log",
                         "postgres", environment)

    # --- what Patroni says

    def status(self, asked=None):
        """[member] as Patroni tells them, asked of the first machine that answers; None when none does."""
        context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        first = self._home(1) / "pki"
        context.load_cert_chain(first / "node.crt", first / "node.key")
        for machine in [asked] if asked else self.network.machines:
            try:
                url = f"https://{self.network.address(machine)}:8008/cluster"
                with urllib.request.urlopen(url, timeout=2, context=context) as answer:
                    return json.load(answer)["members"]
            except (OSError, ValueError):
                pass
        return None

    def primary(self):
        """The machine whose PostgreSQL is the primary, or None."""
        leaders = [m["name"] for m in self.status() or [] if m["role"] == "leader"]
        return int(leaders[0].removeprefix("n")) if leaders else None

    def healthy(self):
        """A primary, a synchronous standby and a replica, all streaming."""
        members = self.status() or []
        running = [m for m in members if m["state"] in ("running", "streaming")]
        roles = {m["role"] for m in running}
        return len(running) == len(self.members) and {"leader", "sync_standby"} <= roles

    def await_healthy(self, seconds=START_SECONDS):
        deadline = time.monotonic() + seconds
        while not self.healthy():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the cluster is not healthy after {seconds} s: {self.status()}")
            time.sleep(0.2)

    # --- the database

    def psql(self, text, database="postgres"):
        return self._ask(self.primary(), text, database)

    def _ask(self, machine, text, database):
        return run(self.network.command(machine, ["psql", "-h", self._home(machine) / "run", "-XAtq", "-v",
                                                  "ON_ERROR_STOP=1", "-d", database, "-c", text], "postgres"))

    def _make_database(self):
        self.psql(f"CREATE ROLE dare LOGIN PASSWORD '{DARE_PASSWORD}'")
        self.psql("CREATE DATABASE dare OWNER dare ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        # The replica that nobody waits for has it a little later, and libpq asks no further host when one says that it
        # knows no such database.
        deadline = time.monotonic() + START_SECONDS
        for machine in self.network.machines:
            while not self._knows_database(machine):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"machine {machine} has no database dare after {START_SECONDS} s")
                time.sleep(0.1)

    def _knows_database(self, machine):
        try:
            return self._ask(machine, "SELECT 1", "dare").strip() == "1"
        except RuntimeError:
            return False

    def connection(self):
        """The connection string that packaging/ha gives to kms.toml; the password comes by a file."""
        return filled("connection.in", {"HOSTS": ",".join(self.members), "PKI": self.pki}).strip()

    def _show_logs(self):
        for path in sorted(self.folder.glob("*.log")):
            print(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}")

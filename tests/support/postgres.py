"""A PostgreSQL of a test's own: in a temporary folder, on a socket there, ended by its process id.

    with postgres.Server() as database:      # None where it is missing: see missing()
        server.configure("store", "connection", database.connection)
        database.kill(); database.start()
"""
import atexit
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

START_SECONDS = 300  # initdb on a machine that is busy with other things


def _programs():
    named = os.environ.get("DARE_POSTGRES_BIN")
    return named or max((os.path.dirname(p) for p in glob.glob("/usr/lib/postgresql/*/bin/initdb")), default=None)


def missing():
    """Why there can be no server here, or None."""
    return None if _programs() else "no PostgreSQL server is installed"


def _account():
    """As root, whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        except KeyError:
            continue
    raise RuntimeError("neither postgres nor nobody is a user here")


def _process(pid):
    """(pid, state, parent, start) of a process, or None: proc(5), `stat`."""
    try:
        words = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return pid, words[0], int(words[1]), words[19]


def _children(parent):
    processes = [_process(name) for name in os.listdir("/proc") if name.isdigit()]
    return [process for process in processes if process and process[2] == parent]


def _runs(process):
    """Whether this very process, not a later one of its number, still holds anything."""
    now = _process(process[0])
    return now is not None and now[3] == process[3] and now[1] not in "ZX"


class Server:
    def __init__(self, settings=(), folder=None, environment=None):
        """`folder` stays when the server is closed, and what is in it already goes on being used. `environment` is that
        of the server and of the commands it runs, where it is not ours."""
        self.environment = environment
        self.programs, self.account, self.settings = _programs(), _account(), list(settings)
        self.stays = folder is not None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="dare-postgres-"))
        self.folder.mkdir(exist_ok=True)
        if self.account:
            os.chown(self.folder, self.account["user"], self.account["group"])
        self.process = None
        atexit.register(self.close)
        if not (self.folder / "data").exists():
            self._make()

    def _make(self):
        self._run("initdb", "-D", self.folder / "data", "-U", "dare", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    @property
    def connection(self):
        return f"host={self.folder} dbname=postgres user=dare"

    def _run(self, program, *words):
        done = subprocess.run([f"{self.programs}/{program}", *map(str, words)], cwd=self.folder, capture_output=True,
                              text=True, timeout=START_SECONDS, **self.account)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def sql(self, text):
        return self._run("psql", "-X", "-q", "-A", "-t", "-h", self.folder, "-U", "dare", "-v", "ON_ERROR_STOP=1", "-c",
                         text, "postgres")

    def start(self):
        options = ["max_connections=100", "listen_addresses=", "fsync=off", *self.settings]
        words = [f"{self.programs}/postgres", "-D", str(self.folder / "data"), "-k", str(self.folder)]
        for option in options:
            words += ["-c", option]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder, env=self.environment,
                                            **self.account)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.sql("SELECT 1")
                return self
            except RuntimeError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "server.log").read_text(errors="replace")[-2000:]) from None
            time.sleep(0.05)

    def kill(self):
        """SIGKILL of the postmaster. Its children see it and end by themselves; until they have, no server starts again."""
        if self.process is not None:
            process, self.process = self.process, None
            process.send_signal(signal.SIGSTOP)  # no more children than those
            children = _children(process.pid)
            process.send_signal(signal.SIGKILL)
            process.wait()
            deadline = time.monotonic() + START_SECONDS
            while any(_runs(child) for child in children):
                if time.monotonic() > deadline:
                    raise RuntimeError("children of a PostgreSQL that was killed do not end")
                time.sleep(0.01)

    def close(self):
        if self.process is not None:
            process, self.process = self.process, None
            process.send_signal(signal.SIGINT if self.stays else signal.SIGQUIT)  # in order, or at once
            process.wait()
        atexit.unregister(self.close)
        if not self.stays:
            shutil.rmtree(self.folder, ignore_errors=True)

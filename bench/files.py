"""Sealing and opening one large file beside `cp` of it and beside what other programs do; run.py lists the rows.

Each figure is the best of a few runs, taken in turn with `cp` of the same file to the same place. The plain file and
what is sealed lie in memory, so that nothing but the writing meets a disk; `disk` rows count until all of it is on it.
"""
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

FILE_MIB = int(os.environ.get("DARE_BENCH_FILE_MIB", "4096"))
STREAM_GIB = int(os.environ.get("DARE_BENCH_STREAM_GIB", "32"))
SECONDS = float(os.environ.get("DARE_BENCH_SECONDS", "5"))
DISK = os.environ.get("DARE_BENCH_DISK", "/var/tmp")
REPEAT = 3
OTHERS_REPEAT = 2  # of programs that are not ours
TICK = os.sysconf("SC_CLK_TCK")


def output(words, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Skipped(Exception):
    """A row that this machine cannot show, and why."""


@dataclasses.dataclass
class Run:
    """What one run of a program took: seconds, seconds of CPU of user and kernel, MiB of memory at most."""
    wall: float
    cpu: float
    peak: float

    def then(self, other):
        return Run(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak))

    def __str__(self):
        return f"{self.wall:.2f} s, {self.cpu:.2f} s of CPU, {self.peak:.0f} MiB"


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak_of(pid):
    """From the kernel's own high-water mark: wait4's would count the parent before exec, too."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def measured(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
    """Runs a program and waits for it. Its memory is looked at a hundred times a second."""
    words = [str(w) for w in words]
    with tempfile.TemporaryFile() as said:
        begin = time.monotonic()
        process = subprocess.Popen(words, stdin=stdin, stdout=stdout, stderr=said)
        over, peak = threading.Event(), [0.0]

        def look():
            while not over.wait(0.01):
                peak[0] = max(peak[0], peak_of(process.pid))
        watch = threading.Thread(target=look)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        over.set()
        watch.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            raise RuntimeError(f"{' '.join(words)}: exit {process.returncode}\n{said.read().decode()}")
    return Run(wall, usage.ru_utime + usage.ru_stime, peak[0])


def best(runs):
    return Run(min(r.wall for r in runs), min(r.cpu for r in runs), max(r.peak for r in runs))


class Mount:
    """A gocryptfs over `cipher`; its daemon's CPU and memory are the program's."""

    def __init__(self, cipher, point, password):
        self.point = point
        self.daemon = subprocess.Popen(["gocryptfs", "-q", "-fg", "-passfile", str(password), str(cipher), str(point)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not os.path.ismount(point):
            if self.daemon.poll() is not None:
                raise RuntimeError(f"gocryptfs cannot mount: {self.daemon.stderr.read()}")
            time.sleep(0.01)

    def close(self):
        subprocess.run(["fusermount", "-u", str(self.point)], check=True)
        self.daemon.wait()

    def copied(self, source, target, sync):
        """`cp` through it, the daemon's share included."""
        before = cpu_of(self.daemon.pid)
        run = measured(["cp", source, target])
        if sync:
            run = run.then(measured(["sync", target]))
        return Run(run.wall, run.cpu + cpu_of(self.daemon.pid) - before, max(run.peak, peak_of(self.daemon.pid)))


class Files:
    """A file of random bytes in memory, and a `dare` client of the server to seal it with."""

    def __init__(self, server):
        self.server = server
        ram = pathlib.Path("/dev/shm")
        free = shutil.disk_usage(ram).free if ram.is_dir() else 0
        self.in_memory = free > 4 * FILE_MIB * 2**20
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dare-bench-", dir=ram if self.in_memory else None))
        self.disk_folder = None
        self.plain = self.folder / "plain"
        host, port = server.kms.kmip
        self.config = self.folder / "client.toml"
        self.config.write_text(
            f'servers = ["{host}:{port}"]\nca_file = "{server.identity.ca}"\n'
            f'certificate_file = "{server.identity.certificate}"\nkey_file = "{server.identity.key}"\n')
        self.dare("key", "create", "bench-kek")

    def words(self, *words):
        return [self.server.build / "bin" / "dare", "--config", self.config, *words]

    def dare(self, *words):
        return output(self.words(*words))

    def place(self, where):
        if where == "tmpfs":
            if not self.in_memory:
                raise Skipped(f"/dev/shm has no room for four files of {FILE_MIB} MiB (DARE_BENCH_FILE_MIB)")
            return self.folder
        if self.disk_folder is None:
            self.disk_folder = pathlib.Path(tempfile.mkdtemp(prefix="dare-bench-", dir=DISK))
            if output(["stat", "-f", "-c", "%T", self.disk_folder]).strip() in ("tmpfs", "ramfs"):
                raise Skipped(f"{DISK} is no disk; name a folder on one (DARE_BENCH_DISK)")
        return self.disk_folder

    def source(self):
        if not self.plain.exists():
            with open(self.plain, "wb") as out:
                for _ in range(FILE_MIB):
                    out.write(os.urandom(2**20))
        return self.plain

    def sealed(self):
        path = self.folder / "sealed-source"
        if not path.exists():
            self.dare("seal", self.source(), "-o", path, "--key", "bench-kek")
        return path

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.disk_folder:
            shutil.rmtree(self.disk_folder, ignore_errors=True)


class FileRows:
    """Makes the rows; the server and its files only when a row needs them."""

    def __init__(self, bench):
        self.bench = bench

    @property
    def files(self):
        return self.bench.files

    # --- ours

    def seal(self, where, *more):
        return self._ours(where, self.files.source(), lambda source, target: (
            "seal", source, "-o", target, "--key", "bench-kek", *more))

    def open(self, where, *more):
        return self._ours(where, self.files.sealed(), lambda source, target: ("open", source, "-o", target, *more))

    def cpu(self, row):
        """The same with one worker, for its CPU alone."""
        mine, copy = row["runs"]
        return dict(value=mine.cpu, unit="s CPU", limit_name="cp of the same file", limit=copy.cpu, aim=1.3, at_most=True,
                    note=f"one worker; {mine} beside {copy}")

    def _ours(self, where, source, words):
        mine, copy = self._in_turn(where, source, lambda target: measured(self.files.words(*words(source, target))), REPEAT,
                                   synced=True)
        aim = 1 / 0.9 if where == "tmpfs" else 1 / 1.05
        return self._row(where, mine, copy, aim)

    def _in_turn(self, where, source, make, repeat, synced=False):
        """The best of some runs beside `cp`. `synced`: the program itself waits until all is on the disk."""
        place = self.files.place(where)
        target, copy = place / "made", place / "copy"
        mine, limits = [], []
        for _ in range(repeat):
            limits.append(self._until_on_disk(where, measured(["cp", source, copy]), copy))
            copy.unlink()
            run = make(target)
            mine.append(run if synced else self._until_on_disk(where, run, target))
            target.unlink(missing_ok=True)
        return best(mine), best(limits)

    @staticmethod
    def _until_on_disk(where, run, target):
        return run.then(measured(["sync", target])) if where == "disk" else run

    @staticmethod
    def _row(where, mine, copy, aim):
        size = FILE_MIB * 2**20 / 1e9
        return dict(value=size / mine.wall, unit="GB/s", limit=size / copy.wall, aim=aim, runs=(mine, copy),
                    limit_name="cp of the same file" + (" and sync" if where == "disk" else ""),
                    note=f"{FILE_MIB} MiB, memory to {where}; {mine} beside {copy}; CPU {mine.cpu / copy.cpu:.2f} times")

    # --- others, of which no aim is set

    @staticmethod
    def _need(program):
        if shutil.which(program) is None:
            raise Skipped(f"{program} is not installed")

    def _other(self, where, source, make):
        mine, copy = self._in_turn(where, source, make, OTHERS_REPEAT)
        return self._row(where, mine, copy, 0.0)

    def age(self, direction, where):
        self._need("age")
        key, sealed = self.files.folder / "age.key", self.files.folder / "age.sealed"
        if not key.exists():
            output(["age-keygen", "-o", key])
        recipient = output(["age-keygen", "-y", key]).strip()
        seal = ["age", "-r", recipient, "-o"]
        if direction == "seal":
            return self._other(where, self.files.source(),
                               lambda target: measured([*seal, target, self.files.source()]))
        output([*seal, sealed, self.files.source()])
        try:
            return self._other(where, self.files.source(),
                               lambda target: measured(["age", "-d", "-i", key, "-o", target, sealed]))
        finally:
            sealed.unlink()

    def openssl(self, where):
        self._need("openssl")
        secret = ["-K", "11" * 32, "-iv", "22" * 16]  # of a file that holds random bytes
        return self._other(where, self.files.source(), lambda target: measured(
            ["openssl", "enc", "-aes-256-ctr", *secret, "-in", self.files.source(), "-out", target]))

    def gocryptfs(self, direction, where):
        self._need("gocryptfs")
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            raise Skipped("gocryptfs needs /dev/fuse, which cannot be used here")
        place, source = self.files.place(where), self.files.source()
        # Read from memory, as everything else is.
        cipher = (place if direction == "write" else self.files.folder) / "gocryptfs"
        point, password = self.files.folder / "mount", self.files.folder / "gocryptfs.pass"
        for folder in (cipher, point):
            folder.mkdir()
        password.write_text("not a secret\n", "ascii")
        try:
            output(["gocryptfs", "-q", "-init", "-scryptn", "10", "-passfile", password, cipher])
            if direction == "read":
                self._through(cipher, point, password, lambda mount: mount.copied(source, point / "f", False))
                make = lambda target: self._through(cipher, point, password, lambda mount: mount.copied(  # noqa: E731
                    point / "f", target, where == "disk"))
            else:
                def make(_):
                    run = self._through(cipher, point, password,
                                        lambda mount: mount.copied(source, point / "f", where == "disk"))
                    next(p for p in cipher.iterdir() if not p.name.startswith("gocryptfs.")).unlink()
                    return run
            mine, copy = self._in_turn(where, source, make, OTHERS_REPEAT, synced=True)
            return self._row(where, mine, copy, 0.0)
        finally:
            shutil.rmtree(cipher)
            point.rmdir()

    @staticmethod
    def _through(cipher, point, password, use):
        """A mount for each run: what the last one left in the page cache is gone."""
        mount = Mount(cipher, point, password)
        try:
            return use(mount)
        finally:
            mount.close()

    # --- the cipher, and memory

    def aead(self, threads):
        told = json.loads(output([self.bench.build / "bench" / "gcm_speed", 256 << 10, min(SECONDS, 2), threads]))
        others = {name: told[name] for name in ("openssl", "ipsec-mb") if told.get(name)}
        fastest = max(others, key=others.get)
        return dict(value=told["mine"], unit="GB/s", limit_name=f"the fastest of {', '.join(others)}: {fastest}",
                    limit=others[fastest], aim=0.9,
                    note=f"{told['kernel']}, AES-256-GCM of frames of 256 KiB in {threads} threads; "
                         + ", ".join(f"{name} alone {speed:.2f}" for name, speed in others.items()))

    def stream(self):
        """A stream of zeroes out of a file of holes, sealed into a pipe and opened out of it."""
        holes = self.files.folder / "holes"
        with open(holes, "wb") as out:
            out.truncate(STREAM_GIB << 30)
        opened = []
        with open(holes, "rb") as source, contextlib.ExitStack() as ends:
            read, write = (ends.enter_context(os.fdopen(fd, mode)) for fd, mode in zip(os.pipe(), ("rb", "wb")))
            opener = threading.Thread(target=lambda: opened.append(
                measured(self.files.words("open", "-", "-o", "-"), stdin=read)))
            opener.start()
            sealed = measured(self.files.words("seal", "-", "-o", "-", "--key", "bench-kek"), stdin=source, stdout=write)
            write.close()
            opener.join()
        holes.unlink()
        if not opened:
            raise RuntimeError("opening the stream failed")
        return dict(value=max(sealed.peak, opened[0].peak), unit="MiB", limit_name="the most that is wanted", limit=32.0,
                    aim=1.0, at_most=True, note=f"{STREAM_GIB} GiB through pipes; seal {sealed}; open {opened[0]}")


def rows():
    """Name to function of the Bench in run.py."""
    found = {}
    for where in ("tmpfs", "disk"):
        found.update({
            f"seal-{where}": lambda b, w=where: b.file_rows.seal(w),
            f"open-{where}": lambda b, w=where: b.file_rows.open(w),
            f"age-seal-{where}": lambda b, w=where: b.file_rows.age("seal", w),
            f"age-open-{where}": lambda b, w=where: b.file_rows.age("open", w),
            f"gocryptfs-write-{where}": lambda b, w=where: b.file_rows.gocryptfs("write", w),
            f"gocryptfs-read-{where}": lambda b, w=where: b.file_rows.gocryptfs("read", w),
            f"openssl-ctr-{where}": lambda b, w=where: b.file_rows.openssl(w),
        })
    found.update({
        "seal-cpu": lambda b: b.file_rows.cpu(b.file_rows.seal("tmpfs", "--threads", "1")),
        "open-cpu": lambda b: b.file_rows.cpu(b.file_rows.open("tmpfs", "--threads", "1")),
        "aead-1": lambda b: b.file_rows.aead(1),
        "aead-2": lambda b: b.file_rows.aead(2),
        "stream-memory": lambda b: b.file_rows.stream(),
    })
    return found

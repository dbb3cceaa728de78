"""What a process has in its memory, and where: /proc/PID/mem and smaps, which root and a debugger see."""
import contextlib
import dataclasses
import os
import re
import resource
import signal
import subprocess

CHUNK = 4 << 20


@dataclasses.dataclass(frozen=True)
class Region:
    begin: int
    end: int
    name: str
    flags: frozenset  # VmFlags of proc(5): "lo" locked, "dd" not in dumps

    @property
    def is_arena(self):
        """Memory that is never paged out and never dumped."""
        return {"lo", "dd"} <= self.flags

    @property
    def is_hidden(self):
        """Memory of memfd_secret(2), which not even the kernel reads: a search finds nothing in it."""
        return self.name.startswith("/secretmem")


def missing():
    """Why the memory of another process cannot be read here, or None."""
    return None if os.geteuid() == 0 else "only root can read a process that forbids it"


def regions(pid):
    """Those that were ever written to and have pages; code and constants of files hold no keys of ours."""
    found, head, resident = [], None, False
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as smaps:
        for line in smaps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
            if match:
                head = (int(match[1], 16), int(match[2], 16), match[3], match[4])
            elif line.startswith(("Rss:", "Swap:")):
                resident = int(line.split()[1]) > 0 or (resident and line.startswith("Swap:"))
            elif line.startswith("VmFlags:") and resident and head[2].startswith("rw"):
                found.append(Region(head[0], head[1], head[3] or "anonymous", frozenset(line.split()[1:])))
    return found


def search(pid, secrets):
    """{name: [Region]}: where each of the byte strings is, once for each place."""
    found = {name: [] for name in secrets}
    longest = max(map(len, secrets.values()))
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for region in regions(pid):
            rest, at = b"", region.begin
            while at < region.end:
                try:
                    part = os.pread(memory.fileno(), min(CHUNK, region.end - at), at)
                except OSError:
                    break  # guard pages, devices
                if not part:
                    break
                data = rest + part
                for name, secret in secrets.items():
                    found[name] += [region] * data.count(secret)
                rest, at = data[-(longest - 1):], at + len(part)
    return found


def leaves_core(process):
    """Ends a Popen by SIGABRT, with no limit on cores where one may lift it, and tells whether the kernel wrote one."""
    with contextlib.suppress(PermissionError):
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -os.WTERMSIG(status)
    return os.WCOREDUMP(status)


def cores_are_written(folder):
    """Whether a program that does not forbid it leaves a core here."""
    return leaves_core(subprocess.Popen(["sleep", "600"], cwd=folder))

"""Machines for a test: network namespaces on one bridge, made here and removed here. Needs root and iproute2.

    with Network(3) as network:           # this thread, and what it starts, is on the hub afterwards
        network.run(1, ["program", ...])  # a process on machine 1
        network.cut(1); network.heal(1)   # its cable
        network.kill(1)                   # kill -9 of everything on it: the power went out
"""
import atexit
import ctypes
import os
import pathlib
import signal
import subprocess
import time

PREFIX = "dare-ha-"
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
GONE_SECONDS = 10


def ip(*words, check=True):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=30)
    if check and done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr}")
    return done.stdout


def _enter(path):
    with open(path, "rb") as namespace:
        if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def _die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Network:
    """`machines` namespaces beside a hub; addresses 10.77.0.1, .2, … and .254 of the hub, seen by nobody else."""

    SUBNET = "10.77.0.0/24"
    HUB = "10.77.0.254"

    def __init__(self, machines):
        self.machines = range(1, machines + 1)
        self.name = f"{PREFIX}{os.getpid()}"
        self.home = None
        self.processes = []

    def address(self, machine):
        return f"10.77.0.{machine}"

    def __enter__(self):
        _remove_leftovers()
        atexit.register(self.close)
        try:
            self._build()
            self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            _enter(f"/run/netns/{self.name}-hub")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _build(self):
        hub = self._namespace("hub")
        ip("-n", hub, "link", "add", "br0", "type", "bridge")
        ip("-n", hub, "addr", "add", f"{self.HUB}/24", "dev", "br0")
        ip("-n", hub, "link", "set", "br0", "up")
        for machine in self.machines:
            there = self._namespace(machine)
            # Both ends are born inside: nothing of the machine that runs the test is touched.
            ip("-n", hub, "link", "add", f"m{machine}", "type", "veth", "peer", "name", "eth0", "netns", there)
            ip("-n", hub, "link", "set", f"m{machine}", "master", "br0")
            ip("-n", hub, "link", "set", f"m{machine}", "up")
            ip("-n", there, "addr", "add", f"{self.address(machine)}/24", "dev", "eth0")
            ip("-n", there, "link", "set", "eth0", "up")

    def _namespace(self, suffix):
        name = f"{self.name}-{suffix}"
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        return name

    def command(self, machine, words, user=None):
        """The words that run a command on a machine, as `user`."""
        as_user = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []
        return ["ip", "netns", "exec", f"{self.name}-{machine}", *as_user, *map(str, words)]

    def run(self, machine, words, log, user=None, environment=None):
        """Starts a process on a machine; it ends with this one at the latest."""
        with open(log, "ab") as out:
            process = subprocess.Popen(self.command(machine, words, user), stdout=out, stderr=out,
                                       stdin=subprocess.DEVNULL, env=environment, preexec_fn=_die_with_parent)
        self.processes.append(process)
        return process

    def cut(self, machine):
        ip("-n", f"{self.name}-hub", "link", "set", f"m{machine}", "down")

    def heal(self, machine):
        ip("-n", f"{self.name}-hub", "link", "set", f"m{machine}", "up")

    def pids(self, machine):
        return [int(p) for p in ip("netns", "pids", f"{self.name}-{machine}", check=False).split()]

    def kill(self, machine):
        """kill -9 of everything on the machine, until nothing is left."""
        _kill_all(f"{self.name}-{machine}")
        for process in self.processes:
            process.poll()

    def close(self):
        atexit.unregister(self.close)
        if self.home is not None:
            LIBC.setns(self.home, CLONE_NEWNET)
            os.close(self.home)
            self.home = None
        for suffix in [*self.machines, "hub"]:
            _remove(f"{self.name}-{suffix}")
        for process in self.processes:
            process.wait(GONE_SECONDS)


def _kill_all(namespace):
    deadline = time.monotonic() + GONE_SECONDS
    while time.monotonic() < deadline:
        # This very process is on the hub while the test runs.
        pids = [int(p) for p in ip("netns", "pids", namespace, check=False).split() if int(p) != os.getpid()]
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)


def _remove(namespace):
    if not pathlib.Path("/run/netns", namespace).exists():
        return
    _kill_all(namespace)
    ip("netns", "del", namespace, check=False)


def _remove_leftovers():
    """Namespaces of a run that was killed itself: what lives in them is as orphaned."""
    for path in pathlib.Path("/run/netns").glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not pathlib.Path("/proc", owner).exists():
            _remove(path.name)

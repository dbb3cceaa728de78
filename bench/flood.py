"""A normal client beside a crowd and beside attackers: its p99 before and during, and the server's memory."""
import multiprocessing
import os
import random
import resource
import socket
import ssl
import time

SECONDS = float(os.environ.get("DARE_BENCH_SECONDS", "5"))
IDLE = int(os.environ.get("DARE_BENCH_IDLE", "5000"))
BUSY = int(os.environ.get("DARE_BENCH_BUSY", "500"))
SLOW = 1000  # connections that begin a handshake and never finish it
DEAF = 64    # connections that ask and never read
AIM = 0.1    # the normal client's p99 may grow tenfold on a machine that is flooded with more than it can take


def any_address():
    """Of 127.0.0.0/8, all of which is this machine: an attacker with as many addresses as he likes."""
    return f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"


def connect(address, port, source=None):
    return socket.create_connection((address, port), timeout=5, source_address=(source, 0) if source else None)


def garbage(server, _identity, stop):
    """Bytes that are no TLS, as fast as they go."""
    while not stop.is_set():
        try:
            with connect(*server, any_address()) as c:
                c.sendall(os.urandom(200))
                while c.recv(4096):
                    pass
        except OSError:
            pass


def handshakes(server, _identity, stop):
    """Handshakes of somebody without a certificate: the server has done its part of the work before it knows."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    while not stop.is_set():
        try:
            with connect(*server, any_address()) as plain, context.wrap_socket(plain) as c:
                c.recv(1)
        except (OSError, ssl.SSLError):
            pass


def ask_without_reading(c, question, deaf):
    try:
        for _ in range(100):
            c.send(question)
    except ssl.SSLWantWriteError:
        pass  # the way is full
    except (OSError, ssl.SSLError):
        deaf.remove(c)


def slow(server, identity, stop):
    """Handshakes that never end, and clients that ask and never read the answers."""
    from support import ttlv
    from support.kmip_client import item, message
    question = ttlv.encode(message([("Query", [item("QueryFunction", "QueryOperations")])]))
    context, held, deaf = identity.context(), [], []
    while not stop.is_set():
        try:
            while len(held) < SLOW:
                c = connect(*server, any_address())
                c.sendall(b"\x16\x03\x01")
                held.append(c)
            held = held[50:]  # some go, others come
            while len(deaf) < DEAF:
                deaf.append(context.wrap_socket(connect(*server)))
                deaf[-1].setblocking(False)
            for c in list(deaf):
                ask_without_reading(c, question, deaf)
        except (OSError, ssl.SSLError):
            pass
        stop.wait(0.05)


ATTACKS = {"garbage": garbage, "handshakes": handshakes, "slow": slow}


def resident_mib(process):
    with open(f"/proc/{process}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


def p99_row(before, during, note):
    return dict(value=during["p99_us"], unit="us", limit_name="p99 of a normal client before", limit=before["p99_us"], aim=0.0, note=note)


def attack_row(server, name):
    """One client that asks for a cached key, before and while two processes attack."""
    process = server.kms.process.pid
    before = server.load("get", 1)
    calm = resident_mib(process)
    stop = multiprocessing.Event()
    attackers = [multiprocessing.Process(target=ATTACKS[name], args=(server.kms.kmip, server.identity, stop)) for _ in range(2)]
    for a in attackers:
        a.start()
    try:
        time.sleep(1)
        during = server.load("get", 1)
        loaded = resident_mib(process)
    finally:
        stop.set()
        for a in attackers:
            a.join(10)
            if a.is_alive():
                a.terminate()
    return p99_row(before, during, f"{during['ops_per_second']:.0f} of {before['ops_per_second']:.0f} requests a second, p50 "
                   f"{during['p50_us']:.0f} of {before['p50_us']:.0f} us; the server took {calm:.0f} MiB before, {loaded:.0f} during")


def crowd_row(server):
    """The same beside idle connections and busy ones."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, IDLE + 1000)), hard))
    process = server.kms.process.pid
    before = server.load("get", 1)
    calm = resident_mib(process)
    context, idle = server.identity.context(), []
    try:
        for _ in range(IDLE):
            idle.append(context.wrap_socket(connect(*server.kms.kmip)))
        full = resident_mib(process)
        busy = multiprocessing.Process(target=lambda: server.load("get", BUSY))
        busy.start()
        time.sleep(1)
        during = server.load("get", 1)
        most = resident_mib(process)
        busy.join()
    finally:
        for c in idle:
            c.close()
    return p99_row(before, during, f"{IDLE} idle and {BUSY} busy connections: p50 {during['p50_us']:.0f} of {before['p50_us']:.0f} us; "
                   f"the server took {calm:.0f} MiB before, {full:.0f} with the idle ones ({(full - calm) * 1024 / IDLE:.1f} KiB each), "
                   f"{most:.0f} with the busy ones")


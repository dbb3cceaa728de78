#!/usr/bin/python3
"""kill -9 of dare-kms while clients create keys under request identities: whatever a client repeats afterwards, answered
or not, there is one key for each identity.

    repeat_test.py [--rounds 15] [--threads 4]     DARE_SEED=… repeats the choices of a run
"""
import argparse
import contextlib
import pathlib
import random
import sqlite3
import ssl
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms  # noqa: E402
from support.kmip_client import ConnectionLost, identity_extension  # noqa: E402

LOST = (ConnectionLost, OSError, ssl.SSLError)


class Creator(threading.Thread):
    """Creates until the server is gone. `asked`: identity -> id of the key, or None where no answer came."""

    def __init__(self, server, identity, seed):
        super().__init__(daemon=True)
        self.server, self.identity, self.random = server, identity, random.Random(seed)
        self.asked, self.problem = {}, None

    def run(self):
        try:
            with self.server.client(self.identity) as client:
                while True:
                    name = self.random.randbytes(self.random.randrange(16, 65))
                    self.asked[name] = None
                    self.asked[name] = client.create(extensions=[identity_extension(name)])
        except LOST:
            pass
        except Exception as e:  # a refusal or an unreadable answer is a finding
            self.problem = f"{type(e).__name__}: {e}"


def repeat(client, asked, findings):
    """Asks for everything again; how many answers had been lost of keys that were made."""
    made_unheard = 0
    for name, identifier in asked.items():
        again = client.create(extensions=[identity_extension(name, critical=True)])
        if identifier is None:
            made_unheard += 1
        elif again != identifier:
            findings.append(f"{name.hex()}: was {identifier}, is {again}")
        asked[name] = again
    if len(set(asked.values())) != len(asked):
        findings.append("two identities have one key")
    return made_unheard


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=4)
    arguments = parser.parse_args()
    rng = random.Random(fixture.seed())
    findings, asked = [], [{} for _ in range(arguments.threads)]
    lost = 0
    with kms.Kms(kms.Programs()) as server:
        server.start()
        identities = [server.identity(f"client-{n}") for n in range(arguments.threads)]
        for _ in range(arguments.rounds):
            creators = [Creator(server, identity, rng.getrandbits(64)) for identity in identities]
            for creator in creators:
                creator.start()
            time.sleep(rng.uniform(0.05, 0.4))  # the random moment is the point here, not a wait for something
            server.kill()
            server.start()
            for n, creator in enumerate(creators):
                creator.join(60)
                if creator.is_alive() or creator.problem:
                    findings.append(f"client {n}: {creator.problem or 'hangs'}")
                lost += sum(1 for identifier in creator.asked.values() if identifier is None)
                with server.client(identities[n]) as client:
                    repeat(client, creator.asked, findings)
                asked[n].update(creator.asked)
        repeated = [r for r in server.audit_records() if "nothing was done again" in r.get("detail", "")]
        server.stop()
        # The store itself is asked: a kill between the log's line and the commit leaves a line about a key that was not made.
        with contextlib.closing(sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)) as store:
            for n in range(arguments.threads):
                made = {row[0] for row in store.execute("SELECT id FROM objects WHERE owner = ?", (f"client-{n}",))}
                if made != set(asked[n].values()):
                    findings.append(f"client {n}: {len(asked[n])} identities, {len(made)} keys")
    total = sum(len(a) for a in asked)
    for finding in findings:
        print(f"FAIL {finding}")
    print(f"{arguments.rounds} kills, {total} creates, {lost} answers lost, {len(repeated)} repeats answered from memory, "
          f"{len(findings)} failed")
    if total < arguments.rounds * 2 or not repeated:
        print("FAIL: too little load to mean anything")
        return 1
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

"""Clients that keep working while servers and databases die, and remember what they were told."""
import itertools
import os
import random
import ssl
import threading
import time

from support import ttlv
from support.kmip_client import ConnectionLost, KmipFailure, identity_extension

LOST = (ConnectionLost, OSError, ssl.SSLError, ttlv.TtlvError)
# Answers by which a server says that it failed itself; whether the change happened is not known then.
SERVER_FAILED = ("GeneralFailure", "InternalServerError", "ServerLimitExceeded")
PAUSE = 0.1           # before another server is asked
ANSWER_SECONDS = 20   # longer than a server may keep a client waiting for its database
PACE = 0.01           # a client's own work between two requests


class Endpoints:
    """Connections to several servers: the one in use, and the next one when it fails."""

    def __init__(self, servers, identity, first):
        self.servers, self.identity, self.at = servers, identity, first
        self.connection = None

    def get(self):
        if self.connection is None:
            self.connection = self.servers[self.at].client(self.identity, ANSWER_SECONDS)
        return self.connection

    def next(self):
        self.close()
        self.at = (self.at + 1) % len(self.servers)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Worker(threading.Thread):
    """Repeats `step` until told to stop, and keeps the time of each answer."""

    def __init__(self, servers, identity, first):
        super().__init__(daemon=True)
        self.endpoints = Endpoints(servers, identity, first)
        self.stop = threading.Event()
        self.answered = [time.monotonic()]  # moments
        self.refused = 0   # a server said that it failed
        self.lost = 0      # no answer came
        self.problem = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.step()
                self.answered.append(time.monotonic())
                self.stop.wait(PACE)
        except Exception as e:  # anything else than a server that is away is a finding
            self.problem = f"{type(e).__name__}: {e}"
        finally:
            self.endpoints.close()

    def until_answered(self, ask):
        """Asks until a server answers; `ask(client, again)` is told whether it was asked before."""
        again = False
        while True:
            try:
                return ask(self.endpoints.get(), again)
            except LOST:
                self.lost += 1
            except KmipFailure as e:
                if e.reason not in SERVER_FAILED:
                    raise
                self.refused += 1
            again = True
            self.endpoints.next()
            time.sleep(PAUSE)

    def longest_gap(self):
        return max(b - a for a, b in itertools.pairwise(self.answered))


class Writer(Worker):
    """Creates keys without names, so that nothing but their request identity keeps them from being made twice."""

    def __init__(self, *words):
        super().__init__(*words)
        self.keys = {}        # identity -> Unique Identifier
        self.repeated = set()  # identities that were asked for more than once

    def step(self):
        identity = os.urandom(16)

        def create(client, again):
            if again:
                self.repeated.add(identity)
            return client.create(extensions=[identity_extension(identity, critical=again)])

        self.keys[identity] = self.until_answered(create)


class Reader(Worker):
    """Gets keys that writers were told of, and holds each against what it was the first time."""

    def __init__(self, writers, *words):
        super().__init__(*words)
        self.writers, self.material = writers, {}

    def step(self):
        known = list(itertools.chain.from_iterable(list(w.keys.values())[-50:] for w in self.writers))
        if not known:
            return
        identifier = random.choice(known)
        material = self.until_answered(lambda client, _: client.get(identifier))
        if len(material) != 32 or self.material.setdefault(identifier, material) != material:
            raise ValueError(f"{identifier}: another key than before")


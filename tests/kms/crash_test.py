#!/usr/bin/python3
"""kill -9 of dare-kms at random moments under load: what was acknowledged is there afterwards, nothing is half-done.

    crash_test.py [--rounds 50] [--threads 4]     DARE_SEED=… repeats the choices of a run

Every round starts the server, judges what the last kill left, then lets several clients create, activate, replace,
revoke and destroy until the server is killed in the middle of it.
"""
import argparse
import pathlib
import random
import ssl
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import audit, fixture, kms  # noqa: E402
from support.kmip_client import VOCABULARY, ConnectionLost, KmipFailure, uid  # noqa: E402

LOST = (ConnectionLost, OSError, ssl.SSLError)
NEXT = {"PreActive": ("activate", "destroy"), "Active": ("revoke", "compromise", "replace"), "Deactivated": ("destroy",),
        "Compromised": ("destroy",)}
REPLACEMENT_OBJECT_LINK = VOCABULARY.enum_value(VOCABULARY.tags["LinkType"], "ReplacementObjectLink")
AFTER = {"activate": "Active", "revoke": "Deactivated", "compromise": "Compromised"}


class Known:
    """What a client knows of an object: the state it was told last, and what it asked for without an answer."""

    def __init__(self, identifier, name, material, state="PreActive"):
        self.identifier, self.name, self.material = identifier, name, material
        self.state = state   # None: not told yet
        self.pending = None  # an operation whose answer never came

    def destroyed(self):
        return "DestroyedCompromised" if self.state == "Compromised" else "Destroyed"

    def after(self, operation):
        if operation == "replace":  # Re-key: the key lives on, its name goes to the new one
            return self.state
        return self.destroyed() if operation == "destroy" else AFTER[operation]

    def allowed_states(self):
        if self.state is None:
            return {"PreActive", "Active", "Deactivated"}
        return {self.state} | ({self.after(self.pending)} if self.pending else set())


class Load(threading.Thread):
    """One client that works until the server is gone. Its books are read when it has ended."""

    def __init__(self, server, identity, number, seed, known):
        super().__init__(daemon=True)
        self.server, self.identity, self.number = server, identity, number
        self.random = random.Random(seed)
        self.known = known          # [Known] of the objects that are this client's to change
        self.created = []           # acknowledged in this round
        self.unanswered = []        # names of creates whose answer never came
        self.operations = 0
        self.problem = None

    def run(self):
        try:
            with self.server.client(self.identity) as client:
                while True:
                    self.step(client)
                    self.operations += 1
        except LOST:
            pass
        except Exception as e:  # a refusal or an unreadable answer is a finding
            self.problem = f"{type(e).__name__}: {e}"

    def step(self, client):
        movable = [k for k in self.known + self.created if k.pending is None and k.state in NEXT and k.name]
        if not movable or self.random.random() < 0.4:
            self.create(client)
        else:
            known = self.random.choice(movable)
            self.change(client, known, self.random.choice(NEXT[known.state]))

    def create(self, client):
        name = f"crash-{self.number}-{self.random.getrandbits(64):016x}"
        try:
            identifier = client.create(name)
        except LOST:
            self.unanswered.append(name)
            raise
        known = Known(identifier, name, None)
        self.created.append(known)
        if self.random.random() < 0.3:
            known.material = client.get(identifier)

    def change(self, client, known, operation):
        known.pending = operation
        if operation == "activate":
            client.activate(known.identifier)
        elif operation == "revoke":
            client.revoke(known.identifier)
        elif operation == "compromise":
            client.revoke(known.identifier, "KeyCompromise")
        elif operation == "replace":
            answer = client.call("ReKey", [uid(known.identifier)])
            self.created.append(Known(answer.value("UniqueIdentifier"), known.name, None, state=None))
            known.name = None
        else:
            client.destroy(known.identifier)
        known.state, known.pending = known.after(operation), None


class Judge:
    """Holds what the server says after a crash against what the clients were told before it."""

    def __init__(self):
        self.findings = []
        self.checked = 0

    def check(self, condition, text):
        self.checked += 1
        if not condition:
            self.findings.append(text)
            print(f"FAIL {text}", flush=True)

    def object(self, client, known):
        """One known object: there, in an allowed state, found by its name, its key whole and unchanged."""
        who = f"{known.name} ({known.identifier}, {known.state}, pending {known.pending})"
        try:
            state = client.state(known.identifier)
        except KmipFailure as e:
            self.check(False, f"{who}: acknowledged, and now {e}")
            return
        self.check(state in known.allowed_states(), f"{who}: is {state}")
        replaced = known.pending == "replace" and self.replacement(client, known, who)
        known.state, known.pending = state, None
        # Locate leaves destroyed objects out unless asked for them (Storage Status Mask).
        findable = [] if state.startswith("Destroyed") else [known.identifier]
        if known.name:
            self.check(client.locate(known.name) == findable, f"{who}: {state}, and Locate by name says otherwise")
        try:
            material = client.get(known.identifier)
        except KmipFailure as e:
            self.check(state.startswith("Destroyed"), f"{who}: {state}, and Get says {e}")
            return
        self.check(not state.startswith("Destroyed"), f"{who}: destroyed, and Get answers")
        self.check(len(material) == 32 and known.material in (None, material), f"{who}: another key than before")
        known.material = material
        return replaced or None

    def replacement(self, client, known, who):
        """A Re-key without an answer: not done, or done whole. The new object, if there is one."""
        found = client.locate(known.name)
        self.check(len(found) == 1, f"{who}: {len(found)} objects have its name after a Re-key")
        if found in ([], [known.identifier]):
            return None
        new = Known(found[0], known.name, None, state=None)
        known.name = None
        self.object(client, new)
        links = [[item.value for item in link] for link in client.attribute_values(known.identifier, "Link")]
        self.check([REPLACEMENT_OBJECT_LINK, new.identifier] in links, f"{who}: replaced, and its links are {links}")
        return new

    def unanswered(self, client, name):
        """A create without an answer: not there at all, or there whole."""
        found = client.locate(name)
        self.check(len(found) <= 1, f"{name}: {len(found)} objects of one create")
        if not found:
            return None
        known = Known(found[0], name, None)
        self.object(client, known)
        return known


def play_round(server, identities, books, judge, rng, first):
    """Starts the server, judges the last round's books, loads it and kills it. Returns (threads, seconds of load)."""
    server.start()
    if not first:
        judge_books(server, identities, books, judge)
    loads = [Load(server, identities[n], n, rng.getrandbits(64), books[n]["known"][-20:])
             for n in range(len(identities))]
    for load in loads:
        load.start()
    seconds = rng.uniform(0.02, 0.6)
    time.sleep(seconds)  # the random moment is the point here, not a wait for something
    server.kill()
    for load in loads:
        load.join(60)
        judge.check(not load.is_alive(), "a client hangs after the server is gone")
        judge.check(load.problem is None, f"client {load.number}: {load.problem}")
        book = books[load.number]
        book["known"].extend(load.created)
        book["touched"] = load.known + load.created
        book["unanswered"] = load.unanswered
    return loads, seconds


def judge_books(server, identities, books, judge, everything=False):
    for number, identity in enumerate(identities):
        book = books[number]
        with server.client(identity) as client:
            for known in list(book["known"] if everything else book["touched"]):
                new = judge.object(client, known)
                if new:
                    book["known"].append(new)
            for name in book["unanswered"]:
                known = judge.unanswered(client, name)
                if known:
                    book["known"].append(known)
            book["unanswered"] = []


def judge_audit(server, books, judge):
    """The audit log is whole: its chain holds, and every create that took effect is in it."""
    try:
        print(f"audit log: {audit.verify(server.audit_folder)} records, the chain holds", flush=True)
    except audit.BrokenChain as e:
        judge.check(False, f"audit log: {e}")
    made = {r["object"] for r in server.audit_records() if r["outcome"] == "allowed"}
    for book in books:
        for known in book["known"]:
            judge.check(known.identifier in made, f"{known.name} ({known.identifier}): not in the audit log")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--threads", type=int, default=4)
    arguments = parser.parse_args()
    rng = random.Random(fixture.seed())
    judge, total = Judge(), 0
    with kms.Kms(kms.Programs()) as server:
        server.start()
        identities = [server.identity(f"client-{n}") for n in range(arguments.threads)]
        server.stop()
        books = [{"known": [], "touched": [], "unanswered": []} for _ in identities]
        for n in range(arguments.rounds):
            loads, seconds = play_round(server, identities, books, judge, rng, n == 0)
            operations = sum(load.operations for load in loads)
            total += operations
            print(f"round {n + 1}: killed after {seconds:.2f} s, {operations} operations acknowledged, "
                  f"{sum(len(load.unanswered) for load in loads)} creates unanswered", flush=True)
        server.start()
        judge_books(server, identities, books, judge, everything=True)
        server.stop()
        judge_audit(server, books, judge)
        objects = sum(len(b["known"]) for b in books)
    print(f"{arguments.rounds} kills, {total} acknowledged operations, {objects} objects, {judge.checked} checks, "
          f"{len(judge.findings)} failed")
    if total < arguments.rounds * 2:
        print("FAIL: too little load to mean anything")
        return 1
    return 1 if judge.findings else 0


if __name__ == "__main__":
    sys.exit(main())

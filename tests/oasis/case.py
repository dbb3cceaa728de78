"""One OASIS case file: what it needs, and playing it against a server."""
import pathlib
import re
import time

from compare import Comparison, Difference, State
from support import kmip_xml, ttlv
from support.kmip_client import Client, ConnectionLost, results
from support.kmip_xml import Placeholder
from support.ttlv import Type

REPEAT_SECONDS = 30
REPEAT_PAUSE = 0.2
# A case that waits for a date to come ("$NOW+120 … [REPEAT] until … Deactivated") is played with this many seconds.
SHORTENED_OFFSET = 3

# Families whose cases build on each other (testcases/README.md, "Comparing").
CHAINED = ("TL-M", "SASED-M", "TC-OTP", "TC-RNG-ATTR", "TC-CREG")


class Unplayable(Exception):
    """The runner cannot play this case; the text says why."""


def natural(text):
    """Sort key: numbers by value, the set-up of a family first and its clean-up last."""
    rank = 0 if "SETUP" in text else 2 if "CLEANUP" in text else 1
    return rank, [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", text)]


class Case:
    """A case file. Loading never fails: what cannot be read is `problem`."""

    def __init__(self, path, vocabulary):
        self.path = pathlib.Path(path)
        self.name = self.path.name
        self.vocabulary = vocabulary
        self.exchanges, self.problem = [], None
        try:
            self.exchanges = kmip_xml.read_case(vocabulary, path)
        except (ValueError, KeyError, SyntaxError) as e:
            self.problem = f"cannot be read: {e}"

    def group(self):
        """Cases with the same group run in order on one server; None: alone on a fresh one."""
        for family in CHAINED:
            if self.name.startswith(family + "-"):
                return f"{self.path.parent}/{family}"
        return None

    def _walk(self):
        def below(item):
            yield item
            if item.type == Type.STRUCTURE:
                for child in item.value:
                    yield from below(child)

        for exchange in self.exchanges:
            yield from below(exchange.request)
            yield from below(exchange.response)

    def values(self, tag_name):
        """The names of all values of an enumeration in the case's messages."""
        tag = self.vocabulary.tags[tag_name]
        return {self.vocabulary.enum_name(tag, i.value) for i in self._walk()
                if i.tag == tag and i.type == Type.ENUMERATION}

    def operations(self):
        """The operations the case asks for (not those a Query answer lists)."""
        v = self.vocabulary
        return {v.enum_name(o.tag, o.value) for e in self.exchanges
                for b in e.request.children(v.tags["BatchItem"]) for o in b.children(v.tags["Operation"])}

    def versions(self):
        """The protocol versions of the requests."""
        v = self.vocabulary
        headers = [e.request.child(v.tags["RequestHeader"]) for e in self.exchanges]
        return {tuple(c.value for c in h.child(v.tags["ProtocolVersion"]).value) for h in headers}

    def object_types(self):
        """The managed objects the case handles or expects to hear of."""
        v = self.vocabulary
        structures = {"PublicKey", "PrivateKey", "Certificate", "Template", "OpaqueObject", "SplitKey", "PGPKey",
                      "CertificateRequest", "SymmetricKey", "SecretData"}
        used = {v.tag_name(i.tag) for i in self._walk() if i.type == Type.STRUCTURE} & structures
        for exchange in self.exchanges:
            for item in self._object_types_of(exchange):
                used.add(item)
        return used

    def _object_types_of(self, exchange):
        v = self.vocabulary
        stack, attribute = [exchange.request, exchange.response], None
        while stack:
            item = stack.pop()
            if item.type != Type.STRUCTURE:
                if v.tag_name(item.tag) == "ObjectType":
                    yield v.enum_name(item.tag, item.value)
                continue
            name = item.child(v.tags["AttributeName"])
            value = item.child(v.tags["AttributeValue"])
            attribute = name.value if name is not None else None
            if attribute == "Object Type" and value is not None and value.type == Type.ENUMERATION:
                yield v.enum_name(v.tags["ObjectType"], value.value)
            stack.extend(item.value)

    def uses_credentials(self):
        tag = self.vocabulary.tags["Credential"]
        return any(i.tag == tag for i in self._walk())

    def play(self, connect, inherited=None):
        """Plays the case. `connect(n)` gives a Client of the n-th identity. Raises Difference, ConnectionLost, …

        Returns the State, which the next case of the family inherits.
        """
        if self.problem:
            raise Unplayable(self.problem)
        state = State(self.vocabulary, int(time.time()), inherited)
        if any("[REPEAT]" in e.comments for e in self.exchanges):
            state.longest_offset = SHORTENED_OFFSET
        clients, user_names, waiting = {}, [], False
        try:
            for number, exchange in enumerate(self.exchanges):
                if "[Server-to-Client]" in exchange.comments:
                    raise Unplayable("needs the server to call the client")
                who = self._identity_of(exchange, user_names)
                if who not in clients:
                    clients[who] = connect(who)
                # What is polled for shows in the repeated request's answer or only in the one after it.
                repeat, waiting = waiting or "[REPEAT]" in exchange.comments, "[REPEAT]" in exchange.comments
                try:
                    self._exchange(clients[who], exchange, state, repeat)
                except Difference as d:
                    where = f"request {number + 1} ({self._operations_of(exchange.request)})"
                    raise Difference(f"{where} {d}{said(getattr(d, 'response', None))}", None, None) from d
                except (ttlv.TtlvError, ConnectionLost) as e:
                    raise Unanswered(f"request {number + 1} ({self._operations_of(exchange.request)}): {e}") from e
        finally:
            for client in clients.values():
                client.close()
        return state

    def _operations_of(self, message):
        v = self.vocabulary
        return " ".join(v.enum_name(o.tag, o.value) for b in message.children(v.tags["BatchItem"])
                        for o in b.children(v.tags["Operation"]))

    def _identity_of(self, exchange, user_names):
        """0 for the case's client, 1… for others: by [Client-B] comments, else by user names as they appear."""
        match = re.search(r"\[Client-([A-Z])\]", exchange.comments)
        if match:
            return ord(match.group(1)) - ord("A")
        header = exchange.request.child(self.vocabulary.tags["RequestHeader"])
        for item in header.value:
            for user in _find(item, self.vocabulary.tags["Username"]):
                if user not in user_names:
                    user_names.append(user)
                return user_names.index(user)
        return 0

    def _exchange(self, client, exchange, state, repeat):
        deadline = time.monotonic() + (REPEAT_SECONDS if repeat else 0)
        while True:
            try:
                request = state.fill(exchange.request)
            except KeyError as e:
                raise Difference("request", f"a value for {e.args[0]} from an earlier response", "none") from e
            response = client.exchange(request)
            saved = state.snapshot()
            try:
                state.learn(response)
                Comparison(state, request).run(exchange.response, response)
                return
            except Difference as d:
                state.restore(saved)
                if time.monotonic() >= deadline:
                    d.response = response
                    raise
                time.sleep(REPEAT_PAUSE)  # polling what takes effect by itself, as the case asks


def said(response):
    """The server's own words about what failed, if it used any."""
    if response is None:
        return ""
    words = [f"{reason}: {text}" for _, status, reason, text, _ in results(response) if status != "Success"]
    return f" [the server says {'; '.join(words)}]" if words else ""


class Unanswered(Exception):
    """The server answered with something that is not TTLV, or not at all."""


def _find(item, tag):
    if item.tag == tag and not isinstance(item.value, Placeholder):
        yield item.value
    elif item.type == Type.STRUCTURE:
        for child in item.value:
            yield from _find(child, tag)


__all__ = ["Case", "Client", "Difference", "Unanswered", "Unplayable", "natural"]

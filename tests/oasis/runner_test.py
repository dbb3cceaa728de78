#!/usr/bin/python3
"""The jury judged: a server that answers exactly as printed passes every case, and one that errs fails.

Without this the runner might pass everything (a rule too lax) or nothing (a rule too strict) and nobody would know.
"""
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from case import Case, Difference  # noqa: E402
from support import kmip_client, ttlv  # noqa: E402
from support.kmip_xml import Placeholder  # noqa: E402
from support.ttlv import Item, Type  # noqa: E402

CASES = pathlib.Path(__file__).resolve().parents[3] / "shared/kmip/testcases"
V = kmip_client.VOCABULARY


class Parrot:
    """Answers the n-th request with the n-th printed response, its placeholders made concrete.

    `spoil(number, response)` may return another answer.
    """

    def __init__(self, case, known=None, spoil=None):
        self.case, self.spoil, self.number = case, spoil, 0
        self.known = {} if known is None else known

    def close(self):
        pass

    def exchange(self, request):
        ttlv.decode(ttlv.encode(request))  # it must be possible to send it
        exchange = self.case.exchanges[self.number]
        self._note(exchange.request, request)
        response = self._concrete(exchange.response)
        if self.spoil:
            response = self.spoil(self.number, response) or response
        self.number += 1
        return ttlv.decode(ttlv.encode(response))

    def _note(self, printed, sent):
        """Values that the tester made up."""
        if printed.type == Type.STRUCTURE:
            for p, s in zip(printed.value, sent.value):
                self._note(p, s)
        elif isinstance(printed.value, Placeholder) and not printed.value.startswith("$NOW"):
            self.known.setdefault(printed.value, sent.value)

    def _concrete(self, item):
        if item.type == Type.STRUCTURE:
            return Item(item.tag, item.type, [self._concrete(c) for c in item.value])
        if not isinstance(item.value, Placeholder):
            return item
        if item.value.startswith("$NOW"):
            offset = int(item.value[4:] or 0)
            return Item(item.tag, item.type, int(time.time()) + (min(offset, 3) if polls(self.case) else offset))
        return Item(item.tag, item.type, self.known.setdefault(item.value, self._made_up(item)))

    def _made_up(self, item):
        if item.type == Type.BYTE_STRING:
            return f"{len(self.known):016d}".encode()
        return f"id-{len(self.known)}-{item.value[1:]}"


def polls(case):
    return any("[REPEAT]" in e.comments for e in case.exchanges)


def playable_cases():
    cases = [Case(p, V) for p in sorted(CASES.glob("[12].?/**/*.xml"))]
    return [c for c in cases if not any("[Server-to-Client]" in e.comments for e in c.exchanges)]


def play(case, spoil=None, inherited=None):
    known = {**inherited.inherited, **inherited.bindings} if inherited else {}
    parrot = Parrot(case, known, spoil)
    return case.play(lambda _n: parrot, inherited)


@unittest.skipUnless(CASES.is_dir(), f"SKIPPED: {CASES} is absent")
class Jury(unittest.TestCase):
    def test_a_server_that_answers_as_printed_passes_every_case(self):
        families = {}
        for case in playable_cases():
            with self.subTest(case=case.name):
                family = case.group() or case.name
                families[family] = play(case, inherited=families.get(family))

    def assertFails(self, file, spoil):
        with self.assertRaises(Difference):
            play(Case(CASES / file, V), spoil)

    def assertPasses(self, file, spoil):
        play(Case(CASES / file, V), spoil)

    @staticmethod
    def edit(name, change, only=None):
        """A spoiler that changes every item called `name` (its value, or removes it when `change` gives None)."""
        def walk(item):
            if item.type != Type.STRUCTURE:
                return item
            members = []
            for child in item.value:
                if V.tag_name(child.tag) == name:
                    child = change(child)
                    if child is None:
                        continue
                members.append(walk(child))
            return Item(item.tag, item.type, members)

        return lambda number, response: walk(response) if only is None or number == only else response

    @staticmethod
    def to(value):
        return lambda item: Item(item.tag, item.type, value)

    ECB = "1.4/profiles/mandatory/CS-BC-M-4-14.xml"        # encrypts under a registered key
    MADE = "1.4/profiles/mandatory/CS-BC-M-1-14.xml"       # encrypts under a key the server made
    ATTRIBUTES = "1.4/profiles/mandatory/SKLC-M-1-14.xml"  # asks for named attributes

    def test_refuses_a_wrong_ciphertext_under_a_registered_key(self):
        self.assertFails(self.ECB, self.edit("Data", self.to(b"\0" * 16)))

    def test_allows_another_ciphertext_of_the_same_length_when_the_server_made_the_key(self):
        self.assertPasses(self.MADE, self.edit("Data", self.to(b"\0" * 16)))
        self.assertFails(self.MADE, self.edit("Data", self.to(b"\0" * 15)))

    def test_refuses_another_result_reason_or_status(self):
        destroy = "1.4/profiles/mandatory/SKLC-M-2-14.xml"
        self.assertFails(destroy, self.edit("ResultReason", self.to(1)))
        self.assertFails(destroy, self.edit("ResultStatus", self.to(0)))

    def test_refuses_a_wrong_status_in_every_case(self):
        for case in playable_cases():
            if polls(case):
                continue  # the runner would ask again and again
            with self.subTest(case=case.name), self.assertRaises(Difference):
                play(case, self.edit("ResultStatus", lambda i: Item(i.tag, i.type, 1 - min(i.value, 1))))

    def test_allows_another_result_message_or_none(self):
        destroy = "1.4/profiles/mandatory/SKLC-M-2-14.xml"
        self.assertPasses(destroy, self.edit("ResultMessage", self.to("another text")))
        self.assertPasses(destroy, self.edit("ResultMessage", lambda item: None))

    def test_refuses_an_identifier_of_another_object(self):
        self.assertFails(self.ECB, self.edit("UniqueIdentifier", self.to("other"), only=1))

    def test_refuses_a_missing_or_additional_field(self):
        self.assertFails(self.ECB, self.edit("Data", lambda item: None))
        twice = self.edit("Data", lambda i: i)

        def add(number, response):
            response = twice(number, response)
            payload = response.child(V.tags["BatchItem"]).child(V.tags["ResponsePayload"])
            payload.value.append(kmip_client.item("IVCounterNonce", b"12345678"))
            return response

        self.assertFails(self.ECB, add)

    def test_refuses_a_missing_attribute_and_a_wrong_value(self):
        self.assertFails(self.ATTRIBUTES, self.edit("Attribute", lambda item: None))
        wrong = self.edit("AttributeValue", lambda i: Item(i.tag, i.type, 99) if i.type == Type.ENUMERATION else i)
        self.assertFails(self.ATTRIBUTES, wrong)

    def test_allows_attributes_in_any_order(self):
        def turn(_number, response):
            for batch_item in response.children(V.tags["BatchItem"]):
                payload = batch_item.child(V.tags["ResponsePayload"])
                if payload is not None and payload.child(V.tags["Attribute"]) is not None:
                    payload.value[1:] = reversed(payload.value[1:])
            return response

        self.assertPasses(self.ATTRIBUTES, turn)

    def test_refuses_an_answer_in_another_protocol_version(self):
        self.assertFails(self.ECB, self.edit("ProtocolVersionMinor", self.to(3)))

    def test_refuses_a_date_far_from_now(self):
        late = self.edit("AttributeValue",
                         lambda i: Item(i.tag, i.type, 4102444800) if i.type == Type.DATE_TIME else i)
        self.assertFails("1.2/testcases/TC-94-12.xml", late)

    def test_refuses_another_order_of_what_locate_found_in_2x(self):
        def turn(_number, response):
            for batch_item in response.children(V.tags["BatchItem"]):
                payload = batch_item.child(V.tags["ResponsePayload"])
                found = payload.children(V.tags["UniqueIdentifier"])
                if len(found) > 2:
                    payload.value.reverse()
            return response

        self.assertFails("2.0/testcases/TC-OFFSET-1-20.xml", turn)


if __name__ == "__main__":
    unittest.main()

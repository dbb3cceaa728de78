"""KMIP messages as XML (KMIP Profiles, XML message encoding), with the placeholders of the OASIS test cases.

A placeholder ($UNIQUE_IDENTIFIER_0, $NOW-3600 …) is kept as a Placeholder in the place of the value, so that the
same tree serves as a request to be filled in and as an expectation to be compared with.
"""
import calendar
import re
import xml.etree.ElementTree as ElementTree

from .ttlv import Item, TYPE_NAMES, Type


class Placeholder(str):
    """A `$NAME` of a test case, standing where a value will be."""


_DATE = re.compile(r"(-?\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?$")


def parse_date_time(text):
    """Seconds since the epoch (and the fraction, as text) of an xsd:dateTime."""
    m = _DATE.match(text)
    if not m:
        raise ValueError(f"not a date and time: {text!r}")
    seconds = calendar.timegm(tuple(int(m.group(i)) for i in range(1, 7)) + (0, 0, 0))
    zone = m.group(8)
    if zone and zone != "Z":
        offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        seconds -= offset if zone[0] == "+" else -offset
    return seconds, m.group(7) or ""


def _integer(text):
    return int(text, 16) if text.lower().startswith("0x") else int(text)


def _signed(value, bits):
    return value - (1 << bits) if value >= 1 << (bits - 1) and value < 1 << bits else value


def _enumeration_tag(vocabulary, tag, attribute):
    """The tag whose enumeration a value belongs to: its own, or that of the attribute named beside it (1.x)."""
    if tag == vocabulary.tags["AttributeValue"] and attribute:
        return vocabulary.attribute_tags.get(attribute, tag)
    return tag


def _value(vocabulary, tag, type_, text, attribute):
    if text.startswith("$"):
        return Placeholder(text)
    if type_ == Type.INTEGER:
        if re.fullmatch(r"-?\d+|0[xX][0-9a-fA-F]+", text):
            return _signed(_integer(text), 32)
        return _signed(vocabulary.mask_value(_enumeration_tag(vocabulary, tag, attribute), text), 32)
    if type_ == Type.LONG_INTEGER:
        return _signed(_integer(text), 64)
    if type_ == Type.BIG_INTEGER:
        raw = bytes.fromhex(text[2:] if text.lower().startswith("0x") else text)
        return int.from_bytes(raw, "big", signed=True)
    if type_ == Type.ENUMERATION:
        return vocabulary.enum_value(_enumeration_tag(vocabulary, tag, attribute), text)
    if type_ == Type.BOOLEAN:
        return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    if type_ == Type.TEXT_STRING:
        return text
    if type_ == Type.BYTE_STRING:
        return bytes.fromhex(text)
    if type_ == Type.INTERVAL:
        return _integer(text)
    if type_ == Type.DATE_TIME:
        return _signed(_integer(text), 64) if text.lower().startswith("0x") else parse_date_time(text)[0]
    if type_ == Type.DATE_TIME_EXTENDED:
        if text.lower().startswith("0x"):
            return _signed(_integer(text), 64)
        if re.fullmatch(r"-?\d+", text):
            return int(text)
        seconds, fraction = parse_date_time(text)
        return seconds * 1000000 + int((fraction[1:] + "000000")[:6] or 0)
    raise ValueError(f"no value of type {type_}")


def _local_name(element):
    return element.tag.rpartition("}")[2]


def to_item(vocabulary, element, attribute=None):
    """The item an XML element stands for. `attribute` is the Attribute Name in force around it (1.x)."""
    name = _local_name(element)
    tag = vocabulary.tag(element.attrib["tag"] if name == "TTLV" else name)
    type_name = element.attrib.get("type", "Structure")
    if type_name not in TYPE_NAMES:
        raise ValueError(f"{name}: item type {type_name} is not of KMIP 1.0 to 2.1")
    type_ = TYPE_NAMES[type_name]
    if type_ != Type.STRUCTURE:
        return Item(tag, type_, _value(vocabulary, tag, type_, element.attrib.get("value", ""), attribute))
    members = []
    for child in element:
        if not isinstance(child.tag, str):
            continue  # a comment
        if _local_name(child) == "AttributeName":
            attribute = child.attrib.get("value")
        members.append(to_item(vocabulary, child, attribute))
    return Item(tag, type_, members)


def parse(vocabulary, text):
    """The item of one XML element given as text."""
    return to_item(vocabulary, ElementTree.fromstring(text))


class Exchange:
    """One request of a conversation and the answer it must get."""

    def __init__(self, comments, request, response):
        self.comments = comments  # the comments before the request, joined
        self.request = request
        self.response = response


def read_messages(vocabulary, path):
    """Yields (comments, item) for each RequestMessage and ResponseMessage of a case, in order."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    comments = []
    for element in ElementTree.parse(path, parser).getroot():
        if not isinstance(element.tag, str):
            comments.append(" ".join((element.text or "").split()))
            continue
        yield " ".join(comments), to_item(vocabulary, element)
        comments = []


def read_case(vocabulary, path):
    """The exchanges of a case file: the n-th response answers the n-th request (some cases send two at once)."""
    requests, responses = [], []
    for comments, message in read_messages(vocabulary, path):
        request = vocabulary.tag_name(message.tag) == "RequestMessage"
        (requests if request else responses).append((comments, message))
        if len(responses) > len(requests):
            raise ValueError("a response before its request")
    if len(requests) != len(responses):
        raise ValueError("a request without its response")
    return [Exchange(f"{c} {d}".strip(), q, r) for (c, q), (d, r) in zip(requests, responses)]


def show_value(vocabulary, item, attribute=None):
    v = item.value
    if isinstance(v, Placeholder):
        return str(v)
    if item.type == Type.ENUMERATION:
        return vocabulary.enum_name(_enumeration_tag(vocabulary, item.tag, attribute), v)
    if isinstance(v, (bytes, bytearray)):
        return v.hex() if len(v) <= 48 else f"{v[:40].hex()}… ({len(v)} bytes)"
    return repr(v) if isinstance(v, str) else str(v)


def show(vocabulary, item, depth=0, attribute=None):
    """The item as an indented tree for people."""
    name = "  " * depth + vocabulary.tag_name(item.tag)
    if item.type != Type.STRUCTURE:
        return f"{name} ({item.type.name}) {show_value(vocabulary, item, attribute)}"
    lines = [name]
    for child in item.value:
        if vocabulary.tag_name(child.tag) == "AttributeName":
            attribute = child.value if isinstance(child.value, str) else attribute
        lines.append(show(vocabulary, child, depth + 1, attribute))
    return "\n".join(lines)

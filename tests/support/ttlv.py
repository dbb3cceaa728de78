"""TTLV, KMIP's binary encoding, written from the standard (KMIP 2.1 section 10.1) and from nothing else.

This is the jury for the C++ reader and writer: it shares no code and no table with them except spec/*.json,
which are facts. It favours clearness over speed and refuses every malformed item it is given.
"""
import enum
import struct


class TtlvError(Exception):
    """The bytes are not well-formed TTLV; the message says where and why."""


class Type(enum.IntEnum):
    STRUCTURE = 0x01
    INTEGER = 0x02
    LONG_INTEGER = 0x03
    BIG_INTEGER = 0x04
    ENUMERATION = 0x05
    BOOLEAN = 0x06
    TEXT_STRING = 0x07
    BYTE_STRING = 0x08
    DATE_TIME = 0x09
    INTERVAL = 0x0A
    DATE_TIME_EXTENDED = 0x0B


TYPE_NAMES = {
    "Structure": Type.STRUCTURE,
    "Integer": Type.INTEGER,
    "LongInteger": Type.LONG_INTEGER,
    "BigInteger": Type.BIG_INTEGER,
    "Enumeration": Type.ENUMERATION,
    "Boolean": Type.BOOLEAN,
    "TextString": Type.TEXT_STRING,
    "ByteString": Type.BYTE_STRING,
    "DateTime": Type.DATE_TIME,
    "Interval": Type.INTERVAL,
    "DateTimeExtended": Type.DATE_TIME_EXTENDED,
}

_FIXED = {
    Type.INTEGER: ">i",
    Type.LONG_INTEGER: ">q",
    Type.ENUMERATION: ">I",
    Type.DATE_TIME: ">q",
    Type.INTERVAL: ">I",
    Type.DATE_TIME_EXTENDED: ">q",
}

MAX_DEPTH = 64


class Item:
    """One TTLV item. The value of a structure is a list of items; of every other type a plain Python value."""

    __slots__ = ("tag", "type", "value")

    def __init__(self, tag, type_, value):
        self.tag = tag
        self.type = Type(type_)
        self.value = value

    def __eq__(self, other):
        return (isinstance(other, Item) and self.tag == other.tag and self.type == other.type
                and self.value == other.value)

    def __repr__(self):
        return f"Item(0x{self.tag:06X}, {self.type.name}, {self.value!r})"

    def children(self, tag):
        return [c for c in self.value if c.tag == tag]

    def child(self, tag):
        """The first member with this tag, or None."""
        for c in self.value:
            if c.tag == tag:
                return c
        return None


def _big_integer_bytes(value):
    size = 8
    while not -(1 << (8 * size - 1)) <= value < (1 << (8 * size - 1)):
        size += 8
    return value.to_bytes(size, "big", signed=True)


def _payload(item):
    t, v = item.type, item.value
    if t == Type.STRUCTURE:
        return b"".join(encode(c) for c in v)
    if t in _FIXED:
        return struct.pack(_FIXED[t], v)
    if t == Type.BIG_INTEGER:
        return _big_integer_bytes(v)
    if t == Type.BOOLEAN:
        return struct.pack(">Q", 1 if v else 0)
    if t == Type.TEXT_STRING:
        return v.encode("utf-8")
    return bytes(v)


def encode(item):
    """The bytes of an item, padding included."""
    body = _payload(item)
    padding = b"\0" * (-len(body) % 8)
    return item.tag.to_bytes(3, "big") + bytes([item.type]) + struct.pack(">I", len(body)) + body + padding


def _scalar(type_, body, where):
    if type_ in _FIXED:
        size = struct.calcsize(_FIXED[type_])
        if len(body) != size:
            raise TtlvError(f"{where}: {type_.name} of length {len(body)}, must be {size}")
        return struct.unpack(_FIXED[type_], body)[0]
    if type_ == Type.BIG_INTEGER:
        if not body or len(body) % 8:
            raise TtlvError(f"{where}: Big Integer of length {len(body)}, not a multiple of 8")
        return int.from_bytes(body, "big", signed=True)
    if type_ == Type.BOOLEAN:
        if len(body) != 8 or body not in (b"\0" * 8, b"\0" * 7 + b"\1"):
            raise TtlvError(f"{where}: Boolean neither 0 nor 1")
        return body[-1] == 1
    if type_ == Type.TEXT_STRING:
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError as e:
            raise TtlvError(f"{where}: Text String is not UTF-8") from e
    return body


def _decode_at(data, pos, end, depth):
    where = f"byte {pos}"
    if depth > MAX_DEPTH:
        raise TtlvError(f"{where}: nested deeper than {MAX_DEPTH}")
    if end - pos < 8:
        raise TtlvError(f"{where}: {end - pos} bytes left, an item header needs 8")
    tag = int.from_bytes(data[pos:pos + 3], "big")
    if data[pos] not in (0x42, 0x54):
        raise TtlvError(f"{where}: tag 0x{tag:06X} begins with neither 42 nor 54")
    try:
        type_ = Type(data[pos + 3])
    except ValueError as e:
        raise TtlvError(f"{where}: unknown item type 0x{data[pos + 3]:02X}") from e
    length = struct.unpack_from(">I", data, pos + 4)[0]
    begin = pos + 8
    padded = length + (-length % 8)
    if begin + padded > end:
        raise TtlvError(f"{where}: length {length} reaches beyond the data")
    if any(data[begin + length:begin + padded]):
        raise TtlvError(f"{where}: padding is not zero")
    if type_ != Type.STRUCTURE:
        return Item(tag, type_, _scalar(type_, bytes(data[begin:begin + length]), where)), begin + padded
    if length % 8:
        raise TtlvError(f"{where}: Structure of length {length}, not a multiple of 8")
    members = []
    p = begin
    while p < begin + length:
        member, p = _decode_at(data, p, begin + length, depth + 1)
        members.append(member)
    return Item(tag, type_, members), begin + length


def decode(data):
    """The one item that `data` is; leftovers are refused."""
    item, end = _decode_at(data, 0, len(data), 0)
    if end != len(data):
        raise TtlvError(f"byte {end}: {len(data) - end} bytes after the item")
    return item

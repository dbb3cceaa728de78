"""The names of KMIP: tags, enumerations and masks, read from the project's spec/*.json.

A name is a normalised one, as XML and JSON print it (encoding rules: KMIP Profiles, "Additional Message Encodings").
"""
import functools
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Vocabulary:
    """tag numbers by name, and the values of enumerations and masks by the tag of the field that carries them."""

    def __init__(self, tags, enumerations, masks, attribute_tags):
        self.tags = tags                  # xml name -> number
        self.names = {}                   # number -> xml name
        for name, number in tags.items():
            self.names.setdefault(number, name)
        self.enumerations = enumerations  # tag -> {name: value}
        self.masks = masks                # tag -> {name: bit}
        self.attribute_tags = attribute_tags  # "Cryptographic Length" -> tag
        self._enum_names = {t: _inverse(v) for t, v in enumerations.items()}

    def tag(self, name):
        if name.lower().startswith("0x"):
            return int(name, 16)
        return self.tags[name]

    def tag_name(self, number):
        return self.names.get(number, f"0x{number:06X}")

    def enum_value(self, tag, token):
        if token.lower().startswith("0x"):
            return int(token, 16)
        if tag == self.tags["AttributeReference"] and token in self.tags:
            return self.tags[token]
        try:
            return self.enumerations[tag][token]
        except KeyError:
            raise KeyError(f"{self.tag_name(tag)} has no value called {token}") from None

    def enum_name(self, tag, value):
        if tag == self.tags["AttributeReference"]:
            return self.tag_name(value)
        return self._enum_names.get(tag, {}).get(value, f"0x{value:08X}")

    def mask_value(self, tag, text):
        value = 0
        for token in text.replace("|", " ").split():
            if token.lower().startswith("0x"):
                value |= int(token, 16)
            elif token.lstrip("-").isdigit():
                value |= int(token)
            else:
                value |= self.masks[tag][token]
        return value


def _inverse(values):
    names = {}
    for name, value in values.items():
        names.setdefault(value, name)
    return names


def _rows(directory, name):
    return json.loads((pathlib.Path(directory) / name).read_text("utf-8"))["rows"]


@functools.lru_cache(maxsize=None)
def load(directory=ROOT / "spec"):
    tags, attribute_tags = {}, {}
    for row in _rows(directory, "tags.json"):
        tags[row["xml"]] = attribute_tags[row["name"]] = int(row["value"], 16)
    tables = {"enums.json": {}, "masks.json": {}}
    for name, by_tag in tables.items():
        for row in _rows(directory, name):
            if not row.get("tag"):
                continue
            values = by_tag.setdefault(int(row["tag"], 16), {})
            for token in (row["xml"], *row.get("aliases", ())):
                values[token] = int(row["value"], 16)
    enumerations = tables["enums.json"]
    # The Mask Generator Hashing Algorithm takes its values from another field's enumeration (KMIP 1.4 section 2.1.7).
    enumerations.setdefault(tags["MaskGeneratorHashingAlgorithm"], enumerations[tags["HashingAlgorithm"]])
    # Values that KMIP takes from PKCS#11 3.0: the place in CK_FUNCTION_LIST_3_0, and CK_RV without its prefix.
    enumerations.setdefault(tags["PKCS_11Function"], {"C_Initialize": 1, "C_Finalize": 2, "C_GetInfo": 3})
    enumerations.setdefault(tags["PKCS_11ReturnCode"], {"OK": 0})
    return Vocabulary(tags, enumerations, tables["masks.json"], attribute_tags)

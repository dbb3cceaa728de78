"""Whether an actual response is the one an OASIS case prints, given the variations that OASIS allows.

Source of the allowances: KMIP profile documents ("… the following items may vary", e.g. Cryptographic Services
Profile 1.0 section 4.7, repeated in the later Profiles documents). Each rule below names the item of that list it
stands for; anything not listed must match the transcript.
"""
import random

from support.kmip_xml import Placeholder, show_value
from support.ttlv import Item, Type

NOW_TOLERANCE = 30  # seconds between what a case calls $NOW and a date the server set meanwhile

# "date attributes whose value the request does not fix"
VARIABLE_DATES = frozenset((
    "Activation Date", "Archive Date", "Compromise Date", "Compromise Occurrence Date", "Deactivation Date",
    "Destroy Date", "Initial Date", "Last Change Date", "Protect Stop Date", "Process Start Date", "Validity Date",
    "Original Creation Date"))

# Where a value may be taken from when a case uses a placeholder that its earlier responses print as a literal.
FIELD_OF_PLACEHOLDER = {
    "MAC_DATA": "MACData", "DATA": "Data", "IV_COUNTER_NONCE": "IVCounterNonce", "SIGNATURE_DATA": "SignatureData",
    "AUTHENTICATED_ENCRYPTION_TAG": "AuthenticatedEncryptionTag", "KEY_MATERIAL": "KeyMaterial",
    "DIGEST_VALUE": "DigestValue", "CORRELATION_VALUE": "CorrelationValue"}

REBOUND_EVERY_TIME = ("$CORRELATION_VALUE", "$SERVER_CORRELATION_VALUE", "$ASYNCHRONOUS_CORRELATION_VALUE")

CRYPTOGRAPHIC_OUTPUT = ("Data", "SignatureData", "MACData", "IVCounterNonce", "AuthenticatedEncryptionTag")

SERVER_MAKES_THE_KEY = ("Create", "CreateKeyPair", "ReKey", "ReKeyKeyPair", "DeriveKey", "CreateSplitKey",
                        "JoinSplitKey")


class Difference(Exception):
    """The first place where expected and actual part: a path, what was expected there, what came."""

    def __init__(self, path, expected, actual):
        super().__init__(path if expected is None else f"at {path}: expected {expected}, got {actual}")


def base_name(placeholder):
    """DATA of $DATA_0."""
    head, _, tail = placeholder[1:].rpartition("_")
    return head if tail.isdigit() else placeholder[1:]


class State:
    """What a running case has learned: bound placeholders, who made which key, the last value of each field."""

    def __init__(self, vocabulary, now, inherited=None):
        self.vocabulary = vocabulary
        self.now = now
        self.longest_offset = None        # of $NOW+n, in seconds, when the case is played faster
        self.bindings = {}
        self.inherited = {}               # bindings of the cases of the family that ran before
        self.last_field = {}
        self.generated = set()            # identifiers of objects whose key the server made
        if inherited is not None:
            self.inherited = {**inherited.inherited, **inherited.bindings}
            self.generated = inherited.generated
        self.request_dates = set()        # (attribute, seconds) that some request fixed
        self.request_groups = set()       # Object Group values of the requests

    def snapshot(self):
        return dict(self.bindings)

    def restore(self, snapshot):
        self.bindings = snapshot

    def now_of(self, placeholder):
        """Seconds of $NOW, $NOW-3600, $NOW+20; None for other placeholders."""
        if not placeholder.startswith("$NOW"):
            return None
        offset = int(placeholder[4:] or 0)
        return self.now + (offset if self.longest_offset is None else min(offset, self.longest_offset))

    def value_of(self, placeholder):
        """The value a request sends for a placeholder; KeyError if nothing was bound to it."""
        seconds = self.now_of(placeholder)
        if seconds is not None:
            return seconds
        for table in (self.bindings, self.inherited):
            if placeholder in table:
                return table[placeholder]
        name = base_name(placeholder)
        if name.endswith("UNIQUE_IDENTIFIER_RANDOM"):
            self.bindings[placeholder] = f"made-up-{random.getrandbits(64):016x}"
            return self.bindings[placeholder]
        field = FIELD_OF_PLACEHOLDER.get(name)
        if field in self.last_field:
            return self.last_field[field]
        raise KeyError(placeholder)

    def fill(self, item, attribute=None):
        """A request with every placeholder replaced by its value."""
        name = self.vocabulary.tag_name(item.tag)
        if item.type != Type.STRUCTURE:
            value = self.value_of(item.value) if isinstance(item.value, Placeholder) else item.value
            if item.type == Type.BYTE_STRING and isinstance(value, str):
                value = value.encode()  # made up by us
            if item.type == Type.DATE_TIME:
                self.request_dates.add((attribute_of(name, attribute), value))
            if attribute_of(name, attribute) in ("Object Group", "ObjectGroup"):
                self.request_groups.add(value)
            return Item(item.tag, item.type, value)
        members = []
        for child in item.value:
            if self.vocabulary.tag_name(child.tag) == "AttributeName":
                attribute = child.value
            members.append(self.fill(child, attribute))
        return Item(item.tag, item.type, members)

    def learn(self, response):
        """Remembers what the response shows: fields by name, and which identifiers are server-made keys."""
        v = self.vocabulary

        def walk(item):
            if item.type == Type.STRUCTURE:
                for child in item.value:
                    walk(child)
            else:
                self.last_field[v.tag_name(item.tag)] = item.value

        walk(response)
        for batch_item in response.children(v.tags["BatchItem"]):
            operation = batch_item.child(v.tags["Operation"])
            payload = batch_item.child(v.tags["ResponsePayload"])
            if operation is None or payload is None:
                continue
            if v.enum_name(operation.tag, operation.value) in SERVER_MAKES_THE_KEY:
                self.generated.update(identifiers(v, payload))


def attribute_of(tag_name, attribute):
    """The name rules go by: that of the attribute around a 1.x AttributeValue, else the tag's own."""
    return attribute if tag_name == "AttributeValue" and attribute else tag_name


def identifiers(vocabulary, payload):
    names = ("UniqueIdentifier", "PrivateKeyUniqueIdentifier", "PublicKeyUniqueIdentifier")
    return [c.value for c in payload.value
            if vocabulary.tag_name(c.tag) in names and c.type == Type.TEXT_STRING]


class Comparison:
    """One response against its expectation. Binds placeholders in `state` as it goes."""

    def __init__(self, state, request):
        self.state = state
        self.v = state.vocabulary
        self.request = request  # as sent
        self.version = self._version()
        self.operation = None
        self.request_payload = None
        self.server_made = False
        self.unfixed_output = False

    def run(self, expected, actual):
        """Raises Difference unless `actual` is an allowed form of `expected`."""
        self._node(expected, actual, "", None)

    def _version(self):
        header = self.request.child(self.v.tags["RequestHeader"])
        version = header.child(self.v.tags["ProtocolVersion"])
        return tuple(c.value for c in version.value)

    def _name(self, item):
        return self.v.tag_name(item.tag)

    # --- structures

    def _node(self, expected, actual, path, attribute):
        name = self._name(expected)
        path = f"{path}/{name}"
        if expected.tag != actual.tag:
            raise Difference(path, name, self._name(actual))
        if expected.type != actual.type:
            raise Difference(path, expected.type.name, actual.type.name)
        if expected.type != Type.STRUCTURE:
            self._scalar(expected, actual, path, attribute)
            return
        if name == "BatchItem":
            self._enter_batch_item(expected, actual)
        if name == "ServerInformation":
            return  # vendor-specific by definition (KMIP 1.4 section 4.25)
        if name == "ProtocolVersion" and path.endswith("/ResponseHeader/ProtocolVersion"):
            # Some files mix versions; the answer's is the request's whatever they print (quirks.csv).
            if tuple(c.value for c in actual.value) == self.version:
                return
        expected_members = expected.value
        if name == "ResponsePayload" and self.operation == "DiscoverVersions":
            self._versions(expected, actual, path)
        elif self._unordered(name):
            self._set(expected_members, actual.value, path, attribute)
        else:
            self._sequence(expected_members, actual.value, path, attribute)

    def _enter_batch_item(self, expected, actual):
        operation = expected.child(self.v.tags["Operation"])
        self.operation = self.v.enum_name(operation.tag, operation.value) if operation else None
        self.request_payload = self._matching_request(actual)
        payload = actual.child(self.v.tags["ResponsePayload"])
        used = set(identifiers(self.v, payload)) if payload else set()
        self._collect_identifiers(self.request_payload, used)
        self.server_made = bool(used & self.state.generated) or self.operation in SERVER_MAKES_THE_KEY
        expected_payload = expected.child(self.v.tags["ResponsePayload"])
        random_iv = (self.operation == "Encrypt" and expected_payload is not None
                     and expected_payload.child(self.v.tags["IVCounterNonce"]) is not None)
        self.unfixed_output = self.server_made or random_iv or self.operation == "RNGRetrieve"

    def _collect_identifiers(self, item, found):
        if item is None:
            return
        if item.type == Type.STRUCTURE:
            for child in item.value:
                self._collect_identifiers(child, found)
        elif self._name(item) == "UniqueIdentifier":
            found.add(item.value)

    def _matching_request(self, actual):
        tag = self.v.tags["UniqueBatchItemID"]
        items = self.request.children(self.v.tags["BatchItem"])
        wanted = actual.child(tag)
        for item in items:
            own = item.child(tag)
            if len(items) == 1 or (own is not None and wanted is not None and own.value == wanted.value):
                return item.child(self.v.tags["RequestPayload"])
        return None

    def _unordered(self, name):
        """Attributes stand in no order, nor do the lists of a Query answer; other structures are ordered."""
        if name in ("Attributes", "TemplateAttribute"):
            return True
        if name != "ResponsePayload":
            return False
        if self.operation == "Locate":
            return self.version < (2, 0)  # 2.x: "newest first"
        return self.operation in ("GetAttributes", "GetAttributeList", "Query")

    def _sequence(self, expected, actual, path, attribute):
        i = j = 0
        while i < len(expected) or j < len(actual):
            e = expected[i] if i < len(expected) else None
            a = actual[j] if j < len(actual) else None
            if e is not None and a is not None and e.tag == a.tag:
                if self._name(e) == "AttributeName" and isinstance(e.value, str):
                    attribute = e.value
                self._node(e, a, path, attribute)
                i, j = i + 1, j + 1
            elif e is not None and self._may_be_absent(e):
                i += 1
            elif a is not None and self._may_be_extra(a):
                j += 1
            else:
                raise Difference(path, self._describe(e), self._describe(a))

    def _set(self, expected, actual, path, attribute):
        left = list(actual)
        for e in expected:
            candidates = [a for a in left if a.tag == e.tag]
            difference = None
            for a in sorted(candidates, key=lambda a: self._label(a) != self._label(e)):
                saved = self.state.snapshot()
                try:
                    self._node(e, a, path, attribute)
                    left = [x for x in left if x is not a]
                    break
                except Difference as d:
                    self.state.restore(saved)
                    if difference is None and self._label(a) == self._label(e):
                        difference = d
            else:
                if not self._may_be_absent(e):
                    raise difference or Difference(path, self._describe(e), "nothing like it")
        for a in left:
            if not self._may_be_extra(a):
                raise Difference(path, "nothing more", self._describe(a))

    def _versions(self, expected, actual, path):
        """"additional protocol versions in Discover Versions when the request lists none"."""
        asked = self.request_payload is not None and self.request_payload.value
        if asked:
            self._sequence(expected.value, actual.value, path, None)
            return
        for e in expected.value:
            if e not in actual.value:
                raise Difference(path, "ProtocolVersion " + ".".join(str(c.value) for c in e.value), "not listed")

    # --- presence

    def _label(self, item):
        """What tells one attribute from another in a set of them."""
        if item.type != Type.STRUCTURE:
            return (item.tag, item.value if self._name(item) in ("AttributeName", "Operation", "ObjectType") else None)
        names = [c.value for c in item.value if self._name(c) in ("AttributeName", "VendorIdentification")]
        return (item.tag, tuple(str(n) for n in names))

    def _attribute_name(self, item):
        """The attribute an item of an attribute list is or names, if it is one."""
        name = self._name(item)
        if name == "Attribute":
            child = item.child(self.v.tags["AttributeName"])
            vendor = item.child(self.v.tags["VendorIdentification"])
            return (vendor.value + "-" if vendor else "") + child.value if child else name
        if name == "AttributeName":
            return item.value
        if name == "AttributeReference":
            if item.type == Type.STRUCTURE:
                return "-".join(c.value for c in item.value)
            return self.v.enum_name(item.tag, item.value)
        return name

    def _free_attribute(self, item):
        """"ObjectGroup values not in the request", "server custom attributes (y-...)"."""
        attribute = self._attribute_name(item)
        if attribute.startswith("y-"):
            return True
        if attribute not in ("Object Group", "ObjectGroup"):
            return False
        value = item
        if self._name(item) == "Attribute":
            value = item.child(self.v.tags["AttributeValue"])
        return value is None or value.value not in self.state.request_groups

    def _always_optional(self, item):
        name = self._name(item)
        if name in ("ResultMessage", "ServerCorrelationValue", "TemplateAttribute"):
            return True
        if name == "AttributeIndex":
            return item.value == 0 and (1, 1) <= self.version < (2, 0)
        if name == "MessageExtension":
            critical = item.child(self.v.tags["CriticalityIndicator"])
            return critical is None or not critical.value
        if self.operation == "Query" and name in ("VendorIdentification", "ExtensionInformation",
                                                  "ApplicationNamespace"):
            return True
        if name in ("Attribute", "AttributeName", "AttributeReference", "ObjectGroup"):
            return self._free_attribute(item)
        return False

    def _may_be_absent(self, item):
        return self._always_optional(item)

    def _may_be_extra(self, item):
        if self._always_optional(item):
            return True
        name = self._name(item)
        if name == "ClientCorrelationValue":  # the specification asks for it, the transcripts leave it out
            header = self.request.child(self.v.tags["RequestHeader"])
            return header.child(item.tag) == item
        if self.operation == "Query":
            return name in ("Operation", "ObjectType")
        if self.operation == "GetAttributeList":
            return name in ("AttributeName", "AttributeReference")
        if self.operation == "GetAttributes" and not self._attributes_asked_for():
            return name not in ("UniqueIdentifier",)
        return False

    def _attributes_asked_for(self):
        """Whether the request names attributes: then "additional attributes" would be an error, not a variation."""
        names = (self.v.tags["AttributeName"], self.v.tags["AttributeReference"])
        return self.request_payload is not None and any(c.tag in names for c in self.request_payload.value)

    # --- values

    def _scalar(self, expected, actual, path, attribute):
        if isinstance(expected.value, Placeholder):
            self._placeholder(expected, actual, path)
            return
        if expected.value == actual.value:
            return
        if not self._may_vary(expected, actual, path, attribute):
            raise Difference(path, show_value(self.v, expected, attribute), show_value(self.v, actual, attribute))

    def _placeholder(self, expected, actual, path):
        name, state = expected.value, self.state
        seconds = state.now_of(name)
        if seconds is not None:
            if abs(actual.value - seconds) > NOW_TOLERANCE:
                raise Difference(path, f"{name} ({seconds})", actual.value)
        elif name in REBOUND_EVERY_TIME or name not in state.bindings:
            taken = [k for k, v in state.bindings.items() if v == actual.value and k != name]
            if "UNIQUE_IDENTIFIER" in name and taken:
                raise Difference(path, f"{name}, a new identifier", f"{actual.value} ({taken[0]})")
            state.bindings[name] = actual.value
        elif state.bindings[name] != actual.value and not self._output_may_vary(base_name(name)):
            raise Difference(path, f"{name} ({show_value(self.v, Item(expected.tag, expected.type, state.bindings[name]))})",
                             show_value(self.v, actual))

    def _output_may_vary(self, name):
        return name in ("DATA", "IV_COUNTER_NONCE", "SIGNATURE_DATA", "MAC_DATA",
                        "AUTHENTICATED_ENCRYPTION_TAG") and self.unfixed_output

    def _may_vary(self, expected, actual, path, attribute):
        name = self._name(expected)
        if name in ("TimeStamp", "ResultMessage", "ServerCorrelationValue", "AsynchronousCorrelationValue"):
            return True
        if name == "VendorIdentification":
            return self.operation == "Query"
        if expected.type == Type.DATE_TIME:
            what = attribute_of(name, attribute)
            variable = what in VARIABLE_DATES or any(what == d.replace(" ", "") for d in VARIABLE_DATES)
            return variable and (what, expected.value) not in self.state.request_dates
        same_length = (isinstance(expected.value, bytes) and len(expected.value) == len(actual.value))
        if name in ("KeyMaterial", "KeyValue"):
            return self.server_made and same_length
        if name in CRYPTOGRAPHIC_OUTPUT:
            return self.unfixed_output and same_length
        if name in ("DigestValue", "HashingAlgorithm") and "Digest" in (attribute, path.split("/")[-2]):
            return self.server_made or name == "HashingAlgorithm"
        if name == "KeyFormatType":
            return self.server_made
        return False

    def _describe(self, item):
        if item is None:
            return "nothing"
        if item.type == Type.STRUCTURE:
            inner = self._attribute_name(item)
            return self._name(item) + (f" {inner}" if inner != self._name(item) else "")
        return f"{self._name(item)} {show_value(self.v, item)}"

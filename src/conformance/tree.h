#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kmip/tags.h"

namespace dare::conformance {

// Item types; kmip-2.1 10.1, and those that the 3.0 draft adds. The judge has its own list: it
// shares no encoding with the server it judges.
enum class Type : std::uint8_t {
  kStructure = 0x01,
  kInteger = 0x02,
  kLongInteger = 0x03,
  kBigInteger = 0x04,
  kEnumeration = 0x05,
  kBoolean = 0x06,
  kTextString = 0x07,
  kByteString = 0x08,
  kDateTime = 0x09,
  kInterval = 0x0A,
  kDateTimeExtended = 0x0B,
  kIdentifier = 0x0C,
  kReference = 0x0D,
  kNameReference = 0x0E,
};

// "TextString", …, as XML and JSON spell it; empty for a number that is no type.
std::string_view TypeName(Type type);
// False for names that are none.
bool TypeByName(std::string_view name, Type& type);
// True for the types whose value is a sequence of octets (text included), not a number.
bool HasOctets(Type type);
bool IsText(Type type);

// The value of an item: a number, or octets (text as UTF-8, big integers as two's complement
// padded to a multiple of 8 bytes).
struct Value {
  std::int64_t number = 0;
  std::string octets;

  friend bool operator==(const Value&, const Value&) = default;
  friend auto operator<=>(const Value&, const Value&) = default;
};

// A Node is one item of a message and everything below it. In a case's messages a scalar may be a
// placeholder ("$UNIQUE_IDENTIFIER_0") instead of a value. A plain value type.
struct Node {
  kmip::Tag tag{};
  Type type = Type::kStructure;
  Value value;
  std::string placeholder;  // with its dollar sign; empty when the value is given
  std::vector<Node> members;

  bool is_structure() const { return type == Type::kStructure; }
  bool is_placeholder() const { return !placeholder.empty(); }

  // The first member with this tag, or null.
  const Node* Child(kmip::Tag tag) const;
  Node* Child(kmip::Tag tag);
  std::vector<const Node*> Children(kmip::Tag tag) const;

  friend bool operator==(const Node&, const Node&) = default;
};

// "UniqueIdentifier", or "0x420094" for a tag nobody named.
std::string TagText(kmip::Tag tag);

}  // namespace dare::conformance

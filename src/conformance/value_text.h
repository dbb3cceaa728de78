#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "conformance/tree.h"

namespace dare::conformance {

// Values as XML and JSON write them (kmip-profiles-2.1 5.4.1, 5.5.1). `attribute` is the Attribute
// Name in force around a 1.x Attribute Value, which decides whose enumeration or mask it is; empty
// elsewhere.

// kMalformed for what is no value of this type.
Result<Value> ParseValue(kmip::Tag tag, Type type, std::string_view text,
                         std::string_view attribute);
// The value as the XML encoding writes it: numbers in decimal, enumerations by name.
std::string WriteValue(const Node& node, std::string_view attribute);
// The value for a person: long octets are cut, and a placeholder shows as itself.
std::string ShowValue(const Node& node, std::string_view attribute);

// The name of an enumeration value, or its hexadecimal number.
std::string EnumerationText(kmip::Tag tag, std::string_view attribute, std::int64_t value);
// The names of the bits that are set, separated by `separator`; what has no name in hexadecimal.
std::string MaskText(kmip::Tag tag, std::string_view attribute, std::int64_t value,
                     std::string_view separator);
bool IsMaskField(kmip::Tag tag, std::string_view attribute);

std::string DateTimeText(std::int64_t posix_seconds);

// Octets filled up to a multiple of 8 in front, the sign kept.
std::string SignExtended(std::string octets);

}  // namespace dare::conformance

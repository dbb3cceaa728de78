#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dare::ttlv {

// Item types; kmip-2.1 10.1 (1.x: 9.1.1.2).
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
  // Texts that name an object, in the draft of KMIP 3.0: refused unless Limits allow them.
  kIdentifier = 0x0C,
  kReference = 0x0D,
  kNameReference = 0x0E,
};

constexpr bool IsDraft3Type(Type type) {
  return type >= Type::kIdentifier && type <= Type::kNameReference;
}

constexpr std::size_t kHeaderBytes = 8;  // tag 3, type 1, length 4

// Bytes that `length` value bytes take with their padding.
constexpr std::uint64_t Padded(std::uint64_t length) { return (length + 7) & ~std::uint64_t{7}; }

// "Text String", …; "unknown type" for numbers that are none.
std::string_view TypeName(Type type);
// The same without blanks, as the XML and JSON encodings name types ("TextString"); empty and
// nothing where there is no such type.
std::string_view TypeToken(Type type);
std::optional<Type> TypeByToken(std::string_view token);

// Null when `type` exists and may have `length` value bytes, else what is wrong.
constexpr const char* LengthFault(Type type, std::uint32_t length) {
  switch (type) {
    case Type::kInteger:
    case Type::kEnumeration:
    case Type::kInterval:
      return length == 4 ? nullptr : "length is not 4";
    case Type::kLongInteger:
    case Type::kBoolean:
    case Type::kDateTime:
    case Type::kDateTimeExtended:
      return length == 8 ? nullptr : "length is not 8";
    case Type::kBigInteger:
      if (length == 0) return "Big Integer without a byte";
      [[fallthrough]];
    case Type::kStructure:
      return length % 8 == 0 ? nullptr : "length is not a multiple of 8";
    case Type::kTextString:
    case Type::kByteString:
    case Type::kIdentifier:
    case Type::kReference:
    case Type::kNameReference:
      return nullptr;
  }
  return "unknown item type";
}

}  // namespace dare::ttlv

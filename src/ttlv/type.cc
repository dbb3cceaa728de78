#include "ttlv/type.h"

#include <array>

#include "ttlv/tag.h"

namespace dare::ttlv {

std::string_view TypeName(Type type) {
  constexpr std::array<std::string_view, 15> kNames = {
      "unknown type", "Structure",   "Integer",       "Long Integer",
      "Big Integer",  "Enumeration", "Boolean",       "Text String",
      "Byte String",  "Date-Time",   "Interval",      "Date-Time Extended",
      "Identifier",   "Reference",   "Name Reference"};
  const auto index = static_cast<std::size_t>(type);
  return index < kNames.size() ? kNames[index] : kNames[0];
}

namespace {

constexpr std::array<std::string_view, 15> kTokens = {
    "",           "Structure",  "Integer",      "LongInteger", "BigInteger", "Enumeration",
    "Boolean",    "TextString", "ByteString",   "DateTime",    "Interval",   "DateTimeExtended",
    "Identifier", "Reference",  "NameReference"};

}  // namespace

std::string_view TypeToken(Type type) {
  const auto index = static_cast<std::size_t>(type);
  return index < kTokens.size() ? kTokens[index] : kTokens[0];
}

std::optional<Type> TypeByToken(std::string_view token) {
  for (std::size_t i = 1; i < kTokens.size(); ++i) {
    if (kTokens[i] == token) return static_cast<Type>(i);
  }
  return std::nullopt;
}

std::string TagHex(kmip::Tag tag) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(6, '0');
  for (int i = 0; i < 6; ++i) text[i] = kDigits[TagNumber(tag) >> (20 - 4 * i) & 15];
  return text;
}

}  // namespace dare::ttlv

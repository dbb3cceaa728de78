#include "conformance/value_text.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <optional>

#include "base/bytes.h"
#include "kmip/names.h"

namespace dare::conformance {
namespace {

using kmip::Tag;

constexpr std::int64_t kMicroseconds = 1'000'000;
constexpr std::size_t kLongestShown = 48;

Error Wrong(Tag tag, std::string_view text, std::string_view what) {
  return Error(Code::kMalformed, fmt::format("{}: \"{}\" is {}", TagText(tag), text, what));
}

bool HasHexPrefix(std::string_view text) {
  return text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

template <typename Number>
std::optional<Number> Digits(std::string_view text, int base) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// Decimal, or 0x and as many digits as the type has: then the bits, so that 0xFFFFFFFF is -1.
std::optional<std::int64_t> Number(std::string_view text, bool four_bytes, bool is_signed) {
  if (!HasHexPrefix(text)) {
    if (text.starts_with('+')) text.remove_prefix(1);
    return Digits<std::int64_t>(text, 10);
  }
  const auto bits = Digits<std::uint64_t>(text.substr(2), 16);
  if (!bits) return std::nullopt;
  if (four_bytes && is_signed && *bits <= 0xFFFFFFFFu) return static_cast<std::int32_t>(*bits);
  return static_cast<std::int64_t>(*bits);
}

// The field whose enumeration a value belongs to: its own, or that of the attribute named beside
// it.
Tag CarrierOf(Tag tag, std::string_view attribute) {
  if (tag != Tag::kAttributeValue || attribute.empty()) return tag;
  return kmip::TagBySpecName(attribute).value_or(tag);
}

// Values that KMIP takes from PKCS#11 3.0 instead of listing them: the place in
// CK_FUNCTION_LIST_3_0, and CK_RV without its prefix.
std::optional<std::uint32_t> FromPkcs11(Tag tag, std::string_view text) {
  if (tag == Tag::kPKCS_11ReturnCode && text == "OK") return 0;
  if (tag != Tag::kPKCS_11Function) return std::nullopt;
  constexpr std::string_view kFunctions[] = {"C_Initialize", "C_Finalize", "C_GetInfo"};
  for (std::uint32_t i = 0; i < std::size(kFunctions); ++i) {
    if (kFunctions[i] == text) return i + 1;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Enumeration(Tag tag, std::string_view text) {
  if (HasHexPrefix(text)) return Digits<std::uint32_t>(text.substr(2), 16);
  if (const auto value = kmip::EnumByName(tag, text)) return *value;
  if (const auto value = FromPkcs11(tag, text)) return *value;
  // An Attribute Reference names an attribute by its tag (kmip-2.1 4.7).
  if (const auto named = kmip::TagByName(text)) return static_cast<std::uint32_t>(*named);
  return Digits<std::uint32_t>(text, 10);
}

// "Encrypt Decrypt", "Encrypt|Decrypt", "0x0000000C": any mixture.
std::optional<std::int64_t> Mask(Tag tag, std::string_view text) {
  std::uint32_t bits = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" |\t\r\n"), text.size());
    const std::string_view token = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (token.empty()) continue;
    const auto number = Number(token, true, true);
    const auto bit =
        number ? std::optional(static_cast<std::uint32_t>(*number)) : kmip::MaskByName(tag, token);
    if (!bit) return std::nullopt;
    bits |= *bit;
  }
  return static_cast<std::int32_t>(bits);
}

std::optional<int> Take(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  const auto number = Digits<int>(text.substr(0, digits), 10);
  text.remove_prefix(digits);
  return number;
}

bool TakeMark(std::string_view& text, char mark) {
  if (!text.starts_with(mark)) return false;
  text.remove_prefix(1);
  return true;
}

// Microseconds since the epoch of an xsd:dateTime with or without a zone (then UTC).
std::optional<std::int64_t> MicrosecondsOf(std::string_view text) {
  const auto year = Take(text, 4);
  if (!year || !TakeMark(text, '-')) return std::nullopt;
  const auto month = Take(text, 2);
  if (!month || !TakeMark(text, '-')) return std::nullopt;
  const auto day = Take(text, 2);
  if (!day || !TakeMark(text, 'T')) return std::nullopt;
  const auto hour = Take(text, 2);
  if (!hour || !TakeMark(text, ':')) return std::nullopt;
  const auto minute = Take(text, 2);
  if (!minute || !TakeMark(text, ':')) return std::nullopt;
  const auto second = Take(text, 2);
  if (!second) return std::nullopt;
  std::int64_t fraction = 0;
  if (TakeMark(text, '.')) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    std::string six(text.substr(0, std::min<std::size_t>(digits, 6)));
    six.resize(6, '0');
    fraction = Digits<std::int64_t>(six, 10).value_or(0);
    text.remove_prefix(digits);
  }
  std::int64_t offset = 0;
  if (!text.empty() && !TakeMark(text, 'Z')) {
    const bool east = text.starts_with('+');
    if (!TakeMark(text, '+') && !TakeMark(text, '-')) return std::nullopt;
    const auto hours = Take(text, 2);
    if (!hours || !TakeMark(text, ':')) return std::nullopt;
    const auto minutes = Take(text, 2);
    if (!minutes) return std::nullopt;
    offset = (*hours * 3600 + *minutes * 60) * (east ? 1 : -1);
  }
  if (!text.empty()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * 86400 + *hour * 3600 + *minute * 60 + *second - offset;
  return seconds * kMicroseconds + fraction;
}

std::optional<std::int64_t> Date(Type type, std::string_view text) {
  if (HasHexPrefix(text)) return Number(text, false, true);
  if (text.find('T') == std::string_view::npos && type == Type::kDateTimeExtended) {
    return Digits<std::int64_t>(text, 10);
  }
  const auto microseconds = MicrosecondsOf(text);
  if (!microseconds || type == Type::kDateTimeExtended) return microseconds;
  // Towards the past: a fraction of a second is dropped.
  return *microseconds / kMicroseconds - (*microseconds % kMicroseconds < 0 ? 1 : 0);
}

std::optional<std::int64_t> Boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE" || text == "1") return 1;
  if (text == "false" || text == "False" || text == "FALSE" || text == "0") return 0;
  return HasHexPrefix(text) ? Number(text, false, false) : std::nullopt;
}

std::optional<std::int64_t> ParseNumber(Tag carrier, Type type, std::string_view text) {
  switch (type) {
    case Type::kInteger:
      if (const auto number = Number(text, true, true)) return number;
      return Mask(carrier, text);
    case Type::kLongInteger:
      return Number(text, false, true);
    case Type::kInterval:
      return Number(text, true, false);
    case Type::kEnumeration:
      return Enumeration(carrier, text);
    case Type::kBoolean:
      return Boolean(text);
    default:
      return Date(type, text);
  }
}

Result<std::string> Octets(std::string_view hex) {
  const Bytes bytes = TRY(FromHex(hex));
  return std::string(AsText(bytes));
}

}  // namespace

std::string SignExtended(std::string octets) {
  const bool negative = !octets.empty() && (octets[0] & 0x80) != 0;
  const std::size_t missing = octets.empty() ? 8 : (8 - octets.size() % 8) % 8;
  octets.insert(0, missing, negative ? '\xFF' : '\0');
  return octets;
}

Result<Value> ParseValue(Tag tag, Type type, std::string_view text, std::string_view attribute) {
  Value value;
  if (IsText(type)) {
    value.octets = text;
  } else if (type == Type::kByteString || type == Type::kBigInteger) {
    const bool big = type == Type::kBigInteger;
    Result<std::string> octets = Octets(big && HasHexPrefix(text) ? text.substr(2) : text);
    if (!octets) return Wrong(tag, text, "not hexadecimal");
    value.octets = big ? SignExtended(*std::move(octets)) : *std::move(octets);
  } else {
    const auto number = ParseNumber(CarrierOf(tag, attribute), type, text);
    if (!number) return Wrong(tag, text, fmt::format("no {}", TypeName(type)));
    value.number = *number;
  }
  return value;
}

std::string EnumerationText(Tag tag, std::string_view attribute, std::int64_t value) {
  const Tag carrier = CarrierOf(tag, attribute);
  const auto number = static_cast<std::uint32_t>(value);
  if (const std::string_view name = kmip::EnumName(carrier, number); !name.empty()) {
    return std::string(name);
  }
  if (carrier == Tag::kAttributeReference) {
    const std::string_view name = kmip::TagName(static_cast<Tag>(number));
    if (!name.empty()) return std::string(name);
  }
  return fmt::format("0x{:08X}", number);
}

bool IsMaskField(Tag tag, std::string_view attribute) {
  return kmip::IsMask(CarrierOf(tag, attribute));
}

std::string MaskText(Tag tag, std::string_view attribute, std::int64_t value,
                     std::string_view separator) {
  const Tag carrier = CarrierOf(tag, attribute);
  std::string text;
  const auto bits = static_cast<std::uint32_t>(value);
  for (std::uint32_t bit = 1; bit != 0; bit <<= 1) {
    if ((bits & bit) == 0) continue;
    const std::string_view name = kmip::MaskName(carrier, bit);
    if (!text.empty()) text += separator;
    text += name.empty() ? fmt::format("0x{:08X}", bit) : std::string(name);
  }
  return text.empty() ? "0x00000000" : text;
}

std::string DateTimeText(std::int64_t posix_seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(posix_seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+00:00", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string WriteValue(const Node& node, std::string_view attribute) {
  const std::int64_t number = node.value.number;
  switch (node.type) {
    case Type::kStructure:
      return "";
    case Type::kInteger:
      return IsMaskField(node.tag, attribute) ? MaskText(node.tag, attribute, number, " ")
                                              : std::to_string(number);
    case Type::kEnumeration:
      return EnumerationText(node.tag, attribute, number);
    case Type::kBoolean:
      return number != 0 ? "true" : "false";
    case Type::kDateTime:
      return DateTimeText(number);
    case Type::kDateTimeExtended:
      return fmt::format("0x{:016X}", static_cast<std::uint64_t>(number));
    case Type::kByteString:
    case Type::kBigInteger:
      return ToHex(AsBytes(node.value.octets));
    case Type::kLongInteger:
    case Type::kInterval:
      return std::to_string(number);
    default:
      return node.value.octets;
  }
}

std::string ShowValue(const Node& node, std::string_view attribute) {
  if (node.is_placeholder()) return node.placeholder;
  if (node.type == Type::kByteString && node.value.octets.size() > kLongestShown) {
    return fmt::format("{}… ({} bytes)", ToHex(AsBytes(node.value.octets).first(40)),
                       node.value.octets.size());
  }
  const std::string text = WriteValue(node, attribute);
  return IsText(node.type) ? "'" + text + "'" : text;
}

}  // namespace dare::conformance

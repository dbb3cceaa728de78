#include "ttlv/value_text.h"

#include <charconv>
#include <optional>
#include <string>

#include "ttlv/date_text.h"

namespace dare::ttlv {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::int64_t kMicroseconds = 1000000;

// What is wrong is said without the text itself, which may be anything.
Error Fault(std::string_view wanted) { return {Code::kMalformed, "not " + std::string(wanted)}; }

// White space around a value means nothing (xsd: whiteSpace = collapse).
std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "0x" and exactly `digits` digits; with fewer the sign would be a guess.
std::optional<std::uint64_t> HexNumber(std::string_view text, std::size_t digits) {
  if (text.size() != digits + 2 || !text.starts_with("0x")) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text.substr(2)) {
    const int digit = DigitValue(c);
    if (digit < 0) return std::nullopt;
    number = number << 4 | static_cast<std::uint64_t>(digit);
  }
  return number;
}

template <typename Number>
std::optional<Number> Decimal(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && DigitValue(text[1]) >= 0) text.remove_prefix(1);
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc() || stopped != end || text.empty()) return std::nullopt;
  return number;
}

Result<std::int32_t> ParseMask(std::string_view text, kmip::Tag field,
                               const Vocabulary& vocabulary) {
  std::uint32_t mask = 0;
  bool any = false;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(" \t\r\n|");
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (word.empty()) continue;
    any = true;
    if (const auto number = HexNumber(word, 8)) {
      mask |= static_cast<std::uint32_t>(*number);
    } else if (const auto bit = vocabulary.MaskByName(field, word)) {
      mask |= *bit;
    } else {
      return Fault("a mask: it has a name that is unknown");
    }
  }
  if (!any) return Fault("an Integer");
  return static_cast<std::int32_t>(mask);
}

}  // namespace

Result<std::int32_t> ParseInteger(std::string_view text, kmip::Tag field,
                                  const Vocabulary& vocabulary) {
  text = Trim(text);
  if (const auto number = Decimal<std::int32_t>(text)) return *number;
  if (const auto number = HexNumber(text, 8)) return static_cast<std::int32_t>(*number);
  if (vocabulary.IsMask(field)) return ParseMask(text, field, vocabulary);
  return Fault("an Integer");
}

Result<std::int64_t> ParseLongInteger(std::string_view text) {
  text = Trim(text);
  if (const auto number = Decimal<std::int64_t>(text)) return *number;
  if (const auto number = HexNumber(text, 16)) return static_cast<std::int64_t>(*number);
  return Fault("a Long Integer");
}

Result<std::uint32_t> ParseInterval(std::string_view text) {
  text = Trim(text);
  if (const auto number = Decimal<std::uint32_t>(text)) return *number;
  if (const auto number = HexNumber(text, 8)) return static_cast<std::uint32_t>(*number);
  return Fault("an Interval");
}

Result<std::uint32_t> ParseEnumeration(std::string_view text, kmip::Tag field,
                                       const Vocabulary& vocabulary) {
  text = Trim(text);
  // Names first: some begin with digits.
  if (const auto value = vocabulary.EnumByName(field, text)) return *value;
  if (const auto number = HexNumber(text, 8)) return static_cast<std::uint32_t>(*number);
  if (const auto number = Decimal<std::uint32_t>(text)) return *number;
  return Fault("a value of this Enumeration");
}

Result<bool> ParseBoolean(std::string_view text) {
  text = Trim(text);
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  const auto number = HexNumber(text, 16);
  if (!number || *number > 1) return Fault("a Boolean");
  return *number == 1;
}

Result<std::int64_t> ParseDateTime(std::string_view text) {
  text = Trim(text);
  if (const auto number = HexNumber(text, 16)) return static_cast<std::int64_t>(*number);
  if (const auto number = Decimal<std::int64_t>(text)) return *number;
  const DateAndFraction date = TRY(ParseDate(text));
  return date.seconds;
}

Result<std::int64_t> ParseDateTimeExtended(std::string_view text) {
  text = Trim(text);
  if (const auto number = HexNumber(text, 16)) return static_cast<std::int64_t>(*number);
  if (const auto number = Decimal<std::int64_t>(text)) return *number;
  const DateAndFraction date = TRY(ParseDate(text));
  return date.seconds * kMicroseconds + date.microseconds;
}

Result<void> ParseHex(std::string_view text, WipingBytes& out) {
  text = Trim(text);
  if (text.size() % 2 != 0) return Fault("pairs of hexadecimal digits");
  out.reserve(out.size() + text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = DigitValue(text[i]), low = DigitValue(text[i + 1]);
    if (high < 0 || low < 0) return Fault("pairs of hexadecimal digits");
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return {};
}

Result<kmip::Tag> ParseTagHex(std::string_view text) {
  const auto number = HexNumber(text, 6);
  if (!number || !IsLawfulTag(static_cast<std::uint32_t>(*number))) return Fault("a tag");
  return static_cast<kmip::Tag>(*number);
}

void AppendText(std::string_view text, WipingBytes& out) { Append(out, AsBytes(text)); }

void AppendHex(ByteView bytes, WipingBytes& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out.push_back(static_cast<std::uint8_t>(kDigits[byte >> 4]));
    out.push_back(static_cast<std::uint8_t>(kDigits[byte & 15]));
  }
}

void AppendHexNumber(std::uint64_t number, std::size_t digits, WipingBytes& out) {
  std::uint8_t bytes[8];
  PutU64(bytes, number);
  AppendText("0x", out);
  AppendHex(ByteView(bytes).last(digits / 2), out);
}

void AppendDecimal(std::int64_t number, WipingBytes& out) {
  char text[24];
  const auto [end, failure] = std::to_chars(text, text + sizeof text, number);
  AppendText({text, static_cast<std::size_t>(end - text)}, out);
}

void AppendEnumeration(std::uint32_t value, kmip::Tag field, const Vocabulary& vocabulary,
                       WipingBytes& out) {
  const std::string_view name = vocabulary.EnumName(field, value);
  if (name.empty()) return AppendHexNumber(value, 8, out);
  AppendText(name, out);
}

void AppendMask(std::uint32_t value, kmip::Tag field, const Vocabulary& vocabulary, char separator,
                WipingBytes& out) {
  std::uint32_t nameless = 0;
  bool any = false;
  const auto separate = [&] {
    if (any) out.push_back(static_cast<std::uint8_t>(separator));
    any = true;
  };
  for (std::uint32_t bit = 1; bit != 0; bit <<= 1) {
    if ((value & bit) == 0) continue;
    const std::string_view name = vocabulary.MaskName(field, bit);
    if (name.empty()) {
      nameless |= bit;
      continue;
    }
    separate();
    AppendText(name, out);
  }
  if (any && nameless == 0) return;
  separate();
  AppendHexNumber(nameless, 8, out);
}

void AppendDateTime(std::int64_t seconds, WipingBytes& out) {
  if (!IsWritableDate(seconds)) {
    return AppendHexNumber(static_cast<std::uint64_t>(seconds), 16, out);
  }
  AppendDate(seconds, out);
}

void AppendDateTimeExtended(std::int64_t microseconds, WipingBytes& out) {
  const std::int64_t rest = (microseconds % kMicroseconds + kMicroseconds) % kMicroseconds;
  const DateAndFraction date{microseconds / kMicroseconds - (microseconds % kMicroseconds < 0),
                             rest};
  if (!IsWritableDate(date.seconds)) {
    return AppendHexNumber(static_cast<std::uint64_t>(microseconds), 16, out);
  }
  AppendDateExtended(date, out);
}

}  // namespace dare::ttlv

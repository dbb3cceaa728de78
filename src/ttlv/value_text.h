#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "ttlv/item.h"
#include "ttlv/vocabulary.h"

// The values of items as text, as the XML and JSON encodings share them (KMIP Profiles, "XML
// Encoding" and "JSON Encoding"). Reading takes every form that either of them allows.
namespace dare::ttlv {

// "0x" and exactly as many digits as the type has, or a decimal number. A mask may also be names
// and hexadecimal numbers with blanks or "|" between them.
Result<std::int32_t> ParseInteger(std::string_view text, kmip::Tag field,
                                  const Vocabulary& vocabulary);
Result<std::int64_t> ParseLongInteger(std::string_view text);
Result<std::uint32_t> ParseInterval(std::string_view text);
// A name, "0x" and 8 digits, or a decimal number.
Result<std::uint32_t> ParseEnumeration(std::string_view text, kmip::Tag field,
                                       const Vocabulary& vocabulary);
// "true", "false", "1", "0", or "0x" and 16 digits.
Result<bool> ParseBoolean(std::string_view text);
// A date (its fraction is ignored), "0x" and 16 digits, or a decimal number of seconds or
// microseconds.
Result<std::int64_t> ParseDateTime(std::string_view text);
Result<std::int64_t> ParseDateTimeExtended(std::string_view text);
// Appends the bytes of pairs of hexadecimal digits.
Result<void> ParseHex(std::string_view text, WipingBytes& out);
// "0x" and 6 digits: a lawful tag.
Result<kmip::Tag> ParseTagHex(std::string_view text);

// Writing. Lower-case hexadecimal digits everywhere.
void AppendText(std::string_view text, WipingBytes& out);
void AppendHex(ByteView bytes, WipingBytes& out);
void AppendHexNumber(std::uint64_t number, std::size_t digits, WipingBytes& out);  // with "0x"
void AppendDecimal(std::int64_t number, WipingBytes& out);
// The name of `value`, or its number as "0x" and 8 digits.
void AppendEnumeration(std::uint32_t value, kmip::Tag field, const Vocabulary& vocabulary,
                       WipingBytes& out);
// The names of the bits of `value`, lowest first, then the nameless rest as one number.
void AppendMask(std::uint32_t value, kmip::Tag field, const Vocabulary& vocabulary, char separator,
                WipingBytes& out);
// As dates, or "0x" and 16 digits where a date has more than four digits in its year.
void AppendDateTime(std::int64_t seconds, WipingBytes& out);
void AppendDateTimeExtended(std::int64_t microseconds, WipingBytes& out);

}  // namespace dare::ttlv

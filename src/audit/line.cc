#include "audit/line.h"

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <ctime>

#include "crypto/digest.h"

namespace dare::audit {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// The order of AppendHead and AppendBody. The last two stand only where the store was changed.
constexpr std::array<std::string_view, 14> kFields = {
    "seq",     "prev", "time",    "principal", "address", "operation", "object",
    "outcome", "rule", "request", "reason",    "detail",  "version",   "group"};
constexpr std::size_t kFieldsAlways = 12;

void AppendNumber(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// Bytes of the UTF-8 character at the start of `text`; 0 when it is none (RFC 3629, section 4).
std::size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  std::size_t size = 0;
  unsigned char low = 0x80, high = 0xBF;  // of the second byte
  if (first >= 0xC2 && first <= 0xDF) {
    size = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    size = 3;
    if (first == 0xE0) low = 0xA0;   // no overlong forms
    if (first == 0xED) high = 0x9F;  // no surrogates
  } else if (first >= 0xF0 && first <= 0xF4) {
    size = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (size == 0 || text.size() < size || byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

bool IsPlain(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

// As the inside of a JSON string (RFC 8259, section 7). What is no UTF-8 becomes U+FFFD, so that
// every line can be read by any tool; a peer cannot break out of its field or end its line.
void AppendEscaped(std::string& out, std::string_view text) {
  const bool cut = text.size() > kMostFieldBytes;
  if (cut) text = text.substr(0, kMostFieldBytes);
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && IsPlain(text[plain])) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char c = text.front();
    const std::size_t size = CharacterBytes(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (size == 1) {  // a control character
      out += "\\u00";
      out += kHexDigits[static_cast<unsigned char>(c) >> 4];
      out += kHexDigits[static_cast<unsigned char>(c) & 15];
    } else if (size > 1) {
      out.append(text.substr(0, size));
    } else if (!(cut && text.size() < 4)) {  // a character that the cut itself broke is left out
      out += "\\ufffd";
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  if (cut) out += "\\u2026";
}

void AppendField(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":\"";
  AppendEscaped(out, text);
  out += '"';
}

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAllowed:
      return "allowed";
    case Outcome::kDenied:
      return "denied";
    case Outcome::kFailed:
      return "failed";
  }
  return "failed";
}

Error Broken(std::string_view why) {
  return Error(Code::kDamaged, "not a line of the audit log: " + std::string(why));
}

Result<boost::json::object> ParseFields(std::string_view line) {
  boost::json::error_code failed;
  boost::json::value parsed = boost::json::parse({line.data(), line.size()}, failed);
  if (failed) return Broken("no JSON");
  boost::json::object* object = parsed.if_object();
  if (object == nullptr) return Broken("other fields");
  if (object->size() != kFieldsAlways && object->size() != kFields.size()) {
    return Broken("other fields");
  }
  std::size_t at = 0;
  for (const auto& field : *object) {
    const std::string_view name(field.key().data(), field.key().size());
    const bool is_number =
        name == "seq" || name == "reason" || name == "version" || name == "group";
    if (name != kFields[at++]) return Broken("other fields");
    if (is_number ? !field.value().is_int64() : !field.value().is_string()) {
      return Broken("a field of another type");
    }
  }
  if (object->at("seq").as_int64() < 1) return Broken("no sequence number");
  return std::move(*object);
}

Result<Outcome> ParseOutcome(std::string_view text) {
  for (const Outcome outcome : {Outcome::kAllowed, Outcome::kDenied, Outcome::kFailed}) {
    if (OutcomeName(outcome) == text) return outcome;
  }
  return Broken("no outcome");
}

}  // namespace

// RFC 3339 in UTC. Most entries of a thread share their second with the one before.
std::string_view TimeText(std::int64_t time) {
  struct Last {
    std::int64_t time = -1;
    char text[32] = "";
    std::size_t size = 0;
  };
  thread_local Last last;
  if (last.size == 0 || last.time != time) {
    const std::time_t seconds = time;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    last.size = std::strftime(last.text, sizeof last.text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    last.time = time;
  }
  return {last.text, last.size};
}

Result<std::int64_t> ParseTime(const std::string& text) {
  std::tm utc{};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  if (end == nullptr || *end != '\0') return Broken("no time");
  return static_cast<std::int64_t>(timegm(&utc));
}

LineHash HashBeforeFirst() { return LineHash(64, '0'); }

LineHash HashOf(std::string_view line) {
  LineHash hex;
  hex.reserve(64);
  for (const std::uint8_t byte : crypto::Sha256(AsBytes(line))) {
    hex += kHexDigits[byte >> 4];
    hex += kHexDigits[byte & 15];
  }
  return hex;
}

void AppendHead(std::string& out, std::uint64_t sequence, std::string_view previous) {
  out += "{\"seq\":";
  AppendNumber(out, sequence);
  out += ",\"prev\":\"";
  out += previous;
  out += '"';
}

void AppendBody(std::string& out, const Entry& entry) {
  out += ",\"time\":\"";
  out += TimeText(entry.time);
  out += '"';
  AppendField(out, "principal", entry.principal);
  AppendField(out, "address", entry.address);
  AppendField(out, "operation", entry.operation);
  AppendField(out, "object", entry.object_id);
  out += ",\"outcome\":\"";
  out += OutcomeName(entry.outcome);
  out += '"';
  AppendField(out, "rule", entry.rule);
  AppendField(out, "request", entry.request_id);
  out += ",\"reason\":";
  AppendNumber(out, entry.result_reason);
  AppendField(out, "detail", entry.detail);
  if (entry.group != 0) {
    out += ",\"version\":";
    AppendNumber(out, entry.version);
    out += ",\"group\":";
    AppendNumber(out, entry.group);
  }
  out += '}';
}

Result<LineLink> ParseLink(std::string_view line) {
  const boost::json::object object = TRY(ParseFields(line));
  const boost::json::string& previous = object.at("prev").as_string();
  return LineLink{.sequence = static_cast<std::uint64_t>(object.at("seq").as_int64()),
                  .previous = LineHash(previous.data(), previous.size())};
}

Result<NumberedEntry> ParseLine(std::string_view line) {
  const boost::json::object object = TRY(ParseFields(line));
  const auto text = [&](std::string_view name) {
    const boost::json::string& value = object.at({name.data(), name.size()}).as_string();
    return std::string(value.data(), value.size());
  };
  const auto number = [&](std::string_view name) {
    const boost::json::value* value = object.if_contains({name.data(), name.size()});
    return value == nullptr ? 0 : static_cast<std::uint64_t>(value->as_int64());
  };
  NumberedEntry numbered;
  numbered.sequence = number("seq");
  Entry& entry = numbered.entry;
  entry.time = TRY(ParseTime(text("time")));
  entry.principal = text("principal");
  entry.address = text("address");
  entry.operation = text("operation");
  entry.object_id = text("object");
  entry.outcome = TRY(ParseOutcome(text("outcome")));
  entry.rule = text("rule");
  entry.request_id = text("request");
  entry.result_reason = static_cast<std::uint32_t>(number("reason"));
  entry.detail = text("detail");
  entry.version = number("version");
  entry.group = number("group");
  return numbered;
}

}  // namespace dare::audit

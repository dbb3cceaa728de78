#include "envelope/secret_json.h"

#include <string_view>
#include <utility>

namespace dare::envelope {
namespace {

constexpr std::size_t kWindow = 4096;

bool IsBlank(int c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int HexValue(int c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What an escape of one letter stands for; 0 for none.
std::uint8_t SimpleEscape(int c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return static_cast<std::uint8_t>(c);
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

}  // namespace

Result<SecretJson> SecretJson::Create(ByteSource& in) {
  SecretJson json(in);
  json.window_ = TRY(SecretBytes::OfSize(kWindow));
  json.scratch_ = TRY(SecretBytes::OfSize(kMostString));
  return json;
}

Error SecretJson::Bad(std::string_view what) const {
  return Error(Code::kMalformed, "line " + std::to_string(line_) + ": " + std::string(what));
}

Result<void> SecretJson::Refill() {
  at_ = 0;
  end_ = TRY(in_->Read(window_.RevealMutable()));
  ended_ = end_ == 0;
  return {};
}

Result<int> SecretJson::Next() {
  if (at_ == end_ && !ended_) TRY(Refill());
  if (ended_) return -1;
  return window_.Reveal()[at_];
}

Result<int> SecretJson::NextToken() {
  for (;;) {
    const int c = TRY(Next());
    if (!IsBlank(c)) return c;
    if (c == '\n') ++line_;
    ++at_;
  }
}

Result<void> SecretJson::Take(char expected) {
  if (TRY(NextToken()) != expected) return Bad(std::string("expected '") + expected + "'");
  ++at_;
  return {};
}

Result<SecretJson::Kind> SecretJson::Peek() {
  switch (TRY(NextToken())) {
    case '{':
      return Kind::kObject;
    case '[':
      return Kind::kArray;
    case '"':
      return Kind::kString;
    default:
      return Kind::kOther;
  }
}

Result<void> SecretJson::ReadObject(const std::function<Result<void>(std::string)>& member) {
  TRY(Take('{'));
  if (++depth_ > kMostDepth) return Bad("nested too deeply");
  if (TRY(NextToken()) != '}') {
    for (;;) {
      std::string name = TRY(ReadText());
      TRY(Take(':'));
      TRY(member(std::move(name)));
      if (TRY(NextToken()) != ',') break;
      ++at_;
    }
  }
  --depth_;
  return Take('}');
}

Result<void> SecretJson::Keep(std::uint8_t byte, std::size_t& length) {
  if (length == kMostString) return Bad("a string is too long");
  scratch_.RevealMutable()[length++] = byte;
  return {};
}

Result<void> SecretJson::KeepCodePoint(std::uint32_t code, std::size_t& length) {
  const auto tail = [&](int shift) {
    return static_cast<std::uint8_t>(0x80 | (code >> shift & 0x3F));
  };
  if (code < 0x80) return Keep(static_cast<std::uint8_t>(code), length);
  if (code < 0x800) {
    TRY(Keep(static_cast<std::uint8_t>(0xC0 | code >> 6), length));
    return Keep(tail(0), length);
  }
  if (code < 0x10000) {
    TRY(Keep(static_cast<std::uint8_t>(0xE0 | code >> 12), length));
  } else {
    TRY(Keep(static_cast<std::uint8_t>(0xF0 | code >> 18), length));
    TRY(Keep(tail(12), length));
  }
  TRY(Keep(tail(6), length));
  return Keep(tail(0), length);
}

Result<std::uint32_t> SecretJson::ReadHex4() {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexValue(TRY(Next()));
    if (digit < 0) return Bad("\\u needs four hex digits");
    ++at_;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

// The backslash is taken already.
Result<void> SecretJson::ReadEscape(std::size_t& length) {
  const int c = TRY(Next());
  if (c < 0) return Bad("the input ends inside a string");
  ++at_;
  if (const std::uint8_t byte = SimpleEscape(c); byte != 0) return Keep(byte, length);
  if (c != 'u') return Bad("unknown escape in a string");
  std::uint32_t code = TRY(ReadHex4());
  if (code >= 0xDC00 && code < 0xE000) return Bad("half of a surrogate pair");
  if (code >= 0xD800 && code < 0xDC00) {
    if (TRY(Next()) != '\\') return Bad("half of a surrogate pair");
    ++at_;
    if (TRY(Next()) != 'u') return Bad("half of a surrogate pair");
    ++at_;
    const std::uint32_t low = TRY(ReadHex4());
    if (low < 0xDC00 || low >= 0xE000) return Bad("half of a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  return KeepCodePoint(code, length);
}

Result<std::size_t> SecretJson::ReadString() {
  TRY(Take('"'));
  std::size_t length = 0;
  for (;;) {
    const int c = TRY(Next());
    if (c < 0) return Bad("the input ends inside a string");
    ++at_;
    if (c == '"') break;
    if (c < 0x20) return Bad("a control character in a string");
    if (c == '\\') {
      TRY(ReadEscape(length));
    } else {
      TRY(Keep(static_cast<std::uint8_t>(c), length));
    }
  }
  if (!IsValidUtf8(scratch_.Reveal().first(length))) return Bad("a string is not UTF-8");
  return length;
}

Result<SecretBytes> SecretJson::ReadSecret() {
  const std::size_t length = TRY(ReadString());
  return SecretBytes::CopyOf(scratch_.Reveal().first(length));
}

Result<std::string> SecretJson::ReadText() {
  const std::size_t length = TRY(ReadString());
  return std::string(AsText(scratch_.Reveal().first(length)));
}

Result<void> SecretJson::SkipArray() {
  TRY(Take('['));
  if (++depth_ > kMostDepth) return Bad("nested too deeply");
  if (TRY(NextToken()) != ']') {
    for (;;) {
      TRY(Skip());
      if (TRY(NextToken()) != ',') break;
      ++at_;
    }
  }
  --depth_;
  return Take(']');
}

// A number, true, false or null; numbers are passed over by their characters.
Result<void> SecretJson::SkipScalar() {
  std::string word;
  for (;;) {
    const int c = TRY(Next());
    const bool part = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '+' ||
                      c == '-' || c == '.';
    if (!part) break;
    if (word.size() == 64) return Bad("a number is too long");
    word.push_back(static_cast<char>(c));
    ++at_;
  }
  if (word == "true" || word == "false" || word == "null") return {};
  if (!word.empty() && word.find_first_not_of("0123456789eE+-.") == std::string::npos &&
      word.find_first_of("0123456789") != std::string::npos) {
    return {};
  }
  return Bad("not JSON");
}

Result<void> SecretJson::Skip() {
  switch (TRY(Peek())) {
    case Kind::kObject:
      return ReadObject([this](const std::string&) { return Skip(); });
    case Kind::kArray:
      return SkipArray();
    case Kind::kString:
      TRY(ReadString());
      return {};
    case Kind::kOther:
      return SkipScalar();
  }
  return {};
}

Result<void> SecretJson::End() {
  if (TRY(NextToken()) != -1) return Bad("something stands behind the end");
  return {};
}

}  // namespace dare::envelope

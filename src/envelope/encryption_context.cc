#include "envelope/encryption_context.h"

#include <algorithm>
#include <utility>

namespace dare::envelope {
namespace {

constexpr std::size_t kMostBytes = 65535;
constexpr std::string_view kReservedPrefix = "aws-crypto-";

Error Bad(std::string_view what) {
  return Error(Code::kDamaged, "encryption context: " + std::string(what));
}

void AppendField(Bytes& out, std::string_view text) {
  std::uint8_t length[2];
  PutU16(length, static_cast<std::uint16_t>(text.size()));
  Append(out, length);
  Append(out, AsBytes(text));
}

// Takes a u16-length field off the front of `rest`.
Result<std::string> TakeField(ByteView& rest) {
  if (rest.size() < 2) return Bad("ends inside a pair");
  const std::size_t length = GetU16(rest.data());
  rest = rest.subspan(2);
  if (rest.size() < length) return Bad("ends inside a pair");
  const ByteView field = rest.first(length);
  rest = rest.subspan(length);
  if (!IsValidUtf8(field)) return Bad("not UTF-8");
  return std::string(AsText(field));
}

bool IsPortable(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

Result<void> EncryptionContext::Add(std::string key, std::string value) {
  if (key.starts_with(kReservedPrefix)) {
    return Error(Code::kInvalidArgument, "context keys starting with aws-crypto- are reserved");
  }
  return Insert(std::move(key), std::move(value));
}

Result<void> EncryptionContext::AddPublicKey(std::string base64) {
  return Insert(std::string(kPublicKey), std::move(base64));
}

Result<void> EncryptionContext::Insert(std::string key, std::string value) {
  if (!IsValidUtf8(AsBytes(key)) || !IsValidUtf8(AsBytes(value))) {
    return Error(Code::kInvalidArgument, "a context pair must be UTF-8");
  }
  if (pairs_.contains(key)) {
    return Error(Code::kInvalidArgument, "the context has two values for " + key);
  }
  const std::size_t size = std::max<std::size_t>(Serialize().size(), 2);  // with the pair count
  if (size + 4 + key.size() + value.size() > kMostBytes) {
    return Error(Code::kInvalidArgument, "the context is longer than 65,535 bytes");
  }
  pairs_.emplace(std::move(key), std::move(value));
  return {};
}

Result<void> EncryptionContext::AddPortable(std::string key, std::string value) {
  if (!IsPortable(key)) {
    return Error(Code::kInvalidArgument,
                 "context keys may have only the characters a-z, 0-9 and '-': \"" + key + "\"");
  }
  return Add(std::move(key), std::move(value));
}

const std::string* EncryptionContext::Find(std::string_view key) const {
  const auto pair = pairs_.find(key);
  return pair == pairs_.end() ? nullptr : &pair->second;
}

Bytes EncryptionContext::Serialize() const {
  Bytes out;
  if (pairs_.empty()) return out;
  out.resize(2);
  PutU16(out.data(), static_cast<std::uint16_t>(pairs_.size()));
  for (const auto& [key, value] : pairs_) {
    AppendField(out, key);
    AppendField(out, value);
  }
  return out;
}

Result<EncryptionContext> EncryptionContext::Parse(ByteView bytes) {
  EncryptionContext context;
  if (bytes.empty()) return context;
  if (bytes.size() < 2) return Bad("too short");
  const std::size_t count = GetU16(bytes.data());
  if (count == 0) return Bad("has a length but no pairs");
  bytes = bytes.subspan(2);
  for (std::size_t i = 0; i < count; ++i) {
    std::string key = TRY(TakeField(bytes));
    std::string value = TRY(TakeField(bytes));
    // The map orders by unsigned bytes, as the format does.
    if (!context.pairs_.empty() && key <= context.pairs_.rbegin()->first) {
      return Bad("keys are not sorted and unique");
    }
    context.pairs_.emplace_hint(context.pairs_.end(), std::move(key), std::move(value));
  }
  if (!bytes.empty()) return Bad("has bytes after its last pair");
  return context;
}

Result<EncryptionContext> EncryptionContext::MergedWith(const EncryptionContext& other) const {
  EncryptionContext merged = *this;
  for (const auto& [key, value] : other.pairs_) {
    const auto [pair, added] = merged.pairs_.emplace(key, value);
    if (!added && pair->second != value) return Bad("the given pairs contradict the stored ones");
  }
  return merged;
}

EncryptionContext EncryptionContext::MissingFrom(const EncryptionContext& other) const {
  EncryptionContext missing;
  for (const auto& pair : other.pairs_) {
    if (!pairs_.contains(pair.first)) missing.pairs_.insert(pair);
  }
  return missing;
}

}  // namespace dare::envelope

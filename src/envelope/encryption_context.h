#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace dare::envelope {

// The pairs a message carries in the clear and binds into the wrapping of its DEK. Public: never a
// place for secrets. Unique keys, UTF-8, kept sorted by their bytes, at most 65,535 bytes
// serialised. A plain value.
class EncryptionContext {
 public:
  // Key under which signed suites keep their public key.
  static constexpr std::string_view kPublicKey = "aws-crypto-public-key";

  // kInvalidArgument for a key that exists, starts with the reserved "aws-crypto-", is no UTF-8 or
  // would take the serialisation over its limit.
  Result<void> Add(std::string key, std::string value);
  // kInvalidArgument besides when the key has other characters than [a-z0-9-]: stock JavaScript
  // readers sort other keys differently and then cannot unwrap the DEK.
  Result<void> AddPortable(std::string key, std::string value);

  // Adds the pair of signed suites, which MessageSealer alone writes.
  Result<void> AddPublicKey(std::string base64);

  // Null when absent.
  const std::string* Find(std::string_view key) const;
  bool empty() const { return pairs_.empty(); }
  std::size_t size() const { return pairs_.size(); }
  const std::map<std::string, std::string, std::less<>>& pairs() const { return pairs_; }

  // u16 count, then u16-length key and value for each; zero bytes when empty. This is what stands
  // in the header behind its u16 length, and alone as associated data.
  Bytes Serialize() const;
  // The inverse, strict: sorted, unique, UTF-8, nothing left over; kDamaged otherwise. Zero bytes
  // give the empty context.
  static Result<EncryptionContext> Parse(ByteView bytes);

  // This context and the pairs of `other`; kDamaged where they contradict each other.
  Result<EncryptionContext> MergedWith(const EncryptionContext& other) const;
  // The pairs of `other` whose keys are not here.
  EncryptionContext MissingFrom(const EncryptionContext& other) const;

  friend bool operator==(const EncryptionContext&, const EncryptionContext&) = default;

 private:
  Result<void> Insert(std::string key, std::string value);

  std::map<std::string, std::string, std::less<>> pairs_;
};

}  // namespace dare::envelope

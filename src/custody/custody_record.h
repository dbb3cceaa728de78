#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::custody {

enum class SealingMode : std::uint8_t { kDirect = 1, kRoot = 2 };
enum class KeyKind : std::uint8_t { kMaster = 1, kRoot = 2 };
enum class KeyOrigin : std::uint8_t { kToken = 1, kCeremony = 2 };
// A key goes down this list and never back.
enum class KeyState : std::uint8_t {
  kPrepared = 1,   // made, in no use yet
  kCurrent = 2,    // seals
  kRetiring = 3,   // opens what is being sealed anew
  kRetired = 4,    // nothing in the store needs it
  kDestroyed = 5,  // and it is gone from the tokens
};

// A token that holds a master key, or one whose master key wraps a root key.
struct KeyHolder {
  std::string token;   // its name in kms.toml
  Bytes wrapping_key;  // root key: id of the master key in that token
  Bytes wrapped;       // root key: a sealed record of it (docs/formats/custody.md)
  friend bool operator==(const KeyHolder&, const KeyHolder&) = default;
};

// A quorum that can bring a key back.
struct KeyQuorum {
  Bytes ceremony;  // 8 bytes; empty: none
  std::uint8_t threshold = 0;
  std::uint8_t shares = 0;
  std::int64_t held = 0;  // when
  friend bool operator==(const KeyQuorum&, const KeyQuorum&) = default;
};

struct CustodyKey {
  Bytes id;  // 8 bytes, in the head of every record that it sealed
  KeyKind kind = KeyKind::kMaster;
  KeyOrigin origin = KeyOrigin::kToken;
  KeyState state = KeyState::kCurrent;
  std::uint8_t mechanism = 0;  // of its records
  std::string label;
  Bytes check_value;
  std::int64_t created = 0;
  std::int64_t retired = 0;  // 0: not yet
  std::vector<KeyHolder> holders;
  KeyQuorum quorum;  // the last one
  friend bool operator==(const CustodyKey&, const CustodyKey&) = default;
};

// Which keys the store is sealed under and who holds them: one row of the store, changed as a whole
// and only if its revision is still the one that was read. Nothing in it is secret.
struct CustodyRecord {
  std::uint64_t revision = 0;  // one more with each change
  SealingMode mode = SealingMode::kDirect;
  std::vector<CustodyKey> keys;  // oldest first; exactly one is current
  friend bool operator==(const CustodyRecord&, const CustodyRecord&) = default;

  const CustodyKey* Find(const Bytes& id) const;
  CustodyKey* Find(const Bytes& id);
  const CustodyKey& current() const;  // of a record that Decode gave or CheckWhole passed
};

// kMalformed unless exactly one key is current and ids are of 8 bytes, each once.
Result<void> CheckWhole(const CustodyRecord& record);
Bytes Encode(const CustodyRecord& record);
// kMalformed on anything that Encode does not give.
Result<CustodyRecord> DecodeCustodyRecord(ByteView bytes);

std::string_view NameOf(SealingMode mode);
std::string_view NameOf(KeyKind kind);
std::string_view NameOf(KeyOrigin origin);
std::string_view NameOf(KeyState state);

}  // namespace dare::custody

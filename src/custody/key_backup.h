#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "custody/custody_record.h"

namespace dare::custody {

// One person's part of a backup key. Alone, and with all others but one that is needed, it says
// nothing of any key.
struct KeyShare {
  Bytes ceremony;              // 8 bytes: which backup it belongs to
  std::uint8_t threshold = 0;  // so many open it
  std::uint8_t number = 0;     // from 1
  SecretBytes part;            // 32 bytes
};

// A key of the store, wrapped under a backup key that exists only in shares. Opens nothing by
// itself. Format: docs/formats/custody.md.
struct KeyBackup {
  KeyKind kind = KeyKind::kRoot;
  Bytes key_id;
  Bytes check_value;
  std::string label;
  Bytes ceremony;
  std::uint8_t threshold = 0;
  std::uint8_t shares = 0;
  std::int64_t created = 0;
  Bytes wrapped;
  friend bool operator==(const KeyBackup&, const KeyBackup&) = default;
};

struct Ceremony {
  KeyBackup backup;
  std::vector<KeyShare> shares;
};

// Draws a backup key, wraps `key` (32 bytes, described by `of`) under it, splits it into `shares`
// parts of which `threshold` open it, and forgets it. kInvalidArgument: a threshold below 2 or
// above the shares, more than 100 shares.
Result<Ceremony> BackUp(const CustodyKey& of, const SecretBytes& key, unsigned threshold,
                        unsigned shares, std::int64_t now);
// The key again. kInvalidArgument, saying what is wrong with which share: fewer than the threshold,
// one twice, one of another ceremony. kDamaged when they do not open the backup.
Result<SecretBytes> Recover(const KeyBackup& backup, std::span<const KeyShare> shares);

Bytes Encode(const KeyBackup& backup);
Result<KeyBackup> DecodeKeyBackup(ByteView bytes);
// Between lines that say what it is, for a file.
std::string ToArmour(const KeyBackup& backup);
Result<KeyBackup> FromArmour(std::string_view text);

// A share as rows of hexadecimal digits for paper and keyboards. `of`: how many there are.
WipingBytes ToText(const KeyShare& share, unsigned of);
// Reads one share out of a text; what is not a row of it is skipped. kMalformed naming the row that
// was mistyped or is missing.
Result<KeyShare> FromText(std::string_view text);

// Where a backup is kept in the store.
std::string BackupRow(const Bytes& ceremony);

}  // namespace dare::custody

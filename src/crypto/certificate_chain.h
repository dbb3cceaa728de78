#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::crypto {

enum class ChainVerdict : std::uint8_t {
  kValid,
  kInvalid,  // a signature, a date, a constraint or a purpose is wrong
  kUnknown,  // nothing is wrong, but no trust anchor was found
};

// Whether `certificates` (X.509, DER, at least one, in any order) make one chain, from one end
// certificate up to a self-signed authority among them or among `anchors`, good at `time` (POSIX
// seconds). RFC 5280, section 6; no revocation lists are looked at. kInvalid also when a
// certificate does not belong to that chain, and for signatures and keys of less than 112 bits of
// strength unless `allow_legacy`. kMalformed when one is no certificate.
Result<ChainVerdict> JudgeChain(std::span<const ByteView> certificates,
                                std::span<const ByteView> anchors, std::int64_t time,
                                bool allow_legacy);

// Whether `certificate` would pass as signed, directly or over others of `authorities`, by one of
// `authorities`, or carries the key or the name of one. Dates and purposes do not matter here.
Result<bool> BelongsTo(ByteView certificate, std::span<const ByteView> authorities);

}  // namespace dare::crypto

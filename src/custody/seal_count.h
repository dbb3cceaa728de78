#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::custody {

// Seals are counted in blocks of this size in the store; what a restart leaves of one is lost.
inline constexpr std::uint64_t kSealBlock = 65536;
// AES-GCM with random 96-bit nonces: SP 800-38D, 8.3 allows 2^32 under one key. The margin covers
// what other nodes may have open.
inline constexpr std::uint64_t kMostGcmSeals = (std::uint64_t{1} << 32) - (std::uint64_t{1} << 24);
inline constexpr std::uint64_t kWarnGcmSeals = std::uint64_t{1} << 31;
inline constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

// Counts the seals that this node makes under one key, so that the store always knows of at least
// as many as its records show: a transaction with new records carries the count along once it
// passed the block that is stored. Thread-safe.
class SealCount {
 public:
  // `most`: of all nodes together.
  SealCount(Bytes key_id, std::uint64_t most) : key_id_(std::move(key_id)), most_(most) {}

  // What the store says that this node may have made before it started, all of it taken as made,
  // and the same of the other nodes.
  void Learn(std::uint64_t own, std::uint64_t others);

  // Counts one. kExhausted at the limit, saying that the key must be rotated.
  Result<void> Take();

  // What to store before a transaction commits; 0 when the stored block still covers all.
  std::uint64_t ToReserve() const;
  // After that commit.
  void Reserved(std::uint64_t count) { reserved_ = count; }
  void SetOthers(std::uint64_t count) { others_ = count; }

  const Bytes& key_id() const { return key_id_; }
  std::uint64_t total() const { return made_ + others_; }
  std::uint64_t most() const { return most_; }

 private:
  const Bytes key_id_;
  const std::uint64_t most_;
  std::atomic<std::uint64_t> made_ = 0;
  std::atomic<std::uint64_t> reserved_ = 0;
  std::atomic<std::uint64_t> others_ = 0;
};

}  // namespace dare::custody

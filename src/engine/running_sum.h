#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "store/object_store.h"

// The sum over the store, from which a row that is missing, too many or put back shows
// (docs/integrity.md, docs/formats/record.md "The sum"). Each row counts as a number of 256 bits
// that only the record key gives, for its id and row version; the store's sum is that of its rows.
// Each node keeps the sum of its own changes, so that nodes need not wait for each other.
namespace dare::engine {

class Vault;

// A number modulo 2^256.
class SumNumber {
 public:
  static constexpr std::size_t kBytes = 32;

  SumNumber() = default;
  // The first 32 bytes, the most significant first.
  static SumNumber FromBytes(ByteView bytes);
  Bytes ToBytes() const;
  SumNumber& operator+=(const SumNumber& other);
  SumNumber& operator-=(const SumNumber& other);
  friend bool operator==(const SumNumber&, const SumNumber&) = default;

 private:
  std::array<std::uint64_t, 4> limbs_{};  // the least significant first
};

// What a row counts, and what a fact counts that the sum covers.
Result<SumNumber> NumberOfRow(const Vault& vault, const store::ObjectId& id,
                              std::uint64_t row_version);
Result<SumNumber> NumberOfFact(const Vault& vault, const std::string& key, ByteView value);
// True for facts of the store that the sum covers: what clients laid down about their objects.
bool IsSummedFact(std::string_view key);

// One node's share.
struct RunningSum {
  std::uint64_t group = 0;  // how often it was written: one more with each transaction that changes
  std::int64_t records = 0;  // added less removed
  SumNumber sum;
};

// The facts of the store that keep sums. The base is what was there before the nodes began: nothing
// in a new store, and otherwise what a person adopted.
inline constexpr std::string_view kSumPrefix = "sum-";
inline constexpr char kSumBaseKey[] = "sum-base";
std::string SumKeyOf(const std::string& node);

// As the value of the fact `key`: the sum masked with a new nonce, all under a keyed check.
Result<Bytes> EncodeSum(const Vault& vault, const std::string& key, const RunningSum& sum);
// kDamaged unless this vault wrote it under this key.
Result<RunningSum> DecodeSum(const Vault& vault, const std::string& key, ByteView row);

}  // namespace dare::engine

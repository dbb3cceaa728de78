#include "engine/random_iv_budget.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "crypto/digest.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

constexpr std::string_view kRows = "random-ivs/";
constexpr std::size_t kCheckBytes = 32;
constexpr std::size_t kRowBytes = kCheckBytes + 8;

// An imported object's identifier may have any characters, a slash too.
std::string PrefixOf(const std::string& id) {
  return std::string(kRows) + ToHex(ByteView(crypto::Sha256(AsBytes(id))).first(16)) + "/";
}

}  // namespace

RandomIvBudget::RandomIvBudget(RandomIvLimits limits, std::string node, const Vault& vault)
    : limits_(limits), node_(std::move(node)), vault_(vault) {}

RandomIvBudget::Shard& RandomIvBudget::ShardOf(const std::string& id) {
  return shards_[std::hash<std::string>()(id) % kShards];
}

std::string RandomIvBudget::RowOf(const std::string& id) const { return PrefixOf(id) + node_; }

bool RandomIvBudget::Take(const std::string& id) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  const auto entry = shard.entries.find(id);
  if (entry == shard.entries.end() || entry->second.used >= entry->second.ready) return false;
  ++entry->second.used;
  return true;
}

Result<std::uint64_t> RandomIvBudget::Read(const store::ObjectReader& store,
                                           const std::string& row) const {
  const Result<Bytes> kept = store.GetMeta(row);
  if (!kept) {
    if (kept.error().code == Code::kNotFound) return std::uint64_t{0};
    return kept.error();
  }
  const Error damaged(Code::kDamaged, "the count " + row + " does not authenticate");
  if (kept->size() != kRowBytes) return damaged;
  const ByteView value = ByteView(*kept).subspan(kCheckBytes);
  const Bytes check = TRY(vault_.Authenticate(row, value));
  if (!EqualInConstantTime(check, ByteView(*kept).first(kCheckBytes))) return damaged;
  return GetU64(value.data());
}

Result<std::uint64_t> RandomIvBudget::Reserve(store::Transaction& transaction,
                                              const std::string& id) {
  const std::string own = RowOf(id);
  std::uint64_t others = 0;
  for (const std::string& row : TRY(transaction.ListMeta(PrefixOf(id)))) {
    if (row != own) others += TRY(Read(transaction, row));
  }
  const std::uint64_t counted = TRY(Read(transaction, own));
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  if (shard.entries.size() >= kMostInShard && !shard.entries.contains(id)) shard.entries.clear();
  // What an earlier process left of its last block may have been used: nobody knows.
  Entry& entry =
      shard.entries.try_emplace(id, Entry{.used = counted, .ready = counted}).first->second;
  if (entry.used < counted) {  // by an earlier request of the same group
    ++entry.used;
    return others + counted;
  }
  const std::uint64_t block = entry.met ? limits_.block : limits_.first_block;
  const std::uint64_t next = std::max(counted, entry.used) + block;
  if (others + next > limits_.most) {
    return kmip::Reject(kmip::ResultReason::kUsageLimitExceeded,
                        "the key has encrypted " + std::to_string(others + counted) +
                            " times under random IVs, as often as is safe: rotate it (Re-key); "
                            "it still decrypts");
  }
  std::uint8_t value[8];
  PutU64(value, next);
  Bytes row = TRY(vault_.Authenticate(own, value));
  Append(row, value);
  TRY(transaction.PutMeta(own, row));
  entry.met = true;
  ++entry.used;
  const MutexLock pending(pending_mutex_);
  pending_.push_back(id);
  return others + next;
}

void RandomIvBudget::Settle(const store::ObjectReader& store) {
  std::vector<std::string> ids;
  {
    const MutexLock lock(pending_mutex_);
    ids = std::exchange(pending_, {});
  }
  for (const std::string& id : ids) {
    // What was rolled back is not there; what cannot be read now is reserved again when it is
    // needed.
    const Result<std::uint64_t> counted = Read(store, RowOf(id));
    if (!counted) continue;
    Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    const auto entry = shard.entries.find(id);
    if (entry != shard.entries.end()) entry->second.ready = *counted;
  }
}

Result<void> RandomIvBudget::Forget(store::Transaction& transaction, const std::string& id) {
  for (const std::string& row : TRY(transaction.ListMeta(PrefixOf(id)))) {
    TRY(transaction.RemoveMeta(row));
  }
  return {};
}

}  // namespace dare::engine

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "engine/vault.h"
#include "store/object_store.h"

namespace dare::engine {

// How often one key may encrypt under random IVs (NIST SP 800-38D 8.3: 2^32 times), and how that is
// counted.
struct RandomIvLimits {
  std::uint64_t first_block = 4096;            // counted ahead in the store at a key's first use
  std::uint64_t block = 65536;                 // and from the second time on
  std::uint64_t due = std::uint64_t{1} << 31;  // from here on the key should be replaced
  std::uint64_t most = (std::uint64_t{1} << 32) - (std::uint64_t{1} << 20);
};

// A RandomIvBudget counts the IVs that the server draws at random, for each key, durably and
// without a write for each: a block is counted in the store ahead of its use, so that a crash
// wastes what is left of it but forgets nothing. Every node of a database counts in a row of its
// own; the sum is what counts. IVs that clients choose are not counted: nobody here can know how
// they were chosen (docs/decisions/random-ivs.md). Thread-safe. `vault` outlives it.
class RandomIvBudget {
 public:
  RandomIvBudget(RandomIvLimits limits, std::string node, const Vault& vault);

  // Takes one for the key `id`. False when its block is used up: the writer must reserve another.
  bool Take(const std::string& id);

  // On the writer thread: takes one for the key, and counts another block in the transaction where
  // it must. Gives how many are counted for the key by all nodes, the block included. kRejected
  // (Usage Limit Exceeded) where that would be too many; kDamaged.
  Result<std::uint64_t> Reserve(store::Transaction& transaction, const std::string& id);
  bool IsDue(std::uint64_t counted) const { return counted >= limits_.due; }
  // After a group: what is in the store by now may be used.
  void Settle(const store::ObjectReader& store) EXCLUDES(pending_mutex_);
  // A key that is no more.
  static Result<void> Forget(store::Transaction& transaction, const std::string& id);

 private:
  struct Entry {
    std::uint64_t used = 0;
    std::uint64_t ready = 0;  // counted in the store and committed
    bool met = false;         // a block was used up since this process began
  };
  struct Shard {
    Mutex mutex;
    std::unordered_map<std::string, Entry> entries GUARDED_BY(mutex);
  };
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kMostInShard = 8192;  // beyond it, blocks are wasted

  Shard& ShardOf(const std::string& id);
  Result<std::uint64_t> Read(const store::ObjectReader& store, const std::string& row) const;
  std::string RowOf(const std::string& id) const;

  const RandomIvLimits limits_;
  const std::string node_;
  const Vault& vault_;
  std::array<Shard, kShards> shards_;
  Mutex pending_mutex_;
  std::vector<std::string> pending_ GUARDED_BY(pending_mutex_);
};

}  // namespace dare::engine

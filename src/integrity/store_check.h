#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "engine/guarded_facts.h"
#include "engine/running_sum.h"
#include "engine/vault.h"
#include "integrity/findings.h"
#include "store/object_store.h"

namespace dare::integrity {

struct StoreCheckOptions {
  unsigned threads = 0;  // 0: one a core
  bool deep = false;     // open every material in the HSM
  // Called with what part of the whole is done; by several threads, one after the other.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
  const std::atomic<bool>* cancelled = nullptr;  // when it turns true: kIo with detail EINTR
};

// A table of guarded facts: what its sum says (group 0: there is none), and what its rows count.
struct TableTotals {
  engine::RunningSum expected;
  engine::TableCount counted;
};

struct StoreTotals {
  std::uint64_t rows = 0;
  std::uint64_t entries = 0;
  std::uint64_t opened = 0;  // materials, with `deep`
  std::uint64_t facts = 0;
  std::uint64_t unchecked_facts = 0;            // of a kind that this check does not know
  bool has_base = false;                        // of the sums
  std::int64_t expected_rows = 0;               // by the sums
  engine::SumNumber sum;                        // of the rows and facts as they are
  engine::SumNumber expected_sum;               // by the sums, base included
  std::map<std::string, std::uint64_t> groups;  // of each node, by its fact's key
  std::map<std::string, TableTotals> tables;    // by name
};

// Looks at everything in `snapshot`, which belongs to one moment. An Error: the check could not be
// made (the HSM is away, the disk fails, cancelled); what it found goes to `findings`. The memory
// it takes does not grow with the store.
Result<StoreTotals> CheckStore(const store::WholeReader& snapshot, const engine::Vault& vault,
                               const StoreCheckOptions& options, Findings& findings);

}  // namespace dare::integrity

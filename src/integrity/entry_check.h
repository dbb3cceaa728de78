#pragma once

#include <atomic>
#include <cstdint>

#include "engine/running_sum.h"
#include "engine/vault.h"
#include "integrity/findings.h"
#include "store/object_store.h"

namespace dare::integrity {

// What an index entry counts in a sum that tells two sets of entries apart.
Result<engine::SumNumber> NumberOfEntry(const engine::Vault& vault,
                                        const store::PlacedEntry& entry);

// Compares what the back end keeps beside the rows with what the rows say: their number and sum
// first, one by one only where those differ. Gives the number of entries that are there.
Result<std::uint64_t> CheckEntries(const store::WholeReader& snapshot, const engine::Vault& vault,
                                   std::uint64_t expected, const engine::SumNumber& expected_sum,
                                   const std::atomic<bool>* cancelled, Findings& findings);

}  // namespace dare::integrity

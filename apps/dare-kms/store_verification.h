#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "server/config.h"

namespace dare::kms {

using StoreGroups = std::map<std::string, std::uint64_t>;  // of each node: how often it changed it

// Checks a store that was just copied: every row, the index, the sums. kDamaged unless it is whole;
// a store whose source kept no sums passes without.
Result<StoreGroups> VerifyCopy(const server::Config& config, const std::atomic<bool>& interruption);

}  // namespace dare::kms

#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::engine {

class Vault;

// Constraints and defaults as the store's metadata keeps them: a keyed check, then what is kept.
inline constexpr std::size_t kRulesCheckBytes = 32;
// Whether the engine wrote `kept` under `key`.
Result<bool> RulesAreOurs(const Vault& vault, const std::string& key, ByteView kept);

}  // namespace dare::engine

#include "engine/kept_rules.h"

#include "engine/guarded_facts.h"

namespace dare::engine {

Result<bool> RulesAreOurs(const Vault& vault, const std::string& key, ByteView kept) {
  return TRY(OpenGuarded(vault, key, kept)).has_value();
}

}  // namespace dare::engine

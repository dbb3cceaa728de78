#include "engine/kept_rules.h"

#include "engine/vault.h"

namespace dare::engine {

Result<bool> RulesAreOurs(const Vault& vault, const std::string& key, ByteView kept) {
  if (kept.size() < kRulesCheckBytes) return false;
  const Bytes check = TRY(vault.Authenticate(key, kept.subspan(kRulesCheckBytes)));
  return EqualInConstantTime(check, kept.first(kRulesCheckBytes));
}

}  // namespace dare::engine

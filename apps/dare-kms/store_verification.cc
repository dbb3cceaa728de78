#include "store_verification.h"

#include "engine/running_sum.h"
#include "integrity/store_check.h"
#include "progress.h"
#include "whole_store.h"

namespace dare::kms {

Result<StoreGroups> VerifyCopy(const server::Config& config,
                               const std::atomic<bool>& interruption) {
  const KeyStation whole = TRY(OpenWhole(config, StoreUse::kJoin));
  const auto snapshot = TRY(whole.store->Snapshot());
  Progress progress("checking");
  integrity::StoreCheckOptions check;
  check.cancelled = &interruption;
  check.progress = [&](std::uint64_t done, std::uint64_t total) { progress.Show(done, total); };
  integrity::Findings findings;
  const auto totals = TRY(integrity::CheckStore(*snapshot, *whole.vault, check, findings));
  std::uint64_t wrong = findings.count();
  if (!totals.has_base) wrong -= findings.count(integrity::Kind::kSum);
  if (wrong != 0) {
    return Error(Code::kDamaged, "the copy is complete, but what was copied is not whole (" +
                                     std::to_string(wrong) + " findings): see dare-kms verify");
  }
  StoreGroups groups;
  const std::size_t prefix = engine::SumKeyOf("").size();
  for (const auto& [key, group] : totals.groups) groups[key.substr(prefix)] = group;
  return groups;
}

}  // namespace dare::kms

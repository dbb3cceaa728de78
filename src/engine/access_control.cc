#include "engine/access_control.h"

#include <utility>

#include "base/bytes.h"
#include "engine/guarded_facts.h"
#include "engine/sessions.h"
#include "engine/vault.h"

namespace dare::engine {
namespace {

// Among what the sum of the store covers, so that a count that is put back shows.
std::string UsesKey(const policy::Grant& grant) {
  return std::string(kRulesPrefix) + "policy-uses/" + grant.label;
}

}  // namespace

std::shared_ptr<const policy::Policy> AccessControl::current() const {
  if (!any_.load(std::memory_order_acquire)) return nullptr;
  const MutexLock lock(mutex_);
  return policy_;
}

void AccessControl::Enforce(std::shared_ptr<const policy::Policy> policy) {
  const MutexLock lock(mutex_);
  any_.store(policy != nullptr, std::memory_order_release);
  // Grants that are gone, or limited no longer, need no period.
  std::erase_if(periods_, [&](const auto& period) {
    if (policy == nullptr) return true;
    for (const policy::Domain& domain : policy->domains()) {
      for (const policy::Grant& grant : domain.grants) {
        if (grant.label == period.first) return !grant.when.rate;
      }
    }
    return true;
  });
  policy_ = std::move(policy);
}

bool AccessControl::IsOver(const Period& period, const policy::Grant& grant) const {
  return clock_.Steady() - period.began >= std::chrono::seconds(grant.when.rate->seconds);
}

bool AccessControl::TakeRate(const policy::Grant& grant) {
  const MutexLock lock(mutex_);
  const auto [found, is_new] = periods_.try_emplace(grant.label);
  Period& period = found->second;
  if (is_new || IsOver(period, grant)) period = {.began = clock_.Steady()};
  if (period.taken >= grant.when.rate->count) return false;
  ++period.taken;
  return true;
}

void AccessControl::GiveRate(const policy::Grant& grant) {
  const MutexLock lock(mutex_);
  const auto found = periods_.find(grant.label);
  if (found != periods_.end() && found->second.taken > 0) --found->second.taken;
}

std::uint64_t AccessControl::Recent(const policy::Grant& grant) const {
  const MutexLock lock(mutex_);
  const auto found = periods_.find(grant.label);
  if (found == periods_.end() || !grant.when.rate || IsOver(found->second, grant)) return 0;
  return found->second.taken;
}

Result<std::uint64_t> AccessControl::Uses(const store::ObjectReader& reader,
                                          const policy::Grant& grant) const {
  const std::string key = UsesKey(grant);
  const Result<Bytes> kept = reader.GetMeta(key);
  if (!kept && kept.error().code == Code::kNotFound) return 0;
  if (!kept) return kept.error();
  const auto content = TRY(OpenGuarded(vault_, key, *kept));
  if (!content || content->size() != 8) {
    return Error(Code::kDamaged, "the uses of " + grant.label + " do not authenticate");
  }
  return GetU64(content->data());
}

Result<void> AccessControl::SaveUses(store::Transaction& transaction, const policy::Grant& grant,
                                     std::uint64_t uses) const {
  const std::string key = UsesKey(grant);
  std::uint8_t content[8];
  PutU64(content, uses);
  const Bytes kept = TRY(Guard(vault_, key, content));
  return transaction.PutMeta(key, kept);
}

}  // namespace dare::engine

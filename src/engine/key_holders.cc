#include "engine/key_holders.h"

#include "base/log.h"
#include "engine/habit_watch.h"
#include "kmip/enums.h"
#include "kmip/names.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

bool IsLease(std::string_view operation) {
  static const std::string_view name = kmip::EnumName(
      kmip::Tag::kOperation, static_cast<std::uint32_t>(kmip::Operation::kObtainLease));
  return operation == name;
}

}  // namespace

void KeyHolders::Note(const audit::Entry& entry) {
  const bool holds = entry.outcome == audit::Outcome::kAllowed && !entry.object_id.empty() &&
                     (UsesKey(entry.operation) || IsLease(entry.operation));
  if (!holds || !outbox_.Wants(entry.principal)) return;
  const MutexLock lock(mutex_);
  if (pairs_ >= kMost) ForgetWhoIsAway();
  if (pairs_ >= kMost) return;
  pairs_ += of_key_[entry.object_id].insert(entry.principal).second ? 1 : 0;
  any_ = true;
}

std::vector<std::string> KeyHolders::Of(const std::string& id, const std::string& owner) const {
  std::vector<std::string> holders;
  if (!any_.load(std::memory_order_relaxed)) return holders;
  const MutexLock lock(mutex_);
  const auto found = of_key_.find(id);
  if (found == of_key_.end()) return holders;
  for (const std::string& holder : found->second) {
    if (holder != owner && outbox_.Wants(holder)) holders.push_back(holder);
  }
  return holders;
}

std::vector<ObjectChange> KeyHolders::RecallsOf(const ObjectChange& change) const {
  std::vector<ObjectChange> recalls;
  const kmip::Attribute* const state = change.changed.Find(kmip::Tag::kState);
  if (state == nullptr) return recalls;
  for (const std::string& holder : Of(change.id, change.owner)) {
    ObjectChange recall{.owner = holder, .id = change.id, .version = change.version};
    recall.changed.Add(*state);
    recalls.push_back(std::move(recall));
  }
  return recalls;
}

std::vector<std::string> KeyHolders::Keys() const {
  const MutexLock lock(mutex_);
  std::vector<std::string> keys;
  keys.reserve(of_key_.size());
  for (const auto& [id, holders] : of_key_) keys.push_back(id);
  return keys;
}

void KeyHolders::ForgetWhoIsAway() {
  for (auto key = of_key_.begin(); key != of_key_.end();) {
    pairs_ -= std::erase_if(key->second, [&](const std::string& h) { return !outbox_.Wants(h); });
    key = key->second.empty() ? of_key_.erase(key) : std::next(key);
  }
  if (pairs_ >= kMost) log::Warning("too many keys are held: further holders are told nothing");
}

}  // namespace dare::engine

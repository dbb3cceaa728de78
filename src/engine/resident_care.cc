#include "engine/resident_care.h"

#include <utility>

#include "base/log.h"
#include "engine/resident_object.h"

namespace dare::engine {
namespace {

constexpr std::size_t kStoreNameBytes = 8;

// Different for every store and the same for its copies: several may share an HSM.
std::string StoreName(const Vault& vault) {
  const Result<Bytes> code = vault.Authenticate("dare-resident-store-1", {});
  return code ? ToHex(ByteView(*code).first(kStoreNameBytes)) : std::string();
}

}  // namespace

ResidentCare::ResidentCare(store::ObjectStore& store, const Vault& vault, hsm::ResidentKeys* keys,
                           bool may_make, const Clock& clock)
    : store_(store),
      vault_(vault),
      keys_(keys),
      may_make_(may_make),
      clock_(clock),
      store_name_(StoreName(vault)) {}

Result<hsm::ResidentKeys*> ResidentCare::keys() const {
  if (keys_ == nullptr || store_name_.empty()) {
    return Error(Code::kUnavailable, "this server has no HSM that keeps keys");
  }
  return keys_;
}

void ResidentCare::Made(const std::string& object_id, const hsm::ResidentReference& key) {
  const MutexLock lock(mutex_);
  begun_.push_back({.object_id = object_id, .key = key, .made = true});
}

void ResidentCare::Removing(const std::string& object_id, const hsm::ResidentReference& key) {
  const MutexLock lock(mutex_);
  begun_.push_back({.object_id = object_id, .key = key, .made = false});
}

ResidentCare::Fate ResidentCare::FateOf(const std::string& object_id) const {
  const Result<StoredObject> stored = vault_.Load(store_, object_id, Vault::Material::kLeaveSealed);
  if (stored) return stored->sealed_material.empty() ? Fate::kDestroyed : Fate::kReferred;
  return stored.error().code == Code::kNotFound ? Fate::kMissing : Fate::kUnknown;
}

bool ResidentCare::SettleOne(const Begun& begun) const {
  const Fate fate = FateOf(begun.object_id);
  if (fate == Fate::kUnknown) return false;
  if (fate == Fate::kReferred) return true;
  // A creation that was rolled back, or a destruction that was committed.
  const Result<void> removed = keys_->Remove(begun.key);
  if (removed) return true;
  log::Failure(
      "the key of " + begun.object_id +
      " is of no use any more but still in the HSM; trying again: " + removed.error().message);
  return false;
}

void ResidentCare::Settle(bool certain) {
  std::vector<Begun> due;
  const auto now = clock_.Steady();
  {
    const MutexLock lock(mutex_);
    if (begun_.empty()) return;
    due = std::exchange(begun_, {});
  }
  std::vector<Begun> left;
  for (Begun& begun : due) {
    if (!certain && begun.look_at == std::chrono::steady_clock::time_point{}) {
      begun.look_at = now + kDoubt;
    }
    if (begun.look_at <= now && SettleOne(begun)) continue;
    if (begun.look_at <= now) begun.look_at = now + kPatience;
    left.push_back(std::move(begun));
  }
  const MutexLock lock(mutex_);
  begun_.insert(begun_.begin(), std::make_move_iterator(left.begin()),
                std::make_move_iterator(left.end()));
}

Result<ResidentCare::Found> ResidentCare::Sweep() const {
  hsm::ResidentKeys* const keys = TRY(this->keys());
  Found found;
  const std::string prefix = ResidentLabel(store_name_, "");
  for (hsm::ResidentEntry& entry : TRY(keys->List(prefix))) {
    switch (FateOf(ObjectOfLabel(store_name_, entry.label))) {
      case Fate::kReferred:
      case Fate::kUnknown:
        ++found.kept;
        break;
      case Fate::kDestroyed:
        TRY(keys->Remove(entry));
        ++found.removed;
        break;
      case Fate::kMissing:
        found.unknown.push_back(std::move(entry));
        break;
    }
  }
  return found;
}

Result<void> ResidentCare::Remove(const hsm::ResidentEntry& key) const {
  hsm::ResidentKeys* const keys = TRY(this->keys());
  return keys->Remove(key);
}

}  // namespace dare::engine

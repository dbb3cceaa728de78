#include "custody/sealer_ring.h"

#include <utility>

#include "hsm/sealed_record.h"

namespace dare::custody {

std::shared_ptr<const SealerRing::Keys> SealerRing::keys() const {
  const MutexLock lock(mutex_);
  return keys_;
}

Result<Bytes> SealerRing::Seal(ByteView aad, ByteView secret) {
  const std::shared_ptr<const Keys> keys = this->keys();
  const auto current = keys->members.find(keys->current);
  if (current == keys->members.end()) {
    return Error(Code::kUnavailable, "no master key is open");
  }
  TRY(hsm::CheckSealable(aad, secret));
  // Counted first: a seal that fails half-way may have used its nonce.
  if (current->second.count != nullptr) TRY(current->second.count->Take());
  return current->second.sealer->Seal(aad, secret);
}

Result<SecretBytes> SealerRing::Open(ByteView aad, ByteView sealed) {
  const Bytes id = TRY(hsm::KeyIdOf(sealed));
  std::shared_ptr<hsm::Sealer> sealer = Find(id);
  if (sealer == nullptr && finder_) {
    TRY(finder_(id));
    sealer = Find(id);
  }
  if (sealer == nullptr) {
    return Error(Code::kNotFound, "the record is sealed under key " + ToHex(id) +
                                      ", which is not among those in use");
  }
  return sealer->Open(aad, sealed);
}

hsm::SealerInfo SealerRing::info() const {
  const std::shared_ptr<const Keys> keys = this->keys();
  const auto current = keys->members.find(keys->current);
  return current == keys->members.end() ? hsm::SealerInfo{} : current->second.sealer->info();
}

std::uint64_t SealerRing::seals() const {
  std::uint64_t seals = 0;
  for (const auto& [id, member] : keys()->members) seals += member.sealer->seals();
  return seals;
}

hsm::SealerHealth SealerRing::Health() const {
  const std::shared_ptr<const Keys> keys = this->keys();
  const auto current = keys->members.find(keys->current);
  return current == keys->members.end() ? hsm::SealerHealth{false, {}}
                                        : current->second.sealer->Health();
}

void SealerRing::Put(Member member) {
  const Bytes id = member.sealer->info().key_id;
  const MutexLock lock(mutex_);
  Keys changed = *keys_;
  changed.members.insert_or_assign(id, std::move(member));
  keys_ = std::make_shared<const Keys>(std::move(changed));
}

Result<void> SealerRing::SetCurrent(const Bytes& key_id) {
  const MutexLock lock(mutex_);
  if (!keys_->members.contains(key_id)) {
    return Error(Code::kNotFound, "key " + ToHex(key_id) + " is not open");
  }
  if (keys_->current == key_id) return {};
  Keys changed = *keys_;
  changed.current = key_id;
  keys_ = std::make_shared<const Keys>(std::move(changed));
  return {};
}

void SealerRing::Remove(const Bytes& key_id) {
  const MutexLock lock(mutex_);
  if (keys_->current == key_id) return;
  Keys changed = *keys_;
  changed.members.erase(key_id);
  keys_ = std::make_shared<const Keys>(std::move(changed));
}

std::shared_ptr<hsm::Sealer> SealerRing::Find(const Bytes& key_id) const {
  const std::shared_ptr<const Keys> keys = this->keys();
  const auto member = keys->members.find(key_id);
  return member == keys->members.end() ? nullptr : member->second.sealer;
}

bool SealerRing::Has(const Bytes& key_id) const { return Find(key_id) != nullptr; }

Bytes SealerRing::current_id() const { return keys()->current; }

std::vector<std::shared_ptr<SealCount>> SealerRing::counts() const {
  std::vector<std::shared_ptr<SealCount>> counts;
  for (const auto& [id, member] : keys()->members) {
    if (member.count != nullptr) counts.push_back(member.count);
  }
  return counts;
}

}  // namespace dare::custody

#include "hsm/resident_place.h"

#include "hsm/resident_rules.h"

namespace dare::hsm {
namespace {

bool IsOutOfReach(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout;
}

// The simplest question there is.
Result<void> AskSession(SessionPool& pool) {
  return pool.With([](const SessionLease& lease) -> Result<void> {
    CK_SESSION_INFO info{};
    const CK_RV rv = lease.functions().C_GetSessionInfo(lease.session(), &info);
    if (rv != CKR_OK) return Pkcs11Error("the token does not answer", rv);
    return {};
  });
}

}  // namespace

Result<void> ResidentPlace::OpenAtStart() {
  const Result<void> opened = guard_->Open([self = shared_from_this()] { return self->Come(); });
  if (!opened) {
    const bool later = IsOutOfReach(opened.error());
    if (later) guard_->TakeOut(opened.error());
    const MutexLock lock(mutex_);
    away_ = opened.error();  // also where the guard did not let it be asked
    refused_ = !later;
  }
  auto duty = guard_->ProbeWith([self = shared_from_this()] { return self->Probe(); });
  const MutexLock lock(mutex_);
  duty->Wait(pool_ == nullptr && !refused_);
  duty_ = std::move(duty);
  return opened;
}

void ResidentPlace::StopProbing() {
  std::unique_ptr<TokenGuard::ProbeDuty> ends;  // without the lock, which a probe needs
  const MutexLock lock(mutex_);
  ends = std::move(duty_);
}

std::shared_ptr<SessionPool> ResidentPlace::pool() const {
  const MutexLock lock(mutex_);
  return pool_;
}

bool ResidentPlace::IsHomeOf(const ResidentReference& key) const {
  const std::shared_ptr<SessionPool> pool = this->pool();
  if (pool == nullptr) return false;
  const TokenInfo token = pool->token();
  return token.label == key.token_label && token.serial == key.token_serial;
}

Result<void> ResidentPlace::Come() {
  Result<std::shared_ptr<SessionPool>> pool = open_();
  const MutexLock lock(mutex_);
  if (!pool) {
    away_ = pool.error();
    refused_ = !IsOutOfReach(pool.error());
    if (refused_ && duty_ != nullptr) duty_->Wait(false);
    return pool.error();
  }
  pool_ = *std::move(pool);
  away_.reset();
  if (duty_ != nullptr) duty_->Wait(false);
  return {};
}

Result<void> ResidentPlace::Probe() {
  std::shared_ptr<SessionPool> pool;
  {
    const MutexLock lock(mutex_);
    if (refused_) return Error(*away_);
    pool = pool_;
  }
  return pool == nullptr ? Come() : AskSession(*pool);
}

Error ResidentPlace::IsAway() const {
  const MutexLock lock(mutex_);
  return Error(Code::kUnavailable,
               called() + " is not there" + (away_ ? ": " + away_->message : ""));
}

Result<ResidentPlace::Handle> ResidentPlace::HandleOf(const SessionLease& lease,
                                                      const ResidentReference& key) {
  {
    const MutexLock lock(mutex_);
    const auto known = handles_.find(key.id);
    if (known != handles_.end() && known->second.generation == lease.generation()) {
      return known->second.handle;
    }
  }
  const auto found = TRY(FindResident(lease, ClassOf(key.kind), key.id));
  if (found.empty()) {
    return Error(Code::kNotFound, "the HSM '" + key.token_label + "' does not have the key " +
                                      ToHex(key.id) + " any more");
  }
  if (found.size() > 1) {
    return Error(Code::kDenied,
                 "the HSM has two keys with the CKA_ID " + ToHex(key.id) + "; neither is used");
  }
  TRY(JudgeResident(lease, found.front(), key));
  const MutexLock lock(mutex_);
  if (handles_.size() >= kMostHandles) handles_.clear();
  handles_[key.id] = {lease.generation(), found.front()};
  return found.front();
}

void ResidentPlace::Forget(ByteView id) {
  const MutexLock lock(mutex_);
  handles_.erase(ToBytes(id));
}

bool ResidentPlace::IsStale(const Error& error) {
  return error.detail == CKR_KEY_HANDLE_INVALID || error.detail == CKR_OBJECT_HANDLE_INVALID ||
         error.detail == CKR_WRAPPING_KEY_HANDLE_INVALID ||
         error.detail == CKR_UNWRAPPING_KEY_HANDLE_INVALID;
}

bool ResidentPlace::MeansTrouble(SessionPool& pool, const Error& error) {
  if (!IsTokenTrouble(error)) return false;
  if (error.code != Code::kUnavailable || error.detail == 0 || MeansLost(error.detail)) return true;
  return !AskSession(pool);
}

}  // namespace dare::hsm

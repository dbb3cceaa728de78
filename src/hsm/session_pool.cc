#include "hsm/session_pool.h"

#include <utility>

#include "base/log.h"
#include "hsm/pkcs11.h"

namespace dare::hsm {

SessionLease::SessionLease(SessionLease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      session_(other.session_),
      generation_(other.generation_),
      pooled_(other.pooled_),
      discard_(other.discard_) {}

SessionLease::~SessionLease() {
  if (pool_ != nullptr) pool_->Return(*this);
}

const _CK_FUNCTION_LIST& SessionLease::functions() const { return pool_->module_->functions(); }

SessionPool::SessionPool(std::shared_ptr<Module> module, SecretBytes pin,
                         SessionPoolOptions options)
    : module_(std::move(module)), pin_(std::move(pin)), options_(std::move(options)) {}

Result<std::shared_ptr<SessionPool>> SessionPool::Open(std::shared_ptr<Module> module,
                                                       SecretBytes pin,
                                                       SessionPoolOptions options) {
  if (options.most_sessions == 0) {
    return Error(Code::kInvalidArgument, "a session pool needs at least one session");
  }
  if (pin.empty()) return Error(Code::kInvalidArgument, "the PIN of the token is empty");
  std::shared_ptr<SessionPool> pool(
      new SessionPool(std::move(module), std::move(pin), std::move(options)));
  TRY(pool->Borrow());
  return pool;
}

SessionPool::~SessionPool() {
  const MutexLock lock(mutex_);
  for (const Idle& idle : idle_) Close(idle.session);
}

Result<SessionLease> SessionPool::Borrow() {
  const auto deadline = std::chrono::steady_clock::now() + options_.wait;
  {
    const MutexLock lock(mutex_);
    while (idle_.empty() && open_ >= options_.most_sessions) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) {
        return Error(Code::kTimeout,
                     "all " + std::to_string(open_) + " sessions of the token are in use");
      }
      returned_.WaitFor(mutex_, left);
    }
    if (!idle_.empty()) {
      const Idle idle = idle_.back();
      idle_.pop_back();
      return SessionLease(this, idle.session, idle.generation, true);
    }
    ++open_;
  }
  Result<SessionLease> lease = OpenSession(false);
  if (!lease) {
    const MutexLock lock(mutex_);
    --open_;
    returned_.NotifyOne();
  }
  return lease;
}

Result<SessionLease> SessionPool::OpenReadWrite() {
  Result<SessionLease> lease = OpenSession(true);
  if (!lease && lease.error().code == Code::kUnavailable) return OpenSession(true);
  return lease;
}

Result<SessionLease> SessionPool::OpenSession(bool read_write) {
  SlotId slot = 0;
  std::uint64_t generation = 0;
  bool located = false;
  {
    const MutexLock lock(mutex_);
    generation = generation_;
    located = located_ == generation_;
    slot = token_.slot;
  }
  if (!located) {
    Result<TokenInfo> token = module_->FindToken(options_.token_label, options_.token_serial);
    if (!token) {
      // At start a missing token is a wrong label; later it is a token that was there and is gone.
      if (generation > 1 && token.error().code == Code::kNotFound) {
        return Error(Code::kUnavailable, token.error().message);
      }
      return token.error();
    }
    slot = token->slot;
    const MutexLock lock(mutex_);
    token_ = *std::move(token);
    located_ = generation;
  }
  SessionHandle session = CK_INVALID_HANDLE;
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (read_write ? CKF_RW_SESSION : 0);
  const CK_RV rv = module_->functions().C_OpenSession(slot, flags, nullptr, nullptr, &session);
  if (rv != CKR_OK) {
    if (MeansLost(rv)) {
      const MutexLock lock(mutex_);
      if (generation_ == generation) ++generation_;  // look the token up again next time
    }
    return Pkcs11Error("cannot open a session with token '" + options_.token_label + "'", rv);
  }
  if (Result<void> login = LogIn(session); !login) {
    Close(session);
    return login.error();
  }
  return SessionLease(this, session, generation, !read_write);
}

Result<void> SessionPool::LogIn(SessionHandle session) {
  const MutexLock lock(login_mutex_);
  if (pin_refused_) return Error(*pin_refused_);
  const ByteView pin = pin_.Reveal();
  const CK_RV rv = module_->functions().C_Login(session, CKU_USER,
                                                const_cast<unsigned char*>(pin.data()), pin.size());
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) return {};
  Error error = Pkcs11Error("cannot log in to token '" + options_.token_label + "'", rv);
  if (error.code == Code::kUnauthenticated) {
    error.message += rv == CKR_PIN_LOCKED
                         ? "; its security officer must unlock the PIN"
                         : "; the PIN is not tried again until the program is restarted";
    pin_refused_ = std::make_unique<Error>(error);
  }
  return error;
}

bool SessionPool::NoteFailure(SessionLease& lease, const Error& error) {
  if (error.detail == 0 || !MeansLost(error.detail)) return false;
  lease.Discard();
  std::vector<Idle> dropped;
  {
    const MutexLock lock(mutex_);
    if (lease.generation() != generation_) return true;  // somebody else noticed first
    ++generation_;
    dropped.swap(idle_);
    open_ -= dropped.size();
    returned_.NotifyAll();
  }
  for (const Idle& idle : dropped) Close(idle.session);
  log::Warning("hsm: the token was lost, connecting again: " + error.message);
  return true;
}

void SessionPool::Return(const SessionLease& lease) {
  bool keep = false;
  {
    const MutexLock lock(mutex_);
    keep = lease.pooled_ && !lease.discard_ && lease.generation_ == generation_;
    if (keep) idle_.push_back({lease.session_, lease.generation_});
  }
  if (!keep) Close(lease.session_);
  if (!lease.pooled_) return;
  const MutexLock lock(mutex_);
  // The last session takes the login with it, and with that the object handles.
  if (!keep && --open_ == 0) ++generation_;
  returned_.NotifyOne();
}

void SessionPool::Close(SessionHandle session) const {
  module_->functions().C_CloseSession(session);
}

TokenInfo SessionPool::token() const {
  const MutexLock lock(mutex_);
  return token_;
}
std::size_t SessionPool::open_sessions() const {
  const MutexLock lock(mutex_);
  return open_;
}
std::size_t SessionPool::idle_sessions() const {
  const MutexLock lock(mutex_);
  return idle_.size();
}

}  // namespace dare::hsm

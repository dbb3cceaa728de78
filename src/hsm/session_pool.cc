#include "hsm/session_pool.h"

#include <utility>

#include "base/log.h"
#include "hsm/pkcs11.h"

namespace dare::hsm {
namespace {

// PINs that may be refused in a row: the one we had and the one that its source gave after that.
// Tokens lock after three and more.
constexpr int kMostRefusals = 2;

}  // namespace

SessionLease::SessionLease(SessionLease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      use_(std::move(other.use_)),
      session_(other.session_),
      generation_(other.generation_),
      pooled_(other.pooled_),
      discard_(other.discard_),
      unseen_(other.unseen_) {}

SessionLease::~SessionLease() {
  if (pool_ != nullptr) pool_->Return(*this);
}

const _CK_FUNCTION_LIST& SessionLease::functions() const { return pool_->module_->functions(); }

TokenInfo SessionLease::token() const { return pool_->token(); }

SessionPool::SessionPool(std::shared_ptr<Module> module, SecretBytes pin,
                         SessionPoolOptions options)
    : module_(std::move(module)), options_(std::move(options)), pin_(std::move(pin)) {}

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
  const Module::Use use(*module_);
  const MutexLock lock(mutex_);
  NoteLife(use.life());
  for (const Idle& idle : idle_) Close(idle.session);
}

void SessionPool::NoteLife(std::uint64_t life) {
  if (life_ == life) return;
  if (life_ != 0) ++generation_;
  life_ = life;
  open_ -= idle_.size();
  idle_.clear();
}

Result<std::optional<SessionLease>> SessionPool::TakeIdle(
    std::chrono::steady_clock::time_point deadline) {
  Module::Use use(*module_);
  const MutexLock lock(mutex_);
  for (;;) {
    NoteLife(use.life());
    if (!idle_.empty() || open_ < options_.most_sessions) break;
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) {
      return Error(Code::kTimeout,
                   "all " + std::to_string(open_) + " sessions of the token are in use");
    }
    returned_.WaitFor(mutex_, left);
  }
  if (idle_.empty()) {
    ++open_;
    return std::optional<SessionLease>();
  }
  const Idle idle = idle_.back();
  idle_.pop_back();
  std::optional<SessionLease> lease(
      SessionLease(this, std::move(use), idle.session, idle.generation, true));
  lease->unseen_ = options_.clock->Steady() - idle.since;
  return lease;
}

bool SessionPool::IsWell(SessionLease& lease) {
  CK_SESSION_INFO info{};
  const CK_RV rv = lease.functions().C_GetSessionInfo(lease.session(), &info);
  const bool logged_in = info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
  if (rv == CKR_OK && logged_in) return true;
  // Somebody logged out, or the token did: the other sessions are no better.
  NoteFailure(lease, Pkcs11Error("an idle session", rv == CKR_OK ? CKR_USER_NOT_LOGGED_IN : rv));
  lease.Discard();
  return false;
}

Result<SessionLease> SessionPool::Borrow() {
  const auto deadline = std::chrono::steady_clock::now() + options_.wait;
  for (;;) {
    std::optional<SessionLease> idle = TRY(TakeIdle(deadline));
    if (!idle) break;
    if (idle->unseen_ < options_.trusted_idle || IsWell(*idle)) return *std::move(idle);
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
  Module::Use use(*module_);
  const std::uint64_t life = use.life();
  Result<SessionLease> lease = TryOpenSession(std::move(use), read_write);
  if (lease) return lease;
  bool was_there = options_.was_there;
  {
    const MutexLock lock(mutex_);
    was_there = was_there || generation_ > 1;
  }
  // A token that was there and is gone: some modules see it again only when they begin anew.
  const Code code = lease.error().code;
  if (!was_there || (code != Code::kUnavailable && code != Code::kNotFound)) return lease;
  if (const Result<void> restarted = module_->Restart(life); !restarted) {
    log::Debug("hsm: " + restarted.error().message);
    return lease;
  }
  return TryOpenSession(Module::Use(*module_), read_write);
}

Result<SlotId> SessionPool::Locate() {
  std::uint64_t generation = 0;
  {
    const MutexLock lock(mutex_);
    if (located_ == generation_) return token_.slot;
    generation = generation_;
  }
  Result<TokenInfo> token = module_->FindToken(options_.token_label, options_.token_serial);
  if (!token) {
    // At start a missing token is a wrong label; later it is a token that was there and is gone.
    if (generation > 1 && token.error().code == Code::kNotFound) {
      return Error(Code::kUnavailable, token.error().message);
    }
    return token.error();
  }
  const SlotId slot = token->slot;
  const MutexLock lock(mutex_);
  token_ = *std::move(token);
  located_ = generation;
  return slot;
}

Result<SessionLease> SessionPool::TryOpenSession(Module::Use use, bool read_write) {
  std::uint64_t generation = 0;
  {
    const MutexLock lock(mutex_);
    NoteLife(use.life());
    generation = generation_;
  }
  const SlotId slot = TRY(Locate());
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
  if (Result<void> login = LogIn(session, slot); !login) {
    Close(session);
    return login.error();
  }
  return SessionLease(this, std::move(use), session, generation, !read_write);
}

Result<void> SessionPool::LogIn(SessionHandle session, SlotId slot) {
  const MutexLock lock(login_mutex_);
  while (!pin_refused_ || FindAnotherPin(slot)) {
    const ByteView pin = pin_.Reveal();
    const CK_RV rv = module_->functions().C_Login(
        session, CKU_USER, const_cast<unsigned char*>(pin.data()), pin.size());
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
      pin_refused_.reset();
      refusals_ = 0;
      return {};
    }
    Error error = Pkcs11Error("cannot log in to token '" + options_.token_label + "'", rv);
    if (error.code != Code::kUnauthenticated) return error;
    if (rv == CKR_PIN_LOCKED) {
      refusals_ = kMostRefusals;
      error.message += "; its security officer must unlock the PIN";
    } else if (++refusals_ < kMostRefusals && options_.pin_source) {
      error.message += "; the PIN is not tried again until another one stands in its file";
    } else {
      error.message += "; the PIN is not tried again until the program is restarted";
    }
    pin_refused_ = std::make_unique<Error>(std::move(error));
  }
  return Error(*pin_refused_);
}

bool SessionPool::FindAnotherPin(SlotId slot) {
  if (!options_.pin_source || refusals_ >= kMostRefusals) return false;
  CK_TOKEN_INFO info{};
  const bool last_try = module_->functions().C_GetTokenInfo(slot, &info) != CKR_OK ||
                        (info.flags & (CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)) != 0;
  if (last_try) return false;
  Result<SecretBytes> found = options_.pin_source();
  if (!found) {
    log::Warning("hsm: the PIN cannot be read anew: " + found.error().message);
    return false;
  }
  if (found->empty() || EqualInConstantTime(found->Reveal(), pin_.Reveal())) return false;
  pin_ = *std::move(found);
  log::Info("hsm: token '" + options_.token_label + "' refused its PIN; trying the new one once");
  return true;
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
    if (keep) {
      idle_.push_back({lease.session_, lease.generation_, options_.clock->Steady()});
    }
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

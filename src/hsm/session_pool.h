#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "hsm/module.h"
#include "hsm/token_guard.h"

namespace dare::hsm {

using SessionHandle = unsigned long;  // CK_SESSION_HANDLE

class SessionPool;

// A session on loan: one thread uses it and gives it back by letting it die. Move-only; the pool
// outlives it.
class SessionLease {
 public:
  SessionLease(SessionLease&& other) noexcept;
  SessionLease& operator=(SessionLease&&) = delete;
  ~SessionLease();

  SessionHandle session() const { return session_; }
  const _CK_FUNCTION_LIST& functions() const;
  TokenInfo token() const;  // as the pool found it last
  // Counts the times that the token was lost: object handles of another generation mean nothing.
  std::uint64_t generation() const { return generation_; }
  // After a failure that leaves the session in doubt: it is closed instead of going back.
  void Discard() { discard_ = true; }

 private:
  friend class SessionPool;
  SessionLease(SessionPool* pool, Module::Use use, SessionHandle session, std::uint64_t generation,
               bool pooled)
      : pool_(pool),
        use_(std::move(use)),
        session_(session),
        generation_(generation),
        pooled_(pooled) {}

  SessionPool* pool_;
  Module::Use use_;
  SessionHandle session_;
  std::uint64_t generation_;
  bool pooled_;
  bool discard_ = false;
  std::chrono::steady_clock::duration unseen_{};  // how long it was idle before
};

// Where the PIN comes from; asked again when the token refuses the one it gave before.
using PinSource = std::function<Result<SecretBytes>()>;

struct SessionPoolOptions {
  std::string token_label;
  std::string token_serial;  // decides where several tokens have the label
  std::size_t most_sessions = 16;
  std::chrono::milliseconds wait{2000};  // for a free session
  // A session that was idle for so long is looked at before it is lent.
  std::chrono::seconds trusted_idle{10};
  // It was there before, though not to this pool: where it is not found, the module is begun anew.
  bool was_there = false;
  // Reads the PIN anew; empty where that is not possible.
  PinSource pin_source;
  // For whatever is done with this token; null where nobody minds waiting (tests, ceremonies).
  std::shared_ptr<TokenGuard> guard;
  const Clock* clock = &SystemClock::Get();
};

// A SessionPool lends sessions of one token, logged in as its user, at most `most_sessions` of
// them. When the token is lost (pulled out, restarted, network HSM away) its sessions are dropped,
// and the token is looked up, in whatever slot, and logged in to again at the next Borrow; where it
// is not found the module is begun anew (Module::Restart). A PIN that was refused is never tried
// again, for that would lock the token: the source is asked whether there is another one, and that
// one is tried once. Thread-safe. Keeps the PIN in the secure heap for as long as it lives.
class SessionPool {
 public:
  // Opens the first session, so that a wrong label or PIN shows at once: kNotFound,
  // kUnauthenticated.
  static Result<std::shared_ptr<SessionPool>> Open(std::shared_ptr<Module> module, SecretBytes pin,
                                                   SessionPoolOptions options);
  ~SessionPool();
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;

  // A read-only session. kTimeout when all stay lent for `wait`; kUnavailable when the token is
  // gone; kUnauthenticated.
  Result<SessionLease> Borrow();
  // A read-write session outside the bound, to make or remove token objects.
  Result<SessionLease> OpenReadWrite();

  // Calls `use(const SessionLease&)`, which returns a Result, with a borrowed session; when the
  // session or the token turns out to be lost, once more with a new one.
  template <typename Use>
  auto With(Use&& use) -> decltype(use(std::declval<const SessionLease&>())) {
    for (int attempt = 0;; ++attempt) {
      SessionLease lease = TRY(Borrow());
      auto result = use(std::as_const(lease));
      if (result.has_value() || !NoteFailure(lease, result.error()) || attempt == 1) return result;
    }
  }

  // True when `error` (of a call with `lease`) means that the token was lost: then all sessions of
  // its generation are given up. The lease is discarded with them.
  bool NoteFailure(SessionLease& lease, const Error& error) EXCLUDES(mutex_);

  const Module& module() const { return *module_; }
  // Null where there is none.
  const std::shared_ptr<TokenGuard>& guard() const { return options_.guard; }
  // The token as found last.
  TokenInfo token() const EXCLUDES(mutex_);
  std::size_t open_sessions() const EXCLUDES(mutex_);
  std::size_t idle_sessions() const EXCLUDES(mutex_);

 private:
  friend class SessionLease;
  struct Idle {
    SessionHandle session;
    std::uint64_t generation;
    std::chrono::steady_clock::time_point since;
  };

  SessionPool(std::shared_ptr<Module> module, SecretBytes pin, SessionPoolOptions options);
  // An idle session, or nothing when there is a place for a new one; then the place is taken.
  Result<std::optional<SessionLease>> TakeIdle(std::chrono::steady_clock::time_point deadline)
      EXCLUDES(mutex_);
  // Whether a session that was idle for long is still there and logged in.
  bool IsWell(SessionLease& lease) EXCLUDES(mutex_);
  // Opens and logs in; the caller holds a place in `open_`.
  Result<SessionLease> OpenSession(bool read_write) EXCLUDES(mutex_);
  Result<SessionLease> TryOpenSession(Module::Use use, bool read_write) EXCLUDES(mutex_);
  Result<SlotId> Locate() EXCLUDES(mutex_);
  // Handles of another life of the module mean nothing: forgotten, not closed.
  void NoteLife(std::uint64_t life) REQUIRES(mutex_);
  Result<void> LogIn(SessionHandle session, SlotId slot) EXCLUDES(login_mutex_);
  // True when the source gave another PIN than the one that was refused, and it may be tried.
  bool FindAnotherPin(SlotId slot) REQUIRES(login_mutex_);
  void Return(const SessionLease& lease) EXCLUDES(mutex_);
  void Close(SessionHandle session) const;

  const std::shared_ptr<Module> module_;
  const SessionPoolOptions options_;

  Mutex login_mutex_;  // one login at a time, so that a wrong PIN is presented once
  SecretBytes pin_ GUARDED_BY(login_mutex_);
  std::unique_ptr<Error> pin_refused_ GUARDED_BY(login_mutex_);
  int refusals_ GUARDED_BY(login_mutex_) = 0;  // in a row

  mutable Mutex mutex_;
  CondVar returned_;
  TokenInfo token_ GUARDED_BY(mutex_);
  std::vector<Idle> idle_ GUARDED_BY(mutex_);
  std::size_t open_ GUARDED_BY(mutex_) = 0;  // pooled ones, lent or idle or being opened
  std::uint64_t generation_ GUARDED_BY(mutex_) = 1;
  std::uint64_t located_ GUARDED_BY(mutex_) = 0;  // the generation that token_ was looked up in
  std::uint64_t life_ GUARDED_BY(mutex_) = 0;     // of the module, that the sessions belong to
};

}  // namespace dare::hsm

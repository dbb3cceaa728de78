#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "hsm/module.h"

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
  // Counts the times that the token was lost: object handles of another generation mean nothing.
  std::uint64_t generation() const { return generation_; }
  // After a failure that leaves the session in doubt: it is closed instead of going back.
  void Discard() { discard_ = true; }

 private:
  friend class SessionPool;
  SessionLease(SessionPool* pool, SessionHandle session, std::uint64_t generation, bool pooled)
      : pool_(pool), session_(session), generation_(generation), pooled_(pooled) {}

  SessionPool* pool_;
  SessionHandle session_;
  std::uint64_t generation_;
  bool pooled_;
  bool discard_ = false;
};

struct SessionPoolOptions {
  std::string token_label;
  std::string token_serial;  // decides where several tokens have the label
  std::size_t most_sessions = 16;
  std::chrono::milliseconds wait{2000};  // for a free session
};

// A SessionPool lends sessions of one token, logged in as its user, at most `most_sessions` of
// them. When the token is lost (pulled out, restarted, network HSM away) its sessions are dropped,
// and the token is looked up and logged in to again at the next Borrow. A PIN that was refused is
// never tried again: that would lock the token. Thread-safe. Keeps the PIN in the secure heap for
// as long as it lives.
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
  // The token as found last.
  TokenInfo token() const EXCLUDES(mutex_);
  std::size_t open_sessions() const EXCLUDES(mutex_);
  std::size_t idle_sessions() const EXCLUDES(mutex_);

 private:
  friend class SessionLease;
  struct Idle {
    SessionHandle session;
    std::uint64_t generation;
  };

  SessionPool(std::shared_ptr<Module> module, SecretBytes pin, SessionPoolOptions options);
  // Opens and logs in; the caller holds a place in `open_`.
  Result<SessionLease> OpenSession(bool read_write) EXCLUDES(mutex_);
  Result<void> LogIn(SessionHandle session) EXCLUDES(login_mutex_);
  void Return(const SessionLease& lease) EXCLUDES(mutex_);
  void Close(SessionHandle session) const;

  const std::shared_ptr<Module> module_;
  const SecretBytes pin_;
  const SessionPoolOptions options_;

  Mutex login_mutex_;  // one login at a time, so that a wrong PIN is presented once
  std::unique_ptr<Error> pin_refused_ GUARDED_BY(login_mutex_);

  mutable Mutex mutex_;
  CondVar returned_;
  TokenInfo token_ GUARDED_BY(mutex_);
  std::vector<Idle> idle_ GUARDED_BY(mutex_);
  std::size_t open_ GUARDED_BY(mutex_) = 0;  // pooled ones, lent or idle or being opened
  std::uint64_t generation_ GUARDED_BY(mutex_) = 1;
  std::uint64_t located_ GUARDED_BY(mutex_) = 0;  // the generation that token_ was looked up in
};

}  // namespace dare::hsm

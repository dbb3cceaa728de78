#pragma once

// Internal to src/hsm: one token as a place where resident keys are.
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "hsm/resident_key.h"
#include "hsm/session_pool.h"

namespace dare::hsm {

// A copy that a call may keep: one that hangs outlives whoever asked.
inline std::shared_ptr<const WipingBytes> Owned(ByteView bytes) {
  return std::make_shared<const WipingBytes>(bytes.begin(), bytes.end());
}

// A ResidentPlace is a token, which may be still to come, and the handles of the resident keys in
// it. Every call goes through the token's guard, and owns what it touches. Thread-safe. Made by
// make_shared, for calls keep it.
class ResidentPlace : public std::enable_shared_from_this<ResidentPlace> {
 public:
  explicit ResidentPlace(ResidentSeat seat)
      : guard_(std::move(seat.guard)), open_(std::move(seat.open)) {}

  // Opens the token, and has the guard open it later when it is away.
  Result<void> OpenAtStart() EXCLUDES(mutex_);
  void StopProbing() EXCLUDES(mutex_);
  const std::string& called() const { return guard_->called(); }
  // Null until the token came.
  std::shared_ptr<SessionPool> pool() const EXCLUDES(mutex_);
  bool IsHomeOf(const ResidentReference& key) const;

  // Calls `use(SessionPool&)`, which gives a Result, no longer than a request may wait.
  template <typename Use>
  auto Ask(Use use) -> std::invoke_result_t<Use, SessionPool&> {
    return AskBy([this](auto call) { return guard_->Run(std::move(call)); }, std::move(use));
  }
  // The same for making keys, which may take long in a token that is well.
  template <typename Use>
  auto AskToMake(Use use) -> std::invoke_result_t<Use, SessionPool&> {
    return AskBy([this](auto call) { return guard_->MakeKey(std::move(call)); }, std::move(use));
  }
  // Calls `use(lease, handle)`, which gives a Result, with the key. kNotFound when it is not here.
  template <typename Use>
  auto With(const ResidentReference& key, Use use)
      -> std::invoke_result_t<Use, const SessionLease&, unsigned long> {
    using Outcome = std::invoke_result_t<Use, const SessionLease&, unsigned long>;
    return Ask([self = shared_from_this(), key, use = std::move(use)](SessionPool& pool) {
      return pool.With([&](const SessionLease& lease) -> Outcome {
        Outcome used = use(lease, TRY(self->HandleOf(lease, key)));
        if (used || !IsStale(used.error())) return used;
        // Removed behind our back, or made anew: the handle meant another generation of it.
        self->Forget(key.id);
        return use(lease, TRY(self->HandleOf(lease, key)));
      });
    });
  }
  void Forget(ByteView id) EXCLUDES(mutex_);

 private:
  using Handle = unsigned long;  // CK_OBJECT_HANDLE
  struct KnownHandle {
    std::uint64_t generation = 0;
    Handle handle = 0;
  };
  // What the token said, good or bad: no trouble of the token.
  template <typename Outcome>
  struct Answer {
    Outcome outcome;
  };

  template <typename Guarded, typename Use>
  auto AskBy(Guarded guarded, Use use) -> std::invoke_result_t<Use, SessionPool&> {
    using Outcome = std::invoke_result_t<Use, SessionPool&>;
    const std::shared_ptr<SessionPool> pool = this->pool();
    if (pool == nullptr) return IsAway();
    auto asked = guarded([pool, use = std::move(use)]() -> Result<Answer<Outcome>> {
      Outcome outcome = use(*pool);
      if (!outcome && MeansTrouble(*pool, outcome.error())) return outcome.error();
      return Answer<Outcome>{std::move(outcome)};
    });
    if (!asked) return asked.error();
    return std::move(asked->outcome);
  }

  Result<void> Come() EXCLUDES(mutex_);
  Result<void> Probe() EXCLUDES(mutex_);
  Error IsAway() const EXCLUDES(mutex_);
  Result<Handle> HandleOf(const SessionLease& lease, const ResidentReference& key) EXCLUDES(mutex_);
  static bool IsStale(const Error& error);
  // Whether the token is to blame: some give the same number for what a client asked.
  static bool MeansTrouble(SessionPool& pool, const Error& error);

  static constexpr std::size_t kMostHandles = 4096;

  const std::shared_ptr<TokenGuard> guard_;
  const std::function<Result<std::shared_ptr<SessionPool>>()> open_;

  mutable Mutex mutex_;
  std::shared_ptr<SessionPool> pool_ GUARDED_BY(mutex_);
  std::optional<Error> away_ GUARDED_BY(mutex_);  // why there is no pool
  bool refused_ GUARDED_BY(mutex_) = false;       // for good: a PIN is not tried again
  std::map<Bytes, KnownHandle> handles_ GUARDED_BY(mutex_);
  std::unique_ptr<TokenGuard::ProbeDuty> duty_ GUARDED_BY(mutex_);
};

template <typename Use>
auto TokenResidentKeys::With(const ResidentReference& key, Use use) const {
  using Outcome = std::invoke_result_t<Use, const SessionLease&, unsigned long>;
  Outcome outcome = Error(Code::kNotFound, "no HSM has the key " + ToHex(key.id));
  for (const Place& place : PlacesOf(key)) {
    Outcome here = place->With(key, use);
    if (here) return here;
    const Code code = here.error().code;
    const bool away = code == Code::kUnavailable || code == Code::kTimeout;
    if (!away && code != Code::kNotFound) return here;
    // That one is away says more than that the others do not have it.
    if (away || outcome.error().code == Code::kNotFound) outcome = std::move(here);
  }
  return outcome;
}

}  // namespace dare::hsm

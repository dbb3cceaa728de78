#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/mutex.h"
#include "hsm/token_health.h"

namespace dare::hsm {

struct CircuitBreakerOptions {
  int failures_to_open = 3;              // one after the other
  int slow_to_open = 5;                  // the same for answers that took longer than
  std::chrono::milliseconds slow{1000};  // this
  std::chrono::milliseconds first_wait{250};
  std::chrono::milliseconds most_wait{30'000};
};

// A CircuitBreaker keeps requests away from something that fails. Closed: everybody may ask. After
// some failures or slow answers in a row, or one call that hangs, it opens: nobody may, for a while
// that doubles each time up to a bound. Then it is half-open: one probe at a time may ask, and its
// outcome closes or opens it again. Thread-safe; never waits.
class CircuitBreaker {
 public:
  // The right to ask once; whoever has it reports what came of it, once.
  struct Permit {
    std::uint64_t epoch = 0;
    bool probe = false;
  };

  CircuitBreaker(CircuitBreakerOptions options, const Clock& clock);

  // Nothing while it is open. `may_probe`: the caller is ready to be the probe.
  std::optional<Permit> Admit(bool may_probe) EXCLUDES(mutex_);
  // An answer, also an unwelcome one: the thing works.
  void Answered(const Permit& permit, std::chrono::steady_clock::duration took) EXCLUDES(mutex_);
  void Failed(const Permit& permit) EXCLUDES(mutex_);
  // Did not come back in time: opens at once.
  void Hung(const Permit& permit) EXCLUDES(mutex_);

  BreakerState state() const EXCLUDES(mutex_);
  std::int64_t since() const EXCLUDES(mutex_);  // POSIX seconds
  // How long until a probe may ask; zero when it may now, or when it is closed.
  std::chrono::milliseconds wait() const EXCLUDES(mutex_);

 private:
  void Enter(BreakerState state) REQUIRES(mutex_);
  void OpenAgain() REQUIRES(mutex_);
  void Fail(const Permit& permit, bool at_once) EXCLUDES(mutex_);

  const CircuitBreakerOptions options_;
  const Clock& clock_;

  mutable Mutex mutex_;
  BreakerState state_ GUARDED_BY(mutex_) = BreakerState::kClosed;
  std::int64_t since_ GUARDED_BY(mutex_);
  // Counts the changes of state: what a call of an earlier epoch reports is old news.
  std::uint64_t epoch_ GUARDED_BY(mutex_) = 0;
  int failures_ GUARDED_BY(mutex_) = 0;  // in a row
  int slow_ GUARDED_BY(mutex_) = 0;      // in a row
  std::chrono::milliseconds next_wait_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point due_ GUARDED_BY(mutex_);
};

}  // namespace dare::hsm

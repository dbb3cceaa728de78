#include "hsm/circuit_breaker.h"

#include <algorithm>

namespace dare::hsm {

std::string_view BreakerStateName(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kOpen:
      return "open";
    case BreakerState::kHalfOpen:
      return "half-open";
  }
  return "unknown";
}

CircuitBreaker::CircuitBreaker(CircuitBreakerOptions options, const Clock& clock)
    : options_(options), clock_(clock), since_(clock.Now()), next_wait_(options.first_wait) {}

void CircuitBreaker::Enter(BreakerState state) {
  state_ = state;
  since_ = clock_.Now();
  failures_ = 0;
  slow_ = 0;
  ++epoch_;
}

void CircuitBreaker::OpenAgain() {
  Enter(BreakerState::kOpen);
  due_ = clock_.Steady() + next_wait_;
  next_wait_ = std::min(next_wait_ * 2, options_.most_wait);
}

std::optional<CircuitBreaker::Permit> CircuitBreaker::Admit(bool may_probe) {
  const MutexLock lock(mutex_);
  if (state_ == BreakerState::kClosed) return Permit{epoch_, false};
  if (!may_probe || state_ == BreakerState::kHalfOpen || clock_.Steady() < due_) return {};
  const std::int64_t since = since_;
  Enter(BreakerState::kHalfOpen);
  since_ = since;  // it is away since then, whatever a probe finds
  return Permit{epoch_, true};
}

void CircuitBreaker::Answered(const Permit& permit, std::chrono::steady_clock::duration took) {
  const MutexLock lock(mutex_);
  if (permit.epoch != epoch_) return;
  if (permit.probe) {
    Enter(BreakerState::kClosed);
    // One that is back but slow opens soon again, and then for longer.
    if (took <= options_.slow) next_wait_ = options_.first_wait;
    return;
  }
  failures_ = 0;
  if (took <= options_.slow) {
    slow_ = 0;
    return;
  }
  if (++slow_ >= options_.slow_to_open) OpenAgain();
}

void CircuitBreaker::Fail(const Permit& permit, bool at_once) {
  const MutexLock lock(mutex_);
  if (permit.epoch != epoch_) return;
  if (permit.probe) {
    const std::int64_t since = since_;
    OpenAgain();
    since_ = since;
    return;
  }
  if (++failures_ >= options_.failures_to_open || at_once) OpenAgain();
}

void CircuitBreaker::Failed(const Permit& permit) { Fail(permit, false); }
void CircuitBreaker::Hung(const Permit& permit) { Fail(permit, true); }

BreakerState CircuitBreaker::state() const {
  const MutexLock lock(mutex_);
  return state_;
}

std::int64_t CircuitBreaker::since() const {
  const MutexLock lock(mutex_);
  return since_;
}

std::chrono::milliseconds CircuitBreaker::wait() const {
  const MutexLock lock(mutex_);
  if (state_ == BreakerState::kClosed) return {};
  const auto left = due_ - clock_.Steady();
  return std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(left));
}

}  // namespace dare::hsm

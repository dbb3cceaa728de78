#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace dare::client {

// Until when something may take, and whether the user has given up on it. A value.
class Deadline {
 public:
  using SteadyClock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::milliseconds;

  // `cancelled`, when not null, outlives the deadline. `wake` is a descriptor that can be read from
  // when it turned true; without one that is seen within a fifth of a second.
  Deadline(Milliseconds from_now, const std::atomic<bool>* cancelled, int wake = -1)
      : at_(SteadyClock::now() + from_now), cancelled_(cancelled), wake_(wake) {}

  // The earlier of this one and `from_now`.
  Deadline Within(Milliseconds from_now) const {
    Deadline sooner = *this;
    sooner.at_ = std::min(at_, SteadyClock::now() + from_now);
    return sooner;
  }

  // Zero when it has passed.
  Milliseconds Left() const {
    const auto left = std::chrono::ceil<Milliseconds>(at_ - SteadyClock::now());
    return std::max(left, Milliseconds(0));
  }
  bool Passed() const { return Left().count() == 0; }
  bool Cancelled() const {
    return cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed);
  }
  int wake() const { return wake_; }

 private:
  SteadyClock::time_point at_;
  const std::atomic<bool>* cancelled_;
  int wake_;
};

}  // namespace dare::client

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "server/timers.h"

namespace dare::server {

// How often something may happen: `per_second` on average (0: as often as it likes), `burst` at
// once after a pause.
struct Rate {
  std::uint64_t per_second = 0;
  std::uint64_t burst = 1;
};

// An Allowance is how much of a Rate somebody has used up: the generic cell rate algorithm (ITU-T
// I.371), which needs one number, the moment at which all that was spent is paid for. What is spent
// is spent, over the rate or not: ask Wait() before, and let him wait. Thread-safe, without a lock.
class Allowance {
 public:
  // Until one more is within `rate`; zero: now.
  Duration Wait(const Rate& rate, TimePoint now) const;
  void Spend(const Rate& rate, std::uint64_t cost, TimePoint now);
  // Nothing is owed: one that was never used is the same.
  bool IsFresh(TimePoint now) const;

 private:
  std::atomic<std::int64_t> paid_ = 0;  // steady clock, nanoseconds
};

}  // namespace dare::server

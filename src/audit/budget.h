#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace dare::audit {

// How many entries strangers may cause. Who has proven nothing can fail as often as he likes, and
// a log that fails closed must not be filled at his pleasure: after `burst` entries he gets one
// every `seconds_each`, and what was left out is counted in the next one. Thread-safe.
class Budget {
 public:
  Budget(std::uint64_t burst, std::int64_t seconds_each, const Clock& clock)
      : burst_(burst), seconds_each_(seconds_each), clock_(clock), left_(burst) {}

  struct Ruling {
    bool record = false;
    std::uint64_t left_out = 0;  // since the entry before this one, when it is to be recorded
  };
  Ruling Spend() EXCLUDES(mutex_);

 private:
  const std::uint64_t burst_;
  const std::int64_t seconds_each_;
  const Clock& clock_;
  Mutex mutex_;
  std::uint64_t left_ GUARDED_BY(mutex_);
  std::uint64_t left_out_ GUARDED_BY(mutex_) = 0;
  std::int64_t filled_ GUARDED_BY(mutex_) = 0;  // up to this second; 0: not yet used
};

}  // namespace dare::audit

#include "audit/budget.h"

#include <algorithm>
#include <utility>

namespace dare::audit {

Budget::Ruling Budget::Spend() {
  const std::int64_t now = clock_.Now();
  const MutexLock lock(mutex_);
  if (filled_ == 0 || now < filled_) filled_ = now;  // first use, or the clock was put back
  const std::int64_t earned = (now - filled_) / seconds_each_;
  filled_ += earned * seconds_each_;
  left_ = std::min(burst_, left_ + static_cast<std::uint64_t>(earned));
  if (left_ == 0) {
    ++left_out_;
    return {};
  }
  --left_;
  return {.record = true, .left_out = std::exchange(left_out_, 0)};
}

}  // namespace dare::audit

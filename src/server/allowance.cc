#include "server/allowance.h"

#include <algorithm>

namespace dare::server {
namespace {

std::int64_t Nanoseconds(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

// How long `count` take at `rate`. An hour at most: nobody owes more.
std::int64_t TimeOf(const Rate& rate, std::uint64_t count) {
  constexpr double kMost = 3600e9;
  const double time = static_cast<double>(count) * 1e9 / static_cast<double>(rate.per_second);
  return static_cast<std::int64_t>(std::min(time, kMost));
}

}  // namespace

Duration Allowance::Wait(const Rate& rate, TimePoint now) const {
  if (rate.per_second == 0) return Duration::zero();
  const std::int64_t ahead = paid_.load(std::memory_order_relaxed) - Nanoseconds(now);
  const std::int64_t wait = ahead - TimeOf(rate, std::max<std::uint64_t>(rate.burst, 1) - 1);
  return std::chrono::nanoseconds(std::max<std::int64_t>(wait, 0));
}

void Allowance::Spend(const Rate& rate, std::uint64_t cost, TimePoint now) {
  if (rate.per_second == 0 || cost == 0) return;
  const std::int64_t begin = Nanoseconds(now), time = TimeOf(rate, cost);
  std::int64_t paid = paid_.load(std::memory_order_relaxed);
  while (
      !paid_.compare_exchange_weak(paid, std::max(paid, begin) + time, std::memory_order_relaxed)) {
  }
}

bool Allowance::IsFresh(TimePoint now) const {
  return paid_.load(std::memory_order_relaxed) <= Nanoseconds(now);
}

}  // namespace dare::server

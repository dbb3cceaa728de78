#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dare::hsm {

enum class BreakerState : std::uint8_t {
  kClosed,    // asked by every request
  kOpen,      // asked by nobody until a while has passed
  kHalfOpen,  // asked once, to see whether it is back
};

// "closed", "open", "half-open": for people and for JSON.
std::string_view BreakerStateName(BreakerState state);

// How one token is doing, for /healthz and `dare hsm status`. A copy of a moment.
struct TokenHealth {
  std::string name;  // as the configuration calls it
  BreakerState state = BreakerState::kClosed;
  std::int64_t since = 0;                // POSIX seconds: when the state began
  std::string last_error;                // empty: none since start
  std::uint64_t calls = 0;               // that reached the token
  std::uint64_t failures = 0;            // of those, and among them:
  std::uint64_t overdue = 0;             //   not answered within call_timeout_ms
  std::uint64_t slow = 0;                // answered, but slowly
  std::uint64_t refused = 0;             // not asked, because the breaker was open
  std::size_t hanging = 0;               // calls that are overdue and still have not come back
  std::chrono::microseconds latency{0};  // of the latest calls, smoothed
  bool bounded = false;                  // calls run on threads of their own, with a deadline
};

// How a Sealer is doing.
struct SealerHealth {
  bool can_seal = true;             // new secrets can be sealed now
  std::vector<TokenHealth> tokens;  // empty: it needs none
};

}  // namespace dare::hsm

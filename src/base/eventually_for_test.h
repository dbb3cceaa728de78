#pragma once

#include <chrono>
#include <thread>

namespace dare {

// Whether what another thread makes true comes true; looked at again and again until a minute has
// passed.
template <typename Condition>
bool EventuallyForTest(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace dare

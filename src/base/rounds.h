#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace dare {

// Rounds do something again and again on a thread of their own, `between` apart, at once for the
// first time and until they are destroyed, which waits for the end of a round.
class Rounds {
 public:
  Rounds(std::chrono::milliseconds between, std::function<void()> round);

 private:
  std::jthread thread_;
};

}  // namespace dare

#include "base/rounds.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace dare {

Rounds::Rounds(std::chrono::milliseconds between, std::function<void()> round)
    : thread_([between, round = std::move(round)](const std::stop_token& token) {
        std::mutex mutex;
        std::condition_variable_any ended;
        while (!token.stop_requested()) {
          round();
          std::unique_lock<std::mutex> lock(mutex);
          ended.wait_for(lock, token, between, [] { return false; });
        }
      }) {}

}  // namespace dare

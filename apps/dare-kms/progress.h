#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace dare::kms {

// One line on a terminal that tells how much is done: nothing where standard error is none, nothing
// within the first second. Not thread-safe; gone when it dies.
class Progress {
 public:
  // `doing` is a word like "checking".
  explicit Progress(std::string doing);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(std::uint64_t done, std::uint64_t total);

 private:
  using SteadyClock = std::chrono::steady_clock;
  const std::string doing_;
  const bool on_terminal_;
  const SteadyClock::time_point start_ = SteadyClock::now();
  SteadyClock::time_point next_ = start_ + std::chrono::seconds(1);
  bool on_screen_ = false;
};

}  // namespace dare::kms

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "envelope/io.h"

namespace dare::cli {

// What is counted.
enum class Unit { kBytes, kRecords };

// One line on a terminal that tells how far a file, or another long work, is: nothing when standard
// error is no terminal, nothing within the first second. Not thread-safe; gone when it dies.
class ProgressBar {
 public:
  // `doing` is a word like "sealing".
  explicit ProgressBar(std::string doing, Unit unit = Unit::kBytes);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // For FlowOptions::progress; empty where there is no terminal. Borrows this bar.
  envelope::Progress Callback();

 private:
  using SteadyClock = std::chrono::steady_clock;
  void Show(std::uint64_t done, std::optional<std::uint64_t> total);
  std::string Line(std::uint64_t done, std::optional<std::uint64_t> total, double seconds) const;
  void Clear();

  std::string Amount(std::uint64_t amount) const;

  const std::string doing_;
  const Unit unit_;
  const bool terminal_;
  const SteadyClock::time_point start_ = SteadyClock::now();
  SteadyClock::time_point shown_ = start_;
  bool on_screen_ = false;
};

}  // namespace dare::cli

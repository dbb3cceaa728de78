#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace dare {

// Where the time comes from; injected, so that tests can move it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // POSIX seconds (KMIP Date-Time).
  virtual std::int64_t Now() const = 0;
  // For time-outs and caches; never goes back.
  virtual std::chrono::steady_clock::time_point Steady() const = 0;
};

class SystemClock : public Clock {
 public:
  std::int64_t Now() const override;
  std::chrono::steady_clock::time_point Steady() const override;
  static const SystemClock& Get();
};

// Stands still until told otherwise.
class ManualClockForTest : public Clock {
 public:
  explicit ManualClockForTest(std::int64_t now = 1'700'000'000) : now_(now) {}
  std::int64_t Now() const override { return now_; }
  std::chrono::steady_clock::time_point Steady() const override {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(now_));
  }
  void Advance(std::int64_t seconds) { now_ += seconds; }

 private:
  std::atomic<std::int64_t> now_;
};

}  // namespace dare

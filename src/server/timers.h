#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace dare::server {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// What a connection is waiting for; each kind has one duration, so its list stays sorted by itself.
enum class TimerKind : std::uint8_t {
  kHandshake,
  kMessage,
  kIdle,
  kWrite,
  kLinger,
  kSlowed,  // it asked more than it may
  kNone,
};
inline constexpr std::size_t kTimerKinds = 6;  // those before kNone

class Connection;

// A link of a TimerLists; part of what is timed. Not copied or moved while it is in a list.
struct Timer {
  Timer* previous = nullptr;
  Timer* next = nullptr;
  TimePoint deadline;
  TimerKind kind = TimerKind::kNone;
  Connection* owner = nullptr;
};

// Time-outs of many connections: setting, moving and removing one are O(1) and allocate nothing.
// Does not own its timers. Used by one loop thread.
class TimerLists {
 public:
  explicit TimerLists(std::array<Duration, kTimerKinds> durations) : durations_(durations) {
    for (Timer& end : ends_) end.previous = end.next = &end;
  }
  TimerLists(const TimerLists&) = delete;
  TimerLists& operator=(const TimerLists&) = delete;

  // (Re)starts `timer` as `kind`; kNone only removes it.
  void Start(Timer& timer, TimerKind kind, TimePoint now) {
    Remove(timer);
    if (kind == TimerKind::kNone) return;
    Timer& end = ends_[Index(kind)];
    timer.kind = kind;
    timer.deadline = now + durations_[Index(kind)];
    timer.previous = end.previous;
    timer.next = &end;
    end.previous->next = &timer;
    end.previous = &timer;
    ++counts_[Index(kind)];
  }

  void Remove(Timer& timer) {
    if (timer.next == nullptr) return;
    timer.previous->next = timer.next;
    timer.next->previous = timer.previous;
    timer.previous = timer.next = nullptr;
    --counts_[Index(timer.kind)];
    timer.kind = TimerKind::kNone;
  }

  // A timer that has run out, removed from its list; null when there is none.
  Timer* Pop(TimePoint now) {
    for (Timer& end : ends_) {
      if (end.next == &end || end.next->deadline > now) continue;
      Timer* timer = end.next;
      const TimerKind kind = timer->kind;
      Remove(*timer);
      timer->kind = kind;  // so that the caller can say what ran out
      return timer;
    }
    return nullptr;
  }

  // How many are running, and the one that began first; null when there is none.
  std::size_t Count(TimerKind kind) const { return counts_[Index(kind)]; }
  Timer* Oldest(TimerKind kind) {
    Timer& end = ends_[Index(kind)];
    return end.next == &end ? nullptr : end.next;
  }

  std::optional<TimePoint> NextDeadline() const {
    std::optional<TimePoint> next;
    for (const Timer& end : ends_) {
      if (end.next == &end) continue;
      if (!next || end.next->deadline < *next) next = end.next->deadline;
    }
    return next;
  }

 private:
  static std::size_t Index(TimerKind kind) { return static_cast<std::size_t>(kind); }

  const std::array<Duration, kTimerKinds> durations_;
  std::array<Timer, kTimerKinds> ends_;
  std::array<std::size_t, kTimerKinds> counts_{};
};

}  // namespace dare::server

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace dare::server {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// What a connection is waiting for; each kind has one duration, so its list stays sorted by itself.
enum class TimerKind : std::uint8_t { kHandshake, kMessage, kIdle, kWrite, kLinger, kNone };
inline constexpr std::size_t kTimerKinds = 5;  // those before kNone

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
  }

  void Remove(Timer& timer) {
    if (timer.next == nullptr) return;
    timer.previous->next = timer.next;
    timer.next->previous = timer.previous;
    timer.previous = timer.next = nullptr;
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
};

}  // namespace dare::server

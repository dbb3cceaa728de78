#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "audit/entry.h"
#include "base/mutex.h"

namespace dare::engine {

struct HabitOptions {
  bool watch = true;
  std::int64_t window_seconds = 600;
  std::uint32_t keys = 1000;  // so many different keys in a window never alarm
  std::uint32_t factor = 5;   // nor do so many times the most of the windows before
  // Told of the principal and of what is unlike before, beside the entry. Called by the threads
  // that answer: returns at once. Thread-safe; empty: nobody is told.
  std::function<void(const std::string& principal, const std::string& why)> act;
};

// Whether an operation, by its name, gives a key or uses it. Who lists and reads attributes learns
// no key.
bool UsesKey(std::string_view operation);

// A HabitWatch notices when an identity is used unlike before: a thief with a machine's certificate
// takes what he can get, soon. It counts how many different keys each principal uses in a window of
// time, by a HyperLogLog sketch (Flajolet, Fusy, Gandouet, Meunier 2007) of 1 KiB, exact within 7
// %. What it remembers of the windows before fades by half a week. It judges and changes nothing.
// Thread-safe.
class HabitWatch {
 public:
  explicit HabitWatch(const HabitOptions& options) : options_(options) {}

  // Looks at an entry for the audit log; gives the one that tells of it, once in a window.
  std::optional<audit::Entry> Look(const audit::Entry& entry) EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kRegisters = 1024;
  class Sketch {
   public:
    // True when the estimate may have changed.
    bool Add(std::uint64_t hash);
    std::uint64_t Estimate() const;
    void Clear() { registers_.fill(0); }

   private:
    std::array<std::uint8_t, kRegisters> registers_{};
  };
  struct Habit {
    std::int64_t window = 0;  // which one, since 1970
    std::uint64_t keys = 0;   // in it
    bool told = false;
    double most = 0;  // in windows before, faded
    Sketch sketch;
  };
  std::optional<std::string> Count(const audit::Entry& entry) EXCLUDES(mutex_);
  void TurnTo(Habit& habit, std::int64_t window) const;

  const HabitOptions options_;
  Mutex mutex_;
  std::unordered_map<std::string, Habit> habits_ GUARDED_BY(mutex_);
};

}  // namespace dare::engine

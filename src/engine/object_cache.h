#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/stored_object.h"

namespace dare::engine {

// A bounded cache of opened objects: keys live in the secure heap (locked, not dumped) and leave it
// after `time_to_live` (at the next DropExpired), when room is needed, or when a change forgets
// them. Where other nodes change the store, too, an object must be looked at again when it was last
// compared with the store longer ago than `most_age`. Material of more than kMostMaterialBytes is
// not kept, so that a few large secrets cannot fill the secure heap. Thread-safe. A reader that
// loaded an object before a change can never put it back after it: see Ticket.
class ObjectCache {
 public:
  static constexpr std::size_t kMostMaterialBytes = 4096;

  // With 0 for `most_objects` nothing is kept. Without `most_age` nobody else changes the store;
  // with 0 an object is looked at each time.
  ObjectCache(std::size_t most_objects, std::chrono::seconds time_to_live, const Clock& clock,
              std::optional<std::chrono::milliseconds> most_age = std::nullopt);

  struct Found {
    std::shared_ptr<const StoredObject> stored;  // null when it is not there or too old
    bool look_again = false;  // not to be used before the store was asked for its row version
  };
  Found Find(const std::string& id);

  // Taken before the store is read; Put and Confirm refuse when something was forgotten in between.
  struct Ticket {
    std::uint64_t changes = 0;
    std::chrono::steady_clock::time_point asked;
  };
  Ticket TakeTicket(const std::string& id);
  // The store has the same version still.
  void Confirm(const Ticket& ticket, const StoredObject& stored);
  void Put(const Ticket& ticket, std::shared_ptr<const StoredObject> stored);

  // After a change was committed.
  void Forget(const std::string& id);
  // Drops what is past its time, asked for or not: a key that nobody uses must not stay in memory.
  // To be called now and then.
  void DropExpired();
  // Drops everything, and what is being loaded, too.
  void Clear();
  // Drops the older half of everything; when the secure heap is full.
  void Shrink();

 private:
  struct Entry {
    std::shared_ptr<const StoredObject> stored;
    std::chrono::steady_clock::time_point good_until;
    std::chrono::steady_clock::time_point looked_at;  // the store was asked then, or later
    std::list<std::string>::iterator age;
  };
  struct Shard {
    Mutex mutex;
    std::uint64_t changes GUARDED_BY(mutex) = 0;
    std::unordered_map<std::string, Entry> entries GUARDED_BY(mutex);
    std::list<std::string> ages GUARDED_BY(mutex);  // most recently used first
  };
  static constexpr std::size_t kShards = 16;
  Shard& ShardOf(const std::string& id);
  static void Drop(Shard& shard, std::unordered_map<std::string, Entry>::iterator entry)
      REQUIRES(shard.mutex);

  const std::size_t most_per_shard_;
  const std::chrono::seconds time_to_live_;
  const Clock& clock_;
  const std::optional<std::chrono::milliseconds> most_age_;
  std::array<Shard, kShards> shards_;
};

}  // namespace dare::engine

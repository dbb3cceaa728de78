#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/stored_object.h"

namespace dare::engine {

// A bounded cache of opened objects: keys live in the secure heap (locked, not dumped) and leave it
// after `time_to_live` (at the next DropExpired), when room is needed, or when a change forgets
// them. Material of more than kMostMaterialBytes is not kept, so that a few large secrets cannot
// fill the secure heap. Thread-safe. A reader that loaded an object before a change can never put
// it back after it: see Ticket.
class ObjectCache {
 public:
  static constexpr std::size_t kMostMaterialBytes = 4096;

  // With 0 for `most_objects` nothing is kept.
  ObjectCache(std::size_t most_objects, std::chrono::seconds time_to_live, const Clock& clock);

  // Null when it is not there or too old.
  std::shared_ptr<const StoredObject> Find(const std::string& id);

  // Taken before the store is read; Put refuses when something was forgotten in between.
  using Ticket = std::uint64_t;
  Ticket TakeTicket(const std::string& id);
  void Put(Ticket ticket, std::shared_ptr<const StoredObject> stored);

  // After a change was committed.
  void Forget(const std::string& id);
  // Drops what is past its time, asked for or not: a key that nobody uses must not stay in memory.
  // To be called now and then.
  void DropExpired();
  // Drops the older half of everything; when the secure heap is full.
  void Shrink();

 private:
  struct Entry {
    std::shared_ptr<const StoredObject> stored;
    std::chrono::steady_clock::time_point good_until;
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
  std::array<Shard, kShards> shards_;
};

}  // namespace dare::engine

#include "engine/object_cache.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace dare::engine {

ObjectCache::ObjectCache(std::size_t most_objects, std::chrono::seconds time_to_live,
                         const Clock& clock, std::optional<std::chrono::milliseconds> most_age)
    : most_per_shard_((most_objects + kShards - 1) / kShards),
      time_to_live_(time_to_live),
      clock_(clock),
      most_age_(most_age) {}

ObjectCache::Shard& ObjectCache::ShardOf(const std::string& id) {
  return shards_[std::hash<std::string>()(id) % kShards];
}

void ObjectCache::Drop(Shard& shard, std::unordered_map<std::string, Entry>::iterator entry) {
  shard.ages.erase(entry->second.age);
  shard.entries.erase(entry);
}

ObjectCache::Found ObjectCache::Find(const std::string& id) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  const auto found = shard.entries.find(id);
  if (found == shard.entries.end()) return {};
  const auto now = clock_.Steady();
  if (found->second.good_until <= now) {
    Drop(shard, found);
    return {};
  }
  shard.ages.splice(shard.ages.begin(), shard.ages, found->second.age);
  return {found->second.stored, most_age_ && now - found->second.looked_at >= *most_age_};
}

ObjectCache::Ticket ObjectCache::TakeTicket(const std::string& id) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  return {shard.changes, clock_.Steady()};
}

void ObjectCache::Confirm(const Ticket& ticket, const StoredObject& stored) {
  Shard& shard = ShardOf(stored.object.id);
  const MutexLock lock(shard.mutex);
  const auto found = shard.entries.find(stored.object.id);
  if (shard.changes != ticket.changes || found == shard.entries.end()) return;
  if (found->second.stored->row_version != stored.row_version) return;
  found->second.looked_at = std::max(found->second.looked_at, ticket.asked);
}

void ObjectCache::Put(const Ticket& ticket, std::shared_ptr<const StoredObject> stored) {
  const std::string& id = stored->object.id;
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  if (shard.changes != ticket.changes) return;
  if (most_per_shard_ == 0 || stored->object.material.size() > kMostMaterialBytes) return;
  if (const auto old = shard.entries.find(id); old != shard.entries.end()) Drop(shard, old);
  while (shard.entries.size() >= most_per_shard_) {
    Drop(shard, shard.entries.find(shard.ages.back()));
  }
  shard.ages.push_front(id);
  shard.entries.emplace(id, Entry{std::move(stored), clock_.Steady() + time_to_live_, ticket.asked,
                                  shard.ages.begin()});
}

void ObjectCache::Forget(const std::string& id) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  ++shard.changes;
  if (const auto old = shard.entries.find(id); old != shard.entries.end()) Drop(shard, old);
}

void ObjectCache::DropExpired() {
  const auto now = clock_.Steady();
  for (Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    for (auto it = shard.entries.begin(); it != shard.entries.end();) {
      const auto entry = it++;
      if (entry->second.good_until <= now) Drop(shard, entry);
    }
  }
}

void ObjectCache::Clear() {
  for (Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    ++shard.changes;
    shard.entries.clear();
    shard.ages.clear();
  }
}

void ObjectCache::Shrink() {
  for (Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    for (std::size_t n = (shard.entries.size() + 1) / 2; n > 0; --n) {
      Drop(shard, shard.entries.find(shard.ages.back()));
    }
  }
}

}  // namespace dare::engine

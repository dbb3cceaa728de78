#include "engine/group_turns.h"

#include <algorithm>

namespace dare::engine {

void GroupTurns::ForgetOldest() {
  const auto oldest = std::ranges::min_element(
      turns_, {}, [](const auto& entry) { return entry.second.last_asked; });
  if (oldest != turns_.end()) turns_.erase(oldest);
}

std::string GroupTurns::Offer(const std::string& owner, const std::string& group,
                              const std::vector<std::string>& members) {
  const MutexLock lock(mutex_);
  if (turns_.size() >= kMost && !turns_.contains({owner, group})) ForgetOldest();
  Turn& turn = turns_[{owner, group}];
  turn.last_asked = ++asked_;
  const auto at = std::ranges::find(members, turn.offered);
  if (at == members.end()) {
    turn.offered = members.front();
  } else if (turn.taken) {
    turn.offered = at + 1 == members.end() ? members.front() : *(at + 1);
  }
  turn.taken = false;
  return turn.offered;
}

void GroupTurns::HandedOut(const std::string& owner, const std::string& group,
                           const std::string& id) {
  const MutexLock lock(mutex_);
  const auto found = turns_.find({owner, group});
  if (found != turns_.end() && found->second.offered == id) found->second.taken = true;
}

}  // namespace dare::engine

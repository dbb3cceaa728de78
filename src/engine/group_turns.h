#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace dare::engine {

// Whose turn it is in an Object Group: Group Member Default hands the members of a group out one
// after the other, a Get of the one that was offered passes the turn on (kmip-1.4 4.9, TC-153). A
// matter of this process: after a restart a group begins with its oldest member. Bounded: what was
// not asked for longest is forgotten. Thread-safe.
class GroupTurns {
 public:
  // Which of `members` (oldest first, not empty) is offered to `owner` now.
  std::string Offer(const std::string& owner, const std::string& group,
                    const std::vector<std::string>& members);
  // `id`, a member of `group`, was handed out.
  void HandedOut(const std::string& owner, const std::string& group, const std::string& id);

 private:
  struct Turn {
    std::string offered;
    bool taken = false;
    std::uint64_t last_asked = 0;
  };
  static constexpr std::size_t kMost = 4096;

  void ForgetOldest() REQUIRES(mutex_);

  Mutex mutex_;
  std::map<std::pair<std::string, std::string>, Turn> turns_ GUARDED_BY(mutex_);
  std::uint64_t asked_ GUARDED_BY(mutex_) = 0;
};

}  // namespace dare::engine

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "policy/principal.h"

namespace dare::store {
class ObjectReader;
}

namespace dare::engine {

// A Doorkeeper knows who is not served now, whatever the policy allows: it is asked before each
// message, and once more before the answer of one that changed nothing, or before the commit of one
// that did. Thread-safe.
class Doorkeeper {
 public:
  struct Refusal {
    Error error;
    std::string_view rule;  // which one, for the audit log; static text
  };
  virtual ~Doorkeeper() = default;
  // Nothing: `principal` may ask. May look into the store; what cannot be known is a refusal.
  virtual std::optional<Refusal> Refuses(const policy::Principal& principal) = 0;

  // Which list Refuses judges by now; another number when it is another list.
  virtual std::uint64_t generation() const { return 0; }
  // For a change, right before its commit: kConflict where the store, as its transaction sees it,
  // has another list than `judged_by`. Whoever begins again is judged by the new one.
  virtual Result<void> StillHolds(const store::ObjectReader& /*transaction*/,
                                  std::uint64_t /*judged_by*/) {
    return {};
  }
};

}  // namespace dare::engine

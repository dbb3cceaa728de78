#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "policy/principal.h"

namespace dare::engine {

// A Doorkeeper knows who is not served now, whatever the policy allows: it is asked before each
// message, and for a message that changed nothing once more before the answer. Thread-safe.
class Doorkeeper {
 public:
  struct Refusal {
    Error error;
    std::string_view rule;  // which one, for the audit log; static text
  };
  virtual ~Doorkeeper() = default;
  // Nothing: `principal` may ask. May look into the store; what cannot be known is a refusal.
  virtual std::optional<Refusal> Refuses(const policy::Principal& principal) = 0;
};

}  // namespace dare::engine

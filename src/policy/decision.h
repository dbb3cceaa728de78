#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kmip/enums.h"
#include "policy/principal.h"

// Who may do what: pure functions of their arguments, so that a decision can be explained, repeated
// and tested against a model. No store, no clock, no cache; thread-safe for that reason.
namespace dare::policy {

// What a decision may depend on in the object asked for.
struct ObjectFacts {
  std::string_view owner;                // principal name; borrowed for the call
  std::string_view id = {};              // Unique Identifier
  std::vector<std::string> groups = {};  // its Object Groups; needed only where rights name groups
  std::vector<std::string> names = {};   // its Names; needed only where a policy is in force
};

// How often a grant was used: facts like the others, which whoever asks has counted.
struct GrantCount {
  std::uint64_t uses = 0;    // ever
  std::uint64_t recent = 0;  // within the period of its rate, until now
};
using GrantCounts = std::map<std::size_t, GrantCount>;  // by the grant's number; absent: none

struct Decision {
  bool allowed = false;
  std::string_view rule;       // which rule or grant decided, never empty; lives as the policy does
  bool beyond_rights = false;  // the principal might, but not with the ticket it shows
  int right = -1;              // which of the principal's rights grants it, where it has any
  int grant = -1;              // number of the policy's grant that decided, where one did
  bool hidden = false;         // denied, and the principal shall not learn that the object exists
  std::string_view nearest{};  // denied: the grant that came nearest, and
  std::string_view missing{};  // what it lacked
};

// May `principal` do `operation` at all, as far as that touches no stored object: Query, Create, …?
// An operation on an object, or one that no rule knows, is denied here.
Decision Decide(const Principal& principal, kmip::Operation operation, std::size_t first_right = 0);

// May `principal` do `operation` with this object? For Locate: may it learn that the object exists?
//   - nobody (an empty name) may do nothing, and nobody owns what has no owner;
//   - an operation that no rule knows is denied, to the owner and the administrator too;
//   - the owner may do everything with its objects;
//   - an administrator may see that any object exists, read its attributes, revoke and destroy it,
//     and never use, read or change its key: service and keys are in different hands;
//   - everybody else is denied;
//   - who has rights needs one of them besides: the first from `first_right` on that grants it.
Decision Decide(const Principal& principal, kmip::Operation operation, const ObjectFacts& object,
                std::size_t first_right = 0);

}  // namespace dare::policy

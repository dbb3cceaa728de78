#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kmip/enums.h"
#include "policy/decision.h"
#include "policy/policy.h"
#include "policy/principal.h"

namespace dare::policy {

// The facts of a request beside who, what and which object.
struct Circumstances {
  std::string_view address;             // of the client; empty: not known
  std::int64_t now = 0;                 // POSIX seconds
  const GrantCounts* counts = nullptr;  // null: no grant was used
};

// The same as Decide of decision.h, where a policy is in force. In this order:
//   - nobody, and what no rule knows, is denied; what concerns only one's own session is allowed;
//   - an object of another domain is denied, and hidden, to everybody;
//   - roles that exclude one another are none: everything is denied;
//   - what a role forbids is denied, whatever is granted;
//   - a grant that denies wins;
//   - then what a role gives, a client's own objects, and the grants, the first that fits;
//   - and everything else is denied. Who may do anything with an object may see that it exists.
// A denied object that the principal may not see is hidden: the answer is that of none.
Decision Decide(const Policy& policy, const Principal& principal, kmip::Operation operation,
                const Circumstances& circumstances, std::size_t first_right = 0);
Decision Decide(const Policy& policy, const Principal& principal, kmip::Operation operation,
                const ObjectFacts& object, const Circumstances& circumstances,
                std::size_t first_right = 0);

// True when the policy may let the principal see objects of others.
bool MaySeeOthers(const Policy& policy, const Principal& principal);
// True when a decision about an object of its owner needs to know the object's names and groups.
bool NeedsNames(const Policy& policy, const Principal& principal);

}  // namespace dare::policy

#include "policy/rights.h"

#include <algorithm>

namespace dare::policy {
namespace {

using kmip::Operation;

bool Holds(const std::vector<std::string>& list, std::string_view wanted) {
  return std::ranges::find(list, wanted) != list.end();
}

bool Grants(const Right& right, Operation operation, const ObjectFacts* object) {
  if (right.operations &&
      std::ranges::find(*right.operations, operation) == right.operations->end())
    return false;
  // A right to certain objects is none to the service as a whole.
  if (object == nullptr) return !right.objects && !right.groups;
  if (right.objects && !Holds(*right.objects, object->id)) return false;
  if (!right.groups) return true;
  return std::ranges::any_of(object->groups,
                             [&](const std::string& group) { return Holds(*right.groups, group); });
}

}  // namespace

Decision WithRights(const Decision& decision, const Principal& principal, Operation operation,
                    const ObjectFacts* object, std::size_t first) {
  if (!decision.allowed || !principal.rights) return decision;
  for (std::size_t i = first; i < principal.rights->size(); ++i) {
    if (!Grants((*principal.rights)[i], operation, object)) continue;
    Decision stands = decision;
    stands.right = static_cast<int>(i);
    return stands;
  }
  return {.allowed = false, .rule = "the ticket grants no such right", .beyond_rights = true};
}

}  // namespace dare::policy

#include "policy/role.h"

#include <algorithm>

namespace dare::policy {
namespace {

using enum OperationClass;

constexpr std::array<std::string_view, kRoles.size()> kNames = {"administrator", "custodian",
                                                                "auditor", "operator", "client"};

}  // namespace

std::string_view RoleName(Role role) { return kNames[static_cast<std::size_t>(role)]; }

std::optional<Role> RoleByName(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Role>(found - kNames.begin());
}

bool RoleSet::Contradicts() const {
  const std::uint8_t together = Bit(Role::kAdministrator) | Bit(Role::kCustodian);
  const bool single = (bits_ & (bits_ - 1)) == 0;
  return !single && bits_ != together;
}

bool RoleGives(Role role, OperationClass what) {
  switch (role) {
    case Role::kAdministrator:
      return what == kFind || what == kRead || what == kWithdraw;
    case Role::kCustodian:
      return what == kFind || what == kRead || what == kWithdraw || what == kManage ||
             what == kMake || what == kOwnRules;
    case Role::kAuditor:
      return what == kFind || what == kRead;
    case Role::kOperator:
      return false;
    case Role::kClient:
      return what == kMake || what == kBring || what == kCompute || what == kOwnRules;
  }
  return false;
}

bool RoleForbids(Role role, OperationClass what) {
  if (what == kSession) return false;
  switch (role) {
    case Role::kAdministrator:
    case Role::kCustodian:
      return what == kUse || what == kUseOrBrought || what == kCompute || what == kBring;
    case Role::kAuditor:
      return what != kFind && what != kRead;
    case Role::kOperator:
      return true;
    case Role::kClient:
      return false;
  }
  return true;
}

}  // namespace dare::policy

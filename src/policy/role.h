#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "policy/operation_class.h"

namespace dare::policy {

// What a principal is in its domain (docs/policy.md has the table). A role gives something, and
// takes away for good what no grant gives back: service, keys, their life and the look at all of it
// are in different hands.
enum class Role : std::uint8_t { kAdministrator, kCustodian, kAuditor, kOperator, kClient };
inline constexpr std::array kRoles = {Role::kAdministrator, Role::kCustodian, Role::kAuditor,
                                      Role::kOperator, Role::kClient};

std::string_view RoleName(Role role);
std::optional<Role> RoleByName(std::string_view name);

// The roles that one principal holds.
class RoleSet {
 public:
  void Add(Role role) { bits_ |= Bit(role); }
  bool Has(Role role) const { return (bits_ & Bit(role)) != 0; }
  bool empty() const { return bits_ == 0; }
  // Only administrator and custodian go together: neither uses keys.
  bool Contradicts() const;
  friend bool operator==(const RoleSet&, const RoleSet&) = default;

 private:
  static constexpr std::uint8_t Bit(Role role) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(role));
  }
  std::uint8_t bits_ = 0;
};

// What the role gives on every object of the domain, and without an object; a client's own objects
// come on top.
bool RoleGives(Role role, OperationClass what);
// What who holds the role may never do, whatever is granted.
bool RoleForbids(Role role, OperationClass what);

}  // namespace dare::policy

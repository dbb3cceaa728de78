#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kmip/enums.h"
#include "policy/address_range.h"
#include "policy/decision.h"
#include "policy/name_pattern.h"
#include "policy/principal.h"
#include "policy/role.h"

// What a policy says, as data (docs/policy.md describes it for people, document.h its text).
namespace dare::policy {

// Where something stands in the text, for messages. No two differ in it.
struct Line {
  int number = 0;
  friend bool operator==(Line, Line) { return true; }
};

inline constexpr char kDefaultDomain[] = "default";

// Whom a role or a grant is for: principals by name, the members of a group, the holders of a role.
struct Subject {
  enum class Kind : std::uint8_t { kPrincipal, kGroup, kRole };
  Kind kind = Kind::kPrincipal;
  NamePattern name;  // a group's name is exact
  Role role = Role::kClient;
  friend bool operator==(const Subject&, const Subject&) = default;
};

struct Group {
  std::string name;
  std::vector<NamePattern> members;
  // Who has the group's name in its certificate belongs to it, too.
  bool certificates = false;
  Line line;
  friend bool operator==(const Group&, const Group&) = default;
};

// An operation, or several in one word.
struct OperationWord {
  enum class Kind : std::uint8_t { kOne, kRead, kUse, kManage, kMake, kAll };
  Kind kind = Kind::kOne;
  kmip::Operation operation = kmip::Operation::kGet;
  bool Holds(kmip::Operation asked) const;
  friend bool operator==(const OperationWord&, const OperationWord&) = default;
};

struct Rate {
  std::uint32_t count = 0, seconds = 1;
  friend bool operator==(const Rate&, const Rate&) = default;
};

// From the first minute of the day (UTC) until before the last; past midnight where that is
// earlier.
struct Hours {
  int from = 0, to = 0;
  friend bool operator==(const Hours&, const Hours&) = default;
};

// All that are given must hold.
struct Conditions {
  std::vector<AddressRange> addresses;  // none: from anywhere
  std::uint8_t days = 0;                // bit 0: Monday; none: every day (UTC)
  std::optional<Hours> hours;
  std::optional<std::int64_t> until;  // POSIX seconds, exclusive
  std::optional<Rate> rate;           // on one node
  std::optional<std::uint64_t> uses;  // ever, on all nodes
  friend bool operator==(const Conditions&, const Conditions&) = default;
};

struct Grant {
  std::string name;
  bool deny = false;
  std::vector<Subject> to;
  std::vector<OperationWord> operations;
  // Objects by Unique Identifier or Name, and by Object Group; neither: all of the domain.
  std::vector<NamePattern> objects;
  std::vector<std::string> object_groups;
  Conditions when;
  Line line;
  std::string label;  // "grant DOMAIN/NAME", for explanations; the Policy writes it
  friend bool operator==(const Grant&, const Grant&) = default;
};

// What may need the approval of others: operations on objects, and what administrators do.
enum class Act : std::uint8_t {
  kDestroy,
  kGet,  // of key material in the clear
  kExport,
  kRotateMasterKey,
  kApplyPolicy,
  kPruneAudit,
};

// Acts that happen only when enough others agree (approval.h).
struct ApprovalRule {
  std::string name;
  std::vector<Act> acts;
  // As those of a grant; without either, all of the domain.
  std::vector<NamePattern> objects;
  std::vector<std::string> object_groups;
  std::uint32_t needed = 1;        // voices
  std::vector<Subject> by;         // who has one
  std::int64_t seconds = 0;        // how long a request lives, from the asking to the deed
  std::vector<Subject> emergency;  // who may let it happen alone
  Line line;
  std::string label;  // "approval DOMAIN/NAME"; the Policy writes it
  friend bool operator==(const ApprovalRule&, const ApprovalRule&) = default;
};

struct RoleHolders {
  Role role = Role::kClient;
  std::vector<Subject> to;  // no roles among them
  Line line;
  friend bool operator==(const RoleHolders&, const RoleHolders&) = default;
};

struct Domain {
  std::string name;
  std::vector<NamePattern> members;  // none for the default one: it has everybody else
  std::vector<Group> groups;
  std::vector<RoleHolders> roles;
  std::vector<Grant> grants;
  std::vector<ApprovalRule> approvals;
  Line line;
  std::size_t first_grant = 0;  // number of the first one in the whole policy; the Policy writes it
  friend bool operator==(const Domain&, const Domain&) = default;
};

// Policy is what is in force for all domains. Immutable, so thread-safe.
class Policy {
 public:
  explicit Policy(std::vector<Domain> domains);
  // Under which nobody may do anything: what stands in the store cannot be believed.
  static Policy Closed();

  bool closed() const { return closed_; }
  const std::vector<Domain>& domains() const { return domains_; }
  // Whose domain: by an exact name first, then by the pattern that matches, else the default one.
  // So an object's domain is its owner's, which is under the record's own check.
  const Domain& DomainOf(std::string_view principal) const;
  // The grant with this number; null when there is none.
  const Grant* GrantAt(std::size_t number) const;

  friend bool operator==(const Policy& a, const Policy& b) {
    return a.closed_ == b.closed_ && a.domains_ == b.domains_;
  }

 private:
  std::vector<Domain> domains_;
  std::map<std::string, std::size_t, std::less<>> exact_;      // members and their domains
  std::vector<std::pair<NamePattern, std::size_t>> patterns_;  // the same
  std::size_t default_ = 0;
  bool closed_ = false;
};

// What `principal` is in its domain. A role that is given to a pattern of names holds only for whom
// nothing gives a role by its name or by a group.
RoleSet RolesOf(const Domain& domain, const Principal& principal);
bool BelongsTo(const Group& group, const Principal& principal);
// Whether `principal`, who holds `roles` in `domain`, is one of whom `subject` speaks.
bool IsSubject(const Domain& domain, const Subject& subject, const Principal& principal,
               const RoleSet& roles);
// Whether the object is among those that a grant or a rule names; all are where it names none. Null
// stands for no object, and is only among all.
bool IsAmong(const std::vector<NamePattern>& objects, const std::vector<std::string>& object_groups,
             const ObjectFacts* object);

}  // namespace dare::policy

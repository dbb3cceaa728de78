#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "policy/decision.h"
#include "policy/principal.h"

// A model of docs/policy.md to compare decisions with. It shares nothing with them: sets of names
// instead of classes, texts instead of patterns and ranges, and every rule looked at for every
// question.
namespace dare::policy {

using Names = std::set<std::string>;

const Names& AllOperations();    // those that a grant's word "all" means
const Names& KnownOperations();  // with those about one's own session

// What a test makes up, before it is a text.
struct RawGrant {
  bool deny = false;
  std::string to, operation, object, group;
  bool from_inside = false, on_weekends = false, in_the_morning = false, until_noon = false;
  int rate = 0, uses = 0;
};
struct RawDomain {
  std::string name;
  Names members;  // exact
  std::string member_prefix;
  std::map<std::string, Names> groups;  // and their members; "g2" takes certificates
  std::map<std::string, Names> roles;   // whom: "principal:alice", "principal:a*", "group:g1"
  std::vector<RawGrant> grants;
};
struct Question {
  Principal who;
  std::string operation;
  bool with_object = false;
  std::string owner, id, name, group;
  bool inside = false, weekend = false, morning = false, before_noon = false;
  GrantCounts counts;
};

// The policy's text.
std::string TextOf(const std::vector<RawDomain>& domains);
// Sunday 29 November 2026, or the Friday or Saturday before; at 07:00, 11:30 or 13:00.
std::int64_t MomentOf(const Question& q);

class PolicyModel {
 public:
  explicit PolicyModel(const std::vector<RawDomain>& domains) : domains_(domains) {}

  // `look`: without counting, as whoever searches does.
  bool Allows(const Question& q, const std::string& operation, bool look = false) const;
  // Denied as if there were no such object.
  bool Hides(const Question& q) const;

 private:
  std::size_t DomainOf(const std::string& name) const;
  std::size_t FirstGrant(const RawDomain& domain) const;

  const std::vector<RawDomain>& domains_;
};

}  // namespace dare::policy

#include "lockout_administration.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/clock.h"

namespace dare::kms {
namespace {

namespace json = boost::json;
using registry::Lockout;
using Target = server::LockoutOffice::Target;

constexpr std::size_t kMostReason = 500;
constexpr std::size_t kMostName = 256;  // a certificate's common name has 64

std::string_view NameOf(Lockout::Kind kind) {
  switch (kind) {
    case Lockout::Kind::kPrincipal:
      return "principal";
    case Lockout::Kind::kGroup:
      return "group";
    case Lockout::Kind::kDomain:
      return "domain";
    case Lockout::Kind::kSeal:
      break;
  }
  return "seal";
}

// They end in lists and logs.
bool IsPrintable(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

Result<Lockout::Kind> KindOf(const Target& target) {
  if (target.name.size() > kMostName || !IsPrintable(target.name)) {
    return Error(Code::kInvalidArgument, "this is no name");
  }
  if (target.kind == "principal") return Lockout::Kind::kPrincipal;
  if (target.kind == "group") return Lockout::Kind::kGroup;
  if (target.kind == "domain") return Lockout::Kind::kDomain;
  return Error(Code::kInvalidArgument, "'kind' is \"principal\", \"group\" or \"domain\"");
}

Result<void> CheckReason(const std::string& reason) {
  if (reason.size() <= kMostReason && IsPrintable(reason)) return {};
  return Error(Code::kInvalidArgument,
               "the reason must be one line of at most " + std::to_string(kMostReason) + " bytes");
}

json::object InForce(json::object done) {
  done["in_force_everywhere_after_ms"] = registry::Lockouts::kBound.count();
  return done;
}

json::object Describe(const Lockout& lockout) {
  json::object out{{"when", lockout.when}, {"by", lockout.by}, {"reason", lockout.reason}};
  if (lockout.kind == Lockout::Kind::kSeal) return out;
  out["kind"] = json::string(NameOf(lockout.kind));
  out["name"] = lockout.name;
  return out;
}

}  // namespace

std::vector<std::string> GroupsOf(const std::vector<std::string>& units) {
  std::vector<std::string> groups;
  for (const std::string& unit : units) {
    if (!unit.starts_with("dare-")) groups.push_back(unit);
  }
  return groups;
}

Result<std::string> LockoutAdministration::Lockouts() {
  json::value seal = nullptr;
  json::array lockouts;
  for (const Lockout& lockout : TRY(lockouts_.List())) {
    if (lockout.kind == Lockout::Kind::kSeal) {
      seal = Describe(lockout);
    } else {
      lockouts.push_back(Describe(lockout));
    }
  }
  return json::serialize(
      json::object{{"seal", std::move(seal)}, {"lockouts", std::move(lockouts)}});
}

Result<void> LockoutAdministration::CheckTarget(Lockout::Kind kind, const std::string& name,
                                                const server::Peer& who) const {
  bool self = false;
  if (kind == Lockout::Kind::kPrincipal) self = name == who.common_name;
  if (kind == Lockout::Kind::kGroup) self = std::ranges::count(GroupsOf(who.units), name) > 0;
  if (kind == Lockout::Kind::kDomain) {
    const auto policy = access_.current();
    const bool there = policy && std::ranges::count(policy->domains(), name, &policy::Domain::name);
    if (!there) {
      return Error(Code::kInvalidArgument, "no policy in force has a domain '" + name + "'");
    }
    self = policy->DomainOf(who.common_name).name == name;
  }
  if (self) return Error(Code::kInvalidArgument, "that would lock out yourself");
  return {};
}

Result<std::string> LockoutAdministration::LockOut(const Target& target, const std::string& reason,
                                                   const server::Peer& who) {
  const Lockout::Kind kind = TRY(KindOf(target));
  TRY(CheckReason(reason));
  TRY(CheckTarget(kind, target.name, who));
  TRY(lockouts_.Put({kind, target.name, SystemClock::Get().Now(), who.common_name, reason}));
  return json::serialize(InForce({{"locked_out", target.name}}));
}

Result<std::string> LockoutAdministration::Unlock(const Target& target) {
  const Lockout::Kind kind = TRY(KindOf(target));
  const bool was_there = TRY(lockouts_.Remove(kind, target.name));
  if (!was_there) return Error(Code::kNotFound, "'" + target.name + "' is not locked out");
  return json::serialize(InForce({{"unlocked", target.name}}));
}

Result<std::string> LockoutAdministration::Seal(const std::string& reason,
                                                const server::Peer& who) {
  TRY(CheckReason(reason));
  TRY(lockouts_.Put({Lockout::Kind::kSeal, "", SystemClock::Get().Now(), who.common_name, reason}));
  sealed_();
  return json::serialize(InForce({{"sealed", true}}));
}

Result<std::string> LockoutAdministration::Unseal() {
  const bool was_there = TRY(lockouts_.Remove(Lockout::Kind::kSeal, ""));
  if (!was_there) return Error(Code::kNotFound, "the key server is not sealed");
  return json::serialize(InForce({{"sealed", false}}));
}

}  // namespace dare::kms

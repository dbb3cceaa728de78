#include "policy_administration.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "engine/stored_object.h"
#include "engine/vault.h"
#include "kmip/names.h"
#include "kmip/tags.h"
#include "policy/access.h"
#include "policy/approval.h"
#include "policy/conditions_text.h"
#include "policy/document.h"
#include "server/enrolment_store.h"

namespace dare::kms {
namespace {

namespace json = boost::json;

json::object Describe(const registry::PolicyVersion& version, bool with_text) {
  json::object out{{"version", version.number},
                   {"when", version.when},
                   {"who", version.who},
                   {"comment", version.comment}};
  if (with_text) out["text"] = version.text;
  return out;
}

std::vector<std::string> SplitAtCommas(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    names.emplace_back(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return names;
}

// What the question is about, with everything that policy::Decide asks for.
struct Facts {
  policy::Principal principal;
  kmip::Operation operation{};
  std::string owner;
  std::optional<policy::ObjectFacts> object;  // borrows `owner`
  std::string state;                          // of a stored object
  std::int64_t now = 0;
  policy::GrantCounts counts;
};

void TakeObject(const engine::StoredObject& stored, Facts& facts) {
  const kmip::AttributeSet& attributes = stored.object.attributes;
  facts.owner = stored.object.owner;
  facts.object.emplace();
  facts.object->names = attributes.Names();
  for (const kmip::Attribute& attribute : attributes.all()) {
    if (attribute.tag != kmip::Tag::kObjectGroup) continue;
    if (const auto group = attribute.View().AsText()) facts.object->groups.emplace_back(*group);
  }
  if (const auto state = attributes.Enum<kmip::State>(kmip::Tag::kState)) {
    facts.state = kmip::EnumSpecName(kmip::Tag::kState, static_cast<std::uint32_t>(*state));
  }
}

Result<policy::GrantCounts> CountsOf(const policy::Domain& domain,
                                     const engine::AccessControl& access,
                                     const store::ObjectReader& reader) {
  policy::GrantCounts counts;
  for (std::size_t i = 0; i < domain.grants.size(); ++i) {
    const policy::Grant& grant = domain.grants[i];
    policy::GrantCount count;
    if (grant.when.uses) count.uses = TRY(access.Uses(reader, grant));
    if (grant.when.rate) count.recent = access.Recent(grant);
    counts[domain.first_grant + i] = count;
  }
  return counts;
}

policy::Decision Decide(const policy::Policy* policy, const Facts& facts,
                        std::string_view address) {
  const policy::Circumstances circumstances{
      .address = address, .now = facts.now, .counts = &facts.counts};
  if (policy == nullptr) {
    return facts.object ? policy::Decide(facts.principal, facts.operation, *facts.object)
                        : policy::Decide(facts.principal, facts.operation);
  }
  return facts.object ? policy::Decide(*policy, facts.principal, facts.operation, *facts.object,
                                       circumstances)
                      : policy::Decide(*policy, facts.principal, facts.operation, circumstances);
}

// What the client hears.
std::string AnswerTo(const policy::Decision& decision) {
  if (decision.allowed) return "as the object's state and usage mask let it";
  return decision.hidden ? "Object Not Found" : "Permission Denied";
}

// What stands on top of an allowed decision: whose approval it needs. Empty: nobody's.
std::string ApprovalFor(const policy::Policy& policy, const Facts& facts) {
  const Result<policy::Act> act = policy::ParseAct(
      kmip::EnumName(kmip::Tag::kOperation, static_cast<std::uint32_t>(facts.operation)));
  if (!act || !facts.object) return {};
  const policy::Guard guard = policy::GuardOf(policy, *act, *facts.object);
  if (!guard) return {};
  return "needs " + policy::Demand(*guard.rule) + " (" + guard.rule->label + ")";
}

// The same question about what administrators do.
std::string ExplainService(const policy::Policy* policy, policy::Act act, bool administrator) {
  json::object out{{"allowed", administrator},
                   {"rule", administrator ? "administrators of the service"
                                          : "this is for administrators of the service"},
                   {"answer", administrator ? "done" : "denied"}};
  const policy::Guard guard = policy == nullptr ? policy::Guard{} : policy::GuardOf(*policy, act);
  if (guard && administrator) {
    out["approval"] = "needs " + policy::Demand(*guard.rule) + " (" + guard.rule->label + ")";
  }
  return json::serialize(out);
}

json::object Explained(const policy::Policy* policy, const Facts& facts,
                       const policy::Decision& decision) {
  const auto text = [](std::string_view view) { return json::string(view); };
  json::object out{
      {"allowed", decision.allowed}, {"rule", text(decision.rule)}, {"answer", AnswerTo(decision)}};
  if (!decision.nearest.empty()) {
    out["nearest"] = text(decision.nearest);
    out["missing"] = text(decision.missing);
  }
  if (!facts.state.empty()) out["state"] = facts.state;
  if (policy == nullptr) return out;
  if (const std::string needs = ApprovalFor(*policy, facts); decision.allowed && !needs.empty()) {
    out["approval"] = needs;
  }
  const policy::Domain& domain = policy->DomainOf(facts.principal.name);
  out["domain"] = domain.name;
  json::array roles;
  const policy::RoleSet held = policy::RolesOf(domain, facts.principal);
  for (const policy::Role role : policy::kRoles) {
    if (held.Has(role)) roles.emplace_back(text(policy::RoleName(role)));
  }
  out["roles"] = std::move(roles);
  json::array groups;
  for (const policy::Group& group : domain.groups) {
    if (policy::BelongsTo(group, facts.principal)) groups.emplace_back(group.name);
  }
  out["groups"] = std::move(groups);
  return out;
}

}  // namespace

Result<std::string> PolicyAdministration::InForce() {
  const auto version = TRY(book_.InForce());
  return json::serialize(version ? Describe(*version, true)
                                 : json::object{{"version", 0}, {"text", ""}});
}

Result<std::string> PolicyAdministration::Version(std::uint64_t number) {
  return json::serialize(Describe(TRY(book_.Version(number)), true));
}

Result<std::string> PolicyAdministration::History() {
  json::array versions;
  for (const registry::PolicyVersion& version : TRY(book_.History())) {
    versions.push_back(Describe(version, false));
  }
  return json::serialize(json::object{{"versions", std::move(versions)}});
}

Result<std::string> PolicyAdministration::Check(const std::string& text) {
  const policy::Policy policy = TRY(book_.Check(text));
  std::size_t grants = 0;
  for (const policy::Domain& domain : policy.domains()) grants += domain.grants.size();
  return json::serialize(json::object{{"domains", policy.domains().size()}, {"grants", grants}});
}

Result<std::string> PolicyAdministration::Apply(const std::string& text, const std::string& comment,
                                                std::uint64_t base, const std::string& who) {
  registry::PolicyVersion version;
  version.who = who;
  version.comment = comment;
  version.text = text;
  // The policy that is replaced says whether others must agree: as the transaction has it.
  engine::GuardedAct act{.act = policy::Act::kApplyPolicy,
                         .requester = who,
                         .how = "in place of version " + std::to_string(base),
                         .text = text,
                         .note = comment};
  std::shared_ptr<const policy::Policy> replaced;  // whose rule the guard is
  bool referred = false;
  const auto permit = [&](store::Transaction& transaction,
                          std::shared_ptr<const policy::Policy> in_force) -> Result<void> {
    replaced = std::move(in_force);
    act.guard = replaced == nullptr ? policy::Guard{} : policy::GuardOf(*replaced, act.act);
    referred = false;
    if (!act.guard) return {};
    Result<void> permitted = approvals_.PermitIn(transaction, act);
    referred = !permitted && permitted.error().code == Code::kDenied;
    return permitted;
  };
  Result<std::uint64_t> number = book_.Apply(std::move(version), base, permit);
  if (referred) return approvals_.Refer(act);
  return json::serialize(json::object{{"version", TRY(std::move(number))}});
}

Result<std::string> PolicyAdministration::Explain(const server::PolicyQuestion& question,
                                                  const server::Peer& who) {
  const auto is_administrator = [&](const std::vector<std::string>& groups) {
    return std::ranges::count(administrators_, question.principal) > 0 ||
           std::ranges::count(groups, server::kAdministratorUnit) > 0;
  };
  const Result<policy::Act> act = policy::ParseAct(question.operation);
  if (act && policy::IsOfService(*act)) {
    return ExplainService(kms_.access().current().get(), *act,
                          is_administrator(SplitAtCommas(question.certificate_groups)));
  }
  Facts facts;
  const auto operation = kmip::EnumByName(kmip::Tag::kOperation, question.operation);
  if (!operation) {
    return Error(Code::kInvalidArgument, "'" + question.operation + "' is no operation");
  }
  facts.operation = static_cast<kmip::Operation>(*operation);
  facts.principal.name = question.principal;
  facts.principal.groups = SplitAtCommas(question.certificate_groups);
  facts.principal.administrator = is_administrator(facts.principal.groups);
  facts.now = question.at.empty() ? clock_.Now() : TRY(policy::ParseMoment(question.at));
  const auto policy = kms_.access().current();
  if (!question.object.empty()) {
    const Error none(Code::kNotFound, "no such object");
    const auto stored =
        kms_.vault().Load(kms_.store(), question.object, engine::Vault::Material::kLeaveSealed);
    if (!stored) return stored.error().code == Code::kNotFound ? none : stored.error();
    TakeObject(*stored, facts);
    // Who explains sees no more than its own domain.
    const bool elsewhere =
        policy && &policy->DomainOf(who.common_name) != &policy->DomainOf(facts.owner);
    if (elsewhere) return none;
  } else if (!question.owner.empty() || !question.name.empty() || !question.group.empty()) {
    facts.owner = question.owner;
    facts.object.emplace();
    if (!question.name.empty()) facts.object->names = {question.name};
    if (!question.group.empty()) facts.object->groups = {question.group};
  }
  if (facts.object) {
    facts.object->owner = facts.owner;
    facts.object->id = question.object;
  }
  if (policy) {
    facts.counts =
        TRY(CountsOf(policy->DomainOf(facts.principal.name), kms_.access(), kms_.store()));
  }
  const policy::Decision decision = Decide(policy.get(), facts, question.address);
  return json::serialize(Explained(policy.get(), facts, decision));
}

}  // namespace dare::kms

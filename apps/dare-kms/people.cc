#include "people.h"

#include <string>

#include "base/file.h"
#include "client/https_get.h"
#include "lockout_administration.h"

namespace dare::kms {
namespace {

identity::KeySource::Fetch FetchFor(const server::OidcConfig& config) {
  if (!config.jwks_file.empty()) {
    return [file = config.jwks_file]() -> Result<std::string> {
      const Bytes text = TRY(ReadFile(file, identity::kMostKeySetBytes));
      return std::string(AsText(text));
    };
  }
  client::HttpsGetOptions options;
  options.ca_file = config.jwks_ca_file;
  options.most_bytes = identity::kMostKeySetBytes;
  return [url = config.jwks_url, options] { return client::HttpsGet(url, options); };
}

identity::KeySourceOptions KeyOptionsFor(const server::OidcConfig& config) {
  identity::KeySourceOptions options;
  options.refresh_seconds = config.refresh_seconds;
  options.oldest_seconds = config.oldest_seconds;
  options.between_seconds = config.between_seconds;
  return options;
}

identity::TokenRules RulesFor(const server::OidcConfig& config) {
  identity::TokenRules rules;
  rules.claims.issuer = config.issuer;
  rules.claims.audience = config.audience;
  rules.claims.name_claim = config.name_claim;
  rules.claims.name = config.name;
  rules.claims.groups_claim = config.groups_claim;
  rules.claims.groups = config.groups;
  rules.claims.skew_seconds = config.skew_seconds;
  rules.claims.longest_seconds = config.longest_seconds;
  for (const std::string& name : config.algorithms) {
    if (const auto algorithm = identity::TokenAlgorithmByName(name)) {
      rules.algorithms.push_back(*algorithm);
    }
  }
  return rules;
}

}  // namespace

std::unique_ptr<People> People::Of(const server::OidcConfig& config, const Clock& clock) {
  if (config.issuer.empty()) return nullptr;
  return std::unique_ptr<People>(new People(config, clock));
}

People::People(const server::OidcConfig& config, const Clock& clock)
    : keys_(FetchFor(config), KeyOptionsFor(config), clock),
      tokens_(RulesFor(config), keys_, clock) {}

std::optional<policy::Role> ServiceRoleOf(const engine::AccessControl& access,
                                          const server::Peer& peer) {
  const auto policy = access.current();
  if (policy == nullptr || policy->closed()) return std::nullopt;
  const policy::Domain& domain = policy->DomainOf(peer.common_name);
  if (domain.name != policy::kDefaultDomain) return std::nullopt;
  policy::Principal principal;
  principal.name = peer.common_name;
  principal.groups = GroupsOf(peer.units);
  const policy::RoleSet roles = policy::RolesOf(domain, principal);
  if (roles.Contradicts()) return std::nullopt;
  for (const policy::Role role : {policy::Role::kAuditor, policy::Role::kOperator}) {
    if (roles.Has(role)) return role;
  }
  return std::nullopt;
}

}  // namespace dare::kms

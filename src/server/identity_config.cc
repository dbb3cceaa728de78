#include "server/identity_config.h"

#include <utility>

#include "identity/json_web_key.h"
#include "policy/name_pattern.h"
#include "server/principal_rules.h"
#include "settings/table_reader.h"

namespace dare::server {

using settings::TableReader;

namespace {

// The first thing that cannot be meant; empty: nothing.
std::string MistakeIn(const OidcConfig& oidc) {
  for (const auto& [key, value] : {std::pair("issuer", &oidc.issuer),
                                   {"audience", &oidc.audience},
                                   {"name", &oidc.name},
                                   {"name_claim", &oidc.name_claim}}) {
    if (value->empty()) return std::string("oidc.") + key + " is missing";
  }
  if (const auto name = policy::NamePattern::Parse(oidc.name); !name) return name.error().message;
  if (oidc.jwks_file.empty() == oidc.jwks_url.empty()) {
    return "oidc needs one of jwks_file and jwks_url";
  }
  if (!oidc.jwks_url.empty() && !oidc.jwks_url.starts_with("https://")) {
    return "oidc.jwks_url must begin with https://";
  }
  if (oidc.jwks_url.empty() != oidc.jwks_ca_file.empty()) {
    return "oidc.jwks_url and oidc.jwks_ca go together";
  }
  if (oidc.algorithms.empty()) return "oidc.algorithms is empty";
  for (const std::string& name : oidc.algorithms) {
    if (!identity::TokenAlgorithmByName(name)) {
      return "oidc.algorithms: '" + name + "' is none of RS256, PS256, ES256, EdDSA";
    }
  }
  for (const auto& [theirs, ours] : oidc.groups) {
    if (ours.empty() || ours.starts_with("dare-")) {
      return "oidc.groups: '" + ours + "' is no group";
    }
  }
  return {};
}

}  // namespace

void ReadOidc(TableReader& root, OidcConfig& out) {
  const bool there = root.At("oidc") != nullptr;
  TableReader table = root.Table("oidc");
  if (!there) return;
  table.Text("issuer", out.issuer);
  table.Text("audience", out.audience);
  table.Text("jwks_file", out.jwks_file);
  table.Text("jwks_url", out.jwks_url);
  table.Text("jwks_ca", out.jwks_ca_file);
  table.Names("algorithms", out.algorithms);
  table.Text("name_claim", out.name_claim);
  table.Text("name", out.name);
  table.Text("groups_claim", out.groups_claim);
  TableReader groups = table.Table("groups");
  for (const std::string& theirs : groups.Keys()) groups.Text(theirs, out.groups[theirs]);
  groups.RefuseOthers();
  table.Number("skew_seconds", out.skew_seconds, 0, 300);
  table.Number("longest_seconds", out.longest_seconds, 60, 7 * 86400);
  table.Number("refresh_seconds", out.refresh_seconds, 10, 86400);
  table.Number("oldest_seconds", out.oldest_seconds, 10, 30 * 86400);
  table.Number("between_seconds", out.between_seconds, 1, 3600);
  table.RefuseOthers();
  if (const std::string mistake = MistakeIn(out); !mistake.empty()) table.ComplainOfAll(mistake);
}

void ReadPrincipals(TableReader& root, std::vector<PrincipalRuleConfig>& out) {
  for (TableReader& table : root.Tables("principals")) {
    PrincipalRuleConfig rule;
    table.Text("from", rule.from);
    table.Text("match", rule.match);
    table.Text("name", rule.name);
    table.Names("groups", rule.groups);
    table.Flag("certificate_groups", rule.certificate_groups);
    table.Text("issuer", rule.issuer_file);
    table.RefuseOthers();
    if (const auto parsed = PrincipalRule::Parse(rule); !parsed) {
      table.ComplainOfAll(parsed.error().message);
    }
    out.push_back(std::move(rule));
  }
}

}  // namespace dare::server

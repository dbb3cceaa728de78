#include "server/identity_config.h"

#include <utility>

#include "server/principal_rules.h"
#include "settings/table_reader.h"

namespace dare::server {

using settings::TableReader;

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

#pragma once

#include <string>
#include <vector>

// The tables of kms.toml that say who somebody is.
namespace dare::settings {
class TableReader;
}

namespace dare::server {

// One of [[principals]]: principal_rules.h says what comes of it.
struct PrincipalRuleConfig {
  std::string from;         // "san-dns", "san-uri", "san-email", "subject-cn", "subject"
  std::string match = "*";  // a name, or one with a '*' in it
  std::string name;         // of the principal; '*' is what the '*' of `match` stood for
  std::vector<std::string> groups;
  bool certificate_groups = false;  // the certificate's organizational units are groups, too
  std::string issuer_file;          // PEM; authorities, one of which must vouch. Empty: any
};

// Reads the list [[principals]] from the file's root.
void ReadPrincipals(settings::TableReader& root, std::vector<PrincipalRuleConfig>& out);

}  // namespace dare::server

#pragma once

#include <cstdint>
#include <map>
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

// [oidc]: people, by tokens of an OpenID Connect issuer (identity/person.h, identity/key_source.h).
struct OidcConfig {
  std::string issuer;  // empty: no tokens are taken
  std::string audience;
  std::string jwks_file;     // the issuer's keys, or
  std::string jwks_url;      // where they are, "https://…", and
  std::string jwks_ca_file;  // PEM: whose certificates are accepted there
  std::vector<std::string> algorithms = {"RS256", "PS256", "ES256", "EdDSA"};
  std::string name_claim = "sub";
  std::string name;          // of the principal; '*' is the claim's text
  std::string groups_claim;  // empty: tokens give no groups
  std::map<std::string, std::string> groups;
  std::uint32_t skew_seconds = 30;
  std::uint32_t longest_seconds = 43200;
  std::uint32_t refresh_seconds = 3600;  // of the keys
  std::uint32_t oldest_seconds = 86400;  // how long the last good ones are used
  std::uint32_t between_seconds = 30;    // fetches at least
};

// Reads the table [oidc] from the file's root.
void ReadOidc(settings::TableReader& root, OidcConfig& out);
// Reads the list [[principals]] from the file's root.
void ReadPrincipals(settings::TableReader& root, std::vector<PrincipalRuleConfig>& out);

}  // namespace dare::server

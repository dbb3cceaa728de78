#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "policy/name_pattern.h"

namespace dare::crypto {
struct CertificateNames;
}

namespace dare::server {

struct PrincipalRuleConfig;  // server/identity_config.h

// Who a certificate is to us: the principal's name and, as for a certificate of our own authority,
// the units that its role and groups are read from.
struct Identity {
  std::string name;  // empty: nobody
  std::vector<std::string> units;
};

// A rule of [[principals]] in kms.toml: which name of which certificates is whose.
struct PrincipalRule {
  enum class From : std::uint8_t { kHost, kUri, kEmail, kCommonName, kSubject };

  // kInvalidArgument for a rule that could never fit, or would give what no rule may: a role.
  static Result<PrincipalRule> Parse(const PrincipalRuleConfig& config);

  From from = From::kCommonName;
  policy::NamePattern match;
  std::string name;  // '*' stands for what the '*' of `match` stood for
  std::vector<std::string> groups;
  bool certificate_groups = false;  // its organizational units are groups, too
  std::vector<Bytes> issuers;  // SHA-256 of authorities, one of which must be in the chain; or none
};

// PrincipalRules tell who a client certificate is. A certificate of our own authority is who its
// common name says. For every other one the first rule decides of which exactly one name fits; when
// two names fit that rule, or none fits any, the certificate is nobody's. Without a rule the common
// name decides for all. A pure function of what it is given; immutable, so thread-safe.
class PrincipalRules {
 public:
  // `own_authority` is the SHA-256 of our CA's certificate; empty: there is none.
  PrincipalRules(std::vector<PrincipalRule> rules, Bytes own_authority)
      : rules_(std::move(rules)), own_authority_(std::move(own_authority)) {}

  bool empty() const { return rules_.empty(); }
  // Whether the common name alone decides: `chain` has the SHA-256 of each authority that vouches.
  bool NamesItself(std::span<const Bytes> chain) const;
  // By the rules; kUnauthenticated, saying why, for a certificate of nobody.
  Result<Identity> Identify(const crypto::CertificateNames& names,
                            std::span<const Bytes> chain) const;

 private:
  std::vector<PrincipalRule> rules_;
  Bytes own_authority_;
};

// The rules of a configuration, with the certificates that it names. kIo, kMalformed,
// kInvalidArgument.
Result<std::shared_ptr<const PrincipalRules>> LoadPrincipalRules(
    const std::vector<PrincipalRuleConfig>& rules, const std::string& own_authority_file);

}  // namespace dare::server

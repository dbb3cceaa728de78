#include "server/principal_rules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/file.h"
#include "crypto/certificate.h"
#include "crypto/certificate_names.h"
#include "crypto/digest.h"
#include "server/identity_config.h"

namespace dare::server {
namespace {

using From = PrincipalRule::From;

constexpr std::size_t kMostName = 256;
constexpr std::string_view kRolePrefix = "dare-";
constexpr std::string_view kSpiffe = "spiffe://";

std::optional<From> FromByName(std::string_view name) {
  if (name == "san-dns") return From::kHost;
  if (name == "san-uri") return From::kUri;
  if (name == "san-email") return From::kEmail;
  if (name == "subject-cn") return From::kCommonName;
  if (name == "subject") return From::kSubject;
  return std::nullopt;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// RFC 4343: host names are the same in whatever case.
Result<std::string> NormalHost(std::string host) {
  std::ranges::transform(host, host.begin(), &Lower);
  const bool plain = !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
  if (!plain) return Error(Code::kUnauthenticated, "a host name that is none, or stands for many");
  return host;
}

Result<std::string> NormalEmail(std::string email) {
  const std::size_t at = email.find('@');
  const bool plain = at != std::string::npos && at > 0 && at + 1 < email.size() &&
                     email.find('@', at + 1) == std::string::npos &&
                     email.find(' ') == std::string::npos;
  if (!plain) return Error(Code::kUnauthenticated, "an address of e-mail that is none");
  std::ranges::transform(email.begin() + static_cast<std::ptrdiff_t>(at), email.end(),
                         email.begin() + static_cast<std::ptrdiff_t>(at), &Lower);
  return email;
}

bool IsTrustDomain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

bool IsPathSegment(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && std::ranges::all_of(text, [](char c) {
    return IsTrustDomain({&c, 1}) || (c >= 'A' && c <= 'Z');
  });
}

// SPIFFE-ID 2.1 and 2.2: no upper-case trust domain, nothing encoded, no empty or dotted segments.
bool IsSpiffeId(std::string_view uri) {
  uri.remove_prefix(kSpiffe.size());
  std::size_t slash = uri.find('/');
  if (!IsTrustDomain(uri.substr(0, slash))) return false;
  while (slash != std::string_view::npos) {
    uri.remove_prefix(slash + 1);
    slash = uri.find('/');
    if (!IsPathSegment(uri.substr(0, slash))) return false;
  }
  return true;
}

Result<std::string> NormalUri(std::string uri) {
  std::string scheme = uri.substr(0, kSpiffe.size());
  std::ranges::transform(scheme, scheme.begin(), &Lower);
  const bool spiffe = scheme == kSpiffe;
  if (uri.find(' ') != std::string::npos || uri.find(':') == std::string::npos ||
      (spiffe && (!uri.starts_with(kSpiffe) || !IsSpiffeId(uri)))) {
    return Error(Code::kUnauthenticated, "a URI that is none");
  }
  return uri;
}

// The names that a rule looks at, each in the one form in which it is compared.
Result<std::vector<std::string>> NamesFor(From from, const crypto::CertificateNames& names) {
  std::vector<std::string> found;
  switch (from) {
    case From::kHost:
      for (const std::string& host : names.hosts) found.push_back(TRY(NormalHost(host)));
      break;
    case From::kUri:
      for (const std::string& uri : names.uris) found.push_back(TRY(NormalUri(uri)));
      break;
    case From::kEmail:
      for (const std::string& email : names.emails) found.push_back(TRY(NormalEmail(email)));
      break;
    case From::kCommonName:
      return names.common_names;
    case From::kSubject:
      if (!names.subject.empty()) found.push_back(names.subject);
      break;
  }
  return found;
}

// What the pattern's '*' stood for.
std::string_view Captured(const policy::NamePattern& pattern, std::string_view name) {
  const std::string text = pattern.text();
  const std::size_t star = text.find('*');
  return star == std::string::npos ? std::string_view()
                                   : name.substr(star, name.size() - (text.size() - 1));
}

Result<Identity> Apply(const PrincipalRule& rule, const std::string& matched,
                       const crypto::CertificateNames& names) {
  Identity identity;
  identity.name = rule.name;
  if (const std::size_t star = rule.name.find('*'); star != std::string::npos) {
    const std::string_view text = Captured(rule.match, matched);
    if (text.empty()) return Error(Code::kUnauthenticated, "an empty name");
    identity.name.replace(star, 1, text);
  }
  if (identity.name.size() > kMostName) return Error(Code::kUnauthenticated, "too long a name");
  identity.units = rule.groups;
  if (!rule.certificate_groups) return identity;
  for (const std::string& unit : names.units) {
    // Our roles are given by our authority alone.
    if (!unit.starts_with(kRolePrefix)) identity.units.push_back(unit);
  }
  return identity;
}

bool Meets(const std::vector<Bytes>& wanted, std::span<const Bytes> chain) {
  return std::ranges::any_of(
      chain, [&](const Bytes& one) { return std::ranges::find(wanted, one) != wanted.end(); });
}

Result<Bytes> FingerprintOf(ByteView der) {
  return crypto::Digest(crypto::HashAlgorithm::kSha256, der);
}

}  // namespace

Result<PrincipalRule> PrincipalRule::Parse(const PrincipalRuleConfig& config) {
  const auto invalid = [](const std::string& what) { return Error(Code::kInvalidArgument, what); };
  PrincipalRule rule;
  const auto from = FromByName(config.from);
  if (!from) {
    return invalid(
        "principals.from must be one of \"san-dns\", \"san-uri\", \"san-email\", \"subject-cn\", "
        "\"subject\"");
  }
  rule.from = *from;
  rule.match = TRY(policy::NamePattern::Parse(config.match));
  const policy::NamePattern name = TRY(policy::NamePattern::Parse(config.name));
  if (!name.exact() && rule.match.exact()) {
    return invalid("principals.name has a '*', and principals.match has none for it to stand for");
  }
  rule.name = config.name;
  for (const std::string& group : config.groups) {
    if (group.empty() || group.starts_with(kRolePrefix)) {
      return invalid("principals.groups: '" + group + "' is no group");
    }
  }
  rule.groups = config.groups;
  rule.certificate_groups = config.certificate_groups;
  return rule;
}

bool PrincipalRules::NamesItself(std::span<const Bytes> chain) const {
  return rules_.empty() ||
         (!own_authority_.empty() && std::ranges::find(chain, own_authority_) != chain.end());
}

Result<Identity> PrincipalRules::Identify(const crypto::CertificateNames& names,
                                          std::span<const Bytes> chain) const {
  for (const PrincipalRule& rule : rules_) {
    if (!rule.issuers.empty() && !Meets(rule.issuers, chain)) continue;
    const std::string* matched = nullptr;
    const std::vector<std::string> candidates = TRY(NamesFor(rule.from, names));
    for (const std::string& candidate : candidates) {
      if (!rule.match.Matches(candidate)) continue;
      if (matched != nullptr) return Error(Code::kUnauthenticated, "two names fit one rule");
      matched = &candidate;
    }
    if (matched != nullptr) return Apply(rule, *matched, names);
  }
  return Error(Code::kUnauthenticated, "no rule of [[principals]] fits");
}

Result<std::shared_ptr<const PrincipalRules>> LoadPrincipalRules(
    const std::vector<PrincipalRuleConfig>& rules, const std::string& own_authority_file) {
  std::vector<PrincipalRule> loaded;
  for (const PrincipalRuleConfig& config : rules) {
    PrincipalRule rule = TRY(PrincipalRule::Parse(config));
    if (!config.issuer_file.empty()) {
      const Bytes pem = TRY(ReadFile(config.issuer_file));
      const std::vector<Bytes> authorities = TRY(crypto::ParseCertificatesPem(pem));
      for (const Bytes& der : authorities) rule.issuers.push_back(TRY(FingerprintOf(der)));
    }
    loaded.push_back(std::move(rule));
  }
  Bytes own;
  if (!own_authority_file.empty()) {
    const Bytes pem = TRY(ReadFile(own_authority_file));
    const std::vector<Bytes> authorities = TRY(crypto::ParseCertificatesPem(pem));
    own = TRY(FingerprintOf(authorities.front()));
  }
  return std::make_shared<const PrincipalRules>(std::move(loaded), std::move(own));
}

}  // namespace dare::server

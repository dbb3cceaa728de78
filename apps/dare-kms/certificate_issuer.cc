#include "certificate_issuer.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "crypto/certificate.h"
#include "crypto/certificate_builder.h"
#include "crypto/certificate_chain.h"

namespace dare::kms {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kClockSkew = 300;  // certificates begin a little in the past
constexpr char kEveryClient[] = "*";

Result<Bytes> ReadOne(const std::string& path) {
  const Bytes pem = TRY(ReadFile(path));
  auto certificates = crypto::ParseCertificatesPem(pem);
  if (!certificates) return certificates.error().In(path);
  if (certificates->size() != 1) {
    return Error(Code::kInvalidArgument, path + " must hold one certificate");
  }
  return std::move(certificates->front());
}

// The security of every client's identity rests on this: see docs/decisions/certify.md.
Result<void> CheckStandsApart(const Bytes& certificate, const server::Config& config) {
  const Bytes pem = TRY(ReadFile(config.tls.client_ca_file));
  const std::vector<Bytes> trusted = TRY(crypto::ParseCertificatesPem(pem));
  const std::vector<ByteView> views(trusted.begin(), trusted.end());
  if (!TRY(crypto::BelongsTo(certificate, views))) return {};
  return Error(Code::kInvalidArgument,
               config.certify.certificate_file +
                   " (certify.certificate) belongs to an authority of tls.client_ca: whoever may "
                   "have certificates made could log in as anybody");
}

std::string UsageText(std::uint32_t usage) {
  const std::pair<std::uint32_t, const char*> names[] = {
      {crypto::kUsageDigitalSignature, "digitalSignature"},
      {crypto::kUsageContentCommitment, "nonRepudiation"},
      {crypto::kUsageKeyEncipherment, "keyEncipherment"},
      {crypto::kUsageDataEncipherment, "dataEncipherment"},
      {crypto::kUsageKeyAgreement, "keyAgreement"},
      {crypto::kUsageEncipherOnly, "encipherOnly"},
      {crypto::kUsageDecipherOnly, "decipherOnly"}};
  std::string text = "critical";
  for (const auto& [bit, name] : names) {
    if ((usage & bit) != 0) text += std::string(",") + name;
  }
  return text;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

}  // namespace

Result<std::unique_ptr<HsmCertificateIssuer>> HsmCertificateIssuer::Open(
    const server::Config& config, std::shared_ptr<hsm::SessionPool> pool) {
  const std::string& path = config.certify.certificate_file;
  Bytes certificate = TRY(ReadOne(path));
  const crypto::CertificateFacts facts = TRY(crypto::ReadCertificate(certificate));
  if (!facts.authority) {
    return Error(Code::kInvalidArgument, path + " may not sign certificates");
  }
  const auto kind = facts.key_family == crypto::KeyFamily::kRsa ? hsm::SigningKeyKind::kRsa2048
                                                                : hsm::SigningKeyKind::kP256;
  auto key = TRY(hsm::SigningKey::Find(std::move(pool), config.certify.key_label, kind));
  if (key->PublicKeyDer() != facts.public_key) {
    return Error(Code::kInvalidArgument,
                 path + " is not of the key '" + config.certify.key_label + "' in the token");
  }
  TRY(CheckStandsApart(certificate, config));
  return std::unique_ptr<HsmCertificateIssuer>(
      new HsmCertificateIssuer(config.certify, std::move(key), std::move(certificate)));
}

bool HsmCertificateIssuer::Serves(const policy::Principal& principal) const {
  if (principal.name.empty()) return false;
  return std::ranges::any_of(config_.clients, [&](const std::string& client) {
    return client == kEveryClient || client == principal.name;
  });
}

Result<Bytes> HsmCertificateIssuer::Issue(const engine::CertificateWish& wish,
                                          std::int64_t now) const {
  crypto::CertificatePlan plan;
  plan.subject = wish.subject;
  plan.public_key = wish.public_key;
  plan.subject_alternatives = wish.subject_alternatives;
  plan.not_before = now - kClockSkew;
  plan.not_after = now + config_.days * kDay;
  if (wish.good_until) plan.not_after = std::min(plan.not_after, *wish.good_until);
  if (plan.not_after <= now) {
    return Error(Code::kInvalidArgument, "the certificate would have ended before it begins");
  }
  plan.extensions = {{crypto::kBasicConstraintsNid, "critical,CA:FALSE"},
                     {crypto::kKeyUsageNid, UsageText(wish.key_usage)},
                     {crypto::kSubjectKeyIdentifierNid, "hash"},
                     {crypto::kAuthorityKeyIdentifierNid, "keyid:always"}};
  if (!config_.extended_key_usage.empty()) {
    plan.extensions.emplace_back(crypto::kExtendedKeyUsageNid, Joined(config_.extended_key_usage));
  }
  return crypto::BuildCertificate(plan, certificate_,
                                  [this](ByteView digest) { return key_->Sign(digest); });
}

}  // namespace dare::kms

#include "engine/certification.h"

#include <algorithm>
#include <utility>

#include "crypto/algorithm_policy.h"
#include "crypto/asymmetric_key.h"
#include "crypto/certificate.h"
#include "crypto/certificate_request.h"
#include "engine/attribute_values.h"
#include "engine/certificate_attributes.h"
#include "engine/lifecycle.h"
#include "engine/refusal.h"
#include "kmip/certificate.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/item.h"

namespace dare::engine {
namespace {

using kmip::AttributeSet;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;
using Mask = kmip::CryptographicUsageMask;

constexpr std::uint32_t kAuthorityUsage = crypto::kUsageCertificateSign | crypto::kUsageCrlSign;

// What the certificate decides, whatever the attributes say.
constexpr Tag kOfTheCertificate[] = {Tag::kCryptographicAlgorithm, Tag::kCryptographicLength,
                                     Tag::kDigitalSignatureAlgorithm, Tag::kCertificateLength};

Error NoAuthorities() {
  return Reject(ResultReason::kPermissionDenied, "no certification authorities are certified here");
}

//= kmip-1.4 3.19 Cryptographic Usage Mask, X.509 Key Usage to Cryptographic Usage Mask Mapping
Result<std::uint32_t> UsageOf(const AttributeSet& attributes) {
  const auto mask = static_cast<Mask>(attributes.Integer(Tag::kCryptographicUsageMask).value_or(0));
  const auto any = [&](Mask bits) { return (mask & bits) != Mask{}; };
  if (any(Mask::kCertificateSign | Mask::kCRLSign)) return NoAuthorities();
  std::uint32_t usage = 0;
  if (any(Mask::kSign | Mask::kVerify)) usage |= crypto::kUsageDigitalSignature;
  if (any(Mask::kContentCommitmentNonRepudiation)) usage |= crypto::kUsageContentCommitment;
  if (any(Mask::kWrapKey | Mask::kUnwrapKey)) usage |= crypto::kUsageKeyEncipherment;
  if (any(Mask::kEncrypt | Mask::kDecrypt)) usage |= crypto::kUsageDataEncipherment;
  if (any(Mask::kKeyAgreement)) usage |= crypto::kUsageKeyAgreement;
  return usage != 0 ? usage : std::uint32_t{crypto::kUsageDigitalSignature};
}

}  // namespace

Result<const CertificateIssuer*> IssuerFor(const OperationContext& context) {
  const CertificateIssuer* issuer = context.issuer();
  if (issuer == nullptr) {
    return Reject(ResultReason::kOperationNotSupported, "this server issues no certificates");
  }
  // Where the server renews by itself it depends on whose the certificate is: CheckServes.
  if (!context.caller().is_server) TRY(CheckServes(*issuer, context.principal()));
  return issuer;
}

Result<void> CheckServes(const CertificateIssuer& issuer, const policy::Principal& principal) {
  if (issuer.Serves(principal)) return {};
  return Reject(ResultReason::kPermissionDenied, "not allowed");
}

Result<CertificateWish> WishOf(kmip::CertificateRequestType type, ByteView value) {
  auto format = crypto::CertificateRequestFormat::kPkcs10;
  switch (type) {
    case kmip::CertificateRequestType::kPKCS_10:
      break;
    case kmip::CertificateRequestType::kPEM:
      format = crypto::CertificateRequestFormat::kPem;
      break;
    default:
      return Reject(ResultReason::kFeatureNotSupported,
                    "certificate requests are of PKCS#10, in DER or PEM");
  }
  auto read = crypto::ReadCertificateRequest(format, value);
  if (!read) return Reject(ResultReason::kInvalidCSR, read.error().message);
  if (read->authority || (read->key_usage.value_or(0) & kAuthorityUsage) != 0) {
    return NoAuthorities();
  }
  CertificateWish wish;
  wish.subject = std::move(read->subject);
  wish.public_key = std::move(read->public_key);
  wish.subject_alternatives = std::move(read->subject_alternatives);
  wish.key_usage = read->key_usage.value_or(0);
  return wish;
}

Result<Certified> IssueCertificate(const CertificateIssuer& issuer, CertificateWish wish,
                                   AttributeSet attributes, const OperationContext& context) {
  const crypto::PublicKey key = TRY(
      crypto::PublicKey::Parse(crypto::PublicKeyFormat::kSubjectPublicKeyInfo, wish.public_key));
  TRY(crypto::CheckKey(context.algorithms(), key.facts()));
  if (attributes.Enum<kmip::CertificateType>(Tag::kCertificateType)
          .value_or(kmip::CertificateType::kX_509) != kmip::CertificateType::kX_509) {
    return Reject(ResultReason::kFeatureNotSupported, "certificates are of X.509");
  }
  const std::uint32_t usage = TRY(UsageOf(attributes));
  if (wish.key_usage == 0) wish.key_usage = usage;
  wish.good_until = attributes.Date(Tag::kDeactivationDate);
  const Bytes der = TRY(issuer.Issue(wish, context.now()));
  SecretBytes material = TRY(kmip::MakeCertificate(kmip::CertificateType::kX_509, der));
  //= kmip-2.1 6.1.6 Certify
  //# If the information in the Certificate Request conflicts with the attributes [...] the
  //# Certificate Request takes precedence.
  for (const Tag tag : kOfTheCertificate) attributes.RemoveAll(tag);
  const ttlv::Item object = TRY(ttlv::ParseItem(material.Reveal()));
  TRY(AddCertificateAttributes(attributes, object, context));
  TRY(CheckAmount(attributes, context.version()));
  return Certified{std::move(material), std::move(attributes)};
}

Result<void> CheckSameKey(ByteView public_key, ByteView other) {
  if (std::ranges::equal(public_key, other)) return {};
  return Reject(ResultReason::kInvalidCSR, "the certificate request is for another key");
}

Result<void> CheckMayBeCertified(const StoredObject& stored, const OperationContext& context) {
  const kmip::State state = EffectiveState(stored.object.attributes, context.now());
  if (state == kmip::State::kPreActive || state == kmip::State::kActive) return {};
  if (IsDestroyed(state)) {
    return RejectIn(context.version(), ResultReason::kPermissionDenied,
                    ResultReason::kObjectDestroyed, "the object was destroyed");
  }
  return Reject(ResultReason::kWrongKeyLifecycleState,
                "the state of the object does not allow a certificate");
}

}  // namespace dare::engine

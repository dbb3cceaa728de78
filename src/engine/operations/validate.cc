#include "engine/operations/validate.h"

#include <vector>

#include "crypto/certificate_chain.h"
#include "engine/certificate_issuer.h"
#include "engine/lifecycle.h"
#include "kmip/certificate.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/item.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;
using kmip::ValidityIndicator;

Result<ByteView> X509Of(const kmip::CertificateObject& certificate) {
  if (certificate.type == kmip::CertificateType::kX_509) return certificate.value;
  return Reject(ResultReason::kInvalidField, "only X.509 certificates are validated");
}

// The certificate inside a stored object, borrowed.
Result<ByteView> StoredCertificate(const StoredObject& stored, std::int64_t now) {
  if (stored.object.type != kmip::ObjectType::kCertificate) {
    return Reject(ResultReason::kInvalidObjectType, "only certificates make a chain");
  }
  if (IsDestroyed(EffectiveState(stored.object.attributes, now))) {
    return Reject(ResultReason::kObjectDestroyed, "a certificate of the chain was destroyed");
  }
  const ttlv::Item item = TRY(ttlv::ParseItem(stored.object.material.Reveal()));
  return X509Of(TRY(kmip::ReadCertificate(item)));
}

// Whoever revoked a certificate object here meant it.
bool IsRevoked(const StoredObject& stored, std::int64_t now) {
  const kmip::State state = EffectiveState(stored.object.attributes, now);
  return state == kmip::State::kCompromised ||
         stored.object.attributes.Has(kmip::Tag::kRevocationReason);
}

ValidityIndicator IndicatorOf(crypto::ChainVerdict verdict) {
  switch (verdict) {
    case crypto::ChainVerdict::kValid:
      return ValidityIndicator::kValid;
    case crypto::ChainVerdict::kInvalid:
      return ValidityIndicator::kInvalid;
    case crypto::ChainVerdict::kUnknown:
      break;
  }
  return ValidityIndicator::kUnknown;
}

}  // namespace

Result<kmip::ValidateResponse> Validate(const kmip::ValidateRequest& request,
                                        OperationContext& context) {
  TRY(context.Authorise());
  std::vector<ByteView> chain;
  std::vector<ObjectPointer> kept;  // `chain` borrows from them
  bool revoked = false;
  for (const kmip::CertificateObject& certificate : request.certificates) {
    chain.push_back(TRY(X509Of(certificate)));
  }
  for (const kmip::Identifier& id : request.ids) {
    kept.push_back(TRY(context.Open(id, Vault::Material::kOpen)));
    chain.push_back(TRY(StoredCertificate(*kept.back(), context.now())));
    revoked |= IsRevoked(*kept.back(), context.now());
  }
  if (chain.empty()) {
    //= kmip-1.4 11.25 Validate
    //# The combination of Certificate Objects and Unique Identifiers does not specify a certificate
    //# list: Invalid Message
    return Reject(ResultReason::kInvalidMessage, "no certificate to validate");
  }
  std::vector<ByteView> anchors;
  if (context.issuer() != nullptr) anchors.emplace_back(context.issuer()->certificate());
  const Result<crypto::ChainVerdict> verdict = crypto::JudgeChain(
      chain, anchors, request.date.value_or(context.now()), context.algorithms().allow_legacy);
  if (!verdict) return Reject(ResultReason::kInvalidField, verdict.error().message);
  if (revoked) return kmip::ValidateResponse{.validity = ValidityIndicator::kInvalid};
  return kmip::ValidateResponse{.validity = IndicatorOf(*verdict)};
}

}  // namespace dare::engine

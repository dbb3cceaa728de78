#include "engine/operations/signature_verify.h"

#include <utility>

#include "crypto/signature.h"
#include "engine/asymmetric_use.h"
#include "engine/cipher_choice.h"
#include "engine/signature_parts.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;
using kmip::ValidityIndicator;

// No signature here carries its data, so that none is recovered.
Result<kmip::SignatureVerifyResponse> Answer(const Result<bool>& right) {
  if (!right) return CryptographicError(right.error());
  kmip::SignatureVerifyResponse response;
  response.validity = *right ? ValidityIndicator::kValid : ValidityIndicator::kInvalid;
  return response;
}

Result<kmip::SignatureVerifyResponse> RunWhole(const kmip::SignatureVerifyRequest& request,
                                               const UsablePublicKey& key,
                                               OperationContext& context) {
  if (request.data.has_value() == request.digested_data.has_value()) {
    return Reject(ResultReason::kInvalidMessage, "either Data or Digested Data was signed");
  }
  if (!request.signature) return Reject(ResultReason::kInvalidMessage, "no Signature Data");
  const bool digested = request.digested_data.has_value();
  const crypto::SignatureScheme scheme = TRY(ChooseSignature(
      SignatureParameters(request, key), key.facts, digested ? Signed::kDigest : Signed::kData));
  return Answer(digested ? crypto::VerifyDigest(key.key, scheme, *request.digested_data,
                                                *request.signature, context.algorithms())
                         : crypto::VerifyMessage(key.key, scheme, *request.data, *request.signature,
                                                 context.algorithms()));
}

// One part of a stream: the first one begins it, the one with the Final Indicator ends it.
Result<kmip::SignatureVerifyResponse> RunPart(const kmip::SignatureVerifyRequest& request,
                                              const UsablePublicKey& key,
                                              OperationContext& context) {
  UnfinishedStream stream = TRY(HashPart(request, key, context));
  if (request.signature) stream.expected = ToBytes(*request.signature);
  if (!request.final.value_or(false)) {
    kmip::SignatureVerifyResponse response;
    response.correlation = TRY(KeepStream(request, std::move(stream), context));
    return response;
  }
  if (stream.expected.empty()) return Reject(ResultReason::kInvalidMessage, "no Signature Data");
  const auto scheme = TRY(ChooseSignature(stream.parameters, key.facts, Signed::kData));
  const Bytes whole = TRY(std::get<crypto::DigestStream>(stream.state).Finish());
  return Answer(
      crypto::VerifyDigest(key.key, scheme, whole, stream.expected, context.algorithms()));
}

}  // namespace

Result<kmip::SignatureVerifyResponse> SignatureVerify(const kmip::SignatureVerifyRequest& request,
                                                      OperationContext& context) {
  const UsablePublicKey key = TRY(OpenPublicKey(context, request.id, KeyPurpose::kVerifySignature));
  kmip::SignatureVerifyResponse response = request.multi_part()
                                               ? TRY(RunPart(request, key, context))
                                               : TRY(RunWhole(request, key, context));
  response.id = key.object->object.id;
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

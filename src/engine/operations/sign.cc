#include "engine/operations/sign.h"

#include <utility>

#include "crypto/signature.h"
#include "engine/asymmetric_use.h"
#include "engine/key_computation.h"
#include "engine/signature_parts.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;

kmip::SignResponse Answer(Bytes signature) {
  kmip::SignResponse response;
  response.signature = std::move(signature);
  return response;
}

Result<kmip::SignResponse> RunWhole(const kmip::SignRequest& request, const UsablePrivateKey& key,
                                    OperationContext& context) {
  if (request.data.has_value() == request.digested_data.has_value()) {
    return Reject(ResultReason::kInvalidMessage, "either Data or Digested Data is signed");
  }
  const bool digested = request.digested_data.has_value();
  const crypto::SignatureScheme scheme = TRY(ChooseSignature(
      SignatureParameters(request, key), key.facts, digested ? Signed::kDigest : Signed::kData));
  return Answer(TRY(digested ? SignDigestWith(key, scheme, *request.digested_data, context)
                             : SignMessageWith(key, scheme, *request.data, context)));
}

// One part of a stream: the first one begins it, the one with the Final Indicator ends it.
Result<kmip::SignResponse> RunPart(const kmip::SignRequest& request, const UsablePrivateKey& key,
                                   OperationContext& context) {
  UnfinishedStream stream = TRY(HashPart(request, key, context));
  if (!request.final.value_or(false)) {
    kmip::SignResponse response;
    response.correlation = TRY(KeepStream(request, std::move(stream), context));
    return response;
  }
  const auto scheme = TRY(ChooseSignature(stream.parameters, key.facts, Signed::kData));
  const Bytes whole = TRY(std::get<crypto::DigestStream>(stream.state).Finish());
  return Answer(TRY(SignDigestWith(key, scheme, whole, context)));
}

}  // namespace

Result<kmip::SignResponse> Sign(const kmip::SignRequest& request, OperationContext& context) {
  const UsablePrivateKey key = TRY(OpenPrivateKey(context, request.id, KeyPurpose::kSign));
  const std::size_t bytes =
      request.data.value_or(request.digested_data.value_or(ByteView())).size();
  TRY(TakeUsage(context, *key.object, bytes));
  kmip::SignResponse response = request.multi_part() ? TRY(RunPart(request, key, context))
                                                     : TRY(RunWhole(request, key, context));
  response.id = key.object->object.id;
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

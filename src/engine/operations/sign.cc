#include "engine/operations/sign.h"

#include <utility>

#include "crypto/signature.h"
#include "engine/asymmetric_use.h"
#include "engine/cipher_choice.h"
#include "engine/signature_choice.h"
#include "engine/streams.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::CryptographicParameters;
using kmip::Reject;
using kmip::ResultReason;

CryptographicParameters ParametersOf(const kmip::SignRequest& request,
                                     const UsablePrivateKey& key) {
  return request.parameters.value_or(CryptographicParameters()).Over(key.defaults);
}

Result<kmip::SignResponse> Answer(Result<Bytes> signature) {
  if (!signature) return CryptographicError(signature.error());
  kmip::SignResponse response;
  response.signature = std::move(*signature);
  return response;
}

Result<kmip::SignResponse> RunWhole(const kmip::SignRequest& request, const UsablePrivateKey& key,
                                    OperationContext& context) {
  if (request.data.has_value() == request.digested_data.has_value()) {
    return Reject(ResultReason::kInvalidMessage, "either Data or Digested Data is signed");
  }
  const bool digested = request.digested_data.has_value();
  const crypto::SignatureScheme scheme = TRY(ChooseSignature(
      ParametersOf(request, key), key.key.facts(), digested ? Signed::kDigest : Signed::kData));
  return Answer(
      digested ? crypto::SignDigest(key.key, scheme, *request.digested_data, context.algorithms())
               : crypto::SignMessage(key.key, scheme, *request.data, context.algorithms()));
}

// One part of a stream: the first one begins it, the one with the Final Indicator ends it.
Result<kmip::SignResponse> RunPart(const kmip::SignRequest& request, const UsablePrivateKey& key,
                                   OperationContext& context) {
  if (request.digested_data) {
    return Reject(ResultReason::kInvalidMessage, "Digested Data does not come in parts");
  }
  if (crypto::SignsWholeMessages(key.key.facts().family)) {
    return Reject(ResultReason::kUnsupportedCryptographicParameters,
                  "this key signs whole messages, not parts");
  }
  const auto begin = [&]() -> Result<UnfinishedStream> {
    CryptographicParameters parameters = ParametersOf(request, key);
    const auto scheme = TRY(ChooseSignature(parameters, key.key.facts(), Signed::kData));
    crypto::DigestStream digest =
        TRY(crypto::DigestStream::Begin(*scheme.hash, context.algorithms()));
    return UnfinishedStream{.state = std::move(digest), .parameters = std::move(parameters)};
  };
  UnfinishedStream stream = TRY(ResumeOrBegin(request, key.object->object.id, context, begin));
  auto& digest = std::get<crypto::DigestStream>(stream.state);
  TRY(digest.Update(request.data.value_or(ByteView())));
  if (!request.final.value_or(false)) {
    kmip::SignResponse response;
    response.correlation = TRY(KeepStream(request, std::move(stream), context));
    return response;
  }
  const auto scheme = TRY(ChooseSignature(stream.parameters, key.key.facts(), Signed::kData));
  const Bytes whole = TRY(digest.Finish());
  return Answer(crypto::SignDigest(key.key, scheme, whole, context.algorithms()));
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

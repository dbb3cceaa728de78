#include "engine/operations/hash.h"

#include <utility>

#include "crypto/digest.h"
#include "engine/cipher_choice.h"
#include "engine/streams.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;

Result<crypto::HashAlgorithm> HashOf(const kmip::HashRequest& request) {
  if (!request.parameters.hashing_algorithm) {
    return Reject(ResultReason::kInvalidField, "the request does not say which Hashing Algorithm");
  }
  return ChooseHash(*request.parameters.hashing_algorithm);
}

// One part of a stream: the first one begins it, the one with the Final Indicator ends it. Later
// parts repeat the parameters (the field is required); what counts is what the first one said.
Result<kmip::HashResponse> RunPart(const kmip::HashRequest& request, OperationContext& context) {
  const auto begin = [&]() -> Result<UnfinishedStream> {
    const crypto::HashAlgorithm hash = TRY(HashOf(request));
    return UnfinishedStream{.state = TRY(crypto::DigestStream::Begin(hash, context.algorithms()))};
  };
  UnfinishedStream stream = TRY(ResumeOrBegin(request, "", context, begin));
  auto& digest = std::get<crypto::DigestStream>(stream.state);
  TRY(digest.Update(request.data.value_or(ByteView())));
  kmip::HashResponse response;
  if (request.final.value_or(false)) {
    response.data = TRY(digest.Finish());
  } else {
    response.correlation = TRY(KeepStream(request, std::move(stream), context));
  }
  return response;
}

}  // namespace

Result<kmip::HashResponse> Hash(const kmip::HashRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  if (request.multi_part()) return RunPart(request, context);
  if (!request.data) return Reject(ResultReason::kInvalidMessage, "no Data");
  const crypto::HashAlgorithm hash = TRY(HashOf(request));
  return kmip::HashResponse{.data = TRY(crypto::Digest(hash, *request.data, context.algorithms()))};
}

}  // namespace dare::engine

#include "engine/operations/mac.h"

#include <utility>

#include "crypto/mac.h"
#include "engine/cipher_choice.h"
#include "engine/key_computation.h"
#include "engine/key_use.h"
#include "engine/streams.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

Result<crypto::MacAlgorithm> AlgorithmOf(const kmip::MacRequest& request, const UsableKey& key) {
  return ChooseMac(request.parameters.value_or(kmip::CryptographicParameters()).Over(key.defaults),
                   key);
}

Result<crypto::MacStream> BeginMac(const kmip::MacRequest& request, const UsableKey& key,
                                   OperationContext& context) {
  const crypto::MacAlgorithm algorithm = TRY(AlgorithmOf(request, key));
  Result<crypto::MacStream> mac =
      crypto::MacStream::Begin(algorithm, key.bytes, context.algorithms());
  if (!mac) return CryptographicError(mac.error());
  return mac;
}

// One part of a stream: the first one begins it, the one with the Final Indicator ends it.
Result<kmip::MacResponse> RunPart(const kmip::MacRequest& request, const UsableKey& key,
                                  OperationContext& context) {
  TRY(CheckTakesParts(key));
  const auto begin = [&]() -> Result<UnfinishedStream> {
    crypto::MacStream mac = TRY(BeginMac(request, key, context));
    return UnfinishedStream{.state = std::move(mac)};
  };
  UnfinishedStream stream = TRY(ResumeOrBegin(request, key.object->object.id, context, begin));
  auto& mac = std::get<crypto::MacStream>(stream.state);
  TRY(mac.Update(request.data.value_or(ByteView())));
  kmip::MacResponse response;
  if (request.final.value_or(false)) {
    response.mac = TRY(mac.Finish());
  } else {
    response.correlation = TRY(KeepStream(request, std::move(stream), context));
  }
  return response;
}

Result<kmip::MacResponse> RunWhole(const kmip::MacRequest& request, const UsableKey& key,
                                   OperationContext& context) {
  if (!request.data) return kmip::Reject(kmip::ResultReason::kInvalidMessage, "no Data");
  const crypto::MacAlgorithm algorithm = TRY(AlgorithmOf(request, key));
  kmip::MacResponse response;
  response.mac = TRY(MacWith(key, algorithm, *request.data, context));
  return response;
}

}  // namespace

Result<kmip::MacResponse> Mac(const kmip::MacRequest& request, OperationContext& context) {
  const UsableKey key = TRY(OpenKey(context, request.id, KeyPurpose::kMakeMac));
  TRY(TakeUsage(context, key, request.data.value_or(ByteView()).size()));
  kmip::MacResponse response = request.multi_part() ? TRY(RunPart(request, key, context))
                                                    : TRY(RunWhole(request, key, context));
  response.id = key.object->object.id;
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

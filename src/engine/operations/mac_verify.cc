#include "engine/operations/mac_verify.h"

#include <utility>

#include "crypto/mac.h"
#include "engine/cipher_choice.h"
#include "engine/key_computation.h"
#include "engine/key_use.h"
#include "engine/streams.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;
using kmip::ValidityIndicator;

Result<crypto::MacAlgorithm> AlgorithmOf(const kmip::MacVerifyRequest& request,
                                         const UsableKey& key) {
  return ChooseMac(request.parameters.value_or(kmip::CryptographicParameters()).Over(key.defaults),
                   key);
}

Result<crypto::MacStream> BeginMac(const kmip::MacVerifyRequest& request, const UsableKey& key,
                                   OperationContext& context) {
  const crypto::MacAlgorithm algorithm = TRY(AlgorithmOf(request, key));
  Result<crypto::MacStream> mac =
      crypto::MacStream::Begin(algorithm, key.bytes, context.algorithms());
  if (!mac) return CryptographicError(mac.error());
  return mac;
}

// Only the whole code counts: KMIP has no field by which a client could ask for less.
ValidityIndicator Judge(ByteView right, ByteView given) {
  return crypto::MacMatches(right, given, right.size()) ? ValidityIndicator::kValid
                                                        : ValidityIndicator::kInvalid;
}

Result<kmip::MacVerifyResponse> RunPart(const kmip::MacVerifyRequest& request, const UsableKey& key,
                                        OperationContext& context) {
  TRY(CheckTakesParts(key));
  const auto begin = [&]() -> Result<UnfinishedStream> {
    crypto::MacStream mac = TRY(BeginMac(request, key, context));
    return UnfinishedStream{.state = std::move(mac)};
  };
  UnfinishedStream stream = TRY(ResumeOrBegin(request, key.object->object.id, context, begin));
  auto& mac = std::get<crypto::MacStream>(stream.state);
  TRY(mac.Update(request.data.value_or(ByteView())));
  if (request.mac) stream.expected = ToBytes(*request.mac);
  kmip::MacVerifyResponse response;
  if (!request.final.value_or(false)) {
    response.correlation = TRY(KeepStream(request, std::move(stream), context));
    return response;
  }
  if (stream.expected.empty()) return Reject(ResultReason::kInvalidMessage, "no MAC Data");
  response.validity = Judge(TRY(mac.Finish()), stream.expected);
  return response;
}

Result<kmip::MacVerifyResponse> RunWhole(const kmip::MacVerifyRequest& request,
                                         const UsableKey& key, OperationContext& context) {
  if (!request.data || !request.mac) {
    return Reject(ResultReason::kInvalidMessage, "no Data, or no MAC Data");
  }
  const crypto::MacAlgorithm algorithm = TRY(AlgorithmOf(request, key));
  const bool right = TRY(IsMacOf(key, algorithm, *request.data, *request.mac, context));
  kmip::MacVerifyResponse response;
  response.validity = right ? ValidityIndicator::kValid : ValidityIndicator::kInvalid;
  return response;
}

}  // namespace

Result<kmip::MacVerifyResponse> MacVerify(const kmip::MacVerifyRequest& request,
                                          OperationContext& context) {
  const UsableKey key = TRY(OpenKey(context, request.id, KeyPurpose::kVerifyMac));
  kmip::MacVerifyResponse response = request.multi_part() ? TRY(RunPart(request, key, context))
                                                          : TRY(RunWhole(request, key, context));
  response.id = key.object->object.id;
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

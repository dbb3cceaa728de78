#include "engine/operations/mac.h"

#include <utility>

#include "crypto/mac.h"
#include "engine/cipher_choice.h"
#include "engine/key_use.h"
#include "kmip/reject.h"

namespace dare::engine {

Result<kmip::MacResponse> Mac(const kmip::MacRequest& request, OperationContext& context) {
  const UsableKey key = TRY(OpenKey(context, request.id, KeyPurpose::kMakeMac));
  if (request.multi_part()) {
    return kmip::Reject(kmip::ResultReason::kFeatureNotSupported,
                        "streams of several parts are not supported");
  }
  if (!request.data) return kmip::Reject(kmip::ResultReason::kInvalidMessage, "no Data");
  const kmip::CryptographicParameters parameters =
      request.parameters.value_or(kmip::CryptographicParameters()).Over(key.defaults);
  const std::optional<crypto::HashAlgorithm> hash = TRY(ChooseMac(parameters, key));
  TRY(TakeUsage(context, key, request.data->size()));
  Result<Bytes> mac = hash ? crypto::Hmac(*hash, key.bytes, *request.data, context.algorithms())
                           : crypto::CmacAes(key.bytes, *request.data);
  if (!mac) return CryptographicError(mac.error());
  kmip::MacResponse response;
  response.id = key.object->object.id;
  response.mac = std::move(*mac);
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

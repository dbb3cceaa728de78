#include "engine/operations/encrypt.h"

#include <utility>

#include "crypto/block_cipher.h"
#include "crypto/key_wrap.h"
#include "crypto/random.h"
#include "engine/cipher_choice.h"
#include "engine/key_use.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;

// The IV of the request, or one that the server makes when the parameters ask for it.
Result<Bytes> InitializationVector(const kmip::EncryptRequest& request,
                                   const CipherChoice& choice) {
  if (request.iv) return ToBytes(*request.iv);
  if (crypto::DefaultIvBytes(choice.algorithm, choice.mode) == 0) return Bytes();
  if (!choice.random_iv) {
    //= kmip-2.1 6.1.17 Encrypt
    //# the published cases of every version answer Invalid Message
    return Reject(ResultReason::kInvalidMessage, "no IV/Counter/Nonce, and Random IV is not set");
  }
  Bytes iv(choice.iv_length);
  TRY(crypto::RandomBytes(iv));
  return iv;
}

Result<kmip::EncryptResponse> RunCipher(const kmip::EncryptRequest& request,
                                        const CipherChoice& choice, const UsableKey& key,
                                        OperationContext& context) {
  Bytes iv = TRY(InitializationVector(request, choice));
  crypto::CipherRequest cipher;
  cipher.algorithm = choice.algorithm;
  cipher.mode = choice.mode;
  cipher.padding = choice.padding;
  cipher.key = key.bytes;
  cipher.iv = iv;
  cipher.aad = request.aad.value_or(ByteView());
  cipher.tag_length = choice.tag_length;
  cipher.policy = context.algorithms();
  Result<crypto::CipherOutput> output = crypto::Encrypt(cipher, *request.data);
  if (!output) return CryptographicError(output.error());

  kmip::EncryptResponse response;
  response.data = std::move(output->data);
  if (!request.iv && !iv.empty()) response.iv = std::move(iv);
  if (choice.tag_length != 0) {
    //= kmip-1.3 4.29 Encrypt
    //# before Authenticated Encryption Tag existed, the tag ends the Data
    if (context.version() >= kmip::kVersion1_4) {
      response.tag = std::move(output->tag);
    } else {
      Append(*response.data, output->tag);
    }
  }
  return response;
}

}  // namespace

Result<kmip::EncryptResponse> Encrypt(const kmip::EncryptRequest& request,
                                      OperationContext& context) {
  const UsableKey key = TRY(OpenKey(context, request.id, KeyPurpose::kEncrypt));
  if (request.multi_part()) {
    return Reject(ResultReason::kFeatureNotSupported, "streams of several parts are not supported");
  }
  if (!request.data) return Reject(ResultReason::kInvalidMessage, "no Data");
  const kmip::CryptographicParameters parameters =
      request.parameters.value_or(kmip::CryptographicParameters()).Over(key.defaults);
  const auto choice = TRY(ChooseCipher(parameters, key));
  TRY(TakeUsage(context, key, request.data->size()));

  kmip::EncryptResponse response;
  if (const auto* wrap = std::get_if<crypto::KeyWrapMode>(&choice)) {
    Result<Bytes> wrapped = crypto::WrapKey(*wrap, key.bytes, *request.data);
    if (!wrapped) return CryptographicError(wrapped.error());
    response.data = std::move(*wrapped);
  } else {
    response = TRY(RunCipher(request, std::get<CipherChoice>(choice), key, context));
  }
  response.id = key.object->object.id;
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

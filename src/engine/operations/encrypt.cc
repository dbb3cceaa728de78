#include "engine/operations/encrypt.h"

#include <utility>

#include "crypto/block_cipher.h"
#include "engine/cipher_choice.h"
#include "engine/key_computation.h"
#include "engine/key_use.h"
#include "engine/rsa_cipher.h"
#include "engine/streams.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;

// The IV of the request, or one that the server makes when the parameters ask for it.
Result<Bytes> InitializationVector(const kmip::EncryptRequest& request, const CipherChoice& choice,
                                   const UsableKey& key, OperationContext& context) {
  if (request.iv) return ToBytes(*request.iv);
  if (crypto::DefaultIvBytes(choice.algorithm, choice.mode) == 0) return Bytes();
  if (!choice.random_iv) {
    //= kmip-2.1 6.1.17 Encrypt
    //# the published cases of every version answer Invalid Message
    return Reject(ResultReason::kInvalidMessage, "no IV/Counter/Nonce, and Random IV is not set");
  }
  return MakeCountedIv(choice, *key.object, context);
}

crypto::CipherRequest CipherOf(const kmip::EncryptRequest& request, const CipherChoice& choice,
                               ByteView iv) {
  crypto::CipherRequest cipher;
  cipher.algorithm = choice.algorithm;
  cipher.mode = choice.mode;
  cipher.padding = choice.padding;
  cipher.iv = iv;
  cipher.aad = request.aad.value_or(ByteView());
  cipher.tag_length = choice.tag_length;
  return cipher;
}

void AnswerTag(Bytes tag, const OperationContext& context, kmip::EncryptResponse& response) {
  if (tag.empty()) return;
  //= kmip-1.3 4.29 Encrypt
  //# before Authenticated Encryption Tag existed, the tag ends the Data
  if (context.version() >= kmip::kVersion1_4) {
    response.tag = std::move(tag);
  } else {
    Append(*response.data, tag);
  }
}

Result<kmip::EncryptResponse> RunCipher(const kmip::EncryptRequest& request,
                                        const CipherChoice& choice, const UsableKey& key,
                                        OperationContext& context) {
  Bytes iv = TRY(InitializationVector(request, choice, key, context));
  crypto::CipherOutput output =
      TRY(EncryptWith(key, CipherOf(request, choice, iv), *request.data, context));
  kmip::EncryptResponse response;
  response.data = std::move(output.data);
  if (!request.iv && !iv.empty()) response.iv = std::move(iv);
  AnswerTag(std::move(output.tag), context, response);
  return response;
}

// One part of a stream: the first one begins it, the one with the Final Indicator ends it.
Result<kmip::EncryptResponse> RunPart(const kmip::EncryptRequest& request, const UsableKey& key,
                                      OperationContext& context) {
  kmip::EncryptResponse response;
  const auto begin = [&]() -> Result<UnfinishedStream> {
    const kmip::CryptographicParameters parameters =
        request.parameters.value_or(kmip::CryptographicParameters()).Over(key.defaults);
    const CipherChoice choice = TRY(ChooseStreamCipher(parameters, key));
    Bytes iv = TRY(InitializationVector(request, choice, key, context));
    crypto::CipherRequest whole = CipherOf(request, choice, iv);
    whole.key = key.bytes;
    whole.policy = context.algorithms();
    Result<crypto::CipherStream> cipher =
        crypto::CipherStream::Begin(whole, crypto::CipherStream::Direction::kEncrypt);
    if (!cipher) return CryptographicError(cipher.error());
    if (!request.iv && !iv.empty()) response.iv = std::move(iv);
    return UnfinishedStream{.state = std::move(*cipher)};
  };
  UnfinishedStream stream = TRY(ResumeOrBegin(request, key.object->object.id, context, begin));
  auto& cipher = std::get<crypto::CipherStream>(stream.state);
  Result<WipingBytes> data = cipher.Update(request.data.value_or(ByteView()));
  if (!data) return CryptographicError(data.error());
  response.data.emplace(data->begin(), data->end());
  if (request.final.value_or(false)) {
    Result<crypto::CipherOutput> rest = cipher.FinishEncrypt();
    if (!rest) return CryptographicError(rest.error());
    Append(*response.data, rest->data);
    AnswerTag(std::move(rest->tag), context, response);
  } else {
    response.correlation = TRY(KeepStream(request, std::move(stream), context));
  }
  if (response.data->empty()) response.data.reset();
  return response;
}

}  // namespace

Result<kmip::EncryptResponse> Encrypt(const kmip::EncryptRequest& request,
                                      OperationContext& context) {
  ObjectPointer stored = TRY(context.Open(request.id, Vault::Material::kOpen));
  if (IsAsymmetric(stored->object)) return EncryptWithRsa(request, std::move(stored), context);
  const UsableKey key = TRY(AsKey(context, std::move(stored), KeyPurpose::kEncrypt));
  if (request.multi_part()) {
    TRY(CheckTakesParts(key));
    TRY(TakeUsage(context, key, request.data.value_or(ByteView()).size()));
    kmip::EncryptResponse response = TRY(RunPart(request, key, context));
    response.id = key.object->object.id;
    context.Answered(response.id);
    return response;
  }
  if (!request.data) return Reject(ResultReason::kInvalidMessage, "no Data");
  const kmip::CryptographicParameters parameters =
      request.parameters.value_or(kmip::CryptographicParameters()).Over(key.defaults);
  const auto choice = TRY(ChooseCipher(parameters, key));
  TRY(TakeUsage(context, key, request.data->size()));

  kmip::EncryptResponse response;
  if (const auto* wrap = std::get_if<crypto::KeyWrapMode>(&choice)) {
    response.data = TRY(WrapWith(key, *wrap, *request.data, context));
  } else {
    response = TRY(RunCipher(request, std::get<CipherChoice>(choice), key, context));
  }
  response.id = key.object->object.id;
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

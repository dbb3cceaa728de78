#include "engine/operations/decrypt.h"

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

Result<crypto::CipherRequest> CipherOf(const kmip::DecryptRequest& request,
                                       const CipherChoice& choice) {
  if (!request.iv && crypto::DefaultIvBytes(choice.algorithm, choice.mode) != 0) {
    return Reject(ResultReason::kInvalidMessage, "no IV/Counter/Nonce");
  }
  crypto::CipherRequest cipher;
  cipher.algorithm = choice.algorithm;
  cipher.mode = choice.mode;
  cipher.padding = choice.padding;
  cipher.iv = request.iv.value_or(ByteView());
  cipher.aad = request.aad.value_or(ByteView());
  cipher.tag_length = choice.tag_length;
  return cipher;
}

Result<WipingBytes> RunCipher(const kmip::DecryptRequest& request, const CipherChoice& choice,
                              const UsableKey& key, OperationContext& context) {
  const crypto::CipherRequest cipher = TRY(CipherOf(request, choice));
  ByteView data = *request.data;
  ByteView tag = request.tag.value_or(ByteView());
  if (choice.tag_length != 0 && context.version() < kmip::kVersion1_4) {
    if (data.size() < choice.tag_length) {
      return Reject(ResultReason::kCryptographicFailure, "cryptographic failure");
    }
    tag = data.last(choice.tag_length);
    data = data.first(data.size() - choice.tag_length);
  }
  if (choice.tag_length != tag.size()) {
    return Reject(ResultReason::kCryptographicFailure, "cryptographic failure");
  }
  return DecryptWith(key, cipher, data, tag, context);
}

// One part of a stream: the first one begins it, the one with the Final Indicator ends it and,
// where the mode authenticates, brings the tag; nothing authenticated is given before that.
Result<kmip::DecryptResponse> RunPart(const kmip::DecryptRequest& request, const UsableKey& key,
                                      OperationContext& context) {
  const auto begin = [&]() -> Result<UnfinishedStream> {
    const kmip::CryptographicParameters parameters =
        request.parameters.value_or(kmip::CryptographicParameters()).Over(key.defaults);
    const CipherChoice choice = TRY(ChooseStreamCipher(parameters, key));
    if (choice.tag_length != 0 && context.version() < kmip::kVersion1_4) {
      return Reject(ResultReason::kFeatureNotSupported,
                    "streams of authenticated modes need a tag field, which 1.4 brought");
    }
    crypto::CipherRequest whole = TRY(CipherOf(request, choice));
    whole.key = key.bytes;
    whole.policy = context.algorithms();
    Result<crypto::CipherStream> cipher =
        crypto::CipherStream::Begin(whole, crypto::CipherStream::Direction::kDecrypt);
    if (!cipher) return CryptographicError(cipher.error());
    return UnfinishedStream{.state = std::move(*cipher)};
  };
  UnfinishedStream stream = TRY(ResumeOrBegin(request, key.object->object.id, context, begin));
  auto& cipher = std::get<crypto::CipherStream>(stream.state);
  kmip::DecryptResponse response;
  Result<WipingBytes> data = cipher.Update(request.data.value_or(ByteView()));
  if (!data) return CryptographicError(data.error());
  response.data = std::move(*data);
  if (request.final.value_or(false)) {
    Result<WipingBytes> rest = cipher.FinishDecrypt(request.tag.value_or(ByteView()));
    if (!rest) return CryptographicError(rest.error());
    Append(*response.data, *rest);
  } else {
    response.correlation = TRY(KeepStream(request, std::move(stream), context));
  }
  if (response.data->empty()) response.data.reset();
  return response;
}

}  // namespace

Result<kmip::DecryptResponse> Decrypt(const kmip::DecryptRequest& request,
                                      OperationContext& context) {
  ObjectPointer stored = TRY(context.Open(request.id, Vault::Material::kOpen));
  if (IsAsymmetric(stored->object)) return DecryptWithRsa(request, std::move(stored), context);
  const UsableKey key = TRY(AsKey(context, std::move(stored), KeyPurpose::kDecrypt));
  if (request.multi_part()) {
    TRY(CheckTakesParts(key));
    TRY(TakeUsage(context, key, request.data.value_or(ByteView()).size()));
    kmip::DecryptResponse response = TRY(RunPart(request, key, context));
    response.id = key.object->object.id;
    context.Answered(response.id);
    return response;
  }
  if (!request.data) return Reject(ResultReason::kInvalidMessage, "no Data");
  const kmip::CryptographicParameters parameters =
      request.parameters.value_or(kmip::CryptographicParameters()).Over(key.defaults);
  const auto choice = TRY(ChooseCipher(parameters, key));
  TRY(TakeUsage(context, key, request.data->size()));

  kmip::DecryptResponse response;
  if (const auto* wrap = std::get_if<crypto::KeyWrapMode>(&choice)) {
    const SecretBytes unwrapped = TRY(UnwrapWith(key, *wrap, *request.data, context));
    const ByteView bytes = unwrapped.Reveal();
    response.data.emplace(bytes.begin(), bytes.end());
  } else {
    response.data = TRY(RunCipher(request, std::get<CipherChoice>(choice), key, context));
  }
  response.id = key.object->object.id;
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

#include "engine/rsa_cipher.h"

#include <utility>

#include "crypto/rsa_encryption.h"
#include "engine/asymmetric_use.h"
#include "engine/cipher_choice.h"
#include "engine/key_computation.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::CryptographicParameters;
using kmip::PaddingMethod;
using kmip::Reject;
using kmip::ResultReason;

Result<crypto::RsaPadding> ChoosePadding(std::optional<PaddingMethod> method) {
  if (!method) {
    return Reject(ResultReason::kBadCryptographicParameters,
                  "encrypting with RSA needs a Padding Method");
  }
  switch (*method) {
    case PaddingMethod::kOAEP:
      return crypto::RsaPadding::kOaep;
    case PaddingMethod::kPKCS1V1_5:
      return crypto::RsaPadding::kPkcs1;
    case PaddingMethod::kNone:
      return crypto::RsaPadding::kNone;
    default:
      return Reject(ResultReason::kUnsupportedCryptographicParameters,
                    "RSA does not encrypt with this Padding Method");
  }
}

template <typename Request>
Result<void> CheckRequest(const Request& request) {
  if (request.multi_part()) {
    return Reject(ResultReason::kFeatureNotSupported, "RSA encrypts no messages in parts");
  }
  if (!request.data) return Reject(ResultReason::kInvalidMessage, "no Data");
  if (request.aad && !request.aad->empty()) {
    return Reject(ResultReason::kBadCryptographicParameters, "RSA takes no additional data");
  }
  return {};
}

}  // namespace

Result<crypto::RsaScheme> ChooseRsaScheme(const CryptographicParameters& parameters,
                                          const crypto::KeyFacts& key) {
  if (key.family != crypto::KeyFamily::kRsa) {
    return Reject(ResultReason::kUnsupportedCryptographicParameters,
                  "this key's algorithm does not encrypt here");
  }
  if (parameters.cryptographic_algorithm &&
      *parameters.cryptographic_algorithm != kmip::CryptographicAlgorithm::kRSA) {
    return Reject(ResultReason::kBadCryptographicParameters,
                  "the parameters are of another algorithm than the key");
  }
  crypto::RsaScheme scheme;
  scheme.padding = TRY(ChoosePadding(parameters.padding_method));
  if (scheme.padding != crypto::RsaPadding::kOaep) return scheme;
  if (parameters.mask_generator.value_or(kmip::MaskGenerator::kMGF1) !=
      kmip::MaskGenerator::kMGF1) {
    return Reject(ResultReason::kUnsupportedCryptographicParameters, "MGF1 is the mask generator");
  }
  //= kmip-1.4 3.6 Cryptographic Parameters
  //# Mask Generator Hashing Algorithm [...] if omitted defaults to SHA-1
  constexpr auto kDefault = kmip::HashingAlgorithm::kSHA_1;
  scheme.hash = TRY(ChooseHash(parameters.hashing_algorithm.value_or(kDefault)));
  scheme.mgf_hash = TRY(ChooseHash(parameters.mask_generator_hashing_algorithm.value_or(kDefault)));
  if (parameters.p_source) scheme.label = *parameters.p_source;
  return scheme;
}

bool IsAsymmetric(const kmip::ManagedObject& object) {
  return object.type == kmip::ObjectType::kPrivateKey ||
         object.type == kmip::ObjectType::kPublicKey ||
         object.type == kmip::ObjectType::kCertificate;
}

Result<kmip::EncryptResponse> EncryptWithRsa(const kmip::EncryptRequest& request,
                                             ObjectPointer stored, OperationContext& context) {
  TRY(CheckRequest(request));
  const UsablePublicKey key = TRY(AsPublicKey(context, std::move(stored), KeyPurpose::kEncrypt));
  const CryptographicParameters parameters =
      request.parameters.value_or(CryptographicParameters()).Over(key.defaults);
  const crypto::RsaScheme scheme = TRY(ChooseRsaScheme(parameters, key.facts));
  TRY(TakeUsage(context, *key.object, request.data->size()));
  Result<Bytes> sealed = crypto::RsaEncrypt(key.key, scheme, *request.data, context.algorithms());
  if (!sealed) return CryptographicError(sealed.error());
  kmip::EncryptResponse response;
  response.data = std::move(*sealed);
  response.id = key.object->object.id;
  context.Answered(response.id);
  return response;
}

Result<kmip::DecryptResponse> DecryptWithRsa(const kmip::DecryptRequest& request,
                                             ObjectPointer stored, OperationContext& context) {
  TRY(CheckRequest(request));
  const UsablePrivateKey key = TRY(AsPrivateKey(context, std::move(stored), KeyPurpose::kDecrypt));
  const CryptographicParameters parameters =
      request.parameters.value_or(CryptographicParameters()).Over(key.defaults);
  const crypto::RsaScheme scheme = TRY(ChooseRsaScheme(parameters, key.facts));
  TRY(TakeUsage(context, *key.object, request.data->size()));
  kmip::DecryptResponse response;
  response.data = TRY(DecryptRsaWith(key, scheme, *request.data, context));
  response.id = key.object->object.id;
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

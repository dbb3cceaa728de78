#pragma once

#include <optional>

#include "kmip/attributes.h"
#include "kmip/enums.h"
#include "kmip/tags.h"

namespace dare::engine {

// kmip-2.1 4: the server supplies a Cryptographic Usage Mask where it is left out. 1.x demands the
// mask of the client, but a published case of 1.4 (TC-CS-CORVAL-1) creates a key without; so the
// default holds in every version.
// What the algorithm of a key pair is for, half by half.
inline kmip::CryptographicUsageMask DefaultPairUsage(
    std::optional<kmip::CryptographicAlgorithm> algorithm, bool secret) {
  using Mask = kmip::CryptographicUsageMask;
  using Algorithm = kmip::CryptographicAlgorithm;
  switch (algorithm.value_or(Algorithm::kEC)) {
    case Algorithm::kRSA:
      return secret ? Mask::kSign | Mask::kDecrypt : Mask::kVerify | Mask::kEncrypt;
    case Algorithm::kECDH:
    case Algorithm::kECMQV:
    case Algorithm::kDH:
      return secret ? Mask::kDeriveKey | Mask::kKeyAgreement : Mask::kKeyAgreement;
    default:
      return secret ? Mask::kSign : Mask::kVerify;
  }
}

inline void SetDefaultUsage(kmip::AttributeSet& attributes, kmip::ObjectType type) {
  using Mask = kmip::CryptographicUsageMask;
  using Algorithm = kmip::CryptographicAlgorithm;
  if (attributes.Has(kmip::Tag::kCryptographicUsageMask)) return;
  Mask mask{};
  if (type == kmip::ObjectType::kSecretData) {
    mask = Mask::kDeriveKey;
  } else if (type == kmip::ObjectType::kSymmetricKey) {
    const auto algorithm = attributes.Enum<Algorithm>(kmip::Tag::kCryptographicAlgorithm);
    const bool hmac =
        algorithm &&
        ((*algorithm >= Algorithm::kHMAC_SHA1 && *algorithm <= Algorithm::kHMAC_MD5) ||
         (*algorithm >= Algorithm::kHMAC_SHA3_224 && *algorithm <= Algorithm::kHMAC_SHA3_512));
    mask = hmac ? Mask::kMACGenerate | Mask::kMACVerify : Mask::kEncrypt | Mask::kDecrypt;
  } else if (type == kmip::ObjectType::kPrivateKey || type == kmip::ObjectType::kPublicKey) {
    mask = DefaultPairUsage(attributes.Enum<Algorithm>(kmip::Tag::kCryptographicAlgorithm),
                            type == kmip::ObjectType::kPrivateKey);
  } else {
    return;  // Opaque Objects have none
  }
  attributes.Set(kmip::Attribute::OfInteger(kmip::Tag::kCryptographicUsageMask,
                                            static_cast<std::int32_t>(mask)));
}

}  // namespace dare::engine

#pragma once

#include "kmip/attributes.h"
#include "kmip/enums.h"
#include "kmip/tags.h"

namespace dare::engine {

// kmip-2.1 4: the server supplies a Cryptographic Usage Mask where it is left out. 1.x demands the
// mask of the client, but a published case of 1.4 (TC-CS-CORVAL-1) creates a key without; so the
// default holds in every version.
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
  } else {
    return;  // Opaque Objects have none
  }
  attributes.Set(kmip::Attribute::OfInteger(kmip::Tag::kCryptographicUsageMask,
                                            static_cast<std::int32_t>(mask)));
}

}  // namespace dare::engine

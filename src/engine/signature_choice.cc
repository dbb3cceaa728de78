#include "engine/signature_choice.h"

#include <optional>
#include <utility>

#include "engine/cipher_choice.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using crypto::HashAlgorithm;
using crypto::KeyFamily;
using crypto::SignaturePadding;
using kmip::DigitalSignatureAlgorithm;
using kmip::PaddingMethod;
using kmip::Reject;
using kmip::ResultReason;

Error Unsupported(std::string what) {
  return Reject(ResultReason::kUnsupportedCryptographicParameters, std::move(what));
}

// One row of kmip-2.1 11.17: which keys, which hash (absent: another field says), PSS or not.
struct Algorithm {
  KeyFamily family{};
  std::optional<HashAlgorithm> hash;
  SignaturePadding padding = SignaturePadding::kPkcs1;
};

Result<Algorithm> Known(DigitalSignatureAlgorithm algorithm) {
  switch (algorithm) {
    case DigitalSignatureAlgorithm::kMD5WithRSAEncryption:
      return Algorithm{KeyFamily::kRsa, HashAlgorithm::kMd5};
    case DigitalSignatureAlgorithm::kSHA_1WithRSAEncryption:
      return Algorithm{KeyFamily::kRsa, HashAlgorithm::kSha1};
    case DigitalSignatureAlgorithm::kSHA_224WithRSAEncryption:
      return Algorithm{KeyFamily::kRsa, HashAlgorithm::kSha224};
    case DigitalSignatureAlgorithm::kSHA_256WithRSAEncryption:
      return Algorithm{KeyFamily::kRsa, HashAlgorithm::kSha256};
    case DigitalSignatureAlgorithm::kSHA_384WithRSAEncryption:
      return Algorithm{KeyFamily::kRsa, HashAlgorithm::kSha384};
    case DigitalSignatureAlgorithm::kSHA_512WithRSAEncryption:
      return Algorithm{KeyFamily::kRsa, HashAlgorithm::kSha512};
    case DigitalSignatureAlgorithm::kRSASSA_PSS:
      return Algorithm{KeyFamily::kRsa, std::nullopt, SignaturePadding::kPss};
    case DigitalSignatureAlgorithm::kDSAWithSHA_1:
      return Algorithm{KeyFamily::kDsa, HashAlgorithm::kSha1};
    case DigitalSignatureAlgorithm::kDSAWithSHA224:
      return Algorithm{KeyFamily::kDsa, HashAlgorithm::kSha224};
    case DigitalSignatureAlgorithm::kDSAWithSHA256:
      return Algorithm{KeyFamily::kDsa, HashAlgorithm::kSha256};
    case DigitalSignatureAlgorithm::kECDSAWithSHA_1:
      return Algorithm{KeyFamily::kEc, HashAlgorithm::kSha1};
    case DigitalSignatureAlgorithm::kECDSAWithSHA224:
      return Algorithm{KeyFamily::kEc, HashAlgorithm::kSha224};
    case DigitalSignatureAlgorithm::kECDSAWithSHA256:
      return Algorithm{KeyFamily::kEc, HashAlgorithm::kSha256};
    case DigitalSignatureAlgorithm::kECDSAWithSHA384:
      return Algorithm{KeyFamily::kEc, HashAlgorithm::kSha384};
    case DigitalSignatureAlgorithm::kECDSAWithSHA512:
      return Algorithm{KeyFamily::kEc, HashAlgorithm::kSha512};
    case DigitalSignatureAlgorithm::kSHA3_256WithRSAEncryption:
      return Algorithm{KeyFamily::kRsa, HashAlgorithm::kSha3_256};
    case DigitalSignatureAlgorithm::kSHA3_384WithRSAEncryption:
      return Algorithm{KeyFamily::kRsa, HashAlgorithm::kSha3_384};
    case DigitalSignatureAlgorithm::kSHA3_512WithRSAEncryption:
      return Algorithm{KeyFamily::kRsa, HashAlgorithm::kSha3_512};
    default:
      return Unsupported("this Digital Signature Algorithm is not supported");
  }
}

Result<SignaturePadding> PaddingOf(std::optional<PaddingMethod> padding) {
  if (!padding || *padding == PaddingMethod::kNone || *padding == PaddingMethod::kPKCS1V1_5) {
    return SignaturePadding::kPkcs1;
  }
  if (*padding == PaddingMethod::kPSS) return SignaturePadding::kPss;
  return Unsupported("no signature has this Padding Method");
}

Result<void> TakePss(const kmip::CryptographicParameters& parameters,
                     crypto::SignatureScheme& scheme) {
  if (parameters.mask_generator && *parameters.mask_generator != kmip::MaskGenerator::kMGF1) {
    return Unsupported("this Mask Generator is not supported");
  }
  if (parameters.mask_generator_hashing_algorithm) {
    scheme.mgf_hash = TRY(ChooseHash(*parameters.mask_generator_hashing_algorithm));
  }
  if (parameters.salt_length) {
    if (*parameters.salt_length < 0) {
      return Reject(ResultReason::kBadCryptographicParameters, "a negative Salt Length");
    }
    scheme.salt_length = static_cast<std::size_t>(*parameters.salt_length);
  }
  // kmip-1.4 3.6: the standard trailer; RFC 8017 A.2.3 numbers it 1.
  if (parameters.trailer_field && *parameters.trailer_field != 1) {
    return Unsupported("this Trailer Field is not supported");
  }
  return {};
}

}  // namespace

Result<crypto::SignatureScheme> ChooseSignature(const kmip::CryptographicParameters& parameters,
                                                const crypto::KeyFacts& key, Signed what) {
  crypto::SignatureScheme scheme;
  scheme.hash.reset();
  if (parameters.digital_signature_algorithm) {
    const Algorithm algorithm = TRY(Known(*parameters.digital_signature_algorithm));
    if (algorithm.family != key.family) {
      return Reject(ResultReason::kBadCryptographicParameters,
                    "the Digital Signature Algorithm is not one of this key");
    }
    scheme.hash = algorithm.hash;
    scheme.padding = algorithm.padding;
  } else if (key.family == KeyFamily::kRsa) {
    scheme.padding = TRY(PaddingOf(parameters.padding_method));
  }
  if (!scheme.hash && parameters.hashing_algorithm) {
    scheme.hash = TRY(ChooseHash(*parameters.hashing_algorithm));
  }
  // Nobody said: the published cases hash data with SHA-256, and sign a digest as it is.
  const bool pss = scheme.padding == SignaturePadding::kPss;
  if (!scheme.hash && (pss || what == Signed::kData)) scheme.hash = HashAlgorithm::kSha256;
  if (pss) TRY(TakePss(parameters, scheme));
  return scheme;
}

}  // namespace dare::engine

#include "engine/cipher_choice.h"

#include "crypto/block_cipher.h"
#include "crypto/random.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::BlockCipherMode;
using kmip::CryptographicAlgorithm;
using kmip::HashingAlgorithm;
using kmip::PaddingMethod;
using kmip::Reject;
using kmip::ResultReason;

Error Unsupported(std::string what) {
  return Reject(ResultReason::kUnsupportedCryptographicParameters, std::move(what));
}

Result<crypto::CipherAlgorithm> Algorithm(CryptographicAlgorithm algorithm) {
  switch (algorithm) {
    case CryptographicAlgorithm::kAES:
      return crypto::CipherAlgorithm::kAes;
    case CryptographicAlgorithm::kDES3:
      return crypto::CipherAlgorithm::kTripleDes;
    case CryptographicAlgorithm::kCamellia:
      return crypto::CipherAlgorithm::kCamellia;
    case CryptographicAlgorithm::kARIA:
      return crypto::CipherAlgorithm::kAria;
    case CryptographicAlgorithm::kOneTimePad:
      return crypto::CipherAlgorithm::kOneTimePad;
    case CryptographicAlgorithm::kChaCha20:
      return crypto::CipherAlgorithm::kChaCha20;
    case CryptographicAlgorithm::kChaCha20Poly1305:
      return crypto::CipherAlgorithm::kChaCha20Poly1305;
    default:
      return Unsupported("this key's algorithm does not encrypt here");
  }
}

Result<crypto::CipherMode> Mode(std::optional<BlockCipherMode> mode,
                                crypto::CipherAlgorithm algorithm) {
  if (algorithm == crypto::CipherAlgorithm::kChaCha20 ||
      algorithm == crypto::CipherAlgorithm::kChaCha20Poly1305 ||
      algorithm == crypto::CipherAlgorithm::kOneTimePad) {
    return crypto::CipherMode::kNone;
  }
  if (!mode) {
    return Reject(ResultReason::kInvalidField,
                  "neither the request nor the key says which Block Cipher Mode");
  }
  switch (*mode) {
    case BlockCipherMode::kECB:
      return crypto::CipherMode::kEcb;
    case BlockCipherMode::kCBC:
      return crypto::CipherMode::kCbc;
    case BlockCipherMode::kCTR:
      return crypto::CipherMode::kCtr;
    case BlockCipherMode::kCFB:
      return crypto::CipherMode::kCfb128;
    case BlockCipherMode::kOFB:
      return crypto::CipherMode::kOfb;
    case BlockCipherMode::kXTS:
      return crypto::CipherMode::kXts;
    case BlockCipherMode::kGCM:
    case BlockCipherMode::kAEAD:
      return crypto::CipherMode::kGcm;
    case BlockCipherMode::kCCM:
      return crypto::CipherMode::kCcm;
    default:
      return Unsupported("this Block Cipher Mode is not supported");
  }
}

Result<crypto::Padding> PaddingOf(std::optional<PaddingMethod> padding, crypto::CipherMode mode) {
  if (!padding || *padding == PaddingMethod::kNone) return crypto::Padding::kNone;
  if (*padding != PaddingMethod::kPKCS5) return Unsupported("this Padding Method is not supported");
  const bool pads = mode == crypto::CipherMode::kEcb || mode == crypto::CipherMode::kCbc;
  return pads ? crypto::Padding::kPkcs5 : crypto::Padding::kNone;
}

Result<std::size_t> Length(std::optional<std::int32_t> given, std::size_t otherwise,
                           std::size_t least, std::size_t most, ResultReason reason) {
  if (!given) return otherwise;
  if (*given < 0 || static_cast<std::size_t>(*given) < least ||
      static_cast<std::size_t>(*given) > most) {
    return Reject(reason, "a length in the Cryptographic Parameters does not fit the mode");
  }
  return static_cast<std::size_t>(*given);
}

}  // namespace

Result<std::variant<CipherChoice, crypto::KeyWrapMode>> ChooseCipher(
    const kmip::CryptographicParameters& parameters, const UsableKey& key) {
  using Choice = std::variant<CipherChoice, crypto::KeyWrapMode>;
  const CryptographicAlgorithm algorithm =
      parameters.cryptographic_algorithm.value_or(key.algorithm);
  if (parameters.cryptographic_algorithm && key.algorithm != CryptographicAlgorithm{} &&
      *parameters.cryptographic_algorithm != key.algorithm) {
    return Reject(ResultReason::kInvalidField, "the Cryptographic Algorithm is not the key's");
  }
  if (algorithm == CryptographicAlgorithm::kAES && parameters.block_cipher_mode) {
    if (*parameters.block_cipher_mode == BlockCipherMode::kNISTKeyWrap) {
      return Choice(crypto::KeyWrapMode::kAesKw);
    }
    if (*parameters.block_cipher_mode == BlockCipherMode::kAESKeyWrapPadding) {
      return Choice(crypto::KeyWrapMode::kAesKwp);
    }
  }
  CipherChoice choice;
  choice.algorithm = TRY(Algorithm(algorithm));
  choice.mode = TRY(Mode(parameters.block_cipher_mode, choice.algorithm));
  choice.padding = TRY(PaddingOf(parameters.padding_method, choice.mode));
  choice.random_iv = parameters.random_iv.value_or(false);
  choice.iv_length =
      TRY(Length(parameters.iv_length, crypto::DefaultIvBytes(choice.algorithm, choice.mode), 1,
                 128, ResultReason::kBadCryptographicParameters));
  if (crypto::IsAuthenticated(choice.algorithm, choice.mode)) {
    choice.tag_length =
        TRY(Length(parameters.tag_length, 16, 4, 16, ResultReason::kGeneralFailure));
  }
  return Choice(choice);
}

Result<CipherChoice> ChooseStreamCipher(const kmip::CryptographicParameters& parameters,
                                        const UsableKey& key) {
  const auto choice = TRY(ChooseCipher(parameters, key));
  if (const auto* cipher = std::get_if<CipherChoice>(&choice)) return *cipher;
  return Unsupported("a key is wrapped whole, not in parts");
}

Result<Bytes> MakeCountedIv(const CipherChoice& choice, const StoredObject& key,
                            OperationContext& context) {
  constexpr std::size_t kLeastRandom = 12;
  if (crypto::IsAuthenticated(choice.algorithm, choice.mode)) {
    if (choice.iv_length < kLeastRandom) {
      return Reject(ResultReason::kBadCryptographicParameters,
                    "a random IV of an authenticated mode needs 12 bytes");
    }
    TRY(context.CountRandomIv(key));
  }
  Bytes iv(choice.iv_length);
  TRY(crypto::RandomBytes(iv));
  return iv;
}

Result<crypto::HashAlgorithm> ChooseHash(HashingAlgorithm algorithm) {
  switch (algorithm) {
    case HashingAlgorithm::kMD5:
      return crypto::HashAlgorithm::kMd5;
    case HashingAlgorithm::kSHA_1:
      return crypto::HashAlgorithm::kSha1;
    case HashingAlgorithm::kSHA_224:
      return crypto::HashAlgorithm::kSha224;
    case HashingAlgorithm::kSHA_256:
      return crypto::HashAlgorithm::kSha256;
    case HashingAlgorithm::kSHA_384:
      return crypto::HashAlgorithm::kSha384;
    case HashingAlgorithm::kSHA_512:
      return crypto::HashAlgorithm::kSha512;
    case HashingAlgorithm::kSHA_512_224:
      return crypto::HashAlgorithm::kSha512_224;
    case HashingAlgorithm::kSHA_512_256:
      return crypto::HashAlgorithm::kSha512_256;
    case HashingAlgorithm::kSHA3_224:
      return crypto::HashAlgorithm::kSha3_224;
    case HashingAlgorithm::kSHA3_256:
      return crypto::HashAlgorithm::kSha3_256;
    case HashingAlgorithm::kSHA3_384:
      return crypto::HashAlgorithm::kSha3_384;
    case HashingAlgorithm::kSHA3_512:
      return crypto::HashAlgorithm::kSha3_512;
    case HashingAlgorithm::kRIPEMD_160:
      return crypto::HashAlgorithm::kRipemd160;
    default:
      return Unsupported("this Hashing Algorithm is not supported");
  }
}

namespace {

std::optional<crypto::HashAlgorithm> HashOfHmac(CryptographicAlgorithm algorithm) {
  switch (algorithm) {
    case CryptographicAlgorithm::kHMAC_MD5:
      return crypto::HashAlgorithm::kMd5;
    case CryptographicAlgorithm::kHMAC_SHA1:
      return crypto::HashAlgorithm::kSha1;
    case CryptographicAlgorithm::kHMAC_SHA224:
      return crypto::HashAlgorithm::kSha224;
    case CryptographicAlgorithm::kHMAC_SHA256:
      return crypto::HashAlgorithm::kSha256;
    case CryptographicAlgorithm::kHMAC_SHA384:
      return crypto::HashAlgorithm::kSha384;
    case CryptographicAlgorithm::kHMAC_SHA512:
      return crypto::HashAlgorithm::kSha512;
    case CryptographicAlgorithm::kHMAC_SHA3_224:
      return crypto::HashAlgorithm::kSha3_224;
    case CryptographicAlgorithm::kHMAC_SHA3_256:
      return crypto::HashAlgorithm::kSha3_256;
    case CryptographicAlgorithm::kHMAC_SHA3_384:
      return crypto::HashAlgorithm::kSha3_384;
    case CryptographicAlgorithm::kHMAC_SHA3_512:
      return crypto::HashAlgorithm::kSha3_512;
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<crypto::MacAlgorithm> ChooseMac(const kmip::CryptographicParameters& parameters,
                                       const UsableKey& key) {
  const CryptographicAlgorithm algorithm =
      parameters.cryptographic_algorithm.value_or(key.algorithm);
  if (const auto hash = HashOfHmac(algorithm)) return crypto::MacAlgorithm::Hmac(*hash);
  if (parameters.block_cipher_mode == BlockCipherMode::kCMAC) {
    return crypto::MacAlgorithm::Cmac(TRY(Algorithm(algorithm)));
  }
  if (parameters.block_cipher_mode == BlockCipherMode::kCBC_MAC) {
    return crypto::MacAlgorithm::CbcMac(TRY(Algorithm(algorithm)));
  }
  if (parameters.hashing_algorithm) {
    return crypto::MacAlgorithm::Hmac(TRY(ChooseHash(*parameters.hashing_algorithm)));
  }
  return Unsupported("neither the request nor the key says which MAC");
}

Error CryptographicError(const Error& error) {
  switch (error.code) {
    case Code::kDamaged:
      return Reject(ResultReason::kCryptographicFailure, "cryptographic failure");
    case Code::kInvalidArgument:
      return Reject(ResultReason::kCryptographicFailure, error.message);
    case Code::kUnsupported:
      return Unsupported(error.message);
    default:
      return error;
  }
}

}  // namespace dare::engine

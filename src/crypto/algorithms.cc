#include "crypto/algorithms.h"

namespace dare::crypto {

std::string_view Name(CipherAlgorithm algorithm) {
  switch (algorithm) {
    case CipherAlgorithm::kAes:
      return "AES";
    case CipherAlgorithm::kTripleDes:
      return "3DES";
    case CipherAlgorithm::kCamellia:
      return "CAMELLIA";
    case CipherAlgorithm::kAria:
      return "ARIA";
    case CipherAlgorithm::kChaCha20:
      return "ChaCha20";
    case CipherAlgorithm::kChaCha20Poly1305:
      return "ChaCha20-Poly1305";
    case CipherAlgorithm::kOneTimePad:
      return "One Time Pad";
  }
  return "unknown";
}

std::string_view Name(CipherMode mode) {
  switch (mode) {
    case CipherMode::kNone:
      return "no mode";
    case CipherMode::kEcb:
      return "ECB";
    case CipherMode::kCbc:
      return "CBC";
    case CipherMode::kCtr:
      return "CTR";
    case CipherMode::kCfb128:
      return "CFB";
    case CipherMode::kOfb:
      return "OFB";
    case CipherMode::kXts:
      return "XTS";
    case CipherMode::kGcm:
      return "GCM";
    case CipherMode::kCcm:
      return "CCM";
  }
  return "unknown";
}

std::string_view Name(HashAlgorithm hash) {
  switch (hash) {
    case HashAlgorithm::kMd5:
      return "MD5";
    case HashAlgorithm::kSha1:
      return "SHA-1";
    case HashAlgorithm::kSha224:
      return "SHA-224";
    case HashAlgorithm::kSha256:
      return "SHA-256";
    case HashAlgorithm::kSha384:
      return "SHA-384";
    case HashAlgorithm::kSha512:
      return "SHA-512";
    case HashAlgorithm::kSha512_224:
      return "SHA-512/224";
    case HashAlgorithm::kSha512_256:
      return "SHA-512/256";
    case HashAlgorithm::kSha3_224:
      return "SHA3-224";
    case HashAlgorithm::kSha3_256:
      return "SHA3-256";
    case HashAlgorithm::kSha3_384:
      return "SHA3-384";
    case HashAlgorithm::kSha3_512:
      return "SHA3-512";
    case HashAlgorithm::kRipemd160:
      return "RIPEMD-160";
  }
  return "unknown";
}

std::string_view Name(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::kAes:
      return "AES";
    case KeyAlgorithm::kTripleDes:
      return "3DES";
    case KeyAlgorithm::kDes:
      return "DES";
    case KeyAlgorithm::kRc4:
      return "RC4";
    case KeyAlgorithm::kChaCha20:
      return "ChaCha20";
    case KeyAlgorithm::kChaCha20Poly1305:
      return "ChaCha20-Poly1305";
    case KeyAlgorithm::kHmac:
      return "HMAC";
    case KeyAlgorithm::kSecret:
      return "secret";
  }
  return "unknown";
}

}  // namespace dare::crypto

#include "crypto/algorithm_policy.h"

#include <string>

#include "crypto/fips_approval.h"
#include "crypto/fips_policy.h"

namespace dare::crypto {
namespace {

Error Legacy(std::string_view what) {
  return Error(Code::kDenied, std::string(what) + " is not allowed by the algorithm policy");
}

Error WrongLength(std::string_view what, std::size_t bits) {
  return Error(Code::kInvalidArgument,
               std::string(what) + " has no keys of " + std::to_string(bits) + " bits");
}

// Withdrawn, deprecated, or under 112 bits of strength (SP 800-131A rev. 2, FIPS 186-5).
bool IsLegacy(const KeyFacts& key) {
  switch (key.family) {
    case KeyFamily::kRsa:
    case KeyFamily::kDh:
      return key.bits < 2048;
    case KeyFamily::kEc:
      return key.bits < 224 || key.curve.starts_with("sect") || key.curve.starts_with("c2");
    case KeyFamily::kDsa:
      return true;
    case KeyFamily::kEd25519:
    case KeyFamily::kEd448:
    case KeyFamily::kX25519:
    case KeyFamily::kX448:
      return false;
  }
  return true;
}

bool IsAesLength(std::size_t bits) { return bits == 128 || bits == 192 || bits == 256; }

bool GoTogether(CipherAlgorithm algorithm, CipherMode mode) {
  switch (algorithm) {
    case CipherAlgorithm::kAes:
      return mode != CipherMode::kNone;
    case CipherAlgorithm::kTripleDes:
      return mode == CipherMode::kEcb || mode == CipherMode::kCbc || mode == CipherMode::kCfb128 ||
             mode == CipherMode::kOfb;
    case CipherAlgorithm::kCamellia:  // what OpenSSL 3.0 has of them
      return mode != CipherMode::kNone && mode != CipherMode::kXts && mode != CipherMode::kGcm &&
             mode != CipherMode::kCcm;
    case CipherAlgorithm::kAria:
      return mode != CipherMode::kNone && mode != CipherMode::kXts;
    case CipherAlgorithm::kChaCha20:
    case CipherAlgorithm::kChaCha20Poly1305:
    case CipherAlgorithm::kOneTimePad:
      return mode == CipherMode::kNone;
  }
  return false;
}

Result<void> CheckKeyLength(CipherAlgorithm algorithm, CipherMode mode, std::size_t bits) {
  bool right = false;
  switch (algorithm) {
    case CipherAlgorithm::kAes:
      right = mode == CipherMode::kXts ? bits == 256 || bits == 512 : IsAesLength(bits);
      break;
    case CipherAlgorithm::kTripleDes:
      right = bits == 128 || bits == 192;
      break;
    case CipherAlgorithm::kCamellia:
    case CipherAlgorithm::kAria:
      right = IsAesLength(bits);
      break;
    case CipherAlgorithm::kChaCha20:
    case CipherAlgorithm::kChaCha20Poly1305:
      right = bits == 256;
      break;
    case CipherAlgorithm::kOneTimePad:
      right = bits != 0;
      break;
  }
  if (!right) return WrongLength(Name(algorithm), bits);
  return {};
}

Result<void> CheckTag(const AlgorithmPolicy& policy, CipherAlgorithm algorithm, CipherMode mode,
                      std::size_t tag) {
  bool exists = true;
  if (mode == CipherMode::kGcm) {  // SP 800-38D 5.2.1.2
    exists = tag == 4 || tag == 8 || (tag >= 12 && tag <= 16);
  } else if (mode == CipherMode::kCcm) {  // SP 800-38C A.1
    exists = tag >= 4 && tag <= 16 && tag % 2 == 0;
  } else if (algorithm == CipherAlgorithm::kChaCha20Poly1305) {
    exists = tag >= 12 && tag <= 16;
  } else {
    return {};
  }
  if (!exists) {
    return Error(Code::kInvalidArgument,
                 "an authentication tag of " + std::to_string(tag) + " bytes is not defined");
  }
  if (tag < 12 && !policy.allow_legacy) return Legacy("an authentication tag under 96 bits");
  return {};
}

}  // namespace

Result<void> CheckCipher(const AlgorithmPolicy& policy, CipherAlgorithm algorithm, CipherMode mode,
                         std::size_t key_bytes, std::size_t tag_bytes) {
  if (!GoTogether(algorithm, mode)) {
    return Error(Code::kUnsupported, std::string(Name(algorithm)) + " with " +
                                         std::string(Name(mode)) + " is not offered");
  }
  if (ConfinedToFips()) TRY(RequireApproved(algorithm));
  if (!policy.allow_legacy) {
    switch (algorithm) {
      case CipherAlgorithm::kTripleDes:
      case CipherAlgorithm::kCamellia:
      case CipherAlgorithm::kAria:
      case CipherAlgorithm::kOneTimePad:
        return Legacy(Name(algorithm));
      case CipherAlgorithm::kAes:
      case CipherAlgorithm::kChaCha20:
      case CipherAlgorithm::kChaCha20Poly1305:
        break;
    }
    if (mode == CipherMode::kEcb) return Legacy("ECB");
  }
  TRY(CheckKeyLength(algorithm, mode, key_bytes * 8));
  return CheckTag(policy, algorithm, mode, tag_bytes);
}

Result<void> CheckHash(const AlgorithmPolicy& policy, HashAlgorithm hash) {
  if (ConfinedToFips()) TRY(RequireApproved(hash));
  const bool legacy = hash == HashAlgorithm::kMd5 || hash == HashAlgorithm::kSha1 ||
                      hash == HashAlgorithm::kRipemd160;
  if (legacy && !policy.allow_legacy) return Legacy(Name(hash));
  return {};
}

Result<void> CheckHmac(const AlgorithmPolicy& policy, HashAlgorithm hash, std::size_t key_bytes) {
  if (key_bytes == 0) return Error(Code::kInvalidArgument, "a MAC needs a key");
  if (ConfinedToFips()) TRY(RequireApproved(hash));
  if (policy.allow_legacy) return {};
  if (hash == HashAlgorithm::kMd5) return Legacy("HMAC with MD5");
  if (key_bytes * 8 < 112) return Legacy("an HMAC key under 112 bits");
  return {};
}

Result<void> CheckKey(const AlgorithmPolicy& policy, KeyAlgorithm algorithm, std::size_t bits) {
  if (ConfinedToFips()) TRY(RequireApproved(algorithm));
  bool right = false;
  bool legacy = false;
  switch (algorithm) {
    case KeyAlgorithm::kAes:
      right = IsAesLength(bits) || bits == 512;  // 512: two 256-bit keys for XTS
      break;
    case KeyAlgorithm::kTripleDes:
      right = bits == 112 || bits == 128 || bits == 168 || bits == 192;
      legacy = true;
      break;
    case KeyAlgorithm::kDes:
      right = bits == 56 || bits == 64;
      legacy = true;
      break;
    case KeyAlgorithm::kRc4:
      right = bits >= 40 && bits <= 2048 && bits % 8 == 0;
      legacy = true;
      break;
    case KeyAlgorithm::kChaCha20:
    case KeyAlgorithm::kChaCha20Poly1305:
      right = bits == 256;
      break;
    case KeyAlgorithm::kHmac:
      right = bits != 0 && bits % 8 == 0;
      legacy = bits < 112;
      break;
    case KeyAlgorithm::kSecret:
      right = bits != 0 && bits % 8 == 0;
      break;
  }
  if (legacy && !policy.allow_legacy) {
    return Legacy(std::string("a key for ") + std::string(Name(algorithm)) + " of " +
                  std::to_string(bits) + " bits");
  }
  if (!right) return WrongLength(Name(algorithm), bits);
  return {};
}

Result<void> CheckKey(const AlgorithmPolicy& policy, const KeyFacts& key) {
  if (ConfinedToFips()) TRY(RequireApproved(key));
  if (!IsLegacy(key) || policy.allow_legacy) return {};
  return Legacy("a key for " + std::string(Name(key.family)) + " of " + std::to_string(key.bits) +
                " bits" + (key.curve.empty() ? "" : " on the curve " + key.curve));
}

}  // namespace dare::crypto

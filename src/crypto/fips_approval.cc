#include "crypto/fips_approval.h"

#include <algorithm>
#include <array>
#include <string>

namespace dare::crypto {
namespace {

Error NotApproved(std::string_view what) {
  return Error(Code::kDenied, std::string(what) +
                                  " is not approved by FIPS 140-3, and the crypto "
                                  "policy is fips");
}

constexpr std::array<std::string_view, 4> kCurves = {"secp224r1", "prime256v1", "secp384r1",
                                                     "secp521r1"};

bool IsApproved(const KeyFacts& key) {
  switch (key.family) {
    case KeyFamily::kRsa:
    case KeyFamily::kDh:
    case KeyFamily::kEd25519:
    case KeyFamily::kEd448:
      return true;
    case KeyFamily::kEc:
      return std::ranges::find(kCurves, key.curve) != kCurves.end();
    case KeyFamily::kX25519:
    case KeyFamily::kX448:
    case KeyFamily::kDsa:
      return false;
  }
  return false;
}

}  // namespace

Result<void> RequireApproved(CipherAlgorithm algorithm) {
  if (algorithm == CipherAlgorithm::kAes) return {};
  return NotApproved(Name(algorithm));
}

Result<void> RequireApproved(HashAlgorithm hash) {
  if (hash != HashAlgorithm::kMd5 && hash != HashAlgorithm::kRipemd160) return {};
  return NotApproved(Name(hash));
}

Result<void> RequireApproved(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::kAes:
    case KeyAlgorithm::kHmac:
    case KeyAlgorithm::kSecret:
      return {};
    case KeyAlgorithm::kTripleDes:
    case KeyAlgorithm::kDes:
    case KeyAlgorithm::kRc4:
    case KeyAlgorithm::kChaCha20:
    case KeyAlgorithm::kChaCha20Poly1305:
      break;
  }
  return NotApproved(Name(algorithm));
}

Result<void> RequireApproved(const KeyFacts& key) {
  if (IsApproved(key)) return {};
  return NotApproved(std::string(Name(key.family)) +
                     (key.curve.empty() ? "" : " on the curve " + key.curve));
}

}  // namespace dare::crypto

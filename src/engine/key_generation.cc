#include "engine/key_generation.h"

#include <bit>
#include <optional>

#include "kmip/managed_object.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::CryptographicAlgorithm;

std::optional<crypto::KeyAlgorithm> Known(CryptographicAlgorithm algorithm) {
  switch (algorithm) {
    case CryptographicAlgorithm::kAES:
      return crypto::KeyAlgorithm::kAes;
    case CryptographicAlgorithm::kDES3:
      return crypto::KeyAlgorithm::kTripleDes;
    case CryptographicAlgorithm::kDES:
      return crypto::KeyAlgorithm::kDes;
    case CryptographicAlgorithm::kRC4:
      return crypto::KeyAlgorithm::kRc4;
    case CryptographicAlgorithm::kChaCha20:
      return crypto::KeyAlgorithm::kChaCha20;
    case CryptographicAlgorithm::kChaCha20Poly1305:
      return crypto::KeyAlgorithm::kChaCha20Poly1305;
    case CryptographicAlgorithm::kHMAC_SHA1:
    case CryptographicAlgorithm::kHMAC_SHA224:
    case CryptographicAlgorithm::kHMAC_SHA256:
    case CryptographicAlgorithm::kHMAC_SHA384:
    case CryptographicAlgorithm::kHMAC_SHA512:
    case CryptographicAlgorithm::kHMAC_MD5:
    case CryptographicAlgorithm::kHMAC_SHA3_224:
    case CryptographicAlgorithm::kHMAC_SHA3_256:
    case CryptographicAlgorithm::kHMAC_SHA3_384:
    case CryptographicAlgorithm::kHMAC_SHA3_512:
      return crypto::KeyAlgorithm::kHmac;
    default:
      return std::nullopt;
  }
}

constexpr std::int32_t kMostBits = 1 << 16;

bool IsOldCipher(CryptographicAlgorithm algorithm) {
  switch (algorithm) {
    case CryptographicAlgorithm::kBlowfish:
    case CryptographicAlgorithm::kCamellia:
    case CryptographicAlgorithm::kCAST5:
    case CryptographicAlgorithm::kIDEA:
    case CryptographicAlgorithm::kRC2:
    case CryptographicAlgorithm::kRC5:
    case CryptographicAlgorithm::kSKIPJACK:
    case CryptographicAlgorithm::kTwofish:
      return true;
    default:
      return false;
  }
}

bool IsDes(CryptographicAlgorithm algorithm) {
  return algorithm == CryptographicAlgorithm::kDES3 || algorithm == CryptographicAlgorithm::kDES;
}

}  // namespace

Result<void> CheckSymmetricKey(const crypto::AlgorithmPolicy& policy,
                               CryptographicAlgorithm algorithm, std::int32_t bits,
                               bool generated) {
  if (bits <= 0 || bits > kMostBits) {
    return Error(Code::kInvalidArgument, "not a Cryptographic Length for this algorithm");
  }
  const auto known = Known(algorithm);
  if (known) return crypto::CheckKey(policy, *known, static_cast<std::size_t>(bits));
  if (!generated) return {};
  // Ciphers that nothing here can compute (Skipjack, Blowfish, …): random bytes for old peers.
  if (policy.allow_legacy && bits % 8 == 0 && IsOldCipher(algorithm)) return {};
  return Error(Code::kInvalidArgument, "this server makes no keys of this algorithm");
}

std::size_t MaterialBytes(CryptographicAlgorithm algorithm, std::int32_t bits) {
  const auto n = static_cast<std::size_t>(bits);
  if (IsDes(algorithm) && n % 56 == 0 && n % 64 != 0) return n / 7;
  return (n + 7) / 8;
}

std::int32_t DefaultLength(CryptographicAlgorithm algorithm) {
  switch (algorithm) {
    case CryptographicAlgorithm::kDES3:
      return 168;
    case CryptographicAlgorithm::kDES:
      return 56;
    case CryptographicAlgorithm::kHMAC_SHA384:
    case CryptographicAlgorithm::kHMAC_SHA3_384:
      return 384;
    case CryptographicAlgorithm::kHMAC_SHA512:
    case CryptographicAlgorithm::kHMAC_SHA3_512:
      return 512;
    default:
      return Known(algorithm) ? 256 : 0;
  }
}

Result<SecretBytes> GenerateSymmetricKey(CryptographicAlgorithm algorithm, std::int32_t bits,
                                         const crypto::RandomSource& random) {
  SecretBytes key = TRY(random.Secret(MaterialBytes(algorithm, bits)));
  if (IsDes(algorithm)) {
    for (std::uint8_t& byte : key.RevealMutable()) {  // odd parity, FIPS 46-3
      const bool even = std::popcount(static_cast<unsigned>(byte & 0xFEu)) % 2 == 0;
      byte = static_cast<std::uint8_t>((byte & 0xFEu) | (even ? 1u : 0u));
    }
  }
  return kmip::MakeSymmetricKey(key.Reveal(), algorithm, bits);
}

bool IsQuantumSafe(CryptographicAlgorithm algorithm, std::int32_t bits) {
  const auto known = Known(algorithm);
  if (!known) return false;
  switch (*known) {
    case crypto::KeyAlgorithm::kTripleDes:
    case crypto::KeyAlgorithm::kDes:
    case crypto::KeyAlgorithm::kRc4:
      return false;
    default:
      return bits >= 256;
  }
}

}  // namespace dare::engine

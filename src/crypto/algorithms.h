#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// The names of what src/crypto can compute. They are ours and neutral: the engine translates KMIP's
// enumerations.
namespace dare::crypto {

enum class CipherAlgorithm : std::uint8_t {
  kAes,
  kTripleDes,
  kCamellia,
  kAria,
  kChaCha20,
  kChaCha20Poly1305,
  kOneTimePad,
};

// kNone is for the ChaCha20 family and the one-time pad, which have no block mode.
enum class CipherMode : std::uint8_t { kNone, kEcb, kCbc, kCtr, kCfb128, kOfb, kXts, kGcm, kCcm };

enum class Padding : std::uint8_t { kNone, kPkcs5 };

enum class HashAlgorithm : std::uint8_t {
  kMd5,
  kSha1,
  kSha224,
  kSha256,
  kSha384,
  kSha512,
  kSha512_224,
  kSha512_256,
  kSha3_224,
  kSha3_256,
  kSha3_384,
  kSha3_512,
  kRipemd160,
};
inline constexpr std::size_t kHashAlgorithms = 13;

// What a key that is made or registered is for. kSecret: bytes of no algorithm (pass phrases,
// seeds).
enum class KeyAlgorithm : std::uint8_t {
  kAes,
  kTripleDes,
  kDes,
  kRc4,
  kChaCha20,
  kChaCha20Poly1305,
  kHmac,
  kSecret,
};

// "AES", "GCM", "SHA-256", …: for messages.
std::string_view Name(CipherAlgorithm algorithm);
std::string_view Name(CipherMode mode);
std::string_view Name(HashAlgorithm hash);
std::string_view Name(KeyAlgorithm algorithm);

}  // namespace dare::crypto

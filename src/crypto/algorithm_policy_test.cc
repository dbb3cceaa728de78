#include "crypto/algorithm_policy.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace dare::crypto {
namespace {

std::string Verdict(const Result<void>& result) {
  return result ? "yes" : std::string(CodeName(result.error().code));
}

// The whole policy as a table: a change of it shows as a difference that somebody must approve.
TEST(AlgorithmPolicy, IsWhatItWasWhenLastApproved) {
  std::ostringstream table;
  for (const bool legacy : {false, true}) {
    const AlgorithmPolicy policy{legacy};
    table << (legacy ? "legacy:" : "default:") << "\n";
    for (const auto& [algorithm, key] :
         {std::pair{CipherAlgorithm::kAes, 32}, std::pair{CipherAlgorithm::kTripleDes, 24},
          std::pair{CipherAlgorithm::kCamellia, 32}, std::pair{CipherAlgorithm::kAria, 32},
          std::pair{CipherAlgorithm::kChaCha20, 32},
          std::pair{CipherAlgorithm::kChaCha20Poly1305, 32},
          std::pair{CipherAlgorithm::kOneTimePad, 32}}) {
      table << Name(algorithm);
      for (int mode = 0; mode <= static_cast<int>(CipherMode::kCcm); ++mode) {
        table << " "
              << Verdict(CheckCipher(policy, algorithm, static_cast<CipherMode>(mode), key, 16));
      }
      table << "\n";
    }
    table << "hash";
    for (std::size_t i = 0; i < kHashAlgorithms; ++i) {
      table << " " << Verdict(CheckHash(policy, static_cast<HashAlgorithm>(i)));
    }
    table << "\n";
  }
  EXPECT_EQ(table.str(),
            "default:\n"
            "AES unsupported denied yes yes yes yes yes yes yes\n"
            "3DES unsupported denied denied unsupported denied denied unsupported unsupported "
            "unsupported\n"
            "CAMELLIA unsupported denied denied denied denied denied unsupported unsupported "
            "unsupported\n"
            "ARIA unsupported denied denied denied denied denied unsupported denied denied\n"
            "ChaCha20 yes unsupported unsupported unsupported unsupported unsupported unsupported "
            "unsupported unsupported\n"
            "ChaCha20-Poly1305 yes unsupported unsupported unsupported unsupported unsupported "
            "unsupported unsupported unsupported\n"
            "One Time Pad denied unsupported unsupported unsupported unsupported unsupported "
            "unsupported unsupported unsupported\n"
            "hash denied denied yes yes yes yes yes yes yes yes yes yes denied\n"
            "legacy:\n"
            "AES unsupported yes yes yes yes yes yes yes yes\n"
            "3DES unsupported yes yes unsupported yes yes unsupported unsupported "
            "unsupported\n"
            "CAMELLIA unsupported yes yes yes yes yes unsupported unsupported "
            "unsupported\n"
            "ARIA unsupported yes yes yes yes yes unsupported yes yes\n"
            "ChaCha20 yes unsupported unsupported unsupported unsupported unsupported unsupported "
            "unsupported unsupported\n"
            "ChaCha20-Poly1305 yes unsupported unsupported unsupported unsupported unsupported "
            "unsupported unsupported unsupported\n"
            "One Time Pad yes unsupported unsupported unsupported unsupported unsupported "
            "unsupported unsupported unsupported\n"
            "hash yes yes yes yes yes yes yes yes yes yes yes yes yes\n");
}

TEST(AlgorithmPolicy, OnKeyPairsIsWhatItWasWhenLastApproved) {
  std::ostringstream table;
  for (const KeyFacts& key : std::vector<KeyFacts>{{KeyFamily::kRsa, 1024, ""},
                                                   {KeyFamily::kRsa, 2040, ""},
                                                   {KeyFamily::kRsa, 2048, ""},
                                                   {KeyFamily::kRsa, 8192, ""},
                                                   {KeyFamily::kEc, 192, "prime192v1"},
                                                   {KeyFamily::kEc, 224, "secp224r1"},
                                                   {KeyFamily::kEc, 256, "prime256v1"},
                                                   {KeyFamily::kEc, 256, "secp256k1"},
                                                   {KeyFamily::kEc, 521, "secp521r1"},
                                                   {KeyFamily::kEc, 512, "brainpoolP512r1"},
                                                   {KeyFamily::kEc, 571, "sect571k1"},
                                                   {KeyFamily::kEc, 359, "c2tnb359v1"},
                                                   {KeyFamily::kEd25519, 256, ""},
                                                   {KeyFamily::kEd448, 448, ""},
                                                   {KeyFamily::kX25519, 256, ""},
                                                   {KeyFamily::kX448, 448, ""},
                                                   {KeyFamily::kDsa, 3072, ""},
                                                   {KeyFamily::kDh, 1024, ""},
                                                   {KeyFamily::kDh, 2048, ""}}) {
    table << Name(key.family) << " " << key.bits << " " << key.curve << ": "
          << Verdict(CheckKey(AlgorithmPolicy{}, key)) << ", legacy "
          << Verdict(CheckKey(AlgorithmPolicy{true}, key)) << "\n";
  }
  EXPECT_EQ(table.str(),
            "RSA 1024 : denied, legacy yes\n"
            "RSA 2040 : denied, legacy yes\n"
            "RSA 2048 : yes, legacy yes\n"
            "RSA 8192 : yes, legacy yes\n"
            "EC 192 prime192v1: denied, legacy yes\n"
            "EC 224 secp224r1: yes, legacy yes\n"
            "EC 256 prime256v1: yes, legacy yes\n"
            "EC 256 secp256k1: yes, legacy yes\n"
            "EC 521 secp521r1: yes, legacy yes\n"
            "EC 512 brainpoolP512r1: yes, legacy yes\n"
            "EC 571 sect571k1: denied, legacy yes\n"
            "EC 359 c2tnb359v1: denied, legacy yes\n"
            "ED25519 256 : yes, legacy yes\n"
            "ED448 448 : yes, legacy yes\n"
            "X25519 256 : yes, legacy yes\n"
            "X448 448 : yes, legacy yes\n"
            "DSA 3072 : denied, legacy yes\n"
            "DH 1024 : denied, legacy yes\n"
            "DH 2048 : yes, legacy yes\n");
}

TEST(AlgorithmPolicy, JudgesKeysToBeMade) {
  const AlgorithmPolicy standard, legacy{true};
  for (const std::size_t bits : {128, 192, 256}) {
    EXPECT_TRUE(CheckKey(standard, KeyAlgorithm::kAes, bits).has_value());
  }
  // AES under 128 bits never passes.
  EXPECT_EQ(CheckKey(legacy, KeyAlgorithm::kAes, 64).error().code, Code::kInvalidArgument);
  EXPECT_EQ(CheckKey(legacy, KeyAlgorithm::kAes, 0).error().code, Code::kInvalidArgument);
  for (const KeyAlgorithm old : {KeyAlgorithm::kTripleDes, KeyAlgorithm::kRc4}) {
    EXPECT_EQ(CheckKey(standard, old, 168).error().code, Code::kDenied);
    EXPECT_TRUE(CheckKey(legacy, old, 168).has_value());
  }
  EXPECT_EQ(CheckKey(standard, KeyAlgorithm::kDes, 56).error().code, Code::kDenied);
  EXPECT_EQ(CheckKey(legacy, KeyAlgorithm::kTripleDes, 100).error().code, Code::kInvalidArgument);
  EXPECT_EQ(CheckKey(standard, KeyAlgorithm::kHmac, 104).error().code, Code::kDenied);
  EXPECT_TRUE(CheckKey(standard, KeyAlgorithm::kHmac, 112).has_value());
  EXPECT_EQ(CheckKey(standard, KeyAlgorithm::kChaCha20, 128).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(CheckKey(standard, KeyAlgorithm::kSecret, 8).has_value());
  EXPECT_EQ(CheckKey(standard, KeyAlgorithm::kSecret, 7).error().code, Code::kInvalidArgument);
}

TEST(AlgorithmPolicy, JudgesTagLengths) {
  const AlgorithmPolicy standard, legacy{true};
  const auto gcm = [](const AlgorithmPolicy& policy, std::size_t tag) {
    return CheckCipher(policy, CipherAlgorithm::kAes, CipherMode::kGcm, 32, tag);
  };
  for (const std::size_t tag : {12, 13, 14, 15, 16}) EXPECT_TRUE(gcm(standard, tag).has_value());
  for (const std::size_t tag : {4, 8}) {
    EXPECT_EQ(gcm(standard, tag).error().code, Code::kDenied);
    EXPECT_TRUE(gcm(legacy, tag).has_value());
  }
  for (const std::size_t tag : {0, 1, 5, 11, 17, 32}) {
    EXPECT_EQ(gcm(legacy, tag).error().code, Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace dare::crypto

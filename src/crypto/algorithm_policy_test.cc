#include "crypto/algorithm_policy.h"

#include <gtest/gtest.h>

#include <sstream>

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
          std::pair{CipherAlgorithm::kChaCha20, 32},
          std::pair{CipherAlgorithm::kChaCha20Poly1305, 32}}) {
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
            "3DES unsupported denied denied unsupported unsupported unsupported unsupported "
            "unsupported unsupported\n"
            "ChaCha20 yes unsupported unsupported unsupported unsupported unsupported unsupported "
            "unsupported unsupported\n"
            "ChaCha20-Poly1305 yes unsupported unsupported unsupported unsupported unsupported "
            "unsupported unsupported unsupported\n"
            "hash denied denied yes yes yes yes yes yes yes yes yes yes\n"
            "legacy:\n"
            "AES unsupported yes yes yes yes yes yes yes yes\n"
            "3DES unsupported yes yes unsupported unsupported unsupported unsupported unsupported "
            "unsupported\n"
            "ChaCha20 yes unsupported unsupported unsupported unsupported unsupported unsupported "
            "unsupported unsupported\n"
            "ChaCha20-Poly1305 yes unsupported unsupported unsupported unsupported unsupported "
            "unsupported unsupported unsupported\n"
            "hash yes yes yes yes yes yes yes yes yes yes yes yes\n");
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

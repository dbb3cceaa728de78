#include "crypto/derived_rsa_key.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"

namespace dare::crypto {
namespace {

class DerivedRsaKey : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20)); }

  static SecretBytes Seed(std::uint8_t first = 0) {
    Bytes seed(32);
    for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::uint8_t>(first + i);
    return *SecretBytes::CopyOf(seed);
  }
};

// Computed with Python's integers from docs/formats/sealed-record.md.
TEST_F(DerivedRsaKey, IsAsTheFormatSays) {
  const auto key = DeriveRsaKey(Seed(), "dare-mek-rsa-seal-1");
  ASSERT_TRUE(key) << key.error().message;
  ASSERT_EQ(key->modulus.size(), 384u);
  EXPECT_EQ(ToHex(ByteView(key->modulus).first(16)), "97d3cec2e3b180063879c7605231e65e");
  EXPECT_EQ(ToHex(Sha256(key->modulus)),
            "e56dce1872b24ab85b0c2038c5b29aa20d1eacafac4f882b9fe475126590736d");
  // A key that is checked in full: its primes, and that all of it belongs together.
  EXPECT_TRUE(PrivateKey::FromRsa(*key));
}

TEST_F(DerivedRsaKey, FollowsFromSeedAndLabel) {
  const auto modulus = [](const SecretBytes& seed, std::string_view label) {
    return DeriveRsaKey(seed, label)->modulus;
  };
  const Bytes one = modulus(Seed(), "a");
  EXPECT_EQ(modulus(Seed(), "a"), one);
  EXPECT_NE(modulus(Seed(), "b"), one);
  EXPECT_NE(modulus(Seed(1), "a"), one);
}

TEST_F(DerivedRsaKey, NeedsASeedAndALabel) {
  EXPECT_EQ(DeriveRsaKey(*SecretBytes::CopyOf(Bytes(31, 1)), "a").error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(DeriveRsaKey(Seed(), "").error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::crypto

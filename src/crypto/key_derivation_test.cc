#include "crypto/key_derivation.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "crypto/known_answers_for_test.h"

namespace dare::crypto {
namespace {

TEST(KeyDerivation, AgreesWithWycheproofOnPbkdf2) {
  const auto tests = ReadWycheproof("wycheproof/pbkdf2_hmacsha256_test.json");
  if (tests.empty()) GTEST_SKIP() << "../shared/vectors/wycheproof is absent";
  for (WycheproofTest test : tests) {
    const Bytes wanted = Hex(test["dk"]);
    const auto made =
        Pbkdf2(HashAlgorithm::kSha256, Hex(test["password"]), Hex(test["salt"]),
               static_cast<std::uint32_t>(std::stoul(test["iterationCount"])), wanted.size());
    ASSERT_TRUE(made.has_value()) << test["tcId"];
    EXPECT_EQ(ToHex(made->Reveal()), test["dk"]) << test["tcId"];
  }
}

TEST(KeyDerivation, GivesTheAnswersOfRfc6070AndRfc5869) {
  EXPECT_EQ(
      ToHex(Pbkdf2(HashAlgorithm::kSha1, AsBytes("password"), AsBytes("salt"), 4096, 20)->Reveal()),
      "4b007901b765489abead49d926f721d065a429c1");
  EXPECT_EQ(Pbkdf2(HashAlgorithm::kSha1, AsBytes("password"), AsBytes("salt"), 0, 20).error().code,
            Code::kInvalidArgument);
  // RFC 5869, A.1 and A.3
  const Bytes key(22, 0x0b);
  EXPECT_EQ(ToHex(Hkdf(HashAlgorithm::kSha256, key, Hex("000102030405060708090a0b0c"),
                       Hex("f0f1f2f3f4f5f6f7f8f9"), 42)
                      ->Reveal()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(ToHex(Hkdf(HashAlgorithm::kSha256, key, {}, {}, 42)->Reveal()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  EXPECT_EQ(Hkdf(HashAlgorithm::kSha256, key, {}, {}, 255 * 32 + 1).error().code,
            Code::kInvalidArgument);
}

TEST(KeyDerivation, Sp800_108AgreesWithPython) {
  // Computed with Python's hmac; the first also with KBKDFHMAC of pyca/cryptography.
  Bytes key(32);
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  const std::string fixed("label\0context", 13);
  const auto prf = MacAlgorithm::Hmac(HashAlgorithm::kSha256);
  EXPECT_EQ(ToHex(Kbkdf(KbkdfMode::kCounter, prf, key, {}, AsBytes(fixed), 40)->Reveal()),
            "18b8910606f09c475658fb393a63521855b7deee922916562c76d87ba4f91aa88d4d4fe95ec82226");
  EXPECT_EQ(ToHex(Kbkdf(KbkdfMode::kFeedback, prf, key, Bytes(32), AsBytes(fixed), 40)->Reveal()),
            "9f2cbe1a93c776a0420643a146822ebd47b7e7158e3b9d9895c9f8625e680f3f52cf23244a10976d");
  EXPECT_EQ(ToHex(Kbkdf(KbkdfMode::kDoublePipeline, prf, key, {}, AsBytes(fixed), 40)->Reveal()),
            "80d3e0462dfaf65bdca1b3602dd52bd373e6c927a1a184164c6b71fe08fc665b5bb5a1a7788f40db");
  EXPECT_FALSE(Kbkdf(KbkdfMode::kCounter, prf, {}, {}, AsBytes(fixed), 40).has_value());
}

TEST(KeyDerivation, AwsGivesTheSigningKeyOfItsDocuments) {
  EXPECT_EQ(ToHex(AwsSigningKey(AsBytes("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                                AsBytes("20120215"), AsBytes("us-east-1"), AsBytes("iam"))
                      ->Reveal()),
            "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
}

TEST(KeyDerivation, X25519GivesTheAnswerOfRfc7748) {
  // RFC 7748, section 6.1
  const auto bob = PrivateKey::FromOctets(
      KeyFamily::kX25519, Hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  const auto alice = PublicKey::FromOctets(
      KeyFamily::kX25519, Hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
  ASSERT_TRUE(bob.has_value() && alice.has_value());
  EXPECT_EQ(ToHex(Agree(*bob, *alice)->Reveal()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

// Both sides find the same secret; keys of different kinds find none.
TEST(KeyDerivation, BothSidesAgree) {
  const std::vector<KeySpecification> kinds = {{KeyFamily::kEc, 0, "prime256v1", 0},
                                               {KeyFamily::kEc, 0, "secp256k1", 0},
                                               {KeyFamily::kX25519, 0, "", 0},
                                               {KeyFamily::kX448, 0, "", 0},
                                               {KeyFamily::kDh, 2048, "", 0}};
  std::vector<PublicKey> seen;
  for (const KeySpecification& kind : kinds) {
    const auto a = PrivateKey::Generate(kind), b = PrivateKey::Generate(kind);
    const auto ab = Agree(*a, *b->Public()), ba = Agree(*b, *a->Public());
    ASSERT_TRUE(ab.has_value() && ba.has_value()) << ab.error().message;
    EXPECT_TRUE(*ab == *ba);
    EXPECT_EQ(ab->size(), kind.family == KeyFamily::kDh     ? 256u
                          : kind.family == KeyFamily::kX448 ? 56u
                                                            : 32u);
    for (const PublicKey& other : seen) {
      EXPECT_EQ(Agree(*a, other).error().code, Code::kInvalidArgument);
    }
    seen.push_back(*a->Public());
  }
}

}  // namespace
}  // namespace dare::crypto

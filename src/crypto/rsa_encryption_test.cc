#include "crypto/rsa_encryption.h"

#include <gtest/gtest.h>

#include <utility>

#include "crypto/known_answers_for_test.h"

namespace dare::crypto {
namespace {

class RsaEncryption : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20)); }

  static const PrivateKey& Key() {
    static const PrivateKey key =
        *PrivateKey::Generate({.family = KeyFamily::kRsa, .bits = 2048, .curve = "", .q_bits = 0});
    return key;
  }
};

std::optional<HashAlgorithm> HashNamed(const std::string& name) {
  for (std::size_t i = 0; i < kHashAlgorithms; ++i) {
    const auto hash = static_cast<HashAlgorithm>(i);
    if (Name(hash) == name || (name == "SHA-1" && hash == HashAlgorithm::kSha1)) return hash;
  }
  return std::nullopt;
}

// Wycheproof: RSAES-OAEP decryption with labels, bent padding and edge cases.
TEST_F(RsaEncryption, AgreesWithWycheproofOnOaep) {
  std::size_t done = 0;
  std::string last;
  for (const char* file :
       {"2048_sha1_mgf1sha1", "2048_sha256_mgf1sha256", "2048_sha384_mgf1sha384",
        "3072_sha256_mgf1sha1", "3072_sha256_mgf1sha256", "4096_sha256_mgf1sha256"}) {
    for (const WycheproofTest& test :
         ReadWycheproof(std::string("wycheproof/rsa_oaep_") + file + "_test.json")) {
      SCOPED_TRACE(std::string(file) + " " + test.at("tcId"));
      const auto key = PrivateKey::Parse(PrivateKeyFormat::kPkcs8, Hex(test.at("privateKeyPkcs8")));
      ASSERT_TRUE(key) << key.error().message;
      RsaScheme scheme;
      scheme.hash = HashNamed(test.at("sha")).value();
      scheme.mgf_hash = HashNamed(test.at("mgfSha")).value();
      const Bytes label = Hex(test.at("label"));
      scheme.label = label;
      const auto plain = RsaDecrypt(*key, scheme, Hex(test.at("ct")));
      ++done;
      if (test.at("result") == "invalid") {
        ASSERT_FALSE(plain);
        EXPECT_EQ(plain.error().code, Code::kDamaged);
        continue;
      }
      ASSERT_TRUE(plain) << plain.error().message;
      EXPECT_EQ(ToHex(*plain), test.at("msg"));
      const auto again = RsaEncrypt(*key->Public(), scheme, *plain);
      ASSERT_TRUE(again) << again.error().message;
      EXPECT_EQ(ToHex(*RsaDecrypt(*key, scheme, *again)), test.at("msg"));
    }
  }
  if (done == 0) GTEST_SKIP() << "no ../shared/vectors/wycheproof here";
  EXPECT_GT(done, 150u);
}

TEST_F(RsaEncryption, RefusesWhatDoesNotFit) {
  const PublicKey half = *Key().Public();
  const RsaScheme scheme;
  EXPECT_EQ(MostPlainBytes(half.facts(), scheme), 190u);
  EXPECT_TRUE(RsaEncrypt(half, scheme, Bytes(190)));
  EXPECT_TRUE(RsaEncrypt(half, scheme, {}));
  EXPECT_EQ(RsaEncrypt(half, scheme, Bytes(191)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(RsaDecrypt(Key(), scheme, Bytes(255)).error().code, Code::kDamaged);
  EXPECT_EQ(RsaDecrypt(Key(), scheme, Bytes(257)).error().code, Code::kDamaged);
}

TEST_F(RsaEncryption, EverythingWrongIsOneError) {
  const RsaScheme scheme;
  const Bytes text = {1, 2, 3};
  const Bytes sealed = *RsaEncrypt(*Key().Public(), scheme, text);
  Bytes bent = sealed;
  bent[100] ^= 1;
  RsaScheme other_label = scheme;
  other_label.label = text;
  RsaScheme other_hash = scheme;
  other_hash.mgf_hash = HashAlgorithm::kSha384;
  for (const auto& plain :
       {RsaDecrypt(Key(), scheme, bent), RsaDecrypt(Key(), other_label, sealed),
        RsaDecrypt(Key(), other_hash, sealed), RsaDecrypt(Key(), scheme, Bytes(256, 0xff))}) {
    ASSERT_FALSE(plain);
    EXPECT_EQ(plain.error().code, Code::kDamaged);
    EXPECT_EQ(plain.error().message, "decryption failed");
  }
}

TEST_F(RsaEncryption, OldSchemesNeedTheLegacyPolicy) {
  const PublicKey half = *Key().Public();
  RsaScheme pkcs1;
  pkcs1.padding = RsaPadding::kPkcs1;
  RsaScheme bare;
  bare.padding = RsaPadding::kNone;
  EXPECT_EQ(RsaEncrypt(half, pkcs1, Bytes(3)).error().code, Code::kDenied);
  EXPECT_EQ(RsaDecrypt(Key(), pkcs1, Bytes(256)).error().code, Code::kDenied);
  EXPECT_EQ(RsaEncrypt(half, bare, Bytes(256)).error().code, Code::kDenied);
  RsaScheme md5;
  md5.hash = HashAlgorithm::kMd5;
  EXPECT_EQ(RsaEncrypt(half, md5, Bytes(3)).error().code, Code::kDenied);
  const AlgorithmPolicy legacy{true};
  const Bytes sealed = *RsaEncrypt(half, pkcs1, Bytes{7, 8}, legacy);
  EXPECT_EQ(ToHex(*RsaDecrypt(Key(), pkcs1, sealed, legacy)), "0708");
  const Bytes whole = *RsaEncrypt(half, bare, Bytes(256, 1), legacy);
  EXPECT_EQ(RsaDecrypt(Key(), bare, whole, legacy)->front(), 1);
  EXPECT_FALSE(RsaEncrypt(half, bare, Bytes(255, 1), legacy)) << "exactly the modulus";
}

TEST_F(RsaEncryption, OtherKeysDoNotEncrypt) {
  const PrivateKey ec = *PrivateKey::Generate(
      {.family = KeyFamily::kEc, .bits = 0, .curve = "prime256v1", .q_bits = 0});
  EXPECT_EQ(RsaEncrypt(*ec.Public(), RsaScheme{}, Bytes(3)).error().code, Code::kUnsupported);
  EXPECT_EQ(RsaDecrypt(ec, RsaScheme{}, Bytes(64)).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace dare::crypto

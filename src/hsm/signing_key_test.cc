#include "hsm/signing_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

#include "crypto/digest.h"
#include "hsm/softhsm_for_test.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

using testing::HasSubstr;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

bool Verifies(const Bytes& spki, ByteView digest, const Bytes& signature) {
  const std::uint8_t* at = spki.data();
  const std::unique_ptr<EVP_PKEY, Free> key(
      d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  EXPECT_NE(key, nullptr);
  const std::unique_ptr<EVP_PKEY_CTX, Free> context(EVP_PKEY_CTX_new(key.get(), nullptr));
  EXPECT_EQ(EVP_PKEY_verify_init(context.get()), 1);
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                         digest.size()) == 1;
}

// RSASSA-PKCS1-v1_5 with SHA-256.
bool VerifiesRsa(const Bytes& spki, ByteView digest, const Bytes& signature) {
  const std::uint8_t* at = spki.data();
  const std::unique_ptr<EVP_PKEY, Free> key(
      d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  const std::unique_ptr<EVP_PKEY_CTX, Free> context(EVP_PKEY_CTX_new(key.get(), nullptr));
  EXPECT_EQ(EVP_PKEY_verify_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()), 1);
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                         digest.size()) == 1;
}

class SigningKeyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!SoftHsmForTest::Available()) GTEST_SKIP() << "SoftHSM2 is not installed";
    pool_ = SoftHsmForTest::Get().Pool();
  }
  std::shared_ptr<SessionPool> pool_;
};

TEST_F(SigningKeyTest, SignsWhatOpenSslVerifies) {
  const auto key = SigningKey::Create(pool_, "audit");
  ASSERT_TRUE(key.has_value()) << key.error().message;
  EXPECT_EQ((*key)->PublicKeyDer().size(), 91u);
  for (int i = 0; i < 200; ++i) {  // enough to meet numbers with a leading zero or a set top bit
    const crypto::Sha256Digest digest = crypto::Sha256(AsBytes(std::to_string(i)));
    const auto signature = (*key)->Sign(digest);
    ASSERT_TRUE(signature.has_value()) << signature.error().message;
    EXPECT_TRUE(Verifies((*key)->PublicKeyDer(), digest, *signature));
  }
  const crypto::Sha256Digest one = crypto::Sha256(AsBytes("1")), two = crypto::Sha256(AsBytes("2"));
  EXPECT_FALSE(Verifies((*key)->PublicKeyDer(), two, *(*key)->Sign(one)));
}

TEST_F(SigningKeyTest, OfRsaSignsWhatOpenSslVerifiesAndIsFoundOnlyAsSuch) {
  const auto key = SigningKey::Create(pool_, "rsa", SigningKeyKind::kRsa2048);
  ASSERT_TRUE(key.has_value()) << key.error().message;
  const crypto::Sha256Digest one = crypto::Sha256(AsBytes("1")), two = crypto::Sha256(AsBytes("2"));
  const auto signature = (*key)->Sign(one);
  ASSERT_TRUE(signature.has_value()) << signature.error().message;
  EXPECT_TRUE(VerifiesRsa((*key)->PublicKeyDer(), one, *signature));
  EXPECT_FALSE(VerifiesRsa((*key)->PublicKeyDer(), two, *signature));
  EXPECT_EQ(SigningKey::Find(pool_, "rsa", SigningKeyKind::kP256).error().code, Code::kDenied);
  EXPECT_EQ((*SigningKey::Find(pool_, "rsa"))->PublicKeyDer(), (*key)->PublicKeyDer());
  EXPECT_EQ((*SigningKey::Find(pool_, "rsa", SigningKeyKind::kRsa2048))->PublicKeyDer(),
            (*key)->PublicKeyDer());
  ASSERT_TRUE(SigningKey::Create(pool_, "p256"));
  EXPECT_EQ(SigningKey::Find(pool_, "p256", SigningKeyKind::kRsa2048).error().code, Code::kDenied);
}

TEST_F(SigningKeyTest, IsFoundAgainAndNotMadeTwice) {
  const auto made = *SigningKey::Create(pool_, "ca");
  const auto found = *SigningKey::Find(pool_, "ca");
  EXPECT_EQ(found->PublicKeyDer(), made->PublicKeyDer());
  EXPECT_EQ(SigningKey::Create(pool_, "ca").error().code, Code::kAlreadyExists);
  EXPECT_EQ(SigningKey::Find(pool_, "none").error().code, Code::kNotFound);
  EXPECT_NE((*SigningKey::Create(pool_, "ca 2"))->PublicKeyDer(), made->PublicKeyDer());
}

TEST_F(SigningKeyTest, SignsDigestsOfSha256Only) {
  const auto key = *SigningKey::Create(pool_, "digests");
  EXPECT_EQ(key->Sign(Bytes(31)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(key->Sign(Bytes(64)).error().code, Code::kInvalidArgument);
}

TEST_F(SigningKeyTest, ComesBackAfterItsSessionsWereClosed) {
  const auto key = *SigningKey::Create(pool_, "lasting");
  const crypto::Sha256Digest digest = crypto::Sha256(AsBytes("x"));
  ASSERT_EQ(pool_->module().functions().C_CloseAllSessions(pool_->token().slot), CKR_OK);
  const auto signature = key->Sign(digest);
  ASSERT_TRUE(signature.has_value()) << signature.error().message;
  EXPECT_TRUE(Verifies(key->PublicKeyDer(), digest, *signature));
}

TEST_F(SigningKeyTest, IsRefusedWhenItCouldBeTakenOut) {
  const std::uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  Template open_half, secret_half;
  open_half.Data(CKA_EC_PARAMS, p256).Bool(CKA_TOKEN, true).Data(CKA_LABEL, AsBytes("loose"));
  secret_half.Bool(CKA_TOKEN, true).Bool(CKA_PRIVATE, true).Bool(CKA_SENSITIVE, true);
  secret_half.Bool(CKA_EXTRACTABLE, true).Bool(CKA_SIGN, true).Data(CKA_LABEL, AsBytes("loose"));
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE open_key = 0, secret_key = 0;
  {
    const SessionLease lease = *pool_->OpenReadWrite();
    ASSERT_EQ(lease.functions().C_GenerateKeyPair(lease.session(), &mechanism, open_half.data(),
                                                  open_half.size(), secret_half.data(),
                                                  secret_half.size(), &open_key, &secret_key),
              CKR_OK);
  }
  const auto key = SigningKey::Find(pool_, "loose");
  ASSERT_FALSE(key.has_value());
  EXPECT_EQ(key.error().code, Code::kDenied);
  EXPECT_THAT(key.error().message, HasSubstr("CKA_EXTRACTABLE"));
}

}  // namespace
}  // namespace dare::hsm

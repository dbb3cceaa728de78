// Private keys of RSA that are nearly the halves of a master key, in every token.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "crypto/derived_rsa_key.h"
#include "hsm/master_key.h"
#include "hsm/token_for_test.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

using testing::HasSubstr;

class RsaHalves : public testing::TestWithParam<TokenKind> {
 protected:
  void SetUp() override {
    TokenForTest* const token = TokenForTest::Get(GetParam());
    if (token == nullptr) GTEST_SKIP() << TokenForTest::WhyNot(GetParam());
    pool_ = token->Pool();
  }

  // Makes a private key of RSA that is as a half of a master key with the one `right`, but for
  // `different`, which is turned around; the number of the failure.
  CK_RV MakeHalf(const std::string& label, const Bytes& id, CK_ATTRIBUTE_TYPE right,
                 const std::vector<CK_ATTRIBUTE_TYPE>& different) {
    std::map<CK_ATTRIBUTE_TYPE, bool> flags{{CKA_TOKEN, true},       {CKA_PRIVATE, true},
                                            {CKA_SENSITIVE, true},   {CKA_DECRYPT, false},
                                            {CKA_UNWRAP, false},     {CKA_SIGN, false},
                                            {CKA_DERIVE, false},     {CKA_SIGN_RECOVER, false},
                                            {CKA_MODIFIABLE, false}, {CKA_EXTRACTABLE, false}};
    flags[right] = true;
    for (const CK_ATTRIBUTE_TYPE type : different) flags[type] = !flags[type];
    const CK_ULONG bits = 2048;
    const Bytes exponent{1, 0, 1};
    Template open, secret;
    open.Number(CKA_MODULUS_BITS, bits).Data(CKA_PUBLIC_EXPONENT, exponent).Bool(CKA_TOKEN, false);
    secret.Data(CKA_LABEL, AsBytes(label)).Data(CKA_ID, id);
    for (const auto& [flag, value] : flags) secret.Bool(flag, value);
    CK_MECHANISM mechanism{CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
    CK_OBJECT_HANDLE open_key = 0, secret_key = 0;
    const SessionLease lease = *pool_->OpenReadWrite();
    return lease.functions().C_GenerateKeyPair(lease.session(), &mechanism, open.data(),
                                               open.size(), secret.data(), secret.size(), &open_key,
                                               &secret_key);
  }

  std::shared_ptr<SessionPool> pool_;
};

INSTANTIATE_TEST_SUITE_P(All, RsaHalves,
                         testing::Values(TokenKind::kSoftHsm, TokenKind::kNss,
                                         TokenKind::kOpenCryptoki),
                         [](const auto& test) { return std::string(NameOf(test.param)); });

// Whatever a token lets pass when a key is made, the judge does not.
TEST_P(RsaHalves, NoWeakerOneIsGoodEnough) {
  const std::pair<CK_ATTRIBUTE_TYPE, const char*> weaker[] = {
      {CKA_EXTRACTABLE, "CKA_EXTRACTABLE"}, {CKA_SENSITIVE, "CKA_SENSITIVE"},
      {CKA_UNWRAP, "CKA_UNWRAP"},           {CKA_SIGN, "CKA_SIGN"},
      {CKA_DERIVE, "CKA_DERIVE"},           {CKA_MODIFIABLE, "CKA_MODIFIABLE"},
      {CKA_DECRYPT, "CKA_DECRYPT"},         {CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER"},
  };
  const Bytes id(8, 9);
  std::size_t judged = 0;
  for (const auto& [type, name] : weaker) {
    SCOPED_TRACE(name);
    const std::string label = std::string("weak half ") + name;
    if (MakeHalf(label, id, CKA_DECRYPT, {type}) != CKR_OK) continue;
    Bytes second = id;
    second.push_back(3);
    ASSERT_EQ(MakeHalf(label, second, CKA_SIGN, {}), CKR_OK);
    const auto key = MasterKey::Find(pool_, label, {}, KeyOrigins::kAlsoCeremony);
    if (key && (type == CKA_SENSITIVE || type == CKA_DERIVE || type == CKA_SIGN_RECOVER)) {
      continue;  // the token made it stronger than it was told
    }
    ++judged;
    ASSERT_FALSE(key) << "a weaker key passed";
    EXPECT_EQ(key.error().code, Code::kDenied);
    EXPECT_THAT(key.error().message, HasSubstr(name));
  }
  EXPECT_GE(judged, 5u);
}

TEST_P(RsaHalves, OneAloneIsNoKey) {
  ASSERT_EQ(MakeHalf("half", Bytes(8, 9), CKA_DECRYPT, {}), CKR_OK);
  EXPECT_EQ(MasterKey::Find(pool_, "half").error().code, Code::kNotFound);
  EXPECT_TRUE(MasterKey::Remove(*pool_, "half", Bytes(8, 9)));
}

// Two that somebody knows, with everything in their templates that a token may believe.
TEST_P(RsaHalves, TwoFromOutsideAreNotOfTheToken) {
  const auto numbers =
      crypto::DeriveRsaKey(*SecretBytes::CopyOf(Bytes(32, 5)), "known to somebody");
  ASSERT_TRUE(numbers) << numbers.error().message;
  const auto put = [&](const std::string& label, const Bytes& id, CK_ATTRIBUTE_TYPE right,
                       const std::vector<CK_ATTRIBUTE_TYPE>& claims) {
    const CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    const CK_KEY_TYPE type = CKK_RSA;
    Template wanted;
    wanted.Number(CKA_CLASS, object_class).Number(CKA_KEY_TYPE, type);
    wanted.Data(CKA_LABEL, AsBytes(label)).Data(CKA_ID, id);
    wanted.Data(CKA_MODULUS, numbers->modulus);
    wanted.Data(CKA_PUBLIC_EXPONENT, numbers->public_exponent);
    wanted.Data(CKA_PRIVATE_EXPONENT, numbers->private_exponent.Reveal());
    wanted.Data(CKA_PRIME_1, numbers->p.Reveal()).Data(CKA_PRIME_2, numbers->q.Reveal());
    wanted.Data(CKA_EXPONENT_1, numbers->exponent_p.Reveal());
    wanted.Data(CKA_EXPONENT_2, numbers->exponent_q.Reveal());
    wanted.Data(CKA_COEFFICIENT, numbers->coefficient.Reveal());
    for (const CK_ATTRIBUTE_TYPE yes : {CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, right}) {
      wanted.Bool(yes, true);
    }
    const auto other = right == CKA_SIGN ? CKA_DECRYPT : CKA_SIGN;
    for (const CK_ATTRIBUTE_TYPE no :
         {CKA_EXTRACTABLE, CKA_UNWRAP, CKA_SIGN_RECOVER, CKA_DERIVE, CKA_MODIFIABLE, other}) {
      wanted.Bool(no, false);
    }
    for (const CK_ATTRIBUTE_TYPE claim : claims) wanted.Bool(claim, true);
    const SessionLease lease = *pool_->OpenReadWrite();
    CK_OBJECT_HANDLE key = 0;
    return lease.functions().C_CreateObject(lease.session(), wanted.data(), wanted.size(), &key);
  };
  const CK_ATTRIBUTE_TYPE all[] = {CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE};
  for (unsigned claimed = 0; claimed < 8; ++claimed) {
    const std::string label = "pair claims " + std::to_string(claimed);
    std::vector<CK_ATTRIBUTE_TYPE> claims;
    for (unsigned i = 0; i < 3; ++i) {
      if ((claimed >> i & 1) != 0) claims.push_back(all[i]);
    }
    const Bytes id(8, static_cast<std::uint8_t>(0x10 + claimed));
    Bytes second = id;
    second.push_back(3);
    // The token itself may not believe it; and NSS keeps one private key of a modulus.
    if (put(label, second, CKA_SIGN, claims) != CKR_OK) continue;
    if (put(label, id, CKA_DECRYPT, claims) != CKR_OK) continue;
    EXPECT_FALSE(MasterKey::Find(pool_, label))
        << "a pair from outside passed for one made in the token, claims " << claimed;
  }
}

}  // namespace
}  // namespace dare::hsm

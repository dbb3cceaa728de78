#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <thread>

#include "crypto/aead.h"
#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/hkdf.h"
#include "crypto/mac.h"
#include "crypto/signature.h"
#include "hsm/master_key.h"
#include "hsm/sealed_record.h"
#include "hsm/signing_key.h"
#include "hsm/token_for_test.h"
#include "hsm/token_objects.h"
#include "hsm/token_profile.h"
#include "hsm/token_quirks.h"
#include "hsm/token_sealer.h"

namespace dare::hsm {
namespace {

using testing::HasSubstr;

class OverAToken : public testing::Test {
 protected:
  // Sets mechanism_ to the best one, unless one is `forced`.
  void Take(TokenKind kind, std::optional<SealingMechanism> forced = std::nullopt) {
    token_ = TokenForTest::Get(kind);
    if (token_ == nullptr) GTEST_SKIP() << TokenForTest::WhyNot(kind);
    pool_ = token_->Pool();
    const auto chosen = ChooseMechanism(*pool_);
    ASSERT_TRUE(chosen) << chosen.error().message;
    mechanism_ = forced.value_or(*chosen);
  }
  // In one token there are keys of several mechanisms.
  std::string Label(const std::string& name) const {
    return name + " " + std::to_string(static_cast<int>(mechanism_));
  }
  std::shared_ptr<MasterKey> Make(const std::string& name) {
    auto key = MasterKey::Create(pool_, Label(name), mechanism_);
    if (!key) ADD_FAILURE() << key.error().message;
    return key.value_or(nullptr);
  }
  std::unique_ptr<Sealer> SealerOf(std::shared_ptr<MasterKey> key) {
    if (key == nullptr) return nullptr;
    auto sealer = OpenTokenSealer(std::move(key));
    if (!sealer) ADD_FAILURE() << sealer.error().message;
    return sealer ? *std::move(sealer) : nullptr;
  }
  const ByteView aad_ = AsBytes("object 1, version 1");
  TokenForTest* token_ = nullptr;
  std::shared_ptr<SessionPool> pool_;
  SealingMechanism mechanism_ = SealingMechanism::kAesGcm;
};

// What a token must do to hold a master key, whoever made it.
class TokenConformance : public OverAToken, public testing::WithParamInterface<TokenKind> {
 protected:
  void SetUp() override { Take(GetParam()); }
  // Makes an AES key that is as a master key but for `different`; the number of the failure.
  CK_RV MakeWeaker(const std::string& label, const std::map<CK_ATTRIBUTE_TYPE, bool>& different) {
    std::map<CK_ATTRIBUTE_TYPE, bool> flags{
        {CKA_TOKEN, true},   {CKA_PRIVATE, true}, {CKA_SENSITIVE, true}, {CKA_EXTRACTABLE, false},
        {CKA_ENCRYPT, true}, {CKA_DECRYPT, true}, {CKA_WRAP, false},     {CKA_UNWRAP, false},
        {CKA_SIGN, false},   {CKA_VERIFY, false}, {CKA_DERIVE, false},   {CKA_MODIFIABLE, false}};
    for (const auto& [type, value] : different) flags[type] = value;
    const CK_ULONG bytes = 32;
    const Bytes id(8, 9);
    Template wanted;
    wanted.Number(CKA_VALUE_LEN, bytes).Data(CKA_LABEL, AsBytes(label)).Data(CKA_ID, id);
    for (const auto& [flag, value] : flags) wanted.Bool(flag, value);
    CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
    CK_OBJECT_HANDLE key = 0;
    const SessionLease lease = *pool_->OpenReadWrite();
    return lease.functions().C_GenerateKey(lease.session(), &mechanism, wanted.data(),
                                           wanted.size(), &key);
  }

  // NSS makes every secret key in its database sensitive and private, whatever the template says.
  // Then it must be so: no value, and nothing to be found by somebody who is not logged in.
  bool IsStrongerThanItWasMade(const std::string& label, CK_ATTRIBUTE_TYPE type) {
    const SessionLease lease = *pool_->Borrow();
    const ObjectHandle key = *FindOne(lease, CKO_SECRET_KEY, label, "key");
    if (!*ReadBool(lease, key, type)) return false;
    if (type == CKA_SENSITIVE) return !ReadBytes(lease, key, CKA_VALUE);
    const CK_FUNCTION_LIST& p11 = lease.functions();
    EXPECT_EQ(p11.C_Logout(lease.session()), CKR_OK);
    const bool hidden =
        FindOne(lease, CKO_SECRET_KEY, label, "key").error().code == Code::kNotFound;
    std::string pin = TokenForTest::kUserPin;
    EXPECT_EQ(p11.C_Login(lease.session(), CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()),
                          pin.size()),
              CKR_OK);
    return hidden;
  }
};

INSTANTIATE_TEST_SUITE_P(All, TokenConformance,
                         testing::Values(TokenKind::kSoftHsm, TokenKind::kNss,
                                         TokenKind::kOpenCryptoki),
                         [](const auto& test) { return std::string(NameOf(test.param)); });

// What a master key must do, in every token by its best mechanism, and by RSA as if the token knew
// nothing else.
struct Way {
  TokenKind kind;
  bool rsa;
};
class SealingConformance : public OverAToken, public testing::WithParamInterface<Way> {
 protected:
  void SetUp() override {
    const auto rsa = std::optional(SealingMechanism::kRsaOaep);
    Take(GetParam().kind, GetParam().rsa ? rsa : std::nullopt);
  }
};

INSTANTIATE_TEST_SUITE_P(
    All, SealingConformance,
    testing::Values(Way{TokenKind::kSoftHsm, false}, Way{TokenKind::kNss, false},
                    Way{TokenKind::kOpenCryptoki, false}, Way{TokenKind::kSoftHsm, true},
                    Way{TokenKind::kNss, true}, Way{TokenKind::kOpenCryptoki, true}),
    [](const auto& test) {
      return std::string(NameOf(test.param.kind)) + (test.param.rsa ? "ByRsa" : "");
    });

TEST_P(TokenConformance, IsFoundOutByUse) {
  const auto profile = ProfileToken(*pool_);
  ASSERT_TRUE(profile) << profile.error().message;
  std::string all;
  for (const AbilityFound& found : profile->abilities) {
    all += std::string(NameOf(found.ability)) + ": " + (found.works ? "yes" : found.detail) + "\n";
  }
  SCOPED_TRACE(all);
  const bool cryptoki = GetParam() == TokenKind::kOpenCryptoki;
  const bool nss = GetParam() == TokenKind::kNss;
  EXPECT_EQ(profile->Can(Ability::kAesGcm), !cryptoki);
  EXPECT_TRUE(profile->Can(Ability::kAesCbcPad));
  EXPECT_TRUE(profile->Can(Ability::kHmacSha256));
  EXPECT_TRUE(profile->Can(Ability::kImportKey));
  EXPECT_TRUE(profile->Can(Ability::kRsaOaepSha1));
  EXPECT_EQ(profile->Can(Ability::kRsaOaepSha256), GetParam() != TokenKind::kSoftHsm);
  EXPECT_EQ(profile->Can(Ability::kAesKeyWrap), !cryptoki);
  EXPECT_TRUE(profile->Can(Ability::kHidesKeys));
  EXPECT_EQ(profile->Can(Ability::kKeepsKeys), !nss);
  EXPECT_EQ(BestMechanism(*profile),
            cryptoki ? SealingMechanism::kAesCbcHmac : SealingMechanism::kAesGcm);
  EXPECT_EQ(BestMechanism(*profile), mechanism_);
}

TEST_P(TokenConformance, IsLeftAsItWasByTheTrial) {
  const auto count = [&]() -> std::size_t {
    const SessionLease lease = *pool_->Borrow();
    return FindObjects(lease, Template(), 1000)->size();
  };
  const std::size_t before = count();
  ASSERT_TRUE(ProfileToken(*pool_));
  EXPECT_EQ(count(), before);
}

TEST_P(TokenConformance, HasItsQuirksInTheTable) {
  const TokenInfo token = pool_->token();
  SCOPED_TRACE(token.manufacturer + " / " + token.model + " / " + token.firmware);
  EXPECT_EQ(HasQuirk(token, Quirk::kGeneralErrorForWrongTag), GetParam() == TokenKind::kSoftHsm);
  EXPECT_EQ(HasQuirk(token, Quirk::kWrapsUnextractableKeys), GetParam() == TokenKind::kNss);
  EXPECT_EQ(HasQuirk(token, Quirk::kKnowsNoLateAttributes), GetParam() == TokenKind::kOpenCryptoki);
}

TEST_P(SealingConformance, FindsItsMasterKeyAgain) {
  const auto made = Make("again");
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->info().origin, KeyOrigin::kToken);
  EXPECT_EQ(made->info().mechanism, mechanism_);
  EXPECT_EQ(made->info().check_value.size(), 3u);
  const auto found = MasterKey::Find(token_->Pool(), Label("again"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)->info().id, made->info().id);
  EXPECT_EQ((*found)->info().mechanism, mechanism_);
  EXPECT_EQ((*found)->info().check_value, made->info().check_value);
  EXPECT_EQ((*found)->info().moduli, made->info().moduli);
  if (mechanism_ == SealingMechanism::kRsaOaep) {
    EXPECT_EQ(made->info().moduli.seal.size(), 384u);
    EXPECT_NE(made->info().moduli.seal, made->info().moduli.sign);
  }
  EXPECT_EQ(MasterKey::Create(pool_, Label("again"), mechanism_).error().code,
            Code::kAlreadyExists);
}

TEST_P(SealingConformance, OpensWhatItSealed) {
  const auto sealer = SealerOf(Make("seals"));
  ASSERT_NE(sealer, nullptr);
  for (const std::size_t size : {1ul, 15ul, 16ul, 32ul, 33ul, 4096ul, kMostSecretBytes}) {
    SCOPED_TRACE(size);
    const Bytes secret(size, 0x42);
    const auto sealed = sealer->Seal(aad_, secret);
    ASSERT_TRUE(sealed) << sealed.error().message;
    EXPECT_EQ((*sealed)[1], static_cast<std::uint8_t>(mechanism_));
    const auto opened = sealer->Open(aad_, *sealed);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(ToBytes(opened->Reveal()), secret);
  }
  EXPECT_EQ(sealer->Seal({}, Bytes(3)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(sealer->Seal(aad_, {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(sealer->Seal(aad_, Bytes(kMostSecretBytes + 1)).error().code, Code::kTooLarge);
}

TEST_P(SealingConformance, RefusesARecordWithAnyByteAltered) {
  const auto sealer = SealerOf(Make("altered"));
  ASSERT_NE(sealer, nullptr);
  const Bytes sealed = *sealer->Seal(aad_, Bytes(20, 7));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Bytes altered = sealed;
    altered[at] ^= 0x80;
    const auto opened = sealer->Open(aad_, altered);
    ASSERT_FALSE(opened) << "byte " << at;
    const bool id = at >= 2 && at < kRecordHeadBytes;
    EXPECT_EQ(opened.error().code, id ? Code::kNotFound : Code::kDamaged) << "byte " << at;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(sealer->Open(aad_, ByteView(sealed).first(size)).error().code, Code::kDamaged)
        << size;
  }
  Bytes longer = sealed;
  for (int more = 0; more < 17; ++more) {
    longer.push_back(0);
    EXPECT_EQ(sealer->Open(aad_, longer).error().code, Code::kDamaged) << more;
  }
}

// Who knows the public halves, which are no secret, can encrypt whatever he likes.
TEST_P(SealingConformance, OpensNothingThatAnotherKeySigned) {
  if (mechanism_ != SealingMechanism::kRsaOaep) return;
  const auto key = Make("signed");
  const auto other = Make("signed by another");
  const auto sealer = SealerOf(key);
  const auto forger = SealerOf(other);
  ASSERT_TRUE(sealer && forger);
  const Bytes good = *sealer->Seal(aad_, Bytes(20, 7));
  Bytes forged = *forger->Seal(aad_, Bytes(20, 7));
  std::ranges::copy(key->info().id, forged.begin() + 2);
  EXPECT_EQ(sealer->Open(aad_, forged).error().code, Code::kDamaged);
  // The signature of one record over the key and text of another.
  Bytes mixed = *sealer->Seal(aad_, Bytes(20, 7));
  std::copy(good.end() - 384, good.end(), mixed.end() - 384);
  EXPECT_EQ(sealer->Open(aad_, mixed).error().code, Code::kDamaged);
}

// docs/formats/sealed-record.md, mechanism 3, step by step: of the token one decryption is needed.
TEST_P(SealingConformance, SealsByRsaAsTheFormatSays) {
  if (mechanism_ != SealingMechanism::kRsaOaep) return;
  const auto key = Make("format");
  const auto sealer = SealerOf(key);
  ASSERT_NE(sealer, nullptr);
  const Bytes secret(32, 7);
  const Bytes sealed = *sealer->Seal(aad_, secret);
  ASSERT_EQ(sealed.size(), 826u);
  const ByteView record(sealed);
  const ByteView encrypted = record.subspan(10, 384);

  Bytes text = ToBytes(record.first(10 + 384 + 32 + 16));
  Append(text, aad_);
  Append(text, Bytes{0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(aad_.size())});
  crypto::RsaNumbers numbers;
  numbers.modulus = key->info().moduli.sign;
  numbers.public_exponent = {1, 0, 1};
  const auto half = crypto::PublicKey::FromRsa(numbers);
  ASSERT_TRUE(half) << half.error().message;
  EXPECT_TRUE(*crypto::VerifyMessage(*half, {}, text, record.last(384)));

  Bytes record_key(384);
  {
    const SessionLease lease = *pool_->Borrow();
    CK_RSA_PKCS_OAEP_PARAMS params{};
    params.hashAlg = CKM_SHA_1;
    params.mgf = CKG_MGF1_SHA1;
    params.source = CKZ_DATA_SPECIFIED;
    CK_MECHANISM mechanism{CKM_RSA_PKCS_OAEP, &params, sizeof params};
    const CK_FUNCTION_LIST& p11 = lease.functions();
    ASSERT_EQ(p11.C_DecryptInit(lease.session(), &mechanism, key->Handles(lease)->seal), CKR_OK);
    CK_ULONG size = record_key.size();
    ASSERT_EQ(p11.C_Decrypt(lease.session(), const_cast<std::uint8_t*>(encrypted.data()),
                            encrypted.size(), record_key.data(), &size),
              CKR_OK);
    ASSERT_EQ(size, 32u);
    record_key.resize(size);
  }
  const SecretBytes prk = *crypto::HkdfExtract(crypto::HkdfHash::kSha256, encrypted, record_key);
  Bytes info = ToBytes(AsBytes("dare-rsa-record-1"));
  Append(info, record.first(10));
  const SecretBytes derived =
      *crypto::HkdfExpand(crypto::HkdfHash::kSha256, prk.Reveal(), info, 44);
  Bytes bound = ToBytes(record.first(10 + 384));
  Append(bound, aad_);
  Bytes opened = ToBytes(record.subspan(10 + 384, 32));
  auto aead = *crypto::Aead::CreateOnOpenSsl(derived.Reveal().first(32));
  EXPECT_TRUE(aead.OpenInPlace(derived.Reveal().subspan(32), bound, opened,
                               record.subspan(10 + 384 + 32, 16)));
  EXPECT_EQ(ToHex(opened), ToHex(secret));
}

TEST_P(SealingConformance, BindsARecordToWhatItIsAbout) {
  const auto sealer = SealerOf(Make("bound"));
  ASSERT_NE(sealer, nullptr);
  const Bytes sealed = *sealer->Seal(aad_, Bytes(20, 7));
  for (const char* other : {"object 1, version 2", "object 1, version 1 ", "object 1, version"}) {
    EXPECT_EQ(sealer->Open(AsBytes(other), sealed).error().code, Code::kDamaged) << other;
  }
  EXPECT_EQ(sealer->Open({}, sealed).error().code, Code::kInvalidArgument);
}

TEST_P(SealingConformance, KeepsGenerationsApart) {
  const auto first = Make("ages");
  auto second = MasterKey::CreateNext(pool_, Label("ages"), mechanism_);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(MasterKey::Find(pool_, Label("ages")).error().code, Code::kConflict);
  EXPECT_EQ(MasterKey::FindAll(pool_, Label("ages"))->size(), 2u);
  const auto one = SealerOf(first);
  const auto two = SealerOf(*MasterKey::Find(pool_, Label("ages"), (*second)->info().id));
  Bytes sealed = *one->Seal(aad_, Bytes(20, 7));
  EXPECT_EQ(two->Open(aad_, sealed).error().code, Code::kNotFound);
  std::ranges::copy((*second)->info().id, sealed.begin() + 2);
  EXPECT_EQ(two->Open(aad_, sealed).error().code, Code::kDamaged) << "another key under that name";

  ASSERT_TRUE(MasterKey::Remove(*pool_, Label("ages"), first->info().id));
  EXPECT_EQ(MasterKey::Find(pool_, Label("ages"), first->info().id).error().code, Code::kNotFound);
  EXPECT_TRUE(MasterKey::Find(pool_, Label("ages")));
}

TEST_P(TokenConformance, TakesACeremonysKeyAndSealsAsTheFormatSays) {
  const Bytes id(8, 7);
  Bytes value(32);
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<std::uint8_t>(i);
  const SecretBytes secret = *SecretBytes::CopyOf(value);
  const auto mechanism = SealingMechanism::kAesCbcHmac;
  const auto put = MasterKey::Import(pool_, "ceremony", id, secret, mechanism);
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ((*put)->info().origin, KeyOrigin::kCeremony);
  EXPECT_EQ((*put)->info().mechanism, mechanism);
  EXPECT_EQ(MasterKey::Find(pool_, "ceremony", id).error().code, Code::kDenied);
  const auto found = MasterKey::Find(pool_, "ceremony", id, KeyOrigins::kAlsoCeremony);
  ASSERT_TRUE(found) << found.error().message;
  const auto sealer = SealerOf(*found);
  ASSERT_NE(sealer, nullptr);
  const Bytes sealed = *sealer->Seal(aad_, Bytes(20, 7));
  ASSERT_EQ(sealed.size(), 10u + 16 + 32 + 32);

  // The code at its end, computed outside from the description of the format.
  const std::string_view label = "dare-mek-authenticate-1";
  const SecretBytes prk =
      *crypto::HkdfExtract(crypto::HkdfHash::kSha256, AsBytes(label), secret.Reveal());
  const SecretBytes half =
      *crypto::HkdfExpand(crypto::HkdfHash::kSha256, prk.Reveal(), AsBytes(label), 32);
  Bytes text(sealed.begin(), sealed.end() - 32);
  Append(text, aad_);
  Append(text, Bytes{0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(aad_.size())});
  const Bytes code = *crypto::Hmac(crypto::HashAlgorithm::kSha256, half.Reveal(), text);
  EXPECT_EQ(ToHex(code), ToHex(ByteView(sealed).last(32)));

  // docs/formats/sealed-record.md, worked example of mechanism 2: sealed elsewhere, opened here.
  const Bytes golden = *FromHex(
      "01020707070707070707101112131415161718191a1b1c1d1e1f"
      "87aa4a91a1d24f2ff864dfc17c3518469d4557e0444a04acbddbd34bd0af1136"
      "03b4e2c563184189b9b2b6af5f88f22f"
      "b573379a604ec659defd6b87b159ffa39dbbc202097e3d972d27da5b4901af02");
  const auto opened = sealer->Open(AsBytes("example"), golden);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(ToHex(opened->Reveal()),
            "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f");
}

TEST_P(SealingConformance, TakesACeremonysKeyForItsBestMechanism) {
  const Bytes id(8, 6);
  const SecretBytes secret = *SecretBytes::CopyOf(Bytes(32, 5));
  const auto put = MasterKey::Import(pool_, Label("ceremony 2"), id, secret, mechanism_);
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ((*put)->info().origin, KeyOrigin::kCeremony);
  EXPECT_EQ(MasterKey::Find(pool_, Label("ceremony 2"), id).error().code, Code::kDenied);
  EXPECT_EQ((*put)->info().mechanism, mechanism_);
  const auto sealer = SealerOf(*put);
  ASSERT_NE(sealer, nullptr);
  const auto sealed = sealer->Seal(aad_, Bytes(20, 7));
  ASSERT_TRUE(sealed) << sealed.error().message;
  EXPECT_TRUE(sealer->Open(aad_, *sealed));
  const auto same = MasterKey::Import(pool_, Label("ceremony 3"), id, secret, mechanism_);
  ASSERT_TRUE(same) << same.error().message;
  EXPECT_EQ((*same)->info().check_value, (*put)->info().check_value);
  EXPECT_TRUE(SealerOf(*same)->Open(aad_, *sealed)) << "the same key in another place";
}

// Whatever a token lets pass when a key is made, the judge does not.
TEST_P(TokenConformance, FindsNoWeakerKeyGoodEnough) {
  const std::pair<CK_ATTRIBUTE_TYPE, const char*> weaker[] = {
      {CKA_EXTRACTABLE, "CKA_EXTRACTABLE"},
      {CKA_SENSITIVE, "CKA_SENSITIVE"},
      {CKA_WRAP, "CKA_WRAP"},
      {CKA_UNWRAP, "CKA_UNWRAP"},
      {CKA_SIGN, "CKA_SIGN"},
      {CKA_VERIFY, "CKA_VERIFY"},
      {CKA_DERIVE, "CKA_DERIVE"},
      {CKA_MODIFIABLE, "CKA_MODIFIABLE"},
      {CKA_PRIVATE, "CKA_PRIVATE"},
      {CKA_ENCRYPT, "CKA_ENCRYPT"},
      {CKA_DECRYPT, "CKA_DECRYPT"},
  };
  std::size_t judged = 0;
  for (const auto& [type, name] : weaker) {
    SCOPED_TRACE(name);
    const bool right =
        type == CKA_SENSITIVE || type == CKA_PRIVATE || type == CKA_ENCRYPT || type == CKA_DECRYPT;
    const std::string label = std::string("weak ") + name;
    if (MakeWeaker(label, {{type, !right}}) != CKR_OK) continue;  // the token refuses it itself
    if ((type == CKA_SENSITIVE || type == CKA_PRIVATE) && IsStrongerThanItWasMade(label, type)) {
      continue;
    }
    ++judged;
    for (const KeyOrigins origins : {KeyOrigins::kMadeInToken, KeyOrigins::kAlsoCeremony}) {
      const auto key = MasterKey::Find(pool_, label, {}, origins);
      ASSERT_FALSE(key) << "a weaker key passed";
      EXPECT_EQ(key.error().code, Code::kDenied);
      EXPECT_THAT(key.error().message, HasSubstr(name));
    }
  }
  EXPECT_GE(judged, 8u) << "most of them can be made, and must be refused by us";
}

// A key whose value somebody knows, with everything in its template that a token may believe.
TEST_P(TokenConformance, IsNotFooledByAKeyFromOutside) {
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  const CK_KEY_TYPE type = CKK_AES;
  const Bytes value(32, 5), id(8, 9);
  const CK_ATTRIBUTE_TYPE claims[] = {CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE};
  for (unsigned claimed = 0; claimed < 8; ++claimed) {
    const std::string label = "claims " + std::to_string(claimed);
    Template wanted;
    wanted.Number(CKA_CLASS, object_class).Number(CKA_KEY_TYPE, type).Data(CKA_VALUE, value);
    wanted.Data(CKA_LABEL, AsBytes(label)).Data(CKA_ID, id).Bool(CKA_TOKEN, true);
    wanted.Bool(CKA_PRIVATE, true).Bool(CKA_SENSITIVE, true).Bool(CKA_EXTRACTABLE, false);
    wanted.Bool(CKA_ENCRYPT, true).Bool(CKA_DECRYPT, true).Bool(CKA_WRAP, false);
    wanted.Bool(CKA_UNWRAP, false).Bool(CKA_SIGN, false).Bool(CKA_VERIFY, false);
    wanted.Bool(CKA_DERIVE, false).Bool(CKA_MODIFIABLE, false);
    for (unsigned i = 0; i < 3; ++i) {
      if ((claimed >> i & 1) != 0) wanted.Bool(claims[i], true);
    }
    CK_RV rv = CKR_OK;
    {
      const SessionLease lease = *pool_->OpenReadWrite();
      CK_OBJECT_HANDLE key = 0;
      rv = lease.functions().C_CreateObject(lease.session(), wanted.data(), wanted.size(), &key);
    }
    if (rv != CKR_OK) continue;  // the token itself does not believe it
    const auto found = MasterKey::Find(pool_, label);
    ASSERT_FALSE(found) << "a key from outside passed for one made in the token, claims "
                        << claimed;
    EXPECT_EQ(found.error().code, Code::kDenied);
  }
}

TEST_P(SealingConformance, ServesSeveralThreads) {
  const auto sealer = SealerOf(Make("threads"));
  ASSERT_NE(sealer, nullptr);
  // A call takes far longer by RSA, in NSS most of all.
  const int rounds = mechanism_ == SealingMechanism::kRsaOaep ? 5 : 50;
  std::atomic<int> opened = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < rounds; ++i) {
          const Bytes secret(32, static_cast<std::uint8_t>(t * 50 + i));
          const auto sealed = sealer->Seal(aad_, secret);
          if (!sealed) continue;
          const auto back = sealer->Open(aad_, *sealed);
          if (back && ToBytes(back->Reveal()) == secret) ++opened;
        }
      });
    }
  }
  EXPECT_EQ(opened, 4 * rounds);
}

TEST_P(SealingConformance, GoesOnWhenItsSessionsWereClosed) {
  const auto sealer = SealerOf(Make("closed"));
  ASSERT_NE(sealer, nullptr);
  const Bytes sealed = *sealer->Seal(aad_, Bytes(20, 7));
  ASSERT_EQ(token_->module()->functions().C_CloseAllSessions(pool_->token().slot), CKR_OK);
  const auto opened = sealer->Open(aad_, sealed);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(sealer->Seal(aad_, Bytes(20, 7)));
}

TEST_P(TokenConformance, SignsWhereItCan) {
  const auto p256 = SigningKey::Create(pool_, "audit");
  const crypto::Sha256Digest digest = crypto::Sha256(AsBytes("what is signed"));
  if (p256) {
    EXPECT_TRUE((*p256)->Sign(digest)) << (*p256)->Sign(digest).error().message;
  } else {
    EXPECT_EQ(GetParam(), TokenKind::kOpenCryptoki) << p256.error().message;
    EXPECT_EQ(p256.error().code, Code::kUnsupported) << p256.error().message;
  }
  const auto rsa = SigningKey::Create(pool_, "authority", SigningKeyKind::kRsa2048);
  ASSERT_TRUE(rsa) << rsa.error().message;
  const auto signature = (*rsa)->Sign(digest);
  ASSERT_TRUE(signature) << signature.error().message;
  EXPECT_EQ(signature->size(), 256u);
}

}  // namespace
}  // namespace dare::hsm

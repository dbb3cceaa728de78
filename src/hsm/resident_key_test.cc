#include "hsm/resident_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "hsm/session_pool.h"
#include "hsm/softhsm_for_test.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

using testing::HasSubstr;

constexpr ResidentRights kCipherRights{.encrypt = true, .decrypt = true};
constexpr ResidentRights kSigning{.sign = true};

std::string Label(const std::string& name) { return std::string(kResidentLabel) + "test " + name; }

crypto::PublicKey HalfOf(const ResidentReference& key) {
  auto half =
      crypto::PublicKey::Parse(crypto::PublicKeyFormat::kSubjectPublicKeyInfo, key.public_key);
  EXPECT_TRUE(half.has_value());
  return *half;
}

// As the server has them, and nobody to come later.
std::vector<ResidentSeat> Seats(const std::vector<std::shared_ptr<SessionPool>>& pools) {
  std::vector<ResidentSeat> seats;
  for (const auto& pool : pools) {
    auto guard = std::make_shared<TokenGuard>(TokenGuardOptions(), SystemClock::Get());
    seats.push_back(
        {std::move(guard), [pool]() -> Result<std::shared_ptr<SessionPool>> { return pool; }});
  }
  return seats;
}

class ResidentKeyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!SoftHsmForTest::Available()) GTEST_SKIP() << "SoftHSM2 is not installed";
    pool_ = SoftHsmForTest::Get().Pool();
    keys_ = std::make_unique<TokenResidentKeys>(Seats({pool_}), 100);
  }

  ResidentReference Make(ResidentKind kind, std::size_t bits, ResidentRights rights,
                         const std::string& curve = {}) {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    auto made = keys_->Generate(
        {.kind = kind, .bits = bits, .curve = curve, .rights = rights, .label = Label(name)});
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return made.has_value() ? *made : ResidentReference();
  }

  // A key that was made outside and brought in: gives its handle.
  CK_OBJECT_HANDLE Import(const Bytes& id) {
    const auto lease = pool_->OpenReadWrite();
    EXPECT_TRUE(lease.has_value());
    const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    const CK_KEY_TYPE type = CKK_AES;
    const Bytes value(32, 0x11);
    Template wanted;
    wanted.Number(CKA_CLASS, object_class)
        .Number(CKA_KEY_TYPE, type)
        .Bool(CKA_TOKEN, true)
        .Bool(CKA_PRIVATE, true)
        .Bool(CKA_SENSITIVE, true)
        .Bool(CKA_EXTRACTABLE, false)
        .Bool(CKA_ENCRYPT, true)
        .Data(CKA_ID, id)
        .Data(CKA_VALUE, value);
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    EXPECT_EQ(
        lease->functions().C_CreateObject(lease->session(), wanted.data(), wanted.size(), &made),
        CKR_OK);
    return made;
  }

  // One block, by the token: what the tests build other modes from.
  Bytes Block(const ResidentReference& key, ByteView block) {
    crypto::CipherRequest request;
    request.mode = crypto::CipherMode::kEcb;
    request.tag_length = 0;
    request.policy.allow_legacy = true;
    const auto output = keys_->Encrypt(key, request, block);
    EXPECT_TRUE(output.has_value()) << output.error().message;
    return output.has_value() ? output->data : Bytes(16);
  }

  std::shared_ptr<SessionPool> pool_;
  std::unique_ptr<TokenResidentKeys> keys_;
};

TEST_F(ResidentKeyTest, IsSensitiveNeverExtractableAndHasItsRightsOnly) {
  const ResidentReference key = Make(ResidentKind::kAes, 256, {.encrypt = true, .wrap = true});
  EXPECT_EQ(key.id.size(), 16u);
  EXPECT_EQ(key.check.size(), 3u);
  EXPECT_EQ(key.token_label, SoftHsmForTest::kTokenLabel);
  const auto lease = pool_->Borrow();
  ASSERT_TRUE(lease.has_value());
  Template wanted;
  wanted.Data(CKA_ID, key.id);
  const auto found = FindObjects(*lease, wanted, 4);
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), 1u);
  const auto is = [&](CK_ATTRIBUTE_TYPE type) { return *ReadBool(*lease, found->front(), type); };
  for (const CK_ATTRIBUTE_TYPE yes : {CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE,
                                      CKA_NEVER_EXTRACTABLE, CKA_LOCAL, CKA_ENCRYPT, CKA_WRAP}) {
    EXPECT_TRUE(is(yes)) << yes;
  }
  for (const CK_ATTRIBUTE_TYPE no : {CKA_EXTRACTABLE, CKA_DECRYPT, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY,
                                     CKA_DERIVE, CKA_MODIFIABLE, CKA_COPYABLE}) {
    EXPECT_FALSE(is(no)) << no;
  }
  EXPECT_EQ(ReadBytes(*lease, found->front(), CKA_VALUE).error().code, Code::kDenied);
}

TEST_F(ResidentKeyTest, EncryptsWithAssociatedDataAndOpensNothingAltered) {
  for (const std::size_t bits : {128u, 192u, 256u}) {
    const ResidentReference key = Make(ResidentKind::kAes, bits, kCipherRights);
    const Bytes iv(12, 1);
    crypto::CipherRequest request;
    request.iv = iv;
    request.aad = AsBytes("bound");
    const auto sealed = keys_->Encrypt(key, request, AsBytes("a data key"));
    ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
    EXPECT_EQ(sealed->data.size(), 10u);
    EXPECT_EQ(sealed->tag.size(), 16u);
    const auto opened = keys_->Decrypt(key, request, sealed->data, sealed->tag);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(AsText(*opened), "a data key");
    Bytes tag = sealed->tag;
    tag[3] ^= 1;
    EXPECT_EQ(keys_->Decrypt(key, request, sealed->data, tag).error().code, Code::kDamaged);
    request.aad = AsBytes("other");
    EXPECT_EQ(keys_->Decrypt(key, request, sealed->data, sealed->tag).error().code, Code::kDamaged);
  }
}

TEST_F(ResidentKeyTest, DoesTheModesThatTheTokenHas) {
  const ResidentReference key = Make(ResidentKind::kAes, 256, kCipherRights);
  const Bytes iv(16, 5);
  const Bytes text(48, 0x61);
  crypto::CipherRequest request;
  request.iv = iv;
  request.tag_length = 0;
  for (const auto& [mode, padding, size] :
       {std::tuple{crypto::CipherMode::kCbc, crypto::Padding::kNone, 48u},
        std::tuple{crypto::CipherMode::kCbc, crypto::Padding::kPkcs5, 64u},
        std::tuple{crypto::CipherMode::kCtr, crypto::Padding::kNone, 48u}}) {
    request.mode = mode;
    request.padding = padding;
    const auto sealed = keys_->Encrypt(key, request, text);
    ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
    EXPECT_EQ(sealed->data.size(), size);
    const auto opened = keys_->Decrypt(key, request, sealed->data, {});
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(ToBytes(*opened), text);
  }
  request.mode = crypto::CipherMode::kOfb;
  EXPECT_EQ(keys_->Encrypt(key, request, text).error().code, Code::kUnsupported);
  const Bytes short_iv(12, 5);
  request.mode = crypto::CipherMode::kCbc;
  request.iv = short_iv;
  EXPECT_EQ(keys_->Encrypt(key, request, text).error().code, Code::kInvalidArgument);
}

// The key is known to nobody, but its block cipher can be asked: GCM's ciphertext is that of CTR
// from the second counter block on (SP 800-38D 7.1), and CTR's is the text under encrypted
// counters.
TEST_F(ResidentKeyTest, ComputesGcmAndCtrAsTheStandardsSay) {
  const ResidentReference key = Make(ResidentKind::kAes, 256, kCipherRights);
  const Bytes nonce(12, 9);
  Bytes counter = nonce;
  Append(counter, Bytes{0, 0, 0, 2});
  const Bytes text(40, 0x61);
  crypto::CipherRequest gcm;
  gcm.iv = nonce;
  crypto::CipherRequest ctr;
  ctr.mode = crypto::CipherMode::kCtr;
  ctr.tag_length = 0;
  ctr.iv = counter;
  const auto one = keys_->Encrypt(key, gcm, text);
  const auto other = keys_->Encrypt(key, ctr, text);
  ASSERT_TRUE(one.has_value() && other.has_value());
  EXPECT_EQ(one->data, other->data);
  Bytes stream = Block(key, counter);
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(other->data[i], stream[i] ^ text[i]);
}

// RFC 3394, 2.2.1, over the token's block cipher.
TEST_F(ResidentKeyTest, WrapsAsRfc3394Says) {
  const ResidentReference key = Make(ResidentKind::kAes, 256, {.encrypt = true, .wrap = true});
  const Bytes secret(24, 0x42);
  Bytes a(8, 0xA6);
  Bytes r = secret;
  for (std::size_t j = 0; j < 6; ++j) {
    for (std::size_t i = 0; i < 3; ++i) {
      Bytes block = a;
      Append(block, ByteView(r).subspan(8 * i, 8));
      const Bytes b = Block(key, block);
      a.assign(b.begin(), b.begin() + 8);
      a[7] ^= static_cast<std::uint8_t>(3 * j + i + 1);
      std::copy(b.begin() + 8, b.end(), r.begin() + static_cast<std::ptrdiff_t>(8 * i));
    }
  }
  Bytes expected = a;
  Append(expected, r);
  const auto wrapped = keys_->WrapKey(key, crypto::KeyWrapMode::kAesKw, secret);
  ASSERT_TRUE(wrapped.has_value()) << wrapped.error().message;
  EXPECT_EQ(*wrapped, expected);
}

TEST_F(ResidentKeyTest, UnwrapsWhatItWrappedWithAndWithoutPadding) {
  const ResidentReference key = Make(ResidentKind::kAes, 256, {.wrap = true, .unwrap = true});
  const Bytes secret(32, 0x42);
  const Bytes odd(20, 0x43);
  const auto wrapped = keys_->WrapKey(key, crypto::KeyWrapMode::kAesKw, secret);
  ASSERT_TRUE(wrapped.has_value()) << wrapped.error().message;
  EXPECT_EQ(wrapped->size(), 40u);
  const auto back = keys_->UnwrapKey(key, crypto::KeyWrapMode::kAesKw, *wrapped);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(ToBytes(back->Reveal()), secret);
  const auto padded = keys_->WrapKey(key, crypto::KeyWrapMode::kAesKwp, secret);
  ASSERT_TRUE(padded.has_value()) << padded.error().message;
  EXPECT_EQ(padded->size(), 40u);
  EXPECT_NE(*padded, *wrapped);
  const auto unpadded = keys_->UnwrapKey(key, crypto::KeyWrapMode::kAesKwp, *padded);
  ASSERT_TRUE(unpadded.has_value()) << unpadded.error().message;
  EXPECT_EQ(ToBytes(unpadded->Reveal()), secret);
  // What a token cannot do as the standard says, it is not asked for.
  EXPECT_EQ(keys_->WrapKey(key, crypto::KeyWrapMode::kAesKwp, odd).error().code,
            Code::kUnsupported);
  Bytes altered = *wrapped;
  altered[7] ^= 1;
  EXPECT_EQ(keys_->UnwrapKey(key, crypto::KeyWrapMode::kAesKw, altered).error().code,
            Code::kDamaged);
  EXPECT_EQ(keys_->WrapKey(key, crypto::KeyWrapMode::kAesKw, odd).error().code,
            Code::kInvalidArgument);
}

// RFC 5649, 4.1: what has 8 bytes or less is one block, encrypted.
TEST_F(ResidentKeyTest, UnwrapsAKeyThatWasPaddedElsewhere) {
  const ResidentReference key = Make(ResidentKind::kAes, 256, {.encrypt = true, .unwrap = true});
  const Bytes wrapped =
      Block(key, Bytes{0xA6, 0x59, 0x59, 0xA6, 0, 0, 0, 5, 1, 2, 3, 4, 0, 0, 0, 0});
  const auto back = keys_->UnwrapKey(key, crypto::KeyWrapMode::kAesKwp, wrapped);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(ToBytes(back->Reveal()), (Bytes{1, 2, 3, 4, 0}));
}

TEST_F(ResidentKeyTest, LeavesNoObjectOfTheSessionBehind) {
  const ResidentReference key = Make(ResidentKind::kAes, 128, {.wrap = true, .unwrap = true});
  const auto objects = [&] {
    const auto lease = pool_->Borrow();
    const CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
    Template wanted;
    wanted.Number(CKA_CLASS, secret).Bool(CKA_TOKEN, false);
    return FindObjects(*lease, wanted, 16)->size();
  };
  const auto wrapped = keys_->WrapKey(key, crypto::KeyWrapMode::kAesKw, Bytes(16, 1));
  ASSERT_TRUE(wrapped.has_value());
  ASSERT_TRUE(keys_->UnwrapKey(key, crypto::KeyWrapMode::kAesKw, *wrapped).has_value());
  EXPECT_EQ(objects(), 0u);
}

TEST_F(ResidentKeyTest, MakesCodesAndTellsTheRightOnes) {
  const ResidentReference key = Make(ResidentKind::kHmac, 512, {.sign = true, .verify = true});
  for (const auto hash : {crypto::HashAlgorithm::kSha256, crypto::HashAlgorithm::kSha384,
                          crypto::HashAlgorithm::kSha512}) {
    const auto algorithm = crypto::MacAlgorithm::Hmac(hash);
    const auto code = keys_->Mac(key, algorithm, AsBytes("text"));
    ASSERT_TRUE(code.has_value()) << code.error().message;
    EXPECT_EQ(code->size(), crypto::DigestBytes(hash));
    EXPECT_TRUE(*keys_->VerifyMac(key, algorithm, AsBytes("text"), *code));
    EXPECT_FALSE(*keys_->VerifyMac(key, algorithm, AsBytes("texts"), *code));
    EXPECT_FALSE(*keys_->VerifyMac(key, algorithm, AsBytes("text"), Bytes(4, 0)));
  }
  EXPECT_EQ(keys_->Mac(key, crypto::MacAlgorithm::Hmac(crypto::HashAlgorithm::kSha3_256), {})
                .error()
                .code,
            Code::kUnsupported);
}

TEST_F(ResidentKeyTest, OfRsaSignsWhatOpenSslVerifies) {
  const ResidentReference key = Make(ResidentKind::kRsa, 2048, kSigning);
  const crypto::PublicKey half = HalfOf(key);
  EXPECT_EQ(half.facts().bits, 2048u);
  for (const auto hash : {crypto::HashAlgorithm::kSha224, crypto::HashAlgorithm::kSha256,
                          crypto::HashAlgorithm::kSha384, crypto::HashAlgorithm::kSha512}) {
    for (const auto padding : {crypto::SignaturePadding::kPkcs1, crypto::SignaturePadding::kPss}) {
      const crypto::SignatureScheme scheme{.hash = hash, .padding = padding};
      const Bytes digest = *crypto::Digest(hash, AsBytes("text"));
      const auto signature = keys_->SignDigest(key, scheme, digest);
      ASSERT_TRUE(signature.has_value()) << signature.error().message;
      EXPECT_TRUE(*crypto::VerifyMessage(half, scheme, AsBytes("text"), *signature));
      EXPECT_FALSE(*crypto::VerifyMessage(half, scheme, AsBytes("texts"), *signature));
    }
  }
  EXPECT_EQ(keys_->SignDigest(key, {}, Bytes(20, 1)).error().code, Code::kInvalidArgument);
}

TEST_F(ResidentKeyTest, OfRsaDecryptsWhatOpenSslEncrypted) {
  const ResidentReference key = Make(ResidentKind::kRsa, 2048, {.decrypt = true});
  const crypto::RsaScheme scheme{.hash = crypto::HashAlgorithm::kSha1,
                                 .mgf_hash = crypto::HashAlgorithm::kSha1};
  const auto sealed = crypto::RsaEncrypt(HalfOf(key), scheme, AsBytes("a data key"));
  ASSERT_TRUE(sealed.has_value());
  const auto opened = keys_->DecryptRsa(key, scheme, *sealed);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(AsText(*opened), "a data key");
  Bytes altered = *sealed;
  altered[9] ^= 1;
  EXPECT_EQ(keys_->DecryptRsa(key, scheme, altered).error().code, Code::kDamaged);
  // The right was not asked for: the token itself refuses.
  EXPECT_EQ(keys_->SignDigest(key, {}, Bytes(32, 1)).error().code, Code::kDenied);
}

TEST_F(ResidentKeyTest, OnACurveSignsWhatOpenSslVerifies) {
  for (const char* curve : {"prime256v1", "secp384r1", "secp521r1"}) {
    const ResidentReference key = Make(ResidentKind::kEc, 0, kSigning, curve);
    const crypto::PublicKey half = HalfOf(key);
    EXPECT_EQ(half.facts().curve, curve);
    EXPECT_EQ(key.bits, crypto::CurveBits(curve));
    for (const auto hash : {crypto::HashAlgorithm::kSha256, crypto::HashAlgorithm::kSha512}) {
      const crypto::SignatureScheme scheme{.hash = hash};
      for (int i = 0; i < 20; ++i) {  // meets numbers with leading zeros
        const std::string text = std::to_string(i);
        const auto signature = keys_->SignDigest(key, scheme, *crypto::Digest(hash, AsBytes(text)));
        ASSERT_TRUE(signature.has_value()) << signature.error().message;
        EXPECT_TRUE(*crypto::VerifyMessage(half, scheme, AsBytes(text), *signature)) << curve;
      }
    }
  }
}

TEST_F(ResidentKeyTest, IsDeniedRightsThatItWasNotMadeWith) {
  const ResidentReference key = Make(ResidentKind::kAes, 256, {.decrypt = true});
  const Bytes iv(12, 1);
  crypto::CipherRequest request;
  request.iv = iv;
  EXPECT_EQ(keys_->Encrypt(key, request, AsBytes("x")).error().code, Code::kDenied);
  EXPECT_EQ(keys_->WrapKey(key, crypto::KeyWrapMode::kAesKw, Bytes(16, 1)).error().code,
            Code::kDenied);
}

TEST_F(ResidentKeyTest, IsFoundAgainByAnotherPoolAndGoneOnceRemoved) {
  const ResidentReference key = Make(ResidentKind::kAes, 256, kCipherRights);
  TokenResidentKeys again(Seats({SoftHsmForTest::Get().Pool()}), 100);
  EXPECT_TRUE(again.Find(key).has_value());
  EXPECT_TRUE(keys_->Remove(key).has_value());
  EXPECT_EQ(keys_->Find(key).error().code, Code::kNotFound);
  EXPECT_EQ(again.Find(key).error().code, Code::kNotFound);
  const Bytes iv(12, 1);
  crypto::CipherRequest request;
  request.iv = iv;
  EXPECT_EQ(again.Encrypt(key, request, AsBytes("x")).error().code, Code::kNotFound);
  EXPECT_TRUE(keys_->Remove(key).has_value());  // removed already: fine
}

TEST_F(ResidentKeyTest, RefusesAnotherKeyUnderItsName) {
  const ResidentReference one = Make(ResidentKind::kAes, 256, kCipherRights);
  const ResidentReference two = Make(ResidentKind::kAes, 256, kCipherRights);
  ResidentReference swapped = one;
  swapped.id = two.id;
  EXPECT_EQ(keys_->Find(swapped).error().code, Code::kDenied);
  const ResidentReference first = Make(ResidentKind::kEc, 0, kSigning, "prime256v1");
  const ResidentReference second = Make(ResidentKind::kEc, 0, kSigning, "prime256v1");
  swapped = first;
  swapped.id = second.id;
  EXPECT_EQ(keys_->Find(swapped).error().code, Code::kDenied);
  EXPECT_TRUE(keys_->Find(first).has_value());
}

TEST_F(ResidentKeyTest, RefusesAKeyThatWasBroughtIn) {
  const ResidentReference model = Make(ResidentKind::kAes, 256, kCipherRights);
  ResidentReference claimed = model;
  claimed.id = Bytes(16, 0xAB);
  claimed.check.clear();
  const CK_OBJECT_HANDLE brought = Import(claimed.id);
  const auto found = keys_->Find(claimed);
  EXPECT_EQ(found.error().code, Code::kDenied);
  EXPECT_THAT(found.error().message, HasSubstr("CKA_ALWAYS_SENSITIVE"));
  const auto lease = pool_->OpenReadWrite();
  ASSERT_TRUE(lease.has_value());
  lease->functions().C_DestroyObject(lease->session(), brought);
}

TEST_F(ResidentKeyTest, ListsByLabelAndCountsAgainstTheMost) {
  const std::string mine = std::string(kResidentLabel) + "list ";
  const auto spec = [&](const char* name) {
    return ResidentSpecification{.kind = ResidentKind::kAes,
                                 .bits = 128,
                                 .curve = {},
                                 .rights = kCipherRights,
                                 .label = mine + name};
  };
  ASSERT_TRUE(keys_->Generate(spec("one")).has_value());
  ASSERT_TRUE(keys_->Generate(spec("two")).has_value());
  const auto listed = keys_->List(mine);
  ASSERT_TRUE(listed.has_value());
  ASSERT_EQ(listed->size(), 2u);
  TokenResidentKeys full(Seats({pool_}), 2);
  const auto third = full.Generate(spec("three"));
  EXPECT_EQ(third.error().code, Code::kExhausted);
  for (const ResidentEntry& entry : *listed) EXPECT_TRUE(keys_->Remove(entry).has_value());
  EXPECT_TRUE(keys_->List(mine)->empty());
}

TEST_F(ResidentKeyTest, IsUsedInTheTokenOfSeveralThatHasIt) {
  SoftHsmForTest& hsm = SoftHsmForTest::Get();
  hsm.MakeToken("second");
  SessionPoolOptions options;
  options.token_label = "second";
  auto second = SessionPool::Open(hsm.module(), SoftHsmForTest::Pin(), options);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  TokenResidentKeys in_second(Seats({*second}), 100);
  const auto key = in_second.Generate({.kind = ResidentKind::kAes,
                                       .bits = 256,
                                       .curve = {},
                                       .rights = kCipherRights,
                                       .label = Label("second")});
  ASSERT_TRUE(key.has_value()) << key.error().message;
  TokenResidentKeys both(Seats({pool_, *second}), 100);
  EXPECT_TRUE(both.Find(*key).has_value());
  EXPECT_EQ(keys_->Find(*key).error().code, Code::kNotFound);
  EXPECT_TRUE(both.Remove(*key).has_value());
  EXPECT_EQ(both.Find(*key).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace dare::hsm

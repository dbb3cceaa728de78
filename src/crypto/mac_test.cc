#include "crypto/mac.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "crypto/known_answers_for_test.h"

namespace dare::crypto {
namespace {

constexpr AlgorithmPolicy kLegacy{true};
constexpr char kAesKey[] = "2b7e151628aed2a6abf7158809cf4f3c";
constexpr char kZeroBlock[] = "00000000000000000000000000000000";

TEST(Mac, GivesTheAnswersOfTheRfcs) {
  const ByteView key = AsBytes("Jefe"), text = AsBytes("what do ya want for nothing?");
  struct Answer {
    HashAlgorithm hash;
    const char* mac;
  };
  // RFC 2202 and RFC 4231, test case 2
  for (const Answer& answer : {
           Answer{HashAlgorithm::kMd5, "750c783e6ab0b503eaa86e310a5db738"},
           Answer{HashAlgorithm::kSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
           Answer{HashAlgorithm::kSha224,
                  "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"},
           Answer{HashAlgorithm::kSha256,
                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
           Answer{HashAlgorithm::kSha384,
                  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
                  "8e2240ca5e69e2c78b3239ecfab21649"},
           Answer{HashAlgorithm::kSha512,
                  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
       }) {
    EXPECT_EQ(ToHex(*Hmac(answer.hash, key, text, kLegacy)), answer.mac) << Name(answer.hash);
  }
}

TEST(Mac, AgreesWithWycheproofOnHmac) {
  for (const auto& [hash, path] :
       {std::pair{HashAlgorithm::kSha256, "wycheproof/hmac_sha256_test.json"},
        std::pair{HashAlgorithm::kSha384, "wycheproof/hmac_sha384_test.json"}}) {
    const auto tests = ReadWycheproof(path);
    if (tests.empty()) GTEST_SKIP() << "../shared/vectors/wycheproof is absent";
    for (WycheproofTest test : tests) {
      const auto mac = Hmac(hash, Hex(test["key"]), Hex(test["msg"]));
      ASSERT_TRUE(mac.has_value());
      const Bytes tag = Hex(test["tag"]);
      EXPECT_EQ(MacMatches(*mac, tag, 16), test["result"] == "valid") << test["tcId"];
    }
  }
}

TEST(Mac, GivesTheAnswersOfRfc4493) {
  const Bytes key = Hex("2b7e151628aed2a6abf7158809cf4f3c");
  EXPECT_EQ(ToHex(*CmacAes(key, {})), "bb1d6929e95937287fa37d129b756746");
  EXPECT_EQ(ToHex(*CmacAes(key, Hex("6bc1bee22e409f96e93d7e117393172a"))),
            "070a16b46b4d4144f79bdd9dd04a287c");
  EXPECT_EQ(CmacAes(Bytes(17), {}).error().code, Code::kInvalidArgument);
}

TEST(Mac, CmacOfOtherBlockCiphersAndCbcMacGivePublishedAnswers) {
  // SP 800-38B D.4, Three Key TDEA, example 2
  EXPECT_EQ(ToHex(*Mac(MacAlgorithm::Cmac(CipherAlgorithm::kTripleDes),
                       Hex("8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5"),
                       Hex("6bc1bee22e409f96"), kLegacy)),
            "8e8f293136283797");
  // ISO/IEC 9797-1 algorithm 1, padding 1: an empty message is one block of zeroes
  EXPECT_EQ(ToHex(*Mac(MacAlgorithm::CbcMac(CipherAlgorithm::kAes), Hex(kAesKey), Hex(kZeroBlock),
                       kLegacy)),
            ToHex(*Mac(MacAlgorithm::CbcMac(CipherAlgorithm::kAes), Hex(kAesKey), {}, kLegacy)));
  EXPECT_EQ(Mac(MacAlgorithm::CbcMac(CipherAlgorithm::kAes), Hex(kAesKey), {}).error().code,
            Code::kDenied);
  EXPECT_EQ(Mac(MacAlgorithm::Cmac(CipherAlgorithm::kChaCha20), Bytes(32), {}).error().code,
            Code::kUnsupported);
}

TEST(Mac, PartsGiveWhatTheWholeDoes) {
  const Bytes key = Hex(kAesKey);
  Bytes data(37);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i);
  for (const MacAlgorithm& algorithm :
       {MacAlgorithm::Hmac(HashAlgorithm::kSha256), MacAlgorithm::Cmac(CipherAlgorithm::kAes),
        MacAlgorithm::CbcMac(CipherAlgorithm::kAes)}) {
    const Bytes whole = *Mac(algorithm, key, data, kLegacy);
    for (std::size_t cut = 0; cut <= data.size(); ++cut) {
      auto stream = MacStream::Begin(algorithm, key, kLegacy);
      ASSERT_TRUE(stream.has_value());
      ASSERT_TRUE(stream->Update(ByteView(data).first(cut)).has_value());
      ASSERT_TRUE(stream->Update(ByteView(data).subspan(cut)).has_value());
      EXPECT_EQ(*stream->Finish(), whole) << cut;
    }
  }
  auto digest = DigestStream::Begin(HashAlgorithm::kSha3_256);
  ASSERT_TRUE(digest.has_value());
  ASSERT_TRUE(digest->Update(AsBytes("a")).has_value());
  ASSERT_TRUE(digest->Update(AsBytes("bc")).has_value());
  EXPECT_EQ(*digest->Finish(), *Digest(HashAlgorithm::kSha3_256, AsBytes("abc")));
}

TEST(Mac, RefusesWeakHashesAndShortKeysByDefault) {
  EXPECT_EQ(Hmac(HashAlgorithm::kMd5, Bytes(32), {}).error().code, Code::kDenied);
  EXPECT_EQ(Hmac(HashAlgorithm::kSha256, Bytes(13), {}).error().code, Code::kDenied);
  EXPECT_TRUE(Hmac(HashAlgorithm::kSha256, Bytes(14), {}).has_value());
  EXPECT_EQ(Hmac(HashAlgorithm::kSha256, {}, {}, kLegacy).error().code, Code::kInvalidArgument);
}

TEST(Mac, ComparesTruncationsOnlyDownToTheLeast) {
  const Bytes mac = *Hmac(HashAlgorithm::kSha256, Bytes(32), {});
  EXPECT_TRUE(MacMatches(mac, ByteView(mac).first(16), 16));
  EXPECT_FALSE(MacMatches(mac, ByteView(mac).first(15), 16));
  EXPECT_FALSE(MacMatches(mac, {}, 0));
  Bytes longer = mac;
  longer.push_back(0);
  EXPECT_FALSE(MacMatches(mac, longer, 16));
}

TEST(Digest, GivesTheAnswersForAbc) {
  struct Answer {
    HashAlgorithm hash;
    const char* digest;
  };
  // FIPS 180-4 and FIPS 202 examples, RFC 1321
  for (const Answer& answer : {
           Answer{HashAlgorithm::kMd5, "900150983cd24fb0d6963f7d28e17f72"},
           Answer{HashAlgorithm::kSha1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
           Answer{HashAlgorithm::kSha256,
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
           Answer{HashAlgorithm::kSha512_256,
                  "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"},
           Answer{HashAlgorithm::kRipemd160, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
           Answer{HashAlgorithm::kSha3_256,
                  "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
       }) {
    EXPECT_EQ(ToHex(*Digest(answer.hash, AsBytes("abc"), kLegacy)), answer.digest);
  }
  EXPECT_EQ(ToHex(Sha256(AsBytes("abc"))), ToHex(*Digest(HashAlgorithm::kSha256, AsBytes("abc"))));
  for (std::size_t i = 0; i < kHashAlgorithms; ++i) {
    const auto hash = static_cast<HashAlgorithm>(i);
    EXPECT_EQ(Digest(hash, {}, kLegacy)->size(), DigestBytes(hash)) << Name(hash);
  }
}

TEST(Digest, RefusesBrokenHashesByDefault) {
  EXPECT_EQ(Digest(HashAlgorithm::kMd5, {}).error().code, Code::kDenied);
  EXPECT_EQ(Digest(HashAlgorithm::kSha1, {}).error().code, Code::kDenied);
}

}  // namespace
}  // namespace dare::crypto

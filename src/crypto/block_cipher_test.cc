#include "crypto/block_cipher.h"

#include <gtest/gtest.h>

#include "crypto/known_answers_for_test.h"

namespace dare::crypto {
namespace {

constexpr AlgorithmPolicy kLegacy{true};

struct Answer {
  const char* source;
  CipherAlgorithm algorithm;
  CipherMode mode;
  const char *key, *iv, *aad, *plain, *cipher, *tag;
};

constexpr char kKey128[] = "2b7e151628aed2a6abf7158809cf4f3c";
constexpr char kTwoBlocks[] = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
constexpr char kCount[] = "000102030405060708090a0b0c0d0e0f";
constexpr char kSunscreen[] =
    "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920"
    "636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c207375"
    "6e73637265656e20776f756c642062652069742e";

const Answer kAnswers[] = {
    {"SP 800-38A F.1.1", CipherAlgorithm::kAes, CipherMode::kEcb, kKey128, "", "", kTwoBlocks,
     "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf", ""},
    {"SP 800-38A F.2.1", CipherAlgorithm::kAes, CipherMode::kCbc, kKey128, kCount, "", kTwoBlocks,
     "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2", ""},
    {"SP 800-38A F.3.13", CipherAlgorithm::kAes, CipherMode::kCfb128, kKey128, kCount, "",
     kTwoBlocks, "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b", ""},
    {"SP 800-38A F.4.1", CipherAlgorithm::kAes, CipherMode::kOfb, kKey128, kCount, "", kTwoBlocks,
     "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825", ""},
    {"SP 800-38A F.5.1", CipherAlgorithm::kAes, CipherMode::kCtr, kKey128,
     "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "", kTwoBlocks,
     "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff", ""},
    {"SP 800-38C example 1", CipherAlgorithm::kAes, CipherMode::kCcm,
     "404142434445464748494a4b4c4d4e4f", "10111213141516", "0001020304050607", "20212223",
     "7162015b", "4dac255d"},
    {"SP 800-38C example 3", CipherAlgorithm::kAes, CipherMode::kCcm,
     "404142434445464748494a4b4c4d4e4f", "101112131415161718191a1b",
     "000102030405060708090a0b0c0d0e0f10111213", "202122232425262728292a2b2c2d2e2f3031323334353637",
     "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5", "484392fbc1b09951"},
    {"SP 800-67 B.1", CipherAlgorithm::kTripleDes, CipherMode::kEcb,
     "0123456789abcdef23456789abcdef01456789abcdef0123", "", "",
     "54686520717566636b2062726f776e20666f78206a756d70",
     "a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900", ""},
    {"RFC 3713 A", CipherAlgorithm::kCamellia, CipherMode::kEcb, "0123456789abcdeffedcba9876543210",
     "", "", "0123456789abcdeffedcba9876543210", "67673138549669730857065648eabe43", ""},
    {"RFC 5794 A.1", CipherAlgorithm::kAria, CipherMode::kEcb, "000102030405060708090a0b0c0d0e0f",
     "", "", "00112233445566778899aabbccddeeff", "d718fbd6ab644c739da95f3be6451778", ""},
    {"KMIP TC-OTP-1", CipherAlgorithm::kOneTimePad, CipherMode::kNone, "fc932e1428bd", "", "",
     "010203040506", "fd912d102dbb", ""},
    {"RFC 8439 2.4.2", CipherAlgorithm::kChaCha20, CipherMode::kNone,
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "01000000000000000000004a00000000", "", kSunscreen,
     "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b"
     "3"
     "571639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab77"
     "9"
     "37365af90bbf74a35be6b40b8eedf2785e42874d",
     ""},
    {"KMIP CS-BC-M-CHACHA20-1", CipherAlgorithm::kChaCha20, CipherMode::kNone,
     "0000000000000000000000000000000000000000000000000000000000000000", "0000000000000000", "",
     "00000000000000000000000000000000", "76b8e0ada0f13d90405d6ae55386bd28", ""},
    {"RFC 8439 2.8.2", CipherAlgorithm::kChaCha20Poly1305, CipherMode::kNone,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7", kSunscreen,
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da927"
     "2"
     "8b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b483"
     "1"
     "d7bc3ff4def08e4b7a9de576d26586cec64b6116",
     "1ae10b594f09e26a7e902ecbd0600691"},
};

TEST(BlockCipher, GivesThePublishedAnswersBothWays) {
  for (const Answer& answer : kAnswers) {
    SCOPED_TRACE(answer.source);
    const Bytes key = Hex(answer.key), iv = Hex(answer.iv), aad = Hex(answer.aad);
    const Bytes plain = Hex(answer.plain), tag = Hex(answer.tag);
    CipherRequest request{answer.algorithm, answer.mode, Padding::kNone, key, iv, aad};
    request.tag_length = tag.size();
    request.policy = kLegacy;
    const auto encrypted = Encrypt(request, plain);
    ASSERT_TRUE(encrypted.has_value()) << encrypted.error().message;
    EXPECT_EQ(ToHex(encrypted->data), answer.cipher);
    EXPECT_EQ(ToHex(encrypted->tag), answer.tag);
    const auto decrypted = Decrypt(request, encrypted->data, tag);
    ASSERT_TRUE(decrypted.has_value()) << decrypted.error().message;
    EXPECT_EQ(ToHex(*decrypted), answer.plain);
  }
}

TEST(BlockCipher, AgreesWithNistOnGcm) {
  const auto records = ReadNistRecords("nist-cavp/gcmEncryptExtIV256-iv96-tag128.rsp");
  if (records.empty()) GTEST_SKIP() << "../shared/vectors/nist-cavp is absent";
  int ran = 0;
  for (NistRecord record : records) {
    if (!record.contains("Key")) continue;
    const Bytes key = Hex(record["Key"]), iv = Hex(record["IV"]), aad = Hex(record["AAD"]);
    CipherRequest request;
    request.key = key;
    request.iv = iv;
    request.aad = aad;
    const auto encrypted = Encrypt(request, Hex(record["PT"]));
    ASSERT_TRUE(encrypted.has_value());
    EXPECT_EQ(ToHex(encrypted->data), record["CT"]);
    EXPECT_EQ(ToHex(encrypted->tag), record["Tag"]);
    ++ran;
  }
  EXPECT_EQ(ran, 375);
}

TEST(BlockCipher, AgreesWithWycheproofOnGcm) {
  const auto tests = ReadWycheproof("wycheproof/aes_gcm_test.json");
  if (tests.empty()) GTEST_SKIP() << "../shared/vectors/wycheproof is absent";
  int long_iv = 0;
  for (WycheproofTest test : tests) {
    SCOPED_TRACE("tcId " + test["tcId"]);
    const Bytes key = Hex(test["key"]), iv = Hex(test["iv"]), aad = Hex(test["aad"]);
    CipherRequest request;
    request.key = key;
    request.iv = iv;
    request.aad = aad;
    const auto decrypted = Decrypt(request, Hex(test["ct"]), Hex(test["tag"]));
    if (iv.size() > 128) {  // OpenSSL's limit; an error, never a wrong answer
      EXPECT_EQ(decrypted.error().code, Code::kInvalidArgument);
      ++long_iv;
    } else if (test["result"] == "valid") {
      ASSERT_TRUE(decrypted.has_value());
      EXPECT_EQ(ToHex(*decrypted), test["msg"]);
      const auto encrypted = Encrypt(request, Hex(test["msg"]));
      EXPECT_EQ(ToHex(encrypted->data), test["ct"]);
      EXPECT_EQ(ToHex(encrypted->tag), test["tag"]);
    } else {
      EXPECT_FALSE(decrypted.has_value());
    }
  }
  EXPECT_LT(long_iv, 20);
}

TEST(BlockCipher, AgreesWithNistOnXts) {
  const auto records = ReadNistRecords("nist-cavp/XTSGenAES256-tweak128.rsp");
  if (records.empty()) GTEST_SKIP() << "../shared/vectors/nist-cavp is absent";
  int ran = 0;
  for (NistRecord record : records) {
    if (!record.contains("DataUnitLen") || std::stoi(record["DataUnitLen"]) % 8 != 0) continue;
    const Bytes key = Hex(record["Key"]), tweak = Hex(record["i"]);
    const CipherRequest request{CipherAlgorithm::kAes, CipherMode::kXts, Padding::kNone, key,
                                tweak};
    EXPECT_EQ(ToHex(Encrypt(request, Hex(record["PT"]))->data), record["CT"]);
    EXPECT_EQ(ToHex(*Decrypt(request, Hex(record["CT"]))), record["PT"]);
    ++ran;
  }
  EXPECT_GT(ran, 300);
}

// Every algorithm and mode, every key length, sizes around the block.
TEST(BlockCipher, GivesBackWhatItEncrypted) {
  const Bytes material(64, 0x5a), iv(16, 0x17), aad(5, 1);
  Bytes key = material;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i * 7 + 1);
  for (const CipherMode mode :
       {CipherMode::kEcb, CipherMode::kCbc, CipherMode::kCtr, CipherMode::kCfb128, CipherMode::kOfb,
        CipherMode::kXts, CipherMode::kGcm, CipherMode::kCcm}) {
    for (const std::size_t key_bytes : {16, 24, 32}) {
      if (mode == CipherMode::kXts && key_bytes == 24) continue;
      const bool xts = mode == CipherMode::kXts;
      const bool padded = mode == CipherMode::kEcb || mode == CipherMode::kCbc;
      CipherRequest request;
      request.mode = mode;
      request.key = ByteView(key).first(xts ? 2 * key_bytes : key_bytes);
      request.iv = ByteView(iv).first(DefaultIvBytes(CipherAlgorithm::kAes, mode));
      if (IsAuthenticated(CipherAlgorithm::kAes, mode)) request.aad = aad;
      request.padding = padded ? Padding::kPkcs5 : Padding::kNone;
      request.policy = kLegacy;
      for (const std::size_t size : {0, 1, 15, 16, 17, 4096}) {
        if (xts && size < 16) continue;
        SCOPED_TRACE(std::string(Name(mode)) + " " + std::to_string(size));
        const Bytes plain(size, 0x33);
        const auto encrypted = Encrypt(request, plain);
        ASSERT_TRUE(encrypted.has_value()) << encrypted.error().message;
        const auto decrypted = Decrypt(request, encrypted->data, encrypted->tag);
        ASSERT_TRUE(decrypted.has_value()) << decrypted.error().message;
        EXPECT_EQ(ToHex(*decrypted), ToHex(plain));
      }
    }
  }
}

TEST(BlockCipher, RefusesAnythingAltered) {
  const Bytes key(32, 1), nonce(12, 2), aad{3, 4}, plain(40, 5);
  struct Kind {
    CipherAlgorithm algorithm;
    CipherMode mode;
    std::size_t tag;
  };
  for (const Kind kind : {Kind{CipherAlgorithm::kAes, CipherMode::kGcm, 16},
                          Kind{CipherAlgorithm::kAes, CipherMode::kGcm, 12},
                          Kind{CipherAlgorithm::kAes, CipherMode::kCcm, 16},
                          Kind{CipherAlgorithm::kChaCha20Poly1305, CipherMode::kNone, 16}}) {
    SCOPED_TRACE(std::string(Name(kind.algorithm)) + " " + std::string(Name(kind.mode)));
    CipherRequest request{kind.algorithm, kind.mode, Padding::kNone, key, nonce, aad, kind.tag};
    const CipherOutput good = *Encrypt(request, plain);
    ASSERT_TRUE(Decrypt(request, good.data, good.tag).has_value());
    for (std::size_t bit = 0; bit < good.data.size() * 8; ++bit) {
      Bytes bad = good.data;
      bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      EXPECT_EQ(Decrypt(request, bad, good.tag).error().code, Code::kDamaged);
    }
    for (std::size_t bit = 0; bit < good.tag.size() * 8; ++bit) {
      Bytes bad = good.tag;
      bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      EXPECT_EQ(Decrypt(request, good.data, bad).error().code, Code::kDamaged);
    }
    const ByteView cut = ByteView(good.data).first(good.data.size() - 1);
    EXPECT_EQ(Decrypt(request, cut, good.tag).error().code, Code::kDamaged);
    const ByteView short_tag = ByteView(good.tag).first(good.tag.size() - 1);
    EXPECT_EQ(Decrypt(request, good.data, short_tag).error().code, Code::kInvalidArgument);
    request.aad = {};
    EXPECT_EQ(Decrypt(request, good.data, good.tag).error().code, Code::kDamaged);
  }
}

TEST(BlockCipher, RefusesWrongPaddingWithTheSameTextAsADamagedTag) {
  const Bytes key(32, 1), iv(16, 2);
  const CipherRequest request{CipherAlgorithm::kAes, CipherMode::kCbc, Padding::kPkcs5, key, iv};
  const auto padding = Decrypt(request, Bytes(32, 9));
  ASSERT_FALSE(padding.has_value());
  EXPECT_EQ(padding.error().code, Code::kDamaged);
  const CipherRequest gcm{CipherAlgorithm::kAes, CipherMode::kGcm, Padding::kNone, key,
                          ByteView(iv).first(12)};
  EXPECT_EQ(Decrypt(gcm, Bytes(32, 9), Bytes(16, 9)).error().message, padding.error().message);
}

TEST(BlockCipher, RefusesWhatDoesNotFitTheMode) {
  const Bytes key(32, 1), iv(16, 2), text(20, 3);
  CipherRequest request{CipherAlgorithm::kAes, CipherMode::kCbc, Padding::kNone, key, iv};
  EXPECT_EQ(Encrypt(request, text).error().code, Code::kInvalidArgument);  // not whole blocks
  request.padding = Padding::kPkcs5;
  EXPECT_TRUE(Encrypt(request, text).has_value());
  request.iv = ByteView(iv).first(12);
  EXPECT_EQ(Encrypt(request, text).error().code, Code::kInvalidArgument);
  request.iv = iv;
  request.aad = text;
  EXPECT_EQ(Encrypt(request, text).error().code, Code::kInvalidArgument);
  request.aad = {};
  request.mode = CipherMode::kCtr;  // padding on a stream
  EXPECT_EQ(Encrypt(request, text).error().code, Code::kInvalidArgument);
  request.padding = Padding::kNone;
  request.key = ByteView(key).first(15);
  EXPECT_EQ(Encrypt(request, text).error().code, Code::kInvalidArgument);
  request.key = {};
  EXPECT_EQ(Encrypt(request, text).error().code, Code::kInvalidArgument);
  request.key = key;
  request.mode = CipherMode::kNone;
  EXPECT_EQ(Encrypt(request, text).error().code, Code::kUnsupported);
  request.mode = CipherMode::kXts;  // equal halves (SP 800-38E)
  const Bytes halves(64, 1);
  request.key = halves;
  EXPECT_EQ(Encrypt(request, text).error().code, Code::kInvalidArgument);
  request.mode = CipherMode::kCcm;  // 13-byte nonce leaves two bytes for the length
  request.key = key;
  request.iv = ByteView(iv).first(13);
  EXPECT_EQ(Encrypt(request, Bytes(65536)).error().code, Code::kTooLarge);
}

TEST(BlockCipher, TakesLegacyAlgorithmsOnlyWhenToldTo) {
  const Bytes key(24, 1), iv(8, 2), text(8, 3);
  CipherRequest request{CipherAlgorithm::kTripleDes, CipherMode::kCbc, Padding::kNone, key, iv};
  EXPECT_EQ(Encrypt(request, text).error().code, Code::kDenied);
  request.policy = kLegacy;
  EXPECT_TRUE(Encrypt(request, text).has_value());
}

TEST(BlockCipher, ExpandsTwoKeyTripleDes) {
  const Bytes two = Hex("0123456789abcdef23456789abcdef01");
  const Bytes three = Hex("0123456789abcdef23456789abcdef010123456789abcdef");
  CipherRequest request{CipherAlgorithm::kTripleDes, CipherMode::kEcb, Padding::kNone, two};
  request.policy = kLegacy;
  const Bytes text(16, 7);
  const Bytes short_key = Encrypt(request, text)->data;
  request.key = three;
  EXPECT_EQ(ToHex(short_key), ToHex(Encrypt(request, text)->data));
}

TEST(BlockCipher, AOneTimePadHidesNoMoreThanItsLength) {
  const Bytes pad(4, 1), data(5, 2);
  CipherRequest request{CipherAlgorithm::kOneTimePad, CipherMode::kNone, Padding::kNone, pad};
  EXPECT_EQ(Encrypt(request, ByteView(data).first(4)).error().code, Code::kDenied);
  request.policy = kLegacy;
  EXPECT_TRUE(Encrypt(request, ByteView(data).first(4)).has_value());
  EXPECT_EQ(Encrypt(request, data).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Decrypt(request, data).error().code, Code::kInvalidArgument);
  EXPECT_EQ(CipherStream::Begin(request, CipherStream::Direction::kEncrypt).error().code,
            Code::kUnsupported);
}

TEST(BlockCipher, TripleDesHasTheModesOfOpenSsl) {
  const Bytes key = Hex("0123456789abcdef23456789abcdef01456789abcdef0123"), iv(8, 7);
  for (const CipherMode mode : {CipherMode::kCbc, CipherMode::kCfb128, CipherMode::kOfb}) {
    CipherRequest request{CipherAlgorithm::kTripleDes, mode, Padding::kNone, key, iv};
    request.policy = kLegacy;
    const Bytes plain(16, 0x5a);
    const auto sealed = Encrypt(request, plain);
    ASSERT_TRUE(sealed.has_value()) << Name(mode);
    const auto opened = Decrypt(request, sealed->data);
    EXPECT_EQ(Bytes(opened->begin(), opened->end()), plain) << Name(mode);
  }
  CipherRequest request{CipherAlgorithm::kTripleDes, CipherMode::kCtr, Padding::kNone, key, iv};
  request.policy = kLegacy;
  EXPECT_EQ(Encrypt(request, iv).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace dare::crypto

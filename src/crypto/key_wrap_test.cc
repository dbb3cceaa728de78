#include "crypto/key_wrap.h"

#include <gtest/gtest.h>

#include "crypto/known_answers_for_test.h"

namespace dare::crypto {
namespace {

class KeyWrap : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20).has_value()); }
};

TEST_F(KeyWrap, GivesTheAnswersOfTheRfcs) {
  // RFC 3394, section 4.6
  const Bytes kek = Hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const Bytes key = Hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(ToHex(*WrapKey(KeyWrapMode::kAesKw, kek, key)),
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
  // RFC 5649, section 6
  const Bytes kek192 = Hex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
  EXPECT_EQ(ToHex(*WrapKey(KeyWrapMode::kAesKwp, kek192,
                           Hex("c37b7e6492584340bed12207808941155068f738"))),
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a");
  EXPECT_EQ(ToHex(*WrapKey(KeyWrapMode::kAesKwp, kek192, Hex("466f7250617369"))),
            "afbeb0f07dfbf5419200f2ccb50bb24f");
}

TEST_F(KeyWrap, AgreesWithNistOnWrapping) {
  const auto records = ReadNistRecords("nist-cavp/KW_AE_256.txt");
  if (records.empty()) GTEST_SKIP() << "../shared/vectors/nist-cavp is absent";
  int ran = 0;
  for (NistRecord record : records) {
    if (!record.contains("K")) continue;
    EXPECT_EQ(ToHex(*WrapKey(KeyWrapMode::kAesKw, Hex(record["K"]), Hex(record["P"]))),
              record["C"]);
    EXPECT_EQ(ToHex(UnwrapKey(KeyWrapMode::kAesKw, Hex(record["K"]), Hex(record["C"]))->Reveal()),
              record["P"]);
    ++ran;
  }
  EXPECT_EQ(ran, 500);
}

TEST_F(KeyWrap, AgreesWithNistOnUnwrappingWithPadding) {
  const auto records = ReadNistRecords("nist-cavp/KWP_AD_256.txt");
  if (records.empty()) GTEST_SKIP() << "../shared/vectors/nist-cavp is absent";
  int refused = 0;
  for (NistRecord record : records) {
    if (!record.contains("K")) continue;
    const auto key = UnwrapKey(KeyWrapMode::kAesKwp, Hex(record["K"]), Hex(record["C"]));
    if (record.contains("FAIL")) {
      EXPECT_EQ(key.error().code, Code::kDamaged);
      ++refused;
    } else {
      ASSERT_TRUE(key.has_value());
      EXPECT_EQ(ToHex(key->Reveal()), record["P"]);
    }
  }
  EXPECT_EQ(refused, 100);
}

void RunWycheproof(const std::string& path, KeyWrapMode mode) {
  const auto tests = ReadWycheproof(path);
  if (tests.empty()) GTEST_SKIP() << "../shared/vectors/wycheproof is absent";
  for (WycheproofTest test : tests) {
    SCOPED_TRACE("tcId " + test["tcId"]);
    const Bytes kek = Hex(test["key"]);
    const auto key = UnwrapKey(mode, kek, Hex(test["ct"]));
    if (test["result"] == "valid") {
      ASSERT_TRUE(key.has_value()) << key.error().message;
      EXPECT_EQ(ToHex(*WrapKey(mode, kek, Hex(test["msg"]))), test["ct"]);
    }
    EXPECT_FALSE(key.has_value() && test["result"] == "invalid");
    EXPECT_TRUE(!key.has_value() || ToHex(key->Reveal()) == test["msg"]);
  }
}

TEST_F(KeyWrap, AgreesWithWycheproofOnKw) {
  RunWycheproof("wycheproof/aes_wrap_test.json", KeyWrapMode::kAesKw);
}

TEST_F(KeyWrap, AgreesWithWycheproofOnKwp) {
  RunWycheproof("wycheproof/aes_kwp_test.json", KeyWrapMode::kAesKwp);
}

TEST_F(KeyWrap, RefusesEveryFlippedBitAndTheOtherMode) {
  const Bytes kek(32, 1), key(32, 2);
  for (const KeyWrapMode mode : {KeyWrapMode::kAesKw, KeyWrapMode::kAesKwp}) {
    const Bytes wrapped = *WrapKey(mode, kek, key);
    for (std::size_t bit = 0; bit < wrapped.size() * 8; ++bit) {
      Bytes bad = wrapped;
      bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      EXPECT_EQ(UnwrapKey(mode, kek, bad).error().code, Code::kDamaged);
    }
    const KeyWrapMode other =
        mode == KeyWrapMode::kAesKw ? KeyWrapMode::kAesKwp : KeyWrapMode::kAesKw;
    EXPECT_EQ(UnwrapKey(other, kek, wrapped).error().code, Code::kDamaged);
    EXPECT_EQ(UnwrapKey(mode, Bytes(32, 3), wrapped).error().code, Code::kDamaged);
  }
}

TEST_F(KeyWrap, RefusesLengthsThatDoNotFit) {
  const Bytes kek(32, 1);
  EXPECT_EQ(WrapKey(KeyWrapMode::kAesKw, kek, Bytes(8)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(WrapKey(KeyWrapMode::kAesKw, kek, Bytes(20)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(WrapKey(KeyWrapMode::kAesKwp, kek, {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(WrapKey(KeyWrapMode::kAesKw, Bytes(31), Bytes(32)).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(WrapKey(KeyWrapMode::kAesKw, kek, Bytes(1 << 20)).error().code, Code::kTooLarge);
  EXPECT_EQ(UnwrapKey(KeyWrapMode::kAesKw, kek, Bytes(1 << 20)).error().code, Code::kTooLarge);
  EXPECT_EQ(UnwrapKey(KeyWrapMode::kAesKw, kek, Bytes(16)).error().code, Code::kDamaged);
  EXPECT_EQ(UnwrapKey(KeyWrapMode::kAesKwp, kek, {}).error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::crypto

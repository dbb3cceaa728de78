#include "crypto/aead.h"

#include <gtest/gtest.h>

#include <random>

#include "base/secret_bytes.h"
#include "crypto/known_answers_for_test.h"

namespace dare::crypto {
namespace {

struct Case {
  Bytes key, iv, aad, plain, cipher, tag;
};

void CheckBothWays(Aead aead, const Case& test) {
  Bytes data = test.plain;
  Bytes tag(kGcmTagSize);
  ASSERT_TRUE(aead.SealInPlace(test.iv, test.aad, data, tag));
  EXPECT_EQ(ToHex(data), ToHex(test.cipher));
  EXPECT_EQ(ToHex(tag), ToHex(test.tag));
  // The same object, the other direction: the schedule is kept.
  ASSERT_TRUE(aead.OpenInPlace(test.iv, test.aad, data, tag));
  EXPECT_EQ(ToHex(data), ToHex(test.plain));
  tag[0] ^= 1;
  EXPECT_EQ(aead.OpenInPlace(test.iv, test.aad, data, tag).error().code, Code::kDamaged);
  EXPECT_EQ(data, Bytes(data.size(), 0)) << "no unauthenticated byte is left";
}

void CheckAllKernels(const Case& test) {
  CheckBothWays(Aead::CreateOnOpenSsl(test.key).value(), test);
  CheckBothWays(Aead::Create(test.key).value(), test);
  CheckBothWays(Aead::Create(test.key)->Clone().value(), test);
}

TEST(Aead, AgreesWithNist) {
  const auto records = ReadNistRecords("nist-cavp/gcmEncryptExtIV256-iv96-tag128.rsp");
  if (records.empty()) GTEST_SKIP() << "../shared/vectors/nist-cavp is absent";
  for (NistRecord record : records) {
    SCOPED_TRACE(record["Tag"]);
    CheckAllKernels({Hex(record["Key"]), Hex(record["IV"]), Hex(record["AAD"]), Hex(record["PT"]),
                     Hex(record["CT"]), Hex(record["Tag"])});
  }
}

TEST(Aead, AgreesWithWycheproof) {
  const auto tests = ReadWycheproof("wycheproof/aes_gcm_test.json");
  if (tests.empty()) GTEST_SKIP() << "../shared/vectors/wycheproof is absent";
  for (WycheproofTest test : tests) {
    SCOPED_TRACE(test["tcId"]);
    const Case c{Hex(test["key"]), Hex(test["iv"]), Hex(test["aad"]),
                 Hex(test["msg"]), Hex(test["ct"]), Hex(test["tag"])};
    if (test["result"] == "valid" && c.iv.size() == kGcmIvSize) {
      CheckAllKernels(c);
      continue;
    }
    Bytes data = c.cipher;
    EXPECT_FALSE(Aead::Create(c.key)->OpenInPlace(c.iv, c.aad, data, c.tag));
  }
}

// Lengths around every width a vectorised implementation may work in.
TEST(Aead, FastestImplementationAgreesWithOpenSslAtEveryLength) {
  for (const std::size_t key_size : {16, 24, 32}) {
    Aead reference = Aead::CreateOnOpenSsl(Bytes(key_size, 3)).value();
    Aead fastest = Aead::Create(Bytes(key_size, 3)).value();
    for (std::size_t size = 0; size < 1100; size += size < 300 ? 1 : 37) {
      Bytes iv(kGcmIvSize, static_cast<std::uint8_t>(size)), aad(size % 70, 5);
      Bytes one(size, 9), two(size, 9), tag_one(kGcmTagSize), tag_two(kGcmTagSize);
      ASSERT_TRUE(reference.SealInPlace(iv, aad, one, tag_one));
      ASSERT_TRUE(fastest.SealInPlace(iv, aad, two, tag_two));
      ASSERT_EQ(one, two) << size;
      ASSERT_EQ(tag_one, tag_two) << size;
      ASSERT_TRUE(fastest.OpenInPlace(iv, aad, two, tag_one)) << size;
      ASSERT_EQ(two, Bytes(size, 9)) << size;
    }
  }
}

// Random keys, bytes, lengths up to a frame's and places that are not aligned, in place both ways.
TEST(Aead, FastestImplementationAgreesWithOpenSslOnRandomInput) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto up_to = [&](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(random);
  };
  const auto fill = [&](std::size_t size) {
    Bytes bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
  };
  for (int round = 0; round < 200; ++round) {
    const Bytes key = fill(16 + 8 * up_to(2)), iv = fill(kGcmIvSize), aad = fill(up_to(200));
    const std::size_t shift = up_to(63);  // of the data in its buffer
    const Bytes plain = fill(shift + (round % 20 == 0 ? up_to(256u << 10) : up_to(5000)));
    Aead reference = Aead::CreateOnOpenSsl(key).value();
    Aead fastest = Aead::Create(key).value();
    Bytes one = plain, two = plain, tag_one(kGcmTagSize), tag_two(kGcmTagSize);
    ASSERT_TRUE(reference.SealInPlace(iv, aad, MutableBytes(one).subspan(shift), tag_one));
    ASSERT_TRUE(fastest.SealInPlace(iv, aad, MutableBytes(two).subspan(shift), tag_two));
    ASSERT_EQ(one, two);
    ASSERT_EQ(tag_one, tag_two);
    ASSERT_TRUE(fastest.OpenInPlace(iv, aad, MutableBytes(one).subspan(shift), tag_two));
    ASSERT_TRUE(reference.OpenInPlace(iv, aad, MutableBytes(two).subspan(shift), tag_one));
    ASSERT_EQ(one, plain);
    ASSERT_EQ(two, plain);
  }
}

TEST(Aead, RefusesOddSizes) {
  EXPECT_EQ(Aead::Create(Bytes(31)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Aead::Create({}).error().code, Code::kInvalidArgument);
  Aead aead = Aead::Create(Bytes(32)).value();
  Bytes data(4), tag(16), short_tag(15);
  EXPECT_EQ(aead.SealInPlace(Bytes(16), {}, data, tag).error().code, Code::kInvalidArgument);
  EXPECT_EQ(aead.SealInPlace(Bytes(12), {}, data, short_tag).error().code, Code::kInvalidArgument);
  EXPECT_EQ(aead.OpenInPlace(Bytes(12), {}, data, short_tag).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::crypto

#include "hsm/resident_reference.h"

#include <gtest/gtest.h>

#include "hsm/memory_sealer_for_test.h"

namespace dare::hsm {
namespace {

class ResidentReferenceTest : public testing::Test {
 protected:
  void SetUp() override { MemorySealerForTest::Make(); }  // starts the secure heap

  static ResidentReference Pair() {
    return {.kind = ResidentKind::kEc,
            .bits = 384,
            .token_label = "dare",
            .token_serial = "0011",
            .id = Bytes(16, 7),
            .check = {},
            .public_key = Bytes(120, 9)};
  }
  static ResidentReference Secret() {
    return {.kind = ResidentKind::kAes,
            .bits = 256,
            .token_label = "dare",
            .token_serial = "",
            .id = Bytes(16, 3),
            .check = {1, 2, 3},
            .public_key = {}};
  }
};

TEST_F(ResidentReferenceTest, ComesBackAsItWas) {
  for (const ResidentReference& reference : {Pair(), Secret()}) {
    const auto encoded = reference.Encode();
    ASSERT_TRUE(encoded.has_value());
    EXPECT_TRUE(ResidentReference::Is(encoded->Reveal()));
    const auto parsed = ResidentReference::Parse(encoded->Reveal());
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(*parsed, reference);
  }
}

// docs/formats/record.md: the first bytes of a symmetric key's reference.
TEST_F(ResidentReferenceTest, IsWrittenAsTheFormatSays) {
  const auto encoded = Secret().Encode();
  ASSERT_TRUE(encoded.has_value());
  EXPECT_EQ(ToHex(encoded->Reveal()),
            "4461525201"
            "01"
            "00000100"
            "0004"
            "64617265"
            "0000"
            "0010"
            "03030303030303030303030303030303"
            "0003"
            "010203"
            "0000");
}

TEST_F(ResidentReferenceTest, RefusesWhatIsCutLongerOrOfUnknownKind) {
  const auto encoded = Pair().Encode();
  ASSERT_TRUE(encoded.has_value());
  const ByteView whole = encoded->Reveal();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(ResidentReference::Parse(whole.first(n)).has_value()) << n;
  }
  Bytes changed = ToBytes(whole);
  changed.push_back(0);
  EXPECT_EQ(ResidentReference::Parse(changed).error().code, Code::kDamaged);
  changed = ToBytes(whole);
  changed[5] = 9;
  EXPECT_FALSE(ResidentReference::Parse(changed).has_value());
  changed[5] = 1;  // a secret key with a public half
  EXPECT_FALSE(ResidentReference::Parse(changed).has_value());
}

TEST_F(ResidentReferenceTest, IsNoObjectStructureOfKmip) {
  const Bytes kmip = {0x42, 0x00, 0x8f, 0x01, 0, 0, 0, 0};
  EXPECT_FALSE(ResidentReference::Is(kmip));
}

}  // namespace
}  // namespace dare::hsm

#include "custody/root_sealer.h"

#include <gtest/gtest.h>

#include <set>

#include "hsm/sealed_record.h"

namespace dare::custody {
namespace {

class RootSealerTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20).has_value()); }

  static std::unique_ptr<RootSealer> Make(const std::string& id = "0011223344556677") {
    Bytes key(kRootKeyBytes);
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    return *RootSealer::Make(*FromHex(id), *SecretBytes::CopyOf(key));
  }
  const ByteView aad_ = AsBytes("example");
  const std::unique_ptr<RootSealer> sealer_ = (SetUp(), Make());
};

// Computed with HKDF and AESGCM of Python's cryptography 38.0.4 from the description in
// docs/formats/custody.md alone.
TEST_F(RootSealerTest, GivesTheBytesOfAnIndependentImplementation) {
  Bytes salt(kRootSaltBytes), secret(32);
  for (std::size_t i = 0; i < 32; ++i) {
    salt[i] = static_cast<std::uint8_t>(0x80 + i);
    secret[i] = static_cast<std::uint8_t>(0x40 + i);
  }
  const std::string expected =
      "01040011223344556677"
      "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
      "c18365f98937be0c2f03b33b7409c47c426c4bf793e40828ac9f4c8037e2d190"
      "0df3001959147cdd74528655acde78fa";
  EXPECT_EQ(ToHex(*sealer_->SealWithSaltForTest(salt, aad_, secret)), expected);
  EXPECT_EQ(ToHex(sealer_->Open(aad_, *FromHex(expected))->Reveal()), ToHex(secret));
  EXPECT_EQ(ToHex(sealer_->info().check_value), "52857d");
}

TEST_F(RootSealerTest, OpensWhatItSealedAtEverySize) {
  for (const std::size_t size : {1ul, 16ul, 32ul, 4096ul, hsm::kMostSecretBytes}) {
    SCOPED_TRACE(size);
    const Bytes secret(size, 0x42);
    const auto sealed = sealer_->Seal(aad_, secret);
    ASSERT_TRUE(sealed.has_value());
    EXPECT_EQ(sealed->size(), size + kRootRecordOverhead);
    EXPECT_EQ(ToHex(sealer_->Open(aad_, *sealed)->Reveal()), ToHex(secret));
  }
  EXPECT_EQ(sealer_->seals(), 5u);
}

TEST_F(RootSealerTest, RefusesEveryFlippedBit) {
  const Bytes sealed = *sealer_->Seal(aad_, Bytes(32, 7));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes forged = sealed;
    forged[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(sealer_->Open(aad_, forged).has_value()) << "bit " << bit;
  }
}

TEST_F(RootSealerTest, RefusesAnotherContextKeyOrLength) {
  const Bytes sealed = *sealer_->Seal(aad_, Bytes(32, 7));
  EXPECT_EQ(sealer_->Open(AsBytes("other"), sealed).error().code, Code::kDamaged);
  EXPECT_EQ(sealer_->Open({}, sealed).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Make("0011223344556678")->Open(aad_, sealed).error().code, Code::kNotFound);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(sealer_->Open(aad_, ByteView(sealed).first(size)).has_value()) << size;
  }
  EXPECT_FALSE(sealer_->Seal({}, Bytes(1)).has_value());
  EXPECT_FALSE(sealer_->Seal(aad_, {}).has_value());
}

TEST_F(RootSealerTest, NeverUsesASaltTwice) {
  std::set<Bytes> salts;
  for (int i = 0; i < 1000; ++i) {
    const Bytes sealed = *sealer_->Seal(aad_, Bytes(1, 7));
    salts.insert(Bytes(sealed.begin() + 10, sealed.begin() + 42));
  }
  EXPECT_EQ(salts.size(), 1000u);
}

}  // namespace
}  // namespace dare::custody

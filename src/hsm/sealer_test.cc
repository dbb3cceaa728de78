#include "hsm/sealer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hsm/direct_sealer.h"
#include "hsm/faulty_token_for_test.h"
#include "hsm/memory_sealer_for_test.h"
#include "hsm/pkcs11.h"
#include "hsm/sealed_record.h"

namespace dare::hsm {
namespace {

using testing::HasSubstr;

enum class Kind { kDirect, kMemory };

// What every sealer must do.
class SealerConformance : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::kDirect && !SoftHsmForTest::Available()) {
      GTEST_SKIP() << "SoftHSM2 is not installed";
    }
    sealer_ = Make("mek");
  }
  static std::unique_ptr<Sealer> Make(const std::string& label) {
    if (GetParam() == Kind::kMemory) return MemorySealerForTest::Make();
    auto sealer = DirectSealer::Make(SoftHsmForTest::Get().Key(label));
    EXPECT_TRUE(sealer.has_value()) << sealer.error().message;
    return *std::move(sealer);
  }
  const ByteView aad_ = AsBytes("object 1, version 1");
  std::unique_ptr<Sealer> sealer_;
};

INSTANTIATE_TEST_SUITE_P(All, SealerConformance, testing::Values(Kind::kDirect, Kind::kMemory),
                         [](const auto& test) {
                           return test.param == Kind::kDirect ? "Direct" : "Memory";
                         });

TEST_P(SealerConformance, OpensWhatItSealed) {
  for (const std::size_t size : {1ul, 16ul, 32ul, 33ul, 4096ul, kMostSecretBytes}) {
    SCOPED_TRACE(size);
    const Bytes secret(size, 0x42);
    const auto sealed = sealer_->Seal(aad_, secret);
    ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
    EXPECT_EQ(sealed->size(), size + kRecordOverhead);
    const auto opened = sealer_->Open(aad_, *sealed);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(ToHex(opened->Reveal()), ToHex(secret));
  }
}

TEST_P(SealerConformance, WritesTheDocumentedBytes) {
  const Bytes sealed = *sealer_->Seal(aad_, Bytes(32));
  EXPECT_EQ(sealed[0], 1);
  EXPECT_EQ(sealed[1], 1);
  EXPECT_EQ(ToHex(ByteView(sealed).subspan(2, 8)), ToHex(sealer_->info().key_id));
  EXPECT_EQ(sealed.size(), 10u + 12 + 32 + 16);
}

TEST_P(SealerConformance, NeverSealsTwiceTheSame) {
  const Bytes secret(32, 1);
  const std::uint64_t before = sealer_->seals();
  const Bytes a = *sealer_->Seal(aad_, secret), b = *sealer_->Seal(aad_, secret);
  EXPECT_NE(ToHex(ByteView(a).subspan(10, 12)), ToHex(ByteView(b).subspan(10, 12)));
  EXPECT_NE(ToHex(a), ToHex(b));
  EXPECT_EQ(sealer_->seals() - before, 2u);
}

TEST_P(SealerConformance, RefusesEveryFlippedBit) {
  const Bytes sealed = *sealer_->Seal(aad_, Bytes(32, 7));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes bad = sealed;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    const auto opened = sealer_->Open(aad_, bad);
    ASSERT_FALSE(opened.has_value()) << "bit " << bit;
    const bool in_key_id = bit / 8 >= 2 && bit / 8 < 10;
    EXPECT_EQ(opened.error().code, in_key_id ? Code::kNotFound : Code::kDamaged) << "bit " << bit;
  }
  EXPECT_TRUE(sealer_->Open(aad_, sealed).has_value());
}

TEST_P(SealerConformance, HasOneTextForAllThatDoesNotAuthenticate) {
  const Bytes sealed = *sealer_->Seal(aad_, Bytes(32, 7));
  for (const std::size_t at : {10ul, 22ul, sealed.size() - 1}) {  // nonce, ciphertext, tag
    Bytes bad = sealed;
    bad[at] ^= 0x80;
    EXPECT_EQ(sealer_->Open(aad_, bad).error().message, "the record does not authenticate");
  }
  EXPECT_EQ(sealer_->Open(AsBytes("other"), sealed).error().message,
            "the record does not authenticate");
}

TEST_P(SealerConformance, RefusesACutOrExtendedRecord) {
  const Bytes sealed = *sealer_->Seal(aad_, Bytes(32, 7));
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(sealer_->Open(aad_, ByteView(sealed).first(size)).error().code, Code::kDamaged);
  }
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_EQ(sealer_->Open(aad_, longer).error().code, Code::kDamaged);
  EXPECT_EQ(sealer_->Open(aad_, Bytes(kMostSecretBytes * 2)).error().code, Code::kDamaged);
}

TEST_P(SealerConformance, BindsARecordToItsAssociatedData) {
  const Bytes sealed = *sealer_->Seal(aad_, Bytes(32, 7));
  EXPECT_EQ(sealer_->Open(AsBytes("object 2, version 1"), sealed).error().code, Code::kDamaged);
  EXPECT_EQ(sealer_->Open(aad_.first(aad_.size() - 1), sealed).error().code, Code::kDamaged);
  EXPECT_EQ(sealer_->Open({}, sealed).error().code, Code::kInvalidArgument);
}

TEST_P(SealerConformance, RefusesWhatCannotBeSealed) {
  EXPECT_EQ(sealer_->Seal({}, Bytes(32)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(sealer_->Seal(aad_, {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(sealer_->Seal(aad_, Bytes(kMostSecretBytes + 1)).error().code, Code::kTooLarge);
}

TEST_P(SealerConformance, RefusesARecordOfAnotherMasterKey) {
  const std::unique_ptr<Sealer> other = Make("another-mek");
  const Bytes sealed = *other->Seal(aad_, Bytes(32, 7));
  const auto opened = sealer_->Open(aad_, sealed);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::kNotFound);
  EXPECT_THAT(opened.error().message, HasSubstr(ToHex(other->info().key_id)));
  // Nor when it claims to be of ours.
  Bytes forged = sealed;
  const Bytes id = sealer_->info().key_id;
  std::copy(id.begin(), id.end(), forged.begin() + 2);
  EXPECT_EQ(sealer_->Open(aad_, forged).error().code, Code::kDamaged);
}

class DirectSealerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!SoftHsmForTest::Available()) GTEST_SKIP() << "SoftHSM2 is not installed";
    SoftHsmForTest::Get().Key();
  }
};

// SoftHSM2 gives CKR_GENERAL_ERROR for a wrong tag, and other tokens give it when they break: a
// broken token must not make good records look damaged.
TEST_F(DirectSealerTest, TellsABrokenTokenFromADamagedRecord) {
  FaultyTokenForTest faulty;
  const auto pool = faulty.Pool(SoftHsmForTest::kTokenLabel, SoftHsmForTest::Pin());
  const auto sealer = *DirectSealer::Make(*MasterKey::Find(pool, "mek"));
  const Bytes sealed = *sealer->Seal(AsBytes("id"), AsBytes("secret"));
  for (const CK_RV rv : {CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED, CKR_ENCRYPTED_DATA_INVALID,
                         CK_RV{CKR_VENDOR_DEFINED | 7}}) {
    SCOPED_TRACE(CkrName(rv));
    faulty.Fail(FaultyTokenForTest::kDecrypt, rv);
    EXPECT_EQ(sealer->Open(AsBytes("id"), sealed).error().code, Code::kUnavailable);
    faulty.Mend();
    EXPECT_TRUE(sealer->Open(AsBytes("id"), sealed).has_value());
  }
  faulty.Fail(CKR_GENERAL_ERROR);
  EXPECT_EQ(sealer->Open(AsBytes("id"), sealed).error().code, Code::kUnavailable);
}

TEST_F(DirectSealerTest, OpensWithTheSameKeyAfterARestart) {
  const Bytes sealed =
      *(*DirectSealer::Make(SoftHsmForTest::Get().Key()))->Seal(AsBytes("id"), AsBytes("secret"));
  const auto again = *DirectSealer::Make(SoftHsmForTest::Get().Key());
  const auto opened = again->Open(AsBytes("id"), sealed);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(AsText(opened->Reveal()), "secret");
}

}  // namespace
}  // namespace dare::hsm

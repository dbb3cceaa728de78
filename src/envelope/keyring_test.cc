#include "envelope/keyring.h"

#include <gtest/gtest.h>

#include "envelope/envelope_for_test.h"
#include "envelope/raw_rsa_keyring.h"

namespace dare::envelope {
namespace {

Dek DekForTest() { return Dek(SecretForTest(PatternForTest(32))); }

TEST(RawAesKeyWrapper, UnwrapsOnlyUnderTheSameContext) {
  const auto wrapper = KekForTest(1)[0];
  const EncryptedDataKey edk = wrapper->Wrap(DekForTest(), AsBytes("context")).value();
  EXPECT_EQ(edk.ciphertext.size(), 48u);
  EXPECT_EQ(edk.provider_info.size(), std::string("kek-0001").size() + 20);
  const std::optional<Dek> dek = wrapper->Unwrap(edk, AsBytes("context")).value();
  ASSERT_TRUE(dek);
  EXPECT_TRUE(EqualInConstantTime(dek->Reveal(), DekForTest().Reveal()));
  EXPECT_EQ(wrapper->Unwrap(edk, AsBytes("other")).error().code, Code::kDamaged);
}

TEST(RawAesKeyWrapper, EveryWrapHasItsOwnIv) {
  const auto wrapper = KekForTest(1)[0];
  EXPECT_NE(wrapper->Wrap(DekForTest(), {})->provider_info,
            wrapper->Wrap(DekForTest(), {})->provider_info);
}

// Format, section 5.1: skip (do not fail) when namespace, name, tag or IV length or sizes do not
// match.
TEST(RawAesKeyWrapper, SkipsCopiesOfOthers) {
  const auto wrapper = KekForTest(1)[0];
  const EncryptedDataKey good = wrapper->Wrap(DekForTest(), {}).value();
  const auto skips = [&](auto change) {
    EncryptedDataKey edk = good;
    change(edk);
    const auto dek = wrapper->Unwrap(edk, {});
    return dek.has_value() && !dek->has_value();
  };
  EXPECT_TRUE(skips([](auto& edk) { edk.provider_id += "x"; }));
  EXPECT_TRUE(skips([](auto& edk) { edk.provider_info[0] ^= 1; })) << "name";
  EXPECT_TRUE(skips([](auto& edk) { edk.provider_info[8 + 3] = 96; })) << "tag length";
  EXPECT_TRUE(skips([](auto& edk) { edk.provider_info[8 + 7] = 16; })) << "IV length";
  EXPECT_TRUE(skips([](auto& edk) { edk.provider_info.resize(5); }));
  EXPECT_TRUE(skips([](auto& edk) { edk.ciphertext.resize(16); }));
}

TEST(RawAesKeyWrapper, RefusesReservedNamespacesAndOddKeys) {
  EXPECT_FALSE(RawAesKeyWrapper::Create("aws-kms-x", "n", SecretForTest(Bytes(32, 1))));
  EXPECT_FALSE(RawAesKeyWrapper::Create("n", "n", SecretForTest(Bytes(31, 1))));
}

// Format, section 5.3: a server that ignores IV Length (PyKMIP answers 16 bytes) gives no readable
// copy.
TEST(MakeAesEdk, RefusesSizesThatNoReaderOpens) {
  EXPECT_TRUE(MakeAesEdk("n", "k", Bytes(12), Bytes(32), Bytes(16), 32));
  EXPECT_EQ(MakeAesEdk("n", "k", Bytes(16), Bytes(32), Bytes(16), 32).error().code,
            Code::kUnsupported);
  EXPECT_EQ(MakeAesEdk("n", "k", Bytes(12), Bytes(48), Bytes(16), 32).error().code,
            Code::kUnsupported);
  EXPECT_EQ(MakeAesEdk("n", "k", Bytes(12), Bytes(32), Bytes(12), 32).error().code,
            Code::kUnsupported);
}

TEST(RawRsaKeyWrapper, RefusesWhatIsNoRsaKey) {
  EXPECT_EQ(
      RawRsaKeyWrapper::Create("n", "k", AsBytes("nonsense"), RsaPadding::kOaepSha256).error().code,
      Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::envelope

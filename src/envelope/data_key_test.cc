#include "envelope/data_key.h"

#include "envelope/envelope_for_test.h"
#include "envelope/message_opener.h"
#include "envelope/value.h"

namespace dare::envelope {
namespace {

EncryptionContext Backups() {
  EncryptionContext context;
  EXPECT_TRUE(context.AddPortable("use", "backups"));
  return context;
}

WrappedDek WrappedFor(const EncryptionContext& context) {
  return MakeWrappedDek(KekForTest(1), context.Serialize(), true).value();
}

TEST(DataKey, ComesBackForItsContextOnly) {
  const EncryptionContext context = DataKeyContext(Backups()).value();
  const SecretBytes key = SecretForTest(PatternForTest(32));
  const Bytes wrapped = WrapDataKey(WrappedFor(context), context, key).value();
  const auto back = UnwrapDataKey(wrapped, context, KekForTest(1));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(*back == key);
  EXPECT_EQ(UnwrapDataKey(wrapped, DataKeyContext({}).value(), KekForTest(1)).error().code,
            Code::kDamaged);
  EXPECT_EQ(UnwrapDataKey(wrapped, context, KekForTest(2)).error().code, Code::kDamaged);
}

TEST(DataKey, HasTheSizeThatItsFormatSays) {  // docs/formats/sealed-value.md
  const EncryptionContext context = DataKeyContext({}).value();
  const std::string name = "00000000-0000-0000-0000-000000000000";
  const Keyring kek{RawAesKeyWrapper::Create("kmip", name, SecretForTest(Bytes(32, 1))).value()};
  const WrappedDek wrapped = MakeWrappedDek(kek, context.Serialize(), true).value();
  EXPECT_EQ(WrapDataKey(wrapped, context, SecretForTest(Bytes(32)))->size(), 298u);
}

TEST(DataKey, IsNoValueAndNoValueIsOne) {
  const EncryptionContext context = DataKeyContext(Backups()).value();
  const Bytes key = WrapDataKey(WrappedFor(context), context, SecretForTest(Bytes(32))).value();
  EXPECT_EQ(OpenValue(key, Backups(), KekForTest(1)).error().code, Code::kDamaged);
  const Bytes value = SealValue(WrappedFor(Backups()), Backups(), Bytes(32)).value();
  EXPECT_EQ(UnwrapDataKey(value, context, KekForTest(1)).error().code, Code::kDamaged);
}

TEST(DataKey, RefusesSizesAndNamesThatAreNotFit) {
  const EncryptionContext context = DataKeyContext({}).value();
  const WrappedDek wrapped = WrappedFor(context);
  for (const std::size_t size : {1u, 15u, 1025u}) {
    EXPECT_EQ(WrapDataKey(wrapped, context, SecretForTest(Bytes(size))).error().code,
              Code::kInvalidArgument);
    const Bytes forged = SealValue(wrapped, context, Bytes(size)).value();
    EXPECT_EQ(UnwrapDataKey(forged, context, KekForTest(1)).error().code, Code::kDamaged);
  }
  EXPECT_TRUE(WrapDataKey(wrapped, context, SecretForTest(Bytes(16))));
  EXPECT_TRUE(WrapDataKey(wrapped, context, SecretForTest(Bytes(1024))));
  EncryptionContext ours;
  ASSERT_TRUE(ours.AddPortable("dare-data-key", "2"));
  EXPECT_EQ(DataKeyContext(ours).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::envelope

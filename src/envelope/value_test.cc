#include "envelope/value.h"

#include "envelope/envelope_for_test.h"
#include "envelope/message_header.h"
#include "envelope/message_opener.h"

namespace dare::envelope {
namespace {

EncryptionContext ContextOf(std::initializer_list<std::pair<std::string, std::string>> pairs) {
  EncryptionContext context;
  for (const auto& [name, value] : pairs) EXPECT_TRUE(context.AddPortable(name, value));
  return context;
}

WrappedDek WrappedFor(const EncryptionContext& context, const Keyring& keks = KekForTest(1)) {
  return MakeWrappedDek(keks, context.Serialize(), true).value();
}

TEST(Value, OpensWithItsContextAndKey) {
  const EncryptionContext context = ContextOf({{"table", "people"}, {"column", "name"}});
  const WrappedDek wrapped = WrappedFor(context);
  for (const std::size_t size : {0u, 1u, 1000u, 300'000u}) {
    const Bytes plain = PatternForTest(size);
    const Bytes sealed = SealValue(wrapped, context, plain).value();
    EXPECT_EQ(sealed.size(), SealValue(wrapped, context, plain)->size());
    const auto opened = OpenValue(sealed, context, KekForTest(1));
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE(std::equal(opened->begin(), opened->end(), plain.begin(), plain.end()));
  }
}

TEST(Value, ManyUnderOneDekShareNeitherMessageIdNorKey) {
  const WrappedDek wrapped = WrappedFor({});
  const Bytes plain(100, 0);
  const Bytes a = SealValue(wrapped, {}, plain).value();
  const Bytes b = SealValue(wrapped, {}, plain).value();
  MemorySource in_a(a), in_b(b);
  const MessageHeader header_a = ReadHeader(in_a, {}).value();
  const MessageHeader header_b = ReadHeader(in_b, {}).value();
  EXPECT_EQ(header_a.edks, header_b.edks);
  EXPECT_NE(header_a.message_id, header_b.message_id);
  EXPECT_NE(header_a.commitment, header_b.commitment) << "it depends on key and message id";
  EXPECT_FALSE(std::equal(a.end() - 116, a.end() - 16, b.end() - 116)) << "the same key stream";
}

TEST(Value, RefusesAnotherContextWithoutAskingTheKey) {
  const EncryptionContext context = ContextOf({{"column", "name"}});
  const Bytes sealed = SealValue(WrappedFor(context), context, PatternForTest(10)).value();
  const auto kms = std::make_shared<KmsForTest>(KekForTest(1));
  for (const EncryptionContext& other : {EncryptionContext(), ContextOf({{"column", "city"}}),
                                         ContextOf({{"column", "name"}, {"table", "people"}})}) {
    const auto opened = OpenValue(sealed, other, {kms});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::kDamaged);
    EXPECT_EQ(opened.error().message, NotAuthentic().message);
  }
  EXPECT_EQ(kms->unwraps, 0);
  EXPECT_TRUE(OpenValue(sealed, context, {kms}));
}

TEST(Value, RefusesEveryChangedOrMissingByte) {
  const Bytes sealed = SealValue(WrappedFor({}), {}, PatternForTest(20)).value();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1;
    EXPECT_EQ(OpenValue(changed, {}, KekForTest(1)).error().code, Code::kDamaged) << i;
    EXPECT_EQ(OpenValue(ByteView(sealed).first(i), {}, KekForTest(1)).error().code, Code::kDamaged);
  }
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_EQ(OpenValue(longer, {}, KekForTest(1)).error().code, Code::kDamaged);
  EXPECT_EQ(OpenValue(sealed, {}, KekForTest(2)).error().code, Code::kDamaged);
}

TEST(Value, RefusesWhatIsTooLarge) {
  const WrappedDek wrapped = WrappedFor({});
  const Bytes most(kMostValueBytes);
  const auto sealed = SealValue(wrapped, {}, most);
  ASSERT_TRUE(sealed);
  EXPECT_TRUE(OpenValue(*sealed, {}, KekForTest(1)));
  EXPECT_EQ(SealValue(wrapped, {}, Bytes(kMostValueBytes + 1)).error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace dare::envelope

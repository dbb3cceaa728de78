#include "envelope/encryption_context.h"

#include <gtest/gtest.h>

namespace dare::envelope {
namespace {

Bytes Hex(std::string_view hex) { return FromHex(hex).value(); }

Code ParseCode(std::string_view hex) {
  const auto context = EncryptionContext::Parse(Hex(hex));
  return context ? Code::kInternal : context.error().code;
}

TEST(EncryptionContext, EmptyIsZeroBytes) {
  EXPECT_TRUE(EncryptionContext().Serialize().empty());
  EXPECT_TRUE(EncryptionContext::Parse({})->empty());
}

// formats/esdk-v2.md, section 12: purpose=backup, tenant=acme.
TEST(EncryptionContext, SerialisesSortedWhateverTheOrderOfAdding) {
  EncryptionContext context;
  ASSERT_TRUE(context.Add("tenant", "acme"));
  ASSERT_TRUE(context.Add("purpose", "backup"));
  const Bytes expected = Hex("00020007707572706f736500066261636b7570000674656e616e74000461636d65");
  EXPECT_EQ(context.Serialize(), expected);
  EXPECT_EQ(EncryptionContext::Parse(expected).value(), context);
}

TEST(EncryptionContext, SortsByUnsignedBytes) {
  EncryptionContext context;
  ASSERT_TRUE(context.Add("\xc3\xa9", "1"));
  ASSERT_TRUE(context.Add("z", "2"));
  ASSERT_TRUE(context.Add("Z", "3"));
  EXPECT_EQ(ToHex(context.Serialize()), "000300015a00013300017a0001320002c3a9000131");
}

TEST(EncryptionContext, RefusesWhatNoWriterMayWrite) {
  EXPECT_EQ(ParseCode("0000"), Code::kDamaged) << "count 0 with a length";
  EXPECT_EQ(ParseCode("00"), Code::kDamaged);
  EXPECT_EQ(ParseCode("0002000161000131000161000132"), Code::kDamaged) << "duplicate key";
  EXPECT_EQ(ParseCode("0002000162000131000161000132"), Code::kDamaged) << "unsorted";
  EXPECT_EQ(ParseCode("00010001610001ff"), Code::kDamaged) << "not UTF-8";
  EXPECT_EQ(ParseCode("0001000161000231"), Code::kDamaged) << "value overruns";
  EXPECT_EQ(ParseCode("000100ff61"), Code::kDamaged) << "key overruns";
  EXPECT_EQ(ParseCode("000100016100013100"), Code::kDamaged) << "a byte is left over";
  EXPECT_EQ(ParseCode("ffff000161000131"), Code::kDamaged) << "fewer pairs than counted";
}

TEST(EncryptionContext, RefusesReservedRepeatedAndOversizedPairs) {
  EncryptionContext context;
  EXPECT_EQ(context.Add("aws-crypto-public-key", "x").error().code, Code::kInvalidArgument);
  ASSERT_TRUE(context.Add("a", "1"));
  EXPECT_EQ(context.Add("a", "2").error().code, Code::kInvalidArgument);
  EXPECT_EQ(context.Add("b", "\xff").error().code, Code::kInvalidArgument);
  EXPECT_EQ(context.Add("b", std::string(65535, 'x')).error().code, Code::kInvalidArgument);
  // 2 + 6 for "a", then 4 + 1 + n: exactly 65,535.
  EXPECT_TRUE(context.Add("b", std::string(65535 - 8 - 5, 'x')));
  EXPECT_EQ(context.Serialize().size(), 65535u);
}

TEST(EncryptionContext, PortableKeysAreLowerCaseDigitsAndHyphens) {
  EncryptionContext context;
  EXPECT_TRUE(context.AddPortable("kb-id2", "x"));
  for (const char* key : {"", "Zed", "a_b", "a b", "\xc3\xa9"}) {
    EXPECT_EQ(context.AddPortable(key, "x").error().code, Code::kInvalidArgument) << key;
  }
}

TEST(EncryptionContext, MergingRefusesContradictions) {
  EncryptionContext stored, given;
  ASSERT_TRUE(stored.Add("a", "1"));
  ASSERT_TRUE(given.Add("a", "1"));
  ASSERT_TRUE(given.Add("b", "2"));
  EXPECT_EQ(stored.MergedWith(given)->size(), 2u);
  EXPECT_EQ(stored.MissingFrom(given).pairs().begin()->first, "b");
  EncryptionContext other;
  ASSERT_TRUE(other.Add("a", "2"));
  EXPECT_EQ(stored.MergedWith(other).error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::envelope

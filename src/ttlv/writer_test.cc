#include "ttlv/writer.h"

#include "ttlv/reader.h"
#include "ttlv/validate.h"

namespace dare::ttlv {
namespace {

constexpr auto kOuter = static_cast<kmip::Tag>(0x420079);
constexpr auto kOne = static_cast<kmip::Tag>(0x420001);
constexpr auto kTwo = static_cast<kmip::Tag>(0x540002);

TEST(Writer, AppendsToABorrowedBuffer) {
  WipingBytes buffer = {9, 9};
  Writer out(buffer);
  EXPECT_EQ(out.size(), 2u);
  out.Boolean(kOne, true);
  EXPECT_EQ(ToHex(buffer), "090942000106000000080000000000000001");
}

TEST(Writer, PatchesTheLengthsOfNestedStructures) {
  Writer out;
  const Writer::Mark outer = out.Begin(kOuter);
  const Writer::Mark inner = out.Begin(kTwo);
  out.Text(kOne, "123456789");
  out.End(inner);
  out.Interval(kOne, 1);
  out.End(outer);
  EXPECT_EQ(ToHex(out.bytes()),
            "42007901000000305400020100000018"
            "42000107000000093132333435363738"
            "39000000000000004200010a00000004"
            "0000000100000000");
  EXPECT_TRUE(Validate(out.bytes()).has_value());
}

TEST(Writer, StructurePassesOnWhatItsMembersReturn) {
  Writer out;
  const Result<void> failed =
      out.Structure(kOuter, [&]() -> Result<void> { return Error(Code::kDenied, "no"); });
  EXPECT_EQ(failed.error().code, Code::kDenied);
  EXPECT_EQ(out.Structure(kOuter, [] { return 5; }), 5);
}

TEST(Writer, ExtendsTheSignOfBigIntegers) {
  Writer out;
  out.BigInteger(kOne, Bytes{0x80, 0});
  out.BigInteger(kOne, Bytes{0x7F});
  out.BigInteger(kOne, {});
  out.BigInteger(kOne, Bytes(9, 0x11));
  Reader in = Reader::Members(out.bytes());
  EXPECT_EQ(ToHex(*in.BigInteger(kOne)), "ffffffffffff8000");
  EXPECT_EQ(ToHex(*in.BigInteger(kOne)), "000000000000007f");
  EXPECT_EQ(ToHex(*in.BigInteger(kOne)), "0000000000000000");
  EXPECT_EQ(ToHex(*in.BigInteger(kOne)), "00000000000000111111111111111111");
}

TEST(Writer, KeepsUnsignedBigIntegersPositive) {
  Writer out;
  out.UnsignedBigInteger(kOne, Bytes(8, 0xFF));
  out.UnsignedBigInteger(kOne, Bytes{0, 0, 1});
  out.UnsignedBigInteger(kOne, Bytes(8, 0x7F));
  out.UnsignedBigInteger(kOne, Bytes{0});
  Reader in = Reader::Members(out.bytes());
  EXPECT_EQ(ToHex(*in.BigInteger(kOne)), "0000000000000000ffffffffffffffff");
  EXPECT_EQ(ToHex(*in.BigInteger(kOne)), "0000000000000001");
  EXPECT_EQ(ToHex(*in.BigInteger(kOne)), "7f7f7f7f7f7f7f7f");
  EXPECT_EQ(ToHex(*in.BigInteger(kOne)), "0000000000000000");
}

TEST(Writer, SplicesAndRetagsEncodedItems) {
  Writer first;
  first.ByteString(kOne, Bytes{1, 2, 3});
  const Item item = *ParseItem(first.bytes());
  Writer out;
  out.Structure(kOuter, [&] {
    out.Copy(item);
    out.Retagged(kTwo, item);
    out.Raw(first.bytes());
    out.Raw({});
  });
  EXPECT_EQ(ToHex(out.bytes()),
            "4200790100000030"
            "42000108000000030102030000000000"
            "54000208000000030102030000000000"
            "42000108000000030102030000000000");
}

TEST(Writer, TruncatesAndHandsOver) {
  Writer out;
  out.Integer(kOne, 1);
  const std::size_t before = out.size();
  out.Integer(kOne, 2);
  out.Truncate(before);
  EXPECT_EQ(out.Take().size(), 16u);
  EXPECT_EQ(out.size(), 0u);
}

TEST(WriterDeathTest, RefusesHalfItemsAsOurOwnBug) {
  Writer out;
  EXPECT_DEATH(out.Raw(Bytes(7)), "");
}

}  // namespace
}  // namespace dare::ttlv

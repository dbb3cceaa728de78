#include "ttlv/reader.h"

#include "ttlv/writer.h"

namespace dare::ttlv {
namespace {

constexpr auto kOuter = static_cast<kmip::Tag>(0x420079);
constexpr auto kOne = static_cast<kmip::Tag>(0x420001);
constexpr auto kTwo = static_cast<kmip::Tag>(0x420002);
enum class Colour : std::uint32_t { kRed = 1, kBlue = 7 };

using testing::HasSubstr;

template <typename T>
std::string MessageOf(const Result<T>& result) {
  if (result.has_value()) return "succeeded";
  EXPECT_EQ(result.error().code, Code::kMalformed);
  return result.error().message;
}

TEST(Reader, TakesItemsOfEveryTypeInOrder) {
  Writer out;
  out.Structure(kOuter, [&] {
    out.Integer(kOne, -5);
    out.LongInteger(kOne, -6);
    out.BigInteger(kOne, Bytes{0x80});
    out.Enum(kOne, Colour::kBlue);
    out.Boolean(kOne, true);
    out.Text(kOne, "text");
    out.ByteString(kOne, Bytes{1, 2, 3});
    out.DateTime(kOne, -7);
    out.Interval(kOne, 4000000000u);
    out.DateTimeExtended(kOne, 8);
    out.Structure(kTwo, [&] { out.Integer(kOne, 9); });
  });
  Reader in = *Reader::Open(out.bytes());
  EXPECT_EQ(in.tag(), kOne);
  EXPECT_EQ(in.type(), Type::kInteger);
  EXPECT_EQ(in.Integer(kOne), -5);
  EXPECT_EQ(in.LongInteger(kOne), -6);
  EXPECT_EQ(ToHex(*in.BigInteger(kOne)), "ffffffffffffff80");
  EXPECT_EQ(in.Enum<Colour>(kOne), Colour::kBlue);
  EXPECT_EQ(in.Boolean(kOne), true);
  EXPECT_EQ(in.Text(kOne), "text");
  EXPECT_EQ(ToHex(*in.ByteString(kOne)), "010203");
  EXPECT_EQ(in.DateTime(kOne), -7);
  EXPECT_EQ(in.Interval(kOne), 4000000000u);
  EXPECT_EQ(in.DateTimeExtended(kOne), 8);
  Reader inner = *in.Structure(kTwo);
  EXPECT_EQ(inner.Integer(kOne), 9);
  EXPECT_TRUE(inner.End().has_value());
  EXPECT_TRUE(in.AtEnd());
  EXPECT_TRUE(in.End().has_value());
}

TEST(Reader, ViewsPointIntoTheMessage) {
  Writer out;
  out.ByteString(kOne, Bytes{1, 2, 3});
  Reader in = Reader::Members(out.bytes());
  EXPECT_EQ(in.ByteString(kOne)->data(), out.bytes().data() + 8);
}

TEST(Reader, NamesTheMissingTagAndStays) {
  Writer out;
  out.Integer(kTwo, 1);
  Reader in = Reader::Members(out.bytes());
  EXPECT_EQ(MessageOf(in.Integer(kOne)), "TTLV item 420001 is missing: found 420002");
  EXPECT_EQ(in.Integer(kTwo), 1);
  EXPECT_EQ(MessageOf(in.Integer(kTwo)),
            "TTLV item 420002 is missing: found the end of the structure");
}

TEST(Reader, RefusesAnotherTypeAndStays) {
  Writer out;
  out.Enumeration(kOne, 1);
  Reader in = Reader::Members(out.bytes());
  EXPECT_EQ(MessageOf(in.Integer(kOne)), "TTLV item 420001: Integer expected, found Enumeration");
  EXPECT_THAT(MessageOf(in.Text(kOne)), HasSubstr("Text String expected"));
  EXPECT_THAT(MessageOf(in.Structure(kOne)), HasSubstr("Structure expected"));
  EXPECT_THAT(MessageOf(in.OptionalBoolean(kOne)), HasSubstr("Boolean expected"));
  EXPECT_EQ(in.Enumeration(kOne), 1u);
}

TEST(Reader, OptionalFormsAreEmptyForAnotherTagAndAtTheEnd) {
  Writer out;
  out.Text(kTwo, "x");
  Reader in = Reader::Members(out.bytes());
  EXPECT_EQ(in.OptionalText(kOne)->has_value(), false);
  EXPECT_EQ(**in.OptionalText(kTwo), "x");
  EXPECT_EQ(in.OptionalInteger(kTwo)->has_value(), false);
  EXPECT_EQ(in.OptionalStructure(kTwo)->has_value(), false);
  EXPECT_EQ(in.OptionalEnum<Colour>(kTwo)->has_value(), false);
}

TEST(Reader, EndRefusesLeftovers) {
  Writer out;
  out.Integer(kTwo, 1);
  Reader in = Reader::Members(out.bytes());
  EXPECT_EQ(MessageOf(in.End()), "TTLV item 420002 does not belong here");
  EXPECT_TRUE(in.Skip().has_value());
  EXPECT_TRUE(in.End().has_value());
  EXPECT_THAT(MessageOf(in.Skip()), HasSubstr("missing at the end"));
}

TEST(Reader, PeekAndACopyDoNotMove) {
  Writer out;
  out.Integer(kOne, 1);
  Reader in = Reader::Members(out.bytes());
  Reader ahead = in;
  EXPECT_TRUE(ahead.Skip().has_value());
  EXPECT_EQ(in.Peek()->tag, kOne);
  EXPECT_EQ(in.Any(kOne)->AsInteger(), 1);
  EXPECT_EQ(in.rest().size(), 0u);
}

// Bytes nobody validated: nothing beyond them is read, whatever they say.
TEST(Reader, RefusesLengthBeyondBuffer) {
  for (const char* hex : {"42000108ffffffff", "42000108fffffff8", "420001080000000900000000",
                          "4200010200000004000000", "42000101000000100000000000000000"}) {
    const Bytes bytes = *FromHex(hex);
    Reader in = Reader::Members(bytes);
    EXPECT_THAT(MessageOf(in.Next()), HasSubstr("longer than its container")) << hex;
  }
}

TEST(Reader, RefusesCutOffHeaders) {
  const Bytes bytes = *FromHex("42000108000000");
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    Reader in = Reader::Members(ByteView(bytes).first(size));
    EXPECT_FALSE(in.At(kOne));
    EXPECT_THAT(MessageOf(in.Next()), HasSubstr("cut off"));
    EXPECT_THAT(MessageOf(in.End()), HasSubstr("cut off"));
    EXPECT_FALSE(in.ByteString(kOne).has_value());
  }
}

TEST(Reader, RefusesWrongLengthsTypesAndTagsByItself) {
  for (const char* hex : {"42000102000000080000000000000008", "42000106000000040000000100000000",
                          "42000104000000040000000100000000", "4200010f000000040000000100000000",
                          "43000102000000040000000100000000"}) {
    const Bytes bytes = *FromHex(hex);
    Reader in = Reader::Members(bytes);
    EXPECT_FALSE(in.Next().has_value()) << hex;
  }
  const Bytes two = *FromHex("42000106000000080000000000000002");
  Reader in = Reader::Members(two);
  EXPECT_THAT(MessageOf(in.Boolean(kOne)), HasSubstr("neither 0 nor 1"));
}

TEST(Reader, OpenWantsExactlyOneStructure) {
  Writer out;
  out.Structure(kOuter, [] {});
  EXPECT_TRUE(Reader::Open(out.bytes())->AtEnd());
  out.Integer(kOne, 1);
  EXPECT_THAT(MessageOf(Reader::Open(out.bytes())), HasSubstr("behind"));
  EXPECT_FALSE(Reader::Open(out.bytes().subspan(8)).has_value());
  EXPECT_FALSE(Reader::Open({}).has_value());
}

TEST(Item, FilledInByHandIsStillChecked) {
  const Bytes short_value = {1, 2};
  Item item{.tag = kOne, .type = Type::kInteger, .value = short_value, .whole = {}};
  EXPECT_FALSE(item.AsInteger().has_value());
  item.type = Type::kBoolean;
  EXPECT_FALSE(item.AsBoolean().has_value());
  item.type = Type::kDateTime;
  EXPECT_FALSE(item.AsDateTime().has_value());
}

}  // namespace
}  // namespace dare::ttlv

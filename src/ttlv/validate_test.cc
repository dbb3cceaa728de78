#include "ttlv/validate.h"

#include "ttlv/writer.h"

namespace dare::ttlv {
namespace {

constexpr auto kRequest = static_cast<kmip::Tag>(0x420078);
constexpr auto kResponse = static_cast<kmip::Tag>(0x42007B);
constexpr auto kField = static_cast<kmip::Tag>(0x420020);
constexpr auto kExtension = static_cast<kmip::Tag>(0x540001);

Bytes Hex(std::string_view hex) { return *FromHex(hex); }

// A request with these items in it.
Bytes Message(std::string_view members) {
  const Bytes raw = Hex(members);
  Bytes message = Hex("4200780100000000");
  PutU32(message.data() + 4, static_cast<std::uint32_t>(raw.size()));
  Append(message, raw);
  return message;
}

Code CodeOf(const Result<void>& result) {
  return result.has_value() ? Code::kInternal : result.error().code;
}

Bytes Nested(std::size_t depth) {
  Bytes message;
  for (std::size_t level = 1; level <= depth; ++level) {
    message.insert(message.begin(), 8, 0);
    PutU32(message.data(), 0x42007801);
    PutU32(message.data() + 4, static_cast<std::uint32_t>(8 * (level - 1)));
  }
  return message;
}

Bytes WithItems(std::size_t items) {
  Writer out;
  out.Structure(kRequest, [&] {
    for (std::size_t i = 1; i < items; ++i) out.Integer(kField, 1);
  });
  return ToBytes(out.bytes());
}

TEST(Validate, AcceptsAnEmptyStructureAndExtensionTags) {
  EXPECT_TRUE(Validate(Message("")).has_value());
  EXPECT_TRUE(Validate(Message("54000107000000023132000000000000")).has_value());
}

struct Broken {
  const char* what;
  const char* members;
};

class ValidateRefuses : public testing::TestWithParam<Broken> {};

TEST_P(ValidateRefuses, TheItem) {
  EXPECT_EQ(CodeOf(Validate(Message(GetParam().members))), Code::kMalformed);
}

INSTANTIATE_TEST_SUITE_P(
    Validate, ValidateRefuses,
    testing::Values(
        Broken{"TagWithAnotherFirstByte", "43002002000000040000000800000000"},
        Broken{"TagZero", "00000002000000040000000800000000"},
        Broken{"TypeZero", "42002000000000040000000800000000"},
        Broken{"TypeOfKmip3", "4200200c000000040000000800000000"},
        Broken{"TypeFF", "420020ff000000040000000800000000"},
        Broken{"IntegerOfLength8", "42002002000000080000000000000008"},
        Broken{"IntegerOfLength3", "42002002000000030000000800000000"},
        Broken{"LongIntegerOfLength4", "42002003000000040000000800000000"},
        Broken{"BigIntegerOfLength4", "42002004000000040000000100000000"},
        Broken{"BigIntegerOfLength12", "420020040000000c0000000000000000000000000000000000000000"},
        Broken{"BigIntegerOfLength0", "4200200400000000"},
        Broken{"EnumerationOfLength8", "42002005000000080000000000000001"},
        Broken{"EnumerationOfLength0", "4200200500000000"},
        Broken{"BooleanOfLength1", "42002006000000010100000000000000"},
        Broken{"BooleanTwo", "42002006000000080000000000000002"},
        Broken{"BooleanWithAHighByte", "42002006000000080100000000000001"},
        Broken{"DateTimeOfLength4", "42002009000000040000000800000000"},
        Broken{"IntervalOfLength8", "4200200a000000080000000000000008"},
        Broken{"DateTimeExtendedOfLength4", "4200200b000000040000000800000000"},
        Broken{"TextOverlong", "4200200700000002c080000000000000"},
        Broken{"TextSurrogate", "4200200700000003eda0800000000000"},
        Broken{"TextCutOff", "4200200700000001e200000000000000"},
        Broken{"IntegerPadding", "42002002000000040000000800000001"},
        Broken{"EnumerationPadding", "42002005000000040000000180000000"},
        Broken{"IntervalPadding", "4200200a000000040000000100010000"},
        Broken{"TextPadding", "42002007000000023132000000000020"},
        Broken{"ByteStringPadding", "42002008000000073132333435363701"},
        Broken{"StructureOfLength4", "42002001000000040000000000000000"},
        Broken{"HalfAHeader", "42002002"},
        Broken{"ItemLongerThanItsStructure", "420020010000000842002002000000040000000800000000"},
        Broken{"StructureLongerThanTheMessage", "420020010000001842002002000000040000000800000000"},
        Broken{"LengthThatOverflows", "42002008ffffffff0000000000000000"},
        Broken{"LengthThatWrapsWhenPadded", "42002008fffffff90000000000000000"},
        Broken{"MemberWithoutItsPadding", "420020020000000400000008"}),
    [](const auto& test) { return std::string(test.param.what); });

TEST(Validate, RefusesBytesBehindTheMessageAndMissingOnes) {
  Bytes message = Message("42002002000000040000000800000000");
  ASSERT_TRUE(Validate(message).has_value());
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_EQ(CodeOf(Validate(ByteView(message).first(size))), Code::kMalformed) << size;
  }
  message.resize(message.size() + 8);
  EXPECT_EQ(CodeOf(Validate(message)), Code::kMalformed);
}

TEST(Validate, RefusesAMessageThatIsNoStructure) {
  const Bytes item = Hex("42007802000000040000000800000000");
  EXPECT_TRUE(ValidateItem(item).has_value());
  EXPECT_EQ(CodeOf(Validate(item)), Code::kMalformed);
}

TEST(Validate, SaysWhichItemAndWhere) {
  const Result<void> result = Validate(Message("42002006000000080000000000000002"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message, "TTLV item 420020 at byte 8: Boolean is neither 0 nor 1");
}

TEST(Validate, RefusesNestingOverTheLimit) {
  const Limits limits;
  EXPECT_TRUE(Validate(Nested(limits.max_depth)).has_value());
  EXPECT_EQ(CodeOf(Validate(Nested(limits.max_depth + 1))), Code::kTooLarge);
  EXPECT_EQ(CodeOf(Validate(Nested(5), {.max_depth = 4})), Code::kTooLarge);
}

TEST(Validate, NeverNestsDeeperThanItsStack) {
  const Limits limits{.max_depth = 100000};
  EXPECT_TRUE(Validate(Nested(kDeepestNesting), limits).has_value());
  EXPECT_EQ(CodeOf(Validate(Nested(kDeepestNesting + 1), limits)), Code::kTooLarge);
  EXPECT_EQ(CodeOf(Validate(Nested(20000), limits)), Code::kTooLarge);
}

TEST(Validate, RefusesMoreItemsThanTheLimit) {
  const Limits limits{.max_items = 10};
  EXPECT_TRUE(Validate(WithItems(10), limits).has_value());
  EXPECT_EQ(CodeOf(Validate(WithItems(11), limits)), Code::kTooLarge);
  EXPECT_EQ(CodeOf(Validate(WithItems(65537))), Code::kTooLarge);
}

TEST(Validate, RefusesMoreBytesThanTheLimit) {
  const Bytes message = WithItems(3);
  EXPECT_TRUE(Validate(message, {.max_message_bytes = message.size()}).has_value());
  EXPECT_EQ(CodeOf(Validate(message, {.max_message_bytes = message.size() - 1})), Code::kTooLarge);
}

Code CodeOf(const Result<std::size_t>& result) {
  return result.has_value() ? Code::kInternal : result.error().code;
}

TEST(MessageLength, GivesTheWholeSize) {
  EXPECT_EQ(MessageLength(Hex("4200780100000048"), kRequest, Limits()), 80u);
  EXPECT_EQ(MessageLength(Hex("42007b0100000000"), kResponse, Limits()), 8u);
}

TEST(MessageLength, RefusesAnythingButTheExpectedMessage) {
  const Limits limits;
  EXPECT_EQ(CodeOf(MessageLength(Hex("42007b0100000048"), kRequest, limits)), Code::kMalformed);
  EXPECT_EQ(CodeOf(MessageLength(Hex("4200780100000048"), kResponse, limits)), Code::kMalformed);
  EXPECT_EQ(CodeOf(MessageLength(Hex("4200780800000048"), kRequest, limits)), Code::kMalformed);
  EXPECT_EQ(CodeOf(MessageLength(Hex("4200780100000049"), kRequest, limits)), Code::kMalformed);
  EXPECT_EQ(CodeOf(MessageLength(Hex("42007801000000"), kRequest, limits)), Code::kMalformed);
  EXPECT_EQ(CodeOf(MessageLength(AsBytes("GET / HT"), kRequest, limits)), Code::kMalformed);
}

TEST(MessageLength, RefusesALengthOverTheLimitBeforeAnythingIsAllocated) {
  const Limits limits{.max_message_bytes = 1024};
  EXPECT_EQ(MessageLength(Hex("42007801000003f8"), kRequest, limits), 1024u);
  EXPECT_EQ(CodeOf(MessageLength(Hex("4200780100000400"), kRequest, limits)), Code::kTooLarge);
  EXPECT_EQ(CodeOf(MessageLength(Hex("42007801fffffff8"), kRequest, limits)), Code::kTooLarge);
}

TEST(Validate, AcceptsExtensionTagsOnTheOutside) {
  Writer out;
  out.Structure(kExtension, [] {});
  EXPECT_TRUE(Validate(out.bytes()).has_value());
}

}  // namespace
}  // namespace dare::ttlv

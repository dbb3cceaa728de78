#include "ttlv/json.h"

#include <gtest/gtest.h>

#include "ttlv/vocabulary_for_test.h"
#include "ttlv/writer.h"

namespace dare::ttlv {
namespace {

using V = VocabularyForTest;
const V kVocabulary;

Result<WipingBytes> Read(std::string_view json, const Limits& limits = {}) {
  return FromJson(AsBytes(json), kVocabulary, limits);
}

template <typename Write>
WipingBytes Ttlv(Write write) {
  Writer out;
  write(out);
  return out.Take();
}

// `json` reads as the same as what `write` writes.
template <typename Write>
void ExpectReads(std::string_view json, Write write) {
  const auto read = Read(json);
  ASSERT_TRUE(read.has_value()) << json << ": " << read.error().message;
  EXPECT_EQ(*read, Ttlv(write)) << json;
}

// `json` is the canonical form of what `write` writes, and reads as the same.
template <typename Write>
void ExpectBothWays(std::string_view json, Write write) {
  const auto written = ToJson(Ttlv(write), kVocabulary);
  ASSERT_TRUE(written.has_value()) << written.error().message;
  EXPECT_EQ(AsText(*written), json);
  ExpectReads(json, write);
}

void ExpectRefused(std::string_view json, Code code = Code::kMalformed) {
  const auto read = Read(json);
  ASSERT_FALSE(read.has_value()) << json;
  EXPECT_EQ(read.error().code, code) << json << ": " << read.error().message;
}

std::string Number(std::string_view type, std::string_view value) {
  return R"({"tag":"Number", "type":")" + std::string(type) + R"(", "value":)" +
         std::string(value) + "}";
}

TEST(Json, WritesEachTypeInItsCanonicalFormAndReadsItBack) {
  const Bytes big = {0xFF, 0xFE, 0, 0, 0, 0, 0, 1};
  ExpectBothWays(Number("Integer", R"("0xfffffff8")"),
                 [](Writer& w) { w.Integer(V::kNumber, -8); });
  ExpectBothWays(Number("LongInteger", R"("0x8000000000000000")"),
                 [](Writer& w) { w.LongInteger(V::kNumber, INT64_MIN); });
  ExpectBothWays(Number("BigInteger", R"("0xfffe000000000001")"),
                 [&](Writer& w) { w.BigInteger(V::kNumber, big); });
  ExpectBothWays(R"({"tag":"Colour", "type":"Enumeration", "value":"Green"})",
                 [](Writer& w) { w.Enumeration(V::kColour, 2); });
  ExpectBothWays(R"({"tag":"Colour", "type":"Enumeration", "value":"0x80000009"})",
                 [](Writer& w) { w.Enumeration(V::kColour, 0x80000009); });
  ExpectBothWays(Number("Boolean", "true"), [](Writer& w) { w.Boolean(V::kNumber, true); });
  ExpectBothWays(R"({"tag":"Label", "type":"TextString", "value":"Hello World"})",
                 [](Writer& w) { w.Text(V::kLabel, "Hello World"); });
  ExpectBothWays(Number("ByteString", R"("fffe000000000001")"),
                 [&](Writer& w) { w.ByteString(V::kNumber, big); });
  ExpectBothWays(Number("ByteString", R"("")"), [](Writer& w) { w.ByteString(V::kNumber, {}); });
  ExpectBothWays(Number("DateTime", R"("2008-03-14T11:56:40+00:00")"),
                 [](Writer& w) { w.DateTime(V::kNumber, 0x47DA67F8); });
  ExpectBothWays(Number("Interval", R"("0xffffffff")"),
                 [](Writer& w) { w.Interval(V::kNumber, 0xFFFFFFFF); });
  ExpectBothWays(Number("DateTimeExtended", R"("1969-12-31T23:59:59.999999+00:00")"),
                 [](Writer& w) { w.DateTimeExtended(V::kNumber, -1); });
}

TEST(Json, ReadsTheOtherFormsOfValues) {
  ExpectReads(Number("Integer", "-8"), [](Writer& w) { w.Integer(V::kNumber, -8); });
  ExpectReads(Number("LongInteger", "4503599627370495"),
              [](Writer& w) { w.LongInteger(V::kNumber, 4503599627370495); });
  ExpectReads(Number("BigInteger", "-1"), [](Writer& w) { w.BigInteger(V::kNumber, Bytes{0xFF}); });
  ExpectReads(Number("Interval", "16"), [](Writer& w) { w.Interval(V::kNumber, 16); });
  ExpectReads(Number("Boolean", R"("0x0000000000000001")"),
              [](Writer& w) { w.Boolean(V::kNumber, true); });
  ExpectReads(Number("DateTime", R"("0x0000000047DA67F8")"),
              [](Writer& w) { w.DateTime(V::kNumber, 0x47DA67F8); });
  ExpectReads(Number("DateTime", "1205495800"),
              [](Writer& w) { w.DateTime(V::kNumber, 0x47DA67F8); });
  ExpectReads(R"({"tag":"Colour", "type":"Enumeration", "value":2})",
              [](Writer& w) { w.Enumeration(V::kColour, 2); });
  ExpectReads(R"({"tag":"Colour", "type":"Enumeration", "value":"0x00000002"})",
              [](Writer& w) { w.Enumeration(V::kColour, 2); });
}

TEST(Json, NamesTheBitsOfMasks) {
  ExpectBothWays(R"({"tag":"Uses", "type":"Integer", "value":"Read|Write"})",
                 [](Writer& w) { w.Integer(V::kUses, 3); });
  ExpectBothWays(R"({"tag":"Uses", "type":"Integer", "value":"Write|0x80000010"})",
                 [](Writer& w) { w.Integer(V::kUses, static_cast<std::int32_t>(0x80000012)); });
  ExpectBothWays(R"({"tag":"Uses", "type":"Integer", "value":"0x00000000"})",
                 [](Writer& w) { w.Integer(V::kUses, 0); });
  ExpectRefused(R"({"tag":"Uses", "type":"Integer", "value":"Write|Execute"})");
}

TEST(Json, NestsStructuresAndReadsTheirMembersInAnyOrder) {
  const auto write = [](Writer& w) {
    w.Structure(V::kBox, [&] {
      w.Integer(V::kNumber, 1);
      w.Structure(V::kBox, [] {});
      w.Structure(V::kNameless, [&] { w.Text(V::kLabel, ""); });
    });
  };
  ExpectBothWays(R"({"tag":"Box", "value":[ )"
                 R"({"tag":"Number", "type":"Integer", "value":"0x00000001"}, )"
                 R"({"tag":"Box", "value":[]}, )"
                 R"({"tag":"0x540001", "value":[ )"
                 R"({"tag":"Label", "type":"TextString", "value":""} ]} ]})",
                 write);
  ExpectReads(R"( {"value":[{"value":1,"name":"One","type":"Integer","tag":"Number"},)"
              R"({"value":null,"tag":"Box"},)"
              R"({"type":"Structure","value":[{"value":"","tag":"Label","type":"TextString"}],)"
              "\n"
              R"("tag":"0x540001"}],"tag":"Box"} )",
              write);
  ExpectReads(R"({"tag":"Box"})", [](Writer& w) { w.Structure(V::kBox, [] {}); });
}

TEST(Json, TakesNamesOfTheFieldThatTheFirstMemberNames) {
  ExpectBothWays(R"({"tag":"Box", "value":[ )"
                 R"({"tag":"Label", "type":"TextString", "value":"Colour"}, )"
                 R"({"tag":"Anything", "type":"Enumeration", "value":"Red"} ]})",
                 [](Writer& w) {
                   w.Structure(V::kBox, [&] {
                     w.Text(V::kLabel, "Colour");
                     w.Enumeration(V::kAnything, 1);
                   });
                 });
}

TEST(Json, KeepsEveryCharacterOfAText) {
  std::string text;
  for (int c = 0; c < 0x80; ++c) text.push_back(static_cast<char>(c));
  text += "\xC3\xA9\xF0\x9F\x94\x91";
  const auto write = [&](Writer& w) { w.Text(V::kLabel, text); };
  const auto json = ToJson(Ttlv(write), kVocabulary);
  ASSERT_TRUE(json.has_value());
  ExpectReads(AsText(*json), write);
  ExpectReads(R"({"tag":"Label","type":"TextString","value":"\ud83d\udd11\u0000\n"})",
              [&](Writer& w) { w.Text(V::kLabel, std::string_view("\xF0\x9F\x94\x91\0\n", 6)); });
}

TEST(Json, RefusesWhatIsNotAnItem) {
  for (const std::string_view json :
       {"",
        " ",
        "{",
        "{}",
        "[]",
        "1",
        "null",
        "\"Box\"",
        R"({"tag":"Box"}{"tag":"Box"})",
        R"({"tag":"Box"} x)",
        R"({"tag":"Unknown"})",
        R"({"tag":"0x550000"})",
        R"({"tag":420001})",
        R"({"tag":"Box","type":"Integer"})",
        R"({"tag":"Box","type":"Integer","value":null})",
        R"({"tag":"Box","type":"Integer","value":[]})",
        R"({"tag":"Box","type":"Whole","value":1})",
        R"({"tag":"Box","type":5,"value":1})",
        R"({"tag":"Box","value":1})",
        R"({"tag":"Box","value":"1"})",
        R"({"tag":"Box","value":{"tag":"Box"}})",
        R"({"tag":"Box","value":[1]})",
        R"({"tag":"Box","value":[[]]})",
        R"({"tag":"Box","value":["Box"]})",
        R"({"tag":["Box"]})",
        R"({"tag":"Box","extra":1})",
        R"({"tag":"Box","a_rather_long_member_name":1})",
        R"({"tag":"Box",})",
        "{\"tag\":\"Label\",\"type\":\"TextString\",\"value\":\"\xFF\"}",
        R"({"tag":"Label","type":"TextString","value":"\ud83d"})",
        "\xEF\xBB\xBF{\"tag\":\"Box\"}",
        R"({"value":[]})"}) {
    ExpectRefused(json);
  }
}

TEST(Json, RefusesMembersThatComeTwice) {
  ExpectRefused(R"({"tag":"Box","tag":"Box"})");
  ExpectRefused(R"({"tag":"Number","type":"Integer","value":1,"value":2})");
  ExpectRefused(R"({"tag":"Box","value":[],"value":[]})");
  ExpectRefused(R"({"tag":"Box","value":[],"value":1})");
}

TEST(Json, RefusesValuesOutOfTheirType) {
  for (const std::string_view value :
       {"1.5", "1e2", "2147483648", "99999999999999999999", "18446744073709551615", "true",
        R"("0x1")", R"("one")", R"("")"}) {
    ExpectRefused(Number("Integer", value));
  }
  ExpectRefused(Number("Boolean", "1"));
  ExpectRefused(Number("Boolean", R"("yes")"));
  ExpectRefused(Number("TextString", "1"));
  ExpectRefused(Number("ByteString", "10"));
  ExpectRefused(Number("ByteString", R"("0x10")"));
  ExpectRefused(Number("BigInteger", R"("0x10")"));
  ExpectRefused(Number("DateTime", "true"));
  ExpectRefused(R"({"tag":"Colour","type":"Enumeration","value":"Blue"})");
}

TEST(Json, HoldsTheLimits) {
  const auto nested = [](int depth) {
    std::string json;
    for (int i = 0; i < depth; ++i) json += R"({"tag":"Box","value":[)";
    for (int i = 0; i < depth; ++i) json += "]}";
    return json;
  };
  EXPECT_TRUE(Read(nested(32)).has_value());
  ExpectRefused(nested(33), Code::kTooLarge);
  ExpectRefused(nested(1000), Code::kTooLarge);
  ExpectRefused(std::string(100000, '['));
  Limits few;
  few.max_items = 2;
  EXPECT_TRUE(Read(R"({"tag":"Box","value":[{"tag":"Box"}]})", few).has_value());
  EXPECT_EQ(Read(R"({"tag":"Box","value":[{"tag":"Box"},{"tag":"Box"}]})", few).error().code,
            Code::kTooLarge);
  Limits small;
  small.max_message_bytes = 16;
  EXPECT_TRUE(Read(Number("Integer", "1"), small).has_value());
  EXPECT_EQ(Read(Number("ByteString", R"("000000000000000000")"), small).error().code,
            Code::kTooLarge);
}

TEST(Json, KnowsTheTypesOfTheDraftWhereTheyAreAllowed) {
  const std::string json = R"({"tag":"Label", "type":"Identifier", "value":"\"1"})";
  ExpectRefused(json);
  Limits draft;
  draft.draft3_types = true;
  const auto item = Read(json, draft);
  ASSERT_TRUE(item.has_value()) << item.error().message;
  EXPECT_EQ(ToHex(*item), "4200040c000000022231000000000000");
  EXPECT_EQ(AsText(*ToJson(*item, kVocabulary, draft)), json);
  EXPECT_FALSE(ToJson(*item, kVocabulary).has_value());
}

TEST(Json, DoesNotWriteWhatIsNotValid) {
  WipingBytes item = Ttlv([](Writer& w) { w.Text(V::kLabel, "abc"); });
  item[8] = 0xFF;
  EXPECT_FALSE(ToJson(item, kVocabulary).has_value());
  EXPECT_FALSE(ToJson({}, kVocabulary).has_value());
}

}  // namespace
}  // namespace dare::ttlv

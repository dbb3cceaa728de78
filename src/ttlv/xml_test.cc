#include "ttlv/xml.h"

#include <gtest/gtest.h>

#include "ttlv/validate.h"
#include "ttlv/vocabulary_for_test.h"
#include "ttlv/writer.h"

namespace dare::ttlv {
namespace {

using V = VocabularyForTest;
const V kVocabulary;

Result<WipingBytes> Read(std::string_view xml, const Limits& limits = {}) {
  return FromXml(AsBytes(xml), kVocabulary, limits);
}

template <typename Write>
WipingBytes Ttlv(Write write) {
  Writer out;
  write(out);
  return out.Take();
}

std::string Written(ByteView item, XmlLayout layout = XmlLayout::kCompact) {
  const auto xml = ToXml(item, kVocabulary, {}, layout);
  EXPECT_TRUE(xml.has_value()) << xml.error().message;
  return xml ? std::string(AsText(*xml)) : "";
}

// `xml` is the canonical form of what `write` writes, and reads as the same.
template <typename Write>
void ExpectBothWays(std::string_view xml, Write write) {
  const WipingBytes item = Ttlv(write);
  EXPECT_EQ(Written(item), xml);
  const auto read = Read(xml);
  ASSERT_TRUE(read.has_value()) << xml << ": " << read.error().message;
  EXPECT_EQ(*read, item) << xml;
}

// `xml` reads as the same as what `write` writes.
template <typename Write>
void ExpectReads(std::string_view xml, Write write) {
  const auto read = Read(xml);
  ASSERT_TRUE(read.has_value()) << xml << ": " << read.error().message;
  EXPECT_EQ(*read, Ttlv(write)) << xml;
}

void ExpectRefused(std::string_view xml, Code code = Code::kMalformed) {
  const auto read = Read(xml);
  ASSERT_FALSE(read.has_value()) << xml;
  EXPECT_EQ(read.error().code, code) << xml << ": " << read.error().message;
}

TEST(Xml, WritesEachTypeInItsCanonicalFormAndReadsItBack) {
  const Bytes big = {0xFF, 0xFE, 0, 0, 0, 0, 0, 1};
  ExpectBothWays(R"(<Number type="Integer" value="-8"/>)",
                 [](Writer& w) { w.Integer(V::kNumber, -8); });
  ExpectBothWays(R"(<Number type="LongInteger" value="-9223372036854775808"/>)",
                 [](Writer& w) { w.LongInteger(V::kNumber, INT64_MIN); });
  ExpectBothWays(R"(<Number type="BigInteger" value="fffe000000000001"/>)",
                 [&](Writer& w) { w.BigInteger(V::kNumber, big); });
  ExpectBothWays(R"(<Colour type="Enumeration" value="Green"/>)",
                 [](Writer& w) { w.Enumeration(V::kColour, 2); });
  ExpectBothWays(R"(<Colour type="Enumeration" value="0x80000009"/>)",
                 [](Writer& w) { w.Enumeration(V::kColour, 0x80000009); });
  ExpectBothWays(R"(<Number type="Boolean" value="true"/>)",
                 [](Writer& w) { w.Boolean(V::kNumber, true); });
  ExpectBothWays(R"(<Label type="TextString" value="Hello World"/>)",
                 [](Writer& w) { w.Text(V::kLabel, "Hello World"); });
  ExpectBothWays(R"(<Number type="ByteString" value="fffe000000000001"/>)",
                 [&](Writer& w) { w.ByteString(V::kNumber, big); });
  ExpectBothWays(R"(<Number type="ByteString" value=""/>)",
                 [](Writer& w) { w.ByteString(V::kNumber, {}); });
  ExpectBothWays(R"(<Number type="DateTime" value="2008-03-14T11:56:40+00:00"/>)",
                 [](Writer& w) { w.DateTime(V::kNumber, 0x47DA67F8); });
  ExpectBothWays(R"(<Number type="DateTime" value="0x7fffffffffffffff"/>)",
                 [](Writer& w) { w.DateTime(V::kNumber, INT64_MAX); });
  ExpectBothWays(R"(<Number type="Interval" value="4294967295"/>)",
                 [](Writer& w) { w.Interval(V::kNumber, 0xFFFFFFFF); });
  ExpectBothWays(R"(<Number type="DateTimeExtended" value="1969-12-31T23:59:59.999999+00:00"/>)",
                 [](Writer& w) { w.DateTimeExtended(V::kNumber, -1); });
  ExpectBothWays(R"(<Number type="DateTimeExtended" value="0x8000000000000000"/>)",
                 [](Writer& w) { w.DateTimeExtended(V::kNumber, INT64_MIN); });
}

TEST(Xml, ReadsTheOtherFormsOfValues) {
  ExpectReads(R"(<Number type="Integer" value=" +8 "/>)",
              [](Writer& w) { w.Integer(V::kNumber, 8); });
  ExpectReads(R"(<Number type="Integer" value="0xffffffff"/>)",
              [](Writer& w) { w.Integer(V::kNumber, -1); });
  ExpectReads(R"(<Number type="LongInteger" value="0xFFFFFFFFFFFFFFFF"/>)",
              [](Writer& w) { w.LongInteger(V::kNumber, -1); });
  ExpectReads(R"(<Colour type="Enumeration" value="0x00000002"/>)",
              [](Writer& w) { w.Enumeration(V::kColour, 2); });
  ExpectReads(R"(<Colour type="Enumeration" value="2"/>)",
              [](Writer& w) { w.Enumeration(V::kColour, 2); });
  ExpectReads(R"(<Colour type="Enumeration" value="3D"/>)",
              [](Writer& w) { w.Enumeration(V::kColour, 3); });
  ExpectReads(R"(<Number type="Boolean" value="1"/>)",
              [](Writer& w) { w.Boolean(V::kNumber, true); });
  ExpectReads(R"(<Number type="Boolean" value="0x0000000000000000"/>)",
              [](Writer& w) { w.Boolean(V::kNumber, false); });
  ExpectReads(R"(<Number type="DateTime" value="0x0000000047da67f8"/>)",
              [](Writer& w) { w.DateTime(V::kNumber, 0x47DA67F8); });
  ExpectReads(R"(<Number type="DateTime" value="1205495800"/>)",
              [](Writer& w) { w.DateTime(V::kNumber, 0x47DA67F8); });
  ExpectReads(R"(<Number type="DateTime" value="2008-03-14T21:56:40.9+10:00"/>)",
              [](Writer& w) { w.DateTime(V::kNumber, 0x47DA67F8); });
  ExpectReads(R"(<Number type="Interval" value="0x00000010"/>)",
              [](Writer& w) { w.Interval(V::kNumber, 16); });
  ExpectReads(R"(<Number type="ByteString" value="AbCd"/>)", [](Writer& w) {
    w.ByteString(V::kNumber, Bytes{0xAB, 0xCD});
  });
}

TEST(Xml, NamesTheBitsOfMasks) {
  ExpectBothWays(R"(<Uses type="Integer" value="Read Write"/>)",
                 [](Writer& w) { w.Integer(V::kUses, 3); });
  ExpectBothWays(R"(<Uses type="Integer" value="Write 0x80000010"/>)",
                 [](Writer& w) { w.Integer(V::kUses, static_cast<std::int32_t>(0x80000012)); });
  ExpectBothWays(R"(<Uses type="Integer" value="0"/>)", [](Writer& w) { w.Integer(V::kUses, 0); });
  ExpectReads(R"(<Uses type="Integer" value="Write|Read"/>)",
              [](Writer& w) { w.Integer(V::kUses, 3); });
  ExpectReads(R"(<Uses type="Integer" value="  Write   0x00000001 "/>)",
              [](Writer& w) { w.Integer(V::kUses, 3); });
  ExpectRefused(R"(<Uses type="Integer" value="Write Execute"/>)");
  ExpectRefused(R"(<Uses type="Integer" value=" | "/>)");
  ExpectRefused(R"(<Number type="Integer" value="Write"/>)");
}

TEST(Xml, NestsStructuresAndKeepsTheirOrder) {
  const auto write = [](Writer& w) {
    w.Structure(V::kBox, [&] {
      w.Integer(V::kNumber, 1);
      w.Structure(V::kBox, [] {});
      w.Integer(V::kNumber, 2);
    });
  };
  ExpectBothWays(R"(<Box><Number type="Integer" value="1"/><Box/>)"
                 R"(<Number type="Integer" value="2"/></Box>)",
                 write);
  const std::string indented = Written(Ttlv(write), XmlLayout::kIndented);
  EXPECT_EQ(indented,
            "<Box>\n  <Number type=\"Integer\" value=\"1\"/>\n  <Box/>\n"
            "  <Number type=\"Integer\" value=\"2\"/>\n</Box>\n");
  ExpectReads(indented, write);
  ExpectReads(R"(<Box type="Structure"></Box>)", [](Writer& w) { w.Structure(V::kBox, [] {}); });
}

TEST(Xml, WritesTagsWithoutANameAsHex) {
  ExpectBothWays(R"(<TTLV tag="0x540001"><TTLV tag="0x540001" type="Integer" value="7"/></TTLV>)",
                 [](Writer& w) { w.Structure(V::kNameless, [&] { w.Integer(V::kNameless, 7); }); });
  ExpectReads(R"(<TTLV tag="0x54FFFF" name="SomeExtension" type="Integer" value="10"/>)",
              [](Writer& w) { w.Integer(static_cast<kmip::Tag>(0x54FFFF), 10); });
  ExpectRefused(R"(<TTLV type="Integer" value="10"/>)");
  ExpectRefused(R"(<TTLV tag="0x550000" type="Integer" value="10"/>)");
  ExpectRefused(R"(<TTLV tag="540001" type="Integer" value="10"/>)");
  ExpectRefused(R"(<Number tag="0x540001" type="Integer" value="10"/>)");
}

TEST(Xml, TakesNamesOfTheFieldThatTheFirstMemberNames) {
  ExpectBothWays(R"(<Box><Label type="TextString" value="Colour"/>)"
                 R"(<Anything type="Enumeration" value="Red"/></Box>)",
                 [](Writer& w) {
                   w.Structure(V::kBox, [&] {
                     w.Text(V::kLabel, "Colour");
                     w.Enumeration(V::kAnything, 1);
                   });
                 });
  // Not the first: it names nothing.
  ExpectBothWays(R"(<Box><Number type="Integer" value="0"/><Label type="TextString" value="Uses"/>)"
                 R"(<Anything type="Integer" value="3"/></Box>)",
                 [](Writer& w) {
                   w.Structure(V::kBox, [&] {
                     w.Integer(V::kNumber, 0);
                     w.Text(V::kLabel, "Uses");
                     w.Integer(V::kAnything, 3);
                   });
                 });
  ExpectRefused(R"(<Box><Label type="TextString" value="Colour"/><Box>)"
                R"(<Anything type="Enumeration" value="Red"/></Box></Box>)");
}

TEST(Xml, KeepsEveryCharacterOfATextOrSaysThatItCannot) {
  const std::string text = "a<b>&\"c\"'\t\n\r \xC3\xA9\xEF\xBF\xBD ";
  const WipingBytes item = Ttlv([&](Writer& w) { w.Text(V::kLabel, text); });
  ExpectReads(Written(item), [&](Writer& w) { w.Text(V::kLabel, text); });
  for (const std::string_view bad :
       {std::string_view("\0", 1), std::string_view("\x1F"), std::string_view("\xEF\xBF\xBE")}) {
    const auto xml = ToXml(Ttlv([&](Writer& w) { w.Text(V::kLabel, bad); }), kVocabulary);
    ASSERT_FALSE(xml.has_value());
    EXPECT_EQ(xml.error().code, Code::kUnsupported);
  }
}

TEST(Xml, KnowsItsNamespaceCommentsAndTheDeclaration) {
  const auto seven = [](Writer& w) { w.Structure(V::kBox, [&] { w.Integer(V::kNumber, 7); }); };
  ExpectReads(
      "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a comment -->\n"
      R"(<Box xmlns="urn:oasis:tc:kmip:xmlns">  <Number type="Integer" value="7"/></Box>)",
      seven);
  ExpectReads(R"(<k:Box xmlns:k="urn:oasis:tc:kmip:xmlns" xml:lang="en">)"
              R"(<k:Number type="Integer" value="7"></k:Number></k:Box>)",
              seven);
  ExpectRefused(R"(<Box xmlns="urn:other"/>)");
  ExpectRefused(R"(<Box colour="Red"/>)");
}

TEST(Xml, RefusesDocumentTypesAndEntities) {
  ExpectRefused(R"(<!DOCTYPE Box><Box/>)");
  ExpectRefused(R"(<!DOCTYPE Box SYSTEM "file:///etc/passwd"><Box/>)");
  ExpectRefused(R"(<!DOCTYPE Box [<!ENTITY a "1">]><Number type="Integer" value="&a;"/>)");
  ExpectRefused(R"(<Number type="Integer" value="&a;"/>)");
}

TEST(Xml, RefusesWhatIsNotAnItem) {
  for (const std::string_view xml :
       {"", " ", "<", "<Box>", "<Box></Number>", "<Box/><Box/>", "<Box>text</Box>", "<Unknown/>",
        "<Box value=\"1\"/>", "<Number type=\"Integer\"/>", "<Number type=\"Whole\" value=\"1\"/>",
        "<Number type=\"Integer\" value=\"1\"><Box/></Number>",
        "<Number type=\"Integer\" value=\"1\" value=\"1\"/>", "\xFF\xFE"}) {
    ExpectRefused(xml);
  }
}

TEST(Xml, RefusesValuesOutOfTheirType) {
  for (const std::string_view value :
       {"", "1.0", "0x1", "0x000000001", "2147483648", "one", "--1"}) {
    ExpectRefused("<Number type=\"Integer\" value=\"" + std::string(value) + "\"/>");
  }
  ExpectRefused(R"(<Number type="LongInteger" value="9223372036854775808"/>)");
  ExpectRefused(R"(<Number type="Interval" value="-1"/>)");
  ExpectRefused(R"(<Number type="BigInteger" value="01"/>)");
  ExpectRefused(R"(<Number type="BigInteger" value=""/>)");
  ExpectRefused(R"(<Number type="ByteString" value="0"/>)");
  ExpectRefused(R"(<Number type="ByteString" value="0x00"/>)");
  ExpectRefused(R"(<Number type="Boolean" value="yes"/>)");
  ExpectRefused(R"(<Number type="Boolean" value="0x0000000000000002"/>)");
  ExpectRefused(R"(<Colour type="Enumeration" value="Blue"/>)");
  ExpectRefused(R"(<Number type="DateTime" value="yesterday"/>)");
}

TEST(Xml, HoldsTheLimits) {
  std::string nested, end;
  for (int i = 0; i < 33; ++i) {
    nested += "<Box>";
    end += "</Box>";
  }
  ExpectRefused(nested + end, Code::kTooLarge);
  EXPECT_TRUE(Read(nested.substr(5) + end.substr(6)).has_value());
  Limits few;
  few.max_items = 3;
  EXPECT_TRUE(Read("<Box><Box/><Box/></Box>", few).has_value());
  EXPECT_EQ(Read("<Box><Box/><Box/><Box/></Box>", few).error().code, Code::kTooLarge);
  Limits small;
  small.max_message_bytes = 24;
  EXPECT_TRUE(Read(R"(<Box><Number type="Integer" value="1"/></Box>)", small).has_value());
  EXPECT_EQ(Read(R"(<Box><Number type="ByteString" value="000000000000000000"/></Box>)", small)
                .error()
                .code,
            Code::kTooLarge);
}

TEST(Xml, BoundsTheMemoryOfTheParser) {
  // Many short attributes cost the most beside their own size.
  std::string xml = "<Box";
  for (int i = 0; i < 17576; ++i) {
    xml += {' ',
            static_cast<char>('a' + i % 26),
            static_cast<char>('a' + i / 26 % 26),
            static_cast<char>('a' + i / 676),
            '=',
            '\'',
            '\''};
  }
  const auto read = Read(xml + "/>");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Code::kTooLarge) << read.error().message;
}

TEST(Xml, ReadsOneLongValue) {
  const Bytes value(1u << 20, 0xA5);
  const WipingBytes item = Ttlv([&](Writer& w) { w.ByteString(V::kNumber, value); });
  const auto xml = ToXml(item, kVocabulary);
  ASSERT_TRUE(xml.has_value());
  const auto back = FromXml(*xml, kVocabulary);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_TRUE(*back == item);
}

TEST(Xml, KnowsTheTypesOfTheDraftWhereTheyAreAllowed) {
  const std::string xml = R"(<Label type="NameReference" value="a&amp;b"/>)";
  ExpectRefused(xml);
  Limits draft;
  draft.draft3_types = true;
  const auto item = Read(xml, draft);
  ASSERT_TRUE(item.has_value()) << item.error().message;
  EXPECT_EQ(ToHex(*item), "4200040e000000036126620000000000");
  EXPECT_EQ(AsText(*ToXml(*item, kVocabulary, draft)), xml);
  EXPECT_FALSE(ToXml(*item, kVocabulary).has_value());
}

TEST(Xml, DoesNotWriteWhatIsNotValid) {
  WipingBytes item = Ttlv([](Writer& w) { w.Text(V::kLabel, "abc"); });
  item[8] = 0xFF;
  EXPECT_FALSE(ToXml(item, kVocabulary).has_value());
  EXPECT_FALSE(ToXml({}, kVocabulary).has_value());
}

}  // namespace
}  // namespace dare::ttlv

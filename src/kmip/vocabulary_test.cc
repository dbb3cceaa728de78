#include "kmip/vocabulary.h"

#include <gtest/gtest.h>

#include "kmip/enums.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"
#include "ttlv/xml.h"

namespace dare::kmip {
namespace {

// `xml` is the canonical form of what `write` writes, and reads as the same.
template <typename Write>
void ExpectBothWays(std::string_view xml, Write write) {
  ttlv::Writer out;
  write(out);
  const auto written = ttlv::ToXml(out.bytes(), Vocabulary());
  ASSERT_TRUE(written.has_value()) << written.error().message;
  EXPECT_EQ(AsText(*written), xml);
  const auto read = ttlv::FromXml(AsBytes(xml), Vocabulary());
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(ToBytes(*read), ToBytes(out.bytes()));
}

void ExpectSame(std::string_view one, std::string_view other) {
  const auto a = ttlv::FromXml(AsBytes(one), Vocabulary());
  const auto b = ttlv::FromXml(AsBytes(other), Vocabulary());
  ASSERT_TRUE(a.has_value()) << a.error().message;
  ASSERT_TRUE(b.has_value()) << b.error().message;
  EXPECT_EQ(*a, *b);
}

TEST(Vocabulary, TypesAttributeValuesByTheirAttributeName) {
  ExpectBothWays(R"(<Attribute><AttributeName type="TextString" value="Cryptographic Algorithm"/>)"
                 R"(<AttributeValue type="Enumeration" value="DES3"/></Attribute>)",
                 [](ttlv::Writer& w) {
                   w.Structure(Tag::kAttribute, [&] {
                     w.Text(Tag::kAttributeName, "Cryptographic Algorithm");
                     w.Enum(Tag::kAttributeValue, CryptographicAlgorithm::kDES3);
                   });
                 });
  ExpectBothWays(R"(<Attribute><AttributeName type="TextString" value="Cryptographic Usage Mask"/>)"
                 R"(<AttributeIndex type="Integer" value="0"/>)"
                 R"(<AttributeValue type="Integer" value="Sign Verify"/></Attribute>)",
                 [](ttlv::Writer& w) {
                   w.Structure(Tag::kAttribute, [&] {
                     w.Text(Tag::kAttributeName, "Cryptographic Usage Mask");
                     w.Integer(Tag::kAttributeIndex, 0);
                     w.Integer(Tag::kAttributeValue, 3);
                   });
                 });
}

TEST(Vocabulary, DoesNotTakeAVendorsNameForTheStandards) {
  ExpectBothWays(R"(<Attribute><VendorIdentification type="TextString" value="x"/>)"
                 R"(<AttributeName type="TextString" value="State"/>)"
                 R"(<AttributeValue type="Enumeration" value="0x00000002"/></Attribute>)",
                 [](ttlv::Writer& w) {
                   w.Structure(Tag::kAttribute, [&] {
                     w.Text(Tag::kVendorIdentification, "x");
                     w.Text(Tag::kAttributeName, "State");
                     w.Enumeration(Tag::kAttributeValue, 2);
                   });
                 });
}

TEST(Vocabulary, NamesTheTagsThatAttributeReferencesHold) {
  ExpectBothWays(
      R"(<AttributeReference type="Enumeration" value="CryptographicLength"/>)",
      [](ttlv::Writer& w) { w.Enum(Tag::kAttributeReference, Tag::kCryptographicLength); });
}

TEST(Vocabulary, NamesIdentifiersThatAreEnumerations) {
  ExpectBothWays(R"(<UniqueIdentifier type="Enumeration" value="IDPlaceholder"/>)",
                 [](ttlv::Writer& w) { w.Enumeration(Tag::kUniqueIdentifier, 1); });
  ExpectBothWays(R"(<LinkedObjectIdentifier type="Enumeration" value="IDPlaceholder"/>)",
                 [](ttlv::Writer& w) { w.Enumeration(Tag::kLinkedObjectIdentifier, 1); });
}

TEST(Vocabulary, ReadsTheTokensOfThePublishedCases) {
  ExpectSame(R"(<CryptographicUsageMask type="Integer" value="ContentCommitment"/>)",
             R"(<CryptographicUsageMask type="Integer" value="0x00000400"/>)");
  ExpectSame(R"(<ResultReason type="Enumeration" value="NotAuthorized"/>)",
             R"(<ResultReason type="Enumeration" value="0x00000039"/>)");
  ExpectSame(R"(<PKCS_11Function type="Enumeration" value="C_Initialize"/>)",
             R"(<PKCS_11Function type="Enumeration" value="0x00000001"/>)");
  ExpectSame(R"(<PKCS_11ReturnCode type="Enumeration" value="OK"/>)",
             R"(<PKCS_11ReturnCode type="Enumeration" value="0x00000000"/>)");
  ExpectSame(R"(<MaskGeneratorHashingAlgorithm type="Enumeration" value="SHA_256"/>)",
             R"(<MaskGeneratorHashingAlgorithm type="Enumeration" value="0x00000006"/>)");
}

}  // namespace
}  // namespace dare::kmip

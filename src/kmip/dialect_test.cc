#include "kmip/dialect.h"

#include <gtest/gtest.h>

#include <functional>

#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

constexpr ProtocolVersion kAll[] = {kVersion1_0, kVersion1_1, kVersion1_2, kVersion1_3,
                                    kVersion1_4, kVersion2_0, kVersion2_1};

AttributeSet Some() {
  AttributeSet set;
  set.Add(Attribute::OfName("a"));
  set.Add(Attribute::OfName("b"));
  set.Add(Attribute::OfEnumeration(Tag::kCryptographicAlgorithm, 3));
  set.Add(Attribute::OfLink(0x106, "other"));
  return set;
}

// A 1.x Attribute structure.
Bytes Attribute1(std::string_view name, const std::function<void(ttlv::Writer&)>& value,
                 std::optional<std::int32_t> index = {}) {
  ttlv::Writer out;
  out.Structure(Tag::kAttribute, [&] {
    out.Text(Tag::kAttributeName, name);
    if (index) out.Integer(Tag::kAttributeIndex, *index);
    value(out);
  });
  return ToBytes(out.bytes());
}

std::uint64_t Reason(const Error& error) {
  EXPECT_EQ(error.code, Code::kRejected);
  return error.detail;
}

TEST(Dialect, AttributesComeBackInEveryVersion) {
  for (const ProtocolVersion version : kAll) {
    ttlv::Writer out;
    WriteAttributes(out, version, Some());
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    ASSERT_TRUE(AtAttributes(in, version));
    const auto read = ReadAttributes(in, version);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->attributes.all(), Some().all());
  }
}

TEST(Dialect, WhatAVersionDoesNotKnowIsLeftOut) {
  AttributeSet set;
  set.Add(Attribute::OfBoolean(Tag::kSensitive, true));                 // 1.4
  set.Add(Attribute::OfBytes(Tag::kShortUniqueIdentifier, Bytes(32)));  // 2.0
  set.Add(Attribute::OfText(Tag::kOperationPolicyName, "default"));     // gone in 2.0
  const auto count = [&](ProtocolVersion version) {
    ttlv::Writer out;
    WriteAttributes(out, version, set);
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    return ReadAttributes(in, version)->attributes.all().size();
  };
  EXPECT_EQ(count(kVersion1_3), 1u);
  EXPECT_EQ(count(kVersion1_4), 2u);
  EXPECT_EQ(count(kVersion2_0), 2u);
}

TEST(Dialect, CustomAttributesOf1xAreVendorAttributesOf2x) {
  const Bytes custom =
      Attribute1("x-ID", [](ttlv::Writer& out) { out.Text(Tag::kAttributeValue, "v"); });
  ttlv::Reader in = ttlv::Reader::Members(custom);
  const auto read = ReadAttribute(in, kVersion1_4, Tag::kNewAttribute);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(ReferenceTo(read->attribute), (AttributeReference{Tag::kAttribute, "x", "ID"}));
  ttlv::Writer in_2x;
  WriteAttribute(in_2x, kVersion2_1, read->attribute, Tag::kNewAttribute);
  ttlv::Reader again = ttlv::Reader::Members(in_2x.bytes());
  const auto read_2x = ReadAttribute(again, kVersion2_1, Tag::kNewAttribute);
  ASSERT_TRUE(read_2x);
  EXPECT_EQ(read_2x->attribute, read->attribute);
  ttlv::Writer back;
  WriteAttribute(back, kVersion1_4, read_2x->attribute, Tag::kNewAttribute);
  EXPECT_EQ(ToBytes(back.bytes()), custom);
}

TEST(Dialect, AVendorThat1xCannotNameIsLeftOutThere) {
  ttlv::Writer vendor;
  vendor.Structure(Tag::kAttribute, [&] {
    vendor.Text(Tag::kVendorIdentification, "acme");
    vendor.Text(Tag::kAttributeName, "n");
    vendor.Text(Tag::kAttributeValue, "v");
  });
  const Attribute attribute = Attribute::OfItem(*ttlv::ParseItem(vendor.bytes()));
  EXPECT_FALSE(AttributeKnown(ReferenceTo(attribute), kVersion1_4));
  EXPECT_TRUE(AttributeKnown(ReferenceTo(attribute), kVersion2_0));
  ttlv::Writer out;
  WriteAttributeList(out, kVersion1_4, {attribute});
  EXPECT_EQ(out.size(), 0u);
}

TEST(Dialect, RefusesUnknownIllTypedAndFutureAttributes) {
  const auto integer = [](ttlv::Writer& out) { out.Integer(Tag::kAttributeValue, 1); };
  const auto reason_1x = [&](std::string_view name, ProtocolVersion version) {
    const Bytes bytes = Attribute1(name, integer);
    ttlv::Reader in = ttlv::Reader::Members(bytes);
    return Reason(ReadAttribute(in, version, Tag::kNewAttribute).error());
  };
  const auto invalid_field = static_cast<std::uint64_t>(ResultReason::kInvalidField);
  EXPECT_EQ(reason_1x("No Such Thing", kVersion1_4), invalid_field);
  EXPECT_EQ(reason_1x("Contact Information", kVersion1_4), invalid_field) << "not a text";
  EXPECT_EQ(reason_1x("Sensitive", kVersion1_3), invalid_field) << "came with 1.4";

  ttlv::Writer out;
  out.Structure(Tag::kNewAttribute, [&] { out.Integer(Tag::kContactInformation, 1); });
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(Reason(ReadAttribute(in, kVersion2_1, Tag::kNewAttribute).error()),
            static_cast<std::uint64_t>(ResultReason::kInvalidAttributeValue));
}

TEST(Dialect, RefusesNegativeIndexesAndMissingValues) {
  const Bytes negative = Attribute1(
      "x-a", [](ttlv::Writer& out) { out.Text(Tag::kAttributeValue, "v"); }, -1);
  ttlv::Reader in = ttlv::Reader::Members(negative);
  EXPECT_FALSE(ReadAttribute(in, kVersion1_4, Tag::kNewAttribute));
  const Bytes empty = Attribute1("x-a", [](ttlv::Writer&) {});
  ttlv::Reader none = ttlv::Reader::Members(empty);
  EXPECT_EQ(Reason(ReadAttribute(none, kVersion1_4, Tag::kNewAttribute).error()),
            static_cast<std::uint64_t>(ResultReason::kInvalidMessage));
}

TEST(Dialect, CryptographicParametersAloneNeedNoName) {
  const auto nameless = [](const std::function<void(ttlv::Writer&)>& fields) {
    ttlv::Writer out;
    out.Structure(Tag::kAttribute,
                  [&] { out.Structure(Tag::kAttributeValue, [&] { fields(out); }); });
    const Bytes bytes = ToBytes(out.bytes());
    ttlv::Reader in = ttlv::Reader::Members(bytes);
    const Result<AttributeIn> read = ReadAttribute(in, kVersion1_2, Tag::kNewAttribute);
    return read ? read->attribute.tag : Tag{};
  };
  EXPECT_EQ(nameless([](ttlv::Writer& out) { out.Enumeration(Tag::kPaddingMethod, 10); }),
            Tag::kCryptographicParameters);
  EXPECT_EQ(nameless([](ttlv::Writer&) {}), Tag{});
  EXPECT_EQ(nameless([](ttlv::Writer& out) {
              out.Enumeration(Tag::kPaddingMethod, 10);
              out.Text(Tag::kNameValue, "n");
            }),
            Tag{});
}

TEST(Dialect, RefusesMoreAttributesThanAnybodyNeeds) {
  for (const ProtocolVersion version : {kVersion1_4, kVersion2_1}) {
    AttributeSet set;
    for (std::size_t i = 0; i < kMostAttributesInRequest; ++i) set.Add(Attribute::OfName("a"));
    for (const bool allowed : {true, false}) {
      ttlv::Writer out;
      WriteAttributes(out, version, set);
      ttlv::Reader in = ttlv::Reader::Members(out.bytes());
      EXPECT_EQ(ReadAttributes(in, version).has_value(), allowed);
      set.Add(Attribute::OfName("one more"));
    }
  }
}

TEST(Dialect, NewAttributeHoldsExactlyOne) {
  ttlv::Writer out;
  out.Structure(Tag::kNewAttribute, [&] {
    out.Raw(Attribute::OfName("a").item);
    out.Raw(Attribute::OfName("b").item);
  });
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(ReadAttribute(in, kVersion2_1, Tag::kNewAttribute).error().code, Code::kMalformed);
}

TEST(Dialect, ReferencesAreNamesOrTags) {
  const AttributeReference vendor{Tag::kAttribute, "x", "ID"};
  const AttributeReference state{Tag::kState, "", ""};
  for (const ProtocolVersion version : kAll) {
    for (const AttributeReference& reference : {vendor, state}) {
      ttlv::Writer out;
      WriteReference(out, version, reference);
      ttlv::Reader in = ttlv::Reader::Members(out.bytes());
      ASSERT_TRUE(AtReference(in, version));
      EXPECT_EQ(*ReadReference(in, version), reference);
    }
  }
  ttlv::Writer unknown;
  unknown.Text(Tag::kAttributeName, "No Such Thing");
  ttlv::Reader in = ttlv::Reader::Members(unknown.bytes());
  EXPECT_EQ(ReadReference(in, kVersion1_4)->tag, Tag{}) << "names nothing, is no error";
}

TEST(Dialect, TemplateNamesAreKeptApart) {
  AttributesIn given;
  given.template_names = {"T1"};
  given.attributes = Some();
  ttlv::Writer out;
  WriteAttributes(out, kVersion1_4, given);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = ReadAttributes(in, kVersion1_4);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->template_names, std::vector<std::string>{"T1"});
  EXPECT_EQ(read->attributes.all().size(), 4u);
}

TEST(Dialect, GetAttributesKeepsTheIndexesItAnswers) {
  Attribute second = Attribute::OfName("b");
  second.index = 4;
  ttlv::Writer out;
  WriteAttributeList(out, kVersion1_2, {second});
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(ReadAttributeList(in, kVersion1_2)->at(0).index, 4);
}

}  // namespace
}  // namespace dare::kmip

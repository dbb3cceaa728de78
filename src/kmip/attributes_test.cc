#include "kmip/attributes.h"

#include <gtest/gtest.h>

#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::kmip {
namespace {

Attribute Vendor(std::string_view vendor, std::string_view name, std::string_view value) {
  ttlv::Writer out;
  out.Structure(Tag::kAttribute, [&] {
    out.Text(Tag::kVendorIdentification, vendor);
    out.Text(Tag::kAttributeName, name);
    out.Text(Tag::kAttributeValue, value);
  });
  return Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
}

TEST(Attributes, EachTypeReadsBack) {
  AttributeSet set;
  set.Add(Attribute::OfInteger(Tag::kCryptographicLength, -1));
  set.Add(Attribute::OfEnumeration(Tag::kState, 2));
  set.Add(Attribute::OfBoolean(Tag::kFresh, true));
  set.Add(Attribute::OfText(Tag::kContactInformation, "joe"));
  set.Add(Attribute::OfDate(Tag::kInitialDate, -5));
  set.Add(Attribute::OfInterval(Tag::kLeaseTime, 3600));
  EXPECT_EQ(set.Integer(Tag::kCryptographicLength), -1);
  EXPECT_EQ(set.Enumeration(Tag::kState), 2u);
  EXPECT_EQ(set.Boolean(Tag::kFresh), true);
  EXPECT_EQ(set.Text(Tag::kContactInformation), "joe");
  EXPECT_EQ(set.Date(Tag::kInitialDate), -5);
  EXPECT_EQ(*set.Find(Tag::kLeaseTime)->View().AsInterval(), 3600u);
  EXPECT_FALSE(set.Integer(Tag::kState)) << "another type is no value";
  EXPECT_FALSE(set.Date(Tag::kDestroyDate)) << "absent";
}

TEST(Attributes, AnInstanceKeepsItsIndexForLife) {
  AttributeSet set;
  for (const char* name : {"a", "b", "c"}) set.Add(Attribute::OfName(name));
  const AttributeReference names{Tag::kName, "", ""};
  EXPECT_TRUE(set.Remove(names, 1));
  EXPECT_FALSE(set.Remove(names, 1));
  EXPECT_EQ(*set.Find(names, 2), Attribute::OfName("c"));
  set.Add(Attribute::OfName("d"));
  EXPECT_EQ(*set.Find(names, 3), Attribute::OfName("d"));
  EXPECT_EQ(set.Names(), (std::vector<std::string>{"a", "c", "d"}));
}

TEST(Attributes, SetLeavesOneInstance) {
  AttributeSet set;
  set.Add(Attribute::OfName("a"));
  set.Add(Attribute::OfInteger(Tag::kCryptographicLength, 128));
  set.Add(Attribute::OfName("b"));
  set.Set(Attribute::OfName("c"));
  EXPECT_EQ(set.Names(), std::vector<std::string>{"c"});
  EXPECT_EQ(set.all().size(), 2u);
}

TEST(Attributes, ReplaceKeepsTheIndex) {
  AttributeSet set;
  set.Add(Attribute::OfName("a"));
  set.Add(Attribute::OfName("b"));
  const AttributeReference names{Tag::kName, "", ""};
  EXPECT_TRUE(set.Replace(names, 1, Attribute::OfName("z")));
  EXPECT_EQ(set.Find(names, 1)->index, 1);
  EXPECT_FALSE(set.Replace(names, 7, Attribute::OfName("y")));
}

TEST(Attributes, VendorAttributesAreToldApartByVendorAndName) {
  AttributeSet set;
  set.Add(Vendor("x", "ID", "1"));
  set.Add(Vendor("x", "Other", "2"));
  set.Add(Vendor("y", "ID", "3"));
  const AttributeReference mine{Tag::kAttribute, "x", "ID"};
  EXPECT_EQ(set.Count(mine), 1u);
  EXPECT_EQ(set.all()[1].index, 0) << "indexes count within one name";
  EXPECT_EQ(ReferenceTo(set.all()[2]), (AttributeReference{Tag::kAttribute, "y", "ID"}));
  EXPECT_FALSE(mine.Names(set.all()[2]));
}

TEST(Attributes, SerializedSetsComeBackAndCutOnesDoNot) {
  AttributeSet set;
  set.Add(Attribute::OfName("a"));
  set.Add(Attribute::OfName("b"));
  set.Add(Vendor("x", "ID", "1"));
  const Bytes bytes = set.Serialize();
  const auto back = AttributeSet::Parse(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->all(), set.all());
  EXPECT_EQ(back->all()[1].index, 1);
  EXPECT_EQ(back->Serialize(), bytes);
  int lawful = 0;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    lawful += AttributeSet::Parse(ByteView(bytes).first(cut)).has_value();
  }
  EXPECT_EQ(lawful, 3) << "only at the ends of the items";
}

}  // namespace
}  // namespace dare::kmip

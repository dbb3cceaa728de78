#include "conformance/bindings.h"

#include <gtest/gtest.h>

#include "conformance/xml_codec.h"

namespace dare::conformance {
namespace {

using kmip::Tag;

constexpr std::int64_t kNow = 1'700'000'000;

Node Parsed(const std::string& xml) {
  const Result<Node> node = ParseXml(xml);
  EXPECT_TRUE(node) << (node ? "" : node.error().message);
  return node ? *node : Node();
}

Node Scalar(const std::string& tag, const std::string& type, const std::string& value) {
  return Parsed("<" + tag + " type=\"" + type + "\" value=\"" + value + "\"/>");
}

Node Response(const std::string& operation, const std::string& payload) {
  return Parsed("<ResponseMessage><BatchItem><Operation type=\"Enumeration\" value=\"" + operation +
                "\"/><ResponsePayload>" + payload +
                "</ResponsePayload></BatchItem></ResponseMessage>");
}

TEST(Bindings, FillsWhatWasBound) {
  Bindings bindings(kNow);
  bindings.Bind("$UNIQUE_IDENTIFIER_0", {0, "id-1"});
  const Result<Node> filled =
      bindings.Fill(Parsed("<RequestPayload><UniqueIdentifier type=\"TextString\" "
                           "value=\"$UNIQUE_IDENTIFIER_0\"/></RequestPayload>"));
  ASSERT_TRUE(filled);
  EXPECT_EQ(filled->members[0].value.octets, "id-1");
  EXPECT_FALSE(filled->members[0].is_placeholder());
}

TEST(Bindings, RefusesAPlaceholderNobodyBound) {
  Bindings bindings(kNow);
  const Result<Node> filled =
      bindings.Fill(Scalar("UniqueIdentifier", "TextString", "$UNIQUE_IDENTIFIER_7"));
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().code, Code::kNotFound);
  EXPECT_NE(filled.error().message.find("$UNIQUE_IDENTIFIER_7"), std::string::npos);
}

TEST(Bindings, CountsTimesFromTheBeginningOfTheCase) {
  Bindings bindings(kNow);
  EXPECT_EQ(bindings.TimeOf("$NOW"), kNow);
  EXPECT_EQ(bindings.TimeOf("$NOW-3600"), kNow - 3600);
  EXPECT_EQ(bindings.TimeOf("$NOW+120"), kNow + 120);
  EXPECT_EQ(bindings.TimeOf("$UNIQUE_IDENTIFIER_0"), std::nullopt);
  bindings.Shorten(3);
  EXPECT_EQ(bindings.TimeOf("$NOW+120"), kNow + 3);
  EXPECT_EQ(bindings.TimeOf("$NOW-3600"), kNow - 3600);
}

TEST(Bindings, TakesTheLastFieldWhereAnAnswerPrintedALiteral) {
  Bindings bindings(kNow);
  const Node printed = Scalar("MACData", "ByteString", "$MAC_DATA");
  EXPECT_FALSE(bindings.Fill(printed));
  bindings.Learn(Node(), Response("MAC", "<MACData type=\"ByteString\" value=\"0102\"/>"));
  const Result<Node> filled = bindings.Fill(printed);
  ASSERT_TRUE(filled);
  EXPECT_EQ(filled->value.octets, std::string("\x01\x02"));
  EXPECT_TRUE(bindings.slips().contains(Slip::kLiteralInPlaceOfName));
}

TEST(Bindings, MakesUpWhatTheTesterChooses) {
  Bindings bindings(kNow);
  const Node printed = Scalar("UniqueIdentifier", "TextString", "$UNIQUE_IDENTIFIER_RANDOM_0");
  const Result<Node> first = bindings.Fill(printed);
  const Result<Node> again = bindings.Fill(printed);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(*first, *again);
  EXPECT_FALSE(first->value.octets.empty());
  EXPECT_TRUE(bindings.slips().contains(Slip::kNameOfTheTester));
  Bindings other(kNow);
  EXPECT_NE(other.Fill(printed)->value, first->value);
}

TEST(Bindings, InheritsFromTheCaseBefore) {
  Bindings first(kNow);
  first.Bind("$UNIQUE_IDENTIFIER_0", {0, "id-1"});
  Bindings second = Bindings::Following(kNow + 5, first);
  EXPECT_EQ(second.now(), kNow + 5);
  // What it binds itself comes first, and does not collide with what it inherits.
  EXPECT_EQ(second.Find("$UNIQUE_IDENTIFIER_0"), nullptr);
  EXPECT_EQ(second.HolderOf({0, "id-1"}, ""), nullptr);
  const Node printed = Scalar("UniqueIdentifier", "TextString", "$UNIQUE_IDENTIFIER_0");
  EXPECT_EQ(second.Fill(printed)->value.octets, "id-1");
  EXPECT_TRUE(second.slips().contains(Slip::kNameOfAnotherCase));
  second.Bind("$UNIQUE_IDENTIFIER_0", {0, "id-2"});
  EXPECT_EQ(second.Fill(printed)->value.octets, "id-2");
}

TEST(Bindings, RemembersDatesAndGroupsThatRequestsFix) {
  Bindings bindings(kNow);
  ASSERT_TRUE(
      bindings.Fill(Parsed("<Attributes><ActivationDate type=\"DateTime\" value=\"$NOW\"/>"
                           "<ObjectGroup type=\"TextString\" value=\"g\"/></Attributes>")));
  bindings.Learn(Node(), Response("Register", ""));
  EXPECT_TRUE(bindings.RequestFixedDate(Tag::kActivationDate, kNow));
  EXPECT_FALSE(bindings.RequestFixedDate(Tag::kDeactivationDate, kNow));
  EXPECT_TRUE(bindings.RequestNamedGroup("g"));
  EXPECT_FALSE(bindings.RequestNamedGroup("h"));
  // 1.x: the attribute's name tells which date it is.
  ASSERT_TRUE(bindings.Fill(
      Parsed("<Attribute><AttributeName type=\"TextString\" value=\"Deactivation Date\"/>"
             "<AttributeValue type=\"DateTime\" value=\"$NOW+1\"/></Attribute>")));
  bindings.Learn(Node(), Response("AddAttribute", ""));
  EXPECT_TRUE(bindings.RequestFixedDate(Tag::kDeactivationDate, kNow + 1));
}

TEST(Bindings, ARefusedRequestFixesNoDate) {
  Bindings bindings(kNow);
  ASSERT_TRUE(bindings.Fill(
      Parsed("<Attributes><ActivationDate type=\"DateTime\" value=\"$NOW\"/></Attributes>")));
  bindings.Learn(Node(), Parsed("<ResponseMessage><BatchItem><ResultStatus type=\"Enumeration\" "
                                "value=\"OperationFailed\"/></BatchItem></ResponseMessage>"));
  EXPECT_FALSE(bindings.RequestFixedDate(Tag::kActivationDate, kNow));
}

TEST(Bindings, KnowsWhatIsLeftBehind) {
  Bindings bindings(kNow);
  const std::string id = "<UniqueIdentifier type=\"TextString\" value=\"a\"/>";
  bindings.Learn(Node(), Response("Locate", id));
  EXPECT_TRUE(bindings.keys().left_behind().empty());  // not ours
  bindings.Learn(Node(), Response("Create", id));
  EXPECT_TRUE(bindings.keys().left_behind().contains("a"));
  bindings.Learn(Node(), Response("Destroy", id));
  EXPECT_TRUE(bindings.keys().left_behind().empty());
}

TEST(Bindings, BaseNamesHaveNoNumber) {
  EXPECT_EQ(BaseName("$DATA_0"), "DATA");
  EXPECT_EQ(BaseName("$DATA"), "DATA");
  EXPECT_EQ(BaseName("$UNIQUE_IDENTIFIER_12"), "UNIQUE_IDENTIFIER");
  EXPECT_EQ(BaseName("$KEY_MATERIAL"), "KEY_MATERIAL");
}

}  // namespace
}  // namespace dare::conformance

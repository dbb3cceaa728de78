// The judge's own TTLV, XML and JSON against other people's vectors, and against each other.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "conformance/case_file.h"
#include "conformance/json_codec.h"
#include "conformance/ttlv_codec.h"
#include "conformance/xml_codec.h"

namespace dare::conformance {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const fs::path kShared = fs::path(DARE_SHARED_DIR) / "kmip";

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Values for placeholders, so that every message can be encoded.
void Concrete(Node& node) {
  if (node.is_placeholder()) {
    node.placeholder.clear();
    if (node.type == Type::kBigInteger) {
      node.value.octets = std::string(8, '\x01');
    } else if (HasOctets(node.type)) {
      node.value.octets = "made-up";
    } else {
      node.value.number = 1'700'000'000;
    }
  }
  for (Node& member : node.members) Concrete(member);
}

// Listings of one message were made at different times.
Node WithoutTimes(Node node) {
  std::erase_if(node.members, [](const Node& n) { return n.tag == kmip::Tag::kTimeStamp; });
  for (Node& member : node.members) member = WithoutTimes(member);
  return node;
}

class Shared : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(kShared)) {
      std::cerr << "SKIPPED: " << kShared << " is absent; vectors were not checked\n";
      GTEST_SKIP();
    }
  }
};

TEST_F(Shared, EveryMessageGoesThereAndBackInEachEncoding) {
  std::size_t messages = 0;
  for (const CaseFile& file : ReadCases(kShared / "testcases")) {
    ASSERT_EQ(file.problem, "") << file.name;
    for (const Exchange& exchange : file.exchanges) {
      for (Node message : {exchange.request, exchange.response}) {
        Concrete(message);
        const Result<Node> ttlv = DecodeTtlv(EncodeTtlv(message));
        ASSERT_TRUE(ttlv) << file.name << ": " << ttlv.error().message;
        ASSERT_EQ(*ttlv, message) << file.name;
        const Result<Node> xml = ParseXml(WriteXml(message));
        ASSERT_TRUE(xml) << file.name << ": " << xml.error().message;
        ASSERT_EQ(*xml, message) << file.name << "\n" << WriteXml(message);
        const Result<Node> text = ParseJson(WriteJson(message));
        ASSERT_TRUE(text) << file.name << ": " << text.error().message;
        ASSERT_EQ(*text, message) << file.name << "\n" << WriteJson(message);
        ++messages;
      }
    }
  }
  EXPECT_GT(messages, 5000u);
}

TEST_F(Shared, AgreesWithEveryMessageOasisPrintedInHex) {
  const json::value file = json::parse(ReadAll(kShared / "spec/ttlv_message_vectors.json"));
  std::size_t count = 0;
  for (const json::value& vector : file.at("vectors").as_array()) {
    const Result<Bytes> printed = FromHex(std::string(vector.at("ttlv").as_string()));
    ASSERT_TRUE(printed);
    const Result<Node> decoded = DecodeTtlv(*printed);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(ToHex(EncodeTtlv(*decoded)), ToHex(*printed));
    // In a few listings the printed XML and hex differ in a time; there the encoder's own output
    // is the answer for the XML.
    const bool agrees = vector.at("encoder_agrees").as_bool();
    const std::string expected(vector.at(agrees ? "ttlv" : "encoder_output").as_string());
    const Result<Node> xml = ParseXml(std::string(vector.at("xml").as_string()));
    ASSERT_TRUE(xml) << xml.error().message;
    EXPECT_EQ(ToHex(EncodeTtlv(*xml)), ToHex(*FromHex(expected)));
    const json::value* text = vector.as_object().if_contains("json");
    if (text != nullptr && text->is_string()) {
      Result<Node> parsed = ParseJson(std::string(text->as_string()));
      // Some listings lost their last brace in print.
      if (!parsed) parsed = ParseJson(std::string(text->as_string()) + "}");
      ASSERT_TRUE(parsed) << parsed.error().message;
      EXPECT_EQ(WriteXml(WithoutTimes(*parsed)), WriteXml(WithoutTimes(*xml)));
    }
    ++count;
  }
  EXPECT_GT(count, 30u);
}

TEST_F(Shared, AgreesWithEveryDerivedVector) {
  std::map<std::string, CaseFile> files;
  std::ifstream in(kShared / "spec/ttlv_derived_vectors.jsonl");
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);) {
    const json::value vector = json::parse(line);
    const std::string name(vector.at("file").as_string());
    const fs::path path = kShared / "testcases" / name;
    if (!fs::exists(path)) continue;
    if (!files.contains(name)) files[name] = ReadCase(path, kShared / "testcases");
    const auto index = static_cast<std::size_t>(vector.at("index").as_int64());
    const CaseFile& file = files[name];
    // Two files send two requests at once; there a message's number is not its exchange's.
    if (index / 2 >= file.exchanges.size()) continue;
    const Exchange& exchange = file.exchanges[index / 2];
    const Node& message = index % 2 == 0 ? exchange.request : exchange.response;
    if (TagText(message.tag) != std::string(vector.at("kind").as_string())) continue;
    EXPECT_EQ(ToHex(EncodeTtlv(message)), std::string(vector.at("ttlv").as_string())) << name;
    ++count;
  }
  EXPECT_GT(count, 300u);
}

TEST_F(Shared, RefusesEveryMalformedVector) {
  const json::value file = json::parse(ReadAll(kShared / "spec/ttlv_basic_vectors.json"));
  for (const json::value& vector : file.at("malformed").as_array()) {
    const std::string why(vector.at("why").as_string());
    if (why.find("below KMIP 3.0") != std::string::npos) continue;  // the judge knows its types
    std::string hex(vector.at("ttlv").as_string());
    hex.resize(hex.size() / 2 * 2);
    const Result<Bytes> bytes = FromHex(hex);
    ASSERT_TRUE(bytes);
    EXPECT_FALSE(DecodeTtlv(*bytes)) << why;
  }
}

TEST(TtlvCodec, RefusesEndlessNestingAndBytesBehindTheMessage) {
  Node node{kmip::Tag::kRequestMessage, Type::kStructure, {}, {}, {}};
  for (int i = 0; i < 100; ++i) {
    node = Node{kmip::Tag::kRequestMessage, Type::kStructure, {}, {}, {std::move(node)}};
  }
  EXPECT_FALSE(DecodeTtlv(EncodeTtlv(node)));
  Bytes bytes = EncodeTtlv(Node{kmip::Tag::kBatchCount, Type::kInteger, {1, {}}, {}, {}});
  EXPECT_TRUE(DecodeTtlv(bytes));
  bytes.push_back(0);
  EXPECT_FALSE(DecodeTtlv(bytes));
}

TEST(XmlCodec, EscapesText) {
  const Node node{kmip::Tag::kResultMessage, Type::kTextString, {0, "a<b>&\"c\"\n\td'"}, {}, {}};
  const Result<Node> back = ParseXml(WriteXml(node));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, node);
}

TEST(XmlCodec, RefusesWhatIsNoMessage) {
  EXPECT_FALSE(ParseXml(""));
  EXPECT_FALSE(ParseXml("<BatchCount type=\"Integer\" value=\"one\"/>"));
  EXPECT_FALSE(ParseXml("<BatchCount type=\"Whole\" value=\"1\"/>"));
  EXPECT_FALSE(ParseXml("<Data type=\"ByteString\" value=\"0\"/>"));
}

TEST(JsonCodec, RefusesWhatIsNoMessage) {
  EXPECT_FALSE(ParseJson(""));
  EXPECT_FALSE(ParseJson("[]"));
  EXPECT_FALSE(ParseJson(R"({"tag":"BatchCount","type":"Integer","value":"one"})"));
  EXPECT_FALSE(ParseJson(R"({"tag":"BatchCount","type":"Integer"})"));
  EXPECT_FALSE(ParseJson(R"({"tag":"Data","type":"ByteString","value":17})"));
  EXPECT_FALSE(ParseJson(R"({"tag":"Sensitive","type":"Boolean","value":1})"));
}

TEST(JsonCodec, ReadsEveryWayToWriteANumber) {
  const auto number = [](const std::string& type, const std::string& value) {
    const Result<Node> node =
        ParseJson(R"({"tag":"BatchCount","type":")" + type + R"(","value":)" + value + "}");
    return node ? node->value.number : -999;
  };
  EXPECT_EQ(number("Integer", "-5"), -5);
  EXPECT_EQ(number("Integer", "\"0xFFFFFFFF\""), -1);
  EXPECT_EQ(number("LongInteger", "\"0x0020000000000000\""), std::int64_t{1} << 53);
  EXPECT_EQ(number("DateTime", "\"2013-06-26T05:13:47+00:00\""), 1372223627);
  EXPECT_EQ(number("DateTime", "\"2013-06-26T05:13:47+02:00\""), 1372223627 - 7200);
  EXPECT_EQ(number("DateTime", "\"0x0000000051CA7A4B\""), 0x51CA7A4B);
  EXPECT_EQ(number("Boolean", "true"), 1);
}

}  // namespace
}  // namespace dare::conformance

// The XML and JSON that OASIS printed beside the same messages in TTLV, and every message of the
// published cases there and back (../shared/kmip/spec).
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "kmip/vocabulary.h"
#include "ttlv/json.h"
#include "ttlv/xml.h"

namespace dare::kmip {
namespace {

namespace json = boost::json;

std::string SharedFile(const std::string& name) {
  return std::string(DARE_SHARED_DIR "/kmip/spec/") + name;
}

#define SKIP_WITHOUT(name)                                                        \
  if (!std::ifstream(SharedFile(name)).good()) {                                  \
    GTEST_SKIP() << SharedFile(name) << " is not here: known answers not tested"; \
  }

std::string Field(const json::value& row, const char* name) {
  return std::string(row.at(name).as_string());
}

json::array PrintedMessages() {
  std::ifstream file(SharedFile("ttlv_message_vectors.json"), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return json::parse(text).at("vectors").as_array();
}

// In six messages the printed XML has another time than the printed TTLV; `encoder_output` is then
// the TTLV of the XML.
Bytes TtlvOfText(const json::value& row) {
  const bool agrees = row.at("encoder_agrees").as_bool();
  return *FromHex(Field(row, agrees ? "ttlv" : "encoder_output"));
}

TEST(TextEncodings, ReadAndWriteTheXmlThatOasisPrinted) {
  SKIP_WITHOUT("ttlv_message_vectors.json");
  std::size_t count = 0;
  for (const json::value& row : PrintedMessages()) {
    const std::string xml = Field(row, "xml");
    const Bytes ttlv = TtlvOfText(row);
    const auto read = ttlv::FromXml(AsBytes(xml), Vocabulary());
    ASSERT_TRUE(read.has_value()) << read.error().message << "\n" << xml;
    EXPECT_EQ(ToBytes(*read), ttlv) << xml;
    const auto written = ttlv::ToXml(ttlv, Vocabulary());
    ASSERT_TRUE(written.has_value()) << written.error().message;
    EXPECT_EQ(AsText(*written), xml);
    ++count;
  }
  EXPECT_EQ(count, 36u);
}

TEST(TextEncodings, ReadAndWriteTheJsonThatOasisPrinted) {
  SKIP_WITHOUT("ttlv_message_vectors.json");
  std::size_t count = 0;
  for (const json::value& row : PrintedMessages()) {
    const auto* printed = row.as_object().if_contains("json");
    if (printed == nullptr) continue;
    std::string text(printed->as_string());
    // One of them was printed without its last brace.
    if (row.as_object().contains("json_note")) text += "}";
    const Bytes ttlv = *FromHex(Field(row, "ttlv"));
    const auto read = ttlv::FromJson(AsBytes(text), Vocabulary());
    ASSERT_TRUE(read.has_value()) << read.error().message << "\n" << text;
    EXPECT_EQ(ToBytes(*read), ttlv) << text;
    const auto written = ttlv::ToJson(ttlv, Vocabulary());
    ASSERT_TRUE(written.has_value()) << written.error().message;
    EXPECT_EQ(AsText(*written), text);
    ++count;
  }
  EXPECT_EQ(count, 12u);
}

TEST(TextEncodings, KeepEveryMessageOfThePublishedCases) {
  SKIP_WITHOUT("ttlv_derived_vectors.jsonl");
  std::ifstream file(SharedFile("ttlv_derived_vectors.jsonl"));
  std::size_t count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const json::value row = json::parse(line);
    const Bytes ttlv = *FromHex(Field(row, "ttlv"));
    for (const auto layout : {ttlv::XmlLayout::kCompact, ttlv::XmlLayout::kIndented}) {
      const auto xml = ttlv::ToXml(ttlv, Vocabulary(), {}, layout);
      ASSERT_TRUE(xml.has_value()) << line << "\n" << xml.error().message;
      const auto back = ttlv::FromXml(*xml, Vocabulary());
      ASSERT_TRUE(back.has_value()) << back.error().message << "\n" << AsText(*xml);
      EXPECT_EQ(ToBytes(*back), ttlv) << AsText(*xml);
    }
    const auto text = ttlv::ToJson(ttlv, Vocabulary());
    ASSERT_TRUE(text.has_value()) << line << "\n" << text.error().message;
    const auto back = ttlv::FromJson(*text, Vocabulary());
    ASSERT_TRUE(back.has_value()) << back.error().message << "\n" << AsText(*text);
    EXPECT_EQ(ToBytes(*back), ttlv) << AsText(*text);
  }
  EXPECT_GE(count, 500u);
}

void Replace(std::string& text, const std::regex& what, const char* with) {
  text = std::regex_replace(text, what, with);
}

// Every name in every message, those with placeholders included.
TEST(TextEncodings, KnowEveryNameOfThePublishedCases) {
  const std::string folder = DARE_SHARED_DIR "/kmip/testcases";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not here";
  const std::regex dates(R"(type="DateTime" value="\$[^"]*")");
  const std::regex bytes(R"(type="ByteString" value="\$[^"]*")");
  ttlv::Limits draft;
  draft.draft3_types = true;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".xml") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    Replace(text, dates, R"(type="DateTime" value="0")");
    Replace(text, bytes, R"(type="ByteString" value="00")");
    for (const std::string root : {"RequestMessage", "ResponseMessage"}) {
      const std::string begin = "<" + root + ">", end = "</" + root + ">";
      for (std::size_t at = text.find(begin); at != std::string::npos; ++count) {
        const std::size_t stop = text.find(end, at) + end.size();
        const auto read = ttlv::FromXml(AsBytes(text).subspan(at, stop - at), Vocabulary(), draft);
        EXPECT_TRUE(read.has_value()) << entry.path() << ": " << read.error().message;
        at = text.find(begin, stop);
      }
    }
  }
  EXPECT_GE(count, 7000u);
}

}  // namespace
}  // namespace dare::kmip

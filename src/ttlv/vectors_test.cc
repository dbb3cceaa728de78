// Known answers of KMIP 1.0-1.4 section 9.1.2, of the messages OASIS printed, and of the published
// test cases (../shared/kmip/spec).
#include <time.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "ttlv/recode_for_test.h"
#include "ttlv/validate.h"

namespace dare::ttlv {
namespace {

namespace json = boost::json;

std::string SharedFile(const std::string& name) {
  return std::string(DARE_SHARED_DIR "/kmip/spec/") + name;
}

std::string ReadAll(const std::string& name) {
  std::ifstream file(SharedFile(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

#define SKIP_WITHOUT(name)                                                        \
  if (!std::ifstream(SharedFile(name)).good()) {                                  \
    GTEST_SKIP() << SharedFile(name) << " is not here: known answers not tested"; \
  }

std::string Field(const json::value& row, const char* name) {
  return std::string(row.at(name).as_string());
}

Bytes Recoded(ByteView items) {
  Writer out;
  const Result<void> done = RecodeForTest(Reader::Members(items), out);
  EXPECT_TRUE(done.has_value()) << done.error().message;
  return ToBytes(out.bytes());
}

// The shortest two's complement of a decimal number.
Bytes TwosComplement(const std::string& decimal) {
  const bool negative = decimal[0] == '-';
  __int128 number = 0;
  for (const char digit : decimal.substr(negative ? 1 : 0)) number = number * 10 + (digit - '0');
  if (negative) number = -number;
  Bytes bytes;
  for (int shift = 120; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  while (bytes.size() > 1 && bytes[0] == (bytes[1] & 0x80 ? 0xFF : 0)) bytes.erase(bytes.begin());
  return bytes;
}

std::int64_t PosixSeconds(const std::string& date) {
  tm parts{};
  EXPECT_NE(strptime(date.c_str(), "%Y-%m-%dT%H:%M:%S+00:00", &parts), nullptr) << date;
  return timegm(&parts);
}

// Writes the item that `row` describes.
void Write(const json::value& row, Writer& out) {
  const auto tag = static_cast<kmip::Tag>(std::stoul(Field(row, "tag"), nullptr, 16));
  const std::string type = Field(row, "type");
  if (type == "Structure") {
    out.Structure(tag, [&] {
      for (const json::value& member : row.at("value").as_array()) Write(member, out);
    });
    return;
  }
  const std::string value = Field(row, "value");
  if (type == "Integer") {
    out.Integer(tag, std::stoi(value));
  } else if (type == "LongInteger") {
    out.LongInteger(tag, std::stoll(value));
  } else if (type == "BigInteger") {
    out.BigInteger(tag, TwosComplement(value));
  } else if (type == "Enumeration") {
    out.Enumeration(tag, std::stoul(value));
  } else if (type == "Boolean") {
    out.Boolean(tag, value == "true");
  } else if (type == "TextString") {
    out.Text(tag, value);
  } else if (type == "ByteString") {
    out.ByteString(tag, *FromHex(value));
  } else if (type == "DateTime") {
    out.DateTime(tag, PosixSeconds(value));
  } else if (type == "Interval") {
    out.Interval(tag, std::stoul(value));
  } else if (type == "DateTimeExtended") {
    out.DateTimeExtended(tag, std::stoll(value));
  } else {
    FAIL() << "unknown type " << type;
  }
}

TEST(TtlvVectors, WritesTheExamplesOfTheStandard) {
  SKIP_WITHOUT("ttlv_basic_vectors.json");
  const json::value file = json::parse(ReadAll("ttlv_basic_vectors.json"));
  ASSERT_EQ(file.at("vectors").as_array().size(), 34u);
  for (const json::value& row : file.at("vectors").as_array()) {
    Writer out;
    Write(row, out);
    EXPECT_EQ(ToHex(out.bytes()), Field(row, "ttlv")) << json::serialize(row);
    EXPECT_TRUE(ValidateItem(out.bytes()).has_value()) << json::serialize(row);
    EXPECT_EQ(Recoded(out.bytes()), ToBytes(out.bytes()));
  }
}

TEST(TtlvVectors, RefusesTheMalformedItems) {
  SKIP_WITHOUT("ttlv_basic_vectors.json");
  const json::value file = json::parse(ReadAll("ttlv_basic_vectors.json"));
  ASSERT_EQ(file.at("malformed").as_array().size(), 12u);
  for (const json::value& row : file.at("malformed").as_array()) {
    const Result<Bytes> item = FromHex(Field(row, "ttlv"));
    if (!item.has_value()) continue;  // an odd number of digits
    const Result<void> alone = ValidateItem(*item);
    ASSERT_FALSE(alone.has_value()) << Field(row, "why");
    EXPECT_EQ(alone.error().code, Code::kMalformed);
  }
}

void ExpectRoundTrip(const Bytes& message, const std::string& what) {
  const Result<void> valid = Validate(message);
  ASSERT_TRUE(valid.has_value()) << what << ": " << valid.error().message;
  const auto tag = static_cast<kmip::Tag>(GetU32(message.data()) >> 8);
  EXPECT_EQ(MessageLength(ByteView(message).first(8), tag, Limits()), message.size()) << what;
  EXPECT_EQ(Recoded(message), message) << what;
}

TEST(TtlvVectors, ReadsAndRewritesThePrintedMessages) {
  SKIP_WITHOUT("ttlv_message_vectors.json");
  const json::value file = json::parse(ReadAll("ttlv_message_vectors.json"));
  ASSERT_EQ(file.at("vectors").as_array().size(), 36u);
  for (const json::value& row : file.at("vectors").as_array()) {
    ExpectRoundTrip(*FromHex(Field(row, "ttlv")), Field(row, "case"));
  }
}

TEST(TtlvVectors, ReadsAndRewritesTheMessagesOfTheTestCases) {
  SKIP_WITHOUT("ttlv_derived_vectors.jsonl");
  std::ifstream lines(SharedFile("ttlv_derived_vectors.jsonl"));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const json::value row = json::parse(line);
    ExpectRoundTrip(*FromHex(Field(row, "ttlv")), Field(row, "file"));
  }
  EXPECT_EQ(count, 582u);
}

// Every byte of a message is looked at: what still validates after a flip also still re-encodes.
TEST(TtlvVectors, WhatValidatesAfterAFlipIsStillUnambiguous) {
  SKIP_WITHOUT("ttlv_message_vectors.json");
  const json::value file = json::parse(ReadAll("ttlv_message_vectors.json"));
  for (const json::value& row : file.at("vectors").as_array()) {
    Bytes message = *FromHex(Field(row, "ttlv"));
    for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
      message[bit / 8] ^= 1 << bit % 8;
      if (Validate(message).has_value()) {
        ASSERT_EQ(Recoded(message), message);
      }
      message[bit / 8] ^= 1 << bit % 8;
    }
  }
}

}  // namespace
}  // namespace dare::ttlv

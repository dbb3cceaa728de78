#include "crypto/known_answers_for_test.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <sstream>

#include "base/check.h"
#include "base/file.h"
#include "base/secret_bytes.h"

namespace dare::crypto {
namespace {

// Every test of this folder may use secrets.
class SecureHeap : public ::testing::Environment {
 public:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20).has_value()); }
};
const ::testing::Environment* const kSecureHeap =
    ::testing::AddGlobalTestEnvironment(new SecureHeap);

std::string Load(const std::string& path) {
  std::string whole = DARE_SHARED_DIR "/vectors/";
  whole += path;
  const Result<Bytes> bytes = ReadFile(whole);
  return bytes ? std::string(AsText(*bytes)) : std::string();
}

std::string Trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

void AddFields(const boost::json::object& object, WycheproofTest& test) {
  for (const auto& [key, value] : object) {
    const std::string name(key);
    if (value.is_string()) test[name] = std::string(value.get_string());
    if (value.is_int64()) test[name] = std::to_string(value.get_int64());
  }
}

}  // namespace

std::vector<NistRecord> ReadNistRecords(const std::string& path) {
  std::istringstream in(Load(path));
  std::vector<NistRecord> records;
  NistRecord heads;
  NistRecord record;
  const auto finish = [&] {
    if (record.empty()) return;
    record.insert(heads.begin(), heads.end());
    records.push_back(std::move(record));
    record.clear();
  };
  for (std::string line; std::getline(in, line);) {
    line = Trimmed(line);
    const std::size_t equals = line.find('=');
    if (line.empty()) {
      finish();
    } else if (line[0] == '[') {
      if (equals == std::string::npos) heads.clear();
      const std::string name =
          Trimmed(line.substr(1, equals == std::string::npos ? line.size() - 2 : equals - 1));
      heads["[" + name + "]"] = equals == std::string::npos
                                    ? ""
                                    : Trimmed(line.substr(equals + 1, line.size() - equals - 2));
    } else if (line == "FAIL") {
      record["FAIL"] = "";
    } else if (line[0] != '#' && equals != std::string::npos) {
      record[Trimmed(line.substr(0, equals))] = Trimmed(line.substr(equals + 1));
    }
  }
  finish();
  return records;
}

std::vector<WycheproofTest> ReadWycheproof(const std::string& path) {
  std::vector<WycheproofTest> tests;
  const std::string text = Load(path);
  if (text.empty()) return tests;
  const boost::json::value root = boost::json::parse(text);
  for (const boost::json::value& group : root.at("testGroups").as_array()) {
    for (const boost::json::value& test : group.at("tests").as_array()) {
      WycheproofTest fields;
      AddFields(group.as_object(), fields);
      AddFields(test.as_object(), fields);
      tests.push_back(std::move(fields));
    }
  }
  return tests;
}

Bytes Hex(std::string_view text) {
  Result<Bytes> bytes = FromHex(text);
  CHECK(bytes.has_value());
  return *std::move(bytes);
}

}  // namespace dare::crypto

// The generated tables against the facts they were made from (../shared/kmip/spec, extracted from
// the OASIS specifications by somebody else's script), and the look-ups by hand-picked rows.
#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "kmip/attribute_table.h"
#include "kmip/enums.h"
#include "kmip/names.h"
#include "kmip/operation_table.h"

namespace dare::kmip {
namespace {

constexpr ProtocolVersion kVersions[] = {kVersion1_0, kVersion1_1, kVersion1_2, kVersion1_3,
                                         kVersion1_4, kVersion2_0, kVersion2_1, kVersion3_0};

using Row = std::map<std::string, std::string>;

// One line of a CSV file, with quoted cells.
std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

// The rows of a fact table; empty where it is absent.
std::vector<Row> Facts(const std::string& name) {
  std::ifstream file(DARE_SHARED_DIR "/kmip/spec/" + name);
  std::vector<Row> rows;
  std::string line;
  if (!std::getline(file, line)) return rows;
  const std::vector<std::string> header = Cells(line);
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = Cells(line);
    EXPECT_EQ(cells.size(), header.size()) << line;
    Row row;
    for (std::size_t i = 0; i < header.size() && i < cells.size(); ++i) row[header[i]] = cells[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

#define SKIP_WITHOUT(rows, name)                                                           \
  if (rows.empty()) {                                                                      \
    GTEST_SKIP() << DARE_SHARED_DIR "/kmip/spec/" name " is not here: facts not compared"; \
  }

std::uint32_t Number(const std::string& hex) { return std::stoul(hex, nullptr, 16); }
Tag TagOf(const Row& row) { return static_cast<Tag>(Number(row.at("tag"))); }

ProtocolVersion VersionOf(const std::string& text) { return {text[0] - '0', text[2] - '0'}; }

// Whether the blank-separated list of a row has the version.
bool Lists(const Row& row, ProtocolVersion version) {
  std::istringstream list(row.at("versions"));
  for (std::string text; list >> text;) {
    if (VersionOf(text) == version) return true;
  }
  return false;
}

TEST(KmipTables, HaveEveryTagOfTheFacts) {
  const std::vector<Row> rows = Facts("tags.csv");
  SKIP_WITHOUT(rows, "tags.csv");
  EXPECT_EQ(rows.size(), 422u);
  for (const Row& row : rows) {
    const Tag tag = TagOf(row);
    EXPECT_EQ(TagName(tag), row.at("xml_name"));
    EXPECT_EQ(TagSpecName(tag), row.at("name"));
    EXPECT_EQ(TagByName(row.at("xml_name")), tag);
    EXPECT_EQ(TagBySpecName(row.at("name")), tag);
    for (const ProtocolVersion version : kVersions) {
      EXPECT_EQ(TagExists(tag, version), Lists(row, version)) << row.at("name");
    }
  }
}

TEST(KmipTables, HaveEveryTypeOfTheFacts) {
  const std::vector<Row> rows = Facts("tags.csv");
  SKIP_WITHOUT(rows, "tags.csv");
  const std::map<std::string, ttlv::Type> types = {
      {"Structure", ttlv::Type::kStructure},
      {"Integer", ttlv::Type::kInteger},
      {"LongInteger", ttlv::Type::kLongInteger},
      {"BigInteger", ttlv::Type::kBigInteger},
      {"Enumeration", ttlv::Type::kEnumeration},
      {"Boolean", ttlv::Type::kBoolean},
      {"TextString", ttlv::Type::kTextString},
      {"ByteString", ttlv::Type::kByteString},
      {"DateTime", ttlv::Type::kDateTime},
      {"Interval", ttlv::Type::kInterval},
      {"DateTimeExtended", ttlv::Type::kDateTimeExtended}};
  for (const Row& row : rows) {
    std::istringstream list(row.at("type"));
    for (std::string text; std::getline(list, text, '|');) {
      const auto type = types.find(text);
      if (type == types.end()) continue;  // 3.0 types, "(any)"
      EXPECT_TRUE(MayHaveType(TagOf(row), type->second)) << row.at("name");
      // Ephemeral is the one field whose single type in the facts changes in 3.0 (their note).
      if (text == row.at("type") && TagOf(row) != Tag::kEphemeral) {
        EXPECT_EQ(TypeOf(TagOf(row)), type->second) << row.at("name");
      }
    }
  }
}

TEST(KmipTables, HaveEveryEnumerationValueOfTheFacts) {
  const std::vector<Row> rows = Facts("enums.csv");
  SKIP_WITHOUT(rows, "enums.csv");
  EXPECT_EQ(rows.size(), 863u);
  for (const Row& row : rows) {
    if (row.at("tag").empty()) continue;  // Item Type is not a field
    const Tag tag = TagOf(row);
    const std::uint32_t value = Number(row.at("value"));
    EXPECT_TRUE(IsEnumeration(tag));
    EXPECT_EQ(EnumName(tag, value), row.at("xml_name"));
    EXPECT_EQ(EnumSpecName(tag, value), row.at("name"));
    EXPECT_EQ(EnumByName(tag, row.at("xml_name")), value);
    for (const ProtocolVersion version : kVersions) {
      EXPECT_EQ(EnumExists(tag, value, version), Lists(row, version)) << row.at("name");
    }
  }
}

TEST(KmipTables, HaveEveryMaskBitOfTheFacts) {
  const std::vector<Row> rows = Facts("masks.csv");
  SKIP_WITHOUT(rows, "masks.csv");
  EXPECT_EQ(rows.size(), 41u);
  for (const Row& row : rows) {
    const Tag tag = TagOf(row);
    const std::uint32_t bit = Number(row.at("value"));
    EXPECT_TRUE(IsMask(tag));
    EXPECT_EQ(MaskName(tag, bit), row.at("xml_name"));
    EXPECT_EQ(MaskByName(tag, row.at("xml_name")), bit);
    for (const ProtocolVersion version : kVersions) {
      if (version == kVersion3_0) continue;  // the facts have no masks of 3.0
      EXPECT_EQ((MaskBits(tag, version) & bit) != 0, Lists(row, version)) << row.at("name");
    }
  }
}

TEST(KmipTables, FindTheOtherSpellingsOfThePublishedCases) {
  const std::vector<Row> rows = Facts("xml_aliases.csv");
  SKIP_WITHOUT(rows, "xml_aliases.csv");
  for (const Row& row : rows) {
    if (row.at("type").starts_with("PKCS_11") || row.at("kind") == "field") continue;
    const Tag tag = *TagByName(row.at("type"));
    const auto value = row.at("kind") == "mask" ? MaskByName(tag, row.at("alias"))
                                                : EnumByName(tag, row.at("alias"));
    EXPECT_EQ(value, Number(row.at("value"))) << row.at("alias");
  }
}

TEST(KmipTables, HaveEveryOperationOfTheFacts) {
  const std::vector<Row> rows = Facts("operations.csv");
  SKIP_WITHOUT(rows, "operations.csv");
  EXPECT_EQ(ClientOperations().size() + ServerOperations().size(), rows.size());
  for (const Row& row : rows) {
    const auto table =
        row.at("direction") == "client-to-server" ? ClientOperations() : ServerOperations();
    const auto found = std::find_if(table.begin(), table.end(), [&](const OperationRow& operation) {
      return operation.name == row.at("xml_name");
    });
    ASSERT_NE(found, table.end()) << row.at("operation");
    EXPECT_EQ(static_cast<std::uint32_t>(found->operation), Number(row.at("code")));
    EXPECT_EQ(found->spec_name, row.at("operation"));
    for (const ProtocolVersion version : kVersions) {
      if (version == kVersion3_0) continue;
      EXPECT_EQ(found->ExistsIn(version), Lists(row, version)) << row.at("operation");
    }
  }
}

// The cells are sentences; their first word decides.
bool SaysYes(const std::string& cell) { return cell.starts_with("Yes"); }

TEST(KmipTables, HaveEveryAttributeRuleOfTheFacts) {
  const std::vector<Row> rows = Facts("attributes.csv");
  SKIP_WITHOUT(rows, "attributes.csv");
  EXPECT_EQ(rows.size(), 327u);
  for (const Row& row : rows) {
    // One row of the facts stands for all Certificate Subject … and Issuer … attributes of 2.x.
    const bool group = row.at("attribute") == "Certificate Attributes";
    const Tag tag = group ? Tag::kCertificateSubjectCN : TagOf(row);
    const AttributeFlags* flags = RulesFor(tag, VersionOf(row.at("version")));
    ASSERT_NE(flags, nullptr) << row.at("attribute");
    if (!group) {
      EXPECT_EQ(AttributeByName(row.at("attribute")), AttributeByTag(tag)) << row.at("attribute");
    }
    const std::string what = row.at("attribute") + " in " + row.at("version");
    EXPECT_EQ(flags->always_has_value != Presence::kNo, SaysYes(row.at("always_has_value")))
        << what;
    EXPECT_EQ(flags->initially_set_by != Setter::kClient,
              row.at("initially_set_by").find("Server") != std::string::npos)
        << what;
    EXPECT_EQ(flags->modifiable_by_server != Change::kNo, SaysYes(row.at("modifiable_by_server")))
        << what;
    EXPECT_EQ(flags->modifiable_by_client != Change::kNo, SaysYes(row.at("modifiable_by_client")))
        << what;
    EXPECT_EQ(flags->deletable_by_client != Change::kNo, SaysYes(row.at("deletable_by_client")))
        << what;
    EXPECT_EQ(flags->instances != Instances::kOne, SaysYes(row.at("multiple_instances"))) << what;
  }
}

TEST(KmipTables, HaveNoAttributeInAVersionTheFactsDoNotKnowItIn) {
  const std::vector<Row> rows = Facts("attributes.csv");
  SKIP_WITHOUT(rows, "attributes.csv");
  for (const AttributeRule& rule : AllAttributes()) {
    if (rule.tag == Tag::kAttribute) continue;                    // its rules are prose in 2.x
    if (rule.name.starts_with("Certificate Subject ")) continue;  // the group, see above
    if (rule.name.starts_with("Certificate Issuer ")) continue;
    for (const ProtocolVersion version : kVersions) {
      if (version == kVersion3_0) continue;
      const bool expected = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
        return row.at("attribute") == rule.name && VersionOf(row.at("version")) == version;
      });
      EXPECT_EQ(RulesFor(rule.tag, version) != nullptr, expected) << rule.name;
      EXPECT_EQ(rule.ExistsIn(version), expected) << rule.name;
    }
  }
}

TEST(KmipTables, SayNothingAboutUnknownNumbersAndNames) {
  const auto unknown = static_cast<Tag>(0x54FFFF);
  EXPECT_EQ(TagName(unknown), "");
  EXPECT_EQ(TagByName("Nonsense"), std::nullopt);
  EXPECT_EQ(TagByName(""), std::nullopt);
  EXPECT_EQ(TypeOf(unknown), std::nullopt);
  EXPECT_TRUE(MayHaveType(unknown, ttlv::Type::kBoolean));
  EXPECT_FALSE(TagExists(unknown, kVersion2_1));
  EXPECT_EQ(EnumName(Tag::kObjectType, 0x80000001), "");
  EXPECT_EQ(EnumName(Tag::kName, 1), "");
  EXPECT_FALSE(IsEnumeration(Tag::kName));
  EXPECT_FALSE(EnumExists(Tag::kObjectType, 99, kVersion2_1));
  EXPECT_EQ(MaskBits(Tag::kName, kVersion2_1), 0u);
  EXPECT_EQ(FindClientOperation(Operation::kNotify), nullptr);
  EXPECT_EQ(AttributeByTag(Tag::kBatchItem), nullptr);
  EXPECT_EQ(AttributeByName("x-mine"), nullptr);
  EXPECT_EQ(RulesFor(Tag::kRotateDate, kVersion2_0), nullptr);
}

TEST(KmipTables, GiveTheRulesOfTheVersionAskedFor) {
  EXPECT_EQ(RulesFor(Tag::kCryptographicLength, kVersion1_4)->always_has_value, Presence::kYes);
  EXPECT_NE(RulesFor(Tag::kCryptographicLength, kVersion2_1)->always_has_value, Presence::kYes);
  EXPECT_EQ(RulesFor(Tag::kActivationDate, kVersion1_0)->modifiable_by_client, Change::kPreActive);
  EXPECT_EQ(RulesFor(Tag::kOperationPolicyName, kVersion2_0), nullptr);
  EXPECT_TRUE(AttributeByTag(Tag::kName)->may_repeat());
  EXPECT_EQ(AttributeByTag(Tag::kUniqueIdentifier)->type, ttlv::Type::kTextString);
}

TEST(KmipTables, NameFieldsThatBorrowAnEnumeration) {
  EXPECT_EQ(EnumByName(Tag::kMaskGeneratorHashingAlgorithm, "SHA_256"), 6u);
  EXPECT_EQ(EnumName(Tag::kMaskGeneratorHashingAlgorithm, 6), "SHA_256");
}

TEST(KmipTables, MaskBitsCombine) {
  constexpr auto kBoth = CryptographicUsageMask::kEncrypt | CryptographicUsageMask::kDecrypt;
  static_assert((kBoth & CryptographicUsageMask::kDecrypt) == CryptographicUsageMask::kDecrypt);
  EXPECT_EQ(static_cast<std::uint32_t>(kBoth), 12u);
}

}  // namespace
}  // namespace dare::kmip

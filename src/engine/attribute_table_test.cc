// Every attribute of every version against the table that was extracted from the standards
// (../shared/kmip/spec/attributes.csv): who sets it first, who may change and delete it, whether it
// may stand several times, whether it is always there.
#include "kmip/attribute_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "engine/attribute_values.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/add_attribute.h"
#include "kmip/payloads/delete_attribute.h"
#include "kmip/payloads/get_usage_allocation.h"
#include "kmip/payloads/modify_attribute.h"
#include "kmip/payloads/set_attribute.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeReference;
using kmip::Identifier;
using kmip::ProtocolVersion;
using kmip::ResultReason;
using kmip::Tag;

using Row = std::map<std::string, std::string>;

std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back().push_back(c);
    }
  }
  return cells;
}

// Rows of attributes that have a tag of their own; empty where ../shared is absent.
std::vector<Row> Table() {
  std::ifstream file(DARE_SHARED_DIR "/kmip/spec/attributes.csv");
  std::vector<Row> rows;
  std::string line;
  std::vector<std::string> names;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = Cells(line);
    if (names.empty()) {
      names = cells;
      continue;
    }
    Row row;
    for (std::size_t i = 0; i < names.size() && i < cells.size(); ++i) row[names[i]] = cells[i];
    if (!row["tag"].empty()) rows.push_back(row);
  }
  return rows;
}

ProtocolVersion VersionOf(const Row& row) {
  return {row.at("version")[0] - '0', row.at("version")[2] - '0'};
}
bool Yes(const Row& row, const char* column) { return row.at(column).starts_with("Yes"); }
bool Says(const Row& row, const char* column, std::string_view text) {
  return row.at(column).find(text) != std::string::npos;
}

Attribute Structure(Tag tag, auto write) {
  ttlv::Writer out;
  out.Structure(tag, [&] { write(out); });
  return Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
}
Attribute TextAndType(Tag tag, Tag text, Tag type, const std::string& value) {
  return Structure(tag, [&](ttlv::Writer& out) {
    out.Text(text, value);
    out.Enumeration(type, 1);
  });
}

// The n-th lawful value of a structured attribute that a client may give.
std::optional<Attribute> StructureSample(Tag tag, int n) {
  const std::string text = "value " + std::to_string(n);
  switch (tag) {
    case Tag::kName: {  // no two objects share one
      static int names = 0;
      return Attribute::OfName(text + " of " + std::to_string(++names));
    }
    case Tag::kAlternativeName:
      return TextAndType(tag, Tag::kAlternativeNameValue, Tag::kAlternativeNameType, text);
    case Tag::kKeyValueLocation:
      return TextAndType(tag, Tag::kKeyValueLocationValue, Tag::kKeyValueLocationType, text);
    case Tag::kRotateName:
      return TextAndType(tag, Tag::kRotateNameValue, Tag::kRotateNameType, text);
    case Tag::kLink:
      return Attribute::OfLink(0x101, "object " + std::to_string(n));
    case Tag::kCustomAttribute:
    case Tag::kAttribute:
      return CustomForTest("Sample", text);
    case Tag::kApplicationSpecificInformation:
      return Structure(tag, [&](ttlv::Writer& out) {
        out.Text(Tag::kApplicationNamespace, "space");
        out.Text(Tag::kApplicationData, text);
      });
    case Tag::kCryptographicParameters:
      return Structure(tag, [&](ttlv::Writer& out) {
        out.Enumeration(Tag::kBlockCipherMode, static_cast<std::uint32_t>(n + 1));
      });
    case Tag::kCryptographicDomainParameters:
      return Structure(tag, [&](ttlv::Writer& out) { out.Integer(Tag::kQlength, 256); });
    case Tag::kUsageLimits:
      return MakeUsageLimits({1000 + n, 1000 + n, kmip::UsageLimitsUnit::kByte});
    default:
      return std::nullopt;
  }
}

// The n-th lawful value; dates lie ahead of `now` and in their order.
Attribute Sample(Tag tag, ttlv::Type type, int n, std::int64_t now) {
  if (auto structured = StructureSample(tag, n)) return *structured;
  switch (type) {
    case ttlv::Type::kInteger:
      return Attribute::OfInteger(tag, 4 << n);
    case ttlv::Type::kLongInteger:
      return Attribute::OfLongInteger(tag, 4 + n);
    case ttlv::Type::kEnumeration:
      return Attribute::OfEnumeration(tag, static_cast<std::uint32_t>(n + 1));
    case ttlv::Type::kBoolean:  // what may only be tightened is
      return Attribute::OfBoolean(tag, tag != Tag::kExtractable);
    case ttlv::Type::kTextString:
      return Attribute::OfText(tag, "value " + std::to_string(n));
    case ttlv::Type::kByteString:
      return Attribute::OfBytes(tag, Bytes(4, static_cast<std::uint8_t>(n)));
    case ttlv::Type::kDateTime:
      return Attribute::OfDate(tag, now + 1000 + n);
    case ttlv::Type::kInterval:
      return Attribute::OfInterval(tag, static_cast<std::uint32_t>(1000 + n));
    default:
      return Structure(tag, [](ttlv::Writer&) {});
  }
}

class AttributeTable : public testing::Test {
 protected:
  void SetUp() override {
    rows_ = Table();
    if (rows_.empty()) GTEST_SKIP() << "no ../shared here: the attribute table is not checked";
  }

  struct Subject {
    ProtocolVersion version;
    Tag tag{};
    AttributeReference reference;
    Attribute first, second;
  };
  Subject Of(const Row& row) {
    Subject subject;
    subject.version = VersionOf(row);
    const auto number = std::stoul(row.at("tag"), nullptr, 16);
    subject.tag = static_cast<Tag>(number);
    const kmip::AttributeRule* rule = kmip::AttributeByTag(subject.tag);
    const ttlv::Type type = rule == nullptr ? ttlv::Type::kTextString : rule->type;
    subject.first = Sample(subject.tag, type, 0, engine_.clock().Now());
    subject.second = Sample(subject.tag, type, 1, engine_.clock().Now());
    subject.reference = kmip::ReferenceTo(subject.first);
    return subject;
  }

  std::string New(const Subject& subject, const std::vector<Attribute>& attributes = {}) {
    return NewKeyForTest(engine_, attributes, subject.version);
  }
  ItemForTest Add(const Subject& subject, const std::string& id, const Attribute& value) {
    return engine_.Do(kmip::AddAttributeRequest{.id = Identifier(id), .attribute = {value}},
                      subject.version);
  }
  ItemForTest Modify(const Subject& subject, const std::string& id, const Attribute& value) {
    kmip::ModifyAttributeRequest request;
    request.id = Identifier(id);
    request.attribute.attribute = value;
    return engine_.Do(request, subject.version);
  }
  ItemForTest Delete(const Subject& subject, const std::string& id) {
    kmip::DeleteAttributeRequest request;
    request.id = Identifier(id);
    request.reference = subject.reference;
    return engine_.Do(request, subject.version);
  }
  void Activate(const std::string& id) {
    engine_.Must<kmip::ActivateResponse>(kmip::ActivateRequest{.id = Identifier(id)});
  }
  bool Has(const Subject& subject, const std::string& id) {
    return ReadForTest(engine_, id, subject.version).Count(subject.reference) != 0;
  }
  // An object that has the attribute, whether a client gives it or the server sets it.
  std::string Having(const Subject& subject) {
    const std::string id = New(subject);
    if (!Has(subject, id)) {
      const ItemForTest added = Add(subject, id, subject.first);
      if (!added.success) return {};
    }
    return id;
  }

  std::vector<Row> rows_;
  EngineForTest engine_;
};

// What a request says in other words than an attribute: the server sets it from there.
bool IsAskedFor(Tag tag) {
  return tag == Tag::kCryptographicAlgorithm || tag == Tag::kCryptographicLength ||
         tag == Tag::kObjectType || tag == Tag::kCryptographicUsageMask;
}

bool AppliesToKeys(const Row& row) {
  return Says(row, "applies_to", "All") || Says(row, "applies_to", "Key");
}

void ExpectRefusal(const ItemForTest& item) {
  EXPECT_FALSE(item.success);
  EXPECT_NE(item.reason, ResultReason::kGeneralFailure) << item.message;
}

TEST_F(AttributeTable, WhatAlwaysHasAValueIsThereFromTheBeginning) {
  for (const Row& row : rows_) {
    if (!Yes(row, "always_has_value") || !AppliesToKeys(row)) continue;
    if (Says(row, "applies_to", "PGP") || Says(row, "applies_to", "Opaque Objects")) continue;
    SCOPED_TRACE(row.at("version") + " " + row.at("attribute"));
    const Subject subject = Of(row);
    EXPECT_TRUE(Has(subject, New(subject)));
  }
}

TEST_F(AttributeTable, AClientGivesANewObjectWhatIsHisToSet) {
  for (const Row& row : rows_) {
    SCOPED_TRACE(row.at("version") + " " + row.at("attribute"));
    const Subject subject = Of(row);
    if (IsAskedFor(subject.tag)) continue;
    // The generator and the creation date of a key that the server makes are the server's.
    // So are attributes of keys of another kind.
    const bool of_client = Says(row, "initially_set_by", "Client") &&
                           !Says(row, "initially_set_by", "generated by") &&
                           subject.tag != Tag::kCryptographicDomainParameters;
    const ItemForTest created = engine_.Do(CreateAesForTest({subject.first}), subject.version);
    if (of_client) {
      EXPECT_TRUE(created.success) << created.message;
    } else {
      ExpectRefusal(created);
    }
  }
}

TEST_F(AttributeTable, WhatOnlyTheServerSetsIsNotForAClientToAddOrSet) {
  for (const Row& row : rows_) {
    if (row.at("initially_set_by") != "Server") continue;
    SCOPED_TRACE(row.at("version") + " " + row.at("attribute"));
    const Subject subject = Of(row);
    const std::string id = New(subject);
    ExpectRefusal(Add(subject, id, subject.first));
    if (kmip::IsVersion1(subject.version)) continue;
    ExpectRefusal(
        engine_.Do(kmip::SetAttributeRequest{.id = Identifier(id), .attribute = {subject.first}},
                   subject.version));
  }
}

TEST_F(AttributeTable, AClientModifiesWhatHeMayInTheStatesInWhichHeMay) {
  for (const Row& row : rows_) {
    SCOPED_TRACE(row.at("version") + " " + row.at("attribute"));
    const Subject subject = Of(row);
    const std::string id = Having(subject);
    if (id.empty()) {
      EXPECT_FALSE(Yes(row, "modifiable_by_client")) << "never had one, so nothing was proven";
      continue;
    }
    const ItemForTest modified = Modify(subject, id, subject.second);
    if (!Yes(row, "modifiable_by_client")) {
      ExpectRefusal(modified);
      continue;
    }
    EXPECT_TRUE(modified.success) << modified.message;
    const Subject other = Of(row);
    const std::string active = Having(other);
    Activate(active);
    const ItemForTest later = Modify(other, active, other.second);
    if (Says(row, "modifiable_by_client", "only while in Pre-Active state")) {
      ExpectRefusal(later);
    } else {
      EXPECT_TRUE(later.success) << later.message;
    }
  }
}

TEST_F(AttributeTable, AClientDeletesWhatHeMay) {
  for (const Row& row : rows_) {
    SCOPED_TRACE(row.at("version") + " " + row.at("attribute"));
    const Subject subject = Of(row);
    const std::string id = Having(subject);
    if (id.empty()) continue;
    const ItemForTest deleted = Delete(subject, id);
    if (Yes(row, "deletable_by_client")) {
      EXPECT_TRUE(deleted.success) << deleted.message;
      EXPECT_FALSE(Has(subject, id));
    } else {
      ExpectRefusal(deleted);
      EXPECT_TRUE(Has(subject, id));
    }
  }
}

TEST_F(AttributeTable, OneInstanceOrMany) {
  for (const Row& row : rows_) {
    if (!Says(row, "initially_set_by", "Client")) continue;
    SCOPED_TRACE(row.at("version") + " " + row.at("attribute"));
    const Subject subject = Of(row);
    const std::string id = New(subject);
    if (Has(subject, id) || !Add(subject, id, subject.first).success) continue;
    const ItemForTest again = Add(subject, id, subject.second);
    if (Yes(row, "multiple_instances")) {
      EXPECT_TRUE(again.success) << again.message;
    } else {
      EXPECT_EQ(again.reason, kmip::IsVersion1(subject.version)
                                  ? ResultReason::kIllegalOperation
                                  : ResultReason::kAttributeSingleValued);
    }
  }
}

TEST_F(AttributeTable, UsageLimitsStandStillOnceSomethingWasTaken) {
  for (const Row& row : rows_) {
    if (row.at("attribute") != "Usage Limits") continue;
    SCOPED_TRACE(row.at("version"));
    const Subject subject = Of(row);
    const std::string id = New(subject, {subject.first});
    Activate(id);
    kmip::GetUsageAllocationRequest take;
    take.id = Identifier(id);
    take.count = 1;
    EXPECT_TRUE(engine_.Do(take, subject.version).success);
    ExpectRefusal(Modify(subject, id, subject.second));
    ExpectRefusal(Delete(subject, id));
    const auto left =
        ReadUsageLimits(*ReadForTest(engine_, id, subject.version).Find(Tag::kUsageLimits));
    ASSERT_TRUE(left);
    EXPECT_EQ(left->count, left->total - 1);
  }
}

}  // namespace
}  // namespace dare::engine

#include "engine/object_rules.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/get_attributes.h"
#include "kmip/payloads/get_constraints.h"
#include "kmip/payloads/query.h"
#include "kmip/payloads/set_constraints.h"
#include "kmip/payloads/set_defaults.h"
#include "kmip/tags.h"
#include "store/object_store.h"

namespace dare::engine {
namespace {

using kmip::ResultReason;
using kmip::Tag;

kmip::CreateRequest AKey() {
  kmip::CreateRequest create;
  create.object_type = kmip::ObjectType::kSymmetricKey;
  return create;
}

kmip::Constraint KeysOf(std::int32_t bits, std::vector<std::string> groups = {}) {
  kmip::Constraint constraint;
  constraint.object_types = {kmip::ObjectType::kSymmetricKey};
  constraint.object_groups = std::move(groups);
  constraint.attributes.Add(kmip::Attribute::OfInteger(Tag::kCryptographicLength, bits));
  return constraint;
}

kmip::CreateRequest AKeyOf(std::int32_t bits, const std::string& group = "") {
  kmip::CreateRequest create = AKey();
  auto& attributes = create.attributes.attributes;
  attributes.Add(kmip::Attribute::OfInteger(Tag::kCryptographicLength, bits));
  if (!group.empty()) attributes.Add(kmip::Attribute::OfText(Tag::kObjectGroup, group));
  return create;
}

TEST(Constraints, HoldForNewObjectsOfWhoSetThem) {
  EngineForTest engine;
  const kmip::SetConstraintsRequest set{.constraints = {KeysOf(256, {"Group1"}), KeysOf(192)}};
  EXPECT_TRUE(engine.Do(set).success);
  EXPECT_EQ(
      engine.Must<kmip::GetConstraintsResponse>(kmip::GetConstraintsRequest{}).constraints.size(),
      2u);
  EXPECT_TRUE(engine.Do(AKeyOf(192)).success);
  EXPECT_EQ(engine.Do(AKeyOf(256)).reason, ResultReason::kConstraintViolation);
  EXPECT_TRUE(engine.Do(AKeyOf(256, "Group1")).success);
  EXPECT_EQ(engine.Do(AKeyOf(192, "Group1")).reason, ResultReason::kConstraintViolation);
  EXPECT_TRUE(engine.Do(AKeyOf(256), kmip::kVersion2_1, "bob").success) << "they are alice's";
  engine.Restart();
  EXPECT_EQ(engine.Do(AKeyOf(256)).reason, ResultReason::kConstraintViolation);
  EXPECT_TRUE(engine.Do(kmip::SetConstraintsRequest{}).success);
  EXPECT_TRUE(engine.Do(AKeyOf(256)).success);
}

TEST(Constraints, AreRefusedWhenTheStoreWasEdited) {
  EngineForTest engine;
  EXPECT_TRUE(engine.Do(kmip::SetConstraintsRequest{.constraints = {KeysOf(256)}}).success);
  auto transaction = engine.store().Begin();
  Bytes kept = *(*transaction)->GetMeta("rules/constraints/alice");
  kept.back() ^= 1;
  ASSERT_TRUE((*transaction)->PutMeta("rules/constraints/alice", kept));
  ASSERT_TRUE((*transaction)->Commit());
  EXPECT_EQ(engine.Do(AKeyOf(256)).reason, ResultReason::kGeneralFailure);
}

TEST(Defaults, FillInWhatTheRequestLeavesOut) {
  EngineForTest engine;
  kmip::ObjectDefaults defaults;
  defaults.object_types = {kmip::ObjectType::kSymmetricKey};
  defaults.attributes.Add(kmip::Attribute::OfInteger(Tag::kCryptographicLength, 192));
  EXPECT_TRUE(engine.Do(kmip::SetDefaultsRequest{.defaults = {defaults}}).success);
  const auto told = engine.Must<kmip::QueryResponse>(
      kmip::QueryRequest{.functions = {kmip::QueryFunction::kQueryDefaultsInformation}});
  ASSERT_TRUE(told.defaults && told.defaults->size() == 1);
  const auto bits_of = [&](const kmip::CreateRequest& create) {
    const auto made = engine.Must<kmip::CreateResponse>(create);
    const auto attributes = engine.Must<kmip::GetAttributesResponse>(
        kmip::GetAttributesRequest{.id = kmip::Identifier(made.id)});
    for (const auto& attribute : attributes.attributes) {
      if (attribute.tag == Tag::kCryptographicLength) return *attribute.View().AsInteger();
    }
    return 0;
  };
  EXPECT_EQ(bits_of(AKey()), 192);
  EXPECT_EQ(bits_of(AKeyOf(128)), 128) << "what is asked for wins";
  EXPECT_TRUE(engine.Do(kmip::SetDefaultsRequest{}).success);
  EXPECT_NE(bits_of(AKey()), 192);
}

}  // namespace
}  // namespace dare::engine

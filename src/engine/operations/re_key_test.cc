#include "engine/operations/re_key.h"

#include <gtest/gtest.h>

#include "engine/attribute_values.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Identifier;
using kmip::LinkType;
using kmip::ResultReason;
using kmip::State;
using kmip::Tag;

Attribute LinkTo(LinkType type, const std::string& id) {
  return Attribute::OfLink(static_cast<std::uint32_t>(type), id);
}

std::string Replace(EngineForTest& engine, const std::string& id,
                    std::optional<std::uint32_t> offset = {}) {
  return engine
      .Must<kmip::ReKeyResponse>(kmip::ReKeyRequest{.id = Identifier(id), .offset = offset})
      .id;
}

TEST(ReKey, MovesNamesCopiesAttributesAndLinksBothWays) {
  EngineForTest engine;
  const std::int64_t now = engine.clock().Now();
  const std::string old = NewKeyForTest(
      engine, {Attribute::OfName("n"), CustomForTest("a", "1"),
               Attribute::OfDate(Tag::kActivationDate, now - 10),
               LinkTo(LinkType::kParentLink, "p"), Attribute::OfText(Tag::kObjectGroup, "g")});
  engine.clock().Advance(5);
  const std::string next = Replace(engine, old);
  ASSERT_NE(next, old);
  const kmip::AttributeSet before = ReadForTest(engine, old);
  const kmip::AttributeSet after = ReadForTest(engine, next);
  EXPECT_TRUE(before.Names().empty());
  EXPECT_EQ(after.Names(), std::vector<std::string>{"n"});
  EXPECT_EQ(after.Count({Tag::kAttribute, "x", "a"}), 1u);
  EXPECT_EQ(after.Text(Tag::kObjectGroup), "g");
  EXPECT_EQ(after.Enum<State>(Tag::kState), State::kActive);
  EXPECT_EQ(after.Date(Tag::kInitialDate), now + 5);
  EXPECT_EQ(after.Integer(Tag::kCryptographicLength), 256);
  EXPECT_EQ(after.Count({Tag::kLink, "", ""}), 1u);
  EXPECT_EQ(*after.Find(Tag::kLink), LinkTo(LinkType::kReplacedObjectLink, old));
  EXPECT_EQ(before.Count({Tag::kLink, "", ""}), 2u);
  EXPECT_NE(*before.Find(Tag::kDigest), *after.Find(Tag::kDigest));
}

TEST(ReKey, AnOffsetMovesTheDates) {
  EngineForTest engine;
  const std::int64_t now = engine.clock().Now();
  const std::string old =
      NewKeyForTest(engine, {Attribute::OfDate(Tag::kActivationDate, now - 1000),
                             Attribute::OfDate(Tag::kDeactivationDate, now - 100)});
  EXPECT_EQ(StateForTest(engine, old), State::kDeactivated);
  const kmip::AttributeSet after = ReadForTest(engine, Replace(engine, old, 60));
  EXPECT_EQ(after.Date(Tag::kActivationDate), now + 60);
  EXPECT_EQ(after.Date(Tag::kDeactivationDate), now + 60 + 900);
  EXPECT_EQ(after.Enum<State>(Tag::kState), State::kPreActive);
}

TEST(ReKey, RefusesAnOffsetThatLeadsOutOfTime) {
  EngineForTest engine;
  const std::string id =
      NewKeyForTest(engine, {Attribute::OfDate(Tag::kActivationDate, INT64_MIN),
                             Attribute::OfDate(Tag::kDeactivationDate, INT64_MAX)});
  EXPECT_EQ(engine.Do(kmip::ReKeyRequest{.id = Identifier(id), .offset = 0}).reason,
            ResultReason::kInvalidField);
}

TEST(ReKey, RefusesAnOffsetWithDatesOrWithoutAnActivationDate) {
  EngineForTest engine;
  const std::int64_t now = engine.clock().Now();
  kmip::ReKeyRequest both{.id = Identifier(NewKeyForTest(engine)), .offset = 0};
  both.attributes = AttributesForTest({Attribute::OfDate(Tag::kActivationDate, now)});
  EXPECT_EQ(engine.Do(both).reason, ResultReason::kInvalidMessage);
  const kmip::ReKeyRequest nowhere{
      .id =
          Identifier(NewKeyForTest(engine, {Attribute::OfDate(Tag::kDeactivationDate, now + 50)})),
      .offset = 0};
  EXPECT_EQ(engine.Do(nowhere, kmip::kVersion1_4).reason, ResultReason::kIllegalOperation);
  EXPECT_EQ(engine.Do(nowhere, kmip::kVersion2_1).reason, ResultReason::kInvalidField);
}

TEST(ReKey, TheRequestOverridesWhatIsCopied) {
  EngineForTest engine;
  const std::string old = NewKeyForTest(
      engine, {Attribute::OfName("n"), Attribute::OfText(Tag::kContactInformation, "joe")});
  kmip::ReKeyRequest request{.id = Identifier(old)};
  request.attributes = AttributesForTest({Attribute::OfText(Tag::kContactInformation, "eve"),
                                          Attribute::OfInteger(Tag::kCryptographicLength, 128)});
  const std::string next = engine.Must<kmip::ReKeyResponse>(request).id;
  const kmip::AttributeSet after = ReadForTest(engine, next);
  EXPECT_EQ(after.Text(Tag::kContactInformation), "eve");
  EXPECT_EQ(after.Integer(Tag::kCryptographicLength), 128);
  request.id = Identifier(next);
  request.attributes = AttributesForTest(
      {EnumForTest(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kChaCha20)});
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kInvalidField) << "the same algorithm";
}

TEST(ReKey, UsageLimitsStartAnew) {
  EngineForTest engine;
  const std::string old = engine.AddAesKey(
      Bytes(32, 1),
      {MakeUsageLimits({.total = 50, .count = 7, .unit = kmip::UsageLimitsUnit::kByte})});
  const kmip::AttributeSet after = ReadForTest(engine, Replace(engine, old));
  EXPECT_EQ(*after.Find(Tag::kUsageLimits),
            MakeUsageLimits({.total = 50, .count = 50, .unit = kmip::UsageLimitsUnit::kByte}));
}

TEST(ReKey, RefusesDestroyedObjectsAndOtherTypes) {
  EngineForTest engine;
  const std::string id = NewKeyForTest(engine);
  engine.Must<kmip::DestroyResponse>(kmip::DestroyRequest{.id = Identifier(id)});
  const kmip::ReKeyRequest request{.id = Identifier(id)};
  EXPECT_EQ(engine.Do(request, kmip::kVersion2_1).reason, ResultReason::kObjectDestroyed);
  EXPECT_EQ(engine.Do(request, kmip::kVersion1_4).reason, ResultReason::kPermissionDenied);
  kmip::CreateRequest secret;
  secret.object_type = kmip::ObjectType::kSecretData;
  const kmip::ReKeyRequest other{.id = Identifier(engine.Must<kmip::CreateResponse>(secret).id)};
  EXPECT_EQ(engine.Do(other, kmip::kVersion2_1).reason, ResultReason::kInvalidObjectType);
  EXPECT_EQ(engine.Do(other, kmip::kVersion1_4).reason, ResultReason::kPermissionDenied);
}

TEST(ReKey, CountsTheGenerationsOfAKey) {
  EngineForTest engine;
  std::string id = NewKeyForTest(engine);
  for (const std::int32_t generation : {1, 2, 3}) {
    engine.clock().Advance(10);
    const auto next = engine.Must<kmip::ReKeyResponse>(kmip::ReKeyRequest{.id = Identifier(id)});
    EXPECT_EQ(ReadForTest(engine, id).Boolean(Tag::kRotateLatest), false);
    const kmip::AttributeSet all = ReadForTest(engine, next.id);
    EXPECT_EQ(all.Integer(Tag::kRotateGeneration), generation);
    EXPECT_EQ(all.Boolean(Tag::kRotateLatest), true);
    EXPECT_EQ(all.Date(Tag::kRotateDate), engine.clock().Now());
    id = next.id;
  }
  EXPECT_FALSE(ReadForTest(engine, id, kmip::kVersion2_0).Has(Tag::kRotateGeneration));
}

TEST(ReKey, ARefusalLeavesTheOldKeyItsName) {
  EngineForTest engine;
  NewKeyForTest(engine, {Attribute::OfName("taken")});
  const std::string old = NewKeyForTest(engine, {Attribute::OfName("n")});
  kmip::ReKeyRequest request{.id = Identifier(old)};
  request.attributes = AttributesForTest({Attribute::OfName("taken")});
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kNonUniqueNameAttribute);
  const kmip::AttributeSet all = ReadForTest(engine, old);
  EXPECT_EQ(all.Names(), std::vector<std::string>{"n"});
  EXPECT_FALSE(all.Has(Tag::kLink));
  EXPECT_EQ(engine.Do(request, kmip::kVersion2_1, "mallory").reason,
            ResultReason::kPermissionDenied);
}

}  // namespace
}  // namespace dare::engine

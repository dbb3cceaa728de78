#include <gtest/gtest.h>

#include "engine/attribute_values.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/export.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/import.h"
#include "kmip/payloads/revoke.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Identifier;
using kmip::ProtocolVersion;
using kmip::ResultReason;
using kmip::Tag;

class ImportExport : public testing::Test {
 protected:
  kmip::ExportResponse Export(const std::string& id, ProtocolVersion version = kmip::kVersion2_1) {
    kmip::ExportRequest request;
    request.get.id = Identifier(id);
    return engine_.Must<kmip::ExportResponse>(request, version);
  }
  static kmip::ImportRequest From(const kmip::ExportResponse& exported, const std::string& id) {
    kmip::ImportRequest request;
    request.id = id;
    request.object_type = exported.given.type;
    for (const Attribute& attribute : exported.attributes) {
      const bool identity =
          attribute.tag == Tag::kUniqueIdentifier || attribute.tag == Tag::kShortUniqueIdentifier;
      if (!identity && attribute.tag != Tag::kName) request.attributes.Add(attribute);
    }
    request.object = exported.given.object;
    return request;
  }
  void Kill(const std::string& id) {
    ASSERT_TRUE(engine_.Do(kmip::DestroyRequest{.id = Identifier(id)}).success);
  }

  EngineForTest engine_;
};

TEST_F(ImportExport, AnObjectComesBackWithItsWholePast) {
  const std::string id =
      NewKeyForTest(engine_, {MakeUsageLimits({1000, 1000, kmip::UsageLimitsUnit::kByte}),
                              CustomForTest("ID", "1"), Attribute::OfText(Tag::kObjectGroup, "g")});
  engine_.Must<kmip::ActivateResponse>(kmip::ActivateRequest{.id = Identifier(id)});
  engine_.clock().Advance(1000);
  for (const ProtocolVersion version : {kmip::kVersion1_4, kmip::kVersion2_0, kmip::kVersion2_1}) {
    SCOPED_TRACE(version.minor);
    const kmip::ExportResponse exported = Export(id, version);
    const std::string copy = "copy-" + std::to_string(version.major * 10 + version.minor);
    ASSERT_EQ(engine_.Must<kmip::ImportResponse>(From(exported, copy), version).id, copy);
    const kmip::AttributeSet before = ReadForTest(engine_, id, version);
    const kmip::AttributeSet after = ReadForTest(engine_, copy, version);
    for (const Attribute& attribute : before.all()) {
      const bool identity =
          attribute.tag == Tag::kUniqueIdentifier || attribute.tag == Tag::kShortUniqueIdentifier;
      if (identity) continue;
      const Attribute* kept = after.Find(kmip::ReferenceTo(attribute), attribute.index);
      ASSERT_NE(kept, nullptr) << static_cast<int>(attribute.tag);
      EXPECT_EQ(*kept, attribute) << static_cast<int>(attribute.tag);
    }
    EXPECT_EQ(ToBytes(Export(copy, version).given.object.whole),
              ToBytes(exported.given.object.whole));
  }
}

TEST_F(ImportExport, AnIdentifierThatIsTakenIsReplacedOnlyOnRequestAndByItsOwner) {
  const std::string id = NewKeyForTest(engine_);
  const std::string other = NewKeyForTest(engine_);
  const kmip::ExportResponse exported = Export(other);
  kmip::ImportRequest request = From(exported, id);
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kObjectAlreadyExists);
  request.replace_existing = true;
  EXPECT_EQ(engine_.Do(request, kmip::kVersion2_1, "mallory").reason,
            ResultReason::kPermissionDenied);
  EXPECT_EQ(engine_.Do(request, kmip::kVersion2_1, "root", true).reason,
            ResultReason::kPermissionDenied)
      << "overseeing is not replacing";
  EXPECT_TRUE(engine_.Do(request).success);
  EXPECT_EQ(ToBytes(Export(id).given.object.whole), ToBytes(exported.given.object.whole));
}

TEST_F(ImportExport, WhatWasDestroyedIsExportedWithoutItsKeyAndMayComeBackLiving) {
  const std::string id = NewKeyForTest(engine_);
  const kmip::ExportResponse living = Export(id);
  Kill(id);
  const kmip::ExportResponse dead = Export(id);
  EXPECT_TRUE(dead.destroyed);
  EXPECT_FALSE(dead.attributes.empty());
  kmip::ImportRequest request = From(living, id);
  request.replace_existing = true;
  ASSERT_TRUE(engine_.Do(request).success);
  EXPECT_EQ(StateForTest(engine_, id), kmip::State::kPreActive);

  request = From(living, "fresh");
  request.attributes.Set(EnumForTest(Tag::kState, kmip::State::kDestroyed));
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidAttributeValue);
}

TEST_F(ImportExport, ExportObeysWhatKeepsAKeyFromLeaving) {
  const std::string sensitive =
      NewKeyForTest(engine_, {Attribute::OfBoolean(Tag::kSensitive, true)});
  kmip::ExportRequest request;
  request.get.id = Identifier(sensitive);
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kSensitive);
  const std::string id = NewKeyForTest(engine_);
  request.get.id = Identifier(id);
  EXPECT_EQ(engine_.Do(request, kmip::kVersion2_1, "mallory").reason,
            ResultReason::kPermissionDenied);
  EXPECT_EQ(engine_.Do(request, kmip::kVersion2_1, "root", true).reason,
            ResultReason::kPermissionDenied);
  EXPECT_TRUE(ReadForTest(engine_, id).Boolean(Tag::kFresh).value_or(false));
  Export(id);
  EXPECT_TRUE(ReadForTest(engine_, id).Boolean(Tag::kFresh).value_or(false))
      << "an Export hands nothing out";
}

TEST_F(ImportExport, RefusesAnImportThatContradictsItself) {
  const std::string id = NewKeyForTest(engine_);
  const kmip::ExportResponse exported = Export(id);
  kmip::ImportRequest request = From(exported, "one");
  request.attributes.Set(Attribute::OfText(Tag::kUniqueIdentifier, "two"));
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidAttributeValue);
  request = From(exported, "one");
  request.object_type = kmip::ObjectType::kSecretData;
  EXPECT_FALSE(engine_.Do(request).success);
  request = From(exported, "");
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidField);
  request = From(exported, std::string(200, 'x'));
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidField);
  request = From(exported, "one");
  request.attributes.Set(MakeUsageLimits({10, 11, kmip::UsageLimitsUnit::kByte}));
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidAttributeValue);
  request.attributes.Set(MakeUsageLimits({10, 3, kmip::UsageLimitsUnit::kByte}));
  EXPECT_TRUE(engine_.Do(request).success);
  EXPECT_EQ(ReadUsageLimits(*ReadForTest(engine_, "one").Find(Tag::kUsageLimits))->count, 3);
}

TEST_F(ImportExport, APastThatThePresentContradictsIsNotBelieved) {
  const std::string id = NewKeyForTest(engine_);
  const kmip::ExportResponse exported = Export(id);
  kmip::ImportRequest request = From(exported, "boaster");
  request.attributes.Set(Attribute::OfBoolean(Tag::kAlwaysSensitive, true));
  request.attributes.Set(Attribute::OfBoolean(Tag::kNeverExtractable, true));
  ASSERT_TRUE(engine_.Do(request).success);
  const kmip::AttributeSet kept = ReadForTest(engine_, "boaster");
  EXPECT_EQ(kept.Boolean(Tag::kAlwaysSensitive), false);
  EXPECT_EQ(kept.Boolean(Tag::kNeverExtractable), false);
}

}  // namespace
}  // namespace dare::engine

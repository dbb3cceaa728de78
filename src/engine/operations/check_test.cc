#include "engine/operations/check.h"

#include <gtest/gtest.h>

#include "engine/attribute_values.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/destroy.h"

namespace dare::engine {
namespace {

using kmip::Identifier;
using kmip::ResultReason;

TEST(Check, AllowsWhatTheKeyAllows) {
  EngineForTest engine;
  const std::string id = NewKeyForTest(engine);
  EXPECT_EQ(engine
                .Must<kmip::CheckResponse>(kmip::CheckRequest{
                    .id = Identifier(id), .usage_mask = 0x04, .lease_time = 3600})
                .id,
            id);
}

TEST(Check, RefusesOtherUsageInTheWordsOfTheVersion) {
  EngineForTest engine;
  const kmip::CheckRequest request{.id = Identifier(NewKeyForTest(engine)), .usage_mask = 0x01};
  EXPECT_EQ(engine.Do(request, kmip::kVersion2_1).reason,
            ResultReason::kIncompatibleCryptographicUsageMask);
  EXPECT_EQ(engine.Do(request, kmip::kVersion1_4).reason, ResultReason::kPermissionDenied);
}

TEST(Check, CountsUsageWithoutTakingIt) {
  EngineForTest engine;
  const std::string id = NewKeyForTest(
      engine, {MakeUsageLimits({.total = 10, .count = 10, .unit = kmip::UsageLimitsUnit::kByte})});
  const kmip::CheckRequest ten{.id = Identifier(id), .usage_limits_count = 10};
  EXPECT_TRUE(engine.Do(ten).success);
  EXPECT_TRUE(engine.Do(ten).success);
  const kmip::CheckRequest more{.id = Identifier(id), .usage_limits_count = 11};
  EXPECT_EQ(engine.Do(more, kmip::kVersion2_1).reason, ResultReason::kUsageLimitExceeded);
  EXPECT_EQ(engine.Do(more, kmip::kVersion1_4).reason, ResultReason::kPermissionDenied);
}

TEST(Check, RefusesLongLeasesAndDestroyedObjects) {
  EngineForTest engine;
  const std::string id = NewKeyForTest(engine);
  EXPECT_EQ(engine.Do(kmip::CheckRequest{.id = Identifier(id), .lease_time = 3601}).reason,
            ResultReason::kPermissionDenied);
  engine.Must<kmip::DestroyResponse>(kmip::DestroyRequest{.id = Identifier(id)});
  EXPECT_EQ(engine.Do(kmip::CheckRequest{.id = Identifier(id)}, kmip::kVersion2_1).reason,
            ResultReason::kObjectDestroyed);
  EXPECT_EQ(engine.Do(kmip::CheckRequest{.id = Identifier(id)}, kmip::kVersion1_4).reason,
            ResultReason::kIllegalOperation);
}

TEST(Check, OthersMayNot) {
  EngineForTest engine;
  const kmip::CheckRequest request{.id = Identifier(NewKeyForTest(engine))};
  EXPECT_EQ(engine.Do(request, kmip::kVersion2_1, "mallory").reason,
            ResultReason::kPermissionDenied);
}

}  // namespace
}  // namespace dare::engine

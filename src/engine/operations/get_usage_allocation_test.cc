#include "engine/operations/get_usage_allocation.h"

#include <gtest/gtest.h>

#include "engine/attribute_values.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Identifier;
using kmip::ProtocolVersion;
using kmip::ResultReason;
using kmip::Tag;

class Allocation : public testing::Test {
 protected:
  std::string New(const std::vector<Attribute>& attributes) {
    const std::string id = NewKeyForTest(engine_, attributes);
    engine_.Must<kmip::ActivateResponse>(kmip::ActivateRequest{.id = Identifier(id)});
    return id;
  }
  ResultReason Take(const std::string& id, std::int64_t count,
                    ProtocolVersion version = kmip::kVersion2_1,
                    const std::string& principal = "alice") {
    kmip::GetUsageAllocationRequest request;
    request.id = Identifier(id);
    request.count = count;
    return engine_.Do(request, version, principal).reason;
  }
  std::int64_t Left(const std::string& id) {
    return ReadUsageLimits(*ReadForTest(engine_, id).Find(Tag::kUsageLimits))->count;
  }

  static constexpr ResultReason kDone{};
  const Attribute limits_ = MakeUsageLimits({1000, 1000, kmip::UsageLimitsUnit::kByte});
  EngineForTest engine_;
};

TEST_F(Allocation, TakesUntilNothingIsLeft) {
  const std::string id = New({limits_});
  EXPECT_EQ(Take(id, 500), kDone);
  EXPECT_EQ(Take(id, 501), ResultReason::kUsageLimitExceeded);
  EXPECT_EQ(Left(id), 500) << "a refusal takes nothing";
  EXPECT_EQ(Take(id, 500), kDone);
  EXPECT_EQ(Left(id), 0);
  EXPECT_EQ(Take(id, 1, kmip::kVersion1_2), ResultReason::kPermissionDenied);
}

TEST_F(Allocation, RefusesAmountsThatAreNone) {
  const std::string id = New({limits_});
  for (const std::int64_t count :
       {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_EQ(Take(id, count), ResultReason::kInvalidField);
  }
  EXPECT_EQ(Left(id), 1000);
}

TEST_F(Allocation, NeedsLimitsAKeyThatProtectsAndAnOwner) {
  const std::string unlimited = New({});
  EXPECT_EQ(Take(unlimited, 1), ResultReason::kAttributeNotFound);
  EXPECT_EQ(Take(unlimited, 1, kmip::kVersion1_4), ResultReason::kIllegalOperation);
  EXPECT_EQ(Take(New({limits_}), 1, kmip::kVersion2_1, "mallory"), ResultReason::kPermissionDenied);
  const std::string pre_active = NewKeyForTest(engine_, {limits_});
  EXPECT_EQ(Take(pre_active, 1), ResultReason::kWrongKeyLifecycleState);
}

TEST_F(Allocation, StopsAtTheProtectStopDate) {
  const std::string id =
      New({limits_, Attribute::OfDate(Tag::kProtectStopDate, engine_.clock().Now() + 10)});
  EXPECT_EQ(Take(id, 1), kDone);
  engine_.clock().Advance(20);
  EXPECT_NE(Take(id, 1), kDone);
  EXPECT_EQ(Left(id), 999);
}

}  // namespace
}  // namespace dare::engine

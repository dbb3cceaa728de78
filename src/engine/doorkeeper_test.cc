#include "engine/doorkeeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "engine/engine_for_test.h"
#include "engine/kms.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/ping.h"
#include "kmip/payloads/revoke.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using testing::Contains;
using testing::HasSubstr;

// Refuses one principal from the ask that the test chooses on.
class DoorkeeperForTest : public Doorkeeper {
 public:
  std::optional<Refusal> Refuses(const policy::Principal& principal) override {
    ++asked;
    if (principal.name != whom || asked < from_ask) return std::nullopt;
    return Refusal{kmip::Reject(kmip::ResultReason::kPermissionDenied, "not allowed"),
                   "locked out"};
  }
  std::uint64_t generation() const override { return list; }
  Result<void> StillHolds(const store::ObjectReader& /*transaction*/,
                          std::uint64_t judged_by) override {
    if (lock_out_before_commit.empty()) {
      return judged_by == list ? Result<void>() : Error(Code::kConflict, "it has changed");
    }
    whom = std::exchange(lock_out_before_commit, "");
    ++list;
    return Error(Code::kConflict, "it has changed");
  }
  std::string whom, lock_out_before_commit;
  std::uint64_t list = 0;
  int asked = 0, from_ask = 0;
};

class DoorkeeperTest : public testing::Test {
 protected:
  static KmsOptions Options(Doorkeeper& doorkeeper) {
    KmsOptions options;
    options.doorkeeper = &doorkeeper;
    return options;
  }
  ItemForTest Get(const std::string& principal = "alice") {
    kmip::GetRequest request;
    request.id.value = key_;
    return engine_.Do(request, kmip::kVersion2_1, principal);
  }

  DoorkeeperForTest doorkeeper_;
  EngineForTest engine_{Options(doorkeeper_)};
  const std::string key_ = engine_.AddAesKey(Bytes(16, 7));
};

TEST_F(DoorkeeperTest, WhoIsRefusedGetsNothingWhateverPolicyAllows) {
  ASSERT_TRUE(Get().success);
  doorkeeper_.whom = "alice";
  const ItemForTest refused = Get();
  EXPECT_FALSE(refused.success);
  EXPECT_EQ(refused.reason, kmip::ResultReason::kPermissionDenied);
  EXPECT_FALSE(engine_.Do(kmip::PingRequest(), kmip::kVersion2_1, "alice").success);
  EXPECT_TRUE(engine_.Do(kmip::PingRequest(), kmip::kVersion2_1, "bob").success);
  doorkeeper_.whom.clear();
  EXPECT_TRUE(Get().success);
}

TEST_F(DoorkeeperTest, WhoIsRefusedBeforeTheAnswerLeavesGetsNone) {
  doorkeeper_.whom = "alice";
  doorkeeper_.asked = 0;
  doorkeeper_.from_ask = 2;
  const ItemForTest refused = Get();
  EXPECT_FALSE(refused.success);
  EXPECT_EQ(doorkeeper_.asked, 2) << "before the message and before the answer";
}

TEST_F(DoorkeeperTest, AChangeThatWasRefusedIsNotMade) {
  doorkeeper_.whom = "alice";
  const std::uint64_t before = *engine_.store().Count({});
  kmip::DestroyRequest destroy;
  destroy.id.value = key_;
  EXPECT_FALSE(engine_.Do(destroy).success);
  EXPECT_EQ(*engine_.store().Count({}), before);
  doorkeeper_.whom.clear();
  EXPECT_TRUE(Get().success);
}

TEST_F(DoorkeeperTest, AChangeOfWhoIsRefusedBeforeItsCommitIsNotMade) {
  doorkeeper_.lock_out_before_commit = "alice";
  kmip::RevokeRequest revoke;
  revoke.id.value = key_;
  revoke.reason = kmip::RevocationReasonCode::kKeyCompromise;
  const ItemForTest refused = engine_.Do(revoke);
  EXPECT_FALSE(refused.success);
  EXPECT_EQ(refused.reason, kmip::ResultReason::kPermissionDenied);
  doorkeeper_.whom.clear();
  EXPECT_TRUE(Get().success) << "the key is not revoked";
}

TEST_F(DoorkeeperTest, AChangeOfAnotherGoesOnWhenSomebodyIsLockedOutBeforeItsCommit) {
  doorkeeper_.lock_out_before_commit = "bob";
  kmip::RevokeRequest revoke;
  revoke.id.value = key_;
  EXPECT_TRUE(engine_.Do(revoke).success);
  EXPECT_FALSE(engine_.Do(kmip::PingRequest(), kmip::kVersion2_1, "bob").success);
}

TEST_F(DoorkeeperTest, ARefusalIsAudited) {
  doorkeeper_.whom = "alice";
  Get();
  EXPECT_THAT(engine_.AuditLines(),
              Contains(testing::AllOf(HasSubstr("locked out"), HasSubstr("alice"))));
}

TEST_F(DoorkeeperTest, KeysThatAreForgottenAreOpenedAnew) {
  ASSERT_TRUE(Get().success);
  const std::uint64_t before = engine_.sealer().opens();
  ASSERT_TRUE(Get().success);
  EXPECT_EQ(engine_.sealer().opens(), before) << "from the cache";
  engine_.kms().ForgetKeys();
  EXPECT_TRUE(Get().success);
  EXPECT_EQ(engine_.sealer().opens(), before + 1);
}

}  // namespace
}  // namespace dare::engine

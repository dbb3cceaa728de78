// A policy in force, seen from outside: whole messages.
#include "engine/access_control.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/engine_for_test.h"
#include "engine/kms.h"
#include "engine/operation_table.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/locate.h"
#include "kmip/payloads/query.h"
#include "kmip/payloads/re_key.h"
#include "kmip/payloads/revoke.h"
#include "policy/document.h"
#include "policy/operation_class.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::ResultReason;

constexpr char kPolicy[] = R"(format = 1
[[domain]]
name = "default"
[domain.roles]
client = ["principal:*"]
custodian = ["principal:keeper"]
auditor = ["principal:auditor"]
[[domain.grant]]
name = "few"
to = ["principal:bob"]
operations = ["Get"]
objects = ["few-*"]
uses = 2
[[domain.grant]]
name = "slow"
to = ["principal:bob"]
operations = ["Get"]
objects = ["slow-*"]
rate = "2/60s"
[[domain.grant]]
name = "elsewhere"
to = ["principal:bob"]
operations = ["Get"]
objects = ["elsewhere-*"]
addresses = ["198.51.100.0/24"]
[[domain]]
name = "blue"
members = ["blue-*"]
[domain.roles]
custodian = ["principal:blue-keeper"]
client = ["principal:blue-app"]
)";

class AccessControlTest : public testing::Test {
 protected:
  void SetUp() override { Enforce(); }
  void Enforce() {
    Result<policy::Policy> policy = policy::ParsePolicy(kPolicy, "policy");
    ASSERT_TRUE(policy) << policy.error().message;
    engine_.kms().access().Enforce(std::make_shared<policy::Policy>(*std::move(policy)));
  }
  std::string NewKey(const std::string& name) {
    return engine_.AddAesKey(Bytes(32, 1), {Attribute::OfName(name)}, "alice");
  }
  ItemForTest GetAs(const std::string& who, const std::string& id, bool administrator = false) {
    return engine_.Do(kmip::GetRequest{.id = kmip::Identifier(id)}, kmip::kVersion2_1, who,
                      administrator);
  }
  // How many the principal is told of, and how many there are in all.
  std::pair<std::size_t, int> CountAs(const std::string& who, bool administrator = false) {
    kmip::LocateRequest request;
    request.offset_items = 0;
    const ItemForTest item = engine_.Do(request, kmip::kVersion2_1, who, administrator);
    EXPECT_TRUE(item.success) << item.message;
    ttlv::Reader in = item.in();
    const auto response = kmip::LocateResponse::Decode(in, kmip::kVersion2_1);
    EXPECT_TRUE(response);
    return {response->ids.size(), response->located_items.value_or(-1)};
  }

  EngineForTest engine_;
};

TEST_F(AccessControlTest, AnObjectOfAnotherDomainIsAsIfItWereNotThere) {
  const std::string id = NewKey("key");
  for (const char* who : {"blue-app", "blue-keeper", "blue-nobody"}) {
    for (const bool administrator : {false, true}) {
      const ItemForTest there = GetAs(who, id, administrator);
      const ItemForTest not_there = GetAs(who, "no-such-id", administrator);
      EXPECT_FALSE(there.success);
      EXPECT_EQ(there.reason, ResultReason::kObjectNotFound);
      EXPECT_EQ(there.reason, not_there.reason);
      EXPECT_EQ(there.message, not_there.message);
      EXPECT_EQ(CountAs(who, administrator), (std::pair<std::size_t, int>{0, 0}));
    }
  }
  EXPECT_EQ(CountAs("keeper"), (std::pair<std::size_t, int>{1, 1}));
  EXPECT_EQ(CountAs("auditor"), (std::pair<std::size_t, int>{1, 1}));
  EXPECT_EQ(CountAs("root", true), (std::pair<std::size_t, int>{1, 1}));
  EXPECT_EQ(CountAs("bob"), (std::pair<std::size_t, int>{0, 0}));
}

TEST_F(AccessControlTest, AnObjectThatIsNobodyElsesBusinessIsHiddenInItsOwnDomainToo) {
  const std::string id = NewKey("key");
  EXPECT_EQ(GetAs("bob", id).reason, ResultReason::kObjectNotFound);
  EXPECT_EQ(GetAs("keeper", id).reason, ResultReason::kPermissionDenied) << "whom it is no secret";
  EXPECT_TRUE(GetAs("alice", id).success);
}

// States and usage masks stand on top of the policy: they take away, never give, and tell nobody
// of an object who may not see it.
TEST_F(AccessControlTest, AStateChangesNothingForWhomThePolicyDenies) {
  const std::string id = engine_.Must<kmip::CreateResponse>(CreateAesForTest()).id;
  const auto by_alice = [&](const auto& request) {
    const ItemForTest item = engine_.Do(request);
    EXPECT_TRUE(item.success) << item.message;
  };
  const auto check = [&](const char* state, bool usable) {
    SCOPED_TRACE(state);
    EXPECT_EQ(GetAs("alice", id).success, usable);
    EXPECT_EQ(GetAs("keeper", id).reason, ResultReason::kPermissionDenied);
    for (const char* who : {"auditor", "root"}) {
      EXPECT_EQ(GetAs(who, id, who == std::string("root")).reason, ResultReason::kPermissionDenied);
    }
    for (const char* who : {"bob", "blue-app", "blue-keeper"}) {
      EXPECT_EQ(GetAs(who, id).reason, ResultReason::kObjectNotFound) << who;
    }
  };
  check("Pre-Active", true);
  by_alice(kmip::ActivateRequest{.id = kmip::Identifier(id)});
  check("Active", true);
  by_alice(kmip::RevokeRequest{.id = kmip::Identifier(id)});
  check("Deactivated", true);
  by_alice(kmip::DestroyRequest{.id = kmip::Identifier(id)});
  check("Destroyed", false);
}

TEST_F(AccessControlTest, UsesAreCountedOverARestartAndByTheGrantsName) {
  const std::string id = NewKey("few-1");
  EXPECT_EQ(CountAs("bob"), (std::pair<std::size_t, int>{1, 1})) << "a look is not a use";
  EXPECT_TRUE(GetAs("bob", id).success);
  engine_.Restart();
  Enforce();
  EXPECT_TRUE(GetAs("bob", id).success);
  EXPECT_EQ(GetAs("bob", id).reason, ResultReason::kPermissionDenied);
  Enforce();
  EXPECT_EQ(GetAs("bob", id).reason, ResultReason::kPermissionDenied);
  EXPECT_NE(engine_.AuditLines().back().find("grant default/few: its uses are used up"),
            std::string::npos)
      << engine_.AuditLines().back();
  EXPECT_EQ(CountAs("bob"), (std::pair<std::size_t, int>{1, 1}));
}

TEST_F(AccessControlTest, WhatWasNotDoneIsNotCounted) {
  const std::string id = NewKey("few-1");
  const kmip::GetRequest wrong{.id = kmip::Identifier(id), .format = kmip::KeyFormatType::kX_509};
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(engine_.Do(wrong, kmip::kVersion2_1, "bob").success);
  }
  EXPECT_TRUE(GetAs("bob", id).success);
  EXPECT_TRUE(GetAs("bob", id).success);
  EXPECT_FALSE(GetAs("bob", id).success);
}

TEST_F(AccessControlTest, AnEditedCountIsRefused) {
  const std::string id = NewKey("few-1");
  EXPECT_TRUE(GetAs("bob", id).success);
  const auto edit = [&](store::Transaction& transaction) -> Result<void> {
    const std::string key = "rules/policy-uses/grant default/few";
    Bytes kept = TRY(transaction.GetMeta(key));
    kept.back() ^= 1;
    return transaction.PutMeta(key, kept);
  };
  auto transaction = *engine_.store().Begin();
  ASSERT_TRUE(edit(*transaction));
  ASSERT_TRUE(transaction->Commit());
  EXPECT_FALSE(GetAs("bob", id).success);
}

TEST_F(AccessControlTest, ARateHoldsForItsPeriod) {
  const std::string id = NewKey("slow-1");
  EXPECT_TRUE(GetAs("bob", id).success);
  EXPECT_TRUE(GetAs("bob", id).success);
  EXPECT_FALSE(GetAs("bob", id).success);
  engine_.clock().Advance(59);
  EXPECT_FALSE(GetAs("bob", id).success);
  engine_.clock().Advance(1);
  EXPECT_TRUE(GetAs("bob", id).success);
}

TEST_F(AccessControlTest, AConditionOnTheAddressLooksAtTheConnection) {
  EXPECT_EQ(GetAs("bob", NewKey("elsewhere-1")).reason, ResultReason::kObjectNotFound);
  EXPECT_NE(engine_.AuditLines().back().find("grant default/elsewhere: not from this address"),
            std::string::npos);
}

TEST_F(AccessControlTest, AKeyThatACustodianReplacesStaysItsOwners) {
  const std::string id = NewKey("key");
  const ItemForTest item =
      engine_.Do(kmip::ReKeyRequest{.id = kmip::Identifier(id)}, kmip::kVersion2_1, "keeper");
  ASSERT_TRUE(item.success) << item.message;
  ttlv::Reader in = item.in();
  const std::string replacement = kmip::ReKeyResponse::Decode(in, kmip::kVersion2_1)->id;
  EXPECT_EQ(GetAs("keeper", replacement).reason, ResultReason::kPermissionDenied);
  EXPECT_TRUE(GetAs("alice", replacement).success);
}

TEST_F(AccessControlTest, APolicyThatCannotBeReadAllowsNothingToAnybody) {
  const std::string id = NewKey("key");
  engine_.kms().access().Enforce(std::make_shared<policy::Policy>(policy::Policy::Closed()));
  EXPECT_FALSE(GetAs("alice", id).success);
  EXPECT_FALSE(engine_.Do(CreateAesForTest(), kmip::kVersion2_1, "alice").success);
  EXPECT_FALSE(engine_.Do(kmip::QueryRequest{}, kmip::kVersion2_1, "root", true).success);
  engine_.kms().access().Enforce(nullptr);
  EXPECT_TRUE(GetAs("alice", id).success);
}

TEST(OperationTable, HasNoOperationWithoutARule) {
  for (const OperationHandler& handler : OperationHandlers()) {
    EXPECT_NE(policy::ClassOf(handler.operation), policy::OperationClass::kUnknown)
        << static_cast<std::uint32_t>(handler.operation);
  }
}

// Whatever an operation is asked, with a policy that allows nothing it is not done.
TEST(OperationTable, HasNoOperationThatIsDoneWithoutADecision) {
  EngineForTest engine;
  engine.kms().access().Enforce(std::make_shared<policy::Policy>(policy::Policy::Closed()));
  for (const OperationHandler& handler : OperationHandlers()) {
    const ItemForTest item = engine.DoEncoded(handler.operation, {}, kmip::kVersion2_1);
    EXPECT_FALSE(item.success) << static_cast<std::uint32_t>(handler.operation);
  }
}

}  // namespace
}  // namespace dare::engine

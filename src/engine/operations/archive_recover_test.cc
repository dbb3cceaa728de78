#include <gtest/gtest.h>

#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/archive.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/locate.h"
#include "kmip/payloads/obtain_lease.h"
#include "kmip/payloads/recover.h"
#include "kmip/payloads/revoke.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Identifier;
using kmip::ResultReason;
using kmip::Tag;
using Ids = std::vector<std::string>;

class Archiving : public testing::Test {
 protected:
  ItemForTest Archive(const std::string& principal = "alice", bool administrator = false) {
    return engine_.Do(kmip::ArchiveRequest{.id = Identifier(id_)}, kmip::kVersion2_1, principal,
                      administrator);
  }
  ItemForTest Recover(const std::string& principal = "alice", bool administrator = false) {
    return engine_.Do(kmip::RecoverRequest{.id = Identifier(id_)}, kmip::kVersion2_1, principal,
                      administrator);
  }
  ResultReason GetReason() {
    kmip::GetRequest request;
    request.id = Identifier(id_);
    return engine_.Do(request).reason;
  }
  Ids Locate(std::optional<std::int32_t> storage) {
    kmip::LocateRequest request;
    request.storage_status_mask = storage;
    return engine_.Must<kmip::LocateResponse>(request).ids;
  }

  EngineForTest engine_;
  const std::string id_ = NewKeyForTest(engine_);
};

TEST_F(Archiving, WhatIsArchivedIsOutOfReachUntilItIsRecovered) {
  ASSERT_TRUE(Archive().success);
  EXPECT_EQ(GetReason(), ResultReason::kObjectArchived);
  EXPECT_TRUE(ReadForTest(engine_, id_).Has(Tag::kArchiveDate)) << "attributes stay on line";
  EXPECT_EQ(engine_.Do(kmip::DestroyRequest{.id = Identifier(id_)}).reason,
            ResultReason::kObjectArchived);
  EXPECT_EQ(Archive().reason, ResultReason::kObjectArchived);
  ASSERT_TRUE(Recover().success);
  EXPECT_FALSE(ReadForTest(engine_, id_).Has(Tag::kArchiveDate));
  EXPECT_EQ(GetReason(), ResultReason{});
}

TEST_F(Archiving, SurvivesARestart) {
  ASSERT_TRUE(Archive().success);
  engine_.Restart();
  EXPECT_EQ(GetReason(), ResultReason::kObjectArchived);
}

TEST_F(Archiving, LocateFindsWhatIsArchivedOnlyWhereItIsAskedFor) {
  const auto on_line = static_cast<std::int32_t>(kmip::StorageStatusMask::kOnLineStorage);
  const auto archival = static_cast<std::int32_t>(kmip::StorageStatusMask::kArchivalStorage);
  ASSERT_TRUE(Archive().success);
  EXPECT_EQ(Locate({}), Ids{});
  EXPECT_EQ(Locate(on_line), Ids{});
  EXPECT_EQ(Locate(archival), Ids{id_});
  EXPECT_EQ(Locate(archival | on_line), Ids{id_});
  ASSERT_TRUE(Recover().success);
  EXPECT_EQ(Locate(archival), Ids{});
  EXPECT_EQ(Locate({}), Ids{id_});
}

TEST_F(Archiving, AnAdministratorMayAndAStrangerMayNot) {
  EXPECT_EQ(Archive("mallory").reason, ResultReason::kPermissionDenied);
  EXPECT_TRUE(Archive("root", true).success);
  EXPECT_EQ(Recover("mallory").reason, ResultReason::kPermissionDenied);
  EXPECT_TRUE(Recover("root", true).success);
}

TEST_F(Archiving, RecoveringWhatIsOnLineChangesNothing) {
  EXPECT_TRUE(Recover().success);
  EXPECT_EQ(GetReason(), ResultReason{});
}

TEST(ObtainLease, TellsTheLeaseAndTheLastChange) {
  EngineForTest engine;
  const std::string id = NewKeyForTest(engine);
  const std::int64_t made = engine.clock().Now();
  engine.clock().Advance(10);
  const auto lease =
      engine.Must<kmip::ObtainLeaseResponse>(kmip::ObtainLeaseRequest{.id = Identifier(id)});
  EXPECT_EQ(lease.id, id);
  EXPECT_EQ(lease.lease_time, 3600u);
  EXPECT_EQ(lease.last_change, made);
}

TEST(ObtainLease, IsRefusedForWhatIsCompromisedDestroyedOrAnothers) {
  EngineForTest engine;
  const std::string id = NewKeyForTest(engine);
  const kmip::ObtainLeaseRequest request{.id = Identifier(id)};
  EXPECT_EQ(engine.Do(request, kmip::kVersion1_2, "mallory").reason,
            ResultReason::kPermissionDenied);
  kmip::RevokeRequest revoke;
  revoke.id = Identifier(id);
  revoke.reason = kmip::RevocationReasonCode::kKeyCompromise;
  ASSERT_TRUE(engine.Do(revoke).success);
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kPermissionDenied);
  ASSERT_TRUE(engine.Do(kmip::DestroyRequest{.id = Identifier(id)}).success);
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kObjectDestroyed);
  EXPECT_EQ(engine.Do(request, kmip::kVersion1_2).reason, ResultReason::kPermissionDenied);
}

}  // namespace
}  // namespace dare::engine

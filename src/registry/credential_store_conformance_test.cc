// One suite over both back ends of CredentialStore.
#include <gtest/gtest.h>

#include "base/eventually_for_test.h"
#include "registry/back_ends_for_test.h"
#include "server/pki_for_test.h"
#include "server/sqlite_credential_store.h"

namespace dare::registry {
namespace {

class CredentialStoreConformance : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    shared_ = SharedDatabaseForTest::Of(GetParam());
    if (shared_ != nullptr && !shared_->ready()) GTEST_SKIP() << shared_->why_not();
  }
  std::shared_ptr<server::CredentialStore> Open() {
    if (shared_ != nullptr) return shared_->OpenCredentials(clock_);
    return std::move(*server::SqliteCredentialStore::Open(pki_.folder() + "/c.db", clock_));
  }

  ManualClockForTest clock_;
  server::PkiForTest pki_{clock_};
  std::shared_ptr<SharedDatabaseForTest> shared_;
};

TEST_P(CredentialStoreConformance, KeepsWhatItWasGiven) {
  ASSERT_TRUE(Open()->Put({"Fred", "fred", {"tape", "backup"}, {1, 2, 3}}));
  const auto found = Open()->Find("Fred");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->login, "Fred");
  EXPECT_EQ((*found)->principal, "fred");
  EXPECT_EQ((*found)->groups, (std::vector<std::string>{"tape", "backup"}));
  EXPECT_EQ((*found)->verifier, (Bytes{1, 2, 3}));
  EXPECT_EQ((*found)->added, clock_.Now());
  EXPECT_FALSE(*Open()->Find("fred")) << "byte by byte";
}

TEST_P(CredentialStoreConformance, TellsOfChangesByOthers) {
  const auto server = Open();
  const std::uint64_t before = server->Generation();
  ASSERT_TRUE(Open()->Put({"Fred", "fred", {}, {1}}));
  EXPECT_TRUE(EventuallyForTest([&] { return server->Generation() != before; }));
  const std::uint64_t between = server->Generation();
  ASSERT_TRUE(server->Put({"Fred", "fred", {}, {2}}));
  EXPECT_NE(server->Generation(), between);
  ASSERT_TRUE(server->Put({"Freda", "freda", {}, {2}}));
  EXPECT_EQ(server->List()->size(), 2u);
  EXPECT_EQ(server->List()->front().verifier, Bytes{2});
  EXPECT_FALSE(*server->Remove("Fre"));
  EXPECT_TRUE(*server->Remove("Fred"));
  EXPECT_FALSE(*server->Remove("Fred"));
  EXPECT_FALSE(*Open()->Find("Fred"));
}

TEST_P(CredentialStoreConformance, TakesInOnlyWhatItDoesNotHave) {
  const auto server = Open();
  ASSERT_TRUE(server->Put({"Fred", "fred", {}, {1}}));
  ASSERT_TRUE(server->Import({{"Fred", "mallory", {}, {9}, 5}, {"Eve", "eve", {"g"}, {2}, 5}}));
  EXPECT_EQ((*server->Find("Fred"))->principal, "fred");
  EXPECT_EQ((*server->Find("Eve"))->added, 5);
}

TEST_P(CredentialStoreConformance, RefusesWhatIsNoName) {
  const auto store = Open();
  EXPECT_FALSE(store->Put({"", "fred", {}, {1}}));
  EXPECT_FALSE(store->Put({"Fred", "", {}, {1}}));
  EXPECT_FALSE(store->Put({"Fr\ned", "fred", {}, {1}}));
  EXPECT_FALSE(store->Put({"Fred", "fred", {"a\nb"}, {1}}));
}

INSTANTIATE_TEST_SUITE_P(BackEnds, CredentialStoreConformance,
                         testing::Values("SqliteFile", "SharedMemory", "SharedPostgres"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dare::registry

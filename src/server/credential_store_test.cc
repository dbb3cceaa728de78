#include "server/credential_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "server/pki_for_test.h"

namespace dare::server {
namespace {

class CredentialStoreTest : public testing::Test {
 protected:
  std::unique_ptr<CredentialStore> Open() {
    return std::move(*CredentialStore::Open(path_, clock_));
  }

  ManualClockForTest clock_;
  PkiForTest pki_{clock_};
  std::string path_ = pki_.folder() + "/credentials.db";
};

TEST_F(CredentialStoreTest, KeepsWhatItWasGivenInAPrivateFile) {
  const auto store = Open();
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_TRUE(store->Put({"Fred", "fred", {"tape", "backup"}, {1, 2, 3}}));
  const auto found = Open()->Find("Fred");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->principal, "fred");
  EXPECT_EQ((*found)->groups, (std::vector<std::string>{"tape", "backup"}));
  EXPECT_EQ((*found)->verifier, (Bytes{1, 2, 3}));
  EXPECT_EQ((*found)->added, clock_.Now());
  EXPECT_FALSE(*Open()->Find("fred")) << "byte by byte";
}

TEST_F(CredentialStoreTest, TellsOfChangesOfOtherProcesses) {
  const auto server = Open();
  const std::uint64_t before = server->Generation();
  EXPECT_EQ(server->Generation(), before);
  ASSERT_TRUE(Open()->Put({"Fred", "fred", {}, {1}}));
  EXPECT_NE(server->Generation(), before);
  const std::uint64_t between = server->Generation();
  ASSERT_TRUE(server->Put({"Fred", "fred", {}, {2}}));
  EXPECT_NE(server->Generation(), between);
  EXPECT_EQ(server->List()->size(), 1u);
  EXPECT_TRUE(*server->Remove("Fred"));
  EXPECT_FALSE(*server->Remove("Fred"));
}

TEST_F(CredentialStoreTest, RefusesWhatIsNoName) {
  const auto store = Open();
  EXPECT_FALSE(store->Put({"", "fred", {}, {1}}));
  EXPECT_FALSE(store->Put({"Fred", "", {}, {1}}));
  EXPECT_FALSE(store->Put({"Fr\ned", "fred", {}, {1}}));
  EXPECT_FALSE(store->Put({"Fred", "fred", {"a\nb"}, {1}}));
}

}  // namespace
}  // namespace dare::server

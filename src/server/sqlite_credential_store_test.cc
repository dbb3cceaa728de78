#include "server/sqlite_credential_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "server/pki_for_test.h"

namespace dare::server {
namespace {

// What every back end does is in src/registry/credential_store_conformance_test.cc.
TEST(SqliteCredentialStore, MakesAPrivateFileAndTellsNothingNewWhereNothingIs) {
  const PkiForTest pki;
  const std::string path = pki.folder() + "/credentials.db";
  const auto store = SqliteCredentialStore::Open(path);
  ASSERT_TRUE(store);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::uint64_t before = (*store)->Generation();
  EXPECT_EQ((*store)->Generation(), before);
}

}  // namespace
}  // namespace dare::server

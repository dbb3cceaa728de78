#include "server/sqlite_enrolment_store.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/file.h"
#include "server/pki_for_test.h"

namespace dare::server {
namespace {

// What every back end does is in src/registry/enrolment_store_conformance_test.cc.
class SqliteEnrolmentStoreTest : public testing::Test {
 protected:
  SqliteEnrolmentStoreTest() : path_(pki_.folder() + "/enrolment.db"), store_(Open()) {}

  // Another process's view: its own connections to the same file.
  std::unique_ptr<EnrolmentStore> Open() {
    return std::move(*SqliteEnrolmentStore::Open(path_, clock_));
  }
  std::string Token(const std::string& name, std::int64_t uses = 1, std::int64_t seconds = 3600) {
    return *store_->AddToken({{name, {"dare-client"}}, clock_.Now() + seconds, uses});
  }
  EnrolmentStore::Issuer Issuer() {
    return [this](const Subject& subject) -> Result<Certificate> {
      return pki_.Client(subject.common_name, subject.units, 7).certificate;
    };
  }
  Certificate Enrol(const std::string& name) { return *store_->Redeem(Token(name), Issuer()); }

  ManualClockForTest clock_;
  PkiForTest pki_{clock_};
  std::string path_;
  std::unique_ptr<EnrolmentStore> store_;
};

TEST_F(SqliteEnrolmentStoreTest, MakesAPrivateFile) {
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(SqliteEnrolmentStoreTest, KeepsNoTokenOnDisk) {
  const std::string token = Token("alice");
  for (const char* suffix : {"", "-wal"}) {
    const auto content = ReadFile(path_ + suffix);
    ASSERT_TRUE(content);
    EXPECT_EQ(AsText(*content).find(token), std::string_view::npos);
    EXPECT_EQ(AsText(*content).find(AsText(*FromHex(token))), std::string_view::npos);
  }
}

TEST_F(SqliteEnrolmentStoreTest, TakesATokenFromAnotherProcess) {
  const auto other = Open();
  const auto token = other->AddToken({{"alice", {}}, clock_.Now() + 60, 1});
  EXPECT_TRUE(store_->Redeem(*token, Issuer()));
  EXPECT_FALSE(other->Redeem(*token, Issuer()));
}

TEST_F(SqliteEnrolmentStoreTest, SeesARevocationOfAnotherProcessAtOnce) {
  const Certificate certificate = Enrol("alice");
  EXPECT_FALSE(store_->IsRevoked(certificate.serial, "alice"));
  const std::uint64_t before = store_->generation();
  EXPECT_TRUE(*Open()->RevokeSerial(certificate.serial));
  EXPECT_TRUE(store_->IsRevoked(certificate.serial, "alice"));
  EXPECT_NE(store_->generation(), before);
}

TEST_F(SqliteEnrolmentStoreTest, RemembersAfterARestart) {
  const Certificate certificate = Enrol("alice");
  ASSERT_TRUE(store_->RevokeSerial(certificate.serial));
  store_.reset();
  store_ = Open();
  EXPECT_TRUE(store_->IsRevoked(certificate.serial, "alice"));
}

TEST_F(SqliteEnrolmentStoreTest, RefusesAFileThatIsNoDatabase) {
  const std::string path = pki_.folder() + "/other.db";
  ASSERT_TRUE(WriteFileDurably(path, AsBytes(std::string(8192, 'x')), 0600));
  EXPECT_FALSE(SqliteEnrolmentStore::Open(path, clock_));
}

}  // namespace
}  // namespace dare::server

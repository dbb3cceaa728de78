#include "server/enrolment_store.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/file.h"
#include "server/pki_for_test.h"

namespace dare::server {
namespace {

class EnrolmentStoreTest : public testing::Test {
 protected:
  EnrolmentStoreTest() : path_(pki_.folder() + "/enrolment.db"), store_(Open()) {}

  // Another process's view: its own connections to the same file.
  std::unique_ptr<EnrolmentStore> Open() { return std::move(*EnrolmentStore::Open(path_, clock_)); }
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

TEST_F(EnrolmentStoreTest, MakesAPrivateFile) {
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(EnrolmentStoreTest, RedeemsATokenOnceAndForTheNameItWasMadeFor) {
  const std::string token = Token("alice");
  EXPECT_EQ(token.size(), 64u);
  const auto certificate = store_->Redeem(token, Issuer());
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->subject.common_name, "alice");
  const auto again = store_->Redeem(token, Issuer());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kUnauthenticated);
}

TEST_F(EnrolmentStoreTest, RedeemsATokenAsOftenAsItSays) {
  const std::string token = Token("alice", 2);
  EXPECT_TRUE(store_->Redeem(token, Issuer()));
  EXPECT_TRUE(store_->Redeem(token, Issuer()));
  EXPECT_FALSE(store_->Redeem(token, Issuer()));
}

TEST_F(EnrolmentStoreTest, SaysTheSameOfWrongExpiredAndUsedTokens) {
  const std::string used = Token("alice");
  ASSERT_TRUE(store_->Redeem(used, Issuer()));
  const std::string old = Token("alice", 1, 10);
  clock_.Advance(10);
  const auto text = [&](const std::string& token) {
    return store_->Redeem(token, Issuer()).error().message;
  };
  EXPECT_EQ(text(used), text(old));
  EXPECT_EQ(text(used), text("0"));
  EXPECT_EQ(text(used), text(""));
}

TEST_F(EnrolmentStoreTest, DoesNotUseATokenUpWhenIssuingFails) {
  const std::string token = Token("alice");
  const auto failed = store_->Redeem(token, [](const Subject&) -> Result<Certificate> {
    return Error(Code::kUnavailable, "the HSM is away");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kUnavailable);
  EXPECT_TRUE(store_->Redeem(token, Issuer()));
}

TEST_F(EnrolmentStoreTest, KeepsNoTokenOnDisk) {
  const std::string token = Token("alice");
  for (const char* suffix : {"", "-wal"}) {
    const auto content = ReadFile(path_ + suffix);
    ASSERT_TRUE(content);
    EXPECT_EQ(AsText(*content).find(token), std::string_view::npos);
    EXPECT_EQ(AsText(*content).find(AsText(*FromHex(token))), std::string_view::npos);
  }
}

TEST_F(EnrolmentStoreTest, TakesATokenFromAnotherProcess) {
  const auto other = Open();
  const auto token = other->AddToken({{"alice", {}}, clock_.Now() + 60, 1});
  EXPECT_TRUE(store_->Redeem(*token, Issuer()));
  EXPECT_FALSE(other->Redeem(*token, Issuer()));
}

TEST_F(EnrolmentStoreTest, RefusesTokensThatCouldNeverWork) {
  EXPECT_FALSE(store_->AddToken({{"", {}}, clock_.Now() + 60, 1}));
  EXPECT_FALSE(store_->AddToken({{"alice", {}}, clock_.Now(), 1}));
  EXPECT_FALSE(store_->AddToken({{"alice", {}}, clock_.Now() + 60, 0}));
}

TEST_F(EnrolmentStoreTest, SeesARevocationOfAnotherProcessAtOnce) {
  const Certificate certificate = Enrol("alice");
  EXPECT_FALSE(store_->IsRevoked(certificate.serial, "alice"));
  const std::uint64_t before = store_->generation();
  EXPECT_TRUE(*Open()->RevokeSerial(certificate.serial));
  EXPECT_TRUE(store_->IsRevoked(certificate.serial, "alice"));
  EXPECT_NE(store_->generation(), before);
}

TEST_F(EnrolmentStoreTest, DoesNotReloadForWhatIsNoRevocation) {
  const std::uint64_t before = store_->generation();
  Enrol("alice");
  EXPECT_EQ(store_->generation(), before);
}

TEST_F(EnrolmentStoreTest, ReadsSerialsAsPeopleWriteThem) {
  EXPECT_TRUE(*store_->RevokeSerial("0x00AB:CD"));
  EXPECT_TRUE(store_->IsRevoked("abcd", "anybody"));
  EXPECT_FALSE(*store_->RevokeSerial("ab:cd")) << "was revoked already";
  EXPECT_FALSE(store_->RevokeSerial("alice").has_value());
  EXPECT_FALSE(store_->RevokeSerial("").has_value());
}

TEST_F(EnrolmentStoreTest, RevokesANameUntilItEnrolsAgain) {
  const Certificate first = Enrol("alice");
  const Certificate bob = Enrol("bob");
  const std::string open_token = Token("alice");
  EXPECT_EQ(*store_->RevokeName("alice"), 1u);
  EXPECT_TRUE(store_->IsRevoked(first.serial, "alice"));
  EXPECT_TRUE(store_->IsRevoked("1234", "alice")) << "one of another authority";
  EXPECT_FALSE(store_->IsRevoked(bob.serial, "bob"));
  EXPECT_FALSE(store_->Redeem(open_token, Issuer())) << "its tokens are gone too";
  const Certificate second = Enrol("alice");
  EXPECT_FALSE(store_->IsRevoked(second.serial, "alice"));
  EXPECT_TRUE(store_->IsRevoked(first.serial, "alice"));
}

TEST_F(EnrolmentStoreTest, RenewsOnlyWhatIsGood) {
  const Certificate first = Enrol("alice");
  const auto second = store_->Renew(first.serial, first.fingerprint, Issuer());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->subject.common_name, "alice");
  EXPECT_FALSE(store_->Renew(first.serial, second->fingerprint, Issuer()))
      << "the serial of another authority's certificate";
  ASSERT_TRUE(store_->RevokeSerial(first.serial));
  EXPECT_EQ(store_->Renew(first.serial, first.fingerprint, Issuer()).error().code,
            Code::kUnauthenticated);
  EXPECT_FALSE(store_->Renew("1234", first.fingerprint, Issuer()));
  clock_.Advance(8 * 86400);
  EXPECT_FALSE(store_->Renew(second->serial, second->fingerprint, Issuer()));
}

TEST_F(EnrolmentStoreTest, ListsWhatItIssued) {
  const Certificate alice = Enrol("alice");
  clock_.Advance(1);
  const Certificate bob = Enrol("bob");
  ASSERT_TRUE(store_->RevokeSerial(alice.serial));
  const auto list = store_->Certificates();
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].subject.common_name, "alice");
  EXPECT_EQ((*list)[0].revoked, clock_.Now());
  EXPECT_EQ((*list)[1].serial, bob.serial);
  EXPECT_EQ((*list)[1].revoked, 0);
  EXPECT_THAT((*list)[1].subject.units, testing::ElementsAre("dare-client"));
  const auto found = store_->Find(bob.serial);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->fingerprint, bob.fingerprint);
  EXPECT_EQ(store_->Find("1234").error().code, Code::kNotFound);
}

TEST_F(EnrolmentStoreTest, RemembersAfterARestart) {
  const Certificate certificate = Enrol("alice");
  ASSERT_TRUE(store_->RevokeSerial(certificate.serial));
  store_.reset();
  store_ = Open();
  EXPECT_TRUE(store_->IsRevoked(certificate.serial, "alice"));
}

TEST_F(EnrolmentStoreTest, RefusesAFileThatIsNoDatabase) {
  const std::string path = pki_.folder() + "/other.db";
  ASSERT_TRUE(WriteFileDurably(path, AsBytes(std::string(8192, 'x')), 0600));
  EXPECT_FALSE(EnrolmentStore::Open(path, clock_));
}

}  // namespace
}  // namespace dare::server

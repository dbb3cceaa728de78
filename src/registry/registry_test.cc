// What whoever can write to the database can do, and what a node without it does.
#include "registry/registry.h"

#include <gtest/gtest.h>

#include "registry/back_ends_for_test.h"
#include "server/pki_for_test.h"

namespace dare::registry {
namespace {

class RegistryTest : public testing::Test {
 protected:
  std::shared_ptr<SharedDatabaseForTest::Node> Node() { return *database_->Open(clock_, false); }
  server::EnrolmentStore& enrolment() { return node_->registry->enrolment(); }
  store::ObjectStore& store() { return node_->store(); }
  server::Certificate Enrol(const std::string& name) {
    const std::string token = *enrolment().AddToken({{name, {}}, clock_.Now() + 60, 1});
    return *enrolment().Redeem(token, Issuer());
  }
  server::EnrolmentStore::Issuer Issuer() {
    return [this](const server::Subject& subject) -> Result<server::Certificate> {
      return pki_.Client(subject.common_name, subject.units, 7).certificate;
    };
  }
  void PutFact(const std::string& key, ByteView value) {
    auto transaction = store().Begin();
    ASSERT_TRUE((*transaction)->PutMeta(key, value));
    ASSERT_TRUE((*transaction)->Commit());
  }
  void RemoveFact(const std::string& key) {
    auto transaction = store().Begin();
    ASSERT_TRUE((*transaction)->RemoveMeta(key));
    ASSERT_TRUE((*transaction)->Commit());
  }
  // The only row whose key starts so.
  std::string OnlyRow(const std::string& prefix) {
    const auto keys = *store().ListMeta(prefix);
    EXPECT_EQ(keys.size(), 1u);
    return keys.front();
  }

  ManualClockForTest clock_;
  server::PkiForTest pki_{clock_};
  std::shared_ptr<SharedDatabaseForTest> database_ = SharedDatabaseForTest::Of("SharedMemory");
  std::shared_ptr<SharedDatabaseForTest::Node> node_ = Node();
};

TEST_F(RegistryTest, AForgedOrCopiedTokenIsNoToken) {
  const std::string token = *enrolment().AddToken({{"alice", {}}, clock_.Now() + 60, 1});
  const std::string row = OnlyRow("table/enrolment/token/");
  const Bytes good = *store().GetMeta(row);
  Bytes more_uses = good;
  more_uses.back() = 100;
  PutFact(row, more_uses);
  EXPECT_EQ(enrolment().Redeem(token, Issuer()).error().code, Code::kUnauthenticated);
  PutFact(row, good);
  const std::string mine = "0123";
  PutFact("table/enrolment/token/" + ToHex(server::HashToken(mine)), good);
  EXPECT_EQ(enrolment().Redeem(mine, Issuer()).error().code, Code::kUnauthenticated);
  EXPECT_TRUE(enrolment().Redeem(token, Issuer()));
}

TEST_F(RegistryTest, AForgedCredentialIsRefused) {
  server::CredentialStore& credentials = node_->registry->credentials();
  ASSERT_TRUE(credentials.Put({"Fred", "fred", {}, {1, 2, 3}}));
  PutFact("table/credentials/login/Mallory", *store().GetMeta("table/credentials/login/Fred"));
  EXPECT_EQ(credentials.Find("Mallory").error().code, Code::kDamaged);
  EXPECT_TRUE(*credentials.Remove("Mallory")) << "and can be removed";
  EXPECT_TRUE(*credentials.Find("Fred"));
}

TEST_F(RegistryTest, ARemovedRevocationStaysKnownAndIsNoticedByWhoStarts) {
  const server::Certificate alice = Enrol("alice");
  ASSERT_TRUE(enrolment().RevokeSerial(alice.serial));
  ASSERT_TRUE(enrolment().RevokeSerial("abcd"));
  const auto keys = *store().ListMeta("table/revocations/");
  ASSERT_EQ(keys.size(), 2u);
  const Bytes removed = *store().GetMeta(keys[0]);
  RemoveFact(keys[0]);
  EXPECT_TRUE(enrolment().IsRevoked(alice.serial, "alice"));
  EXPECT_EQ(database_->Open(clock_).error().code, Code::kDamaged);
  PutFact(keys[0], *store().GetMeta(keys[1]));
  EXPECT_EQ(database_->Open(clock_).error().code, Code::kDamaged) << "another in its place";
  PutFact(keys[0], removed);
  EXPECT_TRUE(database_->Open(clock_));
}

TEST_F(RegistryTest, ALogPutBackRefusesEverybodyWhenTheAnswerIsTooOld) {
  const server::Certificate bob = Enrol("bob");
  ASSERT_TRUE(enrolment().RevokeSerial("abcd"));
  const Bytes before = *store().GetMeta("table-sum/revocations");
  ASSERT_TRUE(enrolment().RevokeSerial("ef01"));
  PutFact("table-sum/revocations", before);
  RemoveFact(store().ListMeta("table/revocations/")->back());
  EXPECT_FALSE(enrolment().Certificates()) << "the log went back";
  EXPECT_TRUE(enrolment().IsRevoked("ef01", "mallory")) << "what was read is not forgotten";
  EXPECT_FALSE(enrolment().IsRevoked(bob.serial, "bob"));
  const std::uint64_t generation = enrolment().generation();
  clock_.Advance(11);
  EXPECT_TRUE(enrolment().IsRevoked(bob.serial, "bob"));
  EXPECT_NE(enrolment().generation(), generation) << "open connections are looked at again";
}

TEST_F(RegistryTest, RefusesEverybodyWhenNothingWasHeardForLongerThanThePatience) {
  const server::Certificate bob = Enrol("bob");
  clock_.Advance(10);
  EXPECT_FALSE(enrolment().IsRevoked(bob.serial, "bob"));
  const std::uint64_t generation = enrolment().generation();
  clock_.Advance(1);
  EXPECT_TRUE(enrolment().IsRevoked(bob.serial, "bob"));
  EXPECT_FALSE(enrolment().IsKnown()) << "bob is not told that he was revoked";
  EXPECT_NE(enrolment().generation(), generation);
  ASSERT_TRUE(enrolment().Certificates());
  EXPECT_TRUE(enrolment().IsKnown());
  EXPECT_FALSE(enrolment().IsRevoked(bob.serial, "bob"));
  EXPECT_EQ(enrolment().generation(), generation);
}

TEST_F(RegistryTest, ANameRevokedElsewhereIsKnownToWhoIssues) {
  const auto other = Node();
  const server::Certificate first = Enrol("alice");
  ASSERT_TRUE(other->registry->enrolment().RevokeName("alice"));
  const server::Certificate second = Enrol("alice");  // this node has not looked since
  EXPECT_TRUE(enrolment().IsRevoked(first.serial, "alice"));
  EXPECT_FALSE(enrolment().IsRevoked(second.serial, "alice"));
  ASSERT_TRUE(other->registry->enrolment().Certificates());
  EXPECT_FALSE(other->registry->enrolment().IsRevoked(second.serial, "alice"));
}

TEST_F(RegistryTest, KeepsNoTokenInTheDatabase) {
  const std::string token = *enrolment().AddToken({{"alice", {}}, clock_.Now() + 60, 1});
  const auto keys = *store().ListMeta("");
  for (const std::string& key : keys) {
    EXPECT_EQ(key.find(token), std::string::npos);
    EXPECT_EQ(std::string(AsText(*store().GetMeta(key))).find(AsText(*FromHex(token))),
              std::string::npos);
  }
}

TEST_F(RegistryTest, ClearsExpiredTokensAway) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(enrolment().AddToken({{"alice", {}}, clock_.Now() + 10, 1}));
  }
  clock_.Advance(10);
  ASSERT_TRUE(enrolment().AddToken({{"alice", {}}, clock_.Now() + 10, 1}));
  EXPECT_EQ(store().ListMeta("table/enrolment/token/")->size(), 1u);
}

}  // namespace
}  // namespace dare::registry

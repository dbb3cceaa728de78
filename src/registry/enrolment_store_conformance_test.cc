// One suite over both back ends of EnrolmentStore.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "base/eventually_for_test.h"
#include "registry/back_ends_for_test.h"
#include "server/pki_for_test.h"
#include "server/sqlite_enrolment_store.h"

namespace dare::registry {
namespace {

using server::Certificate;
using server::EnrolmentStore;
using server::Subject;

class EnrolmentStoreConformance : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    shared_ = SharedDatabaseForTest::Of(GetParam());
    if (shared_ != nullptr && !shared_->ready()) GTEST_SKIP() << shared_->why_not();
    store_ = Open();
  }
  // Another process's or node's view of the same.
  std::shared_ptr<EnrolmentStore> Open() {
    if (shared_ == nullptr) {
      return std::move(*server::SqliteEnrolmentStore::Open(pki_.folder() + "/e.db", clock_));
    }
    return shared_->OpenEnrolment(clock_);
  }
  std::shared_ptr<EnrolmentStore> OpenEmpty() {
    return std::move(*server::SqliteEnrolmentStore::Open(pki_.folder() + "/other.db", clock_));
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
  static Result<Certificate> Renew(EnrolmentStore& store, const Certificate& old,
                                   const EnrolmentStore::Issuer& issue) {
    return store.Renew(old.serial, old.subject.common_name, old.fingerprint, issue);
  }
  static bool IsRevoked(const EnrolmentStore& store, const Certificate& certificate) {
    return store.IsRevoked(certificate.serial, certificate.subject.common_name);
  }

  ManualClockForTest clock_;
  server::PkiForTest pki_{clock_};
  std::shared_ptr<SharedDatabaseForTest> shared_;
  std::shared_ptr<EnrolmentStore> store_;
};

TEST_P(EnrolmentStoreConformance, RedeemsATokenOnceAndForTheNameItWasMadeFor) {
  const std::string token = Token("alice");
  EXPECT_EQ(token.size(), 64u);
  EXPECT_EQ(store_->CheckToken(token)->common_name, "alice");
  const auto certificate = store_->Redeem(token, Issuer());
  ASSERT_TRUE(certificate) << certificate.error().message;
  EXPECT_EQ(certificate->subject.common_name, "alice");
  const auto again = store_->Redeem(token, Issuer());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kUnauthenticated);
  EXPECT_FALSE(store_->CheckToken(token));
}

TEST_P(EnrolmentStoreConformance, RedeemsATokenAsOftenAsItSaysWhereverItIsShown) {
  const std::string token = Token("alice", 2);
  const auto other = Open();
  EXPECT_TRUE(store_->Redeem(token, Issuer()));
  EXPECT_TRUE(other->Redeem(token, Issuer()));
  EXPECT_FALSE(store_->Redeem(token, Issuer()));
  EXPECT_FALSE(other->Redeem(token, Issuer()));
}

TEST_P(EnrolmentStoreConformance, GivesOneOfManyThatCameAtOnceTheLastUse) {
  const std::vector<std::shared_ptr<EnrolmentStore>> nodes = {Open(), Open(), Open()};
  Mutex issuing;  // the test's authority is for one thread
  const auto issue = [&](const Subject& subject) -> Result<Certificate> {
    const MutexLock lock(issuing);
    return pki_.Client(subject.common_name, subject.units, 7).certificate;
  };
  for (int round = 0; round < 5; ++round) {
    const std::string token = Token("alice", 2);
    std::atomic<int> given = 0, refused = 0, failed = 0;
    {
      std::vector<std::jthread> clients;
      for (int i = 0; i < 6; ++i) {
        clients.emplace_back([&, i] {
          const auto got = nodes[static_cast<std::size_t>(i) % nodes.size()]->Redeem(token, issue);
          const bool no = !got && got.error().code == Code::kUnauthenticated;
          ++(got ? given : no ? refused : failed);
        });
      }
    }
    EXPECT_EQ(given, 2);
    EXPECT_EQ(refused, 4);
    EXPECT_EQ(failed, 0);
  }
  EXPECT_EQ(store_->Certificates()->size(), 10u) << "what was not given out is not recorded";
}

TEST_P(EnrolmentStoreConformance, SaysTheSameOfWrongExpiredAndUsedTokens) {
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

TEST_P(EnrolmentStoreConformance, DoesNotUseATokenUpWhenIssuingFails) {
  const std::string token = Token("alice");
  const auto failed = store_->Redeem(token, [](const Subject&) -> Result<Certificate> {
    return Error(Code::kUnavailable, "the HSM is away");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kUnavailable);
  EXPECT_TRUE(store_->Redeem(token, Issuer()));
}

TEST_P(EnrolmentStoreConformance, RefusesTokensThatCouldNeverWork) {
  EXPECT_FALSE(store_->AddToken({{"", {}}, clock_.Now() + 60, 1}));
  EXPECT_FALSE(store_->AddToken({{"alice", {}}, clock_.Now(), 1}));
  EXPECT_FALSE(store_->AddToken({{"alice", {}}, clock_.Now() + 60, 0}));
}

TEST_P(EnrolmentStoreConformance, HearsOfARevocationByAnother) {
  const Certificate certificate = Enrol("alice");
  EXPECT_FALSE(IsRevoked(*store_, certificate));
  const std::uint64_t before = store_->generation();
  EXPECT_TRUE(*Open()->RevokeSerial(certificate.serial));
  EXPECT_TRUE(EventuallyForTest([&] { return IsRevoked(*store_, certificate); }));
  EXPECT_NE(store_->generation(), before);
}

TEST_P(EnrolmentStoreConformance, DoesNotCallAgainWhereNothingWasRevoked) {
  const std::uint64_t before = store_->generation();
  Enrol("alice");
  EXPECT_EQ(store_->generation(), before);
}

TEST_P(EnrolmentStoreConformance, ReadsSerialsAsPeopleWriteThem) {
  EXPECT_TRUE(*store_->RevokeSerial("0x00AB:CD"));
  EXPECT_TRUE(store_->IsRevoked("abcd", "anybody"));
  EXPECT_FALSE(*store_->RevokeSerial("ab:cd")) << "was revoked already";
  EXPECT_FALSE(store_->RevokeSerial("alice").has_value());
  EXPECT_FALSE(store_->RevokeSerial("").has_value());
}

TEST_P(EnrolmentStoreConformance, RevokesANameUntilItEnrolsAgain) {
  const Certificate first = Enrol("alice");
  const Certificate bob = Enrol("bob");
  const std::string open_token = Token("alice");
  EXPECT_EQ(*store_->RevokeName("alice"), 1u);
  EXPECT_TRUE(IsRevoked(*store_, first));
  EXPECT_TRUE(store_->IsRevoked("1234", "alice")) << "one of another authority";
  EXPECT_FALSE(IsRevoked(*store_, bob));
  EXPECT_FALSE(store_->Redeem(open_token, Issuer())) << "its tokens are gone too";
  EXPECT_FALSE(Renew(*store_, first, Issuer()));
  const Certificate second = Enrol("alice");
  EXPECT_FALSE(IsRevoked(*store_, second));
  EXPECT_TRUE(IsRevoked(*store_, first));
  EXPECT_EQ(*store_->RevokeName("alice"), 1u) << "the first one was revoked before";
  EXPECT_TRUE(IsRevoked(*store_, second));
}

TEST_P(EnrolmentStoreConformance, RenewsOnlyWhatIsGood) {
  const Certificate first = Enrol("alice");
  const auto second = Renew(*store_, first, Issuer());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->subject.common_name, "alice");
  EXPECT_THAT(second->subject.units, testing::ElementsAre("dare-client"));
  Certificate stranger = first;
  stranger.fingerprint = second->fingerprint;
  EXPECT_FALSE(Renew(*store_, stranger, Issuer()))
      << "the serial of another authority's certificate";
  ASSERT_TRUE(store_->RevokeSerial(first.serial));
  EXPECT_EQ(Renew(*store_, first, Issuer()).error().code, Code::kUnauthenticated);
  stranger.serial = "1234";
  EXPECT_FALSE(Renew(*store_, stranger, Issuer()));
  clock_.Advance(8 * 86400);
  EXPECT_FALSE(Renew(*store_, *second, Issuer()));
}

TEST_P(EnrolmentStoreConformance, ListsWhatItIssued) {
  const Certificate alice = Enrol("alice");
  clock_.Advance(1);
  const Certificate bob = Enrol("bob");
  ASSERT_TRUE(store_->RevokeSerial(alice.serial));
  const auto list = Open()->Certificates();
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].subject.common_name, "alice");
  EXPECT_EQ((*list)[0].revoked, clock_.Now());
  EXPECT_EQ((*list)[1].serial, bob.serial);
  EXPECT_EQ((*list)[1].revoked, 0);
  EXPECT_THAT((*list)[1].subject.units, testing::ElementsAre("dare-client"));
  const auto found = store_->Find(bob.serial, "bob");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->fingerprint, bob.fingerprint);
  EXPECT_EQ(store_->Find(bob.serial, "alice").error().code, Code::kNotFound);
  EXPECT_EQ(store_->Find("1234", "bob").error().code, Code::kNotFound);
}

TEST_P(EnrolmentStoreConformance, CarriesWhatItHasToAnother) {
  const Certificate first = Enrol("alice");
  const Certificate bob = Enrol("bob");
  ASSERT_TRUE(store_->RevokeName("alice"));
  clock_.Advance(1);
  const Certificate second = Enrol("alice");
  ASSERT_TRUE(store_->RevokeSerial("abcd"));
  const std::string token = Token("carol");
  const auto other = OpenEmpty();
  ASSERT_TRUE(other->Import(*store_->Export()));
  EXPECT_TRUE(IsRevoked(*other, first));
  EXPECT_FALSE(IsRevoked(*other, second));
  EXPECT_FALSE(IsRevoked(*other, bob));
  EXPECT_TRUE(other->IsRevoked("abcd", "dave"));
  EXPECT_TRUE(other->IsRevoked("1234", "alice"));
  EXPECT_EQ(other->Certificates()->size(), 3u);
  EXPECT_TRUE(Renew(*other, second, Issuer()));
  EXPECT_TRUE(other->Redeem(token, Issuer()));
}

TEST_P(EnrolmentStoreConformance, TakesInWhatAnotherHadAndForgetsNoRevocation) {
  const auto other = OpenEmpty();
  const auto enrol = [&](EnrolmentStore& store, const std::string& name) {
    const std::string token = *store.AddToken({{name, {}}, clock_.Now() + 60, 1});
    return *store.Redeem(token, Issuer());
  };
  const Certificate ours = Enrol("alice");
  const Certificate theirs = enrol(*other, "bob");
  const Certificate serial = enrol(*other, "carol");
  const Certificate old_dave = enrol(*other, "dave");
  clock_.Advance(1);
  ASSERT_TRUE(other->RevokeName("alice"));
  ASSERT_TRUE(store_->RevokeName("bob"));
  ASSERT_TRUE(other->RevokeSerial(serial.serial));
  ASSERT_TRUE(store_->RevokeName("dave"));
  clock_.Advance(1);
  const Certificate new_alice = Enrol("alice");
  const Certificate new_dave = enrol(*other, "dave");
  const std::string spent = *other->AddToken({{"erin", {}}, clock_.Now() + 60, 1});
  ASSERT_TRUE(other->Redeem(spent, Issuer()));
  const std::string fresh = *other->AddToken({{"erin", {}}, clock_.Now() + 60, 1});

  for (int times = 0; times < 2; ++times) {  // as after an interruption
    ASSERT_TRUE(store_->Import(*other->Export()));
    EXPECT_TRUE(IsRevoked(*store_, ours)) << "revoked there";
    EXPECT_TRUE(IsRevoked(*store_, theirs)) << "revoked here";
    EXPECT_TRUE(IsRevoked(*store_, serial));
    EXPECT_TRUE(IsRevoked(*store_, old_dave));
    EXPECT_FALSE(IsRevoked(*store_, new_alice)) << "issued after the name was revoked there";
    EXPECT_FALSE(IsRevoked(*store_, new_dave)) << "issued after the name was revoked here";
    EXPECT_FALSE(store_->Redeem(spent, Issuer()));
  }
  EXPECT_TRUE(store_->Redeem(fresh, Issuer()));
  ASSERT_TRUE(store_->Import(*other->Export()));
  EXPECT_FALSE(store_->Redeem(fresh, Issuer())) << "it was used here";
}

INSTANTIATE_TEST_SUITE_P(BackEnds, EnrolmentStoreConformance,
                         testing::Values("SqliteFile", "SharedMemory", "SharedPostgres"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dare::registry

#include "engine/foreign_changes.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/change_ring.h"
#include "engine/object_cache.h"
#include "engine/sessions.h"
#include "engine/summed_store.h"
#include "engine/vault.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/message.h"
#include "kmip/tags.h"
#include "store/memory_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::State;
using kmip::Tag;

// What a client was sent: "ID STATE", or "ID" where the state did not change.
class EndpointForTest : public Endpoint {
 public:
  void Push(WipingBytes message) override {
    auto request = kmip::RequestMessage::Open(message);
    ttlv::Reader payload = *request->Next()->payload.Members();
    const auto id = payload.Text(Tag::kUniqueIdentifier);
    if (!id) return;  // it is asked what it can do
    std::string text(*id);
    ttlv::Reader attributes = *payload.Structure(Tag::kAttributes);
    while (!attributes.AtEnd()) {
      const auto item = *attributes.Next();
      if (item.tag == Tag::kState) text += " " + std::to_string(*item.AsEnumeration());
    }
    told.push_back(std::move(text));
  }
  std::vector<std::string> told;
};

// A store that says how often it was asked, and can be away.
class StoreForTest : public store::WholeReader {
 public:
  explicit StoreForTest(const store::ObjectStore& inner) : inner_(inner) {}
  Result<store::ObjectRecord> Get(const store::ObjectId& id) const override {
    TRY(Ask());
    return inner_.Get(id);
  }
  Result<Bytes> GetMeta(const std::string& key) const override {
    TRY(Ask());
    return inner_.GetMeta(key);
  }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    TRY(Ask());
    return inner_.ListMeta(prefix);
  }
  Result<store::Page<store::ObjectId>> Find(const store::Query&) const override { return Never(); }
  Result<store::Page<store::ObjectRecord>> FindRecords(const store::Query&) const override {
    return Never();
  }
  Result<std::uint64_t> Count(const store::Query&) const override { return Never(); }
  Result<store::Page<store::PlacedRecord>> Scan(std::uint64_t, std::size_t) const override {
    return Never();
  }
  Result<std::uint64_t> Extent() const override { return Never(); }
  Result<store::EntryPage> ScanEntries(const std::optional<store::PlacedEntry>&,
                                       std::size_t) const override {
    return Never();
  }

  mutable int asked = 0;
  bool away = false;

 private:
  static Error Never() { return Error(Code::kInternal, "nobody needs that"); }
  Result<void> Ask() const {
    ++asked;
    if (away) return Error(Code::kUnavailable, "the database is away");
    return {};
  }
  const store::ObjectStore& inner_;
};

// A node "two" whose clients listen, and one "one" that changes things.
class ForeignChangesTest : public testing::Test {
 protected:
  std::shared_ptr<EndpointForTest> Listen(const std::string& principal) {
    auto endpoint = std::make_shared<EndpointForTest>();
    EXPECT_TRUE(sessions_.outbox.Open(endpoint, principal, kmip::kVersion2_1));
    sessions_.outbox.Begin(endpoint.get());
    foreign_.Begin(principal);
    return endpoint;
  }
  void Hold(const std::string& principal, const std::string& id) {
    audit::Entry entry;
    entry.principal = principal;
    entry.operation = "Get";
    entry.object_id = id;
    entry.outcome = audit::Outcome::kAllowed;
    sessions_.holders.Note(entry);
  }
  // An object of alice's, changed by the node "one".
  void Revoke(const std::string& id) { Change(id, State::kDeactivated); }
  void Change(const std::string& id, std::optional<State> state) {
    ObjectChange change{.owner = "alice", .id = id, .version = kmip::kVersion2_1};
    change.changed.Add(Attribute::OfDate(Tag::kLastChangeDate, clock_.Now()));
    if (state) {
      change.changed.Add(Attribute::OfEnumeration(Tag::kState, static_cast<std::uint32_t>(*state)));
    }
    auto transaction = *one_.BeginSummed();
    ASSERT_TRUE(transaction->Insert({.id = "row " + std::to_string(rows_++), .object_type = 2}));
    ASSERT_TRUE(ring_.Put(*transaction, {&change}));
    ring_.Ended(transaction->Commit());
  }
  void Put(const std::string& id, State state) {
    kmip::ManagedObject object;
    object.id = id;
    object.type = kmip::ObjectType::kSymmetricKey;
    object.owner = "alice";
    object.material = *kmip::MakeSymmetricKey(Bytes(16, 1), kmip::CryptographicAlgorithm::kAES);
    object.attributes.Add(Attribute::OfEnumeration(Tag::kState, static_cast<std::uint32_t>(state)));
    auto transaction = *inner_->Begin();
    ASSERT_TRUE(vault_->Insert(*transaction, object));
    ASSERT_TRUE(transaction->Commit());
  }
  using Told = std::vector<std::string>;

  ManualClockForTest clock_;
  std::unique_ptr<hsm::MemorySealerForTest> sealer_ = hsm::MemorySealerForTest::Make();
  std::unique_ptr<store::ObjectStore> inner_ = store::MakeMemoryStore();
  std::unique_ptr<Vault> vault_ = std::move(*Vault::Open(*inner_, *sealer_));
  SummedStore one_{*inner_, *vault_, "one"};
  ChangeRing ring_{*vault_, "one"};
  int rows_ = 0;

  StoreForTest store_{*inner_};
  ObjectCache cache_{16, std::chrono::seconds(300), clock_};
  Sessions sessions_{TicketBook(clock_, 60, {}), AsynchronousBook(clock_),
                     Authenticator(clock_, sessions_.tickets, nullptr, {}), Outbox(clock_, {})};
  ForeignChanges foreign_{store_, *vault_, cache_, sessions_, "two", clock_};
};

TEST_F(ForeignChangesTest, TellTheOwnerAndTheHolderWhatTheyWouldHaveHeardThere) {
  const auto alice = Listen("alice"), bob = Listen("bob"), carol = Listen("carol");
  Hold("bob", "k1");
  Hold("carol", "another");
  Revoke("k1");
  Change("k1", std::nullopt);
  foreign_.Look();
  EXPECT_EQ(alice->told, Told{"k1 3"});
  foreign_.Look();
  EXPECT_EQ(bob->told, Told{"k1 3"});
  // The next when the first is answered.
  EXPECT_TRUE(sessions_.outbox.TakeResponse(alice.get(), {}));
  EXPECT_EQ(alice->told, (Told{"k1 3", "k1"}));
  EXPECT_FALSE(sessions_.outbox.TakeResponse(carol.get(), {}));
  for (int i = 0; i < 3; ++i) foreign_.Look();
  EXPECT_TRUE(sessions_.outbox.TakeResponse(bob.get(), {}));
  EXPECT_EQ(bob->told.size(), 1u) << "once, and of the state alone";
}

TEST_F(ForeignChangesTest, AreThoseSinceSomebodyListened) {
  Revoke("before");
  const auto alice = Listen("alice");
  foreign_.Look();
  EXPECT_EQ(alice->told, Told());
  Revoke("after");
  foreign_.Look();
  EXPECT_EQ(alice->told, Told{"after 3"});
}

TEST_F(ForeignChangesTest, OfANodeThatJoinsLaterAreTold) {
  const auto alice = Listen("alice");
  foreign_.Look();
  Revoke("k1");  // the first thing that "one" ever changed
  foreign_.Look();
  EXPECT_EQ(alice->told, Told{"k1 3"});
}

TEST_F(ForeignChangesTest, OfThisNodeAreNotToldAgain) {
  ForeignChanges of_one(store_, *vault_, cache_, sessions_, "one", clock_);
  const auto alice = std::make_shared<EndpointForTest>();
  ASSERT_TRUE(sessions_.outbox.Open(alice, "alice", kmip::kVersion2_1));
  of_one.Begin("alice");
  Revoke("k1");
  of_one.Look();
  EXPECT_EQ(alice->told, Told());
}

TEST_F(ForeignChangesTest, AreNotAskedForWhileNobodyListens) {
  Revoke("k1");
  for (int i = 0; i < 3; ++i) foreign_.Look();
  EXPECT_EQ(store_.asked, 0);
  auto alice = Listen("alice");
  foreign_.Look();
  EXPECT_GT(store_.asked, 0);
  alice.reset();  // the connection ends
  store_.asked = 0;
  foreign_.Look();
  EXPECT_EQ(store_.asked, 0);
}

TEST_F(ForeignChangesTest, ReachWhoUsedTheKeyWhileTheyCame) {
  const auto bob = Listen("bob");
  Revoke("k1");
  foreign_.Look();
  Hold("bob", "k1");  // was under way
  foreign_.Look();
  EXPECT_EQ(bob->told, Told{"k1 3"});
}

TEST_F(ForeignChangesTest, ThatRecallNothingAreForTheOwnerAlone) {
  const auto alice = Listen("alice"), bob = Listen("bob");
  Hold("bob", "k1");
  Change("k1", State::kActive);
  for (int i = 0; i < 2; ++i) foreign_.Look();
  EXPECT_EQ(alice->told, Told{"k1 2"});
  EXPECT_EQ(bob->told, Told());
}

TEST_F(ForeignChangesTest, LeaveTheCache) {
  const auto alice = Listen("alice");
  auto stored = std::make_shared<StoredObject>();
  stored->object.id = "k1";
  cache_.Put(cache_.TakeTicket("k1"), stored);
  Revoke("k1");
  foreign_.Look();
  EXPECT_EQ(cache_.Find("k1").stored, nullptr);
}

TEST_F(ForeignChangesTest, AreToldWhenTheDatabaseIsBack) {
  const auto alice = Listen("alice"), bob = Listen("bob");
  Hold("bob", "k1");
  store_.away = true;
  foreign_.Look();
  Revoke("k1");
  foreign_.Look();
  EXPECT_EQ(alice->told, Told());
  store_.away = false;
  foreign_.Look();
  foreign_.Look();
  EXPECT_EQ(alice->told, Told{"k1 3"});
  EXPECT_EQ(bob->told, Told{"k1 3"});
}

TEST_F(ForeignChangesTest, ThatAreWrittenOverReachTheHoldersAllTheSame) {
  Put("gone", State::kCompromised);
  Put("good", State::kActive);
  const auto bob = Listen("bob");
  Hold("bob", "gone");
  Hold("bob", "good");
  foreign_.Look();
  for (std::uint64_t i = 0; i <= ChangeRing::kSlots + 10; ++i) Change("other", std::nullopt);
  foreign_.Look();
  EXPECT_EQ(bob->told, Told{"gone 4"});
  EXPECT_TRUE(sessions_.outbox.TakeResponse(bob.get(), {}));
  // And it goes on with what is there still, and with what comes.
  Hold("bob", "k1");
  Revoke("k1");
  for (int i = 0; i < 2; ++i) foreign_.Look();
  EXPECT_EQ(bob->told, (Told{"gone 4", "k1 3"}));
}

TEST_F(ForeignChangesTest, ThatAreStillThereAreToldAfterSomeThatAreNot) {
  const auto bob = Listen("bob");
  Hold("bob", "last");
  foreign_.Look();
  for (std::uint64_t i = 0; i < ChangeRing::kSlots + 10; ++i) Change("first", std::nullopt);
  Revoke("last");
  foreign_.Look();
  foreign_.Look();
  EXPECT_EQ(bob->told, Told{"last 3"});
}

TEST_F(ForeignChangesTest, ThatNobodyCouldReadAtFirstReachTheHolders) {
  Put("gone", State::kDestroyed);
  store_.away = true;
  const auto bob = Listen("bob");
  Hold("bob", "gone");
  store_.away = false;
  foreign_.Look();
  EXPECT_EQ(bob->told, Told{"gone 5"});
}

}  // namespace
}  // namespace dare::engine

// What every back end must do.
#include <atomic>
#include <thread>

#include "store/back_ends_for_test.h"

namespace dare::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(ObjectStoreConformance, GetOfUnknownIdIsNotFound) {
  EXPECT_EQ(store_->Get("none").error().code, Code::kNotFound);
  EXPECT_EQ(Begin()->Get("none").error().code, Code::kNotFound);
}

TEST_P(ObjectStoreConformance, GivesBackWhatWasInserted) {
  ObjectRecord record = Named("a", "backup");
  record.index.push_back({.tag = kGroup, .key = std::string("g\0h", 3), .scope = ""});
  record.attributes = {0, 255, 0, 1};
  record.material.clear();
  record.created = -5;
  Keep({record});
  record.row_version = 1;
  EXPECT_EQ(*store_->Get("a"), record);
}

TEST_P(ObjectStoreConformance, RefusesASecondObjectOfOneId) {
  Keep({Record("a")});
  auto transaction = Begin();
  EXPECT_EQ(transaction->Insert(Record("a", "mallory")).error().code, Code::kAlreadyExists);
  EXPECT_TRUE(transaction->Insert(Record("b")).has_value()) << "a refusal spoils nothing";
  EXPECT_TRUE(transaction->Commit().has_value());
  EXPECT_EQ(store_->Get("a")->owner, "alice");
  EXPECT_TRUE(store_->Get("b").has_value());
}

TEST_P(ObjectStoreConformance, RefusesRecordsOverTheLimits) {
  auto transaction = Begin();
  EXPECT_EQ(transaction->Insert(Record("")).error().code, Code::kInvalidArgument);
  EXPECT_EQ(transaction->Insert(Record(std::string(kMaxObjectId + 1, 'i'))).error().code,
            Code::kTooLarge);
  EXPECT_EQ(transaction->Insert(Named("a", std::string(kMaxIndexKey + 1, 'n'))).error().code,
            Code::kTooLarge);
  EXPECT_TRUE(transaction->Insert(Named("a", std::string(kMaxIndexKey, 'n'))).has_value());
}

TEST_P(ObjectStoreConformance, UpdateReplacesAndCountsVersions) {
  Keep({Named("a", "old")});
  ObjectRecord record = *store_->Get("a");
  record.state = kActive;
  record.owner = "bob";
  record.attributes = {9};
  record.material.clear();
  record.index = {{.tag = kName, .key = "new", .scope = "bob", .unique = true}};
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Update(record, 1).has_value());
  EXPECT_EQ(transaction->Get("a")->row_version, 2u);
  ASSERT_TRUE(transaction->Commit().has_value());
  record.row_version = 2;
  EXPECT_EQ(*store_->Get("a"), record);
  EXPECT_THAT(Ids(ByName("old")), IsEmpty());
  EXPECT_THAT(Ids(ByName("new", "bob")), ElementsAre("a"));
  EXPECT_THAT(Ids({.owner = "alice"}), IsEmpty());
  EXPECT_THAT(Ids({.owner = "bob", .state = kActive}), ElementsAre("a"));
}

TEST_P(ObjectStoreConformance, UpdateOfAnotherVersionIsAConflict) {
  Keep({Record("a")});
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Update(Record("a"), 1).has_value());
  EXPECT_EQ(transaction->Update(Record("a"), 1).error().code, Code::kConflict);
  EXPECT_EQ(transaction->Update(Record("a"), 0).error().code, Code::kConflict);
  EXPECT_EQ(transaction->Update(Record("none"), 1).error().code, Code::kNotFound);
  EXPECT_TRUE(transaction->Update(Record("a"), 2).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_EQ(store_->Get("a")->row_version, 3u);
}

TEST_P(ObjectStoreConformance, TypeAndInitialDateNeverChange) {
  Keep({Record("a")});
  auto transaction = Begin();
  ObjectRecord record = Record("a");
  record.object_type = 7;
  EXPECT_EQ(transaction->Update(record, 1).error().code, Code::kInvalidArgument);
  record = Record("a");
  record.created += 1;
  EXPECT_EQ(transaction->Update(record, 1).error().code, Code::kInvalidArgument);
}

TEST_P(ObjectStoreConformance, RemoveForgetsTheObjectAndWhatFoundIt) {
  Keep({Named("a", "backup")});
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Remove("a").has_value());
  EXPECT_EQ(transaction->Remove("a").error().code, Code::kNotFound);
  EXPECT_TRUE(transaction->Insert(Named("b", "backup")).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_EQ(store_->Get("a").error().code, Code::kNotFound);
  EXPECT_THAT(Ids(ByName("backup")), ElementsAre("b"));
}

TEST_P(ObjectStoreConformance, NothingIsSeenBeforeCommit) {
  Keep({Record("old")});
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Insert(Named("new", "backup")).has_value());
  ASSERT_TRUE(transaction->Remove("old").has_value());
  ASSERT_TRUE(transaction->PutMeta("fact", AsBytes("1")).has_value());
  EXPECT_THAT(transaction->Find(ByName("backup"))->items, ElementsAre("new"));
  EXPECT_EQ(*transaction->Count({}), 1u);
  EXPECT_EQ(store_->Get("new").error().code, Code::kNotFound);
  EXPECT_TRUE(store_->Get("old").has_value());
  EXPECT_THAT(Ids(ByName("backup")), IsEmpty());
  EXPECT_EQ(store_->GetMeta("fact").error().code, Code::kNotFound);
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_TRUE(store_->Get("new").has_value());
  EXPECT_EQ(store_->Get("old").error().code, Code::kNotFound);
  EXPECT_EQ(AsText(*store_->GetMeta("fact")), "1");
}

TEST_P(ObjectStoreConformance, ATransactionThatDiesLeavesNothing) {
  Keep({Named("a", "backup")});
  {
    auto transaction = Begin();
    ASSERT_TRUE(transaction->Insert(Record("b")).has_value());
    ASSERT_TRUE(transaction->Update(Named("a", "other"), 1).has_value());
    ASSERT_TRUE(transaction->PutMeta("fact", AsBytes("1")).has_value());
  }
  EXPECT_EQ(store_->Get("b").error().code, Code::kNotFound);
  EXPECT_EQ(store_->Get("a")->row_version, 1u);
  EXPECT_THAT(Ids(ByName("backup")), ElementsAre("a"));
  EXPECT_THAT(Ids(ByName("other")), IsEmpty());
  EXPECT_EQ(store_->GetMeta("fact").error().code, Code::kNotFound);
  Keep({Named("c", "other")});  // the place is free again, and so is the name
}

TEST_P(ObjectStoreConformance, SavepointsUndoOneItemOfAGroup) {
  Keep({Record("a")});
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Insert(Record("first")).has_value());
  ASSERT_TRUE(transaction->Savepoint().has_value());
  ASSERT_TRUE(transaction->Insert(Named("second", "name")).has_value());
  ASSERT_TRUE(transaction->Update(Record("a"), 1).has_value());
  ASSERT_TRUE(transaction->PutMeta("fact", AsBytes("2")).has_value());
  ASSERT_TRUE(transaction->RollbackTo().has_value());
  EXPECT_EQ(transaction->Get("second").error().code, Code::kNotFound);
  EXPECT_EQ(transaction->Get("a")->row_version, 1u);
  ASSERT_TRUE(transaction->Savepoint().has_value());
  ASSERT_TRUE(transaction->Insert(Named("third", "name")).has_value());
  ASSERT_TRUE(transaction->Release().has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_THAT(Ids({}), ElementsAre("third", "first", "a"));
  EXPECT_THAT(Ids(ByName("name")), ElementsAre("third"));
  EXPECT_EQ(store_->GetMeta("fact").error().code, Code::kNotFound);
}

TEST_P(ObjectStoreConformance, SavepointsNest) {
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Savepoint().has_value());
  ASSERT_TRUE(transaction->Insert(Record("outer")).has_value());
  ASSERT_TRUE(transaction->Savepoint().has_value());
  ASSERT_TRUE(transaction->Insert(Record("released")).has_value());
  ASSERT_TRUE(transaction->Release().has_value());
  ASSERT_TRUE(transaction->Savepoint().has_value());
  ASSERT_TRUE(transaction->Insert(Record("undone")).has_value());
  ASSERT_TRUE(transaction->RollbackTo().has_value());
  EXPECT_EQ(*transaction->Count({}), 2u);
  ASSERT_TRUE(transaction->RollbackTo().has_value());
  EXPECT_EQ(*transaction->Count({}), 0u) << "a released inner one goes with its outer one";
  EXPECT_EQ(transaction->RollbackTo().error().code, Code::kInvalidArgument);
  EXPECT_EQ(transaction->Release().error().code, Code::kInvalidArgument);
  ASSERT_TRUE(transaction->Savepoint().has_value());
  ASSERT_TRUE(transaction->Insert(Record("kept")).has_value());
  ASSERT_TRUE(transaction->Commit().has_value()) << "an open savepoint is part of the commit";
  EXPECT_THAT(Ids({}), ElementsAre("kept"));
}

TEST_P(ObjectStoreConformance, AUniqueEntryHasOneHolderInItsScope) {
  Keep({Named("a", "backup", "alice"), Named("b", "backup", "bob"), Named("c", "other", "alice")});
  auto transaction = Begin();
  EXPECT_EQ(transaction->Insert(Named("d", "backup", "alice")).error().code, Code::kAlreadyExists);
  EXPECT_EQ(transaction->Get("d").error().code, Code::kNotFound) << "refused as a whole";
  EXPECT_EQ(transaction->Update(Named("c", "backup", "alice"), 1).error().code,
            Code::kAlreadyExists);
  EXPECT_EQ(transaction->Get("c")->row_version, 1u);
  EXPECT_TRUE(transaction->Update(Named("a", "backup", "alice"), 1).has_value())
      << "its own entry is in nobody's way";
  ASSERT_TRUE(transaction->Update(Named("a", "given up", "alice"), 2).has_value());
  EXPECT_TRUE(transaction->Insert(Named("d", "backup", "alice")).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_THAT(Ids(ByName("backup", "alice")), ElementsAre("d"));
  EXPECT_THAT(Ids(ByName("backup", "bob")), ElementsAre("b"));
}

TEST_P(ObjectStoreConformance, ManyMayShareAnEntryThatIsNotUnique) {
  ObjectRecord twice = Grouped("c", "prod");
  twice.index.push_back(twice.index.front());
  Keep({Grouped("a", "prod"), Grouped("b", "prod"), twice, Grouped("d", "test")});
  EXPECT_THAT(Ids(ByGroup("prod")), ElementsAre("c", "b", "a"));
  EXPECT_EQ(*store_->Count(ByGroup("prod")), 3u);
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Remove("c").has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_THAT(Ids(ByGroup("prod")), ElementsAre("b", "a"));
}

TEST_P(ObjectStoreConformance, FindsAcrossScopesWhenNoneIsGiven) {
  Keep({Grouped("a", "prod", "alice"), Grouped("b", "prod", "bob"), Grouped("c", "prod", "alice"),
        Named("d", "n", "zoe"), Named("e", "n", "bob")});
  EXPECT_THAT(Ids(ByGroup("prod", std::nullopt)), ElementsAre("c", "b", "a"));
  EXPECT_THAT(Ids({.entries = {{.tag = kName, .key = "n"}}}), ElementsAre("e", "d"));
  EXPECT_THAT(Ids(ByGroup("prod", "bob")), ElementsAre("b"));
}

TEST_P(ObjectStoreConformance, EveryConditionMustHold) {
  ObjectRecord a = Grouped("a", "prod");
  ObjectRecord b = Grouped("b", "prod", "bob");
  ObjectRecord c = Grouped("c", "prod");
  c.state = kActive;
  ObjectRecord d = Record("d");
  d.object_type = 7;
  d.created += 10;
  ObjectRecord e = Grouped("e", "prod");
  e.index.push_back({.tag = kGroup, .key = "blue", .scope = "alice"});
  Keep({a, b, c, d, e});
  EXPECT_THAT(Ids({.owner = "alice"}), ElementsAre("e", "d", "c", "a"));
  EXPECT_THAT(Ids({.owner = "alice", .state = kActive}), ElementsAre("c"));
  EXPECT_THAT(Ids({.object_type = 7}), ElementsAre("d"));
  EXPECT_THAT(Ids({.created_from = d.created, .created_to = d.created}), ElementsAre("d"));
  EXPECT_THAT(Ids({.created_to = a.created}), ElementsAre("e", "c", "b", "a"));
  Query query = ByGroup("prod", std::nullopt);
  query.owner = "bob";
  EXPECT_THAT(Ids(query), ElementsAre("b"));
  query.state = kActive;
  EXPECT_THAT(Ids(query), IsEmpty());
  EXPECT_EQ(*store_->Count(query), 0u);
  query = ByGroup("prod");
  query.entries.push_back({.tag = kGroup, .key = "blue"});
  EXPECT_THAT(Ids(query), ElementsAre("e"));
  EXPECT_EQ(*store_->Count(query), 1u);
  query.entries.push_back({.tag = kGroup, .key = "blue", .scope = "bob"});
  EXPECT_THAT(Ids(query), IsEmpty());
  EXPECT_EQ(*store_->Count(query), 0u);
}

TEST_P(ObjectStoreConformance, PagesAreWholeAndEnd) {
  std::vector<ObjectRecord> records;
  for (int i = 0; i < 10; ++i) records.push_back(Grouped("k" + std::to_string(i), "g"));
  Keep(records);
  for (Query query : {Query{}, Query{.owner = "alice"}, ByGroup("g"), ByGroup("g", std::nullopt)}) {
    query.limit = 4;
    auto page = *store_->Find(query);
    EXPECT_THAT(page.items, ElementsAre("k9", "k8", "k7", "k6"));
    query.after = page.next;
    page = *store_->Find(query);
    EXPECT_THAT(page.items, ElementsAre("k5", "k4", "k3", "k2"));
    EXPECT_EQ(*store_->Count(query), 10u) << "counts all pages";
    query.after = page.next;
    const auto records_page = *store_->FindRecords(query);
    ASSERT_EQ(records_page.items.size(), 2u);
    EXPECT_EQ(records_page.items[0], *store_->Get("k1"));
    EXPECT_EQ(records_page.next, 0u);
    query.after = 0;
    query.limit = 10;
    EXPECT_EQ(store_->Find(query)->next, 0u) << "an exact fit has no second page";
    query.limit = 0;
    EXPECT_THAT(store_->Find(query)->items, IsEmpty());
  }
}

TEST_P(ObjectStoreConformance, PagesStandFastWhileRecordsComeAndGo) {
  Keep({Record("a"), Record("b"), Record("c"), Record("d")});
  const auto page = *store_->Find({.limit = 2});
  EXPECT_THAT(page.items, ElementsAre("d", "c"));
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Remove("c").has_value());
  ASSERT_TRUE(transaction->Insert(Record("e")).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_THAT(store_->Find({.after = page.next, .limit = 2})->items, ElementsAre("b", "a"));
}

TEST_P(ObjectStoreConformance, FactsAreReplacedRemovedAndListed) {
  auto transaction = Begin();
  ASSERT_TRUE(transaction->PutMeta("mek", AsBytes("1")).has_value());
  ASSERT_TRUE(transaction->PutMeta("mek", AsBytes("22")).has_value());
  ASSERT_TRUE(transaction->PutMeta("token/b", {}).has_value());
  ASSERT_TRUE(transaction->PutMeta("token/a", AsBytes("x")).has_value());
  ASSERT_TRUE(transaction->PutMeta("tokens", AsBytes("y")).has_value());
  EXPECT_EQ(AsText(*transaction->GetMeta("mek")), "22");
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_THAT(*store_->ListMeta("token/"), ElementsAre("token/a", "token/b"));
  EXPECT_THAT(*store_->ListMeta(""), ElementsAre("mek", "token/a", "token/b", "tokens"));
  EXPECT_TRUE(store_->GetMeta("token/b")->empty());
  transaction = Begin();
  ASSERT_TRUE(transaction->RemoveMeta("token/a").has_value());
  ASSERT_TRUE(transaction->RemoveMeta("none").has_value());
  EXPECT_THAT(*transaction->ListMeta("token/"), ElementsAre("token/b"));
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_EQ(store_->GetMeta("token/a").error().code, Code::kNotFound);
}

TEST_P(ObjectStoreConformance, FactsAreReadInPagesInTheOrderOfTheirKeys) {
  const auto fact = [](const std::string& key) { return MetaRow{key, ToBytes(AsBytes(key))}; };
  auto transaction = Begin();
  for (const std::string key : {"row/c", "row/a", "row/\xC3\xA4", "row/a\n1", "rows", "ro"}) {
    ASSERT_TRUE(transaction->PutMeta(key, AsBytes(key)).has_value());
  }
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_THAT(*store_->ScanMeta("row/", "", 2), ElementsAre(fact("row/a"), fact("row/a\n1")));
  EXPECT_THAT(*store_->ScanMeta("row/", "row/a\n1", 5),
              ElementsAre(fact("row/c"), fact("row/\xC3\xA4")));
  EXPECT_THAT(*store_->ScanMeta("row/", "row/b", 1), ElementsAre(fact("row/c")));
  EXPECT_THAT(*store_->ScanMeta("row/", "row/\xC3\xA4", 5), testing::IsEmpty());
  EXPECT_EQ(store_->ScanMeta("", "", 10)->size(), 6u);
}

TEST_P(ObjectStoreConformance, AReaderSeesATransactionWholeOrNotAtAll) {
  // Two objects always change together; whoever sees them differ has seen half a transaction.
  Keep({Grouped("a", "pair"), Grouped("b", "pair")});
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0, failed = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const auto page = store_->FindRecords(ByGroup("pair"));
        if (!page || page->items.size() != 2) {
          ++failed;
        } else if (page->items[0].row_version != page->items[1].row_version) {
          ++torn;
        }
      }
    });
  }
  for (std::uint64_t version = 1; version <= 100; ++version) {
    auto transaction = Begin();
    ASSERT_TRUE(transaction->Update(Grouped("a", "pair"), version).has_value());
    ASSERT_TRUE(transaction->Update(Grouped("b", "pair"), version).has_value());
    if (version % 10 != 0) {
      ASSERT_TRUE(transaction->Commit().has_value());
    } else {
      transaction.reset();
      transaction = Begin();
      ASSERT_TRUE(transaction->Update(Grouped("b", "pair"), version).has_value());
      ASSERT_TRUE(transaction->Update(Grouped("a", "pair"), version).has_value());
      ASSERT_TRUE(transaction->Commit().has_value());
    }
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(failed, 0);
}

TEST_P(ObjectStoreConformance, WritersOfSeveralThreadsWaitForEachOther) {
  Keep({Record("counter")});
  constexpr int kThreads = 4, kEach = 25;
  std::vector<std::thread> writers;
  std::atomic<int> refused = 0;
  for (int i = 0; i < kThreads; ++i) {
    writers.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        auto transaction = store_->Begin();
        if (!transaction) {
          ++refused;
          continue;
        }
        const auto now = (*transaction)->Get("counter");
        if (!(*transaction)->Update(*now, now->row_version) || !(*transaction)->Commit()) ++refused;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(store_->Get("counter")->row_version, 1u + kThreads * kEach);
}

TEST_P(ObjectStoreConformance, KeepsTenThousandObjectsApart) {
  constexpr int kObjects = 10'000;
  std::vector<ObjectRecord> records;
  for (int i = 0; i < kObjects; ++i) {
    ObjectRecord record = Named("id-" + std::to_string(i), "name-" + std::to_string(i),
                                "owner-" + std::to_string(i % 7));
    record.index.push_back({.tag = kGroup, .key = "g" + std::to_string(i % 100), .scope = "all"});
    record.material = Bytes(200, static_cast<std::uint8_t>(i));
    records.push_back(std::move(record));
  }
  Keep(records);
  EXPECT_EQ(*store_->Count({}), std::uint64_t{kObjects});
  EXPECT_EQ(*store_->Count(ByGroup("g42", "all")), 100u);
  EXPECT_EQ(*store_->Count({.owner = "owner-3"}), 1429u);
  for (int i = 0; i < kObjects; i += 997) {
    records[i].row_version = 1;
    EXPECT_EQ(*store_->Get(records[i].id), records[i]);
    EXPECT_THAT(Ids(ByName("name-" + std::to_string(i), records[i].owner)),
                ElementsAre(records[i].id));
  }
  std::size_t seen = 0;
  for (Query query{.limit = 999};;) {
    const auto page = *store_->Find(query);
    seen += page.items.size();
    if (page.next == 0) break;
    query.after = page.next;
  }
  EXPECT_EQ(seen, std::size_t{kObjects});
}

TEST_P(ObjectStoreConformance, EverythingCommittedIsThereAfterReopening) {
  if (!GetParam().durable) GTEST_SKIP() << "this back end forgets";
  Keep({Named("a", "backup"), Grouped("b", "prod")});
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Update(Named("a", "backup"), 1).has_value());
  ASSERT_TRUE(transaction->PutMeta("mek", AsBytes("id")).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  transaction = Begin();
  ASSERT_TRUE(transaction->Insert(Record("lost")).has_value());
  transaction.reset();
  const ObjectRecord before = *store_->Get("a");
  Open();
  EXPECT_EQ(*store_->Get("a"), before);
  EXPECT_THAT(Ids({}), ElementsAre("b", "a"));
  EXPECT_THAT(Ids(ByName("backup")), ElementsAre("a"));
  EXPECT_EQ(AsText(*store_->GetMeta("mek")), "id");
}

INSTANTIATE_TEST_SUITE_P(BackEnds, ObjectStoreConformance, testing::ValuesIn(kBackEnds),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace dare::store

// What every back end must do for those who walk through the whole, or put it back.
#include <atomic>
#include <map>
#include <thread>

#include "store/back_ends_for_test.h"

namespace dare::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using WholeReaderConformance = ObjectStoreConformance;

TEST_P(WholeReaderConformance, ScanGivesEveryRecordInTheOrderOfInsert) {
  EXPECT_EQ(*store_->Extent(), 0u);
  EXPECT_THAT(store_->Scan(0, 10)->items, IsEmpty());
  std::vector<ObjectRecord> records;
  for (const char* id : {"e", "a", "d", "c", "b"}) records.push_back(Grouped(id, "g"));
  Keep(records);
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Remove("d").has_value());
  ASSERT_TRUE(transaction->Update(Grouped("a", "h"), 1).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  std::vector<ObjectId> seen;
  std::uint64_t last = 0;
  for (std::uint64_t after = 0;;) {
    const auto page = *store_->Scan(after, 2);
    for (const PlacedRecord& placed : page.items) {
      EXPECT_FALSE(placed.damage);
      EXPECT_GT(placed.place, last);
      EXPECT_EQ(placed.record, *store_->Get(placed.record.id));
      last = placed.place;
      seen.push_back(placed.record.id);
    }
    if (page.next == 0) break;
    after = page.next;
  }
  EXPECT_THAT(seen, ElementsAre("e", "a", "c", "b"));
  EXPECT_EQ(*store_->Extent(), last);
  EXPECT_EQ(store_->Scan(0, 4)->next, 0u) << "an exact fit has no second page";
}

TEST_P(WholeReaderConformance, ScanEntriesGivesWhatFindsTheRecords) {
  ObjectRecord twice = Grouped("c", "prod");
  twice.index.push_back(twice.index.front());
  twice.index.push_back({.tag = kName, .key = std::string("n\0", 2), .scope = "", .unique = true});
  Keep({Named("a", "backup"), Grouped("b", "prod"), twice, Grouped("gone", "prod")});
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Remove("gone").has_value());
  ASSERT_TRUE(transaction->Update(Named("a", "other"), 1).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  std::map<ObjectId, std::uint64_t> places;
  const auto all = *store_->Scan(0, 10);
  for (const PlacedRecord& placed : all.items) {
    places[placed.record.id] = placed.place;
  }
  const IndexEntry group{.tag = kGroup, .key = "prod", .scope = "alice"};
  const auto of = [&](const IndexEntry& entry, const char* id) {
    return PlaceEntry(entry, places[id]);
  };
  const std::vector<PlacedEntry> expected = {
      of(twice.index.back(), "c"),
      of({.tag = kName, .key = "other", .scope = "alice", .unique = true}, "a"), of(group, "b"),
      of(group, "c")};
  EXPECT_EQ(store_->ScanEntries(std::nullopt, 10)->items, expected);
  std::vector<PlacedEntry> seen;
  for (std::optional<PlacedEntry> from;;) {
    auto page = *store_->ScanEntries(from, 3);
    seen.insert(seen.end(), page.items.begin(), page.items.end());
    if (!page.next) break;
    from = page.next;
  }
  EXPECT_EQ(seen, expected);
  const auto one = *store_->ScanEntries(expected[1], 1);
  EXPECT_THAT(one.items, ElementsAre(expected[1])) << "from an entry on, itself included";
  EXPECT_EQ(one.next, expected[2]);
}

TEST_P(WholeReaderConformance, ASnapshotStaysAsItWas) {
  Keep({Named("a", "one"), Named("b", "two")});
  auto transaction = Begin();
  ASSERT_TRUE(transaction->PutMeta("fact", AsBytes("1")).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  transaction = Begin();
  ASSERT_TRUE(transaction->Insert(Record("not yet")).has_value());
  const auto before = store_->Snapshot();
  ASSERT_TRUE(before.has_value());
  ASSERT_TRUE(transaction->Update(Named("a", "three"), 1).has_value());
  ASSERT_TRUE(transaction->Remove("b").has_value());
  ASSERT_TRUE(transaction->PutMeta("fact", AsBytes("2")).has_value());
  ASSERT_TRUE(transaction->PutMeta("new", AsBytes("3")).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  const auto after = store_->Snapshot();
  ASSERT_TRUE(after.has_value());
  Keep({Record("later")});

  const WholeReader& old = **before;
  EXPECT_EQ(old.Get("a")->row_version, 1u);
  EXPECT_TRUE(old.Get("b").has_value());
  EXPECT_EQ(old.Get("not yet").error().code, Code::kNotFound);
  EXPECT_THAT(old.Find(ByName("one"))->items, ElementsAre("a"));
  EXPECT_EQ(old.FindRecords(ByName("two"))->items.size(), 1u);
  EXPECT_EQ(*old.Count({}), 2u);
  EXPECT_EQ(AsText(*old.GetMeta("fact")), "1");
  EXPECT_THAT(*old.ListMeta(""), ElementsAre("fact"));
  EXPECT_EQ(old.Scan(0, 10)->items.size(), 2u);
  EXPECT_EQ(*old.Extent(), old.Scan(0, 10)->items.back().place);
  EXPECT_EQ(old.ScanEntries(std::nullopt, 10)->items.size(), 2u);
  EXPECT_EQ(*(*after)->Count({}), 2u) << "each has the picture of its own time";
  EXPECT_EQ((*after)->Get("a")->row_version, 2u);
  EXPECT_EQ(*store_->Count({}), 3u);
}

TEST_P(WholeReaderConformance, SeveralThreadsShareASnapshotWhileOthersWrite) {
  std::vector<ObjectRecord> records;
  for (int i = 0; i < 400; ++i) records.push_back(Grouped("k" + std::to_string(i), "g"));
  Keep(records);
  const auto snapshot = store_->Snapshot();
  ASSERT_TRUE(snapshot.has_value());
  std::atomic<std::uint64_t> seen = 0, changed = 0;
  const std::uint64_t extent = *(*snapshot)->Extent();
  std::vector<std::thread> readers;
  for (std::uint64_t part = 0; part < 4; ++part) {
    readers.emplace_back([&, part] {
      const std::uint64_t to = extent * (part + 1) / 4;
      for (std::uint64_t after = extent * part / 4; after < to;) {
        const auto page = (*snapshot)->Scan(after, 7);
        if (!page) return;
        for (const PlacedRecord& placed : page->items) {
          if (placed.place > to) return;
          ++seen;
          if (placed.record.row_version != 1) ++changed;
        }
        if (page->next == 0) return;
        after = page->next;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    auto transaction = Begin();
    for (int k = i; k < 400; k += 20) {
      ASSERT_TRUE(transaction->Update(records[k], 1).has_value());
    }
    ASSERT_TRUE(transaction->Commit().has_value());
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(seen, 400u);
  EXPECT_EQ(changed, 0u);
}

TEST_P(WholeReaderConformance, RestoreKeepsTheVersionThatARecordHad) {
  ObjectRecord record = Named("a", "backup");
  record.row_version = 7;
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Restore(record).has_value());
  EXPECT_EQ(transaction->Restore(record).error().code, Code::kAlreadyExists);
  ObjectRecord other = Named("b", "backup");
  EXPECT_EQ(transaction->Restore(other).error().code, Code::kInvalidArgument) << "has no version";
  other.row_version = 1;
  EXPECT_EQ(transaction->Restore(other).error().code, Code::kAlreadyExists) << "of the name";
  other.id.clear();
  EXPECT_EQ(transaction->Restore(other).error().code, Code::kInvalidArgument);
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_EQ(*store_->Get("a"), record);
  EXPECT_THAT(Ids(ByName("backup")), ElementsAre("a"));
  transaction = Begin();
  EXPECT_EQ(transaction->Update(record, 6).error().code, Code::kConflict);
  ASSERT_TRUE(transaction->Update(record, 7).has_value());
  EXPECT_EQ(transaction->Get("a")->row_version, 8u);
}

INSTANTIATE_TEST_SUITE_P(BackEnds, WholeReaderConformance, testing::ValuesIn(kBackEnds),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace dare::store

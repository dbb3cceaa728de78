#include "backup/item.h"

#include <gtest/gtest.h>

#include <vector>

namespace dare::backup {
namespace {

// Keeps everything.
class Keeper : public ItemVisitor {
 public:
  Result<void> Take(const Head& head) override {
    heads.push_back(head);
    return {};
  }
  Result<void> Take(Fact fact) override {
    facts.push_back(std::move(fact));
    return {};
  }
  Result<void> Take(store::ObjectRecord record) override {
    records.push_back(std::move(record));
    return {};
  }
  Result<void> Take(Attachment attachment) override {
    attachments.push_back(std::move(attachment));
    return {};
  }
  std::vector<Head> heads;
  std::vector<Fact> facts;
  std::vector<store::ObjectRecord> records;
  std::vector<Attachment> attachments;
};

store::ObjectRecord Record() {
  return {.id = "key",
          .row_version = 1ull << 40,
          .object_type = 2,
          .state = 0xFFFFFFFF,
          .owner = "alice",
          .created = -7,
          .attributes = {1, 0, 2},
          .material = {},
          .index = {{.tag = 0x420053, .key = std::string("n\0", 2), .scope = "", .unique = true},
                    {.tag = 0x420056, .key = "", .scope = "alice"}}};
}

Bytes Stream() {
  ItemWriter writer = std::move(*ItemWriter::Begin());
  Bytes out;
  EXPECT_TRUE(writer.Put(Head{.created = 5, .node = "n", .program = "p"}, out));
  EXPECT_TRUE(writer.Put(Attachment{"config", {1, 2}}, out));
  EXPECT_TRUE(writer.Put(Fact{"record-key", {9}}, out));
  EXPECT_TRUE(writer.Put(Record(), out));
  EXPECT_TRUE(writer.End(out));
  return out;
}

Result<void> Read(ByteView stream, std::size_t step, ItemVisitor& visitor) {
  ItemReader reader = std::move(*ItemReader::Begin(visitor));
  for (std::size_t at = 0; at < stream.size(); at += step) {
    TRY(reader.Push(stream.subspan(at, std::min(step, stream.size() - at))));
  }
  return reader.Finish();
}

TEST(BackupItem, GivesBackWhatWasWrittenInWhateverPieces) {
  const Bytes stream = Stream();
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, stream.size()}) {
    Keeper keeper;
    ASSERT_TRUE(Read(stream, step, keeper));
    ASSERT_EQ(keeper.heads.size(), 1u);
    EXPECT_EQ(keeper.heads[0].created, 5);
    EXPECT_EQ(keeper.heads[0].node, "n");
    ASSERT_EQ(keeper.facts.size(), 1u);
    EXPECT_EQ(keeper.facts[0].key, "record-key");
    EXPECT_EQ(keeper.facts[0].value, Bytes{9});
    ASSERT_EQ(keeper.records.size(), 1u);
    EXPECT_EQ(keeper.records[0], Record());
    ASSERT_EQ(keeper.attachments.size(), 1u);
    EXPECT_EQ(keeper.attachments[0].role, "config");
  }
}

TEST(BackupItem, RefusesEveryCut) {
  const Bytes stream = Stream();
  for (std::size_t size = 0; size < stream.size(); ++size) {
    Keeper keeper;
    const auto read = Read(ByteView(stream).first(size), stream.size(), keeper);
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, Code::kDamaged) << size;
  }
}

TEST(BackupItem, RefusesEveryFlippedByte) {
  const Bytes stream = Stream();
  for (std::size_t at = 0; at < stream.size(); ++at) {
    Bytes changed = stream;
    changed[at] ^= 1;
    Keeper keeper;
    EXPECT_FALSE(Read(changed, stream.size(), keeper)) << at;
  }
}

TEST(BackupItem, RefusesWhatFollowsTheEndAndAFormatOfTheFuture) {
  Bytes stream = Stream();
  stream.push_back(0);
  Keeper keeper;
  EXPECT_FALSE(Read(stream, stream.size(), keeper));
  stream = Stream();
  constexpr std::size_t kVersionAt = 5 + 4 + 8 + 7;
  stream[kVersionAt] = 2;
  EXPECT_EQ(Read(stream, stream.size(), keeper).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace dare::backup

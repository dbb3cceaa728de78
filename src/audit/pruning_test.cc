#include "audit/pruning.h"

#include <gtest/gtest.h>

#include "audit/signed_log_for_test.h"

namespace dare::audit {
namespace {

Pruning PruningForTest(std::uint64_t size, std::uint64_t file) {
  Pruning pruning;
  pruning.origin = PruningOriginOf("kms-1");
  for (std::uint64_t i = 0; i < size; ++i) {
    pruning.edge.Add(HashOfLeaf("line " + std::to_string(i)));
  }
  pruning.last_line = HashOf("line");
  pruning.file = file;
  pruning.time = 1'700'000'000;
  pruning.who = "root \"of\" all\xC3\xA9";
  return pruning;
}

std::string TextForTest(const Pruning& pruning) {
  return TextOf({pruning, BodyOf(pruning), {{1, 2, 3, 4}, {5, 6}}});
}

TEST(PruningTest, ComesBackAsItWasWritten) {
  for (const std::uint64_t size : {1u, 2u, 7u, 8u, 1000u}) {
    const Pruning pruning = PruningForTest(size, 3);
    const auto parsed = ParsePruning(TextForTest(pruning));
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(parsed->body, BodyOf(pruning));
    EXPECT_EQ(parsed->by.signature, (Bytes{5, 6}));
    const TreeState state = StateAfter(parsed->pruning);
    EXPECT_EQ(state.edge.Root(), pruning.edge.Root());
    EXPECT_EQ(state.edge.size(), size);
    EXPECT_EQ(state.segment, 3u);
    EXPECT_EQ(state.last_line, pruning.last_line);
    EXPECT_EQ(parsed->pruning.who, pruning.who);
  }
}

TEST(PruningTest, AnyOtherTextIsRefused) {
  const std::string good = TextForTest(PruningForTest(7, 3));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char other : {'\0', '\n', ' ', '0', 'x'}) {
      if (good[at] == other) continue;
      std::string bad = good;
      bad[at] = other;
      const auto parsed = ParsePruning(bad);
      // What can be another one is not what was signed.
      if (parsed) {
        EXPECT_NE(bad, good);
        EXPECT_EQ(TextOf(*parsed), bad) << at;
      }
    }
    EXPECT_FALSE(ParsePruning(good.substr(0, at)).has_value()) << at;
  }
  EXPECT_FALSE(ParsePruning(good + "\n").has_value());
  EXPECT_FALSE(ParsePruning(std::string(100'000, '\n')).has_value());
  EXPECT_FALSE(ParsePruning(TextForTest(PruningForTest(0, 3))).has_value());
  EXPECT_FALSE(ParsePruning(TextForTest(PruningForTest(1, 1))).has_value());
}

class PruningFileTest : public SignedLogTest {
 protected:
  std::string FileOf(const std::string& text) {
    std::ofstream(folder_ + "/pruned", std::ios::binary | std::ios::trunc) << text;
    return folder_ + "/pruned";
  }
};

TEST_F(PruningFileTest, RecordsFollowEachOther) {
  const std::string first = TextForTest(PruningForTest(7, 3));
  const std::string second = TextForTest(PruningForTest(9, 4));
  const auto both = ReadPrunings(FileOf(first + second));
  ASSERT_TRUE(both.has_value()) << both.error().message;
  EXPECT_EQ(both->size(), 2u);
  EXPECT_EQ(FirstState(folder_)->edge.size(), 9u);
  for (const std::string& bad :
       {second + first, first + first, first + "x", first + second.substr(9),
        first + TextForTest(PruningForTest(9, 3))}) {
    EXPECT_EQ(ReadPrunings(FileOf(bad)).error().code, Code::kMalformed);
    EXPECT_EQ(FirstState(folder_).error().code, Code::kMalformed);
  }
  std::filesystem::remove(folder_ + "/pruned");
  EXPECT_EQ(ReadPrunings(folder_ + "/pruned")->size(), 0u);
  EXPECT_EQ(FirstState(folder_)->segment, 1u);
}

}  // namespace
}  // namespace dare::audit

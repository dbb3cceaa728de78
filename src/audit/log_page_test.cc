#include "audit/log_page.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "audit/signed_log_for_test.h"

namespace dare::audit {
namespace {

using testing::ElementsAreArray;
using testing::SizeIs;

class LogPageTest : public SignedLogTest {
 protected:
  // All that fits, page by page, however small the pages are.
  std::vector<std::string> ReadAll(PageQuery query) {
    std::vector<std::string> all;
    query.up_to = written_;
    while (query.from <= query.up_to) {
      const auto page = ReadPage(options_.folder, query);
      EXPECT_TRUE(page.has_value()) << page.error().message;
      if (!page) return all;
      EXPECT_GT(page->next, query.from) << "each page gets on";
      query.from = page->next;
      all.insert(all.end(), page->lines.begin(), page->lines.end());
    }
    return all;
  }
};

TEST_F(LogPageTest, GivesEveryLineFromAnyEntryOnAcrossFiles) {
  options_.segment_bytes = 300'000;  // larger than what is read from end to end
  Write(*OpenLog(), 1);
  for (int i = 0; i < 6; ++i) Write(*OpenLog(), 500);
  const auto lines = Lines();
  ASSERT_GT(ListSegments(options_.folder)->size(), 2u);
  for (std::uint64_t from : {1, 2, 499, 500, 501, 1234, 2999, 3000, 3001}) {
    const auto all = ReadAll({.from = from});
    EXPECT_THAT(all, ElementsAreArray(lines.begin() + from - 1, lines.end())) << from;
  }
  for (std::uint64_t from = 1; from <= lines.size(); from += 7) {
    const auto page = ReadPage(options_.folder, {.from = from, .up_to = from});
    ASSERT_TRUE(page.has_value());
    EXPECT_THAT(page->lines, testing::ElementsAre(lines[from - 1])) << from;
  }
}

TEST_F(LogPageTest, KeepsToEachOfItsBounds) {
  Write(*OpenLog(), 200);
  const auto lines = Lines();
  EXPECT_THAT(ReadPage(options_.folder, {.up_to = 200, .most_lines = 7})->lines, SizeIs(7));
  EXPECT_THAT(ReadPage(options_.folder, {.up_to = 200, .most_bytes = 1})->lines, SizeIs(1));
  EXPECT_THAT(ReadPage(options_.folder, {.up_to = 150})->lines, SizeIs(150));
  const PageQuery nothing{.up_to = 200, .filter = {.principal = "nobody"}, .most_scanned = 1000};
  const auto page = ReadPage(options_.folder, nothing);
  EXPECT_THAT(page->lines, SizeIs(0));
  EXPECT_LT(page->next, 10u) << "it stops where nothing is found, too";
  EXPECT_THAT(ReadAll({.most_lines = 7}), ElementsAreArray(lines));
  EXPECT_THAT(ReadAll({.most_bytes = 1000}), ElementsAreArray(lines));
  EXPECT_THAT(ReadAll({.most_scanned = 1}), ElementsAreArray(lines));
}

TEST_F(LogPageTest, FiltersByEachFact) {
  Write(*OpenLog(), 70);
  const std::int64_t first = EntryOf(1).time;
  const auto count = [&](EntryFilter filter) { return ReadAll({.filter = filter}).size(); };
  EXPECT_EQ(count({}), 70u);
  EXPECT_EQ(count({.principal = "app-3"}), 10u);
  EXPECT_EQ(count({.principal = "app"}), 0u) << "names are whole";
  EXPECT_EQ(count({.object_id = "object-12"}), 1u);
  EXPECT_EQ(count({.operation = "Get"}), 70u);
  EXPECT_EQ(count({.operation = "Destroy"}), 0u);
  EXPECT_EQ(count({.request_id = "r-9"}), 1u);
  EXPECT_EQ(count({.outcome = Outcome::kAllowed}), 70u);
  EXPECT_EQ(count({.outcome = Outcome::kDenied}), 0u);
  EXPECT_EQ(count({.since = first + 60}), 10u);
  EXPECT_EQ(count({.until = first + 60}), 60u);
  EXPECT_EQ(count({.principal = "app-3", .since = first + 60}), 1u);
  const auto only = [](const Entry& entry) { return entry.principal == "app-5"; };
  EXPECT_THAT(ReadAll({.filter = {.operation = "Get"}, .visible = only}), SizeIs(10));
}

TEST_F(LogPageTest, FindsARequestByTheClientsValueOrTheServers) {
  Entry entry;
  entry.request_id = "of the client 0a1b-7";
  for (const char* wanted : {"of the client 0a1b-7", "of the client", "0a1b-7", ""}) {
    EXPECT_TRUE((EntryFilter{.request_id = wanted}.Fits(entry))) << wanted;
  }
  for (const char* other : {"of the clien", "a1b-7", "0a1b-77", "of the client 0a1b-7 "}) {
    EXPECT_FALSE((EntryFilter{.request_id = other}.Fits(entry))) << other;
  }
}

TEST_F(LogPageTest, NamesWhatIsNotThere) {
  EXPECT_EQ(ReadPage(folder_, {.up_to = 1}).error().code, Code::kNotFound);
  options_.segment_bytes = 2000;
  for (int i = 0; i < 3; ++i) Write(*OpenLog(), 10);
  EXPECT_EQ(ReadPage(options_.folder, {.up_to = 31}).error().code, Code::kDamaged);
  std::filesystem::remove(options_.folder + "/" + SegmentName(2));
  EXPECT_EQ(ReadPage(options_.folder, {.up_to = 30}).error().code, Code::kDamaged);
  EXPECT_THAT(ReadPage(options_.folder, {.from = 31, .up_to = 30})->lines, SizeIs(0));
}

}  // namespace
}  // namespace dare::audit

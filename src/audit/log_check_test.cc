#include "audit/log_check.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>

#include "audit/checkpoint_file.h"
#include "audit/log_walk.h"
#include "audit/signed_log_for_test.h"

namespace dare::audit {
namespace {

using testing::HasSubstr;

// What can be done to one entry.
using Change = std::function<void(std::vector<std::string>&, std::size_t at)>;

Change EditOf(std::string from, std::string to) {
  return [from = std::move(from), to = std::move(to)](std::vector<std::string>& lines,
                                                      std::size_t at) {
    const std::size_t place = lines[at].find(from);
    ASSERT_NE(place, std::string::npos) << from << " in " << lines[at];
    lines[at].replace(place, from.size(), to);
  };
}

// Makes the chain right again behind entry `at`: only a checkpoint can tell then.
void Rechain(std::vector<std::string>& lines, std::size_t at) {
  for (std::size_t i = at; i < lines.size(); ++i) {
    std::string line;
    AppendHead(line, i + 1, i == 0 ? HashBeforeFirst() : HashOf(lines[i - 1]));
    lines[i] = line + lines[i].substr(lines[i].find(",\"time\""));
  }
}

std::vector<std::pair<std::string, Change>> Changes() {
  return {
      {"seq", EditOf("\"seq\":", "\"seq\":1")},
      {"prev",
       [](auto& lines, std::size_t at) {
         char& digit = lines[at][lines[at].find("\"prev\":\"") + 8 + 5];
         digit = digit == '0' ? '1' : '0';
       }},
      {"time", EditOf("\"time\":\"20", "\"time\":\"21")},
      {"principal", EditOf("\"principal\":\"app", "\"principal\":\"ape")},
      {"address", EditOf("192.0.2.1", "192.0.2.2")},
      {"operation", EditOf("\"Get\"", "\"Set\"")},
      {"object", EditOf("object-", "objekt-")},
      {"outcome", EditOf("allowed", "denied")},
      {"rule", EditOf("owner", "other")},
      {"request", EditOf("\"r-", "\"s-")},
      {"reason", EditOf("\"reason\":0", "\"reason\":1")},
      {"detail", EditOf("\"detail\":\"d\"", "\"detail\":\"\"")},
      {"white space", EditOf("\"seq\"", " \"seq\"")},
      {"removed", [](auto& lines, std::size_t at) { lines.erase(lines.begin() + at); }},
      {"repeated",
       [](auto& lines, std::size_t at) {
         lines.insert(lines.begin() + at, std::string(lines[at]));
       }},
      {"emptied", [](auto& lines, std::size_t at) { lines[at].clear(); }},
      {"exchanged",
       [](auto& lines, std::size_t at) {
         std::swap(lines[at], lines[at + 1 < lines.size() ? at + 1 : at - 1]);
       }},
      {"cut off", [](auto& lines, std::size_t at) { lines.resize(at); }},
  };
}

class LogCheckTest : public SignedLogTest {
 protected:
  LogReport CheckLines(const std::vector<std::string>& lines) {
    WriteLines(folder_ + "/exported.jsonl", lines);
    const auto report = CheckLog({.path = folder_ + "/exported.jsonl",
                                  .keys = key_.Keys(),
                                  .checkpoint_files = {CheckpointPath()}});
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return *report;
  }
  // Every change at `at`, as it is and with the chain made right behind it.
  void ExpectFound(const std::vector<std::string>& lines, std::size_t at) {
    for (const auto& [name, change] : Changes()) {
      std::vector<std::string> bad = lines;
      change(bad, at);
      const LogReport report = CheckLines(bad);
      EXPECT_NE(report.problem, "") << name << " at " << at;
      EXPECT_GE(report.first_bad, at) << name << " at " << at << ": " << report.problem;
      // At the entry, or where the next one does not follow it.
      EXPECT_LE(report.first_bad, at + 2) << name << " at " << at << ": " << report.problem;
    }
  }
};

TEST_F(LogCheckTest, EveryChangeOfEveryEntryIsFound) {
  MakeSignedLog(40);
  const auto lines = Lines();
  EXPECT_EQ(CheckLines(lines).problem, "");
  for (std::size_t at = 0; at < lines.size(); ++at) ExpectFound(lines, at);
}

// The same walk that CheckLog makes, which goes on from each entry with what somebody did to it: so
// that ten thousand logs of ten thousand entries need not be read from their first line.
class TamperTest : public SignedLogTest {
 protected:
  static constexpr std::size_t kEntries = 10'000;
  static constexpr std::size_t kBetweenCheckpoints = 20;

  void SetUp() override {
    const auto log = OpenLog();
    Write(*log, kEntries);
    lines_ = Lines();
    ASSERT_EQ(lines_.size(), kEntries);
    const CheckpointSigner signer = key_.Signer();
    TreeEdge edge;
    std::string texts;
    for (const std::string& line : lines_) {
      edge.Add(HashOfLeaf(line));
      if (edge.size() % kBetweenCheckpoints != 0) continue;
      const Checkpoint checkpoint{OriginOf("kms-1"), edge.size(), edge.Root(), 0, HashOf(line)};
      texts += SignedText(checkpoint, signer.public_key,
                          signer.sign(crypto::Sha256(AsBytes(BodyOf(checkpoint)))).value());
    }
    std::ofstream(CheckpointPath(), std::ios::binary) << texts;
    CheckpointMarks marks;
    EXPECT_EQ(*marks.Load(CheckpointPath(), key_.Keys()), "");
    marks_ = marks.Sorted();
    ASSERT_EQ(marks_->size(), kEntries / kBetweenCheckpoints);
  }

  // What the walk says when `instead` stands where lines [at, at + replaced) did. With `chained`,
  // the chain behind it is made anew.
  std::string Find(LogWalk walk, std::vector<std::string> instead, std::size_t at,
                   std::size_t replaced, bool chained) {
    LineHash previous = walk.last_hash();
    std::uint64_t sequence = walk.entries();
    const auto take = [&](std::string line) {
      if (chained) {
        std::string head;
        AppendHead(head, ++sequence, previous);
        line = head + line.substr(line.find(",\"time\""));
        previous = HashOf(line);
      }
      return walk.Take(line);
    };
    for (std::string& line : instead) {
      if (std::string problem = take(std::move(line)); !problem.empty()) return problem;
    }
    for (std::size_t i = at + replaced; i < lines_.size(); ++i) {
      if (std::string problem = take(lines_[i]); !problem.empty()) return problem;
    }
    return walk.End();
  }

  std::vector<std::string> lines_;
  std::shared_ptr<const std::vector<CheckpointMark>> marks_;
};

TEST_F(TamperTest, EverySingleChangeOfTenThousandEntriesIsFound) {
  LogWalk here(TreeState(), marks_);
  ASSERT_EQ(here.Begin(), "");
  std::string other;
  AppendHead(other, 1, HashBeforeFirst());
  AppendBody(other, EntryOf(77));
  std::uint64_t found = 0;
  for (std::size_t at = 0; at < lines_.size(); ++at) {
    const std::string& line = lines_[at];
    std::string edited = line;
    // Another byte of each line, but not one of the chain's, which `chained` makes right again.
    const std::size_t body = line.find(",\"time\"") + 9;
    edited[body + at % (line.size() - body)] ^= 1;
    for (const bool chained : {false, true}) {
      SCOPED_TRACE("entry " + std::to_string(at + 1) + (chained ? ", chained anew" : ""));
      const auto expect_found = [&](const char* what, std::vector<std::string> instead,
                                    std::size_t replaced) {
        const std::string problem = Find(here, std::move(instead), at, replaced, chained);
        EXPECT_NE(problem, "") << what;
        found += problem.empty() ? 0 : 1;
      };
      expect_found("edited", {edited}, 1);
      expect_found("removed", {}, 1);
      // What is chained behind the last entry is the log going on, whoever wrote it.
      const bool goes_on = chained && at + 1 == lines_.size();
      if (!goes_on) expect_found("repeated", {line, line}, 1);
      expect_found("inserted", {other, line}, 1);
      if (at + 1 < lines_.size()) expect_found("exchanged", {lines_[at + 1], line}, 2);
      expect_found("cut off", {}, lines_.size() - at);
    }
    ASSERT_FALSE(HasFailure());
    ASSERT_EQ(here.Take(line), "");
  }
  EXPECT_EQ(here.End(), "") << "and the log as it was is whole";
  EXPECT_EQ(here.covered(), kEntries);
  EXPECT_EQ(found, 2 * (6 * kEntries - 1) - 1);
}

TEST_F(LogCheckTest, ALogOfTenThousandEntriesIsCheckedFromItsFile) {
  MakeSignedLog(10'000);
  const auto lines = Lines();
  EXPECT_EQ(CheckLines(lines).covered, 10'000u);
  ExpectFound(lines, 0);
  ExpectFound(lines, lines.size() / 2);
  ExpectFound(lines, lines.size() - 1);
}

TEST_F(LogCheckTest, ACheckpointTellsWhereTheChainWasMadeAnew) {
  checkpoints_.entries = 50;
  MakeSignedLog(50);
  MakeSignedLog(50);
  const auto lines = Lines();
  for (const auto& [name, change] : Changes()) {
    if (name == "seq" || name == "prev" || name == "white space" || name == "emptied") continue;
    std::vector<std::string> bad = lines;
    change(bad, 70);
    Rechain(bad, 70);
    const LogReport report = CheckLines(bad);
    EXPECT_NE(report.problem, "") << name;
    EXPECT_EQ(report.covered, 50u) << name;
    if (bad.size() == lines.size()) {
      EXPECT_THAT(report.problem, HasSubstr("entries 51 to 100")) << name;
    }
  }
}

TEST_F(LogCheckTest, AnEndThatWasCutOffIsNamed) {
  MakeSignedLog(30);
  auto lines = Lines();
  lines.resize(25);
  const LogReport report = CheckLines(lines);
  EXPECT_EQ(report.first_bad, 26u);
  EXPECT_THAT(report.problem, HasSubstr("has 30 entries: its end was cut off"));
}

TEST_F(LogCheckTest, WhatFollowsTheNewestCheckpointIsOnlyChained) {
  MakeSignedLog(30);
  Write(*OpenLog(), 5);
  const auto report = CheckLog({.path = options_.folder, .keys = key_.Keys()});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->problem, "");
  EXPECT_EQ(report->entries, 35u);
  EXPECT_EQ(report->covered, 30u);
}

TEST_F(LogCheckTest, AForgedCheckpointIsFound) {
  MakeSignedLog(10);
  const std::string good = Content(CheckpointPath());
  const auto parsed = ParseCheckpoint(good);
  ASSERT_TRUE(parsed.has_value());
  std::ofstream(CheckpointPath(), std::ios::trunc) << SigningKeyForTest().Sign(parsed->checkpoint);
  const auto report = CheckLog({.path = options_.folder, .keys = key_.Keys()});
  ASSERT_TRUE(report.has_value());
  EXPECT_THAT(report->problem, HasSubstr("signed by another key"));
  std::ofstream(CheckpointPath(), std::ios::trunc) << "nonsense\n\n\n\n\n\n\n";
  EXPECT_THAT(CheckLog({.path = options_.folder, .keys = key_.Keys()})->problem,
              HasSubstr("not a checkpoint"));
}

TEST_F(LogCheckTest, WithoutAKeySignaturesAreNotSaidToBeChecked) {
  MakeSignedLog(10);
  const auto report = CheckLog({.path = options_.folder});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->problem, "");
  EXPECT_FALSE(report->signatures_checked);
}

TEST_F(LogCheckTest, AMissingFileIsNamed) {
  options_.segment_bytes = 2000;
  for (int i = 0; i < 3; ++i) MakeSignedLog(10);
  std::filesystem::remove(options_.folder + "/" + SegmentName(2));
  const auto report = CheckLog({.path = options_.folder, .keys = key_.Keys()});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->file, SegmentName(2));
  EXPECT_EQ(CheckLog({.path = folder_ + "/nothing"}).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace dare::audit

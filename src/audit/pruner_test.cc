#include "audit/pruner.h"

#include <gmock/gmock.h>

#include "audit/log_check.h"
#include "audit/log_page.h"
#include "audit/log_walk.h"
#include "audit/proof.h"
#include "audit/pruning.h"
#include "audit/signed_log_for_test.h"
#include "audit/verify.h"

namespace dare::audit {
namespace {

using testing::HasSubstr;

class PrunerTest : public SignedLogTest {
 protected:
  PrunerTest() { options_.segment_bytes = 5000; }

  // Files with some 20 entries each, one second an entry, all under a checkpoint.
  void MakeFiles(int rounds = 12) {
    for (int i = 0; i < rounds; ++i) MakeSignedLog(10);
  }
  static std::int64_t TimeOf(std::uint64_t entry) { return EntryOf(entry).time; }

  // As a server does it.
  Result<PruneResult> Prune(std::int64_t before, const std::string& fails_at = "",
                            std::uint64_t most_files = 100) {
    const auto log = OpenLog();
    const auto checkpointer = StartCheckpointer(*log);
    EXPECT_TRUE(checkpointer.has_value()) << checkpointer.error().message;
    const Checkpointer::Status status = (*checkpointer)->status();
    PruneOptions options;
    options.folder = options_.folder;
    options.origin = PruningOriginOf("kms-1");
    options.before = before;
    options.who = "root";
    options.covered = std::min(status.size, status.counted);
    options.most_files = most_files;
    options.step_for_test = [&](const char* step) -> Result<void> {
      if (step == fails_at) return Error(Code::kIo, "the power failed");
      return {};
    };
    return PruneLog(options, *log, clock_,
                    [this]() -> Result<CheckpointSigner> { return key_.Signer(); });
  }
  LogReport Check() {
    const auto report = CheckLog({.path = options_.folder, .keys = key_.Keys()});
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return *report;
  }
  std::uint64_t FirstFile() { return ListSegments(options_.folder)->front(); }
  std::string RecordPath() const { return options_.folder + "/" + kPruningFile; }
};

TEST_F(PrunerTest, RemovesWholeOldFilesAndWhatRemainsIsProven) {
  MakeFiles();
  const auto all = Lines();
  const std::uint64_t files = ListSegments(options_.folder)->size();
  ASSERT_GT(files, 4u);
  const auto done = Prune(TimeOf(61));
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_GT(done->entries, 20u);
  EXPECT_LE(done->entries, 60u) << "only what is older";
  EXPECT_EQ(done->size, done->entries);
  EXPECT_EQ(FirstFile(), 1 + done->files);
  EXPECT_FALSE(done->more);
  const auto rest = Lines();
  EXPECT_EQ(rest.front(), all[done->size]);

  const LogReport report = Check();
  EXPECT_EQ(report.problem, "");
  EXPECT_EQ(report.pruned, done->size);
  EXPECT_EQ(report.pruned_by, "root");
  EXPECT_EQ(report.entries, done->size + rest.size());
  EXPECT_EQ(report.covered, report.entries) << "by the checkpoint at the end";
  const auto walk = Verify(options_.folder);
  EXPECT_TRUE(walk->intact) << walk->problem;
  EXPECT_EQ(walk->entries, report.entries);

  bool told = false;
  for (const std::string& line : rest) told = told || line.find("\"audit-pruned\"") != line.npos;
  EXPECT_TRUE(told) << "it is in the log itself";
}

TEST_F(PrunerTest, TheLogGoesOnBehindIt) {
  MakeFiles();
  ASSERT_TRUE(Prune(TimeOf(61)).has_value());
  MakeFiles(6);
  EXPECT_EQ(Check().problem, "");
  std::filesystem::remove(options_.folder + "/" + kTreeFile);  // it is made from what is there
  MakeFiles(1);
  EXPECT_EQ(Check().problem, "");
  const auto again = Prune(TimeOf(101));
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_GT(again->entries, 0u);
  EXPECT_GT(again->size, again->entries);
  const LogReport report = Check();
  EXPECT_EQ(report.problem, "");
  EXPECT_EQ(report.pruned, again->size);
  EXPECT_EQ(ReadPrunings(RecordPath())->size(), 2u);
}

TEST_F(PrunerTest, EntriesThatRemainAreProvenAndPagesBeginWithThem) {
  MakeFiles();
  const auto all = Lines();
  const std::uint64_t removed = Prune(TimeOf(61))->size;
  const std::string text = Content(CheckpointPath());
  const std::string checkpoint = text.substr(text.rfind("dare-audit/kms-1\n", text.size() - 120));
  for (std::uint64_t entry = 1; entry <= all.size(); ++entry) {
    const auto proof = MakeProof(options_.folder, entry, checkpoint);
    if (entry <= removed) {
      EXPECT_EQ(proof.error().code, Code::kNotFound) << entry;
      continue;
    }
    ASSERT_TRUE(proof.has_value()) << proof.error().message;
    EXPECT_EQ(proof->line, all[entry - 1]);
    EXPECT_TRUE(CheckProof(*proof, key_.Keys()).has_value()) << entry;
  }
  const auto page = ReadPage(options_.folder, {.from = 1, .up_to = all.size()});
  ASSERT_TRUE(page.has_value()) << page.error().message;
  EXPECT_EQ(page->lines.front(), all[removed]);
  EXPECT_EQ(page->lines.size(), all.size() - removed);
}

TEST_F(PrunerTest, NothingThatIsYoungUncoveredOrWrittenIsRemoved) {
  MakeFiles();
  EXPECT_EQ(Prune(TimeOf(1))->entries, 0u);
  EXPECT_FALSE(FileExists(RecordPath()));
  const std::uint64_t files = ListSegments(options_.folder)->size();
  const std::uint64_t removed = Prune(TimeOf(1'000'000))->files;
  EXPECT_GE(removed, files - 2);
  EXPECT_LT(removed, files) << "the one that is written stays";
  EXPECT_EQ(Check().problem, "");
  std::uint64_t without = 0;
  {
    const auto log = OpenLog();
    for (int i = 0; i < 20; ++i) Write(*log, 10);  // no checkpoint of these
    without = log->synced();
    PruneOptions options;
    options.folder = options_.folder;
    options.origin = PruningOriginOf("kms-1");
    options.before = TimeOf(1'000'000);
    options.covered = Check().covered;
    EXPECT_LT(options.covered, without);
    const auto done = PruneLog(options, *log, clock_,
                               [this]() -> Result<CheckpointSigner> { return key_.Signer(); });
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_LT(done->size, options.covered);
  }
  EXPECT_EQ(Check().problem, "");
}

TEST_F(PrunerTest, TakesAFewFilesAtATime) {
  MakeFiles();
  std::uint64_t calls = 0, size = 0;
  while (true) {
    const auto done = Prune(TimeOf(110), "", 2);
    ASSERT_TRUE(done.has_value());
    ++calls;
    size = done->size;
    if (!done->more) break;
    EXPECT_EQ(done->files, 2u);
    EXPECT_EQ(Check().problem, "");
  }
  EXPECT_GT(calls, 1u);
  EXPECT_GT(size, 60u);
  EXPECT_EQ(Check().problem, "");
}

TEST_F(PrunerTest, ACrashAtAnyStepLeavesALogThatIsProvenAndCanBePrunedAgain) {
  MakeFiles();
  const std::string kept = folder_ + "/kept";
  std::filesystem::copy(options_.folder, kept, std::filesystem::copy_options::recursive);
  const std::uint64_t files = ListSegments(options_.folder)->size();
  for (const std::string step : {"sign", "record", "write", "remove"}) {
    SCOPED_TRACE(step);
    std::filesystem::remove_all(options_.folder);
    std::filesystem::copy(kept, options_.folder, std::filesystem::copy_options::recursive);
    EXPECT_EQ(Prune(TimeOf(61), step).error().code, Code::kIo);
    EXPECT_GE(ListSegments(options_.folder)->size(), files) << "nothing was removed yet";
    LogReport report = Check();
    EXPECT_EQ(report.problem, "");
    EXPECT_EQ(report.pruned != 0, step == "remove") << "the record is written before the removal";
    // Killed between two files of the removal, in any order.
    if (step == "remove") {
      const std::uint64_t first = FirstState(options_.folder)->segment;
      ASSERT_GT(first, 2u);
      std::filesystem::remove(options_.folder + "/" + SegmentName(first - 1));
      EXPECT_EQ(Check().problem, "");
      EXPECT_TRUE(FinishPruning(options_.folder).has_value());
      EXPECT_EQ(FirstFile(), first);
    }
    EXPECT_TRUE(FinishPruning(options_.folder).has_value());
    MakeFiles(1);
    EXPECT_EQ(Check().problem, "");
    const auto done = Prune(TimeOf(61));
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_GT(done->size, 0u);
    report = Check();
    EXPECT_EQ(report.problem, "");
    EXPECT_EQ(report.pruned, done->size);
  }
}

TEST_F(PrunerTest, ARemovalWithoutItsRecordIsFound) {
  MakeFiles();
  const auto pruned = [&](std::int64_t before) { return Prune(before)->size; };
  const std::uint64_t size = pruned(TimeOf(41));
  ASSERT_GT(size, 0u);
  const std::string record = Content(RecordPath());
  const std::uint64_t first = FirstFile();

  // One file more than the record says.
  const std::string next = options_.folder + "/" + SegmentName(first);
  std::filesystem::rename(next, folder_ + "/away");
  LogReport report = Check();
  EXPECT_EQ(report.problem, "the file is missing");
  EXPECT_EQ(report.first_bad, size + 1);
  std::filesystem::rename(folder_ + "/away", next);

  // The first line of what remains.
  const std::string content = Content(next);
  std::ofstream(next, std::ios::trunc) << content.substr(content.find('\n') + 1);
  EXPECT_THAT(Check().problem, HasSubstr("stands where entry"));
  std::ofstream(next, std::ios::trunc) << content;
  EXPECT_EQ(Check().problem, "");

  // A record that nobody signed, of one file more: everything in it agrees but the signature.
  Pruning forged = ParsePruning(record)->pruning;
  LogWalk walk(StateAfter(forged), CheckpointMarks().Sorted());
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = content.find('\n', at);
    EXPECT_EQ(walk.Take(std::string_view(content).substr(at, end - at)), "");
    at = end + 1;
  }
  forged.edge = walk.edge();
  forged.last_line = walk.last_hash();
  ++forged.file;
  SignedPruning copied{forged, BodyOf(forged), ParsePruning(record)->by};
  std::ofstream(RecordPath(), std::ios::trunc) << TextOf(copied);
  EXPECT_THAT(Check().problem, HasSubstr("its signature is not right"));
  const CheckpointSigner other = SigningKeyForTest().Signer();
  copied.by.key_id = KeyIdOf(forged.origin, other.public_key);
  copied.by.signature = other.sign(crypto::Sha256(AsBytes(copied.body))).value();
  std::ofstream(RecordPath(), std::ios::trunc) << TextOf(copied);
  EXPECT_THAT(Check().problem, HasSubstr("signed by another key"));

  // No record at all, or half of one.
  std::filesystem::remove(RecordPath());
  EXPECT_EQ(Check().problem, "the file is missing");
  std::ofstream(RecordPath(), std::ios::trunc) << record.substr(0, record.size() / 2);
  EXPECT_THAT(Check().problem, HasSubstr("not a record of a pruning"));
  std::ofstream(RecordPath(), std::ios::trunc) << record;
  EXPECT_EQ(Check().problem, "");
}

TEST_F(PrunerTest, ARecordDoesNotHideWhatWasRewrittenBehindIt) {
  MakeFiles();
  const std::uint64_t size = Prune(TimeOf(41))->size;
  // The remaining lines made anew behind a change, with a right chain: the tree tells, for it goes
  // through what was removed.
  auto lines = Lines();
  LineHash previous = FirstState(options_.folder)->last_line;
  lines[0].replace(lines[0].find("owner"), 5, "other");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string line;
    AppendHead(line, size + i + 1, previous);
    lines[i] = line + lines[i].substr(lines[i].find(",\"time\""));
    previous = HashOf(lines[i]);
  }
  WriteLines(folder_ + "/rewritten.jsonl", lines);
  const auto report = CheckLog({.path = folder_ + "/rewritten.jsonl",
                                .keys = key_.Keys(),
                                .checkpoint_files = {CheckpointPath()},
                                .pruned_file = RecordPath()});
  ASSERT_TRUE(report.has_value());
  EXPECT_THAT(report->problem, HasSubstr("are not those of the checkpoint"));
}

TEST_F(PrunerTest, WhatWasAlteredIsNotRemoved) {
  MakeFiles();
  const std::string path = options_.folder + "/" + SegmentName(2);
  std::string content = Content(path);
  content.replace(content.find("owner"), 5, "other");
  std::ofstream(path, std::ios::trunc) << content;
  const auto refused = Prune(TimeOf(61));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kDamaged);
  EXPECT_THAT(refused.error().message, HasSubstr("nothing is removed"));
  EXPECT_EQ(FirstFile(), 1u);
  EXPECT_FALSE(FileExists(RecordPath()));
}

}  // namespace
}  // namespace dare::audit

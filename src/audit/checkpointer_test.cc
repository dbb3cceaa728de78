#include "audit/checkpointer.h"

#include <gmock/gmock.h>

#include <atomic>

#include "audit/log_check.h"
#include "audit/signed_log_for_test.h"
#include "base/eventually_for_test.h"

namespace dare::audit {
namespace {

using testing::HasSubstr;

class CheckpointerTest : public SignedLogTest {
 protected:
  std::vector<Checkpoint> Made() const {
    std::vector<Checkpoint> made;
    EXPECT_TRUE(ReadCheckpoints(CheckpointPath(), [&](const SignedCheckpoint& one) -> Result<void> {
                  EXPECT_TRUE(key_.Keys().Check(one).has_value());
                  made.push_back(one.checkpoint);
                  return {};
                }).has_value());
    return made;
  }
  LogReport Check() const {
    const auto report = CheckLog({.path = options_.folder, .keys = key_.Keys()});
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return *report;
  }
};

TEST_F(CheckpointerTest, SignsAllThereIsAtTheEnd) {
  MakeSignedLog(10);
  ASSERT_EQ(Made().size(), 1u);
  EXPECT_EQ(Made()[0].size, 10u);
  EXPECT_EQ(Made()[0].last_line, HashOf(Lines().back()));
  TreeEdge tree;
  for (const std::string& line : Lines()) tree.Add(HashOfLeaf(line));
  EXPECT_EQ(Made()[0].root, tree.Root());
  EXPECT_EQ(Check().problem, "");
  EXPECT_EQ(Check().covered, 10u);
}

TEST_F(CheckpointerTest, SignsNothingTwice) {
  MakeSignedLog(3);
  MakeSignedLog(0);
  EXPECT_EQ(Made().size(), 1u);
}

TEST_F(CheckpointerTest, IsDueAfterItsTimeOrItsEntries) {
  checkpoints_.interval = std::chrono::seconds(60);
  checkpoints_.entries = 100;
  const auto log = OpenLog();
  const auto checkpointer = StartCheckpointer(*log);
  ASSERT_TRUE(checkpointer.has_value());
  Write(*log, 100);
  EXPECT_TRUE(EventuallyForTest([&] { return (*checkpointer)->status().size == 100; }));
  Write(*log, 99);
  EXPECT_EQ((*checkpointer)->status().size, 100u);
  clock_.Advance(60);
  EXPECT_TRUE(EventuallyForTest([&] { return (*checkpointer)->status().size == 199; }));
}

TEST_F(CheckpointerTest, GoesOnAcrossFilesAndStarts) {
  options_.segment_bytes = 2000;
  for (int start = 0; start < 5; ++start) MakeSignedLog(13);
  EXPECT_GT(ListSegments(options_.folder)->size(), 3u);
  EXPECT_EQ(Made().size(), 5u);
  EXPECT_EQ(Check().problem, "");
  EXPECT_EQ(Check().checkpoints, 5u);
  // And without what it kept of the tree, or with nonsense there.
  std::ofstream(options_.folder + "/" + kTreeFile) << "nonsense";
  MakeSignedLog(1);
  std::filesystem::remove(options_.folder + "/" + kTreeFile);
  MakeSignedLog(1);
  EXPECT_EQ(Check().problem, "");
  EXPECT_EQ(Check().covered, 67u);
}

TEST_F(CheckpointerTest, ALineTornByACrashIsNotItsConcern) {
  MakeSignedLog(5);
  std::ofstream(options_.folder + "/" + SegmentName(1), std::ios::app) << "{\"seq\":6,\"prev\":";
  MakeSignedLog(3);  // and a note of the torn line
  EXPECT_EQ(Check().problem, "");
  EXPECT_EQ(Check().covered, 9u);
}

TEST_F(CheckpointerTest, ALogThatWasCutOffStopsTheStart) {
  MakeSignedLog(20);
  auto lines = Lines();
  lines.pop_back();
  WriteLines(options_.folder + "/" + SegmentName(1), lines);
  const auto log = OpenLog();
  const auto refused = StartCheckpointer(*log);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kDamaged);
  EXPECT_THAT(refused.error().message, HasSubstr("20 entries"));
}

TEST_F(CheckpointerTest, AWitnessKnowsOfACutWhenTheFolderDoesNot) {
  const std::string place = "file:" + folder_ + "/witness";
  const auto start = [&](AuditLog& log) {
    std::vector<std::unique_ptr<Witness>> witnesses;
    witnesses.push_back(MakeWitness(place).value());
    return StartCheckpointer(log, std::move(witnesses));
  };
  {
    const auto log = OpenLog();
    const auto checkpointer = start(*log);
    ASSERT_TRUE(checkpointer.has_value()) << checkpointer.error().message;
    Write(*log, 20);
  }
  EXPECT_EQ(Content(folder_ + "/witness"), Content(CheckpointPath()));
  auto lines = Lines();
  lines.pop_back();
  WriteLines(options_.folder + "/" + SegmentName(1), lines);
  std::filesystem::remove(CheckpointPath());
  const auto log = OpenLog();
  EXPECT_EQ(start(*log).error().code, Code::kDamaged);
}

TEST_F(CheckpointerTest, ChangedLinesAreNotSigned) {
  MakeSignedLog(8);
  auto lines = Lines();
  lines[3].replace(lines[3].find("object-4"), 8, "object-9");
  // The forger makes the chain anew behind it.
  for (std::size_t i = 4; i < lines.size(); ++i) {
    lines[i].replace(lines[i].find("\"prev\":\"") + 8, 64, HashOf(lines[i - 1]));
  }
  WriteLines(options_.folder + "/" + SegmentName(1), lines);
  std::filesystem::remove(options_.folder + "/" + kTreeFile);
  {
    const auto log = OpenLog();
    const auto checkpointer = StartCheckpointer(*log);
    ASSERT_TRUE(checkpointer.has_value());
    Write(*log, 3);
    clock_.Advance(60);
    EXPECT_TRUE(EventuallyForTest([&] { return (*checkpointer)->status().failure.has_value(); }));
    EXPECT_THAT((*checkpointer)->status().failure->message, HasSubstr("first 8 entries"));
  }
  EXPECT_EQ(Made().size(), 1u);
}

TEST_F(CheckpointerTest, AnHsmThatIsAwayDelaysCheckpointsOnly) {
  std::atomic<bool> away = true;
  const auto log = OpenLog();
  checkpoints_.entries = 1;
  const auto checkpointer =
      Checkpointer::Start(checkpoints_, *log, clock_, [&]() -> Result<CheckpointSigner> {
        if (away) return Error(Code::kUnavailable, "the HSM is away");
        return key_.Signer();
      });
  ASSERT_TRUE(checkpointer.has_value());
  Write(*log, 5);
  EXPECT_TRUE(EventuallyForTest([&] { return (*checkpointer)->status().failure.has_value(); }));
  Write(*log, 5);
  EXPECT_EQ((*checkpointer)->status().size, 0u);
  away = false;
  EXPECT_TRUE(EventuallyForTest([&] { return (*checkpointer)->status().size == 10; }));
  EXPECT_TRUE(EventuallyForTest([&] { return !(*checkpointer)->status().failure.has_value(); }));
}

TEST_F(CheckpointerTest, AWitnessThatIsAwayIsToldLater) {
  const std::string folder = folder_ + "/mounted/";
  checkpoints_.entries = 1;
  const auto log = OpenLog();
  std::vector<std::unique_ptr<Witness>> witnesses;
  witnesses.push_back(MakeWitness("file:" + folder + "witness").value());
  const auto checkpointer = StartCheckpointer(*log, std::move(witnesses));
  ASSERT_TRUE(checkpointer.has_value());
  Write(*log, 5);
  EXPECT_TRUE(
      EventuallyForTest([&] { return (*checkpointer)->status().witness_failure.has_value(); }));
  EXPECT_TRUE(EventuallyForTest([&] { return (*checkpointer)->status().size == 5; }));
  std::filesystem::create_directory(folder);
  EXPECT_TRUE(EventuallyForTest([&] {
    const auto witness = CheckpointFile::Open(folder + "witness");
    return witness && witness->last() && witness->last()->checkpoint.size == 5;
  }));
  EXPECT_TRUE(
      EventuallyForTest([&] { return !(*checkpointer)->status().witness_failure.has_value(); }));
}

TEST_F(CheckpointerTest, AFullDiskOfAWitnessIsSaid) {
  checkpoints_.entries = 1;
  const auto log = OpenLog();
  std::vector<std::unique_ptr<Witness>> witnesses;
  witnesses.push_back(MakeWitness("file:/dev/full").value());
  const auto checkpointer = StartCheckpointer(*log, std::move(witnesses));
  ASSERT_TRUE(checkpointer.has_value());
  Write(*log, 5);
  EXPECT_TRUE(EventuallyForTest([&] {
    const auto failure = (*checkpointer)->status().witness_failure;
    return failure && failure->code == Code::kExhausted;
  }));
  EXPECT_TRUE(EventuallyForTest([&] { return (*checkpointer)->status().size == 5; }));
}

TEST_F(CheckpointerTest, ANodeMayBeRenamed) {
  MakeSignedLog(5);
  checkpoints_.origin = OriginOf("kms-2");
  MakeSignedLog(5);
  ASSERT_EQ(Made().size(), 2u);
  EXPECT_EQ(Made()[1].origin, "dare-audit/kms-2");
  EXPECT_EQ(Check().problem, "");
}

TEST_F(CheckpointerTest, PlacesThatAreNoWitnessAreRefused) {
  for (const char* place : {"", "file:", "file:relative", "/path", "carrier-pigeon:"}) {
    EXPECT_EQ(MakeWitness(place).error().code, Code::kInvalidArgument) << place;
  }
}

}  // namespace
}  // namespace dare::audit

#include "audit/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "audit/segment.h"
#include "audit/verify.h"

namespace {
std::atomic<bool> g_sync_fails = false;
std::atomic<int> g_syncs = 0;
}  // namespace

// Stands before the C library's, so that a test can let a sync fail.
extern "C" int fdatasync(int fd) {
  ++g_syncs;
  if (g_sync_fails) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

namespace dare::audit {
namespace {

using testing::HasSubstr;

// Lets files grow to `bytes` only: what a full disk looks like, a partial write included.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uint64_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit now = before_;
    now.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

class AuditLogTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "audit-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    base_ = folder;
    options_.folder = folder + "/log";
    options_.sync_interval = std::chrono::hours(1);  // nothing happens behind a test's back
  }
  void TearDown() override {
    g_sync_fails = false;
    std::filesystem::remove_all(base_);
  }

  std::unique_ptr<AuditLog> Open() {
    auto log = AuditLog::Open(options_, clock_);
    EXPECT_TRUE(log.has_value()) << log.error().message;
    return log ? std::move(*log) : nullptr;
  }
  Entry Some(const std::string& object) {
    return {.time = clock_.Now(),
            .principal = "alice",
            .address = "127.0.0.1:1",
            .operation = "Get",
            .object_id = object,
            .outcome = Outcome::kAllowed,
            .rule = "the owner may do everything"};
  }
  void Write(int count) {
    auto log = Open();
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(log->Append(Some("object-" + std::to_string(i))).has_value());
    }
    ASSERT_TRUE(log->FlushAndSync().has_value());
  }
  std::string PathOf(std::uint64_t segment) { return options_.folder + "/" + SegmentName(segment); }
  std::vector<std::string> Lines(std::uint64_t segment = 1) {
    std::ifstream file(PathOf(segment), std::ios::binary);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  void Replace(const std::vector<std::string>& lines, std::uint64_t segment = 1) {
    std::ofstream file(PathOf(segment), std::ios::binary | std::ios::trunc);
    for (const std::string& line : lines) file << line << '\n';
  }
  void AppendRaw(const std::string& text, std::uint64_t segment = 1) {
    std::ofstream(PathOf(segment), std::ios::binary | std::ios::app) << text;
  }
  Verification Verified() {
    auto found = Verify(options_.folder);
    EXPECT_TRUE(found.has_value());
    return found ? *found : Verification{};
  }

  std::string base_;
  AuditOptions options_;
  ManualClockForTest clock_;
};

TEST_F(AuditLogTest, ChainsItsLines) {
  Write(10);
  const Verification found = Verified();
  EXPECT_TRUE(found.intact) << found.problem;
  EXPECT_EQ(found.entries, 10u);
  EXPECT_EQ(found.segments, 1u);
  EXPECT_EQ(found.last_hash, HashOf(Lines().back()));
  EXPECT_THAT(Lines()[3], HasSubstr("\"seq\":4,"));
  EXPECT_THAT(Lines()[3], HasSubstr("object-3"));
}

TEST_F(AuditLogTest, NothingIsInTheFileBeforeFlushAndAllOfItAfter) {
  auto log = Open();
  ASSERT_TRUE(log->Append(Some("a")).has_value());
  EXPECT_TRUE(Lines().empty());
  ASSERT_TRUE(log->Flush().has_value());
  EXPECT_EQ(Lines().size(), 1u);
}

TEST_F(AuditLogTest, SyncsOnceForManyEntriesAndNotForNone) {
  auto log = Open();
  g_syncs = 0;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(log->Append(Some("a")).has_value());
  ASSERT_TRUE(log->Flush().has_value());
  EXPECT_EQ(g_syncs, 0);
  ASSERT_TRUE(log->FlushAndSync().has_value());
  ASSERT_TRUE(log->FlushAndSync().has_value());
  EXPECT_EQ(g_syncs, 1);
}

TEST_F(AuditLogTest, KeepsRoomOnTheDiskForWhatComes) {
  const auto log = Open();
  const std::string segment = options_.folder + "/" + SegmentName(1);
  struct stat status {};
  ASSERT_EQ(stat(segment.c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 0) << "a reader sees nothing of it";
  if (status.st_blocks == 0) GTEST_SKIP() << "this file system sets no room aside";
  EXPECT_GE(status.st_blocks * 512, 1 << 20);
}

TEST_F(AuditLogTest, FilesAreForTheOwnerOnly) {
  Write(1);
  struct stat status {};
  ASSERT_EQ(stat(PathOf(1).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(stat(options_.folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(AuditLogTest, GoesOnWhereItStopped) {
  Write(3);
  Write(4);
  EXPECT_TRUE(Verified().intact);
  EXPECT_EQ(Verified().entries, 7u);
}

TEST_F(AuditLogTest, OneProcessAtATime) {
  auto log = Open();
  EXPECT_EQ(AuditLog::Open(options_, clock_).error().code, Code::kUnavailable);
}

TEST_F(AuditLogTest, EveryEditedLineIsFound) {
  Write(20);
  const std::vector<std::string> good = Lines();
  for (std::size_t i = 0; i + 1 < good.size(); ++i) {
    std::vector<std::string> lines = good;
    lines[i].replace(lines[i].find("alice"), 5, "mallo");
    Replace(lines);
    const Verification found = Verified();
    EXPECT_FALSE(found.intact);
    EXPECT_EQ(found.line, i + 2) << "the line after it no longer follows";
    EXPECT_EQ(found.segment, "audit-000001.jsonl");
  }
}

TEST_F(AuditLogTest, EveryRemovedLineIsFound) {
  Write(20);
  const std::vector<std::string> good = Lines();
  for (std::size_t i = 0; i + 1 < good.size(); ++i) {
    std::vector<std::string> lines = good;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
    Replace(lines);
    EXPECT_FALSE(Verified().intact);
    EXPECT_EQ(Verified().line, i + 1);
  }
}

TEST_F(AuditLogTest, InsertedRepeatedAndMovedLinesAreFound) {
  Write(10);
  const std::vector<std::string> good = Lines();
  std::vector<std::string> lines = good;
  lines.insert(lines.begin() + 4, good[3]);
  Replace(lines);
  EXPECT_EQ(Verified().line, 5u);
  lines = good;
  std::swap(lines[4], lines[5]);
  Replace(lines);
  EXPECT_EQ(Verified().line, 5u);
  lines = good;
  lines.insert(lines.begin() + 4, "");
  Replace(lines);
  EXPECT_EQ(Verified().line, 5u);
  lines = good;  // well made, but by somebody who did not renew the rest of the chain
  std::string forged;
  AppendHead(forged, 5, HashOf(good[3]));
  AppendBody(forged, Some("forged"));
  lines[4] = forged;
  Replace(lines);
  EXPECT_EQ(Verified().line, 6u);
}

TEST_F(AuditLogTest, ATornLastLineIsCutOffAndRecorded) {
  Write(3);
  AppendRaw("{\"seq\":4,\"prev\":\"00");
  EXPECT_TRUE(Verified().torn_tail);
  EXPECT_TRUE(Verified().intact);
  Write(1);
  const Verification found = Verified();
  EXPECT_TRUE(found.intact) << found.problem;
  EXPECT_FALSE(found.torn_tail);
  EXPECT_EQ(found.entries, 5u);
  EXPECT_THAT(Lines()[3], HasSubstr("\"operation\":\"audit-recovered\""));
  EXPECT_THAT(Lines()[3], HasSubstr("after 19 bytes"));
}

TEST_F(AuditLogTest, AppendsAgainWhatAStoreKeptAndTheDiskDidNot) {
  Write(5);
  std::vector<std::string> lines = Lines();
  lines.resize(2);  // the power failed before the rest was on the disk
  Replace(lines);
  AppendRaw("{\"seq\":3,\"pr");
  const std::vector<NumberedEntry> held = {
      {2, Some("is there")}, {3, Some("was lost")}, {5, Some("was lost too")}};
  {
    auto log = Open();
    EXPECT_EQ(log->Recover(held).value(), 2u);
    EXPECT_EQ(Lines().size(), 6u) << "in the file at once";
    EXPECT_EQ(log->synced(), 6u);
  }
  EXPECT_TRUE(Verified().intact) << Verified().problem;
  lines = Lines();
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_THAT(lines[2], HasSubstr("was lost"));
  EXPECT_THAT(lines[2], HasSubstr("recovered, was entry 3\""));
  EXPECT_THAT(lines[3], HasSubstr("recovered, was entry 5\""));
  EXPECT_THAT(lines[4], HasSubstr("a last line that a crash cut off after 12 bytes"));
  EXPECT_THAT(lines[5], HasSubstr("2 entries of changes, lost with the power"));
  EXPECT_THAT(lines[5], HasSubstr("between 2 and 5 may be lost"));
}

TEST_F(AuditLogTest, RecoversNothingWhereNothingWasLost) {
  Write(3);
  auto log = Open();
  EXPECT_EQ(log->Recover(std::vector<NumberedEntry>{{3, Some("is there")}}).value(), 0u);
  EXPECT_EQ(log->Recover({}).value(), 0u);
  EXPECT_EQ(Lines().size(), 3u);
}

// An own note of the log must not take the number of a lost entry, which would then pass for
// written.
TEST_F(AuditLogTest, ALogThatWasOpenedButNotUsedIsLeftAsItIs) {
  Write(2);
  AppendRaw("{\"seq\":3,\"pr");
  options_.sync_interval = std::chrono::milliseconds(1);
  Open().reset();
  EXPECT_TRUE(Verified().torn_tail);
  EXPECT_EQ(Verified().entries, 2u);
  auto log = Open();
  EXPECT_EQ(log->Recover(std::vector<NumberedEntry>{{3, Some("was lost")}}).value(), 1u);
  EXPECT_THAT(Lines()[2], HasSubstr("was lost"));
}

TEST_F(AuditLogTest, SaysHowFarTheDiskHasIt) {
  Write(2);
  auto log = Open();
  EXPECT_EQ(log->synced(), 2u);
  EXPECT_EQ(log->Append(Some("a")).value(), 3u);
  ASSERT_TRUE(log->Flush().has_value());
  EXPECT_EQ(log->synced(), 2u);
  ASSERT_TRUE(log->FlushAndSync().has_value());
  EXPECT_EQ(log->synced(), 3u);
  EXPECT_EQ(log->Append(Some("b")).value(), 4u);
  g_sync_fails = true;
  EXPECT_FALSE(log->FlushAndSync().has_value());
  EXPECT_EQ(log->synced(), 3u);
}

TEST_F(AuditLogTest, WhatAKilledProcessLeftIsSyncedAtTheStart) {
  Write(2);
  g_syncs = 0;
  const auto log = Open();
  EXPECT_EQ(g_syncs, 1);
}

TEST_F(AuditLogTest, ATornFirstLineIsCutOffToo) {
  std::filesystem::create_directory(options_.folder);
  AppendRaw("{\"se");
  Write(1);
  EXPECT_TRUE(Verified().intact);
  EXPECT_EQ(Verified().entries, 2u);
}

TEST_F(AuditLogTest, ALastLineThatIsNotOursIsRefused) {
  Write(3);
  AppendRaw("hello\n");
  const auto log = AuditLog::Open(options_, clock_);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().code, Code::kDamaged);
  EXPECT_EQ(Verified().line, 4u);
}

TEST_F(AuditLogTest, BeginsANewFilePastItsSizeAndTheChainGoesOn) {
  options_.segment_bytes = 1000;
  {
    auto log = Open();
    for (int i = 0; i < 30; ++i) {
      ASSERT_TRUE(log->Append(Some("a")).has_value());
      ASSERT_TRUE(log->Flush().has_value());
    }
  }
  Write(1);
  const Verification found = Verified();
  EXPECT_TRUE(found.intact) << found.problem;
  EXPECT_EQ(found.entries, 31u);
  EXPECT_GT(found.segments, 5u);
  std::filesystem::remove(PathOf(3));
  EXPECT_FALSE(Verified().intact);
  EXPECT_EQ(Verified().segment, "audit-000003.jsonl");
}

TEST_F(AuditLogTest, AnEmptyNewFileContinuesTheOneBefore) {
  Write(3);
  std::ofstream(PathOf(2)).close();  // a crash just after the new file was made
  Write(2);
  EXPECT_EQ(Lines(1).size(), 3u);
  EXPECT_EQ(Lines(2).size(), 2u);
  EXPECT_TRUE(Verified().intact);
}

TEST_F(AuditLogTest, ALineCutInAnEarlierFileIsFound) {
  Write(3);
  AppendRaw("{\"torn");
  std::ofstream(PathOf(2)).close();
  EXPECT_FALSE(Verified().intact);
  EXPECT_EQ(AuditLog::Open(options_, clock_).error().code, Code::kDamaged);
}

TEST_F(AuditLogTest, AFullDiskFailsClosedAndHeals) {
  auto log = Open();
  ASSERT_TRUE(log->Append(Some("before")).has_value());
  ASSERT_TRUE(log->Flush().has_value());
  Result<void> flushed;
  Result<std::uint64_t> appended = 0, again = 0;
  std::optional<Error> failure;
  {
    const FileSizeLimit full(std::filesystem::file_size(PathOf(1)) + 100);
    appended = log->Append(Some("kept back"));
    flushed = log->Flush();
    failure = log->failure();
    again = log->Append(Some("refused"));
  }
  EXPECT_TRUE(appended.has_value());
  ASSERT_FALSE(flushed.has_value());
  EXPECT_EQ(flushed.error().code, Code::kExhausted);
  EXPECT_TRUE(failure.has_value());
  EXPECT_EQ(again.error().code, Code::kExhausted);
  EXPECT_TRUE(Verified().torn_tail) << "a part of the line fitted";

  ASSERT_TRUE(log->Flush().has_value());  // there is room again
  EXPECT_FALSE(log->failure().has_value());
  ASSERT_TRUE(log->Append(Some("after")).has_value());
  ASSERT_TRUE(log->Flush().has_value());
  EXPECT_TRUE(Verified().intact);
  EXPECT_FALSE(Verified().torn_tail);
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_THAT(lines[1], HasSubstr("kept back"));
  EXPECT_THAT(lines[2], HasSubstr("entries up to 2 allowed may have been refused"));
  EXPECT_THAT(lines[3], HasSubstr("after"));
}

TEST_F(AuditLogTest, AFailedSyncShutsTheLogUntilItIsOpenedAnew) {
  auto log = Open();
  ASSERT_TRUE(log->Append(Some("a")).has_value());
  g_sync_fails = true;
  EXPECT_EQ(log->FlushAndSync().error().code, Code::kIo);
  g_sync_fails = false;
  EXPECT_EQ(log->FlushAndSync().error().code, Code::kIo);
  EXPECT_EQ(log->Append(Some("b")).error().code, Code::kIo);
  EXPECT_EQ(log->Flush().error().code, Code::kIo);
  log.reset();
  Write(1);
  EXPECT_TRUE(Verified().intact);
}

TEST_F(AuditLogTest, SyncsByItselfWithinTheInterval) {
  options_.sync_interval = std::chrono::milliseconds(1);
  auto log = Open();
  g_syncs = 0;
  ASSERT_TRUE(log->Append(Some("a")).has_value());
  ASSERT_TRUE(log->Flush().has_value());
  while (g_syncs == 0) std::this_thread::yield();  // the test's own time limit bounds this
}

TEST_F(AuditLogTest, EightThreadsMakeOneChain) {
  constexpr int kThreads = 8, kEach = 500;
  options_.segment_bytes = 200'000;
  options_.sync_interval = std::chrono::milliseconds(1);
  {
    auto log = Open();
    std::atomic<int> failed = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          if (!log->Append(Some(std::to_string(t) + "/" + std::to_string(i)))) ++failed;
          if (i % 3 == 0 && !log->Flush()) ++failed;
          if (i % 100 == 0 && !log->FlushAndSync()) ++failed;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(failed, 0);
  }
  const Verification found = Verified();
  EXPECT_TRUE(found.intact) << found.segment << ":" << found.line << " " << found.problem;
  EXPECT_EQ(found.entries, std::uint64_t{kThreads * kEach});
}

TEST_F(AuditLogTest, WhatWasFlushedOutlivesAKilledProcess) {
  int flushed[2];
  ASSERT_EQ(pipe(flushed), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(flushed[0]);
    auto log = AuditLog::Open(options_, clock_);
    if (!log) _exit(1);
    for (std::uint32_t i = 1;; ++i) {
      if (!(*log)->Append(Some("a")) || !(*log)->Flush()) _exit(1);
      if (write(flushed[1], &i, sizeof i) != sizeof i) _exit(1);
    }
  }
  close(flushed[1]);
  std::uint32_t last = 0;
  while (last < 200 && read(flushed[0], &last, sizeof last) == sizeof last) {
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  for (std::uint32_t more; read(flushed[0], &more, sizeof more) == sizeof more;) last = more;
  close(flushed[0]);
  ASSERT_GE(last, 200u);
  Write(1);
  EXPECT_TRUE(Verified().intact);
  EXPECT_GE(Verified().entries, last + 1);
}

}  // namespace
}  // namespace dare::audit

// Slow: 1 GiB through both directions, each in a process of its own, whose peak memory is measured.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "envelope/envelope_for_test.h"
#include "envelope/sealed_file.h"

namespace dare::envelope {
namespace {

constexpr std::uint64_t kSize = 1ull << 30;
constexpr long kMostKilobytes = 96 << 10;

// 1 GiB in which every MiB differs.
void WriteLargeFile(const std::string& path) {
  Bytes block = PatternForTest(1 << 20);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  for (std::uint32_t i = 0; i < kSize >> 20; ++i) {
    PutU32(block.data(), i);
    ASSERT_EQ(std::fwrite(block.data(), 1, block.size(), file), block.size());
  }
  ASSERT_EQ(std::fclose(file), 0);
}

bool SameContent(const std::string& a, const std::string& b) {
  return std::system(("cmp -s '" + a + "' '" + b + "'").c_str()) == 0;
}

// Runs this program again with `job` as its only test, so that the peak is that of the job alone.
long PeakKilobytesOf(const std::string& job, const std::string& folder) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("DARE_LARGE_FILE_FOLDER", folder.c_str(), 1);
    const std::string filter = "--gtest_filter=LargeFileJob." + job;
    ::execl("/proc/self/exe", "envelope_large_tests", filter.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  struct rusage usage {};
  EXPECT_EQ(::wait4(child, &status, 0, &usage), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << job;
  return usage.ru_maxrss;
}

std::string JobFolder() {
  const char* folder = std::getenv("DARE_LARGE_FILE_FOLDER");
  return folder != nullptr ? std::string(folder) + "/" : std::string();
}

TEST(LargeFileJob, Seal) {
  if (JobFolder().empty()) GTEST_SKIP() << "a part of LargeFile";
  ASSERT_TRUE(SealFile(JobFolder() + "plain", JobFolder() + "sealed", KekForTest(1), {}));
}
TEST(LargeFileJob, Open) {
  if (JobFolder().empty()) GTEST_SKIP() << "a part of LargeFile";
  ASSERT_TRUE(OpenFile(JobFolder() + "sealed", JobFolder() + "opened", KekForTest(1), {}));
}
TEST(LargeFileJob, OpenFromPipe) {
  if (JobFolder().empty()) GTEST_SKIP() << "a part of LargeFile";
  ASSERT_EQ(::mkfifo((JobFolder() + "fifo").c_str(), 0600), 0);
  const int feeder =
      std::system(("cat '" + JobFolder() + "sealed' > '" + JobFolder() + "fifo' &").c_str());
  ASSERT_EQ(feeder, 0);
  ASSERT_TRUE(OpenFile(JobFolder() + "fifo", JobFolder() + "piped", KekForTest(1), {}));
}

TEST(LargeFile, SealsAndOpensIdenticallyInBoundedMemory) {
  const FolderForTest folder;
  WriteLargeFile(folder / "plain");
  for (const auto& [job, result] : {std::pair("Seal", "sealed"), std::pair("Open", "opened"),
                                    std::pair("OpenFromPipe", "piped")}) {
    const long peak = PeakKilobytesOf(job, folder / ".");
    RecordProperty(std::string("peak_kilobytes_") + job, static_cast<int>(peak));
    std::printf("%s: peak memory %ld KiB\n", job, peak);
    EXPECT_LT(peak, kMostKilobytes) << job;
    EXPECT_TRUE(FileExists(folder / result));
  }
  EXPECT_TRUE(SameContent(folder / "plain", folder / "opened"));
  EXPECT_TRUE(SameContent(folder / "plain", folder / "piped"));
}

}  // namespace
}  // namespace dare::envelope

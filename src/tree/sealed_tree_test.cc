#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "envelope/envelope_for_test.h"
#include "tree/beneath.h"
#include "tree/in_order.h"
#include "tree/manifest_file.h"
#include "tree/open_tree.h"
#include "tree/read_tree.h"
#include "tree/seal_tree.h"
#include "tree/source_folder.h"

namespace dare::tree {
namespace {

using envelope::FolderForTest;
using envelope::KekForTest;
using envelope::PatternForTest;
using envelope::ReadForTest;
using envelope::WriteForTest;

class Findings final : public TreeObserver {
 public:
  void Failed(const std::string& path, const Error& error) override {
    failed.push_back(path + ": " + error.message);
  }
  void Skipped(const std::string& path, const std::string&) override { skipped.push_back(path); }
  std::vector<std::string> failed, skipped;
};

class SealedTreeTest : public testing::Test {
 protected:
  SealedTreeTest() {
    std::filesystem::create_directories(here_ / "src/sub/empty");
    WriteForTest(here_ / "src/a", PatternForTest(10));
    WriteForTest(here_ / "src/sub/nothing", {});
    WriteForTest(here_ / "src/sub/frame", PatternForTest(256 << 10));
    WriteForTest(here_ / "src/sub/frames", PatternForTest((256 << 10) + 1));
    WriteForTest(here_ / "src/sub/big", PatternForTest(9 << 20));
  }

  Result<SealedFolder> Folder() {
    const auto keks = [] { return Result<envelope::Keyring>(KekForTest(1)); };
    return SealedFolder::ForSealing(here_ / "out", keks, keks);
  }
  Result<SealTreeSummary> Seal(SealTreeOptions options = {}) {
    const SealedFolder folder = TRY(Folder());
    return SealTree(here_ / "src", folder, options, findings_);
  }
  Result<OpenTreeSummary> Open(const std::string& target, OpenTreeOptions options = {}) {
    const SealedFolder folder = TRY(SealedFolder::ForOpening(here_ / "out", KekForTest(1)));
    return OpenTree(folder, here_ / target, options, findings_);
  }
  Result<OpenTreeSummary> Verify() {
    const SealedFolder folder = TRY(SealedFolder::ForOpening(here_ / "out", KekForTest(1)));
    return VerifyTree(folder, {}, findings_);
  }
  void ExpectSame(const std::string& target) {
    for (const std::string name : {"a", "sub/nothing", "sub/frame", "sub/frames", "sub/big"}) {
      EXPECT_EQ(ReadForTest(here_ / ("src/" + name)), ReadForTest(here_ / (target + "/" + name)))
          << name;
    }
    EXPECT_TRUE(std::filesystem::is_directory(here_ / (target + "/sub/empty")));
  }

  FolderForTest here_;
  Findings findings_;
};

TEST_F(SealedTreeTest, ComesBackAsItWas) {
  for (const bool encrypt : {false, true}) {
    std::filesystem::remove_all(here_ / "out");
    std::filesystem::remove_all(here_ / "back");
    SealTreeOptions options;
    options.encrypt_names = encrypt;
    const auto sealed = Seal(options);
    ASSERT_TRUE(sealed) << sealed.error().message;
    EXPECT_EQ(sealed->sealed, 5u);
    EXPECT_EQ(sealed->entries, 8u);
    EXPECT_EQ(sealed->generation, 1u);
    ASSERT_TRUE(Verify());
    const auto opened = Open("back");
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->files, 5u);
    EXPECT_EQ(opened->damaged + opened->failed, 0u);
    ExpectSame("back");
  }
}

TEST_F(SealedTreeTest, OpensOneEntryAndNothingElse) {
  ASSERT_TRUE(Seal());
  OpenTreeOptions options;
  options.only = "sub";
  const auto folder = Open("back", options);
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(folder->files, 4u);
  EXPECT_EQ(folder->folders, 2u);
  EXPECT_EQ(ReadForTest(here_ / "back/frames"), ReadForTest(here_ / "src/sub/frames"));
  EXPECT_FALSE(std::filesystem::exists(here_ / "back/a"));
  options.only = "sub/big";
  const auto file = Open("one", options);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->bytes, std::uint64_t{9} << 20);
  EXPECT_EQ(ReadForTest(here_ / "one"), ReadForTest(here_ / "src/sub/big"));
  for (const std::string none : {"su", "sub/", "sub/big/x", "b", "out"}) {
    options.only = none;
    const auto opened = Open("none", options);
    ASSERT_FALSE(opened) << none;
    EXPECT_EQ(opened.error().code, Code::kNotFound) << none;
    EXPECT_FALSE(std::filesystem::exists(here_ / "none"));
  }
}

TEST_F(SealedTreeTest, ReadsPartsOfAFileWithHolesAsZeroes) {
  const std::string path = here_ / "src/holes";
  std::filesystem::copy_file(here_ / "src/a", path);
  std::filesystem::resize_file(path, 3 << 20);
  {
    std::ofstream out(path, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(2 << 20);
    out << std::string(5000, 'x');
  }
  ASSERT_TRUE(Seal());
  const Bytes content = ReadForTest(path);
  const auto folder = SealedFolder::ForOpening(here_ / "out", KekForTest(1));
  ASSERT_TRUE(folder);
  OpenTreeOptions options;
  options.only = "holes";
  const auto read = [&](const std::optional<envelope::PlainRange>& range) {
    envelope::MemorySink sink;
    const auto entry = ReadTreeFile(*folder, options, range, sink);
    EXPECT_TRUE(entry) << entry.error().message;
    return Bytes(sink.bytes().begin(), sink.bytes().end());
  };
  EXPECT_EQ(read(std::nullopt), content);
  using Range = envelope::PlainRange;
  for (const Range part :
       {Range{0, 20}, Range{5, 4096}, Range{1 << 20, 10}, Range{(2 << 20) - 5, 10},
        Range{(2 << 20) + 4990, 5000}, Range{7}, Range{3 << 20, 1}}) {
    const auto n = std::min<std::uint64_t>(part.length, content.size() - part.offset);
    const auto begin = content.begin() + static_cast<std::ptrdiff_t>(part.offset);
    EXPECT_EQ(read(part), Bytes(begin, begin + static_cast<std::ptrdiff_t>(n))) << part.offset;
  }
  envelope::MemorySink sink;
  const auto behind = ReadTreeFile(*folder, options, Range{(3 << 20) + 1, 1}, sink);
  ASSERT_FALSE(behind);
  EXPECT_EQ(behind.error().code, Code::kInvalidArgument);
  options.only = "sub";
  EXPECT_FALSE(ReadTreeFile(*folder, options, std::nullopt, sink));
}

TEST_F(SealedTreeTest, RemovesWhatIsGoneAndCountsGenerations) {
  ASSERT_TRUE(Seal());
  std::filesystem::remove(here_ / "src/sub/frames");
  WriteForTest(here_ / "src/new", PatternForTest(20));
  const auto again = Seal();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->generation, 2u);
  EXPECT_EQ(again->removed, 1u);
  EXPECT_EQ(again->sealed + again->unchanged, 5u);
  EXPECT_GE(again->sealed, 1u);
  std::size_t messages = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(here_ / "out/files")) {
    if (entry.is_regular_file()) ++messages;
  }
  EXPECT_EQ(messages, 5u);
  OpenTreeOptions later;
  later.at_least_generation = 3;
  const auto refused = Open("back", later);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDamaged);
  EXPECT_FALSE(std::filesystem::exists(here_ / "back"));
}

TEST_F(SealedTreeTest, TellsEveryDamagedFileAndOpensTheOthers) {
  ASSERT_TRUE(Seal());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(here_ / "out/files")) {
    const std::string path = entry.path();
    if (path.find("/a.") != std::string::npos) std::filesystem::remove(path);
    if (path.find("/frames.") == std::string::npos) continue;
    Bytes bytes = ReadForTest(path);
    bytes[bytes.size() / 2] ^= 1;
    WriteForTest(path, bytes);
  }
  const auto opened = Open("back");
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->damaged, 2u);
  EXPECT_EQ(findings_.failed.size(), 2u);
  EXPECT_FALSE(std::filesystem::exists(here_ / "back/sub/frames"));
  EXPECT_EQ(ReadForTest(here_ / "back/sub/big"), ReadForTest(here_ / "src/sub/big"));
  EXPECT_EQ(Verify()->damaged, 2u);
}

TEST_F(SealedTreeTest, RefusesADamagedManifestBeforeAnythingIsTouched) {
  ASSERT_TRUE(Seal());
  const Bytes good = ReadForTest(here_ / "out/manifest");
  for (std::size_t at = 0; at < good.size(); at += 37) {
    Bytes bad = good;
    bad[at] ^= 0x10;
    WriteForTest(here_ / "out/manifest", bad);
    const auto opened = Open("back");
    ASSERT_FALSE(opened) << at;
    EXPECT_EQ(opened.error().code, Code::kDamaged);
    EXPECT_FALSE(std::filesystem::exists(here_ / "back"));
    EXPECT_FALSE(Seal()) << "nothing is built upon it";
  }
}

TEST_F(SealedTreeTest, RefusesAManifestThatTakesThePlaceOfTheOneThatWasChecked) {
  ASSERT_TRUE(Seal());
  std::filesystem::copy_file(here_ / "out/manifest", here_ / "older");
  WriteForTest(here_ / "src/b", PatternForTest(3));
  ASSERT_TRUE(Seal());
  std::error_code once;  // the first time moves it
  OpenTreeOptions options;
  options.at_least_generation = 2;
  options.progress = [&](std::uint64_t, std::optional<std::uint64_t>) {
    std::filesystem::rename(here_ / "older", here_ / "out/manifest", once);
  };
  const auto opened = Open("back", options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kDamaged);
}

TEST_F(SealedTreeTest, GoesOnWhereAKilledRunStopped) {
  ASSERT_TRUE(Seal());
  // A run that was killed has no manifest yet, only what it wrote of the new one, in full frames.
  const Bytes manifest = ReadForTest(here_ / "out/manifest");
  for (int i = 0; i < 200; ++i)
    WriteForTest(here_ / ("src/f" + std::to_string(1000 + i)), Bytes{1});
  ASSERT_TRUE(Seal());
  std::filesystem::rename(here_ / "out/manifest", here_ / "out/manifest.new");
  const auto resumed = Seal();
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_TRUE(resumed->resumed);
  EXPECT_EQ(resumed->sealed + resumed->unchanged, 205u);
  EXPECT_EQ(resumed->generation, 3u);
  EXPECT_FALSE(std::filesystem::exists(here_ / "out/manifest.new"));
  EXPECT_FALSE(std::filesystem::exists(here_ / "out/manifest.resume"));
  EXPECT_EQ(Verify()->damaged, 0u);
}

TEST_F(SealedTreeTest, LocksOutASecondRun) {
  const auto first = Folder();
  ASSERT_TRUE(first);
  const auto second = Folder();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
}

TEST_F(SealedTreeTest, RefusesATargetThatIsNotEmpty) {
  ASSERT_TRUE(Seal());
  std::filesystem::create_directory(here_ / "back");
  WriteForTest(here_ / "back/precious", Bytes{1});
  EXPECT_EQ(Open("back").error().code, Code::kAlreadyExists);
  OpenTreeOptions options;
  options.existing = Existing::kReplace;
  ASSERT_TRUE(Open("back", options));
  ExpectSame("back");
  options.existing = Existing::kResume;
  EXPECT_EQ(Open("back", options)->there, 5u);
}

TEST_F(SealedTreeTest, DoesNotTakeAFolderForASealedOne) {
  std::filesystem::create_directory(here_ / "out");
  WriteForTest(here_ / "out/mine", Bytes{1});
  EXPECT_EQ(Seal().error().code, Code::kAlreadyExists);
  EXPECT_FALSE(SealedFolder::ForOpening(here_ / "out", KekForTest(1)));
}

TEST(Beneath, NeverLeavesTheFolder) {
  const FolderForTest here;
  std::filesystem::create_directories(here / "in/sub");
  WriteForTest(here / "secret", Bytes{1});
  std::filesystem::create_symlink(here / "secret", here / "in/link");
  std::filesystem::create_symlink(here / ".", here / "in/out");
  const FileDescriptor folder(::open((here / "in").c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_TRUE(OpenBeneath(folder.get(), "sub", O_RDONLY | O_DIRECTORY));
  for (const std::string path : {"../secret", "link", "out/secret", "sub/../../secret"}) {
    EXPECT_FALSE(OpenBeneath(folder.get(), path, O_RDONLY)) << path;
  }
  EXPECT_FALSE(OpenBeneath(folder.get(), here / "secret", O_RDONLY));
  EXPECT_FALSE(OpenParent(folder.get(), "out/x"));
  // A link itself can be looked at, where it lies.
  const auto link = OpenBeneath(folder.get(), "link", O_PATH);
  ASSERT_TRUE(link);
  struct stat status {};
  ASSERT_EQ(::fstat(link->get(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
}

TEST(InOrder, GivesItemsBackInTheOrderTheyWerePut) {
  InOrder<int> work(4, 16, [](int& item, unsigned) { item *= 2; });
  int taken = 0;
  for (int i = 0; i < 1000; ++i) {
    while (work.full()) EXPECT_EQ(work.Pop(), 2 * taken++);
    work.Push(i);
  }
  while (!work.empty()) EXPECT_EQ(work.Pop(), 2 * taken++);
  EXPECT_EQ(taken, 1000);
}

TEST(TimeOfChange, ProvesNothingWhileItIsFreshOrInTheFuture) {
  const Time now{1000, 50'000'000};
  EXPECT_FALSE(MayChangeUnseen({999, 900'000'000}, now));
  EXPECT_FALSE(MayChangeUnseen({999, 950'000'000}, now));  // 100 ms ago
  EXPECT_TRUE(MayChangeUnseen({999, 950'000'001}, now));
  EXPECT_TRUE(MayChangeUnseen({1000, 0}, now));
  EXPECT_TRUE(MayChangeUnseen({1000, 60'000'000}, now));
  EXPECT_TRUE(MayChangeUnseen({1001, 0}, now));
  // A clock that jumped, or a file system that says anything.
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_TRUE(MayChangeUnseen({kMost, 0}, now));
  EXPECT_FALSE(MayChangeUnseen({kLeast, 999'999'999}, now));
  EXPECT_TRUE(MayChangeUnseen({0, 0}, {kLeast + 1, 0}));
}

}  // namespace
}  // namespace dare::tree

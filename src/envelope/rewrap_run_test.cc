#include "envelope/rewrap_run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <map>
#include <set>

#include "envelope/envelope_for_test.h"
#include "envelope/raw_rsa_keyring.h"
#include "envelope/sealed_file.h"

namespace dare::envelope {
namespace {

class NotingObserver final : public RewrapObserver {
 public:
  void Rewrapped(const std::string& path, const RewrapSummary&) override {
    EXPECT_TRUE(rewrapped.insert(path).second) << path << " was told twice";
  }
  void Failed(const std::string& path, const Error& error) override {
    failed.emplace(path, error.code);
  }
  void Progress(std::uint64_t done) override {
    EXPECT_GE(done, progress);
    progress = done;
  }

  std::set<std::string> rewrapped;
  std::map<std::string, Code> failed;
  std::uint64_t progress = 0;
};

class RewrapRunTest : public testing::Test {
 protected:
  std::string Seal(const std::string& name, const Keyring& keks) {
    WriteForTest(folder_ / "plain", PatternForTest(1000));
    EXPECT_TRUE(SealFile(folder_ / "plain", folder_ / name, keks, {}));
    return folder_ / name;
  }
  // `count` files with the same content and key block, which is nobody's business.
  std::vector<std::string> SealMany(std::size_t count) {
    const Bytes sealed = ReadForTest(Seal("sealed", old_keks_));
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < count; ++i) {
      paths.push_back(folder_ / ("f" + std::to_string(i)));
      WriteForTest(paths.back(), sealed);
    }
    return paths;
  }
  bool Opens(const std::string& path, const Keyring& keks) {
    OpenOptions options;
    options.replace = true;
    return OpenFile(path, folder_ / "opened", keks, options).has_value() &&
           ReadForTest(folder_ / "opened") == PatternForTest(1000);
  }

  RewrapRunResult Run(const std::vector<RewrapCandidate>& candidates) {
    return Run(candidates, {.old_keks = old_keks_, .new_keks = new_keks_});
  }
  RewrapRunResult Run(const std::vector<RewrapCandidate>& candidates, const RewrapWish& wish,
                      const RewrapRunOptions& options = {}) {
    std::size_t next = 0;
    observer_ = NotingObserver();
    return RunRewrap(
        [&]() -> std::optional<RewrapCandidate> {
          if (next == candidates.size()) return std::nullopt;
          return candidates[next++];
        },
        wish, options, observer_);
  }
  static std::vector<RewrapCandidate> Found(const std::vector<std::string>& paths) {
    std::vector<RewrapCandidate> candidates;
    for (const std::string& path : paths) candidates.push_back({.path = path, .named = false});
    return candidates;
  }

  const FolderForTest folder_;
  const Keyring old_keks_ = KekForTest(1, "old"), new_keks_ = KekForTest(2, "new");
  NotingObserver observer_;
};

TEST_F(RewrapRunTest, DoesManyFilesAndTheSecondTimeNone) {
  const std::vector<std::string> paths = SealMany(300);
  const RewrapRunResult first = Run(Found(paths));
  EXPECT_FALSE(first.stopped);
  EXPECT_EQ(first.counts.rewrapped, 300u);
  EXPECT_EQ(first.counts.bytes_written, 300u * 4 * 4096);
  EXPECT_EQ(observer_.rewrapped.size(), 300u);
  EXPECT_EQ(observer_.progress, 300u);
  for (const std::string& path : paths) {
    ASSERT_TRUE(Opens(path, new_keks_)) << path;
    ASSERT_FALSE(Opens(path, old_keks_)) << path;
  }
  const RewrapRunResult second = Run(Found(paths));
  EXPECT_EQ(second.counts.rewrapped, 0u);
  EXPECT_EQ(second.counts.done_before, 300u);
  EXPECT_EQ(second.counts.bytes_written, 0u);
}

TEST_F(RewrapRunTest, WhatIsHalfDoneIsDoneAgain) {
  const std::string path = Seal("f", old_keks_);
  const Bytes old_area = ReadForTest(path);
  ASSERT_EQ(Run(Found({path})).counts.rewrapped, 1u);
  // As a crash between the two slots leaves it: the new message in one, the old one in the other.
  Bytes half = ReadForTest(path);
  std::copy_n(old_area.begin(), 4096, half.begin());
  WriteForTest(path, half);
  const Keyring both{old_keks_[0], new_keks_[0]};
  const RewrapRunResult again = Run(Found({path}), {.old_keks = both, .new_keks = new_keks_});
  EXPECT_EQ(again.counts.rewrapped, 1u);
  EXPECT_FALSE(Opens(path, old_keks_));
  EXPECT_TRUE(Opens(path, new_keks_));
}

TEST_F(RewrapRunTest, EveryCandidateIsCountedOnce) {
  const std::string f = Seal("f", old_keks_), done = Seal("done", new_keks_);
  ASSERT_EQ(::link(f.c_str(), (folder_ / "link").c_str()), 0);
  WriteForTest(folder_ / "text", PatternForTest(20'000));
  ASSERT_TRUE(SealMessageFile(folder_ / "plain", folder_ / "message", old_keks_, {}));
  Bytes damaged = ReadForTest(f);
  std::fill(damaged.begin() + 3, damaged.begin() + 8192, 1);
  WriteForTest(folder_ / "damaged", damaged);
  WriteForTest(folder_ / "empty", {});
  std::vector<RewrapCandidate> candidates =
      Found({f, done, folder_ / "link", folder_ / "text", folder_ / "message", folder_ / "damaged",
             folder_ / "empty", folder_ / "absent", Seal("strange", KekForTest(7, "strange"))});
  candidates.push_back({.path = "x", .named = false, .error = Error(Code::kIo, "cannot list it")});
  const RewrapCounts counts = Run(candidates).counts;
  EXPECT_EQ(counts.rewrapped, 1u);
  EXPECT_EQ(counts.done_before, 1u);
  EXPECT_EQ(counts.repeated, 1u);
  EXPECT_EQ(counts.others, 2u);
  EXPECT_EQ(counts.messages, 1u);
  EXPECT_EQ(counts.failed, 4u);
  EXPECT_EQ(observer_.failed, (std::map<std::string, Code>{{folder_ / "damaged", Code::kDamaged},
                                                           {folder_ / "absent", Code::kIo},
                                                           {folder_ / "strange", Code::kDamaged},
                                                           {"x", Code::kIo}}));
}

TEST_F(RewrapRunTest, WhatIsNamedHasToBeASealedFile) {
  WriteForTest(folder_ / "text", PatternForTest(20'000));
  ASSERT_TRUE(SealMessageFile(folder_ / "text", folder_ / "message", old_keks_, {}));
  const RewrapCounts counts = Run({{folder_ / "text"}, {folder_ / "message"}}).counts;
  EXPECT_EQ(counts.failed, 2u);
  EXPECT_EQ(observer_.failed[folder_ / "text"], Code::kDamaged);
  EXPECT_EQ(observer_.failed[folder_ / "message"], Code::kUnsupported);
}

TEST_F(RewrapRunTest, ASymbolicLinkIsFollowedWhenItIsNamed) {
  const std::string f = Seal("f", old_keks_), link = folder_ / "link";
  ASSERT_EQ(::symlink(f.c_str(), link.c_str()), 0);
  EXPECT_EQ(Run(Found({link})).counts.failed, 1u);
  EXPECT_EQ(Run({{link}}).counts.rewrapped, 1u);
}

TEST_F(RewrapRunTest, ADryRunTouchesNothing) {
  const std::vector<std::string> paths = SealMany(3);
  const auto nobody = std::make_shared<KmsForTest>(old_keks_);
  const Keyring asks{nobody};
  const Bytes before = ReadForTest(paths[0]);
  const RewrapRunResult run = Run(Found(paths), {.old_keks = asks, .new_keks = new_keks_},
                                  {.dry_run = true, .cancelled = nullptr});
  EXPECT_EQ(run.counts.rewrapped, 3u);
  EXPECT_EQ(run.counts.bytes_written, 0u);
  EXPECT_EQ(observer_.rewrapped.size(), 3u);
  EXPECT_EQ(nobody->unwraps, 0);
  EXPECT_EQ(ReadForTest(paths[0]), before);
}

TEST_F(RewrapRunTest, OnlyWhatAKeyOpensWhenThatIsAsked) {
  const std::string f = Seal("f", old_keks_), g = Seal("g", KekForTest(3, "third"));
  const Keyring all{old_keks_[0], KekForTest(3, "third")[0]};
  const RewrapCounts counts =
      Run(Found({f, g}), {.old_keks = all, .new_keks = new_keks_, .from = {*all[1]->named_key()}})
          .counts;
  EXPECT_EQ(counts.rewrapped, 1u);
  EXPECT_EQ(counts.other_keys, 1u);
  EXPECT_EQ(observer_.rewrapped, std::set<std::string>{g});
}

TEST_F(RewrapRunTest, ARefusedNewKeyEndsTheRunAndIsNoFilesFault) {
  const std::vector<std::string> paths = SealMany(2000);
  auto refusing = std::make_shared<KmsForTest>(new_keks_);
  refusing->failure = Error(Code::kDenied, "not under this key");
  const Keyring refused{refusing};
  const RewrapRunResult run = Run(Found(paths), {.old_keks = old_keks_, .new_keks = refused});
  ASSERT_TRUE(run.stopped);
  EXPECT_EQ(run.stopped->code, Code::kDenied);
  EXPECT_EQ(run.counts.rewrapped + run.counts.failed + run.counts.bytes_written, 0u);
  EXPECT_LT(observer_.progress, 2000u);
}

TEST_F(RewrapRunTest, KeysThatNobodyAnswersForEndTheRun) {
  auto away = std::make_shared<KmsForTest>(old_keks_);
  away->failure = Error(Code::kUnavailable, "away");
  const Keyring keks{away};
  const RewrapRunResult run = Run(Found(SealMany(10)), {.old_keks = keks, .new_keks = new_keks_});
  ASSERT_TRUE(run.stopped);
  EXPECT_EQ(run.stopped->code, Code::kUnavailable);
  EXPECT_EQ(run.counts.failed, 0u);
}

TEST_F(RewrapRunTest, IsCancelledBetweenGroups) {
  const std::atomic<bool> cancelled{true};
  const RewrapRunResult run =
      Run(Found(SealMany(3)), {.old_keks = old_keks_, .new_keks = new_keks_},
          {.dry_run = false, .cancelled = &cancelled});
  ASSERT_TRUE(run.stopped);
  EXPECT_EQ(run.stopped->detail, static_cast<std::uint64_t>(EINTR));
  EXPECT_EQ(run.counts.rewrapped, 0u);
}

TEST_F(RewrapRunTest, AFileThatAnotherProcessRewrapsIsAFailureAndTheRestIsDone) {
  const std::string f = Seal("f", old_keks_), g = Seal("g", old_keks_);
  const FileDescriptor other(::open(f.c_str(), O_RDWR));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  const RewrapCounts counts = Run(Found({f, g})).counts;
  EXPECT_EQ(counts.failed, 1u);
  EXPECT_EQ(observer_.failed[f], Code::kConflict);
  EXPECT_EQ(observer_.rewrapped, std::set<std::string>{g});
}

// An AES key in the place of a recovery key's copy: only the namespace matters here.
TEST_F(RewrapRunTest, ARecoveryCopyIsNotLostByOversight) {
  const auto recovery =
      RawAesKeyWrapper::Create("offline-recovery", "safe", SecretForTest(Bytes(32, 9))).value();
  const std::string f = Seal("f", {old_keks_[0], recovery});
  EXPECT_EQ(Run({{f}}).counts.failed, 1u);
  EXPECT_EQ(observer_.failed[f], Code::kInvalidArgument);
  EXPECT_TRUE(Opens(f, old_keks_));
  const Keyring with{new_keks_[0], recovery};
  EXPECT_EQ(Run({{f}}, {.old_keks = old_keks_, .new_keks = with}).counts.rewrapped, 1u);
  EXPECT_EQ(Run({{f}}, {.old_keks = old_keks_, .new_keks = with}).counts.done_before, 1u);
  EXPECT_TRUE(Opens(f, {recovery}));
  EXPECT_EQ(
      Run({{f}}, {.old_keks = new_keks_, .new_keks = new_keks_, .from = {}, .drop_recovery = true})
          .counts.rewrapped,
      1u);
  EXPECT_FALSE(Opens(f, {recovery}));
}

}  // namespace
}  // namespace dare::envelope

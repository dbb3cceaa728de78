#include "envelope/sealed_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "envelope/envelope_for_test.h"
#include "envelope/inspect.h"

namespace dare::envelope {
namespace {

using testing::HasSubstr;

SealOptions SmallFrames(std::uint32_t frame_length = 1000, unsigned workers = 3) {
  SealOptions options;
  options.frame_length = frame_length;
  options.flow.workers = workers;
  return options;
}

OpenOptions Workers(unsigned workers = 3) {
  OpenOptions options;
  options.flow.workers = workers;
  return options;
}

Bytes SealInMemory(ByteView plain, const Keyring& keks, const SealOptions& options) {
  MemorySource in(plain);
  MemorySink out;
  EXPECT_TRUE(SealStream(in, out, keks, options));
  return Bytes(out.bytes().begin(), out.bytes().end());
}

Result<Bytes> OpenInMemory(ByteView sealed, const Keyring& keks) {
  MemorySource in(sealed);
  MemorySink out;
  TRY(OpenStream(in, out, keks, Workers()));
  return Bytes(out.bytes().begin(), out.bytes().end());
}

TEST(SealedFile, RoundTripsAtEveryFrameBorder) {
  const FolderForTest folder;
  const Keyring keks = KekForTest(7);
  for (const std::size_t size : {0, 1, 15, 16, 17, 31, 32, 33, 48, 160, 161, 4095}) {
    SCOPED_TRACE(size);
    const Bytes plain = PatternForTest(size);
    WriteForTest(folder / "plain", plain);
    SealOptions options = SmallFrames(16);
    options.replace = true;
    const auto sealed = SealFile(folder / "plain", folder / "sealed", keks, options);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(sealed->plaintext_bytes, size);
    EXPECT_EQ(sealed->sealed_bytes, ReadForTest(folder / "sealed").size());
    OpenOptions open = Workers();
    open.replace = true;
    const auto opened = OpenFile(folder / "sealed", folder / "opened", keks, open);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->plaintext_bytes, size);
    EXPECT_EQ(ReadForTest(folder / "opened"), plain);
    // The stream path reads the same file.
    EXPECT_EQ(OpenInMemory(ReadForTest(folder / "sealed"), keks).value(), plain);
  }
}

TEST(SealedFile, StreamAndFilePathsOpenEachOthersOutput) {
  const FolderForTest folder;
  const Keyring keks = KekForTest(7);
  const Bytes plain = PatternForTest(1'000'003);
  for (const unsigned workers : {1u, 2u, 5u}) {
    WriteForTest(folder / "s", SealInMemory(plain, keks, SmallFrames(4096, workers)));
    OpenOptions options = Workers(workers);
    options.replace = true;
    ASSERT_TRUE(OpenFile(folder / "s", folder / "o", keks, options));
    EXPECT_EQ(ReadForTest(folder / "o"), plain);
  }
}

TEST(SealedFile, PipesWorkOnBothSides) {
  const FolderForTest folder;
  const Keyring keks = KekForTest(7);
  const Bytes plain = PatternForTest(300'000);
  WriteForTest(folder / "plain", plain);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  {
    const std::jthread sealing(
        [&] { EXPECT_TRUE(SealFile(folder / "plain", folder / "pipe", keks, SmallFrames(4096))); });
    ASSERT_TRUE(OpenFile(folder / "pipe", folder / "opened", keks, Workers()));
  }
  EXPECT_EQ(ReadForTest(folder / "opened"), plain);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "opened").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u) << "nothing says who else may read it";
}

TEST(SealedFile, KeepsModeAndTimes) {
  const FolderForTest folder;
  WriteForTest(folder / "plain", PatternForTest(10));
  ASSERT_EQ(::chmod((folder / "plain").c_str(), 04751), 0);
  const struct timespec times[2] = {{1'500'000'000, 0}, {1'600'000'000, 123}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (folder / "plain").c_str(), times, 0), 0);
  const Keyring keks = KekForTest(7);
  ASSERT_TRUE(SealFile(folder / "plain", folder / "sealed", keks, {}));
  ASSERT_TRUE(OpenFile(folder / "sealed", folder / "opened", keks, {}));
  for (const char* name : {"sealed", "opened"}) {
    struct stat status {};
    ASSERT_EQ(::stat((folder / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0751u) << "without the setuid bit";
    EXPECT_EQ(status.st_mtim.tv_sec, 1'600'000'000);
    EXPECT_EQ(status.st_mtim.tv_nsec, 123);
  }
}

TEST(SealedFile, RefusesToOverwriteUnlessTold) {
  const FolderForTest folder;
  const Keyring keks = KekForTest(7);
  WriteForTest(folder / "plain", PatternForTest(10));
  WriteForTest(folder / "out", PatternForTest(3));
  EXPECT_EQ(SealFile(folder / "plain", folder / "out", keks, {}).error().code,
            Code::kAlreadyExists);
  EXPECT_EQ(ReadForTest(folder / "out"), PatternForTest(3));
  SealOptions options;
  options.replace = true;
  ASSERT_TRUE(SealFile(folder / "plain", folder / "out", keks, options));
  EXPECT_EQ(folder.entries(), 2u) << "no temporary file is left";
  EXPECT_EQ(OpenFile(folder / "out", folder / "plain", keks, {}).error().code,
            Code::kAlreadyExists);
}

TEST(SealedFile, ReplacingASymbolicLinkWritesWhereItLeads) {
  const FolderForTest folder;
  WriteForTest(folder / "plain", PatternForTest(10));
  WriteForTest(folder / "real", PatternForTest(3));
  ASSERT_EQ(::symlink("real", (folder / "link").c_str()), 0);
  SealOptions options;
  options.replace = true;
  ASSERT_TRUE(SealFile(folder / "plain", folder / "link", KekForTest(7), options));
  EXPECT_GT(ReadForTest(folder / "real").size(), kKeyBlockAreaSize);
  struct stat status {};
  ASSERT_EQ(::lstat((folder / "link").c_str(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
}

TEST(SealedFile, DeviceAsOutputIsWrittenNotReplaced) {
  const FolderForTest folder;
  WriteForTest(folder / "plain", PatternForTest(100'000));
  EXPECT_TRUE(SealFile(folder / "plain", "/dev/null", KekForTest(7), SmallFrames()));
  struct stat status {};
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST(SealedFile, FullDiskIsAClearErrorAndLeavesNothing) {
  const FolderForTest folder;
  WriteForTest(folder / "plain", PatternForTest(100'000));
  const auto sealed = SealFile(folder / "plain", "/dev/full", KekForTest(7), SmallFrames());
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, Code::kIo);
  EXPECT_EQ(sealed.error().detail, static_cast<std::uint64_t>(ENOSPC));
  EXPECT_THAT(sealed.error().message, HasSubstr("/dev/full"));
}

TEST(SealedFile, CancellingLeavesNothing) {
  const FolderForTest folder;
  WriteForTest(folder / "plain", PatternForTest(100'000));
  std::atomic<bool> cancelled{false};
  SealOptions options = SmallFrames();
  options.flow.cancelled = &cancelled;
  options.flow.progress = [&](std::uint64_t done, auto) { cancelled = done > 20'000; };
  const auto sealed = SealFile(folder / "plain", folder / "sealed", KekForTest(7), options);
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, Code::kIo);
  EXPECT_EQ(sealed.error().detail, static_cast<std::uint64_t>(EINTR));
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(SealedFile, CancellingWakesAReaderThatWaitsForAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const FileDescriptor read_end(ends[0]), write_end(ends[1]);
  std::atomic<bool> cancelled{false};
  FdSource source(read_end.get(), "pipe", &cancelled);
  std::uint8_t byte = 0;
  const std::jthread canceller([&] { cancelled = true; });
  EXPECT_EQ(source.Read({&byte, 1}).error().detail, static_cast<std::uint64_t>(EINTR));
}

TEST(SealedFile, ProgressRisesToTheWhole) {
  const FolderForTest folder;
  WriteForTest(folder / "plain", PatternForTest(50'500));
  std::uint64_t last = 0;
  SealOptions options = SmallFrames();
  options.flow.progress = [&](std::uint64_t done, std::optional<std::uint64_t> total) {
    EXPECT_GT(done, last);
    EXPECT_EQ(total, 50'500u);
    last = done;
  };
  ASSERT_TRUE(SealFile(folder / "plain", folder / "sealed", KekForTest(7), options));
  EXPECT_EQ(last, 50'500u);
}

TEST(SealedFile, FileThatChangesMeanwhileIsRefused) {
  const FolderForTest folder;
  WriteForTest(folder / "plain", PatternForTest(50'500));
  SealOptions options = SmallFrames(1000, 1);
  options.flow.progress = [&](std::uint64_t done, auto) {
    if (done == 1000) {
      EXPECT_EQ(::truncate((folder / "plain").c_str(), 5000), 0);
    }
  };
  const auto sealed = SealFile(folder / "plain", folder / "sealed", KekForTest(7), options);
  EXPECT_EQ(sealed.error().code, Code::kConflict);
  EXPECT_FALSE(FileExists(folder / "sealed"));
}

// ---- Damage ----

struct Refusal {
  Code code;
  std::string message;
};

// Opens `sealed` as a file and as a stream; both must refuse. Gives the file's error.
Refusal MustRefuse(const Bytes& sealed, const Keyring& keks) {
  const FolderForTest folder;
  WriteForTest(folder / "sealed", sealed);
  const auto opened = OpenFile(folder / "sealed", folder / "opened", keks, Workers(2));
  EXPECT_FALSE(opened);
  EXPECT_EQ(folder.entries(), 1u) << "no output, no temporary file";
  EXPECT_FALSE(OpenInMemory(sealed, keks));
  if (opened) return {Code::kInternal, "opened"};
  EXPECT_THAT(opened.error().message, HasSubstr(folder / "sealed"));
  return {opened.error().code, opened.error().message};
}

class DamagedFile : public testing::Test {
 protected:
  const Keyring keks_ = KekForTest(7);
  const Bytes plain_ = PatternForTest(100);
  const Bytes sealed_ = SealInMemory(plain_, keks_, SmallFrames(32));
};

TEST_F(DamagedFile, OneFlippedBitAnywhereIsRefused) {
  // Every byte that is not padding of a slot, and some of that.
  for (std::size_t at = 0; at<sealed_.size(); at += at % kSlotSize> 400 && at < 8192 ? 97 : 1) {
    SCOPED_TRACE(at);
    Bytes damaged = sealed_;
    damaged[at] ^= static_cast<std::uint8_t>(1 << (at % 8));
    ASSERT_FALSE(OpenInMemory(damaged, keks_));
  }
  for (const std::size_t at :
       {0ul, 60ul, 300ul, 4000ul, 4096ul + 40, 8192ul, 8192ul + 180, sealed_.size() - 1}) {
    SCOPED_TRACE(at);
    Bytes damaged = sealed_;
    damaged[at] ^= 0x10;
    const Refusal refusal = MustRefuse(damaged, keks_);
    EXPECT_EQ(refusal.code, Code::kDamaged);
    EXPECT_THAT(refusal.message, HasSubstr("not a sealed file or damaged"));
  }
}

TEST_F(DamagedFile, TruncationAnywhereIsRefused) {
  for (std::size_t size = 0; size < sealed_.size(); size += size < 8192 ? 511 : 1) {
    SCOPED_TRACE(size);
    EXPECT_EQ(MustRefuse(Bytes(sealed_.begin(), sealed_.begin() + size), keks_).code,
              Code::kDamaged);
  }
}

TEST_F(DamagedFile, ExtensionIsRefused) {
  for (const std::size_t more : {1, 16, 32, 64, 72, 1000}) {
    SCOPED_TRACE(more);
    Bytes extended = sealed_;
    Append(extended, PatternForTest(more));
    EXPECT_EQ(MustRefuse(extended, keks_).code, Code::kDamaged);
  }
}

TEST_F(DamagedFile, ReorderedDroppedAndRepeatedFramesAreRefused) {
  const std::size_t frame = 32 + kRegularFrameOverhead;
  const std::size_t final_frame = kFinalFrameOverhead + 4;  // 100 = 3 * 32 + 4
  const std::size_t first = sealed_.size() - final_frame - 3 * frame;
  const auto at = [&](std::size_t i) { return sealed_.begin() + first + i * frame; };
  Bytes swapped = sealed_;
  std::swap_ranges(swapped.begin() + first, swapped.begin() + first + frame,
                   swapped.begin() + first + frame);
  EXPECT_EQ(MustRefuse(swapped, keks_).code, Code::kDamaged);
  Bytes dropped = sealed_;
  dropped.erase(dropped.begin() + first + frame, dropped.begin() + first + 2 * frame);
  EXPECT_EQ(MustRefuse(dropped, keks_).code, Code::kDamaged);
  Bytes repeated(sealed_.begin(), at(1));
  repeated.insert(repeated.end(), at(0), sealed_.end());
  EXPECT_EQ(MustRefuse(repeated, keks_).code, Code::kDamaged);
}

TEST_F(DamagedFile, DataOfAnotherFileUnderTheSameKekIsRefused) {
  Bytes mixed = SealInMemory(plain_, keks_, SmallFrames(32));
  std::copy(sealed_.begin(), sealed_.begin() + kKeyBlockAreaSize, mixed.begin());
  EXPECT_EQ(MustRefuse(mixed, keks_).code, Code::kDamaged);
}

TEST_F(DamagedFile, FileUnderAForeignKekIsRefused) {
  EXPECT_EQ(MustRefuse(sealed_, KekForTest(7, "kek-0002")).code, Code::kDamaged);
  EXPECT_EQ(MustRefuse(sealed_, KekForTest(8)).code, Code::kDamaged);
}

TEST_F(DamagedFile, OtherKindsOfFilesAreNamedSo) {
  for (const Bytes& other : {Bytes{}, Bytes(3, 'x'), PatternForTest(100'000), Bytes(9000, 0)}) {
    const Refusal refusal = MustRefuse(other, keks_);
    EXPECT_EQ(refusal.code, Code::kDamaged);
    EXPECT_THAT(refusal.message, HasSubstr("not a sealed file"));
  }
}

TEST(SealedFile, ErrorsOfTheKmsPassUnchanged) {
  const Keyring keks = KekForTest(7);
  const Bytes sealed = SealInMemory(PatternForTest(100), keks, SmallFrames());
  auto kms = std::make_shared<KmsForTest>(keks);
  for (const Code code : {Code::kDenied, Code::kUnavailable, Code::kNotFound}) {
    kms->failure = Error(code, "the KMS says so", 42);
    const FolderForTest folder;
    WriteForTest(folder / "sealed", sealed);
    const auto opened = OpenFile(folder / "sealed", folder / "opened", {kms}, {});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, code);
    EXPECT_EQ(opened.error().message, "the KMS says so");
    EXPECT_EQ(opened.error().detail, 42u);
    EXPECT_FALSE(FileExists(folder / "opened"));
    EXPECT_EQ(SealFile(folder / "sealed", folder / "x", {kms}, {}).error().code, code);
  }
}

TEST(SealedFile, SecondKekOpensWhenTheFirstIsUnreachable) {
  auto first = std::make_shared<KmsForTest>(KekForTest(1, "kek-one"));
  const Keyring both{first, KekForTest(2, "kek-two")[0]};
  const Bytes plain = PatternForTest(100);
  const Bytes sealed = SealInMemory(plain, both, SmallFrames());
  first->failure = Error(Code::kUnavailable, "no route");
  EXPECT_EQ(OpenInMemory(sealed, both).value(), plain);
}

TEST(SealedFile, OpeningAsksTheKmsOnce) {
  auto kms = std::make_shared<KmsForTest>(KekForTest(1));
  const Bytes sealed = SealInMemory(PatternForTest(100), {kms}, SmallFrames());
  EXPECT_EQ(kms->unwraps, 1) << "the check of what it wrapped";
  kms->unwraps = 0;
  EXPECT_TRUE(OpenInMemory(sealed, {kms}));
  EXPECT_EQ(kms->unwraps, 1);
}

TEST(SealedFile, InspectionNeedsNoKey) {
  const FolderForTest folder;
  SealOptions options = SmallFrames(1000);
  ASSERT_TRUE(options.context.AddPortable("tenant", "acme"));
  WriteForTest(folder / "s", SealInMemory(PatternForTest(12'345), KekForTest(1), options));
  const SealedFileFacts facts = InspectFile(folder / "s").value();
  EXPECT_TRUE(facts.slots_identical);
  EXPECT_EQ(facts.current_slot, 0u);
  EXPECT_EQ(facts.slots[0].generation, 1u);
  EXPECT_EQ(facts.plaintext_bytes, 12'345u);
  EXPECT_EQ(facts.data_header.frame_length, 1000u);
  EXPECT_EQ(*facts.data_header.context.Find("tenant"), "acme");
  const EncryptedDataKey& kek = facts.slots[0].header.edks.at(0);
  EXPECT_EQ(kek.provider_id, "kmip:kms.example");
  EXPECT_EQ(KeyNameOf(kek), "kek-0001");
  EXPECT_EQ(KeyNameOf(facts.data_header.edks.at(0)), facts.slots[0].block_id);
  WriteForTest(folder / "x", PatternForTest(20'000));
  EXPECT_EQ(InspectFile(folder / "x").error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::envelope

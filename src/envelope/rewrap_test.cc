#include "envelope/rewrap.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include "envelope/envelope_for_test.h"
#include "envelope/inspect.h"
#include "envelope/sealed_file.h"

namespace dare::envelope {
namespace {

Bytes AreaOf(const KeyBlock& block, const Keyring& keks) {
  Bytes area = SealKeyBlock(block, keks).value();
  const Bytes slot = area;
  Append(area, slot);
  return area;
}

// An area in memory whose writes reach it in sectors, and which loses power after some of them.
class FragileArea final : public RewritableArea {
 public:
  FragileArea(Bytes bytes, std::size_t sectors_to_live)
      : bytes_(std::move(bytes)), sectors_to_live_(sectors_to_live) {}

  Result<Bytes> Read() override {
    if (dead_) return Error(Code::kIo, "no power");
    return bytes_;
  }
  Result<void> WriteSlot(std::size_t index, ByteView bytes) override {
    for (std::size_t at = 0; at < bytes.size(); at += 512) {
      if (dead_ || sectors_to_live_ == 0) {
        dead_ = true;
        return Error(Code::kIo, "no power");
      }
      --sectors_to_live_;
      // A disk may write the sectors of one request in any order: backwards here.
      const std::size_t sector = backwards ? bytes.size() - 512 - at : at;
      std::copy_n(bytes.begin() + sector, 512, bytes_.begin() + index * kSlotSize + sector);
    }
    return {};
  }
  Result<void> Sync() override { return {}; }

  const Bytes& bytes() const { return bytes_; }
  bool backwards = false;

 private:
  Bytes bytes_;
  std::size_t sectors_to_live_;
  bool dead_ = false;
};

TEST(Rewrap, KeepsTheBlockKeyAndNeedsNoOldKekAfterwards) {
  const Keyring old_keks = KekForTest(1, "old"), new_keks = KekForTest(2, "new");
  const KeyBlock block = KeyBlock::New().value();
  FragileArea area(AreaOf(block, old_keks), 1000);
  const RewrapSummary summary = RewrapArea(area, old_keks, new_keks).value();
  EXPECT_EQ(summary.generation, 2u);
  EXPECT_EQ(summary.block_id, block.id);
  const OpenedSlot now = OpenKeyBlockArea(area.bytes(), new_keks, SlotTolerance::kStrict).value();
  EXPECT_TRUE(now.identical);
  EXPECT_TRUE(now.block.key == block.key);
  EXPECT_FALSE(OpenKeyBlockArea(area.bytes(), old_keks, SlotTolerance::kRepair));
}

TEST(Rewrap, TornAfterAnySectorTheFileStillOpens) {
  const Keyring old_keks = KekForTest(1, "old"), new_keks = KekForTest(2, "new");
  const Keyring both{old_keks[0], new_keks[0]};
  const KeyBlock block = KeyBlock::New().value();
  const Bytes before = AreaOf(block, old_keks);
  constexpr std::size_t kAllSectors = 4 * kSlotSize / 512;
  for (const bool backwards : {false, true}) {
    for (std::size_t sectors = 0; sectors <= kAllSectors; ++sectors) {
      SCOPED_TRACE(sectors);
      FragileArea area(before, sectors);
      area.backwards = backwards;
      EXPECT_EQ(RewrapArea(area, old_keks, new_keks).has_value(), sectors == kAllSectors);
      const auto opened = OpenKeyBlockArea(area.bytes(), both, SlotTolerance::kStrict);
      ASSERT_TRUE(opened) << opened.error().message;
      EXPECT_TRUE(opened->block.key == block.key);
      // And the next rewrap finishes the work.
      FragileArea again(area.bytes(), 1000);
      ASSERT_TRUE(RewrapArea(again, both, new_keks));
      EXPECT_TRUE(OpenKeyBlockArea(again.bytes(), new_keks, SlotTolerance::kStrict)->identical);
    }
  }
}

TEST(Rewrap, EverySlotMessageIsANewOne) {
  const Keyring keks = KekForTest(1);
  FragileArea area(AreaOf(KeyBlock::New().value(), keks), 1000);
  std::vector<Bytes> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(ExamineSlots(area.bytes())[0].header.message_id);
    ASSERT_TRUE(RewrapArea(area, keks, keks));
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

TEST(Rewrap, FailingKmsLeavesTheFileAlone) {
  const Keyring old_keks = KekForTest(1, "old");
  auto kms = std::make_shared<KmsForTest>(KekForTest(2, "new"));
  kms->failure = Error(Code::kDenied, "no");
  const Bytes before = AreaOf(KeyBlock::New().value(), old_keks);
  FragileArea area(before, 1000);
  EXPECT_EQ(RewrapArea(area, old_keks, {kms}).error().code, Code::kDenied);
  EXPECT_EQ(area.bytes(), before);
}

TEST(Rewrap, RepairsADamagedSlotThatOpeningRefuses) {
  const Keyring keks = KekForTest(1);
  const KeyBlock block = KeyBlock::New().value();
  for (const std::size_t at : {5ul, 300ul, 4000ul, 4096ul + 5, 4096ul + 4000}) {
    SCOPED_TRACE(at);
    Bytes bytes = AreaOf(block, keks);
    bytes[at] ^= 1;
    EXPECT_EQ(OpenKeyBlockArea(bytes, keks, SlotTolerance::kStrict).error().code, Code::kDamaged);
    FragileArea area(bytes, 1000);
    ASSERT_TRUE(RewrapArea(area, keks, keks));
    const auto opened = OpenKeyBlockArea(area.bytes(), keks, SlotTolerance::kStrict);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->block.key == block.key);
  }
}

TEST(Rewrap, SlotPutThereByAnotherIsRefused) {
  const Keyring keks = KekForTest(1);
  KeyBlock mine = KeyBlock::New().value();
  KeyBlock foreign = KeyBlock::New().value();
  foreign.generation = 9;
  Bytes area = AreaOf(mine, keks);
  const Bytes other = SealKeyBlock(foreign, keks).value();
  std::copy(other.begin(), other.end(), area.begin() + kSlotSize);
  EXPECT_EQ(OpenKeyBlockArea(area, keks, SlotTolerance::kStrict).error().code, Code::kDamaged);
}

TEST(Rewrap, ChangesOnlyTheKeyBlockAreaOfAFile) {
  const FolderForTest folder;
  const Keyring old_keks = KekForTest(1, "old");
  const Keyring new_keks{KekForTest(2, "new")[0], KekForTest(3, "recovery")[0]};
  WriteForTest(folder / "plain", PatternForTest(100'000));
  ASSERT_TRUE(SealFile(folder / "plain", folder / "sealed", old_keks, {}));
  const Bytes before = ReadForTest(folder / "sealed");
  ASSERT_TRUE(RewrapFile(folder / "sealed", {old_keks, new_keks}));
  const Bytes after = ReadForTest(folder / "sealed");
  ASSERT_EQ(after.size(), before.size());
  EXPECT_TRUE(std::equal(before.begin() + kKeyBlockAreaSize, before.end(),
                         after.begin() + kKeyBlockAreaSize));
  EXPECT_EQ(InspectFile(folder / "sealed")->slots[1].header.edks.size(), 2u);
  for (const auto& kek : new_keks) {
    OpenOptions options;
    options.replace = true;
    ASSERT_TRUE(OpenFile(folder / "sealed", folder / "opened", {kek}, options));
    EXPECT_EQ(ReadForTest(folder / "opened"), PatternForTest(100'000));
  }
  EXPECT_FALSE(OpenFile(folder / "sealed", folder / "x", old_keks, {}));
}

TEST(Rewrap, RefusesAFileThatAnotherProcessIsRewrapping) {
  const FolderForTest folder;
  const Keyring keks = KekForTest(1);
  WriteForTest(folder / "plain", PatternForTest(10));
  ASSERT_TRUE(SealFile(folder / "plain", folder / "sealed", keks, {}));
  const FileDescriptor other(::open((folder / "sealed").c_str(), O_RDWR));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  EXPECT_EQ(RewrapFile(folder / "sealed", {keks, keks}).error().code, Code::kConflict);
  EXPECT_EQ(RewrapFile(folder / "plain", {keks, keks}).error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::envelope

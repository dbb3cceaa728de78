#include "envelope/rewrap_areas.h"

#include <gtest/gtest.h>

#include "envelope/asked_ahead.h"
#include "envelope/envelope_for_test.h"
#include "envelope/key_block.h"

// Several areas together; what holds for each alone is in rewrap_test.cc.
namespace dare::envelope {
namespace {

// An area in memory that notes what is done to it in a list that several share, and whose writes
// fail from one of them on.
class NotingArea final : public RewritableArea {
 public:
  NotingArea(Bytes bytes, std::vector<char>& notes) : bytes_(std::move(bytes)), notes_(notes) {}

  Result<Bytes> Read() override {
    notes_.push_back('r');
    if (unreadable) return Error(Code::kIo, "unreadable");
    return bytes_;
  }
  Result<void> WriteSlot(std::size_t index, ByteView bytes) override {
    notes_.push_back(bytes[0] == 0 ? 'z' : 'w');
    if (writes_to_live == 0) return Error(Code::kIo, "no space");
    --writes_to_live;
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<long>(index * kSlotSize));
    return {};
  }
  Result<void> Sync() override {
    notes_.push_back('s');
    return {};
  }

  const Bytes& bytes() const { return bytes_; }
  bool unreadable = false;
  int writes_to_live = 100;

 private:
  Bytes bytes_;
  std::vector<char>& notes_;
};

// Counts how often it is asked, however much at once.
class CountingKek final : public KeyWrapper {
 public:
  explicit CountingKek(Keyring inner) : kms_(std::move(inner)) {}
  Result<EncryptedDataKey> Wrap(const Dek& dek, ByteView aad) override {
    ++single;
    return kms_.Wrap(dek, aad);
  }
  Result<std::optional<Dek>> Unwrap(const EncryptedDataKey& edk, ByteView aad) override {
    ++single;
    return kms_.Unwrap(edk, aad);
  }
  std::vector<Result<EncryptedDataKey>> WrapMany(std::span<const DekToWrap> deks) override {
    wraps.push_back(deks.size());
    return kms_.WrapMany(deks);
  }
  std::vector<Result<std::optional<Dek>>> UnwrapMany(std::span<const EdkToUnwrap> edks) override {
    unwraps.push_back(edks.size());
    return kms_.UnwrapMany(edks);
  }
  void Fail(Code code) { kms_.failure = Error(code, "no"); }

  int single = 0;
  std::vector<std::size_t> wraps, unwraps;

 private:
  KmsForTest kms_;
};

Bytes SlotTwice(Bytes slot) {
  const Bytes copy = slot;
  Append(slot, copy);
  return slot;
}

class RewrapAreasTest : public testing::Test {
 protected:
  // Adds an area with a block of its own, under `keks`.
  NotingArea& Add(const Keyring& keks) {
    blocks_.push_back(KeyBlock::New().value());
    return Add(SlotTwice(SealKeyBlock(blocks_.back(), keks).value()));
  }
  NotingArea& Add(Bytes bytes) {
    areas_.push_back(std::make_unique<NotingArea>(std::move(bytes), notes_));
    return *areas_.back();
  }
  RewrapResults Rewrap(const Keyring& old_keks, const Keyring& new_keks) {
    std::vector<RewritableArea*> areas;
    for (const auto& area : areas_) areas.push_back(area.get());
    return RewrapAreas(areas, old_keks, new_keks);
  }
  static void ExpectUnder(const NotingArea& area, const Keyring& keks, const KeyBlock& block) {
    const auto opened = OpenKeyBlockArea(area.bytes(), keks, SlotTolerance::kStrict);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE(opened->identical);
    EXPECT_TRUE(opened->block.key == block.key);
  }

  const Keyring old_keks_ = KekForTest(1, "old"), new_keks_ = KekForTest(2, "new");
  std::vector<char> notes_;
  std::vector<KeyBlock> blocks_;
  std::vector<std::unique_ptr<NotingArea>> areas_;
};

TEST_F(RewrapAreasTest, AsksForAllKeysTogether) {
  for (int i = 0; i < 50; ++i) Add(old_keks_);
  const auto old_kek = std::make_shared<CountingKek>(old_keks_);
  const auto new_kek = std::make_shared<CountingKek>(new_keks_);
  const RewrapResults results = Rewrap({old_kek}, {new_kek});
  EXPECT_FALSE(results.new_keks_fault);
  for (std::size_t i = 0; i < areas_.size(); ++i) {
    ASSERT_TRUE(results.each[i]);
    EXPECT_EQ(results.each[i]->block_id, blocks_[i].id);
    EXPECT_EQ(results.each[i]->generation, 2u);
    ExpectUnder(*areas_[i], new_keks_, blocks_[i]);
  }
  EXPECT_EQ(old_kek->unwraps, std::vector<std::size_t>{50});
  EXPECT_EQ(new_kek->wraps, std::vector<std::size_t>{50});
  EXPECT_EQ(new_kek->unwraps, std::vector<std::size_t>{50}) << "each new copy is tried once";
  EXPECT_EQ(old_kek->single + new_kek->single, 0);
}

TEST_F(RewrapAreasTest, EachTakesAStepBeforeAnyTakesTheNext) {
  for (int i = 0; i < 3; ++i) Add(old_keks_);
  ASSERT_TRUE(Rewrap(old_keks_, new_keks_).each[0]);
  EXPECT_EQ(std::string(notes_.begin(), notes_.end()),
            "rrr"
            "zzzssswwwsss"
            "rrr"
            "zzzssswwwsss");
}

TEST_F(RewrapAreasTest, OneThatFailsAnywhereDoesNotHoldUpTheOthers) {
  Add(old_keks_).unreadable = true;
  Add(KekForTest(9, "strange"));
  Add(Bytes(100, 2));
  for (int writes = 0; writes <= 4; ++writes) Add(old_keks_).writes_to_live = writes;
  const RewrapResults results = Rewrap(old_keks_, new_keks_);
  EXPECT_FALSE(results.new_keks_fault);
  EXPECT_EQ(results.each[0].error().code, Code::kIo);
  EXPECT_EQ(results.each[1].error().code, Code::kDamaged);
  EXPECT_EQ(results.each[2].error().code, Code::kDamaged);
  const Keyring both{old_keks_[0], new_keks_[0]};
  for (int writes = 0; writes < 4; ++writes) {
    SCOPED_TRACE(writes);
    const std::size_t i = 3 + static_cast<std::size_t>(writes);
    EXPECT_EQ(results.each[i].error().code, Code::kIo);
    const auto opened = OpenKeyBlockArea(areas_[i]->bytes(), both, SlotTolerance::kStrict);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE(opened->block.key == blocks_[2 + static_cast<std::size_t>(writes)].key);
  }
  ASSERT_TRUE(results.each.back());
  ExpectUnder(*areas_.back(), new_keks_, blocks_.back());
}

TEST_F(RewrapAreasTest, ARefusedNewKekIsToldAndNothingIsWritten) {
  for (int i = 0; i < 5; ++i) Add(old_keks_);
  areas_[1]->unreadable = true;
  const auto new_kek = std::make_shared<CountingKek>(new_keks_);
  new_kek->Fail(Code::kDenied);
  const RewrapResults results = Rewrap(old_keks_, {new_kek});
  ASSERT_TRUE(results.new_keks_fault);
  EXPECT_EQ(results.new_keks_fault->code, Code::kDenied);
  for (std::size_t i = 0; i < areas_.size(); ++i) {
    EXPECT_EQ(results.each[i].error().code, i == 1 ? Code::kIo : Code::kDenied);
  }
  EXPECT_EQ(std::string(notes_.begin(), notes_.end()), "rrrrr");
}

TEST_F(RewrapAreasTest, TheFirstCopyThatOpensCountsAndTheOthersAreNotAskedFor) {
  const Keyring second = KekForTest(3, "second");
  for (int i = 0; i < 4; ++i) Add({old_keks_[0], second[0]});
  Add(second);
  const auto first = std::make_shared<CountingKek>(old_keks_);
  const auto opening = std::make_shared<CountingKek>(second);
  for (const auto& summary : Rewrap({first, opening}, new_keks_).each) EXPECT_TRUE(summary);
  EXPECT_EQ(first->unwraps, std::vector<std::size_t>{5});
  EXPECT_EQ(opening->unwraps, std::vector<std::size_t>{1}) << "what opened is not asked for again";
  EXPECT_EQ(first->single + opening->single, 0);
}

TEST_F(RewrapAreasTest, WhenTheFirstKekRefusesTheSecondIsAskedForAllTogether) {
  const Keyring second = KekForTest(3, "second");
  for (int i = 0; i < 4; ++i) Add({old_keks_[0], second[0]});
  const auto refusing = std::make_shared<CountingKek>(old_keks_);
  refusing->Fail(Code::kDenied);
  const auto opening = std::make_shared<CountingKek>(second);
  for (const auto& summary : Rewrap({refusing, opening}, new_keks_).each) EXPECT_TRUE(summary);
  EXPECT_EQ(opening->unwraps, (std::vector<std::size_t>{4, 4})) << "one turn for each copy";
  EXPECT_EQ(refusing->single + opening->single, 0);
}

TEST_F(RewrapAreasTest, NobodyIsAskedTwiceWhoDoesNotAnswer) {
  for (int i = 0; i < 4; ++i) Add(Keyring{old_keks_[0], KekForTest(3, "second")[0]});
  const auto away = std::make_shared<CountingKek>(old_keks_);
  away->Fail(Code::kUnavailable);
  for (const auto& summary : Rewrap({away}, new_keks_).each) {
    EXPECT_EQ(summary.error().code, Code::kUnavailable);
  }
  EXPECT_EQ(away->unwraps, std::vector<std::size_t>{4});
  EXPECT_EQ(away->single, 0);
}

TEST_F(RewrapAreasTest, CopiesOfOneFileAreDoneEach) {
  Add(old_keks_);
  Add(areas_[0]->bytes());
  for (const auto& summary : Rewrap(old_keks_, new_keks_).each) EXPECT_TRUE(summary);
  ExpectUnder(*areas_[0], new_keks_, blocks_[0]);
  ExpectUnder(*areas_[1], new_keks_, blocks_[0]);
  EXPECT_NE(areas_[0]->bytes(), areas_[1]->bytes()) << "each message has a DEK of its own";
}

TEST_F(RewrapAreasTest, NothingIsNoWork) {
  const RewrapResults results = Rewrap(old_keks_, new_keks_);
  EXPECT_TRUE(results.each.empty());
  EXPECT_FALSE(results.new_keks_fault);
}

}  // namespace
}  // namespace dare::envelope

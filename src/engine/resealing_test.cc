#include "engine/resealing.h"

#include <gtest/gtest.h>

#include "custody/sealer_ring.h"
#include "engine/vault.h"
#include "hsm/memory_sealer_for_test.h"
#include "hsm/sealed_record.h"
#include "kmip/payloads/get.h"
#include "kmip/tags.h"
#include "store/memory_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Tag;

class ResealingTest : public testing::Test {
 protected:
  ResealingTest() {
    Use(old_);
    vault_ = std::move(*Vault::Open(*store_, ring_));
    kmip::ManagedObject object;
    object.id = "one";
    object.type = kmip::ObjectType::kSymmetricKey;
    object.owner = "alice";
    object.attributes.Add(Attribute::OfName("name"));
    object.attributes.Add(Attribute::OfInteger(Tag::kCryptographicUsageMask, 12));
    object.material =
        std::move(*kmip::MakeSymmetricKey(Bytes(32, 7), kmip::CryptographicAlgorithm::kAES));
    auto transaction = *store_->Begin();
    EXPECT_TRUE(vault_->Insert(*transaction, object).has_value());
    EXPECT_TRUE(transaction->Commit().has_value());
  }
  void Use(const std::shared_ptr<hsm::Sealer>& sealer) {
    ring_.Put({sealer, nullptr});
    EXPECT_TRUE(ring_.SetCurrent(sealer->info().key_id).has_value());
  }
  // Whether it was done.
  bool Reseal() {
    auto transaction = *store_->Begin();
    const auto resealed = ResealRecord(*transaction, *vault_, ring_, "one");
    EXPECT_TRUE(resealed.has_value()) << resealed.error().message;
    EXPECT_TRUE(transaction->Commit().has_value());
    return *resealed;
  }
  bool ResealKey() {
    auto transaction = *store_->Begin();
    const auto resealed = ResealRecordKey(*transaction, ring_);
    EXPECT_TRUE(resealed.has_value()) << resealed.error().message;
    EXPECT_TRUE(transaction->Commit().has_value());
    return *resealed;
  }
  Bytes KeyOfRecord() { return *hsm::KeyIdOf(store_->Get("one")->material); }

  const std::shared_ptr<hsm::Sealer> old_ = hsm::MemorySealerForTest::Make();
  const std::shared_ptr<hsm::Sealer> fresh_ = hsm::MemorySealerForTest::Make();
  custody::SealerRing ring_;
  std::unique_ptr<store::ObjectStore> store_ = store::MakeMemoryStore();
  std::unique_ptr<Vault> vault_;
};

TEST_F(ResealingTest, MovesRecordAndRecordKeyOnceAndWithThemTheWholeStore) {
  EXPECT_FALSE(Reseal()) << "it is where it should be";
  EXPECT_FALSE(ResealKey());
  Use(fresh_);
  EXPECT_TRUE(Reseal());
  EXPECT_TRUE(ResealKey());
  EXPECT_FALSE(Reseal());
  EXPECT_FALSE(ResealKey());
  EXPECT_EQ(KeyOfRecord(), fresh_->info().key_id);
  // Nothing needs the old key: a vault that has only the new one opens everything.
  const auto vault = Vault::Open(*store_, *fresh_);
  ASSERT_TRUE(vault.has_value()) << vault.error().message;
  const auto loaded = (*vault)->Load(*store_, "one", Vault::Material::kOpen);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(ToBytes(*loaded->object.Block()->KeyBytes()), Bytes(32, 7));
  EXPECT_EQ(loaded->row_version, 2u) << "a change like any other: caches notice";
}

TEST_F(ResealingTest, AnyChangeOfARecordTakesItToThePresentKey) {
  Use(fresh_);
  const StoredObject stored = *vault_->Load(*store_, "one", Vault::Material::kOpen);
  auto transaction = *store_->Begin();
  ASSERT_TRUE(vault_->UpdateAttributes(*transaction, stored, stored.object.attributes).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  EXPECT_EQ(KeyOfRecord(), fresh_->info().key_id);
}

TEST_F(ResealingTest, LeavesAloneWhatHasNoMaterialOrIsGone) {
  const StoredObject stored = *vault_->Load(*store_, "one", Vault::Material::kOpen);
  {
    auto transaction = *store_->Begin();
    ASSERT_TRUE(
        vault_->DestroyMaterial(*transaction, stored, stored.object.attributes).has_value());
    ASSERT_TRUE(transaction->Commit().has_value());
  }
  Use(fresh_);
  EXPECT_FALSE(Reseal());
  auto transaction = *store_->Begin();
  EXPECT_FALSE(*ResealRecord(*transaction, *vault_, ring_, "nothing"));
}

TEST_F(ResealingTest, RefusesARecordThatSomebodyEdited) {
  store::ObjectRecord record = *store_->Get("one");
  record.material.back() ^= 1;
  auto transaction = *store_->Begin();
  ASSERT_TRUE(transaction->Update(record, 1).has_value());
  Use(fresh_);
  EXPECT_EQ(ResealRecord(*transaction, *vault_, ring_, "one").error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::engine

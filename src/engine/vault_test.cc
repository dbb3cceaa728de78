#include "engine/vault.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/digest.h"
#include "engine/engine_for_test.h"
#include "engine/object_index.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/payloads/get.h"
#include "kmip/tags.h"
#include "store/memory_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Tag;

kmip::ManagedObject Key(const std::string& id, std::uint8_t fill) {
  kmip::ManagedObject object;
  object.id = id;
  object.type = kmip::ObjectType::kSymmetricKey;
  object.owner = "alice";
  object.attributes.Add(Attribute::OfName("name-" + id));
  object.attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, 256));
  object.attributes.Add(Attribute::OfInteger(Tag::kCryptographicUsageMask, 12));
  object.attributes.Add(Attribute::OfDate(Tag::kInitialDate, 1'700'000'000));
  object.material =
      std::move(*kmip::MakeSymmetricKey(Bytes(32, fill), kmip::CryptographicAlgorithm::kAES));
  return object;
}

class VaultTest : public testing::Test {
 protected:
  void SetUp() override {
    Put(Key("one", 1));
    Put(Key("two", 2));
  }
  void Put(const kmip::ManagedObject& object) {
    auto transaction = store_->Begin();
    ASSERT_TRUE(vault_->Insert(**transaction, object));
    ASSERT_TRUE((*transaction)->Commit());
  }
  // Writes the row behind the vault's back, as somebody with the database would.
  void Forge(store::ObjectRecord record) {
    auto transaction = store_->Begin();
    const auto stored = (*transaction)->Get(record.id);
    ASSERT_TRUE(stored);
    ASSERT_TRUE((*transaction)->Remove(record.id));
    ASSERT_TRUE((*transaction)->Insert(record));
    ASSERT_TRUE((*transaction)->Commit());
  }
  Result<StoredObject> Load(const std::string& id) {
    return vault_->Load(*store_, id, Vault::Material::kOpen);
  }

  std::unique_ptr<hsm::MemorySealerForTest> sealer_ = hsm::MemorySealerForTest::Make();
  std::unique_ptr<store::ObjectStore> store_ = store::MakeMemoryStore();
  std::unique_ptr<Vault> vault_ = std::move(*Vault::Open(*store_, *sealer_));
};

TEST_F(VaultTest, GivesBackWhatItWasGiven) {
  const auto loaded = Load("one");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->object.owner, "alice");
  EXPECT_EQ(loaded->object.attributes.Names(), std::vector<std::string>{"name-one"});
  EXPECT_EQ(ToBytes(*loaded->object.Block()->KeyBytes()), Bytes(32, 1));
}

TEST_F(VaultTest, TheStoreSeesNoKeyMaterial) {
  const auto record = store_->Get("one");
  const Bytes key(32, 1);
  for (const Bytes* field : {&record->attributes, &record->material}) {
    EXPECT_EQ(std::search(field->begin(), field->end(), key.begin(), key.end()), field->end());
  }
}

TEST_F(VaultTest, TheStoreSeesNoDigestOfTheMaterial) {
  kmip::ManagedObject password = Key("password", 3);
  const crypto::Sha256Digest hash = crypto::Sha256(AsBytes("letmein"));
  const auto digest = [&](kmip::KeyFormatType format) {
    ttlv::Writer out;
    out.Structure(Tag::kDigest, [&] {
      out.Enum(Tag::kHashingAlgorithm, kmip::HashingAlgorithm::kSHA_256);
      out.ByteString(Tag::kDigestValue, hash);
      out.Enum(Tag::kKeyFormatType, format);
    });
    return Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
  };
  password.attributes.Add(digest(kmip::KeyFormatType::kRaw));
  password.attributes.Add(digest(kmip::KeyFormatType::kOpaque));
  Put(password);
  const Bytes stored = store_->Get("password")->attributes;
  EXPECT_EQ(std::search(stored.begin(), stored.end(), hash.begin(), hash.end()), stored.end());
  const auto loaded = Load("password");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->object.attributes.all(), password.attributes.all());
}

TEST_F(VaultTest, RefusesARecordCopiedOverAnother) {
  store::ObjectRecord forged = *store_->Get("one");
  forged.id = "two";
  forged.index = store_->Get("two")->index;
  Forge(forged);
  EXPECT_EQ(Load("two").error().code, Code::kDamaged);
  EXPECT_TRUE(Load("one"));
}

TEST_F(VaultTest, RefusesMaterialOfAnotherObject) {
  store::ObjectRecord forged = *store_->Get("two");
  forged.material = store_->Get("one")->material;
  Forge(forged);
  EXPECT_EQ(Load("two").error().code, Code::kDamaged);
}

TEST_F(VaultTest, RefusesEveryFlippedBit) {
  const store::ObjectRecord good = *store_->Get("one");
  for (Bytes store::ObjectRecord::*field :
       {&store::ObjectRecord::attributes, &store::ObjectRecord::material}) {
    for (std::size_t i = 0; i < (good.*field).size(); ++i) {
      store::ObjectRecord forged = good;
      (forged.*field)[i] ^= static_cast<std::uint8_t>(1u << (i % 8));
      Forge(forged);
      ASSERT_EQ(Load("one").error().code, Code::kDamaged) << i;
    }
  }
  Forge(good);
  EXPECT_TRUE(Load("one"));
}

TEST_F(VaultTest, RefusesEveryOtherColumnEdited) {
  const store::ObjectRecord good = *store_->Get("one");
  std::vector<store::ObjectRecord> forgeries(7, good);
  forgeries[0].owner = "mallory";
  forgeries[1].state = 2;
  forgeries[2].created += 1;
  forgeries[3].object_type = 7;
  forgeries[4].index.clear();
  forgeries[5].index.at(0).key = "other";
  forgeries[6].index.at(0).unique = false;
  for (const store::ObjectRecord& forged : forgeries) {
    Forge(forged);
    EXPECT_EQ(Load("one").error().code, Code::kDamaged);
  }
}

TEST_F(VaultTest, RefusesAnOlderVersionOfTheRow) {
  const store::ObjectRecord old = *store_->Get("one");
  {
    const auto stored = Load("one");
    kmip::AttributeSet attributes = stored->object.attributes;
    attributes.Set(Attribute::OfText(Tag::kContactInformation, "ops"));
    auto transaction = store_->Begin();
    ASSERT_TRUE(vault_->UpdateAttributes(**transaction, *stored, attributes));
    ASSERT_TRUE((*transaction)->Commit());
  }
  // The store counts row versions itself: an old row put in place of the new one carries the new
  // number.
  store::ObjectRecord replayed = old;
  auto transaction = store_->Begin();
  ASSERT_TRUE((*transaction)->Update(replayed, 2));
  ASSERT_TRUE((*transaction)->Commit());
  EXPECT_EQ(Load("one").error().code, Code::kDamaged);
}

TEST_F(VaultTest, ResealsWhenTheUsageMaskChanges) {
  const auto stored = Load("one");
  kmip::AttributeSet attributes = stored->object.attributes;
  attributes.Set(Attribute::OfInteger(Tag::kCryptographicUsageMask, 4));
  auto transaction = store_->Begin();
  ASSERT_TRUE(vault_->UpdateAttributes(**transaction, *stored, attributes));
  ASSERT_TRUE((*transaction)->Commit());
  EXPECT_NE(store_->Get("one")->material, stored->sealed_material);
  EXPECT_EQ(ToBytes(*Load("one")->object.Block()->KeyBytes()), Bytes(32, 1));
}

TEST_F(VaultTest, DestroyForgetsTheMaterial) {
  const auto stored = Load("one");
  auto transaction = store_->Begin();
  ASSERT_TRUE(vault_->DestroyMaterial(**transaction, *stored, stored->object.attributes));
  ASSERT_TRUE((*transaction)->Commit());
  EXPECT_TRUE(store_->Get("one")->material.empty());
  EXPECT_TRUE(Load("one")->object.material.empty());
}

TEST_F(VaultTest, AnotherHsmOpensNothing) {
  const auto other = hsm::MemorySealerForTest::Make();
  EXPECT_FALSE(Vault::Open(*store_, *other));
}

TEST_F(VaultTest, RefusesAStoreThatLostItsRecordKey) {
  auto transaction = store_->Begin();
  ASSERT_TRUE((*transaction)->RemoveMeta("record-key"));
  ASSERT_TRUE((*transaction)->Commit());
  EXPECT_EQ(Vault::Open(*store_, *sealer_).error().code, Code::kDamaged);
}

TEST_F(VaultTest, NamesAreUniqueForAnOwner) {
  kmip::ManagedObject twin = Key("three", 3);
  twin.attributes.Set(Attribute::OfName("name-one"));
  auto transaction = store_->Begin();
  EXPECT_EQ(vault_->Insert(**transaction, twin).error().code, Code::kAlreadyExists);
}

}  // namespace
}  // namespace dare::engine

#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "engine/summed_store.h"
#include "engine/vault.h"
#include "hsm/memory_sealer_for_test.h"
#include "integrity/findings.h"
#include "kmip/managed_object.h"
#include "kmip/tags.h"
#include "store/memory_store.h"

namespace dare::integrity {

// A store as a server fills it, and the means of who can write to its database.
class WholeStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "whole-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static kmip::ManagedObject Key(const std::string& id, const std::string& name) {
    using kmip::Attribute;
    using kmip::Tag;
    kmip::ManagedObject object;
    object.id = id;
    object.type = kmip::ObjectType::kSymmetricKey;
    object.owner = "alice";
    object.attributes.Add(Attribute::OfName(name));
    object.attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, 256));
    object.attributes.Add(Attribute::OfInteger(Tag::kCryptographicUsageMask, 12));
    object.attributes.Add(Attribute::OfDate(Tag::kInitialDate, 1'700'000'000));
    object.material =
        std::move(*kmip::MakeSymmetricKey(Bytes(32, 1), kmip::CryptographicAlgorithm::kAES));
    return object;
  }
  void Create(const std::string& id) { CreateNamed(id, "name-" + id); }
  void CreateNamed(const std::string& id, const std::string& name) {
    auto transaction = summed_.Begin();
    ASSERT_TRUE(vault_->Insert(**transaction, Key(id, name)));
    ASSERT_TRUE((*transaction)->Commit());
  }
  void Change(const std::string& id) {
    const auto stored = vault_->Load(*store_, id, engine::Vault::Material::kLeaveSealed);
    ASSERT_TRUE(stored);
    auto transaction = summed_.Begin();
    ASSERT_TRUE(vault_->UpdateAttributes(**transaction, *stored, stored->object.attributes));
    ASSERT_TRUE((*transaction)->Commit());
  }
  void Remove(const std::string& id) {
    auto transaction = summed_.Begin();
    ASSERT_TRUE((*transaction)->Remove(id));
    ASSERT_TRUE((*transaction)->Commit());
  }
  // Behind the server's back.
  void Forge(const store::ObjectRecord& record) {
    auto transaction = store_->Begin();
    (void)(*transaction)->Remove(record.id);
    ASSERT_TRUE((*transaction)->Restore(record));
    ASSERT_TRUE((*transaction)->Commit());
  }
  void Steal(const std::string& id) {
    auto transaction = store_->Begin();
    ASSERT_TRUE((*transaction)->Remove(id));
    ASSERT_TRUE((*transaction)->Commit());
  }
  void PutFact(const std::string& key, ByteView value) {
    auto transaction = store_->Begin();
    ASSERT_TRUE((*transaction)->PutMeta(key, value));
    ASSERT_TRUE((*transaction)->Commit());
  }

  std::string folder_;
  std::unique_ptr<hsm::MemorySealerForTest> sealer_ = hsm::MemorySealerForTest::Make();
  std::unique_ptr<store::ObjectStore> store_ = store::MakeMemoryStore();
  std::unique_ptr<engine::Vault> vault_ = std::move(*engine::Vault::Open(*store_, *sealer_));
  engine::SummedStore summed_{*store_, *vault_, "node"};
  Findings findings_;
};

}  // namespace dare::integrity

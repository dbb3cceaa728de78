#pragma once

#include <memory>
#include <string_view>

#include "crypto/hmac_key.h"
#include "engine/stored_object.h"
#include "hsm/sealer.h"
#include "store/object_store.h"

namespace dare::engine {

// The Vault turns managed objects into records that an untrusted store may keep, and back
// (docs/formats/record.md). Material is sealed by the HSM with the object's identity as associated
// data; everything else in the row, row version and index entries included, is under a keyed check.
// So a row that was edited, swapped or copied over another does not open: kDamaged. Thread-safe;
// constant after construction. It does not decide who may do what.
class Vault {
 public:
  // Reads the record key from the store's metadata and opens it in the HSM; makes it when the store
  // is empty. kDamaged when the store has records but no record key.
  static Result<std::unique_ptr<Vault>> Open(store::ObjectStore& store, hsm::Sealer& sealer);

  enum class Material { kLeaveSealed, kOpen };
  // kNotFound; kDamaged when any part of the record fails its check.
  Result<StoredObject> Load(const store::ObjectReader& reader, const store::ObjectId& id,
                            Material material) const;
  // The object with its material opened.
  Result<StoredObject> OpenMaterial(const StoredObject& stored) const;

  // Seals a new object. kAlreadyExists when its id or one of its names is taken.
  Result<void> Insert(store::Transaction& transaction, const kmip::ManagedObject& object) const;
  // Writes `attributes` in place of those of `stored`. Reseals when the identity the material is
  // bound to changed (usage mask, …).
  Result<void> UpdateAttributes(store::Transaction& transaction, const StoredObject& stored,
                                const kmip::AttributeSet& attributes) const;
  // The same, and forgets the material for ever.
  Result<void> DestroyMaterial(store::Transaction& transaction, const StoredObject& stored,
                               const kmip::AttributeSet& attributes) const;

  // Whether the master key that seals now sealed this material.
  bool SealedByPresentKey(ByteView sealed) const;

  // A keyed check (HMAC-SHA-256 under the record key) of `content` for something else that the
  // store keeps and must not forge; nothing made for one purpose passes for another.
  Result<Bytes> Authenticate(std::string_view purpose, ByteView content) const;

 private:
  Vault(hsm::Sealer& sealer, crypto::HmacKey record_key)
      : sealer_(sealer), record_key_(std::move(record_key)) {}
  Result<StoredObject> FromRecord(store::ObjectRecord record, Material material) const;
  Result<void> Write(store::Transaction& transaction, const kmip::ManagedObject& identity,
                     const kmip::AttributeSet& attributes, std::int64_t created, Bytes sealed,
                     std::uint64_t expected_row_version) const;
  Result<Bytes> Check(const store::ObjectRecord& record) const;
  // There and back: Digest is a plain hash of the material, from which a password or a short key
  // could be guessed, so the store sees it under a mask of its own.
  Result<kmip::AttributeSet> MaskDigests(const store::ObjectId& id,
                                         const kmip::AttributeSet& attributes) const;
  Result<Bytes> DigestMask(const std::string& id, std::int32_t index, std::size_t length) const;

  hsm::Sealer& sealer_;
  const crypto::HmacKey record_key_;  // of the keyed check
};

}  // namespace dare::engine

#include "engine/vault.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/object_index.h"
#include "engine/resealing.h"
#include "engine/running_sum.h"
#include "engine/store_facts.h"
#include "hsm/sealed_record.h"
#include "kmip/enums.h"
#include "kmip/tags.h"
#include "store/change.h"
#include "ttlv/reader.h"

namespace dare::engine {
namespace {

using kmip::Tag;

constexpr std::uint8_t kRecordVersion = 1;
constexpr std::size_t kCheckBytes = crypto::HmacKey::kCodeBytes;

Error Damaged(const std::string& id) {
  return Error(Code::kDamaged, "the record of object " + id + " does not authenticate");
}

// Length-prefixed concatenation, so that no two different lists of fields give the same bytes.
class Fields {
 public:
  explicit Fields(std::string_view label) { Add(AsBytes(label)); }
  void Add(ByteView bytes) {
    std::uint8_t length[4];
    PutU32(length, static_cast<std::uint32_t>(bytes.size()));
    Append(bytes_, length);
    Append(bytes_, bytes);
  }
  void Add(std::string_view text) { Add(AsBytes(text)); }
  void AddNumber(std::uint64_t number) {
    std::uint8_t encoded[8];
    PutU64(encoded, number);
    Append(bytes_, encoded);
  }
  ByteView bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

// What sealed material is bound to: docs/formats/record.md, "Sealed material".
Fields MaterialContext(const kmip::ManagedObject& identity, const kmip::AttributeSet& attributes) {
  Fields context("dare-material-1");
  context.Add(identity.id);
  context.AddNumber(static_cast<std::uint32_t>(identity.type));
  context.AddNumber(attributes.Enumeration(Tag::kCryptographicAlgorithm).value_or(0));
  context.AddNumber(
      static_cast<std::uint32_t>(attributes.Integer(Tag::kCryptographicLength).value_or(0)));
  context.AddNumber(
      static_cast<std::uint32_t>(attributes.Integer(Tag::kCryptographicUsageMask).value_or(0)));
  context.Add(identity.owner);
  return context;
}

Fields RecordKeyContext() { return Fields("dare-record-key-1"); }

Result<std::uint64_t> RecordCount(store::ObjectStore& store) { return store.Count({}); }

}  // namespace

Result<std::unique_ptr<Vault>> Vault::Open(store::ObjectStore& store, hsm::Sealer& sealer) {
  const Result<Bytes> sealed = store.GetMeta(kRecordKeyFact);
  if (sealed) {
    Result<SecretBytes> key = sealer.Open(RecordKeyContext().bytes(), *sealed);
    if (!key) return key.error().In("cannot open the store's record key");
    return std::unique_ptr<Vault>(new Vault(sealer, TRY(crypto::HmacKey::Create(key->Reveal()))));
  }
  if (sealed.error().code != Code::kNotFound) return sealed.error();
  if (TRY(RecordCount(store)) != 0) {
    return Error(Code::kDamaged, "the store has records but its record key is gone");
  }
  SecretBytes key = TRY(SecretBytes::Random(32));
  const Bytes made = TRY(sealer.Seal(RecordKeyContext().bytes(), key.Reveal()));
  std::unique_ptr<Vault> vault(new Vault(sealer, TRY(crypto::HmacKey::Create(key.Reveal()))));
  // The sum over the store begins with nothing.
  const Bytes nothing = TRY(EncodeSum(*vault, kSumBaseKey, {}));
  // Of nodes that start together on an empty store one makes the key, and all take that one.
  const Result<void> kept =
      store::Change(store, [&](store::Transaction& transaction) -> Result<void> {
        if (transaction.GetMeta(kRecordKeyFact))
          return Error(Code::kAlreadyExists, "made meanwhile");
        TRY(transaction.PutMeta(kRecordKeyFact, made));
        return transaction.PutMeta(kSumBaseKey, nothing);
      });
  if (!kept && kept.error().code == Code::kAlreadyExists) return Open(store, sealer);
  if (!kept) return kept.error();
  return vault;
}

Result<Bytes> Vault::Check(const store::ObjectRecord& record) const {
  Fields fields("dare-record-1");
  fields.Add(record.id);
  fields.AddNumber(record.row_version);
  fields.AddNumber(record.object_type);
  fields.AddNumber(record.state);
  fields.Add(record.owner);
  fields.AddNumber(static_cast<std::uint64_t>(record.created));
  fields.Add(ByteView(record.attributes));
  fields.Add(record.material);
  std::vector<store::IndexEntry> index = record.index;
  std::sort(index.begin(), index.end(), [](const auto& a, const auto& b) {
    return std::tie(a.tag, a.scope, a.key, a.unique) < std::tie(b.tag, b.scope, b.key, b.unique);
  });
  for (const store::IndexEntry& entry : index) {
    fields.AddNumber(entry.tag);
    fields.Add(entry.scope);
    fields.Add(entry.key);
    fields.AddNumber(entry.unique ? 1 : 0);
  }
  return record_key_.Code(fields.bytes());
}

Result<Bytes> Vault::Authenticate(std::string_view purpose, ByteView content) const {
  Fields fields(purpose);
  fields.Add(content);
  return record_key_.Code(fields.bytes());
}

Result<Bytes> Vault::DigestMask(const std::string& id, std::int32_t index,
                                std::size_t length) const {
  Bytes mask;
  for (std::uint64_t block = 0; mask.size() < length; ++block) {
    Fields place("dare-digest-1");
    place.Add(id);
    place.AddNumber(static_cast<std::uint32_t>(index));
    if (block != 0) place.AddNumber(block);  // longer than SHA-256: of an imported object
    Append(mask, TRY(record_key_.Code(place.bytes())));
  }
  return mask;
}

Result<kmip::AttributeSet> Vault::MaskDigests(const std::string& id,
                                              const kmip::AttributeSet& attributes) const {
  kmip::AttributeSet masked = attributes;
  for (const kmip::Attribute& attribute : attributes.all()) {
    if (attribute.tag != Tag::kDigest) continue;
    ttlv::Reader members = TRY(attribute.View().Members());
    TRY(members.Enumeration(Tag::kHashingAlgorithm));
    const ByteView value = TRY(members.ByteString(Tag::kDigestValue));
    // An object's material never changes, so neither does what this mask is laid upon.
    const Bytes mask = TRY(DigestMask(id, attribute.index, value.size()));
    kmip::Attribute changed = attribute;
    const auto at = static_cast<std::size_t>(value.data() - attribute.item.data());
    for (std::size_t i = 0; i < value.size(); ++i) changed.item[at + i] ^= mask[i];
    masked.Replace(kmip::ReferenceTo(attribute), attribute.index, std::move(changed));
  }
  return masked;
}

Result<StoredObject> Vault::FromRecord(store::ObjectRecord record, Material material) const {
  const std::string id = record.id;
  if (record.attributes.size() < 1 + kCheckBytes || record.attributes[0] != kRecordVersion) {
    return Damaged(id);
  }
  const Bytes check(record.attributes.end() - kCheckBytes, record.attributes.end());
  record.attributes.resize(record.attributes.size() - kCheckBytes);
  if (!EqualInConstantTime(check, TRY(Check(record)))) return Damaged(id);

  Result<kmip::AttributeSet> attributes =
      kmip::AttributeSet::Parse(ByteView(record.attributes).subspan(1));
  if (!attributes) return Damaged(id);
  attributes = MaskDigests(id, *attributes);
  if (!attributes) return Damaged(id);
  StoredObject stored;
  stored.object.id = id;
  stored.object.type = static_cast<kmip::ObjectType>(record.object_type);
  stored.object.owner = std::move(record.owner);
  stored.object.attributes = std::move(*attributes);
  stored.row_version = record.row_version;
  stored.created = record.created;
  stored.sealed_material = std::move(record.material);
  if (material == Material::kOpen) return OpenMaterial(stored);
  return stored;
}

Result<StoredObject> Vault::Load(const store::ObjectReader& reader, const store::ObjectId& id,
                                 Material material) const {
  return FromRecord(TRY(reader.Get(id)), material);
}

Result<StoredObject> Vault::OpenMaterial(const StoredObject& stored) const {
  StoredObject opened;
  opened.object.id = stored.object.id;
  opened.object.type = stored.object.type;
  opened.object.owner = stored.object.owner;
  opened.object.attributes = stored.object.attributes;
  opened.row_version = stored.row_version;
  opened.created = stored.created;
  opened.sealed_material = stored.sealed_material;
  opened.opened = true;
  if (stored.sealed_material.empty()) return opened;
  const Fields context = MaterialContext(stored.object, stored.object.attributes);
  Result<SecretBytes> material = sealer_.Open(context.bytes(), stored.sealed_material);
  if (!material) {
    if (material.error().code == Code::kDamaged) return Damaged(stored.object.id);
    return material.error();
  }
  opened.object.material = std::move(*material);
  return opened;
}

Result<void> Vault::Write(store::Transaction& transaction, const kmip::ManagedObject& identity,
                          const kmip::AttributeSet& attributes, std::int64_t created, Bytes sealed,
                          std::uint64_t expected_row_version) const {
  store::ObjectRecord record;
  record.id = identity.id;
  record.row_version = expected_row_version + 1;
  record.object_type = static_cast<std::uint32_t>(identity.type);
  record.state = attributes.Enumeration(Tag::kState).value_or(0);
  record.owner = identity.owner;
  record.created = created;
  record.attributes.push_back(kRecordVersion);
  Append(record.attributes, TRY(MaskDigests(identity.id, attributes)).Serialize());
  record.material = std::move(sealed);
  record.index = IndexEntriesOf(identity.owner, attributes);
  Append(record.attributes, TRY(Check(record)));
  if (expected_row_version == 0) return transaction.Insert(record);
  return transaction.Update(record, expected_row_version);
}

Result<void> Vault::Insert(store::Transaction& transaction,
                           const kmip::ManagedObject& object) const {
  Bytes sealed;
  if (!object.material.empty()) {
    const Fields context = MaterialContext(object, object.attributes);
    sealed = TRY(sealer_.Seal(context.bytes(), object.material.Reveal()));
  }
  const std::int64_t created = object.attributes.Date(Tag::kInitialDate).value_or(0);
  return Write(transaction, object, object.attributes, created, std::move(sealed), 0);
}

Result<void> Vault::UpdateAttributes(store::Transaction& transaction, const StoredObject& stored,
                                     const kmip::AttributeSet& attributes) const {
  Bytes sealed = stored.sealed_material;
  const Fields before = MaterialContext(stored.object, stored.object.attributes);
  const Fields after = MaterialContext(stored.object, attributes);
  // Also where a key that is to be retired sealed it: whatever is written goes under the present
  // one.
  if (!sealed.empty() &&
      (!std::ranges::equal(before.bytes(), after.bytes()) || !SealedByPresentKey(sealed))) {
    const SecretBytes material = TRY(sealer_.Open(before.bytes(), sealed));
    sealed = TRY(sealer_.Seal(after.bytes(), material.Reveal()));
  }
  return Write(transaction, stored.object, attributes, stored.created, std::move(sealed),
               stored.row_version);
}

bool Vault::SealedByPresentKey(ByteView sealed) const {
  const Result<Bytes> id = hsm::KeyIdOf(sealed);
  return id && *id == sealer_.info().key_id;
}

Result<void> Vault::DestroyMaterial(store::Transaction& transaction, const StoredObject& stored,
                                    const kmip::AttributeSet& attributes) const {
  return Write(transaction, stored.object, attributes, stored.created, {}, stored.row_version);
}

Result<bool> ResealRecord(store::Transaction& transaction, const Vault& vault, hsm::Sealer& sealer,
                          const store::ObjectId& id) {
  const auto stored = vault.Load(transaction, id, Vault::Material::kLeaveSealed);
  if (!stored) {
    if (stored.error().code == Code::kNotFound) return false;
    return stored.error();
  }
  if (stored->sealed_material.empty()) return false;
  if (TRY(hsm::KeyIdOf(stored->sealed_material)) == sealer.info().key_id) return false;
  TRY(vault.UpdateAttributes(transaction, *stored, stored->object.attributes));
  return true;
}

Result<bool> ResealRecordKey(store::Transaction& transaction, hsm::Sealer& sealer) {
  const Bytes sealed = TRY(transaction.GetMeta(kRecordKeyFact));
  if (TRY(hsm::KeyIdOf(sealed)) == sealer.info().key_id) return false;
  const SecretBytes key = TRY(sealer.Open(RecordKeyContext().bytes(), sealed));
  const Bytes anew = TRY(sealer.Seal(RecordKeyContext().bytes(), key.Reveal()));
  TRY(transaction.PutMeta(kRecordKeyFact, anew));
  return true;
}

}  // namespace dare::engine

#include "engine/operation.h"

#include <algorithm>

#include "base/log.h"
#include "crypto/asymmetric_key.h"
#include "crypto/key_derivation.h"
#include "engine/access_control.h"
#include "engine/applicability.h"
#include "engine/kept_rules.h"
#include "engine/lifecycle.h"
#include "engine/object_cache.h"
#include "engine/object_rules.h"
#include "engine/policy_facts.h"
#include "engine/prepared_work.h"
#include "engine/random_iv_budget.h"
#include "engine/refusal.h"
#include "engine/resident_care.h"
#include "engine/resident_object.h"
#include "engine/sessions.h"
#include "engine/templates.h"
#include "engine/vendor_attributes.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "policy/access.h"
#include "policy/approval.h"
#include "policy/decision.h"

namespace dare::engine {

using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

namespace {

// Which operation made what an enumeration of Unique Identifier names (kmip-2.1 11.64), and which
// of its objects, from the last one on: key pairs are made private key first.
struct Maker {
  kmip::UniqueIdentifier name;
  kmip::Operation operation;
  int from_last;
};
constexpr Maker kMakers[] = {
    {kmip::UniqueIdentifier::kCertify, kmip::Operation::kCertify, 0},
    {kmip::UniqueIdentifier::kCreate, kmip::Operation::kCreate, 0},
    {kmip::UniqueIdentifier::kCreateKeyPair, kmip::Operation::kCreateKeyPair, 1},
    {kmip::UniqueIdentifier::kCreateKeyPairPrivateKey, kmip::Operation::kCreateKeyPair, 1},
    {kmip::UniqueIdentifier::kCreateKeyPairPublicKey, kmip::Operation::kCreateKeyPair, 0},
    {kmip::UniqueIdentifier::kDeriveKey, kmip::Operation::kDeriveKey, 0},
    {kmip::UniqueIdentifier::kImport, kmip::Operation::kImport, 0},
    {kmip::UniqueIdentifier::kJoinSplitKey, kmip::Operation::kJoinSplitKey, 0},
    {kmip::UniqueIdentifier::kRegister, kmip::Operation::kRegister, 0},
    {kmip::UniqueIdentifier::kReKey, kmip::Operation::kReKey, 0},
    {kmip::UniqueIdentifier::kReCertify, kmip::Operation::kReCertify, 0},
    {kmip::UniqueIdentifier::kReKeyKeyPair, kmip::Operation::kReKeyKeyPair, 1},
    {kmip::UniqueIdentifier::kReKeyKeyPairPrivateKey, kmip::Operation::kReKeyKeyPair, 1},
    {kmip::UniqueIdentifier::kReKeyKeyPairPublicKey, kmip::Operation::kReKeyKeyPair, 0},
};

std::optional<std::string> MadeBy(const BatchMemory& memory, kmip::UniqueIdentifier name) {
  for (const Maker& maker : kMakers) {
    if (maker.name != name) continue;
    int passed = 0;
    for (auto made = memory.made.rbegin(); made != memory.made.rend(); ++made) {
      if (made->first == maker.operation && passed++ == maker.from_last) return made->second;
    }
  }
  return std::nullopt;
}

}  // namespace

OperationContext::OperationContext(EngineParts& parts, const Caller& caller, TicketUse& use,
                                   kmip::ProtocolVersion version, kmip::Operation operation,
                                   BatchMemory& memory, const Changes& changes)
    : parts_(parts),
      caller_(caller),
      use_(use),
      version_(version),
      operation_(operation),
      memory_(memory),
      transaction_(changes.transaction),
      changes_(changes),
      now_(parts.clock.Now()),
      policy_(parts.access.current()) {}

OperationContext::~OperationContext() {
  if (!needs_writer_) return;
  for (const int number : grants_taken_) {
    const policy::Grant* const grant = policy_->GrantAt(static_cast<std::size_t>(number));
    if (grant->when.rate) parts_.access.GiveRate(*grant);
  }
}

const store::ObjectReader& OperationContext::reader() const {
  if (transaction_ != nullptr) return *transaction_;
  return parts_.store;
}

Result<std::string> OperationContext::Resolve(const kmip::Identifier& identifier) const {
  if (const auto* text = std::get_if<std::string>(&identifier.value)) return *text;
  if (const auto* nth = std::get_if<std::int32_t>(&identifier.value)) {
    //= kmip-2.1 4.61 Unique Identifier
    //# Integer: 0-based nth Unique Identifier in the response; negative counts from the last
    const auto count = static_cast<std::int64_t>(memory_.answered_ids.size());
    const std::int64_t at = *nth >= 0 ? *nth : count + *nth;
    if (at >= 0 && at < count) return memory_.answered_ids[static_cast<std::size_t>(at)];
    return Reject(ResultReason::kObjectNotFound, "the batch answered no such identifier");
  }
  if (const auto* maker = std::get_if<kmip::UniqueIdentifier>(&identifier.value)) {
    if (*maker != kmip::UniqueIdentifier::kIDPlaceholder) {
      if (auto id = MadeBy(memory_, *maker)) return *std::move(id);
      return Reject(ResultReason::kObjectNotFound,
                    "no such operation made an object in this batch");
    }
  }
  if (memory_.placeholder.empty()) {
    return Reject(ResultReason::kObjectNotFound, "no Unique Identifier and no ID Placeholder");
  }
  return memory_.placeholder;
}

// What other nodes may have changed: false, and forgotten, when they did. The key stays opened when
// they did not, so that the HSM is not asked. An Error where the store does not say: then the key
// is not served.
Result<bool> OperationContext::IsStillCurrent(const StoredObject& stored) {
  const std::string& id = stored.object.id;
  const ObjectCache::Ticket ticket = parts_.cache.TakeTicket(id);
  const Result<std::uint64_t> version = parts_.store.GetVersion(id);
  if (!version && version.error().code != Code::kNotFound) return version.error();
  if (version && *version == stored.row_version) {
    parts_.cache.Confirm(ticket, stored);
    return true;
  }
  parts_.cache.Forget(id);
  return false;
}

Result<ObjectPointer> OperationContext::Load(const std::string& id, Vault::Material material,
                                             bool keep) {
  const auto enough = [&](const StoredObject& stored) {
    return stored.opened || material == Vault::Material::kLeaveSealed;
  };
  if (transaction_ != nullptr) {
    return ObjectPointer(
        std::make_shared<StoredObject>(TRY(parts_.vault.Load(*transaction_, id, material))));
  }
  const ObjectCache::Found cached = parts_.cache.Find(id);
  if (cached.stored != nullptr && enough(*cached.stored)) {
    if (!cached.look_again || TRY(IsStillCurrent(*cached.stored))) return cached.stored;
  }
  const ObjectCache::Ticket ticket = parts_.cache.TakeTicket(id);
  Result<StoredObject> loaded = parts_.vault.Load(parts_.store, id, material);
  if (!loaded && loaded.error().code == Code::kExhausted) {
    parts_.cache.Shrink();
    loaded = parts_.vault.Load(parts_.store, id, material);
  }
  ObjectPointer stored = std::make_shared<StoredObject>(TRY(std::move(loaded)));
  if (keep) parts_.cache.Put(ticket, stored);
  return stored;
}

Result<ObjectPointer> OperationContext::OpenFor(kmip::Operation operation, const std::string& id,
                                                Vault::Material material) {
  if (object_id_.empty()) object_id_ = id;
  Result<ObjectPointer> stored = Load(id, material);
  if (!stored) {
    if (stored.error().code != Code::kNotFound) return stored.error();
    decided_ = true;
    rule_ = "no such object";
    return Reject(ResultReason::kObjectNotFound, "no such object");
  }
  TRY(Decide(operation, stored->get()));
  //= kmip-2.1 6 Operations
  //# any archived object SHALL first be made available by a Recover operation
  // Its attributes stay on line (TC-101 asks for the Archive Date of an archived key).
  const bool on_line = operation_ == kmip::Operation::kRecover ||
                       operation_ == kmip::Operation::kGetAttributes ||
                       operation_ == kmip::Operation::kGetAttributeList;
  if (!on_line && IsArchived((*stored)->object.attributes)) {
    return Reject(ResultReason::kObjectArchived, "the object is archived: recover it first");
  }
  if ((*stored)->object.type == kmip::ObjectType::kTemplate &&
      !MayReachTemplate(operation_, version_)) {
    if (kmip::IsVersion1(version_)) {
      return Reject(ResultReason::kIllegalOperation, "a Template cannot be used so");
    }
    return Reject(ResultReason::kObjectNotFound, "no such object");
  }
  if (!Applies(operation_, (*stored)->object.type, version_)) {
    return RejectIn(version_, ResultReason::kIllegalOperation, ResultReason::kInvalidObjectType,
                    "not for an object of this type");
  }
  kept_.push_back(*stored);
  return *stored;
}

Result<ObjectPointer> OperationContext::Open(const kmip::Identifier& identifier,
                                             Vault::Material material) {
  Result<std::string> id = Resolve(identifier);
  if (!id) {
    decided_ = true;
    return id.error();
  }
  return OpenFor(operation_, *id, material);
}

Result<ObjectPointer> OperationContext::Peek(const std::string& id, bool keep) {
  return Load(id, Vault::Material::kLeaveSealed, keep);
}

Result<StoredObject> OperationContext::FindTemplate(const std::string& name) const {
  store::Query query;
  query.entries = {{static_cast<std::uint32_t>(Tag::kName), name, caller_.principal.name}};
  query.owner = caller_.principal.name;
  query.object_type = static_cast<std::uint32_t>(kmip::ObjectType::kTemplate);
  query.limit = 1;
  const store::Page<store::ObjectId> page = TRY(reader().Find(query));
  if (!page.items.empty()) {
    StoredObject stored =
        TRY(parts_.vault.Load(reader(), page.items.front(), Vault::Material::kOpen));
    if (Judge(kmip::Operation::kGet, &stored, 0).allowed && !IsArchived(stored.object.attributes)) {
      return stored;
    }
  }
  //= kmip-1.4 11.2 Create
  //# Templates that do not exist are given in request
  return Reject(ResultReason::kItemNotFound, "no template " + name);
}

Result<crypto::PrivateKey> OperationContext::GeneratePair(const crypto::KeySpecification& wanted) {
  if (changes_.prepared != nullptr) {
    if (auto made = changes_.prepared->TakePair(wanted, memory_.pairs_passed)) {
      return *std::move(made);
    }
  }
  TRY(MayTakeTime());
  crypto::PrivateKey key = TRY(crypto::PrivateKey::Generate(wanted, parts_.random.library()));
  if (changes_.preparing != nullptr) changes_.preparing->AddPair(wanted, key);
  TRY(GoOnFromHere());
  return key;
}

Result<SecretBytes> OperationContext::Stretch(const Stretching& from) {
  if (changes_.prepared != nullptr) {
    if (const SecretBytes* const made = changes_.prepared->FindStretched(from)) {
      return made->Clone();
    }
  }
  TRY(MayTakeTime());
  SecretBytes key =
      TRY(crypto::Pbkdf2(from.hash, from.password, from.salt, from.iterations, from.length));
  if (changes_.preparing != nullptr) TRY(changes_.preparing->AddStretched(from, key));
  TRY(GoOnFromHere());
  return key;
}

Result<void> OperationContext::MayTakeTime() {
  const bool on_paper = changes_.drafted && changes_.preparing == nullptr;
  const bool only_reads = transaction_ == nullptr && changes_.preparing == nullptr;
  if (on_paper || only_reads) return RequireWriter();
  return {};
}

Result<void> OperationContext::GoOnFromHere() {
  if (transaction_ != nullptr) return {};
  return RequireWriter();
}

Result<store::Transaction*> OperationContext::Writable() {
  if (transaction_ != nullptr) return transaction_;
  needs_writer_ = true;
  return Error(Code::kConflict, "a change on a read-only thread");
}

Result<void> OperationContext::RequireWriter() {
  if (!changes_.drafted) {
    TRY(Writable());
    return {};
  }
  needs_writer_ = true;
  return Error(Code::kConflict, "a draft is not enough");
}

void OperationContext::TellOfChange(const StoredObject& stored,
                                    const kmip::AttributeSet& attributes) {
  const std::string& owner = stored.object.owner;
  const Sessions& sessions = parts_.sessions;
  const bool somebody_hears = sessions.change_ring != nullptr ||  // perhaps at another node
                              sessions.outbox.Wants(owner) ||
                              !sessions.holders.Of(stored.object.id, owner).empty();
  if (!somebody_hears) return;
  ObjectChange change{.owner = owner, .id = stored.object.id, .version = version_};
  NoteDifference(stored.object.attributes, attributes, change);
  memory_.told.push_back(std::move(change));
}

bool OperationContext::OwnerMayGet(const kmip::ManagedObject& object) const {
  // Of an owner for whom somebody else acts, the server itself for one, nobody knows here which
  // groups and roles the certificate gives: they may be denied Get.
  if (caller_.principal.name != object.owner) return false;
  policy::ObjectFacts facts{.owner = object.owner};
  TakeNames(object, facts);
  const policy::Circumstances circumstances{.address = caller_.address, .now = now_};
  const policy::Decision decision =
      policy::Decide(*policy_, caller_.principal, kmip::Operation::kGet, facts, circumstances);
  return decision.allowed && !policy::GuardOf(*policy_, policy::Act::kGet, facts);
}

void OperationContext::TellOfObject(const kmip::ManagedObject& object) {
  const Outbox& outbox = parts_.sessions.outbox;
  if (!outbox.WantsPut(object.owner) || !outbox.Wants(object.owner)) return;
  const kmip::AttributeSet& attributes = object.attributes;
  // What Get would not give out in the clear is not put either.
  if (attributes.Boolean(Tag::kSensitive).value_or(false) ||
      !attributes.Boolean(Tag::kExtractable).value_or(true) || object.material.empty()) {
    return;
  }
  if (policy_ && !OwnerMayGet(object)) return;
  ObjectChange change{.owner = object.owner, .id = object.id, .version = version_};
  change.changed = attributes;
  const ByteView material = object.material.Reveal();
  change.object.assign(material.begin(), material.end());
  for (const kmip::Attribute& attribute : attributes.all()) {
    if (attribute.tag != Tag::kLink) continue;
    auto link = attribute.View().Members();
    const auto type =
        link ? link->Enum<kmip::LinkType>(Tag::kLinkType) : Result<kmip::LinkType>(link.error());
    if (!type || *type != kmip::LinkType::kReplacedObjectLink) continue;
    change.replaced = link->Text(Tag::kLinkedObjectIdentifier).value_or("");
  }
  memory_.told.push_back(std::move(change));
}

Result<void> OperationContext::Insert(const kmip::ManagedObject& object) {
  store::Transaction* transaction = TRY(Writable());
  TRY(CheckConstraints(object, *this));
  TRY(parts_.vault.Insert(*transaction, object));
  TellOfObject(object);
  if (object_id_.empty()) object_id_ = object.id;
  memory_.made.emplace_back(operation_, object.id);
  memory_.changed.push_back(object.id);
  return {};
}

Result<void> OperationContext::Update(const StoredObject& stored, kmip::AttributeSet attributes) {
  store::Transaction* transaction = TRY(Writable());
  attributes.Set(kmip::Attribute::OfDate(Tag::kLastChangeDate, now_));
  memory_.changed.push_back(stored.object.id);
  TellOfChange(stored, attributes);
  return parts_.vault.UpdateAttributes(*transaction, stored, attributes);
}

Result<void> OperationContext::Destroy(const StoredObject& stored, kmip::AttributeSet attributes) {
  store::Transaction* transaction = TRY(Writable());
  attributes.Set(kmip::Attribute::OfDate(Tag::kLastChangeDate, now_));
  if (IsResident(stored.object.attributes) && !stored.sealed_material.empty()) {
    TRY(AnnounceRemoval(stored));
  }
  TRY(RandomIvBudget::Forget(*transaction, stored.object.id));
  memory_.changed.push_back(stored.object.id);
  TellOfChange(stored, attributes);
  return parts_.vault.DestroyMaterial(*transaction, stored, attributes);
}

// The key leaves the HSM once the row that destroys it is committed. An HSM that cannot be asked
// now would keep it: then nothing is destroyed, and the client hears of it.
Result<void> OperationContext::AnnounceRemoval(const StoredObject& stored) {
  const StoredObject opened = TRY(parts_.vault.OpenMaterial(stored));
  const hsm::ResidentReference key = TRY(ReferenceOf(opened.object));
  hsm::ResidentKeys* const keys = TRY(parts_.residents.keys());
  const Result<void> found = keys->Find(key);
  if (!found &&
      (found.error().code == Code::kUnavailable || found.error().code == Code::kTimeout)) {
    return found.error();
  }
  parts_.residents.Removing(stored.object.id, key);
  return {};
}

Result<void> OperationContext::CountRandomIv(const StoredObject& key) {
  const std::string& id = key.object.id;
  if (parts_.random_ivs.Take(id)) return {};
  store::Transaction* transaction = TRY(Writable());
  const std::uint64_t counted = TRY(parts_.random_ivs.Reserve(*transaction, id));
  if (!parts_.random_ivs.IsDue(counted)) return {};
  // As it stands by now: this operation may have changed it already.
  const StoredObject stored =
      TRY(parts_.vault.Load(*transaction, id, Vault::Material::kLeaveSealed));
  if (stored.object.attributes.Count(ServerAttribute(kRotationDueName)) != 0) return {};
  log::Warning("key " + id + " has encrypted " + std::to_string(counted) +
               " times under random IVs: it should be rotated");
  kmip::AttributeSet attributes = stored.object.attributes;
  attributes.Add(MakeServerAttribute(
      kRotationDueName, std::to_string(counted) + " encryptions under random IVs are counted"));
  return Update(stored, std::move(attributes));
}

Result<void> OperationContext::Remove(const StoredObject& stored) {
  store::Transaction* transaction = TRY(Writable());
  memory_.changed.push_back(stored.object.id);
  return transaction->Remove(stored.object.id);
}

namespace {

std::string RulesKey(const std::string& kind, const std::string& principal) {
  return kRulesPrefix + kind + "/" + principal;
}

}  // namespace

Result<std::optional<Bytes>> OperationContext::LoadRules(const std::string& kind) const {
  if (!parts_.sessions.rules_exist.load(std::memory_order_relaxed)) return std::optional<Bytes>();
  const std::string key = RulesKey(kind, caller_.principal.name);
  const Result<Bytes> kept = reader().GetMeta(key);
  if (!kept) {
    if (kept.error().code == Code::kNotFound) return std::optional<Bytes>();
    return kept.error();
  }
  if (!TRY(RulesAreOurs(parts_.vault, key, *kept))) {
    return Error(Code::kDamaged, "rules that do not authenticate");
  }
  return std::optional<Bytes>(Bytes(kept->begin() + kRulesCheckBytes, kept->end()));
}

Result<void> OperationContext::SaveRules(const std::string& kind, ByteView value) {
  store::Transaction* transaction = TRY(Writable());
  const std::string key = RulesKey(kind, caller_.principal.name);
  if (value.empty()) return transaction->RemoveMeta(key);
  if (value.size() > kMostRulesBytes) {
    return Reject(ResultReason::kServerLimitExceeded, "too much to keep for one client");
  }
  Bytes kept = TRY(parts_.vault.Authenticate(key, value));
  Append(kept, value);
  TRY(transaction->PutMeta(key, kept));
  parts_.sessions.rules_exist.store(true, std::memory_order_relaxed);
  return {};
}

Result<void> OperationContext::RemoveAllOfPrincipal() {
  store::Transaction* transaction = TRY(Writable());
  store::Query query;
  query.owner = caller_.principal.name;
  query.limit = 1000;
  for (;;) {
    const store::Page<store::ObjectId> page = TRY(transaction->Find(query));
    if (page.items.empty()) return {};
    for (const store::ObjectId& id : page.items) {
      TRY(transaction->Remove(id));
      memory_.changed.push_back(id);
    }
  }
}

void OperationContext::SetPlaceholder(const std::string& id) { memory_.placeholder = id; }
void OperationContext::ClearPlaceholder() { memory_.placeholder.clear(); }
void OperationContext::Answered(const std::string& id) { memory_.answered_ids.push_back(id); }

}  // namespace dare::engine

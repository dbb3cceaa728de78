#include "engine/operations/re_key.h"

#include <utility>

#include "engine/attribute_values.h"
#include "engine/key_generation.h"
#include "engine/lifecycle.h"
#include "engine/new_object.h"
#include "engine/protection_storage.h"
#include "engine/refusal.h"
#include "engine/replacement.h"
#include "engine/resident_creation.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::CryptographicAlgorithm;
using kmip::LinkType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

Result<void> CheckMayBeReplaced(const StoredObject& stored, const OperationContext& context) {
  const kmip::ProtocolVersion version = context.version();
  const AttributeSet& attributes = stored.object.attributes;
  if (stored.object.type != ObjectType::kSymmetricKey) {
    return RejectIn(version, ResultReason::kPermissionDenied, ResultReason::kInvalidObjectType,
                    "only symmetric keys can be re-keyed");
  }
  if (IsDestroyed(EffectiveState(attributes, context.now()))) {
    return RejectIn(version, ResultReason::kPermissionDenied, ResultReason::kObjectDestroyed,
                    "the key was destroyed");
  }
  if (!attributes.Boolean(Tag::kKeyValuePresent).value_or(true)) {
    return Reject(ResultReason::kKeyValueNotPresent, "the key value is not on this server");
  }
  return {};
}

Result<AttributeSet> ReplacementAttributes(const kmip::ReKeyRequest& request,
                                           const StoredObject& stored,
                                           const OperationContext& context) {
  const AttributeSet wanted = TRY(CheckedAttributes(request.attributes, ObjectType::kSymmetricKey,
                                                    Origin::kGenerated, context));
  AttributeSet attributes =
      TRY(InheritAttributes(stored.object.attributes, wanted, request.offset, context));
  if (attributes.Enumeration(Tag::kCryptographicAlgorithm) !=
      stored.object.attributes.Enumeration(Tag::kCryptographicAlgorithm)) {
    return Reject(ResultReason::kInvalidField, "a replacement key is of the same algorithm");
  }
  TRY(CheckDates(attributes, context.version()));
  TRY(CheckAmount(attributes, context.version()));
  TRY(CheckQuantumSafe(attributes));
  attributes.Add(Attribute::OfLink(static_cast<std::uint32_t>(LinkType::kReplacedObjectLink),
                                   stored.object.id));
  return attributes;
}

Result<SecretBytes> ReplacementKey(AttributeSet& attributes, Storage storage,
                                   OperationContext& context) {
  const auto algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  const auto bits = attributes.Integer(Tag::kCryptographicLength);
  if (!algorithm || !bits) return Error(Code::kInternal, "a key without algorithm or length");
  TRY(CheckSymmetricKey(context.algorithms(), *algorithm, *bits, true));
  if (storage == Storage::kHardware) return MakeResidentKey(attributes, context);
  return GenerateSymmetricKey(*algorithm, *bits, context.random());
}

// The replaced key gives its names away and points to its successor.
AttributeSet ReplacedAttributes(const StoredObject& stored, const std::string& successor,
                                std::int64_t now) {
  AttributeSet attributes = stored.object.attributes;
  SettleState(attributes, now);
  attributes.RemoveAll(Tag::kName);
  attributes.Add(
      Attribute::OfLink(static_cast<std::uint32_t>(LinkType::kReplacementObjectLink), successor));
  attributes.Set(Attribute::OfBoolean(Tag::kRotateLatest, false));
  return attributes;
}

}  // namespace

Result<kmip::ReKeyResponse> ReKey(const kmip::ReKeyRequest& request, OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  TRY(CheckMayBeReplaced(*stored, context));
  TRY(CheckOccasion(*stored, context));
  AttributeSet attributes = TRY(ReplacementAttributes(request, *stored, context));
  const bool told = TellsStorage(request.protection_storage_masks, attributes);
  const Storage asked = TRY(ChooseStorage(request.protection_storage_masks, attributes, context));
  const Storage storage =
      TRY(ReplacementStorage(told ? std::optional<Storage>(asked) : std::nullopt,
                             stored->object.attributes, attributes, context));
  SecretBytes material = TRY(ReplacementKey(attributes, storage, context));
  kmip::ManagedObject replacement =
      TRY(MakeObject(ObjectType::kSymmetricKey, Origin::kGenerated, std::move(attributes),
                     std::move(material), context));
  replacement.owner = stored->object.owner;  // whoever keeps the key's life
  TRY(context.Update(*stored, ReplacedAttributes(*stored, replacement.id, context.now())));
  TRY(InsertObject(replacement, context));
  return kmip::ReKeyResponse{.id = replacement.id};
}

}  // namespace dare::engine

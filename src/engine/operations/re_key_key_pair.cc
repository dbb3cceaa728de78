#include "engine/operations/re_key_key_pair.h"

#include <string>
#include <utility>

#include "engine/asymmetric_use.h"
#include "engine/attribute_values.h"
#include "engine/key_pair.h"
#include "engine/lifecycle.h"
#include "engine/new_object.h"
#include "engine/protection_storage.h"
#include "engine/refusal.h"
#include "engine/replacement.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::LinkType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

Result<void> CheckMayBeReplaced(const StoredObject& stored, ObjectType type,
                                const OperationContext& context) {
  const kmip::ProtocolVersion version = context.version();
  if (stored.object.type != type) {
    return RejectIn(version, ResultReason::kPermissionDenied, ResultReason::kInvalidObjectType,
                    "a key pair is re-keyed by its Private Key");
  }
  const AttributeSet& attributes = stored.object.attributes;
  if (IsDestroyed(EffectiveState(attributes, context.now()))) {
    return RejectIn(version, ResultReason::kPermissionDenied, ResultReason::kObjectDestroyed,
                    "the key was destroyed");
  }
  if (!attributes.Boolean(Tag::kKeyValuePresent).value_or(true)) {
    return Reject(ResultReason::kKeyValueNotPresent, "the key value is not on this server");
  }
  return {};
}

// The object to which `object` has a Link of this type.
Result<std::string> Linked(const kmip::ManagedObject& object, LinkType type) {
  for (const Attribute& attribute : object.attributes.all()) {
    if (attribute.tag != Tag::kLink) continue;
    ttlv::Reader members = TRY(attribute.View().Members());
    const auto found = TRY(members.Enum<LinkType>(Tag::kLinkType));
    if (found == type) return std::string(TRY(members.Text(Tag::kLinkedObjectIdentifier)));
  }
  return Error(Code::kNotFound, "no such Link");
}

Result<ObjectPointer> OpenOtherHalf(const StoredObject& private_key, OperationContext& context) {
  const Result<std::string> id = Linked(private_key.object, LinkType::kPublicKeyLink);
  if (!id) {
    return RejectIn(context.version(), ResultReason::kPermissionDenied, ResultReason::kInvalidField,
                    "the Private Key has no Link to its Public Key");
  }
  return context.OpenFor(kmip::Operation::kReKeyKeyPair, *id, Vault::Material::kOpen);
}

Result<PairAttributes> Inherited(const StoredObject& private_key, const StoredObject& public_key,
                                 const kmip::ReKeyKeyPairRequest& request,
                                 const OperationContext& context) {
  const PairAttributes wanted = TRY(CheckedPairAttributes(request.attributes, context));
  PairAttributes inherited;
  inherited.private_key = TRY(InheritAttributes(private_key.object.attributes, wanted.private_key,
                                                request.offset, context));
  inherited.public_key = TRY(
      InheritAttributes(public_key.object.attributes, wanted.public_key, request.offset, context));
  for (const AttributeSet* half : {&inherited.private_key, &inherited.public_key}) {
    TRY(CheckDates(*half, context.version()));
    TRY(CheckAmount(*half, context.version()));
  }
  return inherited;
}

bool SameEnumeration(const AttributeSet& one, const AttributeSet& other, Tag tag) {
  return one.Enumeration(tag) == other.Enumeration(tag);
}

// A pair of the kind that there is, unless the request names another length or curve: the
// attributes may not tell the curve, the key does.
Result<crypto::KeySpecification> SpecificationOf(PairAttributes& attributes,
                                                 const StoredObject& public_key,
                                                 const OperationContext& context) {
  const AttributeSet& existing = public_key.object.attributes;
  const crypto::KeySpecification asked = TRY(SharedSpecification(attributes, context.version()));
  const AttributeSet& next = attributes.private_key;
  if (!SameEnumeration(next, existing, Tag::kCryptographicAlgorithm)) {
    return Reject(ResultReason::kInvalidField, "a replacement pair is of the same algorithm");
  }
  const bool same_length =
      next.Integer(Tag::kCryptographicLength) == existing.Integer(Tag::kCryptographicLength);
  if (!same_length || next.Has(Tag::kCryptographicDomainParameters)) return asked;
  const Result<crypto::PublicKey> key = PublicKeyOf(public_key.object);
  if (!key) return asked;
  return crypto::KeySpecification{.family = key->facts().family,
                                  .bits = key->facts().bits,
                                  .curve = key->facts().curve,
                                  .q_bits = asked.q_bits};
}

// The replaced half gives its names away and points to its successor.
Result<void> Retire(const StoredObject& stored, const std::string& successor,
                    OperationContext& context) {
  AttributeSet attributes = stored.object.attributes;
  SettleState(attributes, context.now());
  attributes.RemoveAll(Tag::kName);
  attributes.Add(
      Attribute::OfLink(static_cast<std::uint32_t>(LinkType::kReplacementObjectLink), successor));
  attributes.Set(Attribute::OfBoolean(Tag::kRotateLatest, false));
  return context.Update(stored, std::move(attributes));
}

void LinkToReplaced(AttributeSet& attributes, const std::string& id) {
  attributes.Add(Attribute::OfLink(static_cast<std::uint32_t>(LinkType::kReplacedObjectLink), id));
}

}  // namespace

Result<kmip::ReKeyKeyPairResponse> ReKeyKeyPair(const kmip::ReKeyKeyPairRequest& request,
                                                OperationContext& context) {
  const ObjectPointer private_key = TRY(context.Open(request.id));
  TRY(CheckMayBeReplaced(*private_key, ObjectType::kPrivateKey, context));
  TRY(CheckOccasion(*private_key, context));
  const ObjectPointer public_key = TRY(OpenOtherHalf(*private_key, context));
  TRY(CheckMayBeReplaced(*public_key, ObjectType::kPublicKey, context));
  PairAttributes attributes = TRY(Inherited(*private_key, *public_key, request, context));
  const auto& masks = request.attributes.private_masks ? request.attributes.private_masks
                                                       : request.attributes.common_masks;
  const bool told = TellsStorage(masks, attributes.private_key);
  const Storage asked = TRY(ChoosePairStorage(request.attributes, attributes.private_key,
                                              attributes.public_key, context));
  const Storage storage =
      TRY(ReplacementStorage(told ? std::optional<Storage>(asked) : std::nullopt,
                             private_key->object.attributes, attributes.private_key, context));
  const crypto::KeySpecification specification =
      TRY(SpecificationOf(attributes, *public_key, context));
  LinkToReplaced(attributes.private_key, private_key->object.id);
  LinkToReplaced(attributes.public_key, public_key->object.id);
  NewPair pair = TRY(MakeKeyPair(specification, std::move(attributes), storage, context));
  pair.private_key.owner = private_key->object.owner;
  pair.public_key.owner = public_key->object.owner;
  TRY(Retire(*private_key, pair.private_key.id, context));
  TRY(Retire(*public_key, pair.public_key.id, context));
  TRY(InsertKeyPair(pair, context));
  kmip::ReKeyKeyPairResponse response;
  response.private_id = pair.private_key.id;
  response.public_id = pair.public_key.id;
  return response;
}

}  // namespace dare::engine

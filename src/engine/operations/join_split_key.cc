#include "engine/operations/join_split_key.h"

#include <optional>
#include <utility>
#include <vector>

#include "engine/key_formats.h"
#include "engine/key_generation.h"
#include "engine/lifecycle.h"
#include "engine/new_object.h"
#include "engine/refusal.h"
#include "engine/split_keys.h"
#include "engine/usage_defaults.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::CryptographicAlgorithm;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

Error DoNotJoin() {
  return Reject(ResultReason::kCryptographicFailure, "these parts do not open the secret");
}

// The parts as they were found, and what they have in common.
struct Found {
  kmip::SplitKeyHead head;  // but for the identifier
  kmip::KeyFormatType format{};
  AttributeSet attributes;  // of the first part, as strict as the strictest
  std::vector<crypto::SecretPart> parts;
};

Result<void> CheckMayJoin(const kmip::ManagedObject& object, const OperationContext& context) {
  if (object.type != ObjectType::kSplitKey) {
    return Reject(ResultReason::kInvalidObjectType, "only Split Keys are joined");
  }
  const kmip::State state = EffectiveState(object.attributes, context.now());
  if (IsDestroyed(state)) return Reject(ResultReason::kObjectDestroyed, "a part was destroyed");
  if (state != kmip::State::kPreActive && state != kmip::State::kActive) {
    return Reject(ResultReason::kWrongKeyLifecycleState, "a part was taken out of use");
  }
  return {};
}

void TakeStrictness(const AttributeSet& part, AttributeSet& all) {
  if (part.Boolean(Tag::kSensitive).value_or(false)) {
    all.Set(Attribute::OfBoolean(Tag::kSensitive, true));
  }
  if (!part.Boolean(Tag::kExtractable).value_or(true)) {
    all.Set(Attribute::OfBoolean(Tag::kExtractable, false));
  }
}

bool BelongTogether(const Found& found, const kmip::SplitKeyHead& head, const kmip::KeyBlock& block,
                    const AttributeSet& attributes) {
  kmip::SplitKeyHead first = found.head;
  first.identifier = head.identifier;
  return first == head && found.format == block.format &&
         attributes.Enumeration(Tag::kCryptographicAlgorithm) ==
             found.attributes.Enumeration(Tag::kCryptographicAlgorithm) &&
         attributes.Integer(Tag::kCryptographicLength) ==
             found.attributes.Integer(Tag::kCryptographicLength);
}

Result<void> AddPart(const StoredObject& stored, Found& found) {
  ttlv::Reader members = TRY(ttlv::Reader::Open(stored.object.material.Reveal()));
  const kmip::SplitKeyHead head = TRY(kmip::ReadSplitKeyHead(members));
  const kmip::KeyBlock block = TRY(kmip::ReadKeyBlock(members));
  const AttributeSet& attributes = stored.object.attributes;
  if (block.wrapping) {
    return Reject(ResultReason::kPermissionDenied, "a part is stored wrapped");
  }
  if (found.parts.empty()) {
    found.head = head;
    found.format = block.format;
    found.attributes = attributes;
  } else if (!BelongTogether(found, head, block, attributes)) {
    return DoNotJoin();
  }
  TakeStrictness(attributes, found.attributes);
  crypto::SecretPart& part = found.parts.emplace_back();
  part.identifier = static_cast<std::uint32_t>(head.identifier);
  const ByteView bytes = TRY(block.KeyBytes());
  part.bytes = TRY(SecretBytes::CopyOf(bytes));
  return {};
}

Result<Found> FindParts(const kmip::JoinSplitKeyRequest& request, OperationContext& context) {
  Found found;
  std::vector<ObjectPointer> objects;
  for (const kmip::Identifier& id : request.ids) {
    objects.push_back(TRY(context.Open(id, Vault::Material::kOpen)));
  }
  for (const ObjectPointer& object : objects) {
    TRY(CheckMayJoin(object->object, context));
    TRY(AddPart(*object, found));
  }
  return found;
}

// How long the secret is: what its attributes say; for a private key, which has an encoding of its
// own, as long as a part, or what is left of it without the zeroes of a prime field.
Result<SecretBytes> JoinParts(const kmip::JoinSplitKeyRequest& request, const Found& found,
                              const OperationContext& context) {
  const crypto::SharingScheme scheme = TRY(SchemeOf(found.head, context.version()));
  const auto algorithm =
      found.attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  const auto bits = found.attributes.Integer(Tag::kCryptographicLength);
  std::size_t length = found.parts.front().bytes.size();
  const bool is_private = request.object_type == ObjectType::kPrivateKey;
  if (!is_private && bits && *bits > 0) {
    length = algorithm ? MaterialBytes(*algorithm, *bits) : static_cast<std::size_t>(*bits) / 8;
  }
  Result<SecretBytes> secret = crypto::JoinSecret(scheme, found.parts, length);
  if (!secret) return SharingError(secret.error(), context.version());
  if (!is_private || scheme.method != crypto::SharingMethod::kPrimeField) return secret;
  ByteView rest = secret->Reveal();
  while (!rest.empty() && rest.front() == 0) rest = rest.subspan(1);
  return SecretBytes::CopyOf(rest);
}

// What the client asks for, within what the parts allow.
Result<AttributeSet> JoinedAttributes(const kmip::JoinSplitKeyRequest& request, const Found& found,
                                      const OperationContext& context) {
  AttributeSet attributes =
      TRY(CheckedAttributes(request.attributes, request.object_type, Origin::kRegistered, context));
  for (const Tag tag : {Tag::kCryptographicAlgorithm, Tag::kCryptographicLength}) {
    const Attribute* own = found.attributes.Find(tag);
    const Attribute* wanted = attributes.Find(tag);
    if (own == nullptr) continue;
    if (wanted != nullptr && !(*wanted == *own)) {
      return RejectIn(context.version(), ResultReason::kInvalidField,
                      ResultReason::kInvalidAttributeValue,
                      "the parts are of a key of another algorithm or length");
    }
    attributes.Set(*own);
  }
  TakeStrictness(found.attributes, attributes);
  const auto own_mask = found.attributes.Integer(Tag::kCryptographicUsageMask);
  const auto mask = attributes.Integer(Tag::kCryptographicUsageMask);
  if (!mask && own_mask) {
    attributes.Set(Attribute::OfInteger(Tag::kCryptographicUsageMask, *own_mask));
  }
  // A key that its owner cannot read must not come back with more uses than it had.
  const bool guarded = attributes.Boolean(Tag::kSensitive).value_or(false) ||
                       !attributes.Boolean(Tag::kExtractable).value_or(true);
  if (guarded && mask && own_mask && (*mask & ~*own_mask) != 0) {
    return Reject(ResultReason::kIncompatibleCryptographicUsageMask,
                  "the key that was split had fewer uses");
  }
  SetDefaultUsage(attributes, request.object_type);
  return attributes;
}

Result<SecretBytes> PrivateKeyMaterial(const Found& found, ByteView secret) {
  ttlv::Writer out;
  const auto algorithm =
      found.attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  const auto bits = found.attributes.Integer(Tag::kCryptographicLength);
  out.Structure(Tag::kPrivateKey, [&] {
    out.Structure(Tag::kKeyBlock, [&] {
      out.Enum(Tag::kKeyFormatType, found.format);
      out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, secret); });
      if (algorithm) out.Enum(Tag::kCryptographicAlgorithm, *algorithm);
      if (bits) out.Integer(Tag::kCryptographicLength, *bits);
    });
  });
  // It must be a key again.
  ttlv::Reader object = TRY(ttlv::Reader::Open(out.bytes()));
  const kmip::KeyBlock block = TRY(kmip::ReadKeyBlock(object));
  const auto key =
      ReadPrivateKey(block, HintsOf(block, found.attributes), crypto::KeySource::kForeign);
  if (!key) return DoNotJoin();
  return SecretBytes::CopyOf(out.bytes());
}

Result<SecretBytes> Material(const kmip::JoinSplitKeyRequest& request, const Found& found,
                             const AttributeSet& attributes, ByteView secret,
                             const OperationContext& context) {
  switch (request.object_type) {
    case ObjectType::kSymmetricKey: {
      const auto algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
      const auto bits = attributes.Integer(Tag::kCryptographicLength);
      if (!algorithm || !bits) {
        return Reject(ResultReason::kInvalidField, "a key needs an algorithm and a length");
      }
      TRY(CheckSymmetricKey(context.algorithms(), *algorithm, *bits, false));
      if (secret.size() != MaterialBytes(*algorithm, *bits)) return DoNotJoin();
      return kmip::MakeSymmetricKey(secret, *algorithm, *bits);
    }
    case ObjectType::kSecretData:
      return kmip::MakeSecretData(
          secret, request.secret_data_type.value_or(kmip::SecretDataType::kPassword));
    default:
      return PrivateKeyMaterial(found, secret);
  }
}

}  // namespace

Result<kmip::JoinSplitKeyResponse> JoinSplitKey(const kmip::JoinSplitKeyRequest& request,
                                                OperationContext& context) {
  const Found found = TRY(FindParts(request, context));
  const ObjectType type = request.object_type;
  if (type != ObjectType::kSymmetricKey && type != ObjectType::kSecretData &&
      type != ObjectType::kPrivateKey) {
    return Reject(ResultReason::kInvalidObjectType, "parts do not form objects of this type");
  }
  TRY(CheckProtectionStorage(request.protection_storage_masks));
  const SecretBytes secret = TRY(JoinParts(request, found, context));
  AttributeSet attributes = TRY(JoinedAttributes(request, found, context));
  SecretBytes material = TRY(Material(request, found, attributes, secret.Reveal(), context));
  const kmip::ManagedObject object = TRY(
      MakeObject(type, Origin::kRegistered, std::move(attributes), std::move(material), context));
  TRY(InsertObject(object, context));
  return kmip::JoinSplitKeyResponse{.id = object.id};
}

}  // namespace dare::engine

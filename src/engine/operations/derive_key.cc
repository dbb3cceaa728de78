#include "engine/operations/derive_key.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/attribute_values.h"
#include "engine/cipher_choice.h"
#include "engine/derivation.h"
#include "engine/key_generation.h"
#include "engine/lifecycle.h"
#include "engine/new_object.h"
#include "engine/refusal.h"
#include "engine/usage_defaults.h"
#include "kmip/names.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::CryptographicAlgorithm;
using kmip::DerivationMethod;
using kmip::LinkType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

constexpr std::int32_t kMostBits = 1 << 16;

Result<void> CheckRequest(const kmip::DeriveKeyRequest& request, const OperationContext& context) {
  if (request.object_type != ObjectType::kSymmetricKey &&
      request.object_type != ObjectType::kSecretData) {
    return Reject(ResultReason::kInvalidObjectType, "no objects of this type are derived");
  }
  if (!kmip::EnumExists(Tag::kDerivationMethod, static_cast<std::uint32_t>(request.method),
                        context.version())) {
    return Reject(ResultReason::kInvalidField, "unknown Derivation Method");
  }
  return {};
}

// What is derived, in bytes; completes the attributes.
Result<std::size_t> CheckedLength(AttributeSet& attributes, ObjectType type,
                                  const OperationContext& context) {
  //= kmip-2.1 6.1.14 Derive Key
  //# the client SHALL specify the desired length […] If a key is created, then the client SHALL
  //# specify both its Cryptographic Length and Cryptographic Algorithm.
  const auto bits = attributes.Integer(Tag::kCryptographicLength);
  if (!bits || *bits <= 0 || *bits > kMostBits || *bits % 8 != 0) {
    return Reject(ResultReason::kInvalidField, "a derived object needs a Cryptographic Length");
  }
  if (type == ObjectType::kSecretData) return static_cast<std::size_t>(*bits) / 8;
  const auto algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  if (!algorithm) {
    return Reject(ResultReason::kInvalidField, "a derived key needs a Cryptographic Algorithm");
  }
  TRY(CheckSymmetricKey(context.algorithms(), *algorithm, *bits, true));
  TRY(CheckQuantumSafe(attributes));
  return MaterialBytes(*algorithm, *bits);
}

// kmip-1.4 11.7 calls by another name what 2.x calls by the mask.
Error Unfit(const Error& error, kmip::ProtocolVersion version) {
  const bool mask =
      error.code == Code::kRejected &&
      error.detail == static_cast<std::uint64_t>(ResultReason::kIncompatibleCryptographicUsageMask);
  if (mask && kmip::IsVersion1(version)) return Reject(ResultReason::kInvalidField, error.message);
  return error;
}

Result<UsableKey> OpenBase(const kmip::Identifier& id, OperationContext& context) {
  Result<UsableKey> key = OpenKey(context, id, KeyPurpose::kDerive);
  if (!key) return Unfit(key.error(), context.version());
  const ObjectType type = key->object->object.type;
  if (type != ObjectType::kSymmetricKey && type != ObjectType::kSecretData) {
    return Reject(ResultReason::kInvalidObjectType,
                  "this method does not derive from such objects");
  }
  return key;
}

struct Derived {
  SecretBytes bytes;
  std::vector<ObjectPointer> bases;
};

Result<Derived> DeriveBytes(const kmip::DeriveKeyRequest& request, std::size_t length,
                            OperationContext& context) {
  Derived derived;
  if (request.method == DerivationMethod::kAsymmetricKey) {
    for (const kmip::Identifier& id : request.ids) {
      derived.bases.push_back(TRY(context.Open(id, Vault::Material::kOpen)));
    }
    Result<SecretBytes> secret = DeriveByAgreement(derived.bases, length, context);
    if (!secret) return Unfit(CryptographicError(secret.error()), context.version());
    derived.bytes = std::move(*secret);
    return derived;
  }
  std::vector<UsableKey> keys;
  for (const kmip::Identifier& id : request.ids) keys.push_back(TRY(OpenBase(id, context)));
  Result<SecretBytes> bytes = Derive(request.method, request.derivation, keys, length, context);
  if (!bytes) return CryptographicError(bytes.error());
  derived.bytes = std::move(*bytes);
  for (const UsableKey& key : keys) derived.bases.push_back(key.object);
  return derived;
}

// Each base once, in the order of the request.
std::vector<ObjectPointer> Distinct(const std::vector<ObjectPointer>& bases) {
  std::vector<ObjectPointer> distinct;
  for (const ObjectPointer& base : bases) {
    const auto same = [&](const ObjectPointer& other) {
      return other->object.id == base->object.id;
    };
    if (std::ranges::none_of(distinct, same)) distinct.push_back(base);
  }
  return distinct;
}

Attribute LinkTo(LinkType type, const std::string& id) {
  return Attribute::OfLink(static_cast<std::uint32_t>(type), id);
}

Result<SecretBytes> Material(ObjectType type, const AttributeSet& attributes, ByteView bytes) {
  if (type == ObjectType::kSecretData) {
    return kmip::MakeSecretData(bytes, kmip::SecretDataType::kSeed);
  }
  return kmip::MakeSymmetricKey(
      bytes, *attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm),
      attributes.Integer(Tag::kCryptographicLength));
}

}  // namespace

Result<kmip::DeriveKeyResponse> DeriveKey(const kmip::DeriveKeyRequest& request,
                                          OperationContext& context) {
  const ObjectType type = request.object_type;
  // The objects first: who may not use them learns nothing else.
  for (const kmip::Identifier& id : request.ids) TRY(context.Open(id));
  TRY(CheckRequest(request, context));
  AttributeSet attributes =
      TRY(CheckedAttributes(request.attributes, type, Origin::kGenerated, context));
  const std::size_t length = TRY(CheckedLength(attributes, type, context));
  const Derived derived = TRY(DeriveBytes(request, length, context));
  SetDefaultUsage(attributes, type);
  const std::vector<ObjectPointer> bases = Distinct(derived.bases);
  for (const ObjectPointer& base : bases) {
    attributes.Add(LinkTo(LinkType::kDerivationBaseObjectLink, base->object.id));
  }
  SecretBytes material = TRY(Material(type, attributes, derived.bytes.Reveal()));
  const kmip::ManagedObject object = TRY(
      MakeObject(type, Origin::kGenerated, std::move(attributes), std::move(material), context));
  for (const ObjectPointer& base : bases) {
    AttributeSet linked = base->object.attributes;
    SettleState(linked, context.now());
    linked.Add(LinkTo(LinkType::kDerivedKeyLink, object.id));
    TRY(CheckAmount(linked, context.version()));
    TRY(context.Update(*base, std::move(linked)));
  }
  TRY(InsertObject(object, context));
  return kmip::DeriveKeyResponse{.id = object.id};
}

}  // namespace dare::engine

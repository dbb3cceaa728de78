#include "engine/operations/create_split_key.h"

#include <utility>

#include "engine/key_formats.h"
#include "engine/key_generation.h"
#include "engine/lifecycle.h"
#include "engine/new_object.h"
#include "engine/refusal.h"
#include "engine/resident_object.h"
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

// What the parts take over from the key: to hold them must permit no more than to hold it.
constexpr Tag kOfTheKey[] = {Tag::kCryptographicAlgorithm, Tag::kCryptographicLength,
                             Tag::kCryptographicUsageMask, Tag::kSensitive, Tag::kExtractable};

// The key to be split, with its structure in clear.
struct Whole {
  std::string id;  // empty for a new one
  ObjectType type{};
  AttributeSet attributes;
  SecretBytes material;
};

Result<Whole> NewKey(const AttributeSet& wanted, const OperationContext& context) {
  Whole whole;
  whole.type = ObjectType::kSymmetricKey;
  auto algorithm = wanted.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  if (!algorithm && kmip::IsVersion1(context.version())) {
    return Reject(ResultReason::kInvalidField, "a key needs a Cryptographic Algorithm");
  }
  if (!algorithm) algorithm = CryptographicAlgorithm::kAES;
  const std::int32_t bits =
      wanted.Integer(Tag::kCryptographicLength).value_or(DefaultLength(*algorithm));
  TRY(CheckSymmetricKey(context.algorithms(), *algorithm, bits, true));
  whole.attributes = wanted;
  whole.attributes.Set(Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                                                static_cast<std::uint32_t>(*algorithm)));
  whole.attributes.Set(Attribute::OfInteger(Tag::kCryptographicLength, bits));
  SetDefaultUsage(whole.attributes, whole.type);
  whole.material = TRY(GenerateSymmetricKey(*algorithm, bits, context.random()));
  return whole;
}

// Who may split a key holds it afterwards: asked of the policy as Get is.
Result<Whole> StoredKey(const kmip::Identifier& identifier, OperationContext& context) {
  const std::string id = TRY(context.Resolve(identifier));
  const ObjectPointer stored =
      TRY(context.OpenFor(kmip::Operation::kGet, id, Vault::Material::kOpen));
  const kmip::ManagedObject& object = stored->object;
  if (object.type != ObjectType::kSymmetricKey && object.type != ObjectType::kPrivateKey &&
      object.type != ObjectType::kSecretData) {
    return Reject(ResultReason::kInvalidObjectType, "objects of this type are not split");
  }
  if (IsDestroyed(EffectiveState(object.attributes, context.now()))) {
    return Reject(ResultReason::kObjectDestroyed, "the key was destroyed");
  }
  TRY(CheckHasValue(object.attributes));
  Whole whole{.id = id, .type = object.type, .attributes = object.attributes, .material = {}};
  const kmip::KeyBlock block = TRY(object.Block());
  const bool structured = block.key_material && block.key_material->type == ttlv::Type::kStructure;
  if (object.type == ObjectType::kPrivateKey && structured) {
    whole.material = TRY(InOtherForm(object, kmip::KeyFormatType::kPKCS_8, std::nullopt));
  } else {
    whole.material = TRY(object.material.Clone());
  }
  return whole;
}

Result<kmip::KeyBlock> BlockOf(const Whole& whole) {
  ttlv::Reader object = TRY(ttlv::Reader::Open(whole.material.Reveal()));
  while (!object.At(Tag::kKeyBlock)) TRY(object.Skip());
  return kmip::ReadKeyBlock(object);
}

// The bytes to be split. Those of a private key have no length beside them, so that GF(2^16), which
// rounds up, could not give back an odd number of them.
Result<ByteView> SecretOf(const Whole& whole, const kmip::KeyBlock& block,
                          kmip::SplitKeyMethod method) {
  Result<ByteView> secret = block.KeyBytes();
  if (!secret) return Reject(ResultReason::kInvalidField, secret.error().message);
  if (whole.type == ObjectType::kPrivateKey && secret->size() % 2 != 0 &&
      method == kmip::SplitKeyMethod::kPolynomialSharingGF2_16) {
    return Reject(ResultReason::kUnsupportedCryptographicParameters,
                  "GF(2^16) takes private keys of an even number of bytes; GF(2^8) takes all");
  }
  return secret;
}

AttributeSet AttributesOfParts(const AttributeSet& wanted, const Whole& whole) {
  AttributeSet attributes = wanted;
  for (const Tag tag : kOfTheKey) {
    if (const Attribute* own = whole.attributes.Find(tag)) attributes.Set(*own);
  }
  //= kmip-2.1 4.31 Link
  //# Parent Link: the object from which this one was made;
  //# 2.1 has no Link of its own for split keys
  if (!whole.id.empty()) {
    attributes.Add(
        Attribute::OfLink(static_cast<std::uint32_t>(kmip::LinkType::kParentLink), whole.id));
  }
  return attributes;
}

}  // namespace

Result<kmip::CreateSplitKeyResponse> CreateSplitKey(const kmip::CreateSplitKeyRequest& request,
                                                    OperationContext& context) {
  TRY(context.Authorise());
  if (request.object_type != ObjectType::kSplitKey) {
    return Reject(ResultReason::kInvalidObjectType, "Create Split Key makes Split Keys");
  }
  TRY(CheckProtectionStorage(request.protection_storage_masks));
  const AttributeSet wanted = TRY(
      CheckedAttributes(request.attributes, ObjectType::kSplitKey, Origin::kGenerated, context));
  const Whole whole =
      request.id ? TRY(StoredKey(*request.id, context)) : TRY(NewKey(wanted, context));
  const kmip::KeyBlock block = TRY(BlockOf(whole));
  const ByteView secret = TRY(SecretOf(whole, block, request.method));
  kmip::SplitKeyHead head{.parts = request.parts,
                          .identifier = 1,
                          .threshold = request.threshold,
                          .method = request.method,
                          .prime = request.prime};
  if (head.method == kmip::SplitKeyMethod::kPolynomialSharingPrimeField && head.prime.empty()) {
    Result<Bytes> prime = crypto::MakeSharingPrime(secret.size());
    if (!prime) return SharingError(prime.error(), context.version());
    head.prime = std::move(*prime);
  }
  const crypto::SharingScheme scheme = TRY(SchemeOf(head, context.version()));
  const auto parts = crypto::SplitSecret(scheme, secret, context.random());
  if (!parts) return SharingError(parts.error(), context.version());

  const AttributeSet attributes = AttributesOfParts(wanted, whole);
  kmip::CreateSplitKeyResponse response;
  for (const crypto::SecretPart& part : *parts) {
    head.identifier = static_cast<std::int32_t>(part.identifier);
    SecretBytes material = TRY(kmip::MakeSplitKey(head, block, part.bytes.Reveal()));
    const kmip::ManagedObject object = TRY(MakeObject(ObjectType::kSplitKey, Origin::kGenerated,
                                                      attributes, std::move(material), context));
    TRY(InsertObject(object, context));
    response.ids.push_back(object.id);
  }
  //= kmip-2.1 6.1.10 Create Split Key
  //# The ID Placeholder value SHALL be set to the Unique Identifier of the split whose Key Part
  //# Identifier is 1.
  context.SetPlaceholder(response.ids.front());
  return response;
}

}  // namespace dare::engine

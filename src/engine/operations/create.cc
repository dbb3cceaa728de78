#include "engine/operations/create.h"

#include <utility>

#include "engine/key_generation.h"
#include "engine/new_object.h"
#include "engine/protection_storage.h"
#include "engine/resident_creation.h"
#include "engine/usage_defaults.h"
#include "kmip/reject.h"
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

constexpr std::int32_t kSecretBits = 256;
constexpr std::int32_t kMostSecretBits = 1 << 16;

// A symmetric key; completes algorithm, length and mask.
Result<SecretBytes> MakeKey(AttributeSet& attributes, Storage storage, OperationContext& context) {
  auto algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  if (!algorithm && kmip::IsVersion1(context.version())) {
    return Reject(ResultReason::kInvalidField, "a key needs a Cryptographic Algorithm");
  }
  //= kmip-2.1 4 Object Attributes
  //# KMIP servers SHALL supply values for these attributes if the client omits them.
  if (!algorithm) algorithm = CryptographicAlgorithm::kAES;
  const std::int32_t bits =
      attributes.Integer(Tag::kCryptographicLength).value_or(DefaultLength(*algorithm));
  TRY(CheckSymmetricKey(context.algorithms(), *algorithm, bits, true));
  attributes.Set(Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                                          static_cast<std::uint32_t>(*algorithm)));
  attributes.Set(Attribute::OfInteger(Tag::kCryptographicLength, bits));
  TRY(CheckQuantumSafe(attributes));
  if (storage == Storage::kHardware) {
    SetDefaultUsage(attributes,
                    ObjectType::kSymmetricKey);  // the HSM gives these rights and no more
    return MakeResidentKey(attributes, context);
  }
  return GenerateSymmetricKey(*algorithm, bits, context.random());
}

// Random bytes as Secret Data; the published cases make them a password.
Result<SecretBytes> MakeSecret(AttributeSet& attributes, const OperationContext& context) {
  const std::int32_t bits = attributes.Integer(Tag::kCryptographicLength).value_or(kSecretBits);
  if (bits <= 0 || bits > kMostSecretBits || bits % 8 != 0) {
    return Error(Code::kInvalidArgument, "not a Cryptographic Length for Secret Data");
  }
  attributes.Set(Attribute::OfInteger(Tag::kCryptographicLength, bits));
  const SecretBytes secret = TRY(context.random().Secret(static_cast<std::size_t>(bits) / 8));
  return kmip::MakeSecretData(secret.Reveal(), kmip::SecretDataType::kPassword);
}

}  // namespace

Result<kmip::CreateResponse> Create(const kmip::CreateRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  const ObjectType type = request.object_type;
  //= kmip-2.1 6.1.8 Create
  //# generate a new symmetric key or generate Secret Data as a Managed Cryptographic Object
  // (the latter since 1.4)
  const bool secret = type == ObjectType::kSecretData && context.version() >= kmip::kVersion1_4;
  if (type != ObjectType::kSymmetricKey && !secret) {
    return Reject(ResultReason::kInvalidObjectType, "Create makes no objects of this type");
  }
  AttributeSet attributes =
      TRY(CheckedAttributes(request.attributes, type, Origin::kGenerated, context));
  const Storage storage = TRY(ChooseStorage(request.protection_storage_masks, attributes, context));
  if (secret && storage == Storage::kHardware) {
    return Reject(ResultReason::kProtectionStorageUnavailable, "the HSM keeps keys only");
  }
  SecretBytes material =
      secret ? TRY(MakeSecret(attributes, context)) : TRY(MakeKey(attributes, storage, context));
  SetDefaultUsage(attributes, type);
  const kmip::ManagedObject object = TRY(
      MakeObject(type, Origin::kGenerated, std::move(attributes), std::move(material), context));
  TRY(InsertObject(object, context));
  return kmip::CreateResponse{.object_type = type, .id = object.id};
}

}  // namespace dare::engine

#include "engine/resident_creation.h"

#include <utility>

#include "base/uuid.h"
#include "engine/resident_care.h"
#include "engine/resident_object.h"
#include "engine/vendor_attributes.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

Error NoSuchKey(const Error& error) {
  switch (error.code) {
    case Code::kUnsupported:
    case Code::kExhausted:
    case Code::kDenied:
    case Code::kInvalidArgument:
      return Reject(ResultReason::kProtectionStorageUnavailable, error.message);
    default:
      return error;
  }
}

Result<hsm::ResidentReference> Generate(hsm::ResidentSpecification wanted,
                                        kmip::AttributeSet& attributes, OperationContext& context) {
  // On a reading thread the whole message would start again, and the key be made twice.
  TRY(context.RequireWriter());
  if (attributes.Boolean(Tag::kExtractable).value_or(false) ||
      !attributes.Boolean(Tag::kSensitive).value_or(true)) {
    return Reject(ResultReason::kInvalidField, "a key in the HSM is Sensitive and not Extractable");
  }
  ResidentCare& residents = context.residents();
  hsm::ResidentKeys* const keys = TRY(residents.keys());
  const std::string id = TRY(NewUuid());
  wanted.label = ResidentLabel(residents.store_name(), id);
  const Result<hsm::ResidentReference> made = keys->Generate(wanted);
  if (!made) return NoSuchKey(made.error());
  residents.Made(id, *made);
  attributes.Set(Attribute::OfText(Tag::kUniqueIdentifier, id));
  attributes.Set(Attribute::OfBoolean(Tag::kSensitive, true));
  attributes.Set(Attribute::OfBoolean(Tag::kExtractable, false));
  attributes.Set(
      Attribute::OfInteger(Tag::kProtectionStorageMask,
                           static_cast<std::int32_t>(kmip::ProtectionStorageMask::kHardware)));
  attributes.Add(MakeServerAttribute(kProtectionStorageName, "Hardware"));
  return made;
}

}  // namespace

Result<SecretBytes> MakeResidentKey(kmip::AttributeSet& attributes, OperationContext& context) {
  const auto wanted = TRY(ResidentSecret(attributes));
  return TRY(Generate(wanted, attributes, context)).Encode();
}

Result<ResidentPairMaterial> MakeResidentPair(const crypto::KeySpecification& wanted,
                                              kmip::AttributeSet& attributes,
                                              OperationContext& context) {
  const auto pair = TRY(ResidentPair(wanted, attributes));
  const hsm::ResidentReference key = TRY(Generate(pair, attributes, context));
  SecretBytes material = TRY(key.Encode());
  crypto::PublicKey half =
      TRY(crypto::PublicKey::Parse(crypto::PublicKeyFormat::kSubjectPublicKeyInfo, key.public_key));
  return ResidentPairMaterial{std::move(material), std::move(half)};
}

}  // namespace dare::engine

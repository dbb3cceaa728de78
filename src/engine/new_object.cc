#include "engine/new_object.h"

#include <string>
#include <utility>

#include "base/uuid.h"
#include "crypto/digest.h"
#include "engine/applicability.h"
#include "engine/attribute_change.h"
#include "engine/attribute_values.h"
#include "engine/key_formats.h"
#include "engine/key_generation.h"
#include "engine/lifecycle.h"
#include "engine/object_rules.h"
#include "engine/refusal.h"
#include "engine/resident_object.h"
#include "engine/server_rng.h"
#include "engine/templates.h"
#include "engine/vendor_attributes.h"
#include "kmip/certificate.h"
#include "kmip/key_block.h"
#include "kmip/names.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeReference;
using kmip::AttributeSet;
using kmip::KeyFormatType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

Attribute MakeDigest(ByteView digest, std::optional<KeyFormatType> format) {
  ttlv::Writer out;
  out.Structure(Tag::kDigest, [&] {
    out.Enum(Tag::kHashingAlgorithm, kmip::HashingAlgorithm::kSHA_256);
    out.ByteString(Tag::kDigestValue, digest);
    if (format) out.Enum(Tag::kKeyFormatType, *format);
  });
  return Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
}

Attribute MakeRng(const kmip::RngParameters& rng) {
  ttlv::Writer out;
  kmip::WriteRngParameters(out, Tag::kRandomNumberGenerator, rng);
  return Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
}

// kmip-2.1 4.21 Digest: over the key material as it is; a transparent key has one of its Raw form
// too (TC-DIGESTS-1-21).
void AddKeyDigests(AttributeSet& attributes, const kmip::KeyBlock& block) {
  if (!block.key_material) return;
  if (block.key_material->type == ttlv::Type::kStructure) {
    attributes.Add(MakeDigest(crypto::Sha256(block.key_material->whole), block.format));
  }
  if (block.wrapping) return;  // what is inside is not known
  const Result<ByteView> key = block.KeyBytes();
  if (!key) return;
  const bool transparent = block.key_material->type == ttlv::Type::kStructure;
  attributes.Add(
      MakeDigest(crypto::Sha256(*key), transparent ? KeyFormatType::kRaw : block.format));
}

// A transparent RSA key has one of its PKCS#1 form too (TC-IMPEXP-4-20): what a client computes
// that has the key in a file.
Result<void> AddPkcs1Digest(AttributeSet& attributes, const kmip::ManagedObject& object,
                            const kmip::KeyBlock& block) {
  const bool rsa = block.format == KeyFormatType::kTransparentRSAPrivateKey ||
                   block.format == KeyFormatType::kTransparentRSAPublicKey;
  if (!rsa || !IsReadable(block)) return {};
  kmip::ManagedObject other;
  other.type = object.type;
  other.material = TRY(InOtherForm(object, KeyFormatType::kPKCS_1, std::nullopt));
  const kmip::KeyBlock encoded = TRY(other.Block());
  const ByteView der = TRY(encoded.KeyBytes());
  attributes.Add(MakeDigest(crypto::Sha256(der), KeyFormatType::kPKCS_1));
  return {};
}

// The bytes of an object without Key Block, its Key Format Type and that of its Digest.
struct PlainObject {
  ByteView value;
  KeyFormatType format{};
  std::optional<KeyFormatType> digest_format;
};

// Nothing for objects with a Key Block. kmip-2.1 4.27 names other defaults for certificates, but
// published cases (TC-CERTATTR-1-20, TC-IMPEXP-5-20) answer Raw.
Result<std::optional<PlainObject>> PlainFormat(const kmip::ManagedObject& object) {
  const ttlv::Item item = TRY(ttlv::ParseItem(object.material.Reveal()));
  std::optional<PlainObject> plain;
  if (object.type == ObjectType::kOpaqueObject) {
    ttlv::Reader members = TRY(item.Members());
    TRY(members.Enumeration(Tag::kOpaqueDataType));
    const ByteView value = TRY(members.ByteString(Tag::kOpaqueDataValue));
    plain = PlainObject{value, KeyFormatType::kOpaque, std::nullopt};
  } else if (object.type == ObjectType::kCertificate) {
    const kmip::CertificateObject certificate = TRY(kmip::ReadCertificate(item));
    plain = PlainObject{certificate.value, KeyFormatType::kRaw, KeyFormatType::kRaw};
  } else if (object.type == ObjectType::kCertificateRequest) {
    const kmip::CertificateRequestObject request = TRY(kmip::ReadCertificateRequest(item));
    const KeyFormatType format = request.type == kmip::CertificateRequestType::kCRMF
                                     ? KeyFormatType::kOpaque
                                     : KeyFormatType::kPKCS_10;
    plain = PlainObject{request.value, format, format};
  }
  return plain;
}

Result<void> AddFormatAndDigest(AttributeSet& attributes, const kmip::ManagedObject& object,
                                kmip::ProtocolVersion version) {
  if (object.type == ObjectType::kTemplate || IsResident(attributes)) return {};
  if (const auto plain = TRY(PlainFormat(object))) {
    const auto& [value, format, digest_format] = *plain;
    attributes.Add(MakeDigest(crypto::Sha256(value), digest_format));
    attributes.Set(
        Attribute::OfEnumeration(Tag::kKeyFormatType, static_cast<std::uint32_t>(format)));
    return {};
  }
  const kmip::KeyBlock block = TRY(object.Block());
  attributes.Set(
      Attribute::OfEnumeration(Tag::kKeyFormatType, static_cast<std::uint32_t>(block.format)));
  AddKeyDigests(attributes, block);
  // Published cases of 1.x (TC-182) have one digest of such a key.
  if (!kmip::IsVersion1(version)) TRY(AddPkcs1Digest(attributes, object, block));
  //= kmip-2.1 4.28 Key Value Present
  //# SHALL be created by the server if the Key Value is absent from the Key Block
  if (!block.key_value) attributes.Set(Attribute::OfBoolean(Tag::kKeyValuePresent, false));
  return {};
}

void SetDefault(AttributeSet& attributes, Attribute attribute) {
  if (!attributes.Has(attribute.tag)) attributes.Set(std::move(attribute));
}

// An imported object keeps what it brings; the server completes it.
void SetWhatIsMissing(AttributeSet& attributes, std::int64_t now) {
  for (const Tag tag : {Tag::kInitialDate, Tag::kLastChangeDate}) {
    SetDefault(attributes, Attribute::OfDate(tag, now));
  }
  SetDefault(attributes, Attribute::OfInterval(Tag::kLeaseTime, kLeaseSeconds));
  SetDefault(attributes, Attribute::OfBoolean(Tag::kFresh, true));
  SetDefault(attributes, Attribute::OfBoolean(Tag::kSensitive, false));
  SetDefault(attributes, Attribute::OfBoolean(Tag::kExtractable, true));
  SetDefault(attributes, Attribute::OfBoolean(Tag::kAlwaysSensitive, false));
  SetDefault(attributes, Attribute::OfBoolean(Tag::kNeverExtractable, false));
  FollowSensitivity(attributes);  // what was said of the past must agree with the present
  SetDefault(attributes, Attribute::OfEnumeration(
                             Tag::kState, static_cast<std::uint32_t>(kmip::State::kPreActive)));
  SettleState(attributes, now);
}

// kmip-1.4 annex "Attribute by Object": a Template has no state and no key.
void SetForTemplate(AttributeSet& attributes, std::int64_t now) {
  for (const Tag tag : {Tag::kInitialDate, Tag::kLastChangeDate}) {
    attributes.Set(Attribute::OfDate(tag, now));
  }
  attributes.Set(Attribute::OfInterval(Tag::kLeaseTime, kLeaseSeconds));
}

void SetByServer(AttributeSet& attributes, Origin origin, const OperationContext& context) {
  const std::int64_t now = context.now();
  for (const Tag tag : {Tag::kInitialDate, Tag::kLastChangeDate}) {
    attributes.Set(Attribute::OfDate(tag, now));
  }
  if (origin == Origin::kGenerated) {
    attributes.Set(Attribute::OfDate(Tag::kOriginalCreationDate, now));
    // Which one an HSM has, it does not say.
    attributes.Set(
        MakeRng(IsResident(attributes) ? kmip::RngParameters() : ServerRng(context.random())));
  }
  attributes.Set(Attribute::OfInterval(Tag::kLeaseTime, kLeaseSeconds));
  SetDefault(attributes, Attribute::OfBoolean(Tag::kFresh, true));
  SetDefault(attributes, Attribute::OfBoolean(Tag::kSensitive, false));
  SetDefault(attributes, Attribute::OfBoolean(Tag::kExtractable, true));
  attributes.Set(Attribute::OfBoolean(Tag::kAlwaysSensitive, true));
  attributes.Set(Attribute::OfBoolean(Tag::kNeverExtractable, true));
  FollowSensitivity(attributes);
  attributes.Set(
      Attribute::OfEnumeration(Tag::kState, static_cast<std::uint32_t>(kmip::State::kPreActive)));
  SettleState(attributes, now);
}

// A generator that the client insists on must be ours.
Result<void> CheckRngWish(const Attribute& given, Origin origin, const OperationContext& context) {
  if (given.tag != Tag::kRandomNumberGenerator || origin != Origin::kGenerated) return {};
  if (given == MakeRng(ServerRng(context.random()))) return {};
  return RejectIn(context.version(), ResultReason::kInvalidField,
                  ResultReason::kInvalidAttributeValue,
                  "this server has another random number generator");
}

Result<void> AddChecked(AttributeSet& checked, const Attribute& given, ObjectType type,
                        Origin origin, const OperationContext& context) {
  const kmip::ProtocolVersion version = context.version();
  const AttributeReference reference = kmip::ReferenceTo(given);
  const bool wrong_type = given.tag == Tag::kObjectType &&
                          TRY(given.View().AsEnumeration()) != static_cast<std::uint32_t>(type);
  const bool of_others = given.tag == Tag::kCertificateType && type != ObjectType::kCertificate;
  if (!MayBeGiven(reference, origin, version) || wrong_type || of_others) {
    return RejectIn(version, ResultReason::kInvalidField, ResultReason::kAttributeReadOnly,
                    std::string(kmip::TagSpecName(given.tag)) + " is not for a client to set");
  }
  if (origin != Origin::kImported && !Applies(given.tag, type)) {
    return RejectIn(version, ResultReason::kInvalidField, ResultReason::kInvalidAttribute,
                    std::string(kmip::TagSpecName(given.tag)) + " is not for objects of this type");
  }
  if (!MayRepeat(reference) && checked.Has(given.tag)) {
    return RejectIn(version, ResultReason::kInvalidField, ResultReason::kAttributeSingleValued,
                    std::string(kmip::TagSpecName(given.tag)) + " is given twice");
  }
  TRY(CheckRngWish(given, origin, context));
  const Giving giving =
      origin == Origin::kImported ? Giving::kWithImportedObject : Giving::kToNewObject;
  Attribute value = TRY(CheckedValue(given, giving, context));
  if (given.tag == Tag::kName) {
    for (const Attribute& other : checked.all()) {
      if (other == value) return Error(Code::kAlreadyExists, "a name is given twice");
    }
  }
  checked.Add(std::move(value));
  return {};
}

}  // namespace

Result<AttributeSet> CheckedAttributes(const kmip::AttributesIn& given, ObjectType type,
                                       Origin origin, const OperationContext& context) {
  AttributeSet asked = TRY(WithTemplates(given, context));
  const AttributeSet all = TRY(WithDefaults(std::move(asked), type, context));
  AttributeSet checked;
  for (const Attribute& attribute : all.all()) {
    TRY(AddChecked(checked, attribute, type, origin, context));
  }
  TRY(CheckDates(checked, context.version()));
  TRY(CheckAmount(checked, context.version()));
  return checked;
}

Result<void> CheckQuantumSafe(const AttributeSet& attributes) {
  if (!attributes.Boolean(Tag::kQuantumSafe).value_or(false)) return {};
  const auto algorithm =
      attributes.Enum<kmip::CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  const auto length = attributes.Integer(Tag::kCryptographicLength);
  if (algorithm && length && IsQuantumSafe(*algorithm, *length)) return {};
  return Reject(ResultReason::kGeneralFailure, "not quantum safe: ask for 256 bits");
}

namespace {

// What is told of where the key is must be true here, whatever an imported object brings.
Result<void> SettleStorage(ObjectType type, Origin origin, AttributeSet& attributes) {
  if (origin == Origin::kImported) {
    attributes.RemoveAll(Tag::kProtectionStorageMask);
    RemoveServerAttributes(attributes);
  }
  if (type == ObjectType::kTemplate || IsResident(attributes)) return {};
  TRY(RemoveStorageWish(attributes));
  attributes.Set(
      Attribute::OfInteger(Tag::kProtectionStorageMask,
                           static_cast<std::int32_t>(kmip::ProtectionStorageMask::kSoftware)));
  return {};
}

}  // namespace

Result<kmip::ManagedObject> MakeObject(ObjectType type, Origin origin, AttributeSet attributes,
                                       SecretBytes material, const OperationContext& context) {
  kmip::ManagedObject object;
  const bool imported = origin == Origin::kImported;
  TRY(SettleStorage(type, origin, attributes));
  const std::optional<std::string_view> told = attributes.Text(Tag::kUniqueIdentifier);
  object.id = told ? std::string(*told) : TRY(NewUuid());
  object.type = type;
  object.owner = context.principal().name;
  object.material = std::move(material);
  AttributeSet all;
  all.Set(Attribute::OfText(Tag::kUniqueIdentifier, object.id));
  //= kmip-2.1 4.56 Short Unique Identifier
  //# SHOULD be generated as a SHA-256 hash of the Unique Identifier and SHALL be a 32 byte string
  all.Set(Attribute::OfBytes(Tag::kShortUniqueIdentifier, crypto::Sha256(AsBytes(object.id))));
  all.Set(Attribute::OfEnumeration(Tag::kObjectType, static_cast<std::uint32_t>(type)));
  for (const Attribute& attribute : attributes.all()) {
    if (attribute.tag == Tag::kObjectType || attribute.tag == Tag::kUniqueIdentifier) continue;
    if (attribute.tag == Tag::kShortUniqueIdentifier) {
      all.Set(attribute);
    } else {
      all.Add(attribute);
    }
  }
  const bool has_digest = imported && all.Has(Tag::kDigest) && all.Has(Tag::kKeyFormatType);
  if (!has_digest) TRY(AddFormatAndDigest(all, object, context.version()));
  if (type == ObjectType::kTemplate) {
    SetForTemplate(all, context.now());
  } else if (imported) {
    SetWhatIsMissing(all, context.now());
  } else {
    SetByServer(all, origin, context);
  }
  object.attributes = std::move(all);
  return object;
}

Result<void> InsertObject(const kmip::ManagedObject& object, OperationContext& context) {
  TRY(context.Insert(object));
  context.SetPlaceholder(object.id);
  context.Answered(object.id);
  return {};
}

}  // namespace dare::engine

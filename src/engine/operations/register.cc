#include "engine/operations/register.h"

#include <utility>

#include "engine/attribute_values.h"
#include "engine/certificate_attributes.h"
#include "engine/key_generation.h"
#include "engine/key_pair_check.h"
#include "engine/new_object.h"
#include "engine/pkcs12_keys.h"
#include "engine/refusal.h"
#include "engine/split_keys.h"
#include "engine/templates.h"
#include "engine/usage_defaults.h"
#include "kmip/key_block.h"
#include "kmip/names.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::CryptographicAlgorithm;
using kmip::KeyFormatType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

constexpr std::size_t kMostObjectBytes = 64u << 10;  // of the encoded object structure

Error Disagrees(const char* what) {
  return Reject(ResultReason::kInvalidField,
                std::string("the attributes and the Key Block disagree about ") + what);
}

bool IsKeyPairHalf(ObjectType type) {
  return type == ObjectType::kPrivateKey || type == ObjectType::kPublicKey;
}

bool IsFormatOf(ObjectType type, KeyFormatType format, kmip::ProtocolVersion version) {
  if (IsKeyPairHalf(type)) return MayHaveFormat(type, format, version);
  return format == KeyFormatType::kRaw || format == KeyFormatType::kOpaque ||
         (format == KeyFormatType::kTransparentSymmetricKey && type == ObjectType::kSymmetricKey);
}

// The Key Block of a key, Secret Data or PGP Key, and what may stand before it.
Result<kmip::KeyBlock> OpenKeyBlock(const ttlv::Item& object, ObjectType type,
                                    kmip::ProtocolVersion version) {
  ttlv::Reader members = TRY(object.Members());
  if (type == ObjectType::kSecretData) {
    const std::uint32_t kind = TRY(members.Enumeration(Tag::kSecretDataType));
    if (kind < 0x80000000 && !kmip::EnumExists(Tag::kSecretDataType, kind, version)) {
      return Reject(ResultReason::kInvalidField, "unknown Secret Data Type");
    }
  }
  if (type == ObjectType::kPGPKey) TRY(members.Integer(Tag::kPGPKeyVersion));
  if (type == ObjectType::kSplitKey) {
    const kmip::SplitKeyHead head = TRY(kmip::ReadSplitKeyHead(members));
    TRY(SchemeOf(head, version));
  }
  kmip::KeyBlock block = TRY(kmip::ReadKeyBlock(members));
  TRY(members.End());
  if (block.compression && !IsKeyPairHalf(type)) {
    return Reject(ResultReason::kKeyCompressionTypeNotSupported, "no compression for this key");
  }
  if (!IsFormatOf(type, block.format, version)) {
    return Reject(ResultReason::kKeyFormatTypeNotSupported, "no format for this type of object");
  }
  if (!block.key_value && version < kmip::kVersion1_2) {
    return Reject(ResultReason::kInvalidField, "a Key Block without Key Value");
  }
  return block;
}

// kmip-1.4 2.1.4 Key Value: attributes inside belong to the object, where the request gives no
// others.
Result<kmip::AttributesIn> WithAttributesInside(const kmip::AttributesIn& given,
                                                const kmip::KeyBlock& block, Origin origin,
                                                kmip::ProtocolVersion version) {
  kmip::AttributesIn all = given;
  if (block.attributes.empty()) return all;
  const std::uint8_t* begin = block.attributes.front().whole.data();
  const ttlv::Item& last = block.attributes.back();
  ttlv::Reader inside =
      ttlv::Reader::Members(ByteView(begin, last.whole.data() + last.whole.size()));
  const AttributeSet found = TRY(kmip::ReadSearchAttributes(inside, version));
  TRY(inside.End());
  for (const Attribute& attribute : found.all()) {
    const kmip::AttributeReference reference = kmip::ReferenceTo(attribute);
    const bool wanted =
        MayBeGiven(reference, origin, version) && given.attributes.Count(reference) == 0;
    if (wanted) all.attributes.Add(attribute);
  }
  return all;
}

// Algorithm and length from the Key Block or the attributes; where both speak, they agree.
Result<void> TakeAlgorithmAndLength(AttributeSet& attributes, const kmip::KeyBlock& block) {
  const auto algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  if (algorithm && block.algorithm && *algorithm != *block.algorithm) {
    return Disagrees("the algorithm");
  }
  const auto length = attributes.Integer(Tag::kCryptographicLength);
  if (length && block.length && *length != *block.length) return Disagrees("the length");
  if (block.algorithm) {
    attributes.Set(Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                                            static_cast<std::uint32_t>(*block.algorithm)));
  }
  if (block.length) {
    attributes.Set(Attribute::OfInteger(Tag::kCryptographicLength, *block.length));
  }
  return {};
}

Result<void> CheckKey(AttributeSet& attributes, const kmip::KeyBlock& block,
                      const OperationContext& context) {
  TRY(TakeAlgorithmAndLength(attributes, block));
  const auto algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  if (!algorithm || !kmip::EnumExists(Tag::kCryptographicAlgorithm,
                                      static_cast<std::uint32_t>(*algorithm), context.version())) {
    return Reject(ResultReason::kInvalidField, "a key needs a known Cryptographic Algorithm");
  }
  const bool readable = block.key_material && !block.wrapping;
  auto bits = attributes.Integer(Tag::kCryptographicLength);
  std::size_t bytes = 0;
  if (readable) bytes = TRY(block.KeyBytes()).size();
  if (!bits && readable) {
    bits = static_cast<std::int32_t>(bytes * 8);
    attributes.Set(Attribute::OfInteger(Tag::kCryptographicLength, *bits));
  }
  if (!bits) return Reject(ResultReason::kInvalidField, "a key needs a Cryptographic Length");
  TRY(CheckSymmetricKey(context.algorithms(), *algorithm, *bits, false));
  if (readable && bytes != MaterialBytes(*algorithm, *bits)) return Disagrees("the length");
  return CheckQuantumSafe(attributes);
}

Result<void> CheckSecret(AttributeSet& attributes, const kmip::KeyBlock& block) {
  TRY(TakeAlgorithmAndLength(attributes, block));
  const bool readable = block.key_material && !block.wrapping;
  if (!readable) return {};
  const auto bits = static_cast<std::int32_t>(TRY(block.KeyBytes()).size() * 8);
  const auto told = attributes.Integer(Tag::kCryptographicLength);
  if (told && *told != bits) return Disagrees("the length");
  attributes.Set(Attribute::OfInteger(Tag::kCryptographicLength, bits));
  return {};
}

Result<void> CheckOpaque(AttributeSet& attributes, const ttlv::Item& object) {
  ttlv::Reader members = TRY(object.Members());
  const std::uint32_t kind = TRY(members.Enumeration(Tag::kOpaqueDataType));
  TRY(members.ByteString(Tag::kOpaqueDataValue));
  TRY(members.End());
  const auto told = attributes.Enumeration(Tag::kOpaqueDataType);
  if (told && *told != kind) return Disagrees("the Opaque Data Type");
  attributes.Set(Attribute::OfEnumeration(Tag::kOpaqueDataType, kind));
  return {};
}

//= kmip-2.1 6.1.43 Register
//# If the Managed Object being registered is wrapped, the server SHALL create a Link attribute of
//# Link Type Wrapping Key Link
void LinkToWrappingKey(AttributeSet& attributes, const kmip::KeyBlock& block) {
  if (!block.wrapping || !block.wrapping->encryption || block.wrapping->encryption->id.empty()) {
    return;
  }
  attributes.Add(Attribute::OfLink(static_cast<std::uint32_t>(kmip::LinkType::kWrappingKeyLink),
                                   block.wrapping->encryption->id));
}

Result<void> CheckRequest(const kmip::RegisterRequest& request, kmip::ProtocolVersion version) {
  const ObjectType type = request.object_type;
  const bool kept = type == ObjectType::kSymmetricKey || type == ObjectType::kSecretData ||
                    type == ObjectType::kOpaqueObject || type == ObjectType::kPGPKey ||
                    type == ObjectType::kCertificate || type == ObjectType::kCertificateRequest ||
                    type == ObjectType::kSplitKey || IsKeyPairHalf(type);
  if (!kept || !kmip::EnumExists(Tag::kObjectType, static_cast<std::uint32_t>(type), version)) {
    return Reject(ResultReason::kInvalidObjectType, "no objects of this type on this server");
  }
  if (!request.object || request.object->tag != kmip::ObjectTag(type)) {
    return RejectIn(version, ResultReason::kInvalidField, ResultReason::kInvalidObjectType,
                    "the object is not of the Object Type given");
  }
  if (request.object->whole.size() > kMostObjectBytes) {
    return RejectIn(version, ResultReason::kInvalidField, ResultReason::kServerLimitExceeded,
                    "the object is too large");
  }
  return CheckProtectionStorage(request.protection_storage_masks);
}

bool HasKeyBlock(ObjectType type) {
  return type != ObjectType::kOpaqueObject && type != ObjectType::kCertificate &&
         type != ObjectType::kCertificateRequest;
}

Result<AttributeSet> AttributesOf(const kmip::RegisterRequest& request, Origin origin,
                                  const OperationContext& context) {
  const ObjectType type = request.object_type;
  const ttlv::Item& object = *request.object;
  if (!HasKeyBlock(type)) {
    AttributeSet attributes = TRY(CheckedAttributes(request.attributes, type, origin, context));
    if (type == ObjectType::kOpaqueObject) TRY(CheckOpaque(attributes, object));
    if (type == ObjectType::kCertificate) {
      TRY(AddCertificateAttributes(attributes, object, context));
    }
    if (type == ObjectType::kCertificateRequest) {
      TRY(AddRequestAttributes(attributes, object, context));
    }
    TRY(CheckAmount(attributes, context.version()));
    return attributes;
  }
  const kmip::KeyBlock block = TRY(OpenKeyBlock(object, type, context.version()));
  const kmip::AttributesIn given =
      TRY(WithAttributesInside(request.attributes, block, origin, context.version()));
  AttributeSet attributes = TRY(CheckedAttributes(given, type, origin, context));
  if (type == ObjectType::kSymmetricKey) {
    TRY(CheckKey(attributes, block, context));
  } else if (type == ObjectType::kPGPKey || type == ObjectType::kSplitKey) {
    TRY(TakeAlgorithmAndLength(attributes, block));
  } else if (IsKeyPairHalf(type)) {
    TRY(TakeAlgorithmAndLength(attributes, block));
    TRY(CheckBroughtKey(attributes, type, block, context));
  } else {
    TRY(CheckSecret(attributes, block));
  }
  if (origin != Origin::kImported) LinkToWrappingKey(attributes, block);
  return attributes;
}

}  // namespace

Result<kmip::ManagedObject> MakeRegistered(const kmip::RegisterRequest& request, Origin origin,
                                           const OperationContext& context) {
  if (request.object_type == ObjectType::kTemplate && kmip::IsVersion1(context.version())) {
    return MakeTemplate(request, origin, context);
  }
  TRY(CheckRequest(request, context.version()));
  AttributeSet attributes = TRY(AttributesOf(request, origin, context));
  SetDefaultUsage(attributes, request.object_type);
  SecretBytes material = TRY(SecretBytes::CopyOf(request.object->whole));
  return MakeObject(request.object_type, origin, std::move(attributes), std::move(material),
                    context);
}

Result<kmip::RegisterResponse> Register(const kmip::RegisterRequest& request,
                                        OperationContext& context) {
  TRY(context.Authorise());
  if (IsPkcs12(request)) return RegisterPkcs12(request, context);
  const kmip::ManagedObject object = TRY(MakeRegistered(request, Origin::kRegistered, context));
  TRY(InsertObject(object, context));
  return kmip::RegisterResponse{.id = object.id};
}

}  // namespace dare::engine

#include "kmip/managed_object.h"

#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<KeyBlock> ManagedObject::Block() const {
  if (material.empty()) {
    return Reject(ResultReason::kKeyValueNotPresent, "the object has no key value");
  }
  ttlv::Reader object = TRY(ttlv::Reader::Open(material.Reveal()));
  while (!object.AtEnd() && !object.At(Tag::kKeyBlock)) TRY(object.Skip());
  if (object.AtEnd()) {
    return Reject(ResultReason::kInvalidObjectType, "this type of object has no Key Block");
  }
  return ReadKeyBlock(object);
}

std::optional<Tag> ObjectTag(ObjectType type) {
  switch (type) {
    case ObjectType::kCertificate:
      return Tag::kCertificate;
    case ObjectType::kSymmetricKey:
      return Tag::kSymmetricKey;
    case ObjectType::kPublicKey:
      return Tag::kPublicKey;
    case ObjectType::kPrivateKey:
      return Tag::kPrivateKey;
    case ObjectType::kSplitKey:
      return Tag::kSplitKey;
    case ObjectType::kTemplate:
      return Tag::kTemplate;
    case ObjectType::kSecretData:
      return Tag::kSecretData;
    case ObjectType::kOpaqueObject:
      return Tag::kOpaqueObject;
    case ObjectType::kPGPKey:
      return Tag::kPGPKey;
    case ObjectType::kCertificateRequest:
      return Tag::kCertificateRequest;
    default:
      return std::nullopt;
  }
}

std::optional<ObjectType> TypeOfObjectTag(Tag tag) {
  for (std::uint32_t n = 1; n <= 10; ++n) {
    const auto type = static_cast<ObjectType>(n);
    if (ObjectTag(type) == tag) return type;
  }
  return std::nullopt;
}

Result<SecretBytes> MakeSymmetricKey(ByteView key, CryptographicAlgorithm algorithm,
                                     std::optional<std::int32_t> bits) {
  ttlv::Writer out;
  out.Structure(Tag::kSymmetricKey, [&] {
    out.Structure(Tag::kKeyBlock, [&] {
      out.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
      out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, key); });
      out.Enum(Tag::kCryptographicAlgorithm, algorithm);
      out.Integer(Tag::kCryptographicLength,
                  bits.value_or(static_cast<std::int32_t>(key.size() * 8)));
    });
  });
  return SecretBytes::CopyOf(out.bytes());
}

Result<SecretBytes> MakeSecretData(ByteView data, SecretDataType type) {
  ttlv::Writer out;
  out.Structure(Tag::kSecretData, [&] {
    out.Enum(Tag::kSecretDataType, type);
    out.Structure(Tag::kKeyBlock, [&] {
      out.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
      out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, data); });
    });
  });
  return SecretBytes::CopyOf(out.bytes());
}

}  // namespace dare::kmip

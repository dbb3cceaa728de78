#include "kmip/payloads/key_pair_attributes.h"

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

constexpr AttributesTags kCommon{Tag::kCommonTemplateAttribute, Tag::kCommonAttributes};
constexpr AttributesTags kPrivate{Tag::kPrivateKeyTemplateAttribute, Tag::kPrivateKeyAttributes};
constexpr AttributesTags kPublic{Tag::kPublicKeyTemplateAttribute, Tag::kPublicKeyAttributes};

Result<AttributesIn> ReadOptional(ttlv::Reader& in, ProtocolVersion version, AttributesTags tags) {
  if (!in.At(tags.For(version))) return AttributesIn();
  return ReadAttributes(in, version, tags);
}

void WriteSome(ttlv::Writer& out, ProtocolVersion version, const AttributesIn& attributes,
               AttributesTags tags) {
  if (attributes.attributes.empty() && attributes.template_names.empty()) return;
  WriteAttributes(out, version, attributes, tags);
}

void WriteMasks(ttlv::Writer& out, const std::optional<ProtectionStorageMasks>& masks, Tag tag) {
  if (masks) WriteProtectionStorageMasks(out, *masks, tag);
}

}  // namespace

Result<KeyPairAttributes> ReadKeyPairAttributes(ttlv::Reader& in, ProtocolVersion version) {
  KeyPairAttributes read;
  read.common = TRY(ReadOptional(in, version, kCommon));
  read.private_key = TRY(ReadOptional(in, version, kPrivate));
  read.public_key = TRY(ReadOptional(in, version, kPublic));
  if (IsVersion1(version)) return read;
  read.common_masks =
      TRY(ReadOptionalProtectionStorageMasks(in, Tag::kCommonProtectionStorageMasks));
  read.private_masks =
      TRY(ReadOptionalProtectionStorageMasks(in, Tag::kPrivateProtectionStorageMasks));
  read.public_masks =
      TRY(ReadOptionalProtectionStorageMasks(in, Tag::kPublicProtectionStorageMasks));
  return read;
}

void WriteKeyPairAttributes(ttlv::Writer& out, ProtocolVersion version,
                            const KeyPairAttributes& attributes) {
  WriteSome(out, version, attributes.common, kCommon);
  WriteSome(out, version, attributes.private_key, kPrivate);
  WriteSome(out, version, attributes.public_key, kPublic);
  if (IsVersion1(version)) return;
  WriteMasks(out, attributes.common_masks, Tag::kCommonProtectionStorageMasks);
  WriteMasks(out, attributes.private_masks, Tag::kPrivateProtectionStorageMasks);
  WriteMasks(out, attributes.public_masks, Tag::kPublicProtectionStorageMasks);
}

Result<KeyPairResponse> KeyPairResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  KeyPairResponse response;
  response.private_id = TRY(in.Text(Tag::kPrivateKeyUniqueIdentifier));
  response.public_id = TRY(in.Text(Tag::kPublicKeyUniqueIdentifier));
  if (IsVersion1(version)) {
    response.private_implied = TRY(ReadOptional(in, version, kPrivate)).attributes;
    response.public_implied = TRY(ReadOptional(in, version, kPublic)).attributes;
  }
  TRY(in.End());
  return response;
}

void KeyPairResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kPrivateKeyUniqueIdentifier, private_id);
  out.Text(Tag::kPublicKeyUniqueIdentifier, public_id);
  if (!IsVersion1(version)) return;
  WriteSome(out, version, AttributesIn{private_implied, {}}, kPrivate);
  WriteSome(out, version, AttributesIn{public_implied, {}}, kPublic);
}

}  // namespace dare::kmip

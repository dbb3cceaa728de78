#include "kmip/key_block.h"

#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

Result<std::optional<WrappingKeyInformation>> ReadKeyInformation(ttlv::Reader& in, Tag tag) {
  if (!in.At(tag)) return std::optional<WrappingKeyInformation>();
  ttlv::Reader members = TRY(in.Structure(tag));
  WrappingKeyInformation information;
  information.id = TRY(members.Text(Tag::kUniqueIdentifier));
  information.parameters = TRY(ReadOptionalCryptographicParameters(members));
  TRY(members.End());
  return std::optional<WrappingKeyInformation>(std::move(information));
}

void WriteKeyInformation(ttlv::Writer& out, Tag tag,
                         const std::optional<WrappingKeyInformation>& information) {
  if (!information) return;
  out.Structure(tag, [&] {
    out.Text(Tag::kUniqueIdentifier, information->id);
    if (information->parameters) WriteCryptographicParameters(out, *information->parameters);
  });
}

Result<void> ReadMethodAndKeys(ttlv::Reader& members, KeyWrapping& wrapping) {
  wrapping.method = TRY(members.Enum<WrappingMethod>(Tag::kWrappingMethod));
  wrapping.encryption = TRY(ReadKeyInformation(members, Tag::kEncryptionKeyInformation));
  wrapping.mac = TRY(ReadKeyInformation(members, Tag::kMACSignatureKeyInformation));
  return {};
}

}  // namespace

Result<ByteView> KeyBlock::KeyBytes() const {
  if (wrapping) return Error(Code::kUnsupported, "the key is stored wrapped");
  if (!key_material)
    return Reject(ResultReason::kKeyValueNotPresent, "the object has no key value");
  if (key_material->type == ttlv::Type::kByteString) return key_material->AsByteString();
  if (format == KeyFormatType::kTransparentSymmetricKey) {
    ttlv::Reader members = TRY(key_material->Members());
    const ByteView key = TRY(members.ByteString(Tag::kKey));
    TRY(members.End());
    return key;
  }
  return Reject(ResultReason::kKeyFormatTypeNotSupported, "no plain bytes in this key format");
}

Result<KeyBlock> ReadKeyBlock(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kKeyBlock));
  KeyBlock block;
  block.format = TRY(members.Enum<KeyFormatType>(Tag::kKeyFormatType));
  block.compression = TRY(members.OptionalEnumeration(Tag::kKeyCompressionType));
  if (members.At(Tag::kKeyValue)) {
    block.key_value = TRY(members.Next());
    if (block.key_value->type == ttlv::Type::kStructure) {
      ttlv::Reader value = TRY(block.key_value->Members());
      if (value.AtEnd() || !value.At(Tag::kKeyMaterial)) {
        return Error(Code::kMalformed, "a Key Value without Key Material");
      }
      block.key_material = TRY(value.Next());
      while (value.At(Tag::kAttribute) || value.At(Tag::kAttributes)) {
        block.attributes.push_back(TRY(value.Next()));
      }
      TRY(value.End());
    } else if (block.key_value->type != ttlv::Type::kByteString) {
      return Error(Code::kMalformed, "a Key Value is a structure or a byte string");
    }
  }
  block.algorithm = TRY(members.OptionalEnum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm));
  block.length = TRY(members.OptionalInteger(Tag::kCryptographicLength));
  if (members.At(Tag::kKeyWrappingData)) block.wrapping = TRY(ReadKeyWrappingData(members));
  TRY(members.End());
  return block;
}

Result<KeyWrapping> ReadKeyWrappingData(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kKeyWrappingData));
  KeyWrapping wrapping;
  TRY(ReadMethodAndKeys(members, wrapping));
  if (const auto mac = TRY(members.OptionalByteString(Tag::kMACSignature))) {
    wrapping.mac_or_signature = ToBytes(*mac);
  }
  if (const auto iv = TRY(members.OptionalByteString(Tag::kIVCounterNonce))) {
    wrapping.iv = ToBytes(*iv);
  }
  wrapping.encoding = TRY(members.OptionalEnum<EncodingOption>(Tag::kEncodingOption));
  TRY(members.End());
  return wrapping;
}

Result<KeyWrapping> ReadKeyWrappingSpecification(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kKeyWrappingSpecification));
  KeyWrapping wrapping;
  TRY(ReadMethodAndKeys(members, wrapping));
  while (members.At(Tag::kAttributeName)) {
    wrapping.attribute_names.emplace_back(TRY(members.Text(Tag::kAttributeName)));
  }
  wrapping.encoding = TRY(members.OptionalEnum<EncodingOption>(Tag::kEncodingOption));
  TRY(members.End());
  return wrapping;
}

void WriteKeyWrappingData(ttlv::Writer& out, const KeyWrapping& wrapping) {
  out.Structure(Tag::kKeyWrappingData, [&] {
    out.Enum(Tag::kWrappingMethod, wrapping.method);
    WriteKeyInformation(out, Tag::kEncryptionKeyInformation, wrapping.encryption);
    WriteKeyInformation(out, Tag::kMACSignatureKeyInformation, wrapping.mac);
    if (!wrapping.mac_or_signature.empty()) {
      out.ByteString(Tag::kMACSignature, wrapping.mac_or_signature);
    }
    if (!wrapping.iv.empty()) out.ByteString(Tag::kIVCounterNonce, wrapping.iv);
    if (wrapping.encoding) out.Enum(Tag::kEncodingOption, *wrapping.encoding);
  });
}

void WriteKeyWrappingSpecification(ttlv::Writer& out, const KeyWrapping& wrapping) {
  out.Structure(Tag::kKeyWrappingSpecification, [&] {
    out.Enum(Tag::kWrappingMethod, wrapping.method);
    WriteKeyInformation(out, Tag::kEncryptionKeyInformation, wrapping.encryption);
    WriteKeyInformation(out, Tag::kMACSignatureKeyInformation, wrapping.mac);
    for (const std::string& name : wrapping.attribute_names) out.Text(Tag::kAttributeName, name);
    if (wrapping.encoding) out.Enum(Tag::kEncodingOption, *wrapping.encoding);
  });
}

}  // namespace dare::kmip

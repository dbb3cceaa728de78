#include "engine/key_wrapping.h"

#include <utility>

#include "engine/wrapping_keys.h"
#include "kmip/attribute_table.h"
#include "kmip/dialect.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/validate.h"

namespace dare::engine {
namespace {

using kmip::EncodingOption;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;
using kmip::WrappingMethod;

// The members before the Key Block (Secret Data Type), copied; then the Key Block as `write` makes
// it.
template <typename WriteBlock>
Result<WipingBytes> Rebuild(const kmip::ManagedObject& object, WriteBlock write) {
  ttlv::Reader outer = ttlv::Reader::Members(object.material.Reveal());
  const ttlv::Item whole = TRY(outer.Next());
  ttlv::Reader members = TRY(whole.Members());
  ttlv::Writer out;
  const ttlv::Writer::Mark mark = out.Begin(whole.tag);
  while (!members.AtEnd() && !members.At(Tag::kKeyBlock)) out.Copy(TRY(members.Next()));
  TRY(write(out));
  out.End(mark);
  return out.Take();
}

void WriteKeyBlockHead(ttlv::Writer& out, const kmip::KeyBlock& block) {
  out.Enum(Tag::kKeyFormatType, block.format);
  if (block.compression) out.Enumeration(Tag::kKeyCompressionType, *block.compression);
}

void WriteKeyBlockTail(ttlv::Writer& out, const kmip::KeyBlock& block) {
  if (block.algorithm) out.Enum(Tag::kCryptographicAlgorithm, *block.algorithm);
  if (block.length) out.Integer(Tag::kCryptographicLength, *block.length);
}

// The attribute that an Attribute Name in a specification means: text, in 2.x too.
kmip::AttributeReference ReferenceOf(const std::string& name) {
  if (name.starts_with("x-") || name.starts_with("y-")) {
    return {Tag::kAttribute, name.substr(0, 1), name.substr(2)};
  }
  const kmip::AttributeRule* rule = kmip::AttributeByName(name);
  return {rule == nullptr ? Tag{} : rule->tag, "", ""};
}

// Key Value { Key Material, attributes the specification names }: what TTLV Encoding wraps.
Result<WipingBytes> EncodeKeyValue(OperationContext& context, const kmip::ManagedObject& object,
                                   const kmip::KeyBlock& block,
                                   const kmip::KeyWrapping& specification) {
  std::vector<kmip::Attribute> inside;
  for (const std::string& name : specification.attribute_names) {
    const kmip::AttributeReference reference = ReferenceOf(name);
    if (reference.tag == Tag{}) return Reject(ResultReason::kItemNotFound, "no attribute " + name);
    for (const kmip::Attribute& attribute : object.attributes.all()) {
      if (reference.Names(attribute)) inside.push_back(attribute);
    }
  }
  ttlv::Writer out;
  out.Structure(Tag::kKeyValue, [&] {
    out.Copy(*block.key_material);
    if (!inside.empty()) kmip::WriteAttributeList(out, context.version(), inside);
  });
  return out.Take();
}

// What a wrapping starts from: the bytes of the key, or the Key Value in TTLV.
Result<WipingBytes> PlainContent(OperationContext& context, const kmip::ManagedObject& object,
                                 const kmip::KeyBlock& block,
                                 const kmip::KeyWrapping& specification) {
  const bool has_bytes = block.key_material->type == ttlv::Type::kByteString;
  const bool as_ttlv = specification.encoding
                           ? *specification.encoding == EncodingOption::kTTLVEncoding
                           : !has_bytes;  // docs/decisions/key-wrapping-encoding.md
  if (as_ttlv) return EncodeKeyValue(context, object, block, specification);
  if (specification.encoding && !specification.attribute_names.empty()) {
    return Reject(ResultReason::kEncodingOptionError, "attributes need TTLV Encoding");
  }
  if (!has_bytes) {
    return Reject(ResultReason::kEncodingOptionError, "No Encoding needs a key of plain bytes");
  }
  const ByteView bytes = TRY(block.key_material->AsByteString());
  return WipingBytes(bytes.begin(), bytes.end());
}

// The keys that the method needs are named, and no others.
Result<void> CheckMethod(const kmip::KeyWrapping& wrapping) {
  const bool encrypts = wrapping.method != WrappingMethod::kMACSign;
  const bool authenticates = wrapping.method != WrappingMethod::kEncrypt;
  switch (wrapping.method) {
    case WrappingMethod::kEncrypt:
    case WrappingMethod::kMACSign:
    case WrappingMethod::kEncryptThenMACSign:
    case WrappingMethod::kMACSignThenEncrypt:
      break;
    case WrappingMethod::kTR_31:
      return Reject(ResultReason::kFeatureNotSupported,
                    "TR-31 key blocks are not made here: they carry no KMIP object");
    default:
      return Reject(ResultReason::kFeatureNotSupported, "unknown Wrapping Method");
  }
  if (encrypts != wrapping.encryption.has_value() || authenticates != wrapping.mac.has_value()) {
    return Reject(ResultReason::kInvalidField,
                  "the Wrapping Method and the keys named for it do not go together");
  }
  return {};
}

struct Wrapped {
  WipingBytes data;  // in clear for MAC/sign
  Bytes iv;
  Bytes mac;
};

Result<Wrapped> WrapContent(OperationContext& context, const kmip::KeyWrapping& specification,
                            WipingBytes plain) {
  Wrapped wrapped;
  const WrappingMethod method = specification.method;
  if (method == WrappingMethod::kMACSign || method == WrappingMethod::kMACSignThenEncrypt) {
    wrapped.mac = TRY(AuthenticateKey(context, *specification.mac, plain));
  }
  if (method == WrappingMethod::kMACSign) {
    wrapped.data = std::move(plain);
    return wrapped;
  }
  Enciphered enciphered = TRY(EncipherKey(context, *specification.encryption, plain));
  wrapped.data.assign(enciphered.data.begin(), enciphered.data.end());
  wrapped.iv = std::move(enciphered.iv);
  if (method == WrappingMethod::kEncryptThenMACSign) {
    wrapped.mac = TRY(AuthenticateKey(context, *specification.mac, wrapped.data));
  }
  return wrapped;
}

Result<WipingBytes> UnwrapContent(OperationContext& context, const kmip::KeyWrapping& wrapping,
                                  ByteView wrapped) {
  const WrappingMethod method = wrapping.method;
  if (method == WrappingMethod::kMACSign || method == WrappingMethod::kEncryptThenMACSign) {
    TRY(VerifyKey(context, *wrapping.mac, wrapped, wrapping.mac_or_signature));
  }
  if (method == WrappingMethod::kMACSign) return WipingBytes(wrapped.begin(), wrapped.end());
  WipingBytes plain = TRY(DecipherKey(context, *wrapping.encryption, wrapping.iv, wrapped));
  if (method == WrappingMethod::kMACSignThenEncrypt) {
    TRY(VerifyKey(context, *wrapping.mac, plain, wrapping.mac_or_signature));
  }
  return plain;
}

// A copy of `object` with other material.
kmip::ManagedObject WithMaterial(const kmip::ManagedObject& object, SecretBytes material) {
  kmip::ManagedObject copy;
  copy.id = object.id;
  copy.type = object.type;
  copy.owner = object.owner;
  copy.attributes = object.attributes;
  copy.material = std::move(material);
  return copy;
}

// `in_structure`: wrapped bytes stand in Key Value { Key Material } instead of being the Key Value,
// as some published cases have it (TC-WRAP-3-14).
Result<WipingBytes> WrapClear(OperationContext& context, const kmip::ManagedObject& object,
                              const kmip::KeyWrapping& specification, bool in_structure) {
  const kmip::KeyBlock block = TRY(object.Block());
  if (!block.key_material) {
    return Reject(ResultReason::kKeyValueNotPresent, "the object has no key value");
  }
  WipingBytes plain = TRY(PlainContent(context, object, block, specification));
  const Wrapped wrapped = TRY(WrapContent(context, specification, std::move(plain)));
  kmip::KeyWrapping data = specification;
  data.attribute_names.clear();
  data.iv = wrapped.iv;
  data.mac_or_signature = wrapped.mac;
  return Rebuild(object, [&](ttlv::Writer& out) -> Result<void> {
    const ttlv::Writer::Mark mark = out.Begin(Tag::kKeyBlock);
    WriteKeyBlockHead(out, block);
    if (in_structure) {
      out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, wrapped.data); });
    } else {
      out.ByteString(Tag::kKeyValue, wrapped.data);
    }
    WriteKeyBlockTail(out, block);
    kmip::WriteKeyWrappingData(out, data);
    out.End(mark);
    return {};
  });
}

}  // namespace

bool Conceals(const kmip::KeyWrapping& specification) {
  return specification.method != WrappingMethod::kMACSign;
}

Result<WipingBytes> WrapObject(OperationContext& context, const kmip::ManagedObject& object,
                               const kmip::KeyWrapping& specification) {
  TRY(CheckMethod(specification));
  const kmip::KeyBlock block = TRY(object.Block());
  if (!block.wrapping) return WrapClear(context, object, specification, false);
  const bool in_structure = block.key_material.has_value();
  const kmip::ManagedObject clear = WithMaterial(object, TRY(UnwrapObject(context, object)));
  return WrapClear(context, clear, specification, in_structure);
}

Result<SecretBytes> UnwrapObject(OperationContext& context, const kmip::ManagedObject& object) {
  const kmip::KeyBlock block = TRY(object.Block());
  if (!block.wrapping || !block.key_value) {
    return Reject(ResultReason::kIllegalOperation, "the object is not wrapped");
  }
  TRY(CheckMethod(*block.wrapping));
  const ByteView wrapped = block.key_value->type == ttlv::Type::kByteString
                               ? TRY(block.key_value->AsByteString())
                               : TRY(block.key_material->AsByteString());
  const WipingBytes plain = TRY(UnwrapContent(context, *block.wrapping, wrapped));
  const auto is_key_value = [&] {
    Result<ttlv::Item> item = ttlv::ParseItem(plain);
    return item && item->tag == Tag::kKeyValue && ttlv::ValidateItem(plain, {}).has_value();
  };
  const bool as_ttlv = block.wrapping->encoding
                           ? *block.wrapping->encoding == EncodingOption::kTTLVEncoding
                           : is_key_value();
  if (as_ttlv && !is_key_value()) {
    return Reject(ResultReason::kEncodingOptionError, "the wrapped bytes are no Key Value");
  }
  const WipingBytes clear = TRY(Rebuild(object, [&](ttlv::Writer& out) -> Result<void> {
    const ttlv::Writer::Mark mark = out.Begin(Tag::kKeyBlock);
    WriteKeyBlockHead(out, block);
    if (as_ttlv) {
      out.Raw(plain);
    } else {
      out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, plain); });
    }
    WriteKeyBlockTail(out, block);
    out.End(mark);
    return {};
  }));
  return SecretBytes::CopyOf(clear);
}

}  // namespace dare::engine

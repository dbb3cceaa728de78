#include "engine/key_wrapping.h"

#include <utility>

#include "crypto/block_cipher.h"
#include "engine/cipher_choice.h"
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

// Key Value { Key Material, attributes the specification names }: what TTLV Encoding wraps.
Result<WipingBytes> EncodeKeyValue(OperationContext& context, const kmip::ManagedObject& object,
                                   const kmip::KeyBlock& block,
                                   const kmip::KeyWrapping& specification) {
  std::vector<kmip::Attribute> inside;
  for (const std::string& name : specification.attribute_names) {
    const kmip::AttributeRule* rule = kmip::AttributeByName(name);
    if (rule == nullptr) return Reject(ResultReason::kItemNotFound, "no attribute " + name);
    for (const kmip::Attribute& attribute : object.attributes.all()) {
      if (attribute.tag == rule->tag) inside.push_back(attribute);
    }
  }
  ttlv::Writer out;
  out.Structure(Tag::kKeyValue, [&] {
    out.Copy(*block.key_material);
    if (!inside.empty()) kmip::WriteAttributeList(out, context.version(), inside);
  });
  return out.Take();
}

struct Wrapped {
  Bytes data;
  Bytes iv;
};

Result<Wrapped> WrapBytes(OperationContext& context, const UsableKey& key,
                          const kmip::CryptographicParameters& parameters, ByteView plain) {
  const auto choice = TRY(ChooseCipher(parameters, key));
  Wrapped wrapped;
  if (const auto* mode = std::get_if<crypto::KeyWrapMode>(&choice)) {
    Result<Bytes> data = crypto::WrapKey(*mode, key.bytes, plain);
    if (!data) return CryptographicError(data.error());
    wrapped.data = std::move(*data);
    return wrapped;
  }
  const auto& cipher_choice = std::get<CipherChoice>(choice);
  wrapped.iv = TRY(MakeIv(cipher_choice));
  crypto::CipherRequest cipher;
  cipher.algorithm = cipher_choice.algorithm;
  cipher.mode = cipher_choice.mode;
  cipher.padding = cipher_choice.padding;
  cipher.key = key.bytes;
  cipher.iv = wrapped.iv;
  cipher.tag_length = cipher_choice.tag_length;
  cipher.policy = context.algorithms();
  Result<crypto::CipherOutput> output = crypto::Encrypt(cipher, plain);
  if (!output) return CryptographicError(output.error());
  wrapped.data = std::move(output->data);
  Append(wrapped.data, output->tag);
  return wrapped;
}

Result<WipingBytes> UnwrapBytes(OperationContext& context, const UsableKey& key,
                                const kmip::CryptographicParameters& parameters, ByteView iv,
                                ByteView data) {
  const auto choice = TRY(ChooseCipher(parameters, key));
  if (const auto* mode = std::get_if<crypto::KeyWrapMode>(&choice)) {
    Result<SecretBytes> plain = crypto::UnwrapKey(*mode, key.bytes, data);
    if (!plain) return CryptographicError(plain.error());
    return WipingBytes(plain->Reveal().begin(), plain->Reveal().end());
  }
  const auto& cipher_choice = std::get<CipherChoice>(choice);
  crypto::CipherRequest cipher;
  cipher.algorithm = cipher_choice.algorithm;
  cipher.mode = cipher_choice.mode;
  cipher.padding = cipher_choice.padding;
  cipher.key = key.bytes;
  cipher.iv = iv;
  cipher.tag_length = cipher_choice.tag_length;
  cipher.policy = context.algorithms();
  if (data.size() < cipher_choice.tag_length) {
    return Reject(ResultReason::kCryptographicFailure, "cryptographic failure");
  }
  const std::size_t length = data.size() - cipher_choice.tag_length;
  Result<WipingBytes> plain = crypto::Decrypt(cipher, data.first(length), data.subspan(length));
  if (!plain) return CryptographicError(plain.error());
  return std::move(*plain);
}

Result<UsableKey> WrappingKey(OperationContext& context, const kmip::KeyWrapping& wrapping,
                              KeyPurpose purpose) {
  if (wrapping.method != kmip::WrappingMethod::kEncrypt || wrapping.mac || !wrapping.encryption) {
    return Reject(ResultReason::kFeatureNotSupported, "only Wrapping Method Encrypt is supported");
  }
  Result<UsableKey> key = OpenWrappingKey(context, wrapping.encryption->id, purpose);
  if (key || key.error().code != Code::kRejected) return key;
  // Where 2.x has a reason of its own for the wrapping key, it says so.
  if (key.error().detail == static_cast<std::uint64_t>(ResultReason::kObjectNotFound)) {
    return Reject(ResultReason::kWrappingObjectNotFound, "no such wrapping key");
  }
  if (key.error().detail == static_cast<std::uint64_t>(ResultReason::kObjectDestroyed)) {
    return Reject(ResultReason::kWrappingObjectDestroyed, "the wrapping key was destroyed");
  }
  return key;
}

kmip::CryptographicParameters ParametersOf(const kmip::KeyWrapping& wrapping,
                                           const UsableKey& key) {
  return wrapping.encryption->parameters.value_or(kmip::CryptographicParameters())
      .Over(key.defaults);
}

}  // namespace

Result<WipingBytes> WrapObject(OperationContext& context, const kmip::ManagedObject& object,
                               const kmip::KeyWrapping& specification) {
  const UsableKey key = TRY(WrappingKey(context, specification, KeyPurpose::kWrap));
  const kmip::KeyBlock block = TRY(object.Block());
  if (block.wrapping || !block.key_material) {
    return Reject(ResultReason::kIllegalOperation, "the object is wrapped already or has no key");
  }
  const bool as_ttlv = specification.encoding == EncodingOption::kTTLVEncoding;
  if (!as_ttlv && specification.encoding && !specification.attribute_names.empty()) {
    return Reject(ResultReason::kEncodingOptionError, "attributes need TTLV Encoding");
  }
  WipingBytes plain;
  if (as_ttlv) {
    plain = TRY(EncodeKeyValue(context, object, block, specification));
  } else {
    if (block.key_material->type != ttlv::Type::kByteString) {
      return Reject(ResultReason::kEncodingOptionError, "No Encoding needs a key of plain bytes");
    }
    Append(plain, TRY(block.KeyBytes()));
  }
  TRY(TakeUsage(context, key, plain.size()));  // wrapping protects, as Encrypt does
  const Wrapped wrapped = TRY(WrapBytes(context, key, ParametersOf(specification, key), plain));

  kmip::KeyWrapping data = specification;
  data.attribute_names.clear();
  data.iv = wrapped.iv;
  return Rebuild(object, [&](ttlv::Writer& out) -> Result<void> {
    const ttlv::Writer::Mark mark = out.Begin(Tag::kKeyBlock);
    WriteKeyBlockHead(out, block);
    out.ByteString(Tag::kKeyValue, wrapped.data);
    WriteKeyBlockTail(out, block);
    kmip::WriteKeyWrappingData(out, data);
    out.End(mark);
    return {};
  });
}

Result<SecretBytes> UnwrapObject(OperationContext& context, const kmip::ManagedObject& object) {
  const kmip::KeyBlock block = TRY(object.Block());
  if (!block.wrapping || !block.key_value) {
    return Reject(ResultReason::kIllegalOperation, "the object is not wrapped");
  }
  const UsableKey key = TRY(WrappingKey(context, *block.wrapping, KeyPurpose::kUnwrap));
  const ByteView wrapped = block.key_value->type == ttlv::Type::kByteString
                               ? TRY(block.key_value->AsByteString())
                               : TRY(block.key_material->AsByteString());
  const WipingBytes plain = TRY(
      UnwrapBytes(context, key, ParametersOf(*block.wrapping, key), block.wrapping->iv, wrapped));
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

#include "engine/operations/get.h"

#include <utility>

#include "engine/group_turns.h"
#include "engine/key_formats.h"
#include "engine/key_wrapping.h"
#include "engine/lifecycle.h"
#include "engine/pkcs12_keys.h"
#include "kmip/key_block.h"
#include "kmip/names.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "policy/policy.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

using kmip::KeyFormatType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

//= kmip-1.4 3.49 Sensitive, 3.51 Extractable
//# Sensitive: the key value SHALL only be given wrapped. Extractable False: it SHALL not be given
// at all.
Result<void> CheckMayLeave(const kmip::AttributeSet& attributes, bool wrapped) {
  if (!attributes.Boolean(Tag::kExtractable).value_or(true)) {
    return Reject(ResultReason::kNotExtractable, "the object is not extractable");
  }
  if (!wrapped && attributes.Boolean(Tag::kSensitive).value_or(false)) {
    return Reject(ResultReason::kSensitive, "the object is sensitive: it leaves only wrapped");
  }
  return {};
}

bool IsKeyPairHalf(const kmip::ManagedObject& object) {
  return object.type == kmip::ObjectType::kPrivateKey ||
         object.type == kmip::ObjectType::kPublicKey;
}

// Compression is of the points of elliptic curves, which only Public Keys are.
Result<void> CheckForms(const kmip::GetRequest& request, const kmip::ManagedObject& object) {
  if (request.compression && object.type != kmip::ObjectType::kPublicKey) {
    return Reject(ResultReason::kKeyCompressionTypeNotSupported, "no compression for this key");
  }
  return {};
}

// Raw and Transparent Symmetric Key are two spellings of the same bytes; every other format is
// given as it is kept.
Result<WipingBytes> InFormat(const kmip::ManagedObject& object, KeyFormatType format,
                             std::optional<kmip::KeyCompressionType> compression) {
  if (IsKeyPairHalf(object)) {
    const SecretBytes made = TRY(InOtherForm(object, format, compression));
    return WipingBytes(made.Reveal().begin(), made.Reveal().end());
  }
  const kmip::KeyBlock block = TRY(object.Block());
  const bool plain = format == KeyFormatType::kRaw || format == KeyFormatType::kOpaque;
  const bool transparent = format == KeyFormatType::kTransparentSymmetricKey &&
                           object.type == kmip::ObjectType::kSymmetricKey;
  if (block.wrapping || (!plain && !transparent)) {
    return Reject(ResultReason::kKeyFormatTypeNotSupported,
                  "this Key Format Type is not available");
  }
  Result<ByteView> key = block.KeyBytes();
  if (!key) return Reject(ResultReason::kKeyFormatTypeNotSupported, key.error().message);
  ttlv::Reader outer = ttlv::Reader::Members(object.material.Reveal());
  const ttlv::Item whole = TRY(outer.Next());
  ttlv::Reader members = TRY(whole.Members());
  ttlv::Writer out;
  const ttlv::Writer::Mark mark = out.Begin(whole.tag);
  while (!members.AtEnd() && !members.At(Tag::kKeyBlock)) out.Copy(TRY(members.Next()));
  out.Structure(Tag::kKeyBlock, [&] {
    out.Enum(Tag::kKeyFormatType, format);
    out.Structure(Tag::kKeyValue, [&] {
      if (transparent) {
        out.Structure(Tag::kKeyMaterial, [&] { out.ByteString(Tag::kKey, *key); });
      } else {
        out.ByteString(Tag::kKeyMaterial, *key);
      }
    });
    if (block.algorithm) out.Enum(Tag::kCryptographicAlgorithm, *block.algorithm);
    if (block.length) out.Integer(Tag::kCryptographicLength, *block.length);
  });
  out.End(mark);
  return out.Take();
}

// A copy of `object` with other material, for the steps that start from it.
kmip::ManagedObject WithMaterial(const kmip::ManagedObject& object, SecretBytes material) {
  kmip::ManagedObject copy;
  copy.id = object.id;
  copy.type = object.type;
  copy.owner = object.owner;
  copy.attributes = object.attributes;
  copy.material = std::move(material);
  return copy;
}

Result<bool> IsStoredWrapped(const kmip::ManagedObject& object) {
  const Result<kmip::KeyBlock> block = object.Block();
  if (!block) {
    if (block.error().code == Code::kRejected) return false;  // Opaque Object: no Key Block
    return block.error();
  }
  return block->wrapping.has_value();
}

// The format into which the object must be brought; nothing when it is kept in the right one.
Result<std::optional<KeyFormatType>> FormatToMake(const kmip::GetRequest& request,
                                                  const kmip::ManagedObject& object,
                                                  kmip::ProtocolVersion version) {
  std::optional<KeyFormatType> format;
  if (!request.format && !IsKeyPairHalf(object)) return format;
  if (object.type == kmip::ObjectType::kCertificate) {
    if (request.format == KeyFormatType::kX_509 || request.format == KeyFormatType::kRaw) {
      return format;
    }
    return Reject(ResultReason::kKeyFormatTypeNotSupported, "a certificate has one format");
  }
  const kmip::KeyBlock block = TRY(object.Block());
  if (request.format && *request.format != block.format) return request.format;
  if (request.compression) return std::optional<KeyFormatType>(block.format);
  // The transparent forms of elliptic curves were renamed in 1.3 and 2.0.
  const bool known =
      kmip::EnumExists(Tag::kKeyFormatType, static_cast<std::uint32_t>(block.format), version);
  if (request.format || known || !IsReadable(block)) return format;
  return std::optional<KeyFormatType>(TRY(FormatForVersion(object, version)));
}

// The object in the form that the request asks for; empty when that is how it is kept.
Result<WipingBytes> AsAsked(const kmip::GetRequest& request, const kmip::ManagedObject& object,
                            OperationContext& context) {
  const bool stored_wrapped = TRY(IsStoredWrapped(object));
  kmip::ManagedObject clear;
  const kmip::ManagedObject* source = &object;
  if (stored_wrapped && request.wrap_type == kmip::KeyWrapType::kNotWrapped) {
    clear = WithMaterial(object, TRY(UnwrapObject(context, object)));
    source = &clear;
  }
  WipingBytes made;
  if (const auto format = TRY(FormatToMake(request, *source, context.version()))) {
    made = *format == KeyFormatType::kPKCS_12
               ? TRY(AsPkcs12(context, *source))
               : TRY(InFormat(*source, *format, request.compression));
    if (!request.wrapping) return made;
    clear = WithMaterial(object, TRY(SecretBytes::CopyOf(made)));
    source = &clear;
  }
  if (request.wrapping) return WrapObject(context, *source, *request.wrapping);
  if (source == &object) return WipingBytes();
  const ByteView bytes = source->material.Reveal();
  return WipingBytes(bytes.begin(), bytes.end());
}

//= kmip-2.1 4.24 Fresh
//# The server SHALL change the attribute value to False as soon as the object has been served via
//# the Get operation to a client.
// An Export takes a copy, it does not hand the key to somebody (TC-IMPEXP-3).
Result<void> HandOut(const StoredObject& stored, OperationContext& context) {
  const kmip::AttributeSet& before = stored.object.attributes;
  if (before.Boolean(Tag::kFresh).value_or(false)) {
    kmip::AttributeSet attributes = before;
    attributes.Set(kmip::Attribute::OfBoolean(Tag::kFresh, false));
    TRY(context.Update(stored, std::move(attributes)));
  }
  for (const kmip::Attribute& attribute : before.all()) {
    if (attribute.tag != Tag::kObjectGroup) continue;
    const std::string group(TRY(attribute.View().AsText()));
    context.turns().HandedOut(context.principal().name, group, stored.object.id);
  }
  return {};
}

}  // namespace

Result<kmip::GetResponse> Get(const kmip::GetRequest& request, OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id, Vault::Material::kOpen));
  const kmip::ManagedObject& object = stored->object;
  if (IsDestroyed(EffectiveState(object.attributes, context.now()))) {
    return Reject(ResultReason::kObjectDestroyed, "the object was destroyed");
  }
  // Wrapped by MAC/sign alone is in the clear.
  const bool concealed = request.wrapping && Conceals(*request.wrapping);
  TRY(CheckMayLeave(object.attributes, concealed));
  TRY(CheckForms(request, object));
  if (object.material.empty()) {
    return Reject(ResultReason::kKeyValueNotPresent, "the object has no key value");
  }
  if (context.operation() == kmip::Operation::kGet && !concealed) {
    TRY(context.RequireApproval(policy::Act::kGet, *stored, "in the clear"));
  }
  WipingBytes made = TRY(AsAsked(request, object, context));
  if (context.operation() == kmip::Operation::kGet) TRY(HandOut(*stored, context));
  context.Answered(object.id);
  if (!made.empty()) return kmip::GetResponse::Owning(object.type, object.id, std::move(made));
  kmip::GetResponse response;
  response.type = object.type;
  response.id = object.id;
  response.object = TRY(ttlv::ParseItem(object.material.Reveal()));
  return response;
}

}  // namespace dare::engine

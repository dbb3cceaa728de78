#include "engine/key_use.h"

#include <utility>

#include "engine/key_wrapping.h"
#include "engine/lifecycle.h"
#include "engine/resident_object.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

constexpr int kMostWrapLayers = 4;

using kmip::CryptographicUsageMask;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

Result<void> CheckPurpose(const kmip::AttributeSet& attributes, KeyPurpose purpose,
                          std::int64_t now) {
  switch (purpose) {
    case KeyPurpose::kEncrypt:
      TRY(CheckUsageMask(attributes, CryptographicUsageMask::kEncrypt));
      return CheckMayProtect(attributes, now);
    case KeyPurpose::kDecrypt:
      TRY(CheckUsageMask(attributes, CryptographicUsageMask::kDecrypt));
      return CheckMayProcess(attributes, now);
    case KeyPurpose::kMakeMac:
      TRY(CheckUsageMask(attributes, CryptographicUsageMask::kMACGenerate));
      return CheckMayProtect(attributes, now);
    case KeyPurpose::kSign:
      TRY(CheckUsageMask(attributes, CryptographicUsageMask::kSign));
      return CheckMayProtect(attributes, now);
    case KeyPurpose::kVerifySignature:
      TRY(CheckUsageMask(attributes, CryptographicUsageMask::kVerify));
      return CheckMayProcess(attributes, now);
    case KeyPurpose::kVerifyMac:
      TRY(CheckUsageMask(attributes, CryptographicUsageMask::kMACVerify));
      return CheckMayProcess(attributes, now);
    case KeyPurpose::kDerive:
      TRY(CheckUsageMask(attributes, CryptographicUsageMask::kDeriveKey));
      return CheckMayProtect(attributes, now);
    case KeyPurpose::kWrap:
      TRY(CheckUsageMask(attributes, CryptographicUsageMask::kWrapKey));
      return CheckMayProtect(attributes, now);
    case KeyPurpose::kUnwrap: {
      // The published wrapping cases register their keys with Wrap Key alone and read them back
      // unwrapped.
      const bool may_unwrap =
          CheckUsageMask(attributes, CryptographicUsageMask::kUnwrapKey).has_value() ||
          CheckUsageMask(attributes, CryptographicUsageMask::kWrapKey).has_value();
      if (!may_unwrap) return CheckUsageMask(attributes, CryptographicUsageMask::kUnwrapKey);
      return CheckMayProcess(attributes, now);
    }
  }
  return Error(Code::kInternal, "no such purpose");
}

// A wrapping key that was itself registered wrapped, by a key that this server has: opened for this
// use. Keys that wrap each other in a ring come to no end, so there is one.
Result<ObjectPointer> Unwrapped(OperationContext& context, const ObjectPointer& stored) {
  const Result<kmip::KeyBlock> block = stored->object.Block();
  if (!block || !block->wrapping) return stored;
  const OperationContext::Layer layer(context);
  if (layer.depth() > kMostWrapLayers) {
    return Reject(ResultReason::kIllegalOperation, "too many keys wrap each other");
  }
  auto clear = std::make_shared<StoredObject>();
  clear->object.material = TRY(UnwrapObject(context, stored->object));
  clear->object.id = stored->object.id;
  clear->object.type = stored->object.type;
  clear->object.owner = stored->object.owner;
  clear->object.attributes = stored->object.attributes;
  clear->row_version = stored->row_version;
  clear->created = stored->created;
  clear->sealed_material = stored->sealed_material;
  clear->opened = true;
  return ObjectPointer(std::move(clear));
}

}  // namespace

Result<void> CheckUsable(const OperationContext& context, const StoredObject& stored,
                         KeyPurpose purpose) {
  const kmip::AttributeSet& attributes = stored.object.attributes;
  if (IsDestroyed(EffectiveState(attributes, context.now()))) {
    return Reject(ResultReason::kObjectDestroyed, "the key was destroyed");
  }
  return CheckPurpose(attributes, purpose, context.now());
}

Result<kmip::CryptographicParameters> DefaultParameters(const kmip::AttributeSet& attributes) {
  const kmip::Attribute* parameters = attributes.Find(Tag::kCryptographicParameters);
  if (parameters == nullptr) return kmip::CryptographicParameters();
  ttlv::Reader in = ttlv::Reader::Members(parameters->item);
  return kmip::ReadCryptographicParameters(in);
}

Result<UsableKey> AsKey(const OperationContext& context, ObjectPointer stored, KeyPurpose purpose) {
  TRY(CheckUsable(context, *stored, purpose));
  const kmip::AttributeSet& attributes = stored->object.attributes;
  UsableKey key;
  if (IsResident(attributes)) {
    if (purpose == KeyPurpose::kDerive) TRY(CheckHasValue(attributes));
    key.resident = TRY(ReferenceOf(stored->object));
    key.algorithm = attributes.Enum<kmip::CryptographicAlgorithm>(Tag::kCryptographicAlgorithm)
                        .value_or(kmip::CryptographicAlgorithm{});
    key.defaults = TRY(DefaultParameters(attributes));
    key.object = std::move(stored);
    return key;
  }
  const kmip::KeyBlock block = TRY(stored->object.Block());
  if (block.wrapping) {
    return Reject(ResultReason::kPermissionDenied, "the key is stored wrapped and cannot be used");
  }
  key.bytes = TRY(block.KeyBytes());
  key.algorithm = block.algorithm.value_or(
      attributes.Enum<kmip::CryptographicAlgorithm>(Tag::kCryptographicAlgorithm)
          .value_or(kmip::CryptographicAlgorithm{}));
  key.defaults = TRY(DefaultParameters(attributes));
  key.object = std::move(stored);
  return key;
}

Result<UsableKey> OpenKey(OperationContext& context, const kmip::Identifier& identifier,
                          KeyPurpose purpose) {
  return AsKey(context, TRY(context.Open(identifier, Vault::Material::kOpen)), purpose);
}

Result<UsableKey> OpenWrappingKey(OperationContext& context, const std::string& id,
                                  KeyPurpose purpose) {
  // Wrapping with a key is using it: asked of the policy as the operation that does the same.
  const kmip::Operation as = [&] {
    switch (purpose) {
      case KeyPurpose::kWrap:
        return kmip::Operation::kEncrypt;
      case KeyPurpose::kMakeMac:
        return kmip::Operation::kMAC;
      case KeyPurpose::kVerifyMac:
        return kmip::Operation::kMACVerify;
      default:
        return kmip::Operation::kDecrypt;
    }
  }();
  const ObjectPointer stored = TRY(context.OpenFor(as, id, Vault::Material::kOpen));
  return AsKey(context, TRY(Unwrapped(context, stored)), purpose);
}

Result<void> TakeUsage(OperationContext& context, const StoredObject& stored, std::size_t bytes) {
  const kmip::Attribute* limits = stored.object.attributes.Find(Tag::kUsageLimits);
  if (limits == nullptr) return {};
  ttlv::Reader members = TRY(limits->View().Members());
  const std::int64_t total = TRY(members.LongInteger(Tag::kUsageLimitsTotal));
  const std::int64_t count =
      TRY(members.OptionalLongInteger(Tag::kUsageLimitsCount)).value_or(total);
  const auto unit = TRY(members.Enum<kmip::UsageLimitsUnit>(Tag::kUsageLimitsUnit));
  const auto take =
      unit == kmip::UsageLimitsUnit::kByte ? static_cast<std::int64_t>(bytes) : std::int64_t{1};
  if (count < take) {
    //= kmip-2.1 6.1.17 Encrypt
    //# published cases of every version answer Permission Denied
    return Reject(ResultReason::kPermissionDenied, "the key's Usage Limits are used up");
  }
  ttlv::Writer out;
  out.Structure(Tag::kUsageLimits, [&] {
    out.LongInteger(Tag::kUsageLimitsTotal, total);
    out.LongInteger(Tag::kUsageLimitsCount, count - take);
    out.Enum(Tag::kUsageLimitsUnit, unit);
  });
  kmip::Attribute left;
  left.tag = Tag::kUsageLimits;
  left.item = ToBytes(out.bytes());
  kmip::AttributeSet attributes = stored.object.attributes;
  attributes.Set(std::move(left));
  return context.Update(stored, std::move(attributes));
}

}  // namespace dare::engine

#include "engine/protection_storage.h"

#include "engine/resident_care.h"
#include "engine/resident_object.h"
#include "engine/vendor_attributes.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::ProtectionStorageMask;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

constexpr auto kSoftwareBit = static_cast<std::int32_t>(ProtectionStorageMask::kSoftware);
constexpr auto kHardwareBit = static_cast<std::int32_t>(ProtectionStorageMask::kHardware);

Error Unavailable() {
  return Reject(ResultReason::kProtectionStorageUnavailable,
                "keys cannot be kept where the request asks for it");
}

// The storage that an attribute x-OpenDaRE-Protection-Storage asks for.
Result<std::optional<Storage>> Wish(const kmip::AttributeSet& attributes) {
  const kmip::Attribute* wish = attributes.Find(ClientAttribute(kProtectionStorageName), 0);
  std::optional<Storage> storage;
  if (wish == nullptr) return storage;
  ttlv::Reader members = TRY(wish->View().Members());
  TRY(members.Text(Tag::kVendorIdentification));
  TRY(members.Text(Tag::kAttributeName));
  const Result<std::string_view> value = members.Text(Tag::kAttributeValue);
  if (value && *value == "Hardware") {
    storage = Storage::kHardware;
  } else if (value && *value == "Software") {
    storage = Storage::kSoftware;
  } else {
    return Reject(ResultReason::kInvalidField,
                  "x-OpenDaRE-Protection-Storage is the text Hardware or Software");
  }
  return storage;
}

Result<Storage> FirstPossible(const kmip::ProtectionStorageMasks& masks, bool hardware) {
  for (const std::int32_t mask : masks) {
    if (mask == kSoftwareBit || mask == 0) return Storage::kSoftware;
    if (mask == kHardwareBit && hardware) return Storage::kHardware;
  }
  return Unavailable();
}

}  // namespace

bool IsStorageWish(const kmip::AttributeReference& reference) {
  return reference == ClientAttribute(kProtectionStorageName);
}

Result<Storage> ChooseStorage(const std::optional<kmip::ProtectionStorageMasks>& masks,
                              kmip::AttributeSet& attributes, const OperationContext& context) {
  const std::optional<Storage> wish = TRY(Wish(attributes));
  attributes.Remove(ClientAttribute(kProtectionStorageName), 0);
  const bool hardware = context.residents().may_make();
  if (masks && !masks->empty()) return FirstPossible(*masks, hardware);
  if (wish == Storage::kHardware && !hardware) return Unavailable();
  return wish.value_or(Storage::kSoftware);
}

Result<Storage> ChoosePairStorage(const kmip::KeyPairAttributes& wanted,
                                  kmip::AttributeSet& private_key, kmip::AttributeSet& public_key,
                                  const OperationContext& context) {
  const auto& private_masks = wanted.private_masks ? wanted.private_masks : wanted.common_masks;
  const auto& public_masks = wanted.public_masks ? wanted.public_masks : wanted.common_masks;
  const Result<Storage> storage = ChooseStorage(private_masks, private_key, context);
  if (!storage) {
    if (storage.error().detail !=
        static_cast<std::uint64_t>(ResultReason::kProtectionStorageUnavailable)) {
      return storage;
    }
    return Reject(ResultReason::kPrivateProtectionStorageUnavailable,
                  "private keys cannot be kept where the request asks for it");
  }
  public_key.Remove(ClientAttribute(kProtectionStorageName), 0);
  if (!CheckProtectionStorage(public_masks)) {
    return Reject(ResultReason::kPublicProtectionStorageUnavailable,
                  "public keys are kept by software: ask for the private one alone");
  }
  return storage;
}

bool TellsStorage(const std::optional<kmip::ProtectionStorageMasks>& masks,
                  const kmip::AttributeSet& attributes) {
  return (masks && !masks->empty()) ||
         attributes.Count(ClientAttribute(kProtectionStorageName)) != 0;
}

Result<Storage> ReplacementStorage(std::optional<Storage> asked, const kmip::AttributeSet& replaced,
                                   kmip::AttributeSet& attributes,
                                   const OperationContext& context) {
  const Storage inherited = IsResident(replaced) ? Storage::kHardware : Storage::kSoftware;
  const Storage storage = asked.value_or(inherited);
  if (storage == Storage::kSoftware) return storage;
  if (!context.residents().may_make()) return Unavailable();
  attributes.RemoveAll(Tag::kSensitive);
  attributes.RemoveAll(Tag::kExtractable);
  return storage;
}

Result<void> CheckProtectionStorage(const std::optional<kmip::ProtectionStorageMasks>& masks) {
  if (!masks || masks->empty()) return {};
  TRY(FirstPossible(*masks, false));
  return {};
}

Result<void> RemoveStorageWish(kmip::AttributeSet& attributes) {
  const std::optional<Storage> wish = TRY(Wish(attributes));
  if (wish == Storage::kHardware) return Unavailable();
  attributes.Remove(ClientAttribute(kProtectionStorageName), 0);
  return {};
}

kmip::ProtectionStorageMasks OfferedStorage(const OperationContext& context) {
  kmip::ProtectionStorageMasks masks = {kSoftwareBit};
  if (context.residents().may_make()) masks.push_back(kHardwareBit);
  return masks;
}

}  // namespace dare::engine

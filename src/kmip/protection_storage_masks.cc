#include "kmip/protection_storage_masks.h"

#include <utility>

#include "kmip/tags.h"

namespace dare::kmip {

Result<std::optional<ProtectionStorageMasks>> ReadOptionalProtectionStorageMasks(ttlv::Reader& in) {
  if (!in.At(Tag::kProtectionStorageMasks)) return std::optional<ProtectionStorageMasks>();
  ttlv::Reader members = TRY(in.Structure(Tag::kProtectionStorageMasks));
  ProtectionStorageMasks masks;
  while (!members.AtEnd()) masks.push_back(TRY(members.Integer(Tag::kProtectionStorageMask)));
  return std::optional<ProtectionStorageMasks>(std::move(masks));
}

void WriteProtectionStorageMasks(ttlv::Writer& out, const ProtectionStorageMasks& masks) {
  out.Structure(Tag::kProtectionStorageMasks, [&] {
    for (const std::int32_t mask : masks) out.Integer(Tag::kProtectionStorageMask, mask);
  });
}

}  // namespace dare::kmip

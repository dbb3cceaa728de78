#include "kmip/protection_storage_masks.h"

#include <utility>

#include "kmip/tags.h"

namespace dare::kmip {

Result<std::optional<ProtectionStorageMasks>> ReadOptionalProtectionStorageMasks(ttlv::Reader& in,
                                                                                 Tag tag) {
  if (!in.At(tag)) return std::optional<ProtectionStorageMasks>();
  ttlv::Reader members = TRY(in.Structure(tag));
  ProtectionStorageMasks masks;
  while (!members.AtEnd()) masks.push_back(TRY(members.Integer(Tag::kProtectionStorageMask)));
  return std::optional<ProtectionStorageMasks>(std::move(masks));
}

void WriteProtectionStorageMasks(ttlv::Writer& out, const ProtectionStorageMasks& masks, Tag tag) {
  out.Structure(tag, [&] {
    for (const std::int32_t mask : masks) out.Integer(Tag::kProtectionStorageMask, mask);
  });
}

}  // namespace dare::kmip

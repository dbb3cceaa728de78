#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Protection Storage Masks (kmip-2.1 7.33): where a new object may be kept, the most wanted mask
// first; each is a set of ProtectionStorageMask bits that must all hold. 2.0 and later.
using ProtectionStorageMasks = std::vector<std::int32_t>;

// Nothing when the reader is elsewhere. `tag`: key pairs have three structures of their own.
Result<std::optional<ProtectionStorageMasks>> ReadOptionalProtectionStorageMasks(
    ttlv::Reader& in, Tag tag = Tag::kProtectionStorageMasks);
void WriteProtectionStorageMasks(ttlv::Writer& out, const ProtectionStorageMasks& masks,
                                 Tag tag = Tag::kProtectionStorageMasks);

}  // namespace dare::kmip

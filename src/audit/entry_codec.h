#pragma once

#include <span>
#include <vector>

#include "audit/entry.h"
#include "base/bytes.h"

namespace dare::audit {

// Entries as bytes, for whoever keeps some beside the log (docs/formats/audit.md, "The store's
// copy"). What the log would cut from a text is not kept either.
Bytes EncodeEntries(std::span<const NumberedEntry> entries);
// kMalformed for anything that EncodeEntries does not write.
Result<std::vector<NumberedEntry>> DecodeEntries(ByteView bytes);

}  // namespace dare::audit

#pragma once

#include <span>
#include <vector>

#include "audit/entry.h"
#include "base/bytes.h"

namespace dare::audit {

// Entries as bytes, for whoever keeps some beside the log (docs/formats/audit.md, "The store's
// copy"). What the log would cut from a text is not kept either.
Bytes EncodeEntries(std::span<const NumberedEntry> entries);
enum class EntryForm : std::uint8_t {
  kWithoutVersions = 1,  // before entries told row version and group
  kNow = 2,
};
// kMalformed for anything that EncodeEntries does not write, or did not then.
Result<std::vector<NumberedEntry>> DecodeEntries(ByteView bytes, EntryForm form = EntryForm::kNow);

}  // namespace dare::audit

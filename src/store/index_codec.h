#pragma once

#include <vector>

#include "store/object_store.h"

namespace dare::store {

// The index entries of one record as the bytes of a column, so that a record is read in one step
// and an update knows what it replaces. Layout: docs/formats/record.md.
Bytes EncodeIndex(const std::vector<IndexEntry>& entries);
// kDamaged for anything that EncodeIndex does not write.
Result<std::vector<IndexEntry>> DecodeIndex(ByteView bytes);

}  // namespace dare::store

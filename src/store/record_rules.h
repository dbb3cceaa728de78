#pragma once

#include "store/object_store.h"

// What every back end does alike: checks at the edge and conditions that are looked at record by
// record.
namespace dare::store {

// kInvalidArgument or kTooLarge for a record that no back end takes.
Result<void> CheckRecord(const ObjectRecord& record);
// The refusals that Update and Insert share, in one wording.
Error NoSuchObject(const ObjectId& id);
Error IdIsTaken(const ObjectId& id);
Error EntryIsHeld(const IndexEntry& entry);
Error RowVersionDiffers(const ObjectId& id, std::uint64_t expected, std::uint64_t found);
Error FixedFieldDiffers(const ObjectId& id);
// Of Restore.
Error NoRowVersion(const ObjectId& id);

// True when `index` holds every one of `wanted`.
bool HasEntries(const std::vector<IndexEntry>& index, const std::vector<EntryMatch>& wanted);
// True when `record` meets every condition of `query`, paging aside.
bool Matches(const ObjectRecord& record, const Query& query);

}  // namespace dare::store

#pragma once

#include <string>
#include <vector>

#include "backup/item.h"
#include "backup/store_copy.h"
#include "hsm/sealer.h"
#include "store/object_store.h"

namespace dare::backup {

struct BackupSummary {
  Head head;
  Counts counts;
  std::uint64_t bytes = 0;  // of the file
};

// Writes a snapshot and what goes with it as one sealed file under `path`, which must not exist; it
// appears there when it is whole. kDamaged where the store has a row that is no record: find it
// with dare-kms verify. Memory does not grow with the store.
Result<BackupSummary> WriteBackup(const store::WholeReader& snapshot, const Head& head,
                                  const std::vector<Attachment>& attachments, hsm::Sealer& sealer,
                                  const std::string& path, const CopyOptions& options);

// Opens one and gives its items to `visitor` as they come. A file that was cut off is refused
// before the first, a byte that was changed where it stands: what `visitor` took is worth nothing
// until this returns well. kNotFound: another master key sealed it. kDamaged: not whole, not
// authentic, or none.
Result<BackupSummary> ReadBackup(const std::string& path, hsm::Sealer& sealer, ItemVisitor& visitor,
                                 const CopyOptions& options);

}  // namespace dare::backup

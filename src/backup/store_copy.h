#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "backup/item.h"
#include "store/object_store.h"

namespace dare::backup {

struct CopyOptions {
  // With how many of how many places of the order are done.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
  const std::atomic<bool>* cancelled = nullptr;  // when it turns true: kIo with detail EINTR
};

Error Interrupted();
// False for facts that belong to a running server and its audit log, not to what the store holds.
bool BelongsInBackup(std::string_view fact);
// True for the tables of facts that servers on one database keep of who may come in: they are
// carried as files (apps/dare-kms/attachments.h), because a store of another kind has them in
// files. Not the policy and the lockouts: every kind of store has them as facts.
bool BelongsToRegistry(std::string_view fact);
// kAlreadyExists where there is anything in it.
Result<void> RequireEmpty(const store::WholeReader& store);

// Copies every record of `from` into `to`, and every fact but the
// registry's, as they are. Nothing is committed.
Result<Counts> CopyWhole(const store::WholeReader& from, store::Transaction& to,
                         const CopyOptions& options);

}  // namespace dare::backup

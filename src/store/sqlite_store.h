#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "store/object_store.h"

namespace dare::store {

struct SqliteOptions {
  std::string
      path;  // the database file; its folder is made (0700) where it is missing, the file is 0600
  // How long to wait for another process (a backup, sqlite3 in an administrator's hands).
  std::chrono::milliseconds busy_timeout{5000};
  std::size_t writer_cache_bytes = 128u << 20;
  std::size_t reader_cache_bytes =
      16u << 20;  // for each connection; there are as many as readers at one time
  // Refuses (kUnavailable) while another process that asked for this has the store open; for the
  // server, whose caches would not see another server's changes.
  bool sole_owner = false;
  // Beside a server that owns it, or of a database that is evidence: the file must be there and
  // have the last schema, nothing is made or upgraded, and Begin refuses (kInvalidArgument).
  bool read_only = false;
};

// Opens the database, makes it where there is none, upgrades an older schema
// (docs/formats/record.md). WAL, synchronous=FULL, secure_delete. One connection writes, readers
// have their own. kDamaged: broken, or not a database. kUnsupported: a newer schema.
// kInvalidArgument: another application's file.
Result<std::unique_ptr<ObjectStore>> OpenSqliteStore(const SqliteOptions& options);

}  // namespace dare::store

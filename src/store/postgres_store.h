#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "store/object_store.h"
#include "store/postgres_settings.h"

namespace dare::store {

struct PostgresOptions {
  // libpq's: "host=db-1,db-2 dbname=dare user=dare sslrootcert=…". Without a password.
  std::string connection;
  postgres::Settings::Password password;  // empty: none
  std::size_t readers = 8;                // connections for reading, at most
  // How long a call waits for a database that cannot be reached. When it has been away for longer,
  // calls fail at once but for one that tries, once a second.
  std::chrono::milliseconds patience{10'000};
};

// Opens the store in a PostgreSQL database, or in one that speaks its protocol and portable SQL,
// and makes or upgrades the tables. Any number of stores, in any number of processes and machines,
// may use one database at a time; docs/scaling.md says what each sees of the others. One connection
// writes, readers have a pool. A lost connection is made again, to whichever host takes writes; a
// transaction that it interrupted ends with kConflict, and what became of a COMMIT without an
// answer is found out before Commit returns.
// kUnavailable, kUnsupported (a newer schema), kInvalidArgument (the string; another application's
// tables).
Result<std::unique_ptr<ObjectStore>> OpenPostgresStore(const PostgresOptions& options);

}  // namespace dare::store

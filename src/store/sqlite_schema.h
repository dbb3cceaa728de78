#pragma once

#include <cstdint>
#include <span>

#include "store/sqlite_connection.h"

namespace dare::store {

// "DaRE" in the database header: how file(1) and we know our own.
inline constexpr std::int32_t kSqliteApplicationId = 0x44615245;

// The step from schema `version` - 1 to `version`. Steps are only ever added: a database of any age
// walks all that it lacks, in one transaction.
struct Migration {
  int version;
  const char* sql;
};
std::span<const Migration> SqliteMigrations();

// Brings the database behind `writer` to the last version of `migrations`, from nothing where it is
// empty. kUnsupported: it is newer. kInvalidArgument: it belongs to another application.
Result<void> UpgradeSchema(Connection& writer,
                           std::span<const Migration> migrations = SqliteMigrations());

// For reading only. kUnsupported: it is newer, or older and a server must upgrade it first.
// kInvalidArgument: it belongs to another application, or is empty.
Result<void> CheckSchema(Connection& reader);

}  // namespace dare::store

#pragma once

#include <span>
#include <string>

#include "store/postgres_connection.h"

namespace dare::store::postgres {

// The step from schema `version` - 1 to `version` of one part of the database. Its statements leave
// alone what is there already, so that a step which broke off can be walked again on an engine that
// has no transactions for changes of a schema.
struct Migration {
  int version;
  std::span<const char* const> statements;
};
std::span<const Migration> StoreMigrations();

// Brings `part` of the database to the last version of `migrations`, from nothing where it is not
// there yet; `table` is one of its tables. Several nodes may do so at once: one works, the others
// wait for it. Needs no rights beyond reading where there is nothing to do. kUnsupported: it is
// newer. kInvalidArgument: `table` belongs to somebody else.
Result<void> UpgradeSchema(Connection& connection, const std::string& part,
                           const std::string& table, std::span<const Migration> migrations);

}  // namespace dare::store::postgres

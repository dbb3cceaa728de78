#include "store/sqlite_schema.h"

#include <string>

namespace dare::store {
namespace {

// Version 1. docs/formats/record.md describes the columns; schema_v1.sql beside this file is the
// approved snapshot.
//
// `objects` has an integer key that grows, so rows of a kibibyte are appended and only the narrow
// indexes see random pages. `slot` in index_entries is 0 for a unique entry and `seq` otherwise, so
// one primary key says both "only one object may hold this" and "many may". Its seq refers to
// objects(seq) without a declared foreign key: the check would read index_entries in full at every
// delete, or cost a second index.
constexpr char kVersion1[] = R"sql(
CREATE TABLE objects (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  row_version INTEGER NOT NULL,
  object_type INTEGER NOT NULL,
  state INTEGER NOT NULL,
  owner TEXT NOT NULL,
  created INTEGER NOT NULL,
  index_entries BLOB NOT NULL,
  attributes BLOB NOT NULL,
  material BLOB NOT NULL
) STRICT;
CREATE INDEX objects_by_owner ON objects (owner, seq, state, object_type, created);
CREATE TABLE index_entries (
  tag INTEGER NOT NULL,
  key BLOB NOT NULL,
  scope BLOB NOT NULL,
  slot INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (tag, key, scope, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr Migration kMigrations[] = {{1, kVersion1}};

// True for a file of ours or an empty one, false for anybody else's.
Result<bool> IsOursOrEmpty(Connection& writer, std::int64_t version) {
  const std::int64_t application = TRY(writer.QueryInteger("PRAGMA application_id"));
  if (application == kSqliteApplicationId) return true;
  if (application != 0 || version != 0) return false;
  return TRY(writer.QueryInteger("SELECT count(*) FROM sqlite_schema")) == 0;
}

// The mode is kept in the file; asked for at every start all the same, since a person may have
// changed it.
Result<void> UseWriteAheadLog(Connection& writer) {
  Statement statement = TRY(writer.Prepare("PRAGMA journal_mode = WAL"));
  if (!TRY(statement.Step()) || statement.Text(0) != "wal") {
    return Error(Code::kIo, "the file system does not bear SQLite's write-ahead log");
  }
  return {};
}

Result<void> Upgrade(Connection& writer, std::span<const Migration> migrations) {
  const std::int64_t version = TRY(writer.QueryInteger("PRAGMA user_version"));
  if (!TRY(IsOursOrEmpty(writer, version))) {
    return Error(Code::kInvalidArgument, "the database belongs to another application");
  }
  if (version > migrations.back().version) {
    return Error(Code::kUnsupported, "the database has schema " + std::to_string(version) +
                                         ", this program knows up to " +
                                         std::to_string(migrations.back().version) +
                                         "; use the newer program");
  }
  for (const Migration& migration : migrations) {
    if (migration.version <= version) continue;
    TRY(writer.Execute(migration.sql));
    const std::string mark = "PRAGMA application_id = " + std::to_string(kSqliteApplicationId) +
                             "; PRAGMA user_version = " + std::to_string(migration.version) + ";";
    TRY(writer.Execute(mark.c_str()));
  }
  return {};
}

}  // namespace

Result<void> CheckSchema(Connection& reader) {
  const int last = SqliteMigrations().back().version;
  const std::int64_t version = TRY(reader.QueryInteger("PRAGMA user_version"));
  if (TRY(reader.QueryInteger("PRAGMA application_id")) != kSqliteApplicationId) {
    return Error(Code::kInvalidArgument, "it is not a key store");
  }
  if (version == last) return {};
  return Error(Code::kUnsupported,
               "the database has schema " + std::to_string(version) + ", this program reads " +
                   std::to_string(last) +
                   (version < last ? "; start the server once, which upgrades it"
                                   : "; use the newer program"));
}

std::span<const Migration> SqliteMigrations() { return kMigrations; }

Result<void> UpgradeSchema(Connection& writer, std::span<const Migration> migrations) {
  // Looked at before anything is written, so that a foreign or newer file stays as it is.
  const std::int64_t version = TRY(writer.QueryInteger("PRAGMA user_version"));
  if (TRY(IsOursOrEmpty(writer, version)) && version <= migrations.back().version) {
    TRY(UseWriteAheadLog(writer));
  }
  if (version == migrations.back().version &&
      TRY(writer.QueryInteger("PRAGMA application_id")) == kSqliteApplicationId) {
    return {};
  }
  // Immediate: two processes that start at once upgrade one after the other.
  TRY(writer.Execute("BEGIN IMMEDIATE"));
  if (auto upgraded = Upgrade(writer, migrations); !upgraded) {
    (void)writer.Execute("ROLLBACK");
    return upgraded;
  }
  return writer.Execute("COMMIT");
}

}  // namespace dare::store

#include "store/sqlite_connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <mutex>
#include <utility>

namespace dare::store {
namespace {

// SQLite counts its allocations under one process-wide lock; readers on several threads would queue
// there. Has no effect (and does no harm) where another library has started SQLite before us.
void ConfigureLibraryOnce() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

Code CodeOfIoError(int extended, int system_errno) {
  if (extended == SQLITE_IOERR_NOMEM) return Code::kExhausted;
  if (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG) {
    return Code::kExhausted;
  }
  return Code::kIo;
}

}  // namespace

Error SqliteError(sqlite3* database, int result_code) {
  const int system_errno = database == nullptr ? 0 : sqlite3_system_errno(database);
  const std::string text =
      std::string("key store: ") +
      (database == nullptr ? sqlite3_errstr(result_code) : sqlite3_errmsg(database));
  const auto errno_detail = static_cast<std::uint64_t>(system_errno);
  switch (result_code & 0xFF) {
    case SQLITE_FULL:
      return Error(Code::kExhausted, "key store: the disk is full", ENOSPC);
    case SQLITE_NOMEM:
      return Error(Code::kExhausted, "key store: out of memory", ENOMEM);
    case SQLITE_IOERR: {
      const Code code = CodeOfIoError(result_code, system_errno);
      if (code == Code::kExhausted) {
        return Error(code, "key store: no room to write", errno_detail);
      }
      if (system_errno != 0) return IoError("key store: reading or writing failed", system_errno);
      return Error(code, text);
    }
    case SQLITE_READONLY:
      return Error(Code::kIo, "key store: the database is read-only", EROFS);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Error(Code::kIo, text, errno_detail);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(Code::kTimeout, "key store: another process holds the database");
    case SQLITE_CORRUPT:
      return Error(Code::kDamaged, "key store: the database is damaged (" + text.substr(11) + ")");
    case SQLITE_NOTADB:
      return Error(Code::kDamaged,
                   "key store: the file is not a database, or its start is damaged");
    case SQLITE_CONSTRAINT:
      return Error(Code::kAlreadyExists, text);
    case SQLITE_TOOBIG:
      return Error(Code::kTooLarge, text);
    default:
      return Error(Code::kInternal, text, static_cast<std::uint64_t>(result_code));
  }
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      bound_(other.bound_),
      bind_failure_(other.bind_failure_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::Bind(std::int64_t value) {
  const int result = sqlite3_bind_int64(statement_, ++bound_, value);
  if (result != SQLITE_OK) bind_failure_ = result;
  return *this;
}

Statement& Statement::BindText(std::string_view text) {
  const int result =
      sqlite3_bind_text64(statement_, ++bound_, text.data() == nullptr ? "" : text.data(),
                          text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (result != SQLITE_OK) bind_failure_ = result;
  return *this;
}

Statement& Statement::BindBytes(ByteView bytes) {
  // A null pointer would bind NULL; empty bytes are a value.
  const int result = bytes.empty() ? sqlite3_bind_zeroblob(statement_, ++bound_, 0)
                                   : sqlite3_bind_blob64(statement_, ++bound_, bytes.data(),
                                                         bytes.size(), SQLITE_STATIC);
  if (result != SQLITE_OK) bind_failure_ = result;
  return *this;
}

Result<bool> Statement::Step() {
  if (bind_failure_ != SQLITE_OK) return SqliteError(database_, bind_failure_);
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return SqliteError(database_, result);
}

Result<void> Statement::Run() {
  TRY(Step());
  return {};
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

ByteView Statement::BorrowBytes(int column) const {
  const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Connection::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Result<Connection> Connection::Open(const std::string& path, const Options& options) {
  ConfigureLibraryOnce();
  sqlite3* database = nullptr;
  // No mutex in SQLite: a connection is used by one thread at a time, which the pool sees to.
  const int result = sqlite3_open_v2(path.c_str(), &database,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection connection(database);
  if (result != SQLITE_OK) return SqliteError(database, result).In("cannot open " + path);
  if (auto configured = connection.Configure(options); !configured) {
    return configured.error().In("cannot open " + path);
  }
  return connection;
}

Result<void> Connection::Configure(const Options& options) {
  sqlite3_extended_result_codes(database_, 1);
  sqlite3_busy_timeout(database_, static_cast<int>(options.busy_timeout.count()));
  // The file is untrusted: no SQL of its own (views, triggers) may reach further than plain tables.
  sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  // No memory map: a bad sector or a truncated file would be a SIGBUS instead of an error.
  const std::string settings =
      "PRAGMA mmap_size = 0;"
      "PRAGMA cell_size_check = ON;"
      "PRAGMA foreign_keys = ON;"
      "PRAGMA secure_delete = ON;"
      "PRAGMA synchronous = FULL;"
      "PRAGMA temp_store = MEMORY;"
      // Few checkpoints (a log of 128 MiB): an index page that many inserts touch is copied into
      // the database once. The log's file is kept between them: writing over it syncs faster than
      // growing it.
      "PRAGMA wal_autocheckpoint = 32768;"
      "PRAGMA journal_size_limit = 268435456;"
      "PRAGMA cache_size = -" +
      std::to_string(options.cache_bytes / 1024) + ";" +
      (options.may_write ? "" : "PRAGMA query_only = ON;");
  return Execute(settings.c_str());
}

Connection::Connection(Connection&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)),
      statements_(std::move(other.statements_)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(statements_, other.statements_);
  return *this;
}

Connection::~Connection() {
  statements_.clear();
  sqlite3_close_v2(database_);
}

Result<Statement> Connection::Prepare(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    const int result = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (result != SQLITE_OK) return SqliteError(database_, result);
    found = statements_.try_emplace(std::string(sql), statement).first;
  }
  return Statement(database_, found->second.get());
}

Result<void> Connection::Execute(const char* sql) {
  const int result = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return SqliteError(database_, result);
  return {};
}

Result<std::int64_t> Connection::QueryInteger(std::string_view sql) {
  Statement statement = TRY(Prepare(sql));
  if (!TRY(statement.Step())) return Error(Code::kNotFound, "no row");
  return statement.Integer(0);
}

bool Connection::InTransaction() const { return sqlite3_get_autocommit(database_) == 0; }

}  // namespace dare::store

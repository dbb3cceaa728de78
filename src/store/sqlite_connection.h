#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace dare::store {

// One use of a prepared statement: bind, step, read; reset when it dies. What is bound must outlive
// it. A failed bind shows at the next Step.
class Statement {
 public:
  Statement(sqlite3* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Parameters are numbered by the order of these calls.
  Statement& Bind(std::int64_t value);
  Statement& Bind(std::uint64_t value) { return Bind(static_cast<std::int64_t>(value)); }
  Statement& Bind(std::uint32_t value) { return Bind(static_cast<std::int64_t>(value)); }
  Statement& BindText(std::string_view text);
  Statement& BindBytes(ByteView bytes);

  // True when there is a row. kAlreadyExists when a key was taken.
  Result<bool> Step();
  // For statements without rows.
  Result<void> Run();

  std::int64_t Integer(int column) const;
  std::string Text(int column) const;
  ByteView BorrowBytes(int column) const;  // until the next Step

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
  int bind_failure_ = 0;
};

// A connection to a database file and the statements prepared on it. Used by one thread at a time.
class Connection {
 public:
  struct Options {
    std::chrono::milliseconds busy_timeout{5000};
    std::size_t cache_bytes = 16u << 20;
    bool may_write = false;
  };

  // The file must exist.
  static Result<Connection> Open(const std::string& path, const Options& options);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  // The statement of `sql`, prepared once. The same text must not be in use twice at one time.
  Result<Statement> Prepare(std::string_view sql);
  // One or more statements without parameters and rows of interest.
  Result<void> Execute(const char* sql);
  // The first column of the first row.
  Result<std::int64_t> QueryInteger(std::string_view sql);
  // True between BEGIN and its end; SQLite ends a transaction by itself after some errors.
  bool InTransaction() const;
  sqlite3* handle() const { return database_; }

 private:
  explicit Connection(sqlite3* database) : database_(database) {}
  Result<void> Configure(const Options& options);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  sqlite3* database_ = nullptr;
  std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, TextHash,
                     std::equal_to<>>
      statements_;
};

// What the last failed call on `database` means.
Error SqliteError(sqlite3* database, int result_code);

}  // namespace dare::store

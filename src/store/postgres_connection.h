#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "store/postgres_settings.h"

struct pg_conn;
struct pg_result;

namespace dare::store::postgres {

// The values of one statement's $1, $2 … in PostgreSQL's binary form. Integers are BIGINT, texts
// and bytes the same thing (every such column is BYTEA).
class Parameters {
 public:
  Parameters& Add(std::int64_t value);
  Parameters& Add(std::uint64_t value) { return Add(static_cast<std::int64_t>(value)); }
  Parameters& Add(std::uint32_t value) { return Add(static_cast<std::int64_t>(value)); }
  Parameters& Add(ByteView bytes);
  Parameters& Add(std::string_view text) { return Add(AsBytes(text)); }
  // Arrays, for unnest().
  Parameters& Add(const std::vector<std::int64_t>& values);
  Parameters& Add(const std::vector<Bytes>& values);

  const std::vector<Bytes>& values() const { return values_; }

 private:
  std::vector<Bytes> values_;
};

// What the server answered to one statement.
class Answer {
 public:
  explicit Answer(pg_result* result, std::optional<std::int64_t> expected = std::nullopt)
      : result_(result, &Clear), expected_(expected) {}

  // The failure, where it is one. kConflict also where not as many rows as expected were changed.
  Result<void> Check() const;
  // Rows that a change touched.
  std::int64_t changed() const;
  std::string_view command() const;  // "COMMIT", "ROLLBACK", …
  std::string_view sql_state() const;
  int rows() const;
  std::int64_t Integer(int row, int column) const;
  std::string Text(int row, int column) const;
  ByteView BorrowBytes(int row, int column) const;  // as long as the Answer

 private:
  static void Clear(pg_result* result);
  std::int64_t Counted() const;
  std::unique_ptr<pg_result, void (*)(pg_result*)> result_;
  std::optional<std::int64_t> expected_;
};

// One connection to the database. Statements go out as they are queued, in libpq's pipeline mode,
// and their answers are read together: a transaction costs as many round trips as it has questions.
// Each statement is prepared once. Used by one thread at a time.
class Connection {
 public:
  // Tries each host once. kUnavailable with what libpq says.
  static Result<std::unique_ptr<Connection>> Open(const Settings& settings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `expected`: how many rows it has to change, or, where it answers one row of counts, their sum.
  void Queue(std::string_view sql, const Parameters& parameters = {},
             std::optional<std::int64_t> expected = std::nullopt);
  // Statements queued since the last Settle.
  std::size_t queued() const { return queued_; }
  // Whether one of them has to change so and so many rows.
  bool expects() const;
  // The answers to all that was queued, in order, refusals among them: behind one that failed the
  // others are failures, too. An Error only where the connection is lost: then the fate of what was
  // queued is not known.
  Result<std::vector<Answer>> Settle();
  // Queue and Settle for one question; a failure, of this or of what was queued before, is an
  // Error.
  Result<Answer> Ask(std::string_view sql, const Parameters& parameters = {});

  // Lost, or of no more use (the server said that it ends, or that it takes no more writes).
  bool broken() const { return broken_; }
  // Looks whether the other side has hung up; costs no round trip.
  bool LooksAlive();

 private:
  explicit Connection(pg_conn* connection) : connection_(connection) {}
  Result<void> Configure();
  const std::string& Prepared(std::string_view sql);
  Error Break(const std::string& what);
  bool Push();
  Result<pg_result*> NextResult(std::chrono::steady_clock::time_point deadline);
  void NoteEnd(const Answer& answer);

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Statement {
    std::string name;
    bool prepared = false;
  };

  pg_conn* const connection_;
  bool broken_ = false;
  std::size_t queued_ = 0;
  // What answers are awaited, in order: a statement's, or that it was prepared.
  struct Awaited {
    Statement* prepares = nullptr;
    std::optional<std::int64_t> expected;
  };
  std::deque<Awaited> awaited_;
  std::unordered_map<std::string, Statement, TextHash, std::equal_to<>> statements_;
};

// Begin again: the database chose this transaction to give way to another.
bool IsSerializationFailure(std::string_view sql_state);

}  // namespace dare::store::postgres

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "store/postgres_connection.h"

namespace dare::store::postgres {

// Makes connections, and remembers since when that fails: who comes while the database is away
// waits until it has been away for `patience`; after that one caller a second tries, and the others
// are told at once. Thread-safe.
class Connector {
 public:
  Connector(Settings settings, std::chrono::milliseconds patience)
      : settings_(std::move(settings)), patience_(patience) {}

  // kUnavailable.
  Result<std::unique_ptr<Connection>> Connect() EXCLUDES(mutex_);
  std::chrono::milliseconds patience() const { return patience_; }

 private:
  using Moment = std::chrono::steady_clock::time_point;
  std::optional<Error> TurnAway() EXCLUDES(mutex_);
  bool NoteFailure(Moment begun, const Error& error) EXCLUDES(mutex_);
  void NoteSuccess() EXCLUDES(mutex_);

  const Settings settings_;
  const std::chrono::milliseconds patience_;
  Mutex mutex_;
  std::optional<Moment> away_since_ GUARDED_BY(mutex_);
  Moment next_try_ GUARDED_BY(mutex_);
  std::optional<Error> failure_ GUARDED_BY(mutex_);
};

// Lends connections for reading, up to a number. Thread-safe.
class ReaderPool {
 public:
  ReaderPool(Connector& connector, std::size_t most) : connector_(connector), most_(most) {}

  class Lease {
   public:
    Lease(ReaderPool& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), connection_(std::move(other.connection_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_ != nullptr) pool_->GiveBack(std::move(connection_));
    }
    Connection& operator*() { return *connection_; }
    Connection* operator->() { return connection_.get(); }

   private:
    ReaderPool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  // Waits for a connection that is lent, or for the database. kUnavailable, kTimeout.
  Result<Lease> Borrow() EXCLUDES(mutex_);

 private:
  void GiveBack(std::unique_ptr<Connection> connection) EXCLUDES(mutex_);

  Connector& connector_;
  const std::size_t most_;
  Mutex mutex_;
  CondVar returned_;
  std::size_t lent_ GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Connection>> free_ GUARDED_BY(mutex_);
};

}  // namespace dare::store::postgres

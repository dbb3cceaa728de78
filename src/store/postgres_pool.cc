#include "store/postgres_pool.h"

#include <thread>

#include "base/log.h"

namespace dare::store::postgres {
namespace {

constexpr std::chrono::milliseconds kPause{100};  // between two attempts of one caller
constexpr std::chrono::seconds kNextTry{1};

std::chrono::steady_clock::time_point Now() { return std::chrono::steady_clock::now(); }

}  // namespace

// An error for those who come when the database has been away for long, and are not the one to try.
std::optional<Error> Connector::TurnAway() {
  const MutexLock lock(mutex_);
  const Moment now = Now();
  if (!away_since_ || now < *away_since_ + patience_) return std::nullopt;
  if (now < next_try_) return failure_;
  next_try_ = now + kNextTry;
  return std::nullopt;
}

// True when one may go on trying.
bool Connector::NoteFailure(Moment begun, const Error& error) {
  const MutexLock lock(mutex_);
  if (!away_since_) {
    away_since_ = begun;
    log::Failure("the database is away: " + error.message);
  }
  failure_ = error;
  const Moment now = Now();
  next_try_ = now + kNextTry;
  return now < *away_since_ + patience_;
}

void Connector::NoteSuccess() {
  const MutexLock lock(mutex_);
  if (away_since_) log::Info("the database is back");
  away_since_.reset();
  failure_.reset();
}

Result<std::unique_ptr<Connection>> Connector::Connect() {
  if (std::optional<Error> away = TurnAway()) return *std::move(away);
  for (;;) {
    const Moment begun = Now();
    Result<std::unique_ptr<Connection>> connection = Connection::Open(settings_);
    if (connection) {
      NoteSuccess();
      return connection;
    }
    if (!NoteFailure(begun, connection.error())) return connection.error();
    std::this_thread::sleep_for(kPause);
  }
}

Result<ReaderPool::Lease> ReaderPool::Borrow() {
  {
    const MutexLock lock(mutex_);
    const auto until = Now() + connector_.patience();
    while (free_.empty() && lent_ >= most_) {
      const auto left = until - Now();
      if (left.count() <= 0) return Error(Code::kTimeout, "database: every connection is in use");
      returned_.WaitFor(mutex_, left);
    }
    ++lent_;
    while (!free_.empty()) {
      std::unique_ptr<Connection> connection = std::move(free_.back());
      free_.pop_back();
      if (connection->LooksAlive()) return Lease(*this, std::move(connection));
    }
  }
  Result<std::unique_ptr<Connection>> made = connector_.Connect();
  if (made) return Lease(*this, std::move(*made));
  GiveBack(nullptr);
  return made.error();
}

void ReaderPool::GiveBack(std::unique_ptr<Connection> connection) {
  std::vector<std::unique_ptr<Connection>> dead;  // closed behind the lock
  {
    const MutexLock lock(mutex_);
    --lent_;
    if (connection != nullptr && !connection->broken()) {
      free_.push_back(std::move(connection));
    } else if (connection != nullptr) {
      dead.swap(free_);  // most likely of the same server
    }
  }
  returned_.NotifyOne();
}

}  // namespace dare::store::postgres

#include "store/postgres_store.h"

#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mutex.h"
#include "crypto/random.h"
#include "store/postgres_pool.h"
#include "store/postgres_reading.h"
#include "store/postgres_schema.h"
#include "store/postgres_transaction.h"

namespace dare::store {
namespace {

using postgres::Connection;
using postgres::Connector;
using postgres::Parameters;
using postgres::ReaderPool;

// A reader whose connection is lost asks another one; a database that serialises may ask to begin
// again.
constexpr int kReadAttempts = 4;
// After so many commits the rows of those before are removed.
constexpr std::int64_t kCommitsKept = 64;
constexpr std::int64_t kSecondsKept = 86400;  // of those whose store is gone

constexpr std::string_view kMark =
    "INSERT INTO commits (instance, number, at) "
    "VALUES ($1, $2, CAST(extract(epoch FROM now()) AS BIGINT))";

// The questions of a Base, each put to the connection that Self::Ask(question) gives it.
template <typename Self, typename Base>
class Answering : public Base {
 public:
  Result<ObjectRecord> Get(const ObjectId& id) const override {
    return self().Ask([&](Connection& c) { return postgres::Get(c, id); });
  }
  Result<std::uint64_t> GetVersion(const ObjectId& id) const override {
    return self().Ask([&](Connection& c) { return postgres::GetVersion(c, id); });
  }
  Result<Page<ObjectId>> Find(const Query& query) const override {
    return self().AskAsOne(query, [&](Connection& c) { return postgres::Find(c, query); });
  }
  Result<Page<ObjectRecord>> FindRecords(const Query& query) const override {
    return self().AskAsOne(query, [&](Connection& c) { return postgres::FindRecords(c, query); });
  }
  Result<std::uint64_t> Count(const Query& query) const override {
    return self().AskAsOne(query, [&](Connection& c) { return postgres::Count(c, query); });
  }
  Result<Bytes> GetMeta(const std::string& key) const override {
    return self().Ask([&](Connection& c) { return postgres::GetMeta(c, key); });
  }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    return self().Ask([&](Connection& c) { return postgres::ListMeta(c, prefix); });
  }
  Result<Page<PlacedRecord>> Scan(std::uint64_t after, std::size_t limit) const override {
    return self().Ask([&](Connection& c) { return postgres::Scan(c, after, limit); });
  }
  Result<std::uint64_t> Extent() const override {
    return self().Ask([&](Connection& c) { return postgres::Extent(c); });
  }
  Result<EntryPage> ScanEntries(const std::optional<PlacedEntry>& from,
                                std::size_t limit) const override {
    return self().Ask([&](Connection& c) { return postgres::ScanEntries(c, from, limit); });
  }
  Result<std::vector<MetaRow>> ScanMeta(const std::string& prefix, const std::string& after,
                                        std::size_t limit) const override {
    return self().Ask([&](Connection& c) { return postgres::ScanMeta(c, prefix, after, limit); });
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

// One connection inside a read transaction. Nobody asks it again when it is lost: another one would
// see another picture.
class PostgresSnapshot : public Answering<PostgresSnapshot, WholeReader> {
 public:
  explicit PostgresSnapshot(ReaderPool::Lease connection) : connection_(std::move(connection)) {}
  ~PostgresSnapshot() override { postgres::EndSnapshot(*connection_); }

  template <typename Question>
  auto Ask(Question question) const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return question(*connection_);
  }
  template <typename Question>
  auto AskAsOne(const Query&, Question question) const {
    return Ask(std::move(question));
  }

 private:
  mutable Mutex mutex_;
  mutable ReaderPool::Lease connection_ GUARDED_BY(mutex_);
};

class PostgresStore : public Answering<PostgresStore, ObjectStore> {
 public:
  PostgresStore(postgres::Settings settings, const PostgresOptions& options, Bytes instance)
      : instance_(std::move(instance)),
        connector_(std::move(settings), options.patience),
        readers_(connector_, options.readers) {}

  Result<void> Start(std::unique_ptr<Connection> writer) {
    TRY(postgres::UpgradeSchema(*writer, "store", "objects", postgres::StoreMigrations()));
    TRY(
        writer->Ask("DELETE FROM commits "
                    "WHERE at < CAST(extract(epoch FROM now()) AS BIGINT) - $1",
                    Parameters().Add(kSecondsKept)));
    writer_ = std::move(writer);
    return {};
  }

  template <typename Question>
  std::invoke_result_t<Question, Connection&> Ask(Question question) const {
    for (int attempt = 1;; ++attempt) {
      ReaderPool::Lease reader = TRY(readers_.Borrow());
      auto result = question(*reader);
      if (result || attempt == kReadAttempts) return result;
      const bool again = reader->broken() || result.error().code == Code::kConflict;
      if (!again) return result;
    }
  }
  // Several entries take several statements, which must see one state.
  template <typename Question>
  std::invoke_result_t<Question, Connection&> AskAsOne(const Query& query,
                                                       Question question) const {
    if (query.entries.size() <= 1) return Ask(std::move(question));
    return Ask([&](Connection& c) -> std::invoke_result_t<Question, Connection&> {
      TRY(postgres::BeginSnapshot(c));
      auto result = question(c);
      postgres::EndSnapshot(c);
      return result;
    });
  }

  Result<std::unique_ptr<WholeReader>> Snapshot() const override {
    ReaderPool::Lease reader = TRY(readers_.Borrow());
    TRY(postgres::BeginSnapshot(*reader));
    // The picture is taken at the first read.
    if (auto first = postgres::Extent(*reader); !first) {
      postgres::EndSnapshot(*reader);
      return first.error();
    }
    return std::unique_ptr<WholeReader>(std::make_unique<PostgresSnapshot>(std::move(reader)));
  }

  Result<std::unique_ptr<Transaction>> Begin() override EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      while (writing_) writer_gone_.Wait(mutex_);
      writing_ = true;
    }
    if (auto ready = MakeWriter(); !ready) {
      EndTransaction();
      return ready.error();
    }
    ++number_;
    postgres::TransactionHost host;
    host.mark = [this](Connection& c) { Mark(c); };
    host.resolve = [this] { return Resolve(); };
    host.give_back = [this] { EndTransaction(); };
    return postgres::MakeTransaction(*writer_, std::move(host));
  }

 private:
  Result<void> MakeWriter() {
    if (writer_ != nullptr && writer_->LooksAlive()) return {};
    writer_.reset();
    writer_ = TRY(connector_.Connect());
    return {};
  }

  void Mark(Connection& writer) const {
    writer.Queue(kMark, Parameters().Add(instance_).Add(number_));
    if (number_ % kCommitsKept != 0) return;
    writer.Queue("DELETE FROM commits WHERE instance = $1 AND number < $2",
                 Parameters().Add(instance_).Add(number_));
  }

  // The transaction's row decides: it is in the database when the transaction is. Putting it there
  // waits for the old connection's transaction, should the server still be at it, and once it is
  // ours that transaction can never be committed.
  Result<void> Resolve() {
    std::string why;
    for (int attempt = 1; attempt <= kReadAttempts; ++attempt) {
      writer_.reset();
      auto connection = connector_.Connect();
      if (!connection) {
        why = connection.error().message;
        break;
      }
      writer_ = std::move(*connection);
      auto marked = writer_->Ask(std::string(kMark) + " ON CONFLICT DO NOTHING",
                                 Parameters().Add(instance_).Add(number_));
      if (marked && marked->changed() == 0) return {};
      if (marked)
        return Error(Code::kConflict,
                     "the connection to the database was lost: nothing was committed");
      why = marked.error().message;
    }
    log::Failure("whether a transaction was committed is not known: " + why);
    return Error(Code::kUnavailable,
                 "the database does not answer, and may have committed: " + why);
  }

  void EndTransaction() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    writing_ = false;
    writer_gone_.NotifyOne();
  }

  const Bytes instance_;  // tells this store's commits from those of others
  mutable Connector connector_;
  mutable ReaderPool readers_;
  // Both belong to the transaction; handed on under mutex_ through writing_.
  std::unique_ptr<Connection> writer_;
  std::int64_t number_ = 0;  // of the transaction
  Mutex mutex_;
  CondVar writer_gone_;
  bool writing_ GUARDED_BY(mutex_) = false;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenPostgresStore(const PostgresOptions& options) {
  postgres::Settings settings =
      TRY(postgres::Settings::Parse(options.connection, options.password));
  if (const std::string weakness = settings.Weakness(); !weakness.empty()) {
    log::Warning("the connection to the database is not safe: " + weakness);
  }
  Bytes instance(16);
  TRY(crypto::RandomBytes(instance));
  // Once: at a start nobody waits for a database that may have another address.
  std::unique_ptr<Connection> writer = TRY(Connection::Open(settings));
  auto store = std::make_unique<PostgresStore>(std::move(settings), options, std::move(instance));
  TRY(store->Start(std::move(writer)));
  return std::unique_ptr<ObjectStore>(std::move(store));
}

}  // namespace dare::store

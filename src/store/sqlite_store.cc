#include "store/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/mutex.h"
#include "store/sqlite_connection.h"
#include "store/sqlite_reading.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_transaction.h"

namespace dare::store {
namespace {

// Lends connections for reading, makes one where all are lent. Thread-safe; the lock is held for a
// push or a pop.
class ReaderPool {
 public:
  ReaderPool(std::string path, Connection::Options options)
      : path_(std::move(path)), options_(options) {}

  class Lease {
   public:
    Lease(ReaderPool& pool, Connection connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), connection_(std::move(other.connection_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_ != nullptr) pool_->GiveBack(std::move(connection_));
    }
    Connection& operator*() { return connection_; }

   private:
    ReaderPool* pool_;
    Connection connection_;
  };

  Result<Lease> Borrow() EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (!free_.empty()) {
        Connection connection = std::move(free_.back());
        free_.pop_back();
        return Lease(*this, std::move(connection));
      }
    }
    return Lease(*this, TRY(Connection::Open(path_, options_)));
  }

 private:
  void GiveBack(Connection connection) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    free_.push_back(std::move(connection));
  }

  const std::string path_;
  const Connection::Options options_;
  Mutex mutex_;
  std::vector<Connection> free_ GUARDED_BY(mutex_);
};

// The questions of a Base, each put to the connection that Self::Ask(question) gives it.
template <typename Self, typename Base>
class Answering : public Base {
 public:
  Result<ObjectRecord> Get(const ObjectId& id) const override {
    return self().Ask([&](Connection& reader) { return sqlite::Get(reader, id); });
  }
  Result<Page<ObjectId>> Find(const Query& query) const override {
    return self().Ask([&](Connection& reader) { return sqlite::Find(reader, query); });
  }
  Result<Page<ObjectRecord>> FindRecords(const Query& query) const override {
    return self().Ask([&](Connection& reader) { return sqlite::FindRecords(reader, query); });
  }
  Result<std::uint64_t> Count(const Query& query) const override {
    return self().Ask([&](Connection& reader) { return sqlite::Count(reader, query); });
  }
  Result<Bytes> GetMeta(const std::string& key) const override {
    return self().Ask([&](Connection& reader) { return sqlite::GetMeta(reader, key); });
  }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    return self().Ask([&](Connection& reader) { return sqlite::ListMeta(reader, prefix); });
  }
  Result<Page<PlacedRecord>> Scan(std::uint64_t after, std::size_t limit) const override {
    return self().Ask([&](Connection& reader) { return sqlite::Scan(reader, after, limit); });
  }
  Result<std::uint64_t> Extent() const override {
    return self().Ask([&](Connection& reader) { return sqlite::Extent(reader); });
  }
  Result<EntryPage> ScanEntries(const std::optional<PlacedEntry>& from,
                                std::size_t limit) const override {
    return self().Ask([&](Connection& reader) { return sqlite::ScanEntries(reader, from, limit); });
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

// One connection inside a read transaction, which sees what was committed when it began.
class SqliteSnapshot : public Answering<SqliteSnapshot, WholeReader> {
 public:
  explicit SqliteSnapshot(ReaderPool::Lease connection) : connection_(std::move(connection)) {}
  ~SqliteSnapshot() override { (void)(*connection_).Execute("ROLLBACK"); }

  template <typename Question>
  auto Ask(Question question) const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return question(*connection_);
  }

 private:
  mutable Mutex mutex_;
  mutable ReaderPool::Lease connection_ GUARDED_BY(mutex_);
};

class SqliteStore : public Answering<SqliteStore, ObjectStore> {
 public:
  SqliteStore(const SqliteOptions& options, FileDescriptor owner_lock, Connection writer)
      : read_only_(options.read_only),
        owner_lock_(std::move(owner_lock)),
        writer_(std::move(writer)),
        readers_(options.path, {.busy_timeout = options.busy_timeout,
                                .cache_bytes = options.reader_cache_bytes}) {}

  template <typename Question>
  auto Ask(Question question) const -> decltype(question(std::declval<Connection&>())) {
    auto reader = TRY(readers_.Borrow());
    return question(*reader);
  }

  Result<std::unique_ptr<WholeReader>> Snapshot() const override {
    auto reader = TRY(readers_.Borrow());
    TRY((*reader).Execute("BEGIN"));
    // The picture is taken at the first read.
    if (auto first = (*reader).QueryInteger("SELECT count(*) FROM sqlite_schema"); !first) {
      (void)(*reader).Execute("ROLLBACK");
      return first.error();
    }
    return std::unique_ptr<WholeReader>(std::make_unique<SqliteSnapshot>(std::move(reader)));
  }

  Result<std::unique_ptr<Transaction>> Begin() override EXCLUDES(mutex_) {
    if (read_only_) return Error(Code::kInvalidArgument, "the key store is open for reading only");
    {
      const MutexLock lock(mutex_);
      while (writing_) writer_gone_.Wait(mutex_);
      writing_ = true;
    }
    // Immediate: the wait for other processes is here, and no later statement can fail for it.
    if (auto begun = BeginOnWriter(); !begun) {
      EndTransaction();
      return begun.error();
    }
    return sqlite::MakeTransaction(writer_, [this] { EndTransaction(); });
  }

 private:
  Result<void> BeginOnWriter() {
    Statement begin = TRY(writer_.Prepare("BEGIN IMMEDIATE"));
    return begin.Run();
  }

  void EndTransaction() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    writing_ = false;
    writer_gone_.NotifyOne();
  }

  const bool read_only_;
  const FileDescriptor owner_lock_;
  // Belongs to the transaction; handed on under mutex_ through writing_. Declared before the
  // readers, so that it is the last to close and folds the write-ahead log into the database.
  Connection writer_;
  mutable ReaderPool readers_;
  Mutex mutex_;
  CondVar writer_gone_;
  bool writing_ GUARDED_BY(mutex_) = false;
};

// SQLite would make the file with the umask's mode; its -wal and -shm files take over the mode of
// the file.
Result<void> MakeFile(const std::string& path) {
  TRY(MakeFolders(FolderOf(path), 0700));
  const FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return IoError("cannot open " + path, errno);
  return SyncFolder(FolderOf(path));
}

Result<FileDescriptor> LockOwner(const std::string& path) {
  const std::string name = path + ".lock";
  FileDescriptor fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return IoError("cannot open " + name, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK) {
    return Error(Code::kUnavailable, "another dare-kms is using " + path);
  }
  return IoError("cannot lock " + name, errno);
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenSqliteStore(const SqliteOptions& options) {
  if (!options.read_only) TRY(MakeFile(options.path));
  FileDescriptor owner_lock;
  if (options.sole_owner) owner_lock = TRY(LockOwner(options.path));
  Connection writer = TRY(Connection::Open(options.path, {.busy_timeout = options.busy_timeout,
                                                          .cache_bytes = options.writer_cache_bytes,
                                                          .may_write = !options.read_only}));
  if (auto usable = options.read_only ? CheckSchema(writer) : UpgradeSchema(writer); !usable) {
    return usable.error().In("cannot open " + options.path);
  }
  return std::unique_ptr<ObjectStore>(
      std::make_unique<SqliteStore>(options, std::move(owner_lock), std::move(writer)));
}

}  // namespace dare::store

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

class SqliteStore : public ObjectStore {
 public:
  SqliteStore(const SqliteOptions& options, FileDescriptor owner_lock, Connection writer)
      : owner_lock_(std::move(owner_lock)),
        writer_(std::move(writer)),
        readers_(options.path, {.busy_timeout = options.busy_timeout,
                                .cache_bytes = options.reader_cache_bytes}) {}

  Result<ObjectRecord> Get(const ObjectId& id) const override {
    auto reader = TRY(readers_.Borrow());
    return sqlite::Get(*reader, id);
  }
  Result<Page<ObjectId>> Find(const Query& query) const override {
    auto reader = TRY(readers_.Borrow());
    return sqlite::Find(*reader, query);
  }
  Result<Page<ObjectRecord>> FindRecords(const Query& query) const override {
    auto reader = TRY(readers_.Borrow());
    return sqlite::FindRecords(*reader, query);
  }
  Result<std::uint64_t> Count(const Query& query) const override {
    auto reader = TRY(readers_.Borrow());
    return sqlite::Count(*reader, query);
  }
  Result<Bytes> GetMeta(const std::string& key) const override {
    auto reader = TRY(readers_.Borrow());
    return sqlite::GetMeta(*reader, key);
  }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    auto reader = TRY(readers_.Borrow());
    return sqlite::ListMeta(*reader, prefix);
  }

  Result<std::unique_ptr<Transaction>> Begin() override EXCLUDES(mutex_) {
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
  TRY(MakeFile(options.path));
  FileDescriptor owner_lock;
  if (options.sole_owner) owner_lock = TRY(LockOwner(options.path));
  Connection writer = TRY(Connection::Open(options.path, {.busy_timeout = options.busy_timeout,
                                                          .cache_bytes = options.writer_cache_bytes,
                                                          .may_write = true}));
  if (auto upgraded = UpgradeSchema(writer); !upgraded) {
    return upgraded.error().In("cannot open " + options.path);
  }
  return std::unique_ptr<ObjectStore>(
      std::make_unique<SqliteStore>(options, std::move(owner_lock), std::move(writer)));
}

}  // namespace dare::store

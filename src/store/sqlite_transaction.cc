#include "store/sqlite_transaction.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "store/index_codec.h"
#include "store/record_rules.h"
#include "store/sqlite_reading.h"

namespace dare::store::sqlite {
namespace {

// What an update or removal must know of the row as it stands.
struct StoredRow {
  std::int64_t seq = 0;
  std::uint64_t row_version = 0;
  std::uint32_t object_type = 0;
  std::int64_t created = 0;
  std::vector<IndexEntry> index;
};

std::int64_t SlotOf(const IndexEntry& entry, std::int64_t seq) { return entry.unique ? 0 : seq; }

bool Holds(const std::vector<IndexEntry>& index, const IndexEntry& entry) {
  return std::find(index.begin(), index.end(), entry) != index.end();
}

class SqliteTransaction : public Transaction {
 public:
  SqliteTransaction(Connection& writer, std::function<void()> give_back)
      : writer_(writer), give_back_(std::move(give_back)) {}
  ~SqliteTransaction() override { End(); }

  Result<ObjectRecord> Get(const ObjectId& id) const override { return sqlite::Get(writer_, id); }
  Result<Page<ObjectId>> Find(const Query& query) const override {
    return sqlite::Find(writer_, query);
  }
  Result<Page<ObjectRecord>> FindRecords(const Query& query) const override {
    return sqlite::FindRecords(writer_, query);
  }
  Result<std::uint64_t> Count(const Query& query) const override {
    return sqlite::Count(writer_, query);
  }
  Result<Bytes> GetMeta(const std::string& key) const override {
    return sqlite::GetMeta(writer_, key);
  }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    return sqlite::ListMeta(writer_, prefix);
  }

  Result<void> Insert(const ObjectRecord& record) override {
    TRY(CheckRecord(record));
    return Guarded([&] { return DoInsert(record, 1); });
  }
  Result<void> Restore(const ObjectRecord& record) override {
    TRY(CheckRecord(record));
    if (record.row_version == 0) return NoRowVersion(record.id);
    return Guarded([&] { return DoInsert(record, record.row_version); });
  }
  Result<void> Update(const ObjectRecord& record, std::uint64_t expected_row_version) override {
    TRY(CheckRecord(record));
    return Guarded([&] { return DoUpdate(record, expected_row_version); });
  }
  Result<void> Remove(const ObjectId& id) override {
    return Guarded([&] { return DoRemove(id); });
  }
  Result<void> PutMeta(const std::string& key, ByteView value) override {
    return Guarded([&] { return DoPutMeta(key, value); });
  }
  Result<void> RemoveMeta(const std::string& key) override {
    return Guarded([&] { return DoRemoveMeta(key); });
  }

  Result<void> Savepoint() override {
    TRY(Guarded([&] { return Run("SAVEPOINT item"); }));
    ++savepoints_;
    return {};
  }
  Result<void> RollbackTo() override {
    if (savepoints_ == 0) return Error(Code::kInvalidArgument, "no savepoint is open");
    --savepoints_;
    // Savepoints of one name nest; both words mean the innermost.
    return Guarded([&]() -> Result<void> {
      TRY(Run("ROLLBACK TO item"));
      return Run("RELEASE item");
    });
  }
  Result<void> Release() override {
    if (savepoints_ == 0) return Error(Code::kInvalidArgument, "no savepoint is open");
    --savepoints_;
    return Guarded([&] { return Run("RELEASE item"); });
  }

  Result<void> Commit() override {
    CHECK(open_);
    if (!failure_) {
      if (auto committed = Run("COMMIT"); !committed) failure_ = committed.error();
    }
    End();
    if (failure_) return *failure_;
    return {};
  }

 private:
  // Runs one change. After anything but a refusal the state of the transaction is not known (SQLite
  // may have rolled it back, and a further statement would then commit by itself), so nothing more
  // is let through.
  template <typename Change>
  Result<void> Guarded(Change change) {
    CHECK(open_);
    if (failure_) return *failure_;
    Result<void> result = change();
    if (!result && !IsRefusal(result.error())) failure_ = result.error();
    if (!failure_ && !writer_.InTransaction()) {
      failure_ = Error(Code::kIo, "key store: the transaction was rolled back");
    }
    if (failure_) return *failure_;
    return result;
  }

  static bool IsRefusal(const Error& error) {
    return error.code == Code::kAlreadyExists || error.code == Code::kNotFound ||
           error.code == Code::kConflict || error.code == Code::kInvalidArgument ||
           error.code == Code::kTooLarge;
  }

  Result<void> Run(std::string_view sql) {
    Statement statement = TRY(writer_.Prepare(sql));
    return statement.Run();
  }

  Result<void> DoInsert(const ObjectRecord& record, std::uint64_t row_version) {
    TRY(CheckUnique(record.index, {}, 0));
    const std::int64_t seq = TRY(InsertRow(record, row_version));
    for (const IndexEntry& entry : record.index) TRY(InsertEntry(entry, seq));
    return {};
  }

  Result<void> DoUpdate(const ObjectRecord& record, std::uint64_t expected) {
    const StoredRow before = TRY(ReadRow(record.id));
    if (before.row_version != expected) {
      return RowVersionDiffers(record.id, expected, before.row_version);
    }
    if (before.object_type != record.object_type || before.created != record.created) {
      return FixedFieldDiffers(record.id);
    }
    TRY(CheckUnique(record.index, before.index, before.seq));
    TRY(UpdateRow(record, before.seq));
    for (const IndexEntry& entry : before.index) {
      if (!Holds(record.index, entry)) TRY(RemoveEntry(entry, before.seq));
    }
    for (const IndexEntry& entry : record.index) {
      if (!Holds(before.index, entry)) TRY(InsertEntry(entry, before.seq));
    }
    return {};
  }

  Result<void> DoRemove(const ObjectId& id) {
    const StoredRow before = TRY(ReadRow(id));
    for (const IndexEntry& entry : before.index) TRY(RemoveEntry(entry, before.seq));
    Statement statement = TRY(writer_.Prepare("DELETE FROM objects WHERE seq = $1"));
    return statement.Bind(before.seq).Run();
  }

  Result<void> DoPutMeta(const std::string& key, ByteView value) {
    Statement statement =
        TRY(writer_.Prepare("INSERT INTO meta (key, value) VALUES ($1, $2) "
                            "ON CONFLICT (key) DO UPDATE SET value = excluded.value"));
    return statement.BindText(key).BindBytes(value).Run();
  }

  Result<void> DoRemoveMeta(const std::string& key) {
    Statement statement = TRY(writer_.Prepare("DELETE FROM meta WHERE key = $1"));
    return statement.BindText(key).Run();
  }

  // Looked at before anything is written, so that a refusal has nothing to undo. `held` are what
  // the record at `own_seq` has already.
  Result<void> CheckUnique(const std::vector<IndexEntry>& index,
                           const std::vector<IndexEntry>& held, std::int64_t own_seq) {
    for (const IndexEntry& entry : index) {
      if (!entry.unique || Holds(held, entry)) continue;
      Statement row =
          TRY(writer_.Prepare("SELECT 1 FROM index_entries "
                              "WHERE tag = $1 AND key = $2 AND scope = $3 AND seq <> $4 LIMIT 1"));
      row.Bind(entry.tag).BindBytes(AsBytes(entry.key)).BindBytes(AsBytes(entry.scope));
      if (TRY(row.Bind(own_seq).Step())) return EntryIsHeld(entry);
    }
    return {};
  }

  Result<StoredRow> ReadRow(const ObjectId& id) {
    Statement row =
        TRY(writer_.Prepare("SELECT seq, row_version, object_type, created, index_entries "
                            "FROM objects WHERE id = $1"));
    if (!TRY(row.BindText(id).Step())) return NoSuchObject(id);
    StoredRow stored{.seq = row.Integer(0),
                     .row_version = static_cast<std::uint64_t>(row.Integer(1)),
                     .object_type = static_cast<std::uint32_t>(row.Integer(2)),
                     .created = row.Integer(3)};
    stored.index = TRY(DecodeIndex(row.BorrowBytes(4)));
    return stored;
  }

  Result<std::int64_t> InsertRow(const ObjectRecord& record, std::uint64_t row_version) {
    const Bytes index = EncodeIndex(record.index);
    Statement row = TRY(
        writer_.Prepare("INSERT INTO objects (id, row_version, object_type, state, owner, created, "
                        "index_entries, attributes, material) "
                        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING seq"));
    row.BindText(record.id).Bind(row_version).Bind(record.object_type).Bind(record.state);
    row.BindText(record.owner).Bind(record.created).BindBytes(index).BindBytes(record.attributes);
    row.BindBytes(record.material);
    auto inserted = row.Step();
    if (!inserted && inserted.error().code == Code::kAlreadyExists) return IdIsTaken(record.id);
    TRY(std::move(inserted));
    const std::int64_t seq = row.Integer(0);
    TRY(row.Step());  // to its end, which is when the insert is done
    return seq;
  }

  Result<void> UpdateRow(const ObjectRecord& record, std::int64_t seq) {
    const Bytes index = EncodeIndex(record.index);
    Statement row = TRY(
        writer_.Prepare("UPDATE objects SET row_version = row_version + 1, state = $1, owner = $2, "
                        "index_entries = $3, attributes = $4, material = $5 WHERE seq = $6"));
    row.Bind(record.state).BindText(record.owner).BindBytes(index).BindBytes(record.attributes);
    return row.BindBytes(record.material).Bind(seq).Run();
  }

  Result<void> InsertEntry(const IndexEntry& entry, std::int64_t seq) {
    // Nothing to do where a record names the same entry twice.
    Statement row =
        TRY(writer_.Prepare("INSERT INTO index_entries (tag, key, scope, slot, seq) "
                            "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"));
    row.Bind(entry.tag).BindBytes(AsBytes(entry.key)).BindBytes(AsBytes(entry.scope));
    return row.Bind(SlotOf(entry, seq)).Bind(seq).Run();
  }

  Result<void> RemoveEntry(const IndexEntry& entry, std::int64_t seq) {
    Statement row =
        TRY(writer_.Prepare("DELETE FROM index_entries "
                            "WHERE tag = $1 AND key = $2 AND scope = $3 AND slot = $4"));
    row.Bind(entry.tag).BindBytes(AsBytes(entry.key)).BindBytes(AsBytes(entry.scope));
    return row.Bind(SlotOf(entry, seq)).Run();
  }

  void End() {
    if (!open_) return;
    open_ = false;
    if (writer_.InTransaction()) (void)Run("ROLLBACK");
    give_back_();
  }

  Connection& writer_;
  const std::function<void()> give_back_;
  std::optional<Error> failure_;  // of the first change that was more than refused
  int savepoints_ = 0;
  bool open_ = true;
};

}  // namespace

std::unique_ptr<Transaction> MakeTransaction(Connection& writer, std::function<void()> give_back) {
  return std::make_unique<SqliteTransaction>(writer, std::move(give_back));
}

}  // namespace dare::store::sqlite

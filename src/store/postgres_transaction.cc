#include "store/postgres_transaction.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/check.h"
#include "store/index_codec.h"
#include "store/postgres_reading.h"
#include "store/read_ahead.h"
#include "store/record_rules.h"

namespace dare::store::postgres {
namespace {

// What a change must know of the row as it stands.
struct StoredRow {
  std::int64_t seq = 0;
  std::uint64_t row_version = 0;
  std::uint32_t object_type = 0;
  std::int64_t created = 0;
  std::vector<IndexEntry> index;
};

bool Holds(const std::vector<IndexEntry>& index, const IndexEntry& entry) {
  return std::find(index.begin(), index.end(), entry) != index.end();
}

// Those of `index` that `other` does not hold, each once.
std::vector<IndexEntry> Without(const std::vector<IndexEntry>& index,
                                const std::vector<IndexEntry>& other) {
  std::vector<IndexEntry> left;
  for (const IndexEntry& entry : index) {
    if (!Holds(other, entry) && !Holds(left, entry)) left.push_back(entry);
  }
  return left;
}

// $n … $n+3: tags, keys, scopes, and 1 for each unique one.
void AddEntries(Parameters& parameters, const std::vector<IndexEntry>& entries) {
  std::vector<std::int64_t> tags, unique;
  std::vector<Bytes> keys, scopes;
  for (const IndexEntry& entry : entries) {
    tags.push_back(entry.tag);
    keys.push_back(IndexForm(entry.key));
    scopes.push_back(IndexForm(entry.scope));
    unique.push_back(entry.unique ? 1 : 0);
  }
  parameters.Add(tags).Add(keys).Add(scopes).Add(unique);
}

constexpr std::string_view kInsertRow =
    "INSERT INTO objects (id, row_version, object_type, state, owner, created, index_entries, "
    "attributes, material) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
    "ON CONFLICT (id) DO NOTHING";

// The row and its entries at once; gives how many of each there were room for.
constexpr std::string_view kInsertRowAndEntries =
    "WITH o AS (INSERT INTO objects (id, row_version, object_type, state, owner, created, "
    "index_entries, attributes, material) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
    "ON CONFLICT (id) DO NOTHING RETURNING seq), "
    "e AS (INSERT INTO index_entries (tag, key, scope, slot, seq) "
    "SELECT n.tag, n.key, n.scope, CASE WHEN n.uniq = 1 THEN 0 ELSE o.seq END, o.seq "
    "FROM o, unnest($10::BIGINT[], $11::BYTEA[], $12::BYTEA[], $13::BIGINT[]) "
    "AS n (tag, key, scope, uniq) ON CONFLICT DO NOTHING RETURNING seq) "
    "SELECT (SELECT count(*) FROM o), (SELECT count(*) FROM e)";

constexpr std::string_view kInsertEntries =
    "INSERT INTO index_entries (tag, key, scope, slot, seq) "
    "SELECT n.tag, n.key, n.scope, CASE WHEN n.uniq = 1 THEN 0 ELSE $1::BIGINT END, $1::BIGINT "
    "FROM unnest($2::BIGINT[], $3::BYTEA[], $4::BYTEA[], $5::BIGINT[]) "
    "AS n (tag, key, scope, uniq) ON CONFLICT DO NOTHING";

constexpr std::string_view kRemoveEntries =
    "DELETE FROM index_entries WHERE (tag, key, scope, slot) IN "
    "(SELECT n.tag, n.key, n.scope, CASE WHEN n.uniq = 1 THEN 0 ELSE $1::BIGINT END "
    "FROM unnest($2::BIGINT[], $3::BYTEA[], $4::BYTEA[], $5::BIGINT[]) "
    "AS n (tag, key, scope, uniq)) AND seq = $1";

constexpr std::string_view kUpdateRow =
    "UPDATE objects SET row_version = row_version + 1, state = $3, owner = $4, "
    "index_entries = $5, attributes = $6, material = $7 WHERE seq = $1 AND row_version = $2";

Parameters RowOf(const ObjectRecord& record, std::uint64_t row_version) {
  Parameters parameters;
  parameters.Add(std::string_view(record.id)).Add(row_version).Add(record.object_type);
  parameters.Add(record.state).Add(std::string_view(record.owner)).Add(record.created);
  parameters.Add(EncodeIndex(record.index)).Add(record.attributes).Add(record.material);
  return parameters;
}

class PostgresTransaction : public Transaction, public ReadsAhead {
 public:
  PostgresTransaction(Connection& writer, TransactionHost host)
      : writer_(writer), host_(std::move(host)) {}
  ~PostgresTransaction() override { End(); }

  Result<ObjectRecord> Get(const ObjectId& id) const override {
    return Reading([&](Connection& c) { return GetAndRemember(c, id); });
  }
  Result<Page<ObjectId>> Find(const Query& query) const override {
    return Reading([&](Connection& c) { return postgres::Find(c, query); });
  }
  Result<Page<ObjectRecord>> FindRecords(const Query& query) const override {
    return Reading([&](Connection& c) { return postgres::FindRecords(c, query); });
  }
  Result<std::uint64_t> Count(const Query& query) const override {
    return Reading([&](Connection& c) { return postgres::Count(c, query); });
  }
  Result<Bytes> GetMeta(const std::string& key) const override {
    CHECK(open_);
    if (failure_) return *failure_;
    if (!facts_.contains(key)) TRY(LookAt(key));
    const std::optional<Bytes>& value = facts_[key];
    if (value) return *value;
    return Error(Code::kNotFound, "the store has no fact " + key);
  }
  void LookAhead(const std::vector<std::string>& keys) override {
    ahead_.insert(keys.begin(), keys.end());
  }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    return Reading([&](Connection& c) { return postgres::ListMeta(c, prefix); });
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
    return Guarded([&]() -> Result<void> {
      BeginChange();
      writer_.Queue("DELETE FROM meta WHERE key = $1", Parameters().Add(std::string_view(key)));
      facts_[key] = std::nullopt;
      return {};
    });
  }

  void MayDefer() override { deferring_ = true; }
  Result<void> Settle() override {
    return Guarded([&]() -> Result<void> {
      TRY(Ask());
      return {};
    });
  }

  Result<void> Savepoint() override {
    if (failure_) return *failure_;
    savepoints_.push_back({});
    return {};
  }
  Result<void> RollbackTo() override {
    if (savepoints_.empty()) return Error(Code::kInvalidArgument, "no savepoint is open");
    const Mark mark = savepoints_.back();
    savepoints_.pop_back();
    return Guarded([&]() -> Result<void> {
      if (!mark.changed) return {};
      rows_.clear();
      facts_.clear();
      if (!mark.sent) return Error(Code::kConflict, "what was deferred cannot be taken back alone");
      writer_.Queue("ROLLBACK TO item");
      writer_.Queue("RELEASE item");
      return {};
    });
  }
  Result<void> Release() override {
    if (savepoints_.empty()) return Error(Code::kInvalidArgument, "no savepoint is open");
    const Mark mark = savepoints_.back();
    savepoints_.pop_back();
    return Guarded([&]() -> Result<void> {
      if (mark.sent) writer_.Queue("RELEASE item");
      return {};
    });
  }

  Result<void> Commit() override {
    CHECK(open_);
    if (!failure_) {
      if (auto committed = DoCommit(); !committed) failure_ = committed.error();
    }
    End();
    if (failure_) return *failure_;
    return {};
  }

 private:
  struct Mark {
    bool sent = false;     // the database knows of it
    bool changed = false;  // something came after it
  };

  // Runs one change. After anything but a refusal nothing more is let through.
  template <typename Change>
  Result<void> Guarded(Change change) {
    CHECK(open_);
    if (failure_) return *failure_;
    refused_ = false;
    Result<void> result = change();
    if (!result && !refused_) failure_ = result.error();
    if (failure_) return *failure_;
    return result;
  }

  Error Refuse(Error error) {
    refused_ = true;
    return error;
  }

  template <typename Read>
  std::invoke_result_t<Read, Connection&> Reading(Read read) const {
    CHECK(open_);
    if (failure_) return *failure_;
    Begin();
    // What was queued is done first, with the same question to the database.
    auto result = read(writer_);
    if (!result && result.error().code != Code::kNotFound) {
      failure_ = writer_.broken() ? Lost() : result.error();
      return *failure_;
    }
    return result;
  }

  // At the fact, and at those that are wanted soon. Each is looked at once: for this transaction it
  // then stays what it was, or what was put.
  Result<void> LookAt(const std::string& key) const {
    std::set<std::string> keys = std::exchange(ahead_, {});
    keys.insert(key);
    std::erase_if(keys, [&](const std::string& known) { return facts_.contains(known); });
    std::map<std::string, Bytes> found =
        TRY(Reading([&](Connection& c) { return postgres::GetMetas(c, keys); }));
    for (const std::string& looked : keys) {
      const auto value = found.find(looked);
      if (value == found.end()) {
        facts_[looked] = std::nullopt;
      } else {
        facts_[looked] = std::move(value->second);
      }
    }
    return {};
  }

  // The connection went away before COMMIT was asked for.
  static Error Lost() {
    return Error(Code::kConflict, "the connection to the database was lost: nothing was committed");
  }

  void Begin() const {
    if (!std::exchange(begun_, true)) writer_.Queue("BEGIN");
  }

  void BeginChange() {
    Begin();
    changed_ = true;
    for (Mark& mark : savepoints_) {
      mark.changed = true;
      if (!deferring_ && !std::exchange(mark.sent, true)) writer_.Queue("SAVEPOINT item");
    }
  }

  // The answers to all that is queued. An Error where any of it failed.
  Result<std::vector<Answer>> Ask() {
    Result<std::vector<Answer>> answers = writer_.Settle();
    if (!answers) return Lost();
    for (const Answer& answer : *answers) {
      if (auto done = answer.Check(); !done) return writer_.broken() ? Lost() : done.error();
    }
    return answers;
  }

  Result<void> DoInsert(const ObjectRecord& record, std::uint64_t row_version) {
    const std::vector<IndexEntry> entries = Without(record.index, {});
    const auto count = static_cast<std::int64_t>(entries.size());
    Parameters parameters = RowOf(record, row_version);
    if (!entries.empty()) AddEntries(parameters, entries);
    const std::string_view sql = entries.empty() ? kInsertRow : kInsertRowAndEntries;
    BeginChange();
    if (deferring_) {
      writer_.Queue(sql, parameters, 1 + count);
      return {};
    }
    // The row may find room where its entries do not.
    if (!entries.empty()) writer_.Queue("SAVEPOINT change");
    writer_.Queue(sql, parameters);
    const std::vector<Answer> answers = TRY(Ask());
    const Answer& done = answers.back();
    const bool row = (entries.empty() ? done.changed() : done.Integer(0, 0)) == 1;
    const bool whole = row && (entries.empty() || done.Integer(0, 1) == count);
    if (!entries.empty()) EndInnerSavepoint(whole);
    if (whole) return {};
    if (!row) return Refuse(IdIsTaken(record.id));
    return RefuseHeld(entries, 0);
  }

  void EndInnerSavepoint(bool keep) {
    if (!keep) writer_.Queue("ROLLBACK TO change");
    writer_.Queue("RELEASE change");
  }

  Result<void> DoUpdate(const ObjectRecord& record, std::uint64_t expected) {
    const StoredRow before = TRY(RowNow(record.id, expected));
    if (before.row_version != expected) {
      return Refuse(RowVersionDiffers(record.id, expected, before.row_version));
    }
    if (before.object_type != record.object_type || before.created != record.created) {
      return Refuse(FixedFieldDiffers(record.id));
    }
    const std::vector<IndexEntry> removed = Without(before.index, record.index);
    const std::vector<IndexEntry> added = Without(record.index, before.index);
    BeginChange();
    if (deferring_) {
      QueueUpdate(record, before.seq, expected, 1);
      QueueEntries(kRemoveEntries, before.seq, removed, std::nullopt);
      QueueEntries(kInsertEntries, before.seq, added, added.size());
    } else {
      TRY(UpdateNow(record, before, removed, added));
    }
    StoredRow& after = rows_[record.id] = before;
    after.row_version = expected + 1;
    after.index = record.index;
    return {};
  }

  Result<void> UpdateNow(const ObjectRecord& record, const StoredRow& before,
                         const std::vector<IndexEntry>& removed,
                         const std::vector<IndexEntry>& added) {
    const bool undoes = !removed.empty() || !added.empty();
    if (undoes) writer_.Queue("SAVEPOINT change");
    const std::size_t at = writer_.queued();
    QueueUpdate(record, before.seq, before.row_version, std::nullopt);
    QueueEntries(kRemoveEntries, before.seq, removed, std::nullopt);
    QueueEntries(kInsertEntries, before.seq, added, std::nullopt);
    const std::vector<Answer> answers = TRY(Ask());
    const bool current = answers[at].changed() == 1;
    const bool whole = current && (added.empty() || answers.back().changed() ==
                                                        static_cast<std::int64_t>(added.size()));
    if (undoes) EndInnerSavepoint(whole);
    if (whole) return {};
    if (current) return RefuseHeld(added, before.seq);
    // Another node was faster.
    const StoredRow now = TRY(RowNow(record.id, std::nullopt));
    return Refuse(RowVersionDiffers(record.id, before.row_version, now.row_version));
  }

  void QueueUpdate(const ObjectRecord& record, std::int64_t seq, std::uint64_t expected,
                   std::optional<std::int64_t> rows) {
    Parameters parameters;
    parameters.Add(seq).Add(expected).Add(record.state).Add(std::string_view(record.owner));
    parameters.Add(EncodeIndex(record.index)).Add(record.attributes).Add(record.material);
    writer_.Queue(kUpdateRow, parameters, rows);
  }

  void QueueEntries(std::string_view sql, std::int64_t seq, const std::vector<IndexEntry>& entries,
                    std::optional<std::int64_t> rows) {
    if (entries.empty()) return;
    Parameters parameters;
    parameters.Add(seq);
    AddEntries(parameters, entries);
    writer_.Queue(sql, parameters, rows);
  }

  Result<void> DoRemove(const ObjectId& id) {
    const StoredRow before = TRY(RowNow(id, std::nullopt));
    BeginChange();
    writer_.Queue("DELETE FROM objects WHERE seq = $1 AND row_version = $2",
                  Parameters().Add(before.seq).Add(before.row_version), 1);
    QueueEntries(kRemoveEntries, before.seq, Without(before.index, {}), std::nullopt);
    rows_.erase(id);
    return {};
  }

  // A fact that was looked at in this transaction is written over only while it is still what it
  // was; one that was not looked at is written over in any case.
  Result<void> DoPutMeta(const std::string& key, ByteView value) {
    BeginChange();
    const auto looked = facts_.find(key);
    Parameters parameters;
    parameters.Add(std::string_view(key)).Add(value);
    if (looked == facts_.end()) {
      writer_.Queue(
          "INSERT INTO meta (key, value) VALUES ($1, $2) "
          "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
          parameters);
      return {};
    }
    if (looked->second) {
      writer_.Queue("UPDATE meta SET value = $2 WHERE key = $1 AND value = $3",
                    parameters.Add(ByteView(*looked->second)), 1);
    } else {
      writer_.Queue("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
                    parameters, 1);
    }
    looked->second = ToBytes(value);
    return {};
  }

  // Which entry somebody else holds, for the refusal.
  Result<void> RefuseHeld(const std::vector<IndexEntry>& entries, std::int64_t own_seq) {
    for (const IndexEntry& entry : entries) {
      if (!entry.unique) continue;
      Parameters parameters;
      parameters.Add(entry.tag).Add(IndexForm(entry.key)).Add(IndexForm(entry.scope)).Add(own_seq);
      writer_.Queue(
          "SELECT seq FROM index_entries "
          "WHERE tag = $1 AND key = $2 AND scope = $3 AND seq <> $4 LIMIT 1",
          parameters);
      const std::vector<Answer> answers = TRY(Ask());
      if (answers.back().rows() != 0) return Refuse(EntryIsHeld(entry));
    }
    return Error(Code::kConflict, "another change came first");
  }

  static constexpr std::string_view kGet =
      "SELECT o.id, o.row_version, o.object_type, o.state, o.owner, o.created, o.index_entries, "
      "o.attributes, o.material, o.seq FROM objects o WHERE o.id = $1";

  Result<ObjectRecord> GetAndRemember(Connection& connection, const ObjectId& id) const {
    const Answer answer = TRY(connection.Ask(kGet, Parameters().Add(std::string_view(id))));
    if (answer.rows() == 0) {
      rows_.erase(id);
      return NoSuchObject(id);
    }
    ObjectRecord record = TRY(ReadRecord(answer, 0, 0));
    rows_[id] = {.seq = answer.Integer(0, 9),
                 .row_version = record.row_version,
                 .object_type = record.object_type,
                 .created = record.created,
                 .index = record.index};
    return record;
  }

  // As this transaction read it last, where that is the version asked for; else as it is now.
  Result<StoredRow> RowNow(const ObjectId& id, std::optional<std::uint64_t> version) {
    const auto known = rows_.find(id);
    if (known != rows_.end() && version && known->second.row_version == *version) {
      return known->second;
    }
    const Result<ObjectRecord> record = Get(id);
    if (record) return rows_[id];
    return record.error().code == Code::kNotFound ? Refuse(record.error()) : record.error();
  }

  Result<void> DoCommit() {
    if (!begun_) return {};
    // A statement that fails takes COMMIT with it; one that changed too little does not.
    if (writer_.expects()) TRY(Ask());
    if (changed_) host_.mark(writer_);
    writer_.Queue("COMMIT");
    ended_ = true;
    const Result<std::vector<Answer>> answers = writer_.Settle();
    if (!answers) return changed_ ? host_.resolve() : Result<void>();
    for (const Answer& answer : *answers) {
      const Result<void> done = answer.Check();
      if (done) continue;
      // The server went away, or does not know itself.
      if (writer_.broken() || answer.sql_state() == "40003") return host_.resolve();
      ended_ = false;
      return done;
    }
    if (answers->back().command() == "COMMIT") return {};
    return Error(Code::kConflict, "the database rolled the transaction back");
  }

  void End() {
    if (!open_) return;
    open_ = false;
    if (begun_ && !ended_ && !writer_.broken()) {
      writer_.Queue("ROLLBACK");
      (void)writer_.Settle();
    }
    host_.give_back();
  }

  Connection& writer_;
  const TransactionHost host_;
  mutable std::optional<Error> failure_;  // of the first change that was more than refused
  mutable std::map<ObjectId, StoredRow> rows_;
  // Facts that were looked at, as they are for this transaction; nothing: there is none.
  mutable std::map<std::string, std::optional<Bytes>> facts_;
  mutable std::set<std::string> ahead_;  // to be looked at with the next one
  mutable bool begun_ = false;
  std::vector<Mark> savepoints_;
  bool deferring_ = false;
  bool changed_ = false;
  bool refused_ = false;
  bool ended_ = false;
  bool open_ = true;
};

}  // namespace

std::unique_ptr<Transaction> MakeTransaction(Connection& writer, TransactionHost host) {
  return std::make_unique<PostgresTransaction>(writer, std::move(host));
}

}  // namespace dare::store::postgres

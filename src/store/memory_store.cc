#include "store/memory_store.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <variant>

#include "base/check.h"
#include "base/mutex.h"
#include "store/record_rules.h"

namespace dare::store {
namespace {

using RecordPtr = std::shared_ptr<const ObjectRecord>;  // never changed once in a table

struct RecordChange {
  std::uint64_t sequence;
  RecordPtr before, after;  // null: absent
};
struct MetaChange {
  std::string key;
  std::optional<Bytes> before, after;
};
using Change = std::variant<RecordChange, MetaChange>;

// The records and what finds them. Every change is a swap of one record or fact for another, so it
// can be done, undone and done again on a second copy.
class Tables {
 public:
  void Do(const Change& change) {
    if (const auto* record = std::get_if<RecordChange>(&change)) {
      Swap(record->sequence, record->before, record->after);
    } else {
      const auto& meta = std::get<MetaChange>(change);
      SetMeta(meta.key, meta.after);
    }
  }
  void Undo(const Change& change) {
    if (const auto* record = std::get_if<RecordChange>(&change)) {
      Swap(record->sequence, record->after, record->before);
    } else {
      const auto& meta = std::get<MetaChange>(change);
      SetMeta(meta.key, meta.before);
    }
  }

  // 0 when there is none.
  std::uint64_t SequenceOf(const ObjectId& id) const {
    const auto found = ids_.find(id);
    return found == ids_.end() ? 0 : found->second;
  }
  const RecordPtr& At(std::uint64_t sequence) const { return records_.at(sequence); }
  const std::map<std::uint64_t, RecordPtr>& records() const { return records_; }
  std::uint64_t last_sequence() const { return records_.empty() ? 0 : records_.rbegin()->first; }
  const std::map<std::string, Bytes>& meta() const { return meta_; }

  bool IsHeldByAnother(const IndexEntry& entry, std::uint64_t sequence) const {
    const auto found = entries_.find({entry.tag, entry.key, entry.scope});
    if (found == entries_.end()) return false;
    for (const std::uint64_t holder : found->second) {
      if (holder != sequence) return true;
    }
    return false;
  }

  // Every entry of every record, in their order.
  std::vector<PlacedEntry> Entries() const {
    std::vector<PlacedEntry> all;
    for (const auto& [sequence, record] : records_) {
      for (const IndexEntry& entry : record->index) all.push_back(PlaceEntry(entry, sequence));
    }
    const auto order = [](const PlacedEntry& e) { return std::tie(e.tag, e.key, e.scope, e.slot); };
    std::ranges::sort(all, {}, order);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }

  // Calls `visit(sequence, record)` for what `query` matches, newest first, until it says false.
  template <typename Visit>
  void ForEach(const Query& query, Visit visit) const {
    const auto before_cursor = [&](std::uint64_t sequence) {
      return query.after == 0 || sequence < query.after;
    };
    if (query.entries.empty()) {
      for (auto it = records_.rbegin(); it != records_.rend(); ++it) {
        if (before_cursor(it->first) && Matches(*it->second, query) &&
            !visit(it->first, it->second))
          return;
      }
      return;
    }
    const std::set<std::uint64_t> candidates = HoldersOf(query.entries.front());
    for (auto it = candidates.rbegin(); it != candidates.rend(); ++it) {
      const RecordPtr& record = At(*it);
      if (before_cursor(*it) && Matches(*record, query) && !visit(*it, record)) return;
    }
  }

 private:
  using EntryKey = std::tuple<std::uint32_t, std::string, std::string>;  // tag, key, scope

  std::set<std::uint64_t> HoldersOf(const EntryMatch& match) const {
    std::set<std::uint64_t> holders;
    auto it = entries_.lower_bound({match.tag, match.key, match.scope.value_or("")});
    for (; it != entries_.end(); ++it) {
      const auto& [tag, key, scope] = it->first;
      if (tag != match.tag || key != match.key || (match.scope && scope != *match.scope)) break;
      holders.insert(it->second.begin(), it->second.end());
    }
    return holders;
  }

  void Swap(std::uint64_t sequence, const RecordPtr& from, const RecordPtr& to) {
    if (from != nullptr) {
      for (const IndexEntry& entry : from->index) {
        const auto found = entries_.find({entry.tag, entry.key, entry.scope});
        if (found == entries_.end()) continue;  // the record named it twice
        found->second.erase(sequence);
        if (found->second.empty()) entries_.erase(found);
      }
      if (to == nullptr) {
        ids_.erase(from->id);
        records_.erase(sequence);
        return;
      }
    }
    if (to == nullptr) return;
    ids_[to->id] = sequence;
    for (const IndexEntry& entry : to->index) {
      entries_[{entry.tag, entry.key, entry.scope}].insert(sequence);
    }
    records_[sequence] = to;
  }

  void SetMeta(const std::string& key, const std::optional<Bytes>& value) {
    if (value) {
      meta_[key] = *value;
    } else {
      meta_.erase(key);
    }
  }

  std::map<std::uint64_t, RecordPtr> records_;  // by insertion sequence
  std::unordered_map<ObjectId, std::uint64_t> ids_;
  std::map<EntryKey, std::set<std::uint64_t>> entries_;
  std::map<std::string, Bytes> meta_;
};

Result<ObjectRecord> GetFrom(const Tables& tables, const ObjectId& id) {
  const std::uint64_t sequence = tables.SequenceOf(id);
  if (sequence == 0) return NoSuchObject(id);
  return *tables.At(sequence);
}

template <typename T, typename Pick>
Page<T> FindIn(const Tables& tables, const Query& query, Pick pick) {
  Page<T> page;
  if (query.limit == 0) return page;
  std::uint64_t last = 0;
  tables.ForEach(query, [&](std::uint64_t sequence, const RecordPtr& record) {
    if (page.items.size() == query.limit) {
      page.next = last;
      return false;
    }
    page.items.push_back(pick(*record));
    last = sequence;
    return true;
  });
  return page;
}

std::uint64_t CountIn(const Tables& tables, Query query) {
  query.after = 0;
  std::uint64_t count = 0;
  tables.ForEach(query, [&](std::uint64_t, const RecordPtr&) {
    ++count;
    return true;
  });
  return count;
}

Result<Bytes> GetMetaFrom(const Tables& tables, const std::string& key) {
  const auto found = tables.meta().find(key);
  if (found == tables.meta().end()) return Error(Code::kNotFound, "the store has no fact " + key);
  return found->second;
}

std::vector<std::string> ListMetaIn(const Tables& tables, const std::string& prefix) {
  std::vector<std::string> keys;
  for (auto it = tables.meta().lower_bound(prefix); it != tables.meta().end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    keys.push_back(it->first);
  }
  return keys;
}

Page<PlacedRecord> ScanIn(const Tables& tables, std::uint64_t after, std::size_t limit) {
  Page<PlacedRecord> page;
  std::uint64_t last = after;
  for (auto it = tables.records().upper_bound(after); it != tables.records().end(); ++it) {
    if (page.items.size() == limit) {
      page.next = last;
      break;
    }
    last = it->first;
    page.items.push_back({.place = it->first, .record = *it->second, .damage = std::nullopt});
  }
  return page;
}

EntryPage ScanEntriesIn(const Tables& tables, const std::optional<PlacedEntry>& from,
                        std::size_t limit) {
  EntryPage page;
  const auto order = [](const PlacedEntry& e) { return std::tie(e.tag, e.key, e.scope, e.slot); };
  for (PlacedEntry& entry : tables.Entries()) {
    if (from && order(entry) < order(*from)) continue;
    if (page.items.size() == limit) {
      page.next = std::move(entry);
      break;
    }
    page.items.push_back(std::move(entry));
  }
  return page;
}

// The tables as they were.
class MemorySnapshot : public WholeReader {
 public:
  explicit MemorySnapshot(Tables tables) : tables_(std::move(tables)) {}
  Result<ObjectRecord> Get(const ObjectId& id) const override { return GetFrom(tables_, id); }
  Result<Page<ObjectId>> Find(const Query& query) const override {
    return FindIn<ObjectId>(tables_, query, [](const ObjectRecord& r) { return r.id; });
  }
  Result<Page<ObjectRecord>> FindRecords(const Query& query) const override {
    return FindIn<ObjectRecord>(tables_, query, [](const ObjectRecord& r) { return r; });
  }
  Result<std::uint64_t> Count(const Query& query) const override { return CountIn(tables_, query); }
  Result<Bytes> GetMeta(const std::string& key) const override { return GetMetaFrom(tables_, key); }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    return ListMetaIn(tables_, prefix);
  }
  Result<Page<PlacedRecord>> Scan(std::uint64_t after, std::size_t limit) const override {
    return ScanIn(tables_, after, limit);
  }
  Result<std::uint64_t> Extent() const override { return tables_.last_sequence(); }
  Result<EntryPage> ScanEntries(const std::optional<PlacedEntry>& from,
                                std::size_t limit) const override {
    return ScanEntriesIn(tables_, from, limit);
  }

 private:
  const Tables tables_;
};

// Two copies of the tables (the records themselves are shared): `committed_` for readers,
// `working_` for the one transaction, which repeats its changes on the first when it commits.
class MemoryStore : public ObjectStore {
 public:
  Result<ObjectRecord> Get(const ObjectId& id) const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return GetFrom(committed_, id);
  }
  Result<Page<ObjectId>> Find(const Query& query) const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return FindIn<ObjectId>(committed_, query, [](const ObjectRecord& r) { return r.id; });
  }
  Result<Page<ObjectRecord>> FindRecords(const Query& query) const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return FindIn<ObjectRecord>(committed_, query, [](const ObjectRecord& r) { return r; });
  }
  Result<std::uint64_t> Count(const Query& query) const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return CountIn(committed_, query);
  }
  Result<Bytes> GetMeta(const std::string& key) const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return GetMetaFrom(committed_, key);
  }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override
      EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return ListMetaIn(committed_, prefix);
  }
  Result<Page<PlacedRecord>> Scan(std::uint64_t after, std::size_t limit) const override
      EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return ScanIn(committed_, after, limit);
  }
  Result<std::uint64_t> Extent() const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return committed_.last_sequence();
  }
  Result<EntryPage> ScanEntries(const std::optional<PlacedEntry>& from,
                                std::size_t limit) const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return ScanEntriesIn(committed_, from, limit);
  }
  Result<std::unique_ptr<WholeReader>> Snapshot() const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return std::unique_ptr<WholeReader>(std::make_unique<MemorySnapshot>(committed_));
  }
  Result<std::unique_ptr<Transaction>> Begin() override EXCLUDES(mutex_);

  // For the transaction that holds the writer's place.
  Tables& working() { return working_; }
  void Publish(const std::vector<Change>& changes) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    for (const Change& change : changes) committed_.Do(change);
  }
  void EndTransaction() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    writing_ = false;
    writer_gone_.NotifyOne();
  }

 private:
  mutable Mutex mutex_;
  CondVar writer_gone_;
  bool writing_ GUARDED_BY(mutex_) = false;
  Tables committed_ GUARDED_BY(mutex_);
  Tables working_;  // belongs to the transaction; handed on under mutex_ through writing_
};

class MemoryTransaction : public Transaction {
 public:
  explicit MemoryTransaction(MemoryStore& store) : store_(store), tables_(store.working()) {}
  ~MemoryTransaction() override {
    if (open_) UndoTo(0);
    End();
  }

  Result<ObjectRecord> Get(const ObjectId& id) const override { return GetFrom(tables_, id); }
  Result<Page<ObjectId>> Find(const Query& query) const override {
    return FindIn<ObjectId>(tables_, query, [](const ObjectRecord& r) { return r.id; });
  }
  Result<Page<ObjectRecord>> FindRecords(const Query& query) const override {
    return FindIn<ObjectRecord>(tables_, query, [](const ObjectRecord& r) { return r; });
  }
  Result<std::uint64_t> Count(const Query& query) const override { return CountIn(tables_, query); }
  Result<Bytes> GetMeta(const std::string& key) const override { return GetMetaFrom(tables_, key); }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    return ListMetaIn(tables_, prefix);
  }

  Result<void> Insert(const ObjectRecord& record) override { return InsertAs(record, 1); }
  Result<void> Restore(const ObjectRecord& record) override {
    if (record.row_version == 0) return NoRowVersion(record.id);
    return InsertAs(record, record.row_version);
  }

  Result<void> Update(const ObjectRecord& record, std::uint64_t expected_row_version) override {
    TRY(CheckRecord(record));
    const std::uint64_t sequence = tables_.SequenceOf(record.id);
    if (sequence == 0) return NoSuchObject(record.id);
    const RecordPtr before = tables_.At(sequence);
    if (before->row_version != expected_row_version) {
      return RowVersionDiffers(record.id, expected_row_version, before->row_version);
    }
    if (before->object_type != record.object_type || before->created != record.created) {
      return FixedFieldDiffers(record.id);
    }
    TRY(CheckUnique(record, sequence));
    auto stored = std::make_shared<ObjectRecord>(record);
    stored->row_version = expected_row_version + 1;
    Do(RecordChange{sequence, before, std::move(stored)});
    return {};
  }

  Result<void> Remove(const ObjectId& id) override {
    const std::uint64_t sequence = tables_.SequenceOf(id);
    if (sequence == 0) return NoSuchObject(id);
    Do(RecordChange{sequence, tables_.At(sequence), nullptr});
    return {};
  }

  Result<void> PutMeta(const std::string& key, ByteView value) override {
    Do(MetaChange{key, MetaNow(key), ToBytes(value)});
    return {};
  }
  Result<void> RemoveMeta(const std::string& key) override {
    Do(MetaChange{key, MetaNow(key), std::nullopt});
    return {};
  }

  Result<void> Savepoint() override {
    savepoints_.push_back(changes_.size());
    return {};
  }
  Result<void> RollbackTo() override {
    if (savepoints_.empty()) return Error(Code::kInvalidArgument, "no savepoint is open");
    UndoTo(savepoints_.back());
    savepoints_.pop_back();
    return {};
  }
  Result<void> Release() override {
    if (savepoints_.empty()) return Error(Code::kInvalidArgument, "no savepoint is open");
    savepoints_.pop_back();
    return {};
  }

  Result<void> Commit() override {
    CHECK(open_);
    store_.Publish(changes_);
    End();
    return {};
  }

 private:
  Result<void> InsertAs(const ObjectRecord& record, std::uint64_t row_version) {
    TRY(CheckRecord(record));
    if (tables_.SequenceOf(record.id) != 0) return IdIsTaken(record.id);
    const std::uint64_t sequence = tables_.last_sequence() + 1;
    TRY(CheckUnique(record, sequence));
    auto stored = std::make_shared<ObjectRecord>(record);
    stored->row_version = row_version;
    Do(RecordChange{sequence, nullptr, std::move(stored)});
    return {};
  }
  Result<void> CheckUnique(const ObjectRecord& record, std::uint64_t sequence) const {
    for (const IndexEntry& entry : record.index) {
      if (entry.unique && tables_.IsHeldByAnother(entry, sequence)) return EntryIsHeld(entry);
    }
    return {};
  }
  std::optional<Bytes> MetaNow(const std::string& key) const {
    const auto found = tables_.meta().find(key);
    if (found == tables_.meta().end()) return std::nullopt;
    return found->second;
  }
  void Do(Change change) {
    CHECK(open_);
    tables_.Do(change);
    changes_.push_back(std::move(change));
  }
  void UndoTo(std::size_t size) {
    for (; changes_.size() > size; changes_.pop_back()) tables_.Undo(changes_.back());
  }
  void End() {
    if (open_) store_.EndTransaction();
    open_ = false;
  }

  MemoryStore& store_;
  Tables& tables_;
  std::vector<Change> changes_;
  std::vector<std::size_t> savepoints_;  // sizes of changes_
  bool open_ = true;
};

Result<std::unique_ptr<Transaction>> MemoryStore::Begin() {
  {
    const MutexLock lock(mutex_);
    while (writing_) writer_gone_.Wait(mutex_);
    writing_ = true;
  }
  return std::unique_ptr<Transaction>(std::make_unique<MemoryTransaction>(*this));
}

}  // namespace

std::unique_ptr<ObjectStore> MakeMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace dare::store

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/running_sum.h"
#include "store/object_store.h"
#include "store/read_ahead.h"

namespace dare::engine {

// What became of a record in a transaction.
struct RecordChange {
  store::ObjectId id;
  std::uint64_t row_version = 0;  // 0: it was removed
};

class SummedStore;

// A transaction that carries this node's running sum along: Commit writes it where records or
// summed facts changed.
class SummedTransaction : public store::Transaction, public store::ReadsAhead {
 public:
  SummedTransaction(SummedStore& store, std::unique_ptr<store::Transaction> inner,
                    const RunningSum& before)
      : store_(store), inner_(std::move(inner)), before_(before) {}
  ~SummedTransaction() override;

  // The number under which this transaction will be known: RunningSum::group once it is committed.
  std::uint64_t group() const { return before_.group + 1; }
  // What changed since the last call, in order; savepoints that were rolled back left nothing.
  // Asked where no savepoint is open.
  std::vector<RecordChange> TakeChanges();

  Result<store::ObjectRecord> Get(const store::ObjectId& id) const override {
    return inner_->Get(id);
  }
  Result<store::Page<store::ObjectId>> Find(const store::Query& query) const override {
    return inner_->Find(query);
  }
  Result<store::Page<store::ObjectRecord>> FindRecords(const store::Query& query) const override {
    return inner_->FindRecords(query);
  }
  Result<std::uint64_t> Count(const store::Query& query) const override {
    return inner_->Count(query);
  }
  Result<Bytes> GetMeta(const std::string& key) const override { return inner_->GetMeta(key); }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    return inner_->ListMeta(prefix);
  }
  void LookAhead(const std::vector<std::string>& keys) override;

  Result<void> Insert(const store::ObjectRecord& record) override;
  Result<void> Restore(const store::ObjectRecord& record) override;
  Result<void> Update(const store::ObjectRecord& record,
                      std::uint64_t expected_row_version) override;
  Result<void> Remove(const store::ObjectId& id) override;
  Result<void> PutMeta(const std::string& key, ByteView value) override;
  Result<void> RemoveMeta(const std::string& key) override;
  Result<void> Settle() override { return inner_->Settle(); }
  void MayDefer() override { inner_->MayDefer(); }
  Result<void> Savepoint() override;
  Result<void> RollbackTo() override;
  Result<void> Release() override;
  Result<void> Commit() override;

 private:
  struct Point {
    RunningSum now;
    std::size_t changes;
    bool changed;
  };
  Result<void> Count(const store::ObjectId& id, std::uint64_t old_version,
                     std::uint64_t new_version);
  Result<void> CountFact(const std::string& key, std::optional<ByteView> value);

  SummedStore& store_;
  std::unique_ptr<store::Transaction> inner_;
  const RunningSum before_;
  RunningSum now_ = before_;
  bool changed_ = false;
  std::vector<RecordChange> changes_;
  std::vector<Point> savepoints_;
  bool open_ = true;
};

// A store whose transactions keep this node's running sum: everything that writes records goes
// through it. One transaction at a time, as the sum is one row. Thread-safe. Owns nothing.
class SummedStore : public store::ObjectStore {
 public:
  SummedStore(store::ObjectStore& inner, const Vault& vault, std::string node)
      : inner_(inner), vault_(vault), key_(SumKeyOf(node)) {}

  Result<std::unique_ptr<store::Transaction>> Begin() override;
  Result<std::unique_ptr<SummedTransaction>> BeginSummed() EXCLUDES(mutex_);
  // How many of this node's transactions have changed something.
  Result<std::uint64_t> Group() EXCLUDES(mutex_);

  Result<store::ObjectRecord> Get(const store::ObjectId& id) const override {
    return inner_.Get(id);
  }
  Result<store::Page<store::ObjectId>> Find(const store::Query& query) const override {
    return inner_.Find(query);
  }
  Result<store::Page<store::ObjectRecord>> FindRecords(const store::Query& query) const override {
    return inner_.FindRecords(query);
  }
  Result<std::uint64_t> Count(const store::Query& query) const override {
    return inner_.Count(query);
  }
  Result<Bytes> GetMeta(const std::string& key) const override { return inner_.GetMeta(key); }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    return inner_.ListMeta(prefix);
  }
  Result<store::Page<store::PlacedRecord>> Scan(std::uint64_t after,
                                                std::size_t limit) const override {
    return inner_.Scan(after, limit);
  }
  Result<std::uint64_t> Extent() const override { return inner_.Extent(); }
  Result<store::EntryPage> ScanEntries(const std::optional<store::PlacedEntry>& from,
                                       std::size_t limit) const override {
    return inner_.ScanEntries(from, limit);
  }
  Result<std::vector<store::MetaRow>> ScanMeta(const std::string& prefix, const std::string& after,
                                               std::size_t limit) const override {
    return inner_.ScanMeta(prefix, after, limit);
  }
  Result<std::unique_ptr<store::WholeReader>> Snapshot() const override {
    return inner_.Snapshot();
  }

 private:
  friend class SummedTransaction;
  Result<RunningSum> SumBefore(const store::ObjectReader& reader) EXCLUDES(mutex_);
  // Nothing where it is not known whether the transaction happened.
  void Ended(const std::optional<RunningSum>& now) EXCLUDES(mutex_);

  store::ObjectStore& inner_;
  const Vault& vault_;
  const std::string key_;
  Mutex mutex_;
  CondVar ended_;
  bool busy_ GUARDED_BY(mutex_) = false;
  // As last committed; nothing: to be read.
  std::optional<RunningSum> committed_ GUARDED_BY(mutex_);
};

}  // namespace dare::engine

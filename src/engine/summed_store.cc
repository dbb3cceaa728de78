#include "engine/summed_store.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace dare::engine {

SummedTransaction::~SummedTransaction() {
  if (!open_) return;
  inner_.reset();  // rolled back before another may begin
  open_ = false;
  store_.Ended(before_);
}

std::vector<RecordChange> SummedTransaction::TakeChanges() {
  CHECK(savepoints_.empty());
  return std::exchange(changes_, {});
}

void SummedTransaction::LookAhead(const std::vector<std::string>& keys) {
  if (auto* ahead = dynamic_cast<store::ReadsAhead*>(inner_.get())) ahead->LookAhead(keys);
}

Result<void> SummedTransaction::Count(const store::ObjectId& id, std::uint64_t old_version,
                                      std::uint64_t new_version) {
  if (old_version != 0) {
    now_.sum -= TRY(NumberOfRow(store_.vault_, id, old_version));
    --now_.records;
  }
  if (new_version != 0) {
    now_.sum += TRY(NumberOfRow(store_.vault_, id, new_version));
    ++now_.records;
  }
  changed_ = true;
  changes_.push_back({id, new_version});
  return {};
}

Result<void> SummedTransaction::CountFact(const std::string& key, std::optional<ByteView> value) {
  if (!IsSummedFact(key)) return {};
  const Result<Bytes> before = inner_->GetMeta(key);
  if (before) {
    now_.sum -= TRY(NumberOfFact(store_.vault_, key, *before));
  } else if (before.error().code != Code::kNotFound) {
    return before.error();
  }
  if (value) now_.sum += TRY(NumberOfFact(store_.vault_, key, *value));
  changed_ = true;
  return {};
}

Result<void> SummedTransaction::Insert(const store::ObjectRecord& record) {
  TRY(inner_->Insert(record));
  return Count(record.id, 0, 1);
}

Result<void> SummedTransaction::Restore(const store::ObjectRecord& record) {
  TRY(inner_->Restore(record));
  return Count(record.id, 0, record.row_version);
}

Result<void> SummedTransaction::Update(const store::ObjectRecord& record,
                                       std::uint64_t expected_row_version) {
  TRY(inner_->Update(record, expected_row_version));
  return Count(record.id, expected_row_version, expected_row_version + 1);
}

Result<void> SummedTransaction::Remove(const store::ObjectId& id) {
  const store::ObjectRecord record = TRY(inner_->Get(id));
  TRY(inner_->Remove(id));
  return Count(id, record.row_version, 0);
}

Result<void> SummedTransaction::PutMeta(const std::string& key, ByteView value) {
  TRY(CountFact(key, value));
  return inner_->PutMeta(key, value);
}

Result<void> SummedTransaction::RemoveMeta(const std::string& key) {
  TRY(CountFact(key, std::nullopt));
  return inner_->RemoveMeta(key);
}

Result<void> SummedTransaction::Savepoint() {
  TRY(inner_->Savepoint());
  savepoints_.push_back({now_, changes_.size(), changed_});
  return {};
}

Result<void> SummedTransaction::RollbackTo() {
  TRY(inner_->RollbackTo());
  const Point& point = savepoints_.back();
  now_ = point.now;
  changes_.resize(point.changes);
  changed_ = point.changed;
  savepoints_.pop_back();
  return {};
}

Result<void> SummedTransaction::Release() {
  TRY(inner_->Release());
  savepoints_.pop_back();
  return {};
}

Result<void> SummedTransaction::Commit() {
  CHECK(open_);
  const auto commit = [&]() -> Result<void> {
    if (changed_) {
      now_.group = group();
      const Bytes row = TRY(EncodeSum(store_.vault_, store_.key_, now_));
      TRY(inner_->PutMeta(store_.key_, row));
    }
    return inner_->Commit();
  };
  const Result<void> committed = commit();
  open_ = false;
  inner_.reset();
  store_.Ended(committed ? std::optional(now_) : std::nullopt);
  return committed;
}

Result<std::unique_ptr<store::Transaction>> SummedStore::Begin() {
  return std::unique_ptr<store::Transaction>(TRY(BeginSummed()));
}

Result<std::unique_ptr<SummedTransaction>> SummedStore::BeginSummed() {
  {
    const MutexLock lock(mutex_);
    while (busy_) ended_.Wait(mutex_);
    busy_ = true;
  }
  auto inner = inner_.Begin();
  if (!inner) {
    Ended(std::nullopt);
    return inner.error();
  }
  const Result<RunningSum> before = SumBefore(**inner);
  if (!before) {
    inner->reset();
    Ended(std::nullopt);
    return before.error();
  }
  return std::make_unique<SummedTransaction>(*this, std::move(*inner), *before);
}

Result<RunningSum> SummedStore::SumBefore(const store::ObjectReader& reader) {
  {
    const MutexLock lock(mutex_);
    if (committed_) return *committed_;
  }
  const Result<Bytes> row = reader.GetMeta(key_);
  if (!row) {
    if (row.error().code == Code::kNotFound) return RunningSum();
    return row.error();
  }
  Result<RunningSum> sum = DecodeSum(vault_, key_, *row);
  if (sum || sum.error().code != Code::kDamaged) return sum;
  // The server goes on, or whoever edits one row could stop it. The sums no longer agree: that is
  // what the next check of the store finds.
  log::Failure(sum.error().message + "; dare-kms verify tells more");
  return RunningSum();
}

Result<std::uint64_t> SummedStore::Group() { return TRY(SumBefore(inner_)).group; }

void SummedStore::Ended(const std::optional<RunningSum>& now) {
  const MutexLock lock(mutex_);
  committed_ = now;
  busy_ = false;
  ended_.NotifyOne();
}

}  // namespace dare::engine

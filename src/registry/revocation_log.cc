#include "registry/revocation_log.h"

#include <algorithm>
#include <utility>

namespace dare::registry {
namespace {

constexpr std::size_t kPageRows = 1000;

Error Differs() {
  return Error(Code::kDamaged,
               "the revocations in the database are not those that the servers left: entries are "
               "missing, or were put back; every certificate is refused (dare-kms verify)");
}

}  // namespace

Result<void> RevocationLog::CatchUp() {
  const MutexLock one(catching_up_);
  const auto asked = clock_.Steady();
  const std::string key = engine::TableSumKey(kRevocationTable);
  const Result<Bytes> row = store_.GetMeta(key);
  if (!row && row.error().code != Code::kNotFound) return row.error();
  engine::RunningSum sum;
  if (row) sum = TRY(engine::DecodeSum(vault_, key, *row));
  std::uint64_t known = 0;
  {
    const MutexLock lock(mutex_);
    known = group_;
  }
  engine::TableCount count = count_;
  std::string last = last_key_;
  std::vector<Numbered> added;
  // An entry is never changed, so those up to the sum's group are all there, whatever is added now.
  if (sum.group > known) added = TRY(ReadUntil(sum.group, last, count));
  if (sum.group < known || !count.Agrees(sum)) return Differs();
  count_ = count;
  last_key_ = std::move(last);
  const MutexLock lock(mutex_);
  for (const Numbered& numbered : added) Take(numbered);
  group_ = sum.group;
  known_at_ = asked;
  known_ = true;
  return {};
}

Result<std::vector<RevocationLog::Numbered>> RevocationLog::ReadUntil(
    std::uint64_t group, std::string& last, engine::TableCount& count) const {
  const std::string prefix = engine::TableRowPrefix(kRevocationTable);
  std::vector<Numbered> read;
  for (;;) {
    const auto page = TRY(store_.ScanMeta(prefix, last, kPageRows));
    for (const store::MetaRow& row : page) {
      const std::uint64_t number = TRY(GroupOfEvent(row.key.substr(prefix.size())));
      if (number > group) return read;
      const auto content = TRY(engine::OpenGuarded(vault_, row.key, row.value));
      if (!content) return Differs();
      TRY(count.Add(vault_, row));
      read.emplace_back(number, TRY(DecodeEvent(*content)));
      last = row.key;
    }
    if (page.size() < kPageRows) break;
  }
  return read;
}

void RevocationLog::Take(const Numbered& numbered) {
  const auto& [group, event] = numbered;
  Entries& entries = event.kind == RevocationEvent::Kind::kSerial ? serials_
                     : event.kind == RevocationEvent::Kind::kName ? names_
                                                                  : good_;
  Entry& entry = entries[event.what];
  entry = {std::max({entry.when, event.when, std::int64_t{1}}), group};
}

Result<void> RevocationLog::Write(store::Transaction& transaction,
                                  const std::vector<RevocationEvent>& events) const {
  if (events.empty()) return {};
  auto table = TRY(engine::GuardedTable::Open(vault_, transaction, kRevocationTable));
  {
    const MutexLock lock(mutex_);
    if (table.group() != group_) return Error(Code::kConflict, "another node revoked meanwhile");
  }
  std::size_t number = 0;
  for (const RevocationEvent& event : events) {
    TRY(table.Put(EventName(table.group() + 1, number++), EncodeEvent(event)));
  }
  return table.Finish();
}

std::int64_t RevocationLog::SerialRevoked(const std::string& serial) const {
  const MutexLock lock(mutex_);
  const auto found = serials_.find(serial);
  return found == serials_.end() ? 0 : found->second.when;
}

std::int64_t RevocationLog::NameRevoked(const std::string& name) const {
  const MutexLock lock(mutex_);
  const auto found = names_.find(name);
  return found == names_.end() ? 0 : found->second.when;
}

std::int64_t RevocationLog::Revoked(const std::string& serial, const std::string& name) const {
  const MutexLock lock(mutex_);
  return RevokedNow(serial, name);
}

std::int64_t RevocationLog::RevokedNow(const std::string& serial, const std::string& name) const {
  if (const auto found = serials_.find(serial); found != serials_.end()) return found->second.when;
  const auto revoked = names_.find(name);
  if (revoked == names_.end()) return 0;
  const auto good = good_.find(serial);
  const bool later = good != good_.end() && good->second.group >= revoked->second.group;
  return later ? 0 : revoked->second.when;
}

std::vector<RevocationEvent> RevocationLog::All(RevocationEvent::Kind kind) const {
  const MutexLock lock(mutex_);
  const Entries& entries = kind == RevocationEvent::Kind::kSerial ? serials_
                           : kind == RevocationEvent::Kind::kName ? names_
                                                                  : good_;
  std::vector<RevocationEvent> events;
  for (const auto& [what, entry] : entries) events.push_back({kind, what, entry.when});
  return events;
}

bool RevocationLog::IsStale() const { return !known_ || clock_.Steady() - known_at_ > patience_; }

bool RevocationLog::IsRevoked(const std::string& serial, const std::string& common_name) const {
  const MutexLock lock(mutex_);
  return IsStale() || RevokedNow(serial, common_name) != 0;
}

bool RevocationLog::IsKnown() const {
  const MutexLock lock(mutex_);
  return !IsStale();
}

std::uint64_t RevocationLog::generation() const {
  const MutexLock lock(mutex_);
  return group_ * 2 + (IsStale() ? 1 : 0);
}

}  // namespace dare::registry

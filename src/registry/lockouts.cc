#include "registry/lockouts.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "kmip/reject.h"
#include "store/change.h"

namespace dare::registry {
namespace {

using Refusal = engine::Doorkeeper::Refusal;

constexpr int kMostReadings = 5;  // of a list that changes meanwhile

Error Differs() {
  return Error(Code::kDamaged,
               "the lockouts in the database are not those that the servers left: entries are "
               "missing, forged, or were put back; nobody is served (dare-kms verify)");
}

Refusal LockedOut() {
  return {kmip::Reject(kmip::ResultReason::kPermissionDenied, "not allowed"), "locked out"};
}

Refusal Sealed() {
  return {kmip::Reject(kmip::ResultReason::kPermissionDenied,
                       "the key server is sealed: an administrator has to unseal it"),
          "sealed"};
}

}  // namespace

Result<std::unique_ptr<Lockouts>> Lockouts::Open(store::ObjectStore& store,
                                                 std::shared_ptr<const engine::Vault> vault,
                                                 const LockoutOptions& options,
                                                 const Clock& clock) {
  std::unique_ptr<Lockouts> lockouts(new Lockouts(store, std::move(vault), options, clock));
  TRY(lockouts->CatchUp());
  return lockouts;
}

// Who waited here while somebody else asked has an answer that is new enough.
Result<void> Lockouts::CatchUp() {
  const auto wanted = clock_.Steady();
  const MutexLock one(catching_up_);
  if (known_ && asked_at_.load() > wanted) return {};
  Result<void> read = ReadOnce();
  // A list that was changed between two readings is read again.
  for (int i = 1; i < kMostReadings && !read && read.error().code == Code::kConflict; ++i) {
    read = ReadOnce();
  }
  if (!read && read.error().code == Code::kConflict) read = Differs();
  if (!read) known_ = false;
  return read;
}

Result<void> Lockouts::ReadOnce() {
  const auto asked = clock_.Steady();
  const std::string key = engine::TableSumKey(kLockoutTable);
  const Result<Bytes> row = store_.GetMeta(key);
  if (!row && row.error().code != Code::kNotFound) return row.error();
  engine::RunningSum sum;
  if (row) sum = TRY(engine::DecodeSum(*vault_, key, *row));
  if (sum.group < generation_) return Differs();
  const bool same = known_ && sum.group == generation_;
  if (!same) {
    engine::TableCount count;
    std::vector<Lockout> all;
    const std::string prefix = engine::TableRowPrefix(kLockoutTable);
    for (const std::string& name : TRY(store_.ListMeta(prefix))) {
      const Result<Bytes> kept = store_.GetMeta(name);
      if (!kept && kept.error().code == Code::kNotFound) continue;
      if (!kept) return kept.error();
      TRY(count.Add(*vault_, {.key = name, .value = *kept}));
      const auto content = TRY(engine::OpenGuarded(*vault_, name, *kept));
      if (!content) return Differs();
      all.push_back(TRY(DecodeLockout(name.substr(prefix.size()), *content)));
    }
    if (!count.Agrees(sum)) return Error(Code::kConflict, "");
    const MutexLock lock(mutex_);
    principals_.clear();
    groups_.clear();
    domains_.clear();
    bool sealed = false;
    for (const Lockout& lockout : all) {
      if (lockout.kind == Lockout::Kind::kPrincipal) principals_.insert(lockout.name);
      if (lockout.kind == Lockout::Kind::kGroup) groups_.insert(lockout.name);
      if (lockout.kind == Lockout::Kind::kDomain) domains_.insert(lockout.name);
      sealed |= lockout.kind == Lockout::Kind::kSeal;
    }
    empty_ = all.empty();
    sealed_ = sealed;
    all_ = std::move(all);
    generation_ = sum.group;
  }
  asked_at_ = asked;
  known_ = true;
  return {};
}

Result<void> Lockouts::Commit(const std::function<Result<void>(engine::GuardedTable&)>& change) {
  const auto changes = [&](store::Transaction& transaction) -> Result<void> {
    auto table = TRY(engine::GuardedTable::Open(*vault_, transaction, kLockoutTable));
    TRY(change(table));
    return table.Finish();
  };
  TRY(store::Change(store_, changes));
  return CatchUp();
}

Result<void> Lockouts::Put(const Lockout& lockout) {
  return Commit([&](engine::GuardedTable& table) {
    return table.Put(LockoutName(lockout.kind, lockout.name), EncodeLockout(lockout));
  });
}

Result<bool> Lockouts::Remove(Lockout::Kind kind, const std::string& name) {
  const std::string row = LockoutName(kind, name);
  bool there = false;
  const auto change = [&](engine::GuardedTable& table) -> Result<void> {
    there = TRY(table.Get(row)).has_value();
    return there ? table.Remove(row) : Result<void>();
  };
  TRY(Commit(change));
  return there;
}

Result<std::vector<Lockout>> Lockouts::List() {
  TRY(CatchUp());
  const MutexLock lock(mutex_);
  return all_;
}

bool Lockouts::IsFresh() const {
  if (!known_) return false;
  return !options_.fresh || clock_.Steady() - asked_at_.load() < *options_.fresh;
}

std::optional<Refusal> Lockouts::Refuses(const policy::Principal& principal) {
  if (!IsFresh()) {
    if (const Result<void> read = CatchUp(); !read) return Refusal{read.error(), "not known"};
  }
  if (empty_.load(std::memory_order_acquire)) return std::nullopt;
  if (sealed()) return Sealed();
  if (IsLockedOut(principal.name, principal.groups)) return LockedOut();
  return std::nullopt;
}

Result<void> Lockouts::StillHolds(const store::ObjectReader& transaction, std::uint64_t judged_by) {
  const std::string key = engine::TableSumKey(kLockoutTable);
  const Result<Bytes> row = transaction.GetMeta(key);
  if (!row && row.error().code != Code::kNotFound) return row.error();
  engine::RunningSum sum;
  if (row) sum = TRY(engine::DecodeSum(*vault_, key, *row));
  if (sum.group == judged_by) return {};
  known_ = false;  // whoever asks next reads it
  return Error(Code::kConflict, "who is locked out has changed");
}

bool Lockouts::IsLockedOut(const std::string& name, const std::vector<std::string>& groups) const {
  if (empty_.load(std::memory_order_acquire)) return false;
  const MutexLock lock(mutex_);
  if (principals_.contains(name)) return true;
  if (std::ranges::any_of(groups, [&](const std::string& g) { return groups_.contains(g); })) {
    return true;
  }
  return !domains_.empty() && options_.domain_of && domains_.contains(options_.domain_of(name));
}

void Lockouts::Look() {
  const Result<void> asked = CatchUp();
  if (!asked && !std::exchange(failing_, true)) {
    log::Failure("who is locked out cannot be read: " + asked.error().message);
  }
  if (asked && std::exchange(failing_, false)) log::Info("who is locked out is read again");
}

}  // namespace dare::registry

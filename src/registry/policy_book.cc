#include "registry/policy_book.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "policy/document.h"
#include "store/change.h"

namespace dare::registry {
namespace {

constexpr std::size_t kMostVersions = 256;
constexpr std::size_t kMostComment = 1000;
constexpr std::size_t kPageRows = 64;
constexpr int kMostReadings = 5;

Error Differs() {
  return Error(Code::kDamaged,
               "the policy in the database is not what the servers left: nothing is allowed until "
               "it is (dare-kms verify)");
}

std::string NameOf(std::uint64_t number) { return "policy version " + std::to_string(number); }

// The policy that a stored text says: it was checked when it was applied.
Result<std::shared_ptr<const policy::Policy>> Parse(const PolicyVersion& version) {
  return std::shared_ptr<const policy::Policy>(std::make_shared<policy::Policy>(
      TRY(policy::ParsePolicy(version.text, NameOf(version.number)))));
}

}  // namespace

// The version in force, after every row was looked at: what is missing, too many or put back shows
// in the sum. kConflict where the table was changed while it was read.
Result<std::optional<PolicyVersion>> PolicyBook::ReadAll(const engine::RunningSum& sum) const {
  const std::string prefix = engine::TableRowPrefix(kPolicyTable);
  const std::string in_force_key = prefix + std::string(kPolicyInForce);
  engine::TableCount count;
  std::optional<std::uint64_t> in_force;
  std::string last;
  for (;;) {
    const auto page = TRY(store_.ScanMeta(prefix, last, kPageRows));
    for (const store::MetaRow& row : page) {
      last = row.key;
      TRY(count.Add(vault_, row));
      if (row.key != in_force_key) continue;
      const auto content = TRY(engine::OpenGuarded(vault_, row.key, row.value));
      if (!content) return Differs();
      in_force = TRY(DecodePolicyNumber(*content));
    }
    if (page.size() < kPageRows) break;
  }
  if (!count.Agrees(sum)) return Differs();
  if (!in_force) return std::optional<PolicyVersion>();
  return std::optional<PolicyVersion>(TRY(Version(*in_force)));
}

Result<void> PolicyBook::Load(const std::optional<Bytes>& sum_row) {
  const std::string key = engine::TableSumKey(kPolicyTable);
  engine::RunningSum sum;
  if (sum_row) sum = TRY(engine::DecodeSum(vault_, key, *sum_row));
  if (sum.group < group_) return Differs();
  const std::optional<PolicyVersion> version = TRY(ReadAll(sum));
  std::shared_ptr<const policy::Policy> policy;
  if (version) policy = TRY(Parse(*version));
  if (version) log::Info(NameOf(version->number) + " is in force");
  options_.enforce(std::move(policy));
  sum_ = sum_row;
  group_ = sum.group;
  closed_ = false;
  return {};
}

Result<void> PolicyBook::CatchUp() {
  const MutexLock lock(mutex_);
  const std::string key = engine::TableSumKey(kPolicyTable);
  for (int reading = 1;; ++reading) {
    Result<Bytes> row = store_.GetMeta(key);
    if (!row && row.error().code != Code::kNotFound) return row.error();
    std::optional<Bytes> seen;
    if (row) seen = std::move(*row);
    if (seen == sum_ && !closed_) return {};
    const Result<void> loaded = Load(seen);
    if (loaded) return {};
    // Only what was read can be damaged; what could not be read may be good.
    const Code code = loaded.error().code;
    if (code != Code::kDamaged && code != Code::kInvalidArgument) return loaded;
    // It may have been changed while it was read.
    const Result<Bytes> now = store_.GetMeta(key);
    const bool changed = now ? seen != *now : seen.has_value();
    if (changed && reading < kMostReadings) continue;
    if (!std::exchange(closed_, true)) log::Failure(loaded.error().message);
    options_.enforce(std::make_shared<policy::Policy>(policy::Policy::Closed()));
    return Differs();
  }
}

void PolicyBook::Watch(std::chrono::milliseconds interval) {
  watcher_ = std::make_unique<Rounds>(interval, [this, failing = false]() mutable {
    const Result<void> asked = CatchUp();
    if (!asked && !std::exchange(failing, true)) {
      log::Failure("the policy cannot be read: " + asked.error().message);
    }
    if (asked && std::exchange(failing, false)) log::Info("the policy is read again");
  });
}

Result<policy::Policy> PolicyBook::Check(const std::string& text) const {
  policy::Policy policy = TRY(policy::ParsePolicy(text, "policy"));
  TRY(policy::CheckPolicy(policy, options_.administrators, "policy"));
  return policy;
}

Result<std::uint64_t> PolicyBook::Apply(PolicyVersion version, std::uint64_t base,
                                        const Permit& permit) {
  TRY(Check(version.text));
  if (version.comment.size() > kMostComment) {
    return Error(Code::kInvalidArgument, "a comment has 1000 bytes at most");
  }
  version.when = clock_.Now();
  const auto change = [&](store::Transaction& transaction) -> Result<void> {
    auto table = TRY(engine::GuardedTable::Open(vault_, transaction, kPolicyTable));
    const auto row = TRY(table.Get(std::string(kPolicyInForce)));
    const std::uint64_t in_force = row ? TRY(DecodePolicyNumber(*row)) : 0;
    if (in_force != base) {
      return Error(Code::kAlreadyExists, NameOf(in_force) + " is in force, not the version " +
                                             std::to_string(base) + " that this was made from");
    }
    if (permit) {
      std::shared_ptr<const policy::Policy> before;
      if (in_force != 0) {
        const std::string name = PolicyVersionName(in_force);
        const auto kept = TRY(table.Get(name));
        if (!kept) return Differs();
        const PolicyVersion replaced = TRY(DecodePolicyVersion(name, *kept));
        before = TRY(Parse(replaced));
      }
      TRY(permit(transaction, std::move(before)));
    }
    version.number = in_force + 1;
    TRY(table.Put(PolicyVersionName(version.number), EncodePolicyVersion(version)));
    TRY(table.Put(std::string(kPolicyInForce), EncodePolicyNumber(version.number)));
    const auto names = TRY(table.List(std::string(kPolicyVersionPrefix)));
    for (std::size_t i = 0; i + kMostVersions < names.size(); ++i) TRY(table.Remove(names[i]));
    return table.Finish();
  };
  TRY(store::Change(store_, change));
  TRY(CatchUp());
  return version.number;
}

Result<std::optional<PolicyVersion>> PolicyBook::InForce() const {
  const auto row = TRY(rows_.Get(std::string(kPolicyInForce)));
  if (!row) return std::optional<PolicyVersion>();
  const std::uint64_t number = TRY(DecodePolicyNumber(*row));
  return std::optional<PolicyVersion>(TRY(Version(number)));
}

Result<PolicyVersion> PolicyBook::Version(std::uint64_t number) const {
  const std::string name = PolicyVersionName(number);
  const auto row = TRY(rows_.Get(name));
  if (!row) return Error(Code::kNotFound, "there is no " + NameOf(number));
  return DecodePolicyVersion(name, *row);
}

Result<std::vector<PolicyVersion>> PolicyBook::History() const {
  std::vector<PolicyVersion> history;
  const auto visit = [&](const std::string& name, Result<ByteView> content) -> Result<void> {
    const ByteView row = TRY(std::move(content));
    history.push_back(TRY(DecodePolicyVersion(name, row)));
    history.back().text.clear();
    return {};
  };
  TRY(rows_.ForEach(kPolicyVersionPrefix, visit));
  std::ranges::reverse(history);
  return history;
}

}  // namespace dare::registry

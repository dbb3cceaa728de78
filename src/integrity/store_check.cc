#include "integrity/store_check.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/audit_tail.h"
#include "engine/change_ring.h"
#include "engine/kept_rules.h"
#include "engine/store_facts.h"
#include "integrity/entry_check.h"

namespace dare::integrity {
namespace {

constexpr std::size_t kPageRows = 512;

// A reader that has one record, for the vault to load.
class OneRecord : public store::ObjectReader {
 public:
  explicit OneRecord(store::ObjectRecord record) : record_(std::move(record)) {}
  Result<store::ObjectRecord> Get(const store::ObjectId&) const override { return record_; }
  Result<store::Page<store::ObjectId>> Find(const store::Query&) const override { return None(); }
  Result<store::Page<store::ObjectRecord>> FindRecords(const store::Query&) const override {
    return None();
  }
  Result<std::uint64_t> Count(const store::Query&) const override { return None(); }
  Result<Bytes> GetMeta(const std::string&) const override { return None(); }
  Result<std::vector<std::string>> ListMeta(const std::string&) const override { return None(); }

 private:
  static Error None() { return Error(Code::kUnsupported, "only one record"); }
  const store::ObjectRecord record_;
};

// What one thread has seen; added up at the end.
struct Share {
  std::uint64_t rows = 0, opened = 0, entries = 0;
  engine::SumNumber sum, entry_sum;

  void Add(const Share& other) {
    rows += other.rows;
    opened += other.opened;
    entries += other.entries;
    sum += other.sum;
    entry_sum += other.entry_sum;
  }
};

// Several threads take page after page of one snapshot and look at its rows.
class RowCheck {
 public:
  RowCheck(const store::WholeReader& snapshot, const engine::Vault& vault,
           const StoreCheckOptions& options, Findings& findings, std::uint64_t extent)
      : snapshot_(snapshot),
        vault_(vault),
        options_(options),
        findings_(findings),
        extent_(extent) {}

  Result<Share> Run() {
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    const unsigned count = options_.threads == 0 ? cores : options_.threads;
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 0; i < count; ++i) threads.emplace_back([this] { Work(); });
    }
    const MutexLock lock(mutex_);
    if (failure_) return *failure_;
    return total_;
  }

 private:
  void Work() EXCLUDES(mutex_) {
    Share share;
    for (;;) {
      auto page = NextPage();
      if (!page || page->empty()) break;
      const auto looked = [&]() -> Result<void> {
        for (store::PlacedRecord& placed : *page) TRY(Look(std::move(placed), share));
        return {};
      }();
      if (!looked) {
        Fail(looked.error());
        break;
      }
    }
    const MutexLock lock(mutex_);
    total_.Add(share);
  }

  // Empty at the end; nothing after a failure.
  std::optional<std::vector<store::PlacedRecord>> NextPage() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (failure_) return std::nullopt;
    if (done_) return std::vector<store::PlacedRecord>();
    if (options_.cancelled != nullptr && *options_.cancelled) {
      failure_ = Error(Code::kIo, "interrupted", EINTR);
      return std::nullopt;
    }
    auto page = snapshot_.Scan(after_, kPageRows);
    if (!page) {
      failure_ = page.error();
      return std::nullopt;
    }
    after_ = page->next;
    done_ = page->next == 0;
    if (options_.progress) options_.progress(done_ ? extent_ : after_, extent_);
    return std::move(page->items);
  }

  void Fail(const Error& error) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!failure_) failure_ = error;
  }

  Result<void> Look(store::PlacedRecord placed, Share& share) {
    ++share.rows;
    const std::string id = placed.record.id;
    share.sum += TRY(engine::NumberOfRow(vault_, id, placed.record.row_version));
    if (placed.damage) {
      findings_.Add(Kind::kUnreadable, id,
                    "row " + std::to_string(placed.place) + ": " + placed.damage->message);
      return {};
    }
    // An entry that a record names twice stands once in the index.
    std::vector<store::IndexEntry>& index = placed.record.index;
    const auto order = [](const store::IndexEntry& e) {
      return std::tie(e.tag, e.key, e.scope, e.unique);
    };
    std::ranges::sort(index, {}, order);
    for (std::size_t i = 0; i < index.size(); ++i) {
      if (i > 0 && index[i] == index[i - 1]) continue;
      ++share.entries;
      share.entry_sum += TRY(NumberOfEntry(vault_, PlaceEntry(index[i], placed.place)));
    }
    const std::uint64_t version = placed.record.row_version;
    const std::string row =
        "row " + std::to_string(placed.place) + " (version " + std::to_string(version) + ") ";
    Result<engine::StoredObject> stored =
        vault_.Load(OneRecord(std::move(placed.record)), id, engine::Vault::Material::kLeaveSealed);
    if (!stored) {
      if (stored.error().code != Code::kDamaged) return stored.error();
      findings_.Add(Kind::kAltered, id, row + "does not authenticate");
      return {};
    }
    if (!options_.deep || stored->sealed_material.empty()) return {};
    if (auto opened = vault_.OpenMaterial(*stored); !opened) {
      const Code code = opened.error().code;
      if (code != Code::kDamaged && code != Code::kNotFound) return opened.error();
      findings_.Add(
          Kind::kAltered, id,
          row + "authenticates, but its material does not open: " + opened.error().message);
      return {};
    }
    ++share.opened;
    return {};
  }

  const store::WholeReader& snapshot_;
  const engine::Vault& vault_;
  const StoreCheckOptions& options_;
  Findings& findings_;
  const std::uint64_t extent_;
  Mutex mutex_;
  std::uint64_t after_ GUARDED_BY(mutex_) = 0;
  bool done_ GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  Share total_ GUARDED_BY(mutex_);
};

// True for a fact that belongs to a table; `key` and `value` are looked at and counted.
Result<bool> CheckTableFact(const engine::Vault& vault, const store::MetaRow& row,
                            Findings& findings, StoreTotals& totals) {
  const std::string& key = row.key;
  if (key.starts_with(engine::kTableSumPrefix)) {
    const Result<engine::RunningSum> sum = engine::DecodeSum(vault, key, row.value);
    if (sum) {
      totals.tables[key.substr(engine::kTableSumPrefix.size())].expected = *sum;
    } else if (sum.error().code == Code::kDamaged) {
      findings.Add(Kind::kFactAltered, key, sum.error().message);
    } else {
      return sum.error();
    }
    return true;
  }
  if (!key.starts_with(engine::kTableRowPrefix)) return false;
  const std::size_t begin = engine::kTableRowPrefix.size();
  TRY(totals.tables[key.substr(begin, key.find('/', begin) - begin)].counted.Add(vault, row));
  if (!TRY(engine::OpenGuarded(vault, key, row.value))) {
    findings.Add(Kind::kFactAltered, key, "the fact " + key + " does not authenticate");
  }
  return true;
}

void CompareTables(const StoreTotals& totals, Findings& findings) {
  for (const auto& [name, table] : totals.tables) {
    if (table.counted.Agrees(table.expected)) continue;
    findings.Add(Kind::kSum, engine::TableSumKey(name),
                 "the table '" + name + "' is not what the servers left: " +
                     std::to_string(table.counted.sum().records) + " rows where there were " +
                     std::to_string(table.expected.records) +
                     ", or some were put back from an earlier time");
  }
}

Result<void> CheckFacts(const store::WholeReader& snapshot, const engine::Vault& vault,
                        Findings& findings, StoreTotals& totals) {
  for (const std::string& key : TRY(snapshot.ListMeta(""))) {
    ++totals.facts;
    const Bytes value = TRY(snapshot.GetMeta(key));
    if (key.starts_with(engine::kSumPrefix)) {
      const Result<engine::RunningSum> sum = engine::DecodeSum(vault, key, value);
      if (!sum) {
        if (sum.error().code != Code::kDamaged) return sum.error();
        findings.Add(Kind::kFactAltered, key, sum.error().message);
        continue;
      }
      if (key == engine::kSumBaseKey) totals.has_base = true;
      if (key != engine::kSumBaseKey) totals.groups[key] = sum->group;
      totals.expected_sum += sum->sum;
      totals.expected_rows += sum->records;
    } else if (engine::IsSummedFact(key)) {
      totals.sum += TRY(engine::NumberOfFact(vault, key, value));
      if (!TRY(engine::RulesAreOurs(vault, key, value))) {
        findings.Add(Kind::kFactAltered, key, "the fact " + key + " does not authenticate");
      }
    } else if (engine::AuditTail::IsRow(key)) {
      if (!engine::AuditTail::CheckRow(vault, value)) {
        findings.Add(Kind::kFactAltered, key, "the fact " + key + " does not authenticate");
      }
    } else if (engine::ChangeRing::IsRow(key)) {
      if (!engine::ChangeRing::CheckRow(vault, key, value)) {
        findings.Add(Kind::kFactAltered, key, "the fact " + key + " does not authenticate");
      }
    } else if (TRY(CheckTableFact(vault, {key, value}, findings, totals))) {
      continue;
    } else if (key != engine::kRecordKeyFact) {  // that one has opened
      ++totals.unchecked_facts;
    }
  }
  CompareTables(totals, findings);
  return {};
}

void CompareSums(const StoreTotals& totals, Findings& findings) {
  if (!totals.has_base) {
    findings.Add(Kind::kSum, "",
                 "the store's sum has no beginning: it comes from a version that kept none, or "
                 "somebody removed it. When you trust what is there: dare-kms verify --adopt");
    return;
  }
  const auto rows = static_cast<std::int64_t>(totals.rows);
  if (totals.sum == totals.expected_sum && rows == totals.expected_rows) return;
  const std::int64_t difference = rows - totals.expected_rows;
  std::string what = "the rows are not those that the servers left: ";
  if (difference < 0) {
    what += std::to_string(-difference) + " fewer than there were";
  } else if (difference > 0) {
    what += std::to_string(difference) + " more than there were";
  } else {
    what += "as many, but some of another version, exchanged for others, or with other facts";
  }
  findings.Add(Kind::kSum, "",
               what + "; the audit log can name those that are missing or older (--audit)");
}

}  // namespace

Result<StoreTotals> CheckStore(const store::WholeReader& snapshot, const engine::Vault& vault,
                               const StoreCheckOptions& options, Findings& findings) {
  const std::uint64_t extent = TRY(snapshot.Extent());
  const Share share = TRY(RowCheck(snapshot, vault, options, findings, extent).Run());
  StoreTotals totals;
  totals.rows = share.rows;
  totals.opened = share.opened;
  totals.sum = share.sum;
  const std::uint64_t all = TRY(snapshot.Count({}));
  if (all != share.rows) {
    findings.Add(Kind::kUnreadable, "",
                 std::to_string(all) + " rows are counted where " + std::to_string(share.rows) +
                     " are found in their order: some stand at a place that no server gives");
  }
  totals.entries = TRY(
      CheckEntries(snapshot, vault, share.entries, share.entry_sum, options.cancelled, findings));
  TRY(CheckFacts(snapshot, vault, findings, totals));
  CompareSums(totals, findings);
  return totals;
}

}  // namespace dare::integrity

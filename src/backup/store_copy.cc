#include "backup/store_copy.h"

#include <cerrno>

namespace dare::backup {
namespace {

constexpr std::size_t kPageRows = 512;

}  // namespace

Error Interrupted() { return Error(Code::kIo, "interrupted", EINTR); }

bool BelongsInBackup(std::string_view fact) {
  return !fact.starts_with("audit-tail-") && !fact.starts_with("changes/") &&
         !BelongsToRegistry(fact);
}

bool BelongsToRegistry(std::string_view fact) {
  // Who may use the keys, and whom an administrator locked out, goes where the keys go.
  for (const std::string table : {"policy", "lockouts"}) {
    if (fact.starts_with("table/" + table + "/") || fact == "table-sum/" + table) return false;
  }
  return fact.starts_with("table/") || fact.starts_with("table-sum/");
}

Result<void> RequireEmpty(const store::WholeReader& store) {
  if (TRY(store.Extent()) == 0 && TRY(store.ListMeta("")).empty()) return {};
  return Error(Code::kAlreadyExists,
               "the store is not empty: nothing is ever written over; name a new one");
}

Result<Counts> CopyWhole(const store::WholeReader& from, store::Transaction& to,
                         const CopyOptions& options) {
  Counts counts;
  for (const std::string& key : TRY(from.ListMeta(""))) {
    if (BelongsToRegistry(key)) continue;
    const Bytes value = TRY(from.GetMeta(key));
    TRY(to.PutMeta(key, value));
    ++counts.facts;
  }
  const std::uint64_t extent = TRY(from.Extent());
  std::uint64_t after = 0;
  do {
    if (options.cancelled != nullptr && *options.cancelled) return Interrupted();
    const auto page = TRY(from.Scan(after, kPageRows));
    for (const store::PlacedRecord& placed : page.items) {
      if (placed.damage) return placed.damage->In("object " + placed.record.id);
      TRY(to.Restore(placed.record));
      ++counts.records;
    }
    after = page.next;
    if (options.progress) options.progress(after == 0 ? extent : after, extent);
  } while (after != 0);
  return counts;
}

}  // namespace dare::backup

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/running_sum.h"
#include "store/object_store.h"

// Tables of small rows among the store's facts that nobody without the record key can forge
// (docs/formats/record.md "Tables of guarded facts"). Each row is under a keyed check, which is
// looked at whenever it is read; each table has a sum over its rows, from which one that is missing
// or put back shows.
namespace dare::engine {

class Vault;

// A row's value: its check, then `content`.
Result<Bytes> Guard(const Vault& vault, const std::string& key, ByteView content);
// The content, which lives as long as `kept`; nothing where this vault did not make it.
Result<std::optional<ByteView>> OpenGuarded(const Vault& vault, const std::string& key,
                                            ByteView kept);

// The fact that keeps a table's sum, and what the keys of its rows begin with.
inline constexpr std::string_view kTableSumPrefix = "table-sum/";
inline constexpr std::string_view kTableRowPrefix = "table/";
std::string TableSumKey(std::string_view table);
std::string TableRowPrefix(std::string_view table);

// GuardedTable changes one table inside a transaction, which outlives it. Its sum is one row, which
// everybody who changes the table writes: so of two that changed it at once, on whatever nodes, one
// gets kConflict and begins again (store::Change does), and all changes of a table have an order,
// which its group numbers.
class GuardedTable {
 public:
  // Reads the sum. kDamaged where it does not authenticate.
  static Result<GuardedTable> Open(const Vault& vault, store::Transaction& transaction,
                                   std::string_view table);

  // Of the last change that was committed; 0 before the first.
  std::uint64_t group() const { return sum_.group; }
  // The row `name` of the table; nothing when there is none. kDamaged: it does not authenticate.
  Result<std::optional<Bytes>> Get(const std::string& name) const;
  // The names that start with `prefix`, ascending.
  Result<std::vector<std::string>> List(const std::string& prefix) const;
  Result<void> Put(const std::string& name, ByteView content);
  // Nothing happens when there is none.
  Result<void> Remove(const std::string& name);
  // Writes the sum, after the last change and before the commit.
  Result<void> Finish();

 private:
  GuardedTable(const Vault& vault, store::Transaction& transaction, std::string_view table)
      : vault_(vault),
        transaction_(transaction),
        sum_key_(TableSumKey(table)),
        row_prefix_(TableRowPrefix(table)) {}
  Result<void> Subtract(const std::string& key);

  const Vault& vault_;
  store::Transaction& transaction_;
  const std::string sum_key_, row_prefix_;
  RunningSum sum_;
};

// GuardedRows reads one table outside of a transaction. The store and the vault outlive it. As
// thread-safe as the store.
class GuardedRows {
 public:
  GuardedRows(const Vault& vault, const store::WholeReader& store, std::string_view table)
      : vault_(vault), store_(store), row_prefix_(TableRowPrefix(table)) {}

  // The row `name` of the table; nothing when there is none. kDamaged: it does not authenticate.
  Result<std::optional<Bytes>> Get(const std::string& name) const;
  // A row's content is a damaged error where it does not authenticate; that is for whoever looks to
  // judge.
  using Visit = std::function<Result<void>(const std::string& name, Result<ByteView> content)>;
  // Each row whose name starts with `prefix`, ascending, read in pages. An error of `visit` ends
  // it.
  Result<void> ForEach(std::string_view prefix, const Visit& visit) const;

 private:
  const Vault& vault_;
  const store::WholeReader& store_;
  const std::string row_prefix_;
};

// What a whole table counts, as it is. Rows that do not authenticate count, too.
class TableCount {
 public:
  Result<void> Add(const Vault& vault, const store::MetaRow& row);
  bool Agrees(const RunningSum& sum) const {
    return sum.sum == sum_.sum && sum.records == sum_.records;
  }
  const RunningSum& sum() const { return sum_; }

 private:
  RunningSum sum_;
};

}  // namespace dare::engine

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "store/object_store.h"

// SQL that every SQL back end can run: standard text, $1 … for parameters.
namespace dare::store {

using SqlValue = std::variant<std::int64_t, std::string_view, ByteView>;  // integer, text, bytes

struct SqlQuery {
  std::string text;
  std::vector<SqlValue> values;  // borrowed from the Query; number n is $n+1
};

enum class SqlColumns {
  kIds,      // seq, id, index_entries
  kRecords,  // seq, then kRecordColumns
  kCount,    // count(*)
};

inline constexpr std::string_view kRecordColumns =
    "o.id, o.row_version, o.object_type, o.state, o.owner, o.created, o.index_entries, "
    "o.attributes, o.material";

// The rows that `query` matches, newest first. Of several entries only the first is in the text:
// the caller looks at the others with HasEntries and counts, row by row; one more never costs more
// than the first gives. `most`: no more rows than that, for engines that would send them all.
SqlQuery BuildFind(const Query& query, SqlColumns columns,
                   std::optional<std::size_t> most = std::nullopt);

// Walking through the whole. $1: after, $2: limit; seq, then kRecordColumns.
std::string_view ScanSql();
// $1 … $4: tag, key, scope, slot; $5: limit; tag, key, scope, slot, seq. The other one has only $1,
// the limit, and starts at the first.
inline constexpr std::string_view kScanEntriesFrom =
    "SELECT tag, key, scope, slot, seq FROM index_entries "
    "WHERE (tag, key, scope, slot) >= ($1, $2, $3, $4) ORDER BY tag, key, scope, slot LIMIT $5";
inline constexpr std::string_view kScanEntries =
    "SELECT tag, key, scope, slot, seq FROM index_entries "
    "ORDER BY tag, key, scope, slot LIMIT $1";
inline constexpr std::string_view kExtent = "SELECT coalesce(max(seq), 0) FROM objects";

// The least string that is greater than all that start with `prefix`; empty when there is none.
std::string EndOfPrefix(std::string prefix);

}  // namespace dare::store

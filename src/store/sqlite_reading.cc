#include "store/sqlite_reading.h"

#include <limits>

#include "store/index_codec.h"
#include "store/record_rules.h"
#include "store/sql_query.h"

namespace dare::store::sqlite {
namespace {

// A column of 32 bits in a file that can hold 64: what does not fit was not written by us, and must
// not pass for the number it would be cut down to.
Result<std::uint32_t> ReadCode(const Statement& row, int column) {
  const std::int64_t value = row.Integer(column);
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
    return Error(Code::kDamaged, "a number in the database is out of range");
  }
  return static_cast<std::uint32_t>(value);
}

// The columns kRecordColumns, from `first` on.
Result<ObjectRecord> ReadRecord(const Statement& row, int first) {
  ObjectRecord record;
  record.id = row.Text(first);
  record.row_version = static_cast<std::uint64_t>(row.Integer(first + 1));
  record.object_type = TRY(ReadCode(row, first + 2));
  record.state = TRY(ReadCode(row, first + 3));
  record.owner = row.Text(first + 4);
  record.created = row.Integer(first + 5);
  record.index = TRY(DecodeIndex(row.BorrowBytes(first + 6)));
  record.attributes = ToBytes(row.BorrowBytes(first + 7));
  record.material = ToBytes(row.BorrowBytes(first + 8));
  return record;
}

struct BindValue {
  Statement& statement;
  void operator()(std::int64_t value) const { statement.Bind(value); }
  void operator()(std::string_view text) const { statement.BindText(text); }
  void operator()(ByteView bytes) const { statement.BindBytes(bytes); }
};

Result<Statement> Start(Connection& connection, const SqlQuery& sql) {
  Statement statement = TRY(connection.Prepare(sql.text));
  for (const SqlValue& value : sql.values) std::visit(BindValue{statement}, value);
  return statement;
}

// `read(row)` gives an item of the page; `index_of(row)` the entries where more than one is asked
// for.
template <typename T, typename Read>
Result<Page<T>> ReadPage(Connection& connection, const Query& query, SqlColumns columns,
                         int index_column, Read read) {
  Page<T> page;
  if (query.limit == 0) return page;
  const SqlQuery sql = BuildFind(query, columns);
  Statement row = TRY(Start(connection, sql));
  std::int64_t last = 0;
  while (TRY(row.Step())) {
    if (query.entries.size() > 1 &&
        !HasEntries(TRY(DecodeIndex(row.BorrowBytes(index_column))), query.entries)) {
      continue;
    }
    if (page.items.size() == query.limit) {
      page.next = static_cast<std::uint64_t>(last);
      break;
    }
    last = row.Integer(0);
    page.items.push_back(TRY(read(row)));
  }
  return page;
}

}  // namespace

Result<ObjectRecord> Get(Connection& connection, const ObjectId& id) {
  static const std::string kSql =
      "SELECT " + std::string(kRecordColumns) + " FROM objects o WHERE o.id = $1";
  Statement row = TRY(connection.Prepare(kSql));
  if (!TRY(row.BindText(id).Step())) return NoSuchObject(id);
  return ReadRecord(row, 0);
}

Result<Page<ObjectId>> Find(Connection& connection, const Query& query) {
  return ReadPage<ObjectId>(connection, query, SqlColumns::kIds, 2,
                            [](const Statement& row) -> Result<ObjectId> { return row.Text(1); });
}

Result<Page<ObjectRecord>> FindRecords(Connection& connection, const Query& query) {
  return ReadPage<ObjectRecord>(connection, query, SqlColumns::kRecords, 7,
                                [](const Statement& row) { return ReadRecord(row, 1); });
}

Result<std::uint64_t> Count(Connection& connection, const Query& query) {
  if (query.entries.size() <= 1) {
    const SqlQuery sql = BuildFind(query, SqlColumns::kCount);
    Statement row = TRY(Start(connection, sql));
    TRY(row.Step());
    return static_cast<std::uint64_t>(row.Integer(0));
  }
  Query all = query;
  all.after = 0;
  const SqlQuery sql = BuildFind(all, SqlColumns::kIds);
  Statement row = TRY(Start(connection, sql));
  std::uint64_t count = 0;
  while (TRY(row.Step())) {
    if (HasEntries(TRY(DecodeIndex(row.BorrowBytes(2))), query.entries)) ++count;
  }
  return count;
}

Result<Page<PlacedRecord>> Scan(Connection& connection, std::uint64_t after, std::size_t limit) {
  Page<PlacedRecord> page;
  Statement row = TRY(connection.Prepare(ScanSql()));
  row.Bind(after).Bind(std::uint64_t{limit} + 1);
  while (TRY(row.Step())) {
    if (page.items.size() == limit) {
      page.next = page.items.empty() ? after : page.items.back().place;
      break;
    }
    PlacedRecord placed;
    placed.place = static_cast<std::uint64_t>(row.Integer(0));
    if (auto record = ReadRecord(row, 1)) {
      placed.record = std::move(*record);
    } else {
      placed.record.id = row.Text(1);
      placed.record.row_version = static_cast<std::uint64_t>(row.Integer(2));
      placed.damage = std::move(record.error());
    }
    page.items.push_back(std::move(placed));
  }
  return page;
}

Result<std::uint64_t> Extent(Connection& connection) {
  Statement row = TRY(connection.Prepare(kExtent));
  TRY(row.Step());
  return static_cast<std::uint64_t>(row.Integer(0));
}

Result<EntryPage> ScanEntries(Connection& connection, const std::optional<PlacedEntry>& from,
                              std::size_t limit) {
  Statement row = TRY(connection.Prepare(from ? kScanEntriesFrom : kScanEntries));
  if (from) {
    row.Bind(from->tag).BindBytes(AsBytes(from->key)).BindBytes(AsBytes(from->scope));
    row.Bind(from->slot);
  }
  row.Bind(std::uint64_t{limit} + 1);
  EntryPage page;
  while (TRY(row.Step())) {
    PlacedEntry entry{.tag = row.Integer(0),
                      .key = std::string(AsText(row.BorrowBytes(1))),
                      .scope = std::string(AsText(row.BorrowBytes(2))),
                      .slot = row.Integer(3),
                      .place = row.Integer(4)};
    if (page.items.size() == limit) {
      page.next = std::move(entry);
      break;
    }
    page.items.push_back(std::move(entry));
  }
  return page;
}

Result<Bytes> GetMeta(Connection& connection, const std::string& key) {
  Statement row = TRY(connection.Prepare("SELECT value FROM meta WHERE key = $1"));
  if (!TRY(row.BindText(key).Step())) {
    return Error(Code::kNotFound, "the store has no fact " + key);
  }
  return ToBytes(row.BorrowBytes(0));
}

Result<std::vector<std::string>> ListMeta(Connection& connection, const std::string& prefix) {
  const std::string end = EndOfPrefix(prefix);
  Statement row = TRY(connection.Prepare(
      end.empty() ? "SELECT key FROM meta WHERE key >= $1 ORDER BY key"
                  : "SELECT key FROM meta WHERE key >= $1 AND key < $2 ORDER BY key"));
  row.BindText(prefix);
  if (!end.empty()) row.BindText(end);
  std::vector<std::string> keys;
  while (TRY(row.Step())) keys.push_back(row.Text(0));
  return keys;
}

}  // namespace dare::store::sqlite

#include "store/postgres_reading.h"

#include <algorithm>
#include <limits>

#include "crypto/digest.h"
#include "store/index_codec.h"
#include "store/record_rules.h"
#include "store/sql_query.h"

namespace dare::store::postgres {
namespace {

constexpr std::size_t kLongKey = 1000;
// Rows fetched at once where the answer does not bound them.
constexpr std::size_t kChunk = 500;

// A column of 32 bits in a table that can hold 64: what does not fit was not written by us, and
// must not pass for the number it would be cut down to.
Result<std::uint32_t> ReadCode(const Answer& answer, int row, int column) {
  const std::int64_t value = answer.Integer(row, column);
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
    return Error(Code::kDamaged, "a number in the database is out of range");
  }
  return static_cast<std::uint32_t>(value);
}

// A query with its keys in the form that they have in the index.
Query ForIndex(Query query) {
  for (EntryMatch& match : query.entries) {
    match.key = std::string(AsText(IndexForm(match.key)));
    if (match.scope) match.scope = std::string(AsText(IndexForm(*match.scope)));
  }
  return query;
}

struct AddValue {
  Parameters& parameters;
  void operator()(std::int64_t value) const { parameters.Add(value); }
  void operator()(std::string_view text) const { parameters.Add(text); }
  void operator()(ByteView bytes) const { parameters.Add(bytes); }
};

Result<Answer> AskFor(Connection& connection, const SqlQuery& sql) {
  Parameters parameters;
  for (const SqlValue& value : sql.values) std::visit(AddValue{parameters}, value);
  return connection.Ask(sql.text, parameters);
}

// Calls `each(answer, row, seq)` for the rows that match, newest first, until it gives false. Rows
// come in chunks: of several entries only the first is in the SQL, and the others may leave little.
template <typename Each>
Result<void> Walk(Connection& connection, const Query& query, SqlColumns columns, int index_column,
                  std::size_t chunk, Each each) {
  Query next = ForIndex(query);
  for (;;) {
    const SqlQuery sql = BuildFind(next, columns, chunk);
    const Answer answer = TRY(AskFor(connection, sql));
    for (int row = 0; row < answer.rows(); ++row) {
      const std::int64_t seq = answer.Integer(row, 0);
      next.after = static_cast<std::uint64_t>(seq);
      if (query.entries.size() > 1 &&
          !HasEntries(TRY(DecodeIndex(answer.BorrowBytes(row, index_column))), query.entries)) {
        continue;
      }
      if (!TRY(each(answer, row))) return {};
    }
    if (static_cast<std::size_t>(answer.rows()) < chunk) return {};
  }
}

template <typename T, typename Read>
Result<Page<T>> ReadPage(Connection& connection, const Query& query, SqlColumns columns,
                         int index_column, Read read) {
  Page<T> page;
  if (query.limit == 0) return page;
  std::int64_t last = 0;
  const auto each = [&](const Answer& answer, int row) -> Result<bool> {
    if (page.items.size() == query.limit) {
      page.next = static_cast<std::uint64_t>(last);
      return false;
    }
    last = answer.Integer(row, 0);
    page.items.push_back(TRY(read(answer, row)));
    return true;
  };
  // One more than asked for tells whether a page follows.
  const std::size_t chunk =
      query.entries.size() > 1 ? kChunk : std::min<std::size_t>(query.limit, 1u << 30) + 1;
  TRY(Walk(connection, query, columns, index_column, chunk, each));
  return page;
}

// The entry as its record spells it, where the index has a digest in its place; left alone where no
// record has such an entry.
Result<void> GiveWholeKey(Connection& connection, PlacedEntry& entry) {
  if (entry.key.size() < kLongKey && entry.scope.size() < kLongKey) return {};
  const Answer answer = TRY(connection.Ask("SELECT index_entries FROM objects WHERE seq = $1",
                                           Parameters().Add(entry.place)));
  if (answer.rows() == 0) return {};
  const auto index = DecodeIndex(answer.BorrowBytes(0, 0));
  if (!index) return {};  // the record's own damage, which Scan tells
  for (const IndexEntry& whole : *index) {
    const bool same = whole.tag == entry.tag && AsText(IndexForm(whole.key)) == entry.key &&
                      AsText(IndexForm(whole.scope)) == entry.scope;
    if (!same) continue;
    entry.key = whole.key;
    entry.scope = whole.scope;
  }
  return {};
}

}  // namespace

Bytes IndexForm(std::string_view key) {
  if (key.size() < kLongKey) return ToBytes(AsBytes(key));
  const crypto::Sha256Digest digest = crypto::Sha256(AsBytes(key));
  Bytes form = ToBytes(AsBytes(key.substr(0, kLongKey - digest.size())));
  Append(form, digest);
  return form;
}

Result<ObjectRecord> ReadRecord(const Answer& answer, int row, int first) {
  ObjectRecord record;
  record.id = answer.Text(row, first);
  record.row_version = static_cast<std::uint64_t>(answer.Integer(row, first + 1));
  record.object_type = TRY(ReadCode(answer, row, first + 2));
  record.state = TRY(ReadCode(answer, row, first + 3));
  record.owner = answer.Text(row, first + 4);
  record.created = answer.Integer(row, first + 5);
  record.index = TRY(DecodeIndex(answer.BorrowBytes(row, first + 6)));
  record.attributes = ToBytes(answer.BorrowBytes(row, first + 7));
  record.material = ToBytes(answer.BorrowBytes(row, first + 8));
  return record;
}

Result<ObjectRecord> Get(Connection& connection, const ObjectId& id) {
  static const std::string kSql =
      "SELECT " + std::string(kRecordColumns) + " FROM objects o WHERE o.id = $1";
  const Answer answer = TRY(connection.Ask(kSql, Parameters().Add(std::string_view(id))));
  if (answer.rows() == 0) return NoSuchObject(id);
  return ReadRecord(answer, 0, 0);
}

Result<std::uint64_t> GetVersion(Connection& connection, const ObjectId& id) {
  const Answer answer = TRY(connection.Ask("SELECT row_version FROM objects WHERE id = $1",
                                           Parameters().Add(std::string_view(id))));
  if (answer.rows() == 0) return NoSuchObject(id);
  return static_cast<std::uint64_t>(answer.Integer(0, 0));
}

Result<Page<ObjectId>> Find(Connection& connection, const Query& query) {
  return ReadPage<ObjectId>(
      connection, query, SqlColumns::kIds, 2,
      [](const Answer& answer, int row) -> Result<ObjectId> { return answer.Text(row, 1); });
}

Result<Page<ObjectRecord>> FindRecords(Connection& connection, const Query& query) {
  return ReadPage<ObjectRecord>(
      connection, query, SqlColumns::kRecords, 7,
      [](const Answer& answer, int row) { return ReadRecord(answer, row, 1); });
}

Result<std::uint64_t> Count(Connection& connection, const Query& query) {
  Query all = query;
  all.after = 0;
  if (query.entries.size() <= 1) {
    all = ForIndex(std::move(all));
    const SqlQuery sql = BuildFind(all, SqlColumns::kCount);
    return static_cast<std::uint64_t>(TRY(AskFor(connection, sql)).Integer(0, 0));
  }
  std::uint64_t count = 0;
  const auto each = [&](const Answer&, int) -> Result<bool> {
    ++count;
    return true;
  };
  TRY(Walk(connection, all, SqlColumns::kIds, 2, kChunk, each));
  return count;
}

Result<Page<PlacedRecord>> Scan(Connection& connection, std::uint64_t after, std::size_t limit) {
  const Answer answer =
      TRY(connection.Ask(ScanSql(), Parameters().Add(after).Add(std::uint64_t{limit} + 1)));
  Page<PlacedRecord> page;
  for (int row = 0; row < answer.rows(); ++row) {
    if (page.items.size() == limit) {
      page.next = page.items.empty() ? after : page.items.back().place;
      break;
    }
    PlacedRecord placed;
    placed.place = static_cast<std::uint64_t>(answer.Integer(row, 0));
    if (auto record = ReadRecord(answer, row, 1)) {
      placed.record = std::move(*record);
    } else {
      placed.record.id = answer.Text(row, 1);
      placed.record.row_version = static_cast<std::uint64_t>(answer.Integer(row, 2));
      placed.damage = std::move(record.error());
    }
    page.items.push_back(std::move(placed));
  }
  return page;
}

Result<std::uint64_t> Extent(Connection& connection) {
  return static_cast<std::uint64_t>(TRY(connection.Ask(kExtent)).Integer(0, 0));
}

Result<EntryPage> ScanEntries(Connection& connection, const std::optional<PlacedEntry>& from,
                              std::size_t limit) {
  Parameters parameters;
  if (from) {
    parameters.Add(from->tag).Add(IndexForm(from->key)).Add(IndexForm(from->scope));
    parameters.Add(from->slot);
  }
  parameters.Add(std::uint64_t{limit} + 1);
  const Answer answer = TRY(connection.Ask(from ? kScanEntriesFrom : kScanEntries, parameters));
  EntryPage page;
  for (int row = 0; row < answer.rows(); ++row) {
    PlacedEntry entry{.tag = answer.Integer(row, 0),
                      .key = answer.Text(row, 1),
                      .scope = answer.Text(row, 2),
                      .slot = answer.Integer(row, 3),
                      .place = answer.Integer(row, 4)};
    TRY(GiveWholeKey(connection, entry));
    if (page.items.size() == limit) {
      page.next = std::move(entry);
      break;
    }
    page.items.push_back(std::move(entry));
  }
  return page;
}

Result<Bytes> GetMeta(Connection& connection, const std::string& key) {
  const Answer answer = TRY(connection.Ask("SELECT value FROM meta WHERE key = $1",
                                           Parameters().Add(std::string_view(key))));
  if (answer.rows() == 0) return Error(Code::kNotFound, "the store has no fact " + key);
  return ToBytes(answer.BorrowBytes(0, 0));
}

Result<std::map<std::string, Bytes>> GetMetas(Connection& connection,
                                              const std::set<std::string>& keys) {
  std::vector<Bytes> wanted;
  for (const std::string& key : keys) wanted.push_back(ToBytes(AsBytes(key)));
  const Answer answer =
      TRY(connection.Ask("SELECT m.key, m.value FROM meta m WHERE m.key = ANY ($1::BYTEA[])",
                         Parameters().Add(wanted)));
  std::map<std::string, Bytes> facts;
  for (int row = 0; row < answer.rows(); ++row) {
    facts[answer.Text(row, 0)] = ToBytes(answer.BorrowBytes(row, 1));
  }
  return facts;
}

Result<std::vector<std::string>> ListMeta(Connection& connection, const std::string& prefix) {
  const std::string end = EndOfPrefix(prefix);
  Parameters parameters;
  parameters.Add(std::string_view(prefix));
  if (!end.empty()) parameters.Add(std::string_view(end));
  const Answer answer = TRY(
      connection.Ask(end.empty() ? "SELECT key FROM meta WHERE key >= $1 ORDER BY key"
                                 : "SELECT key FROM meta WHERE key >= $1 AND key < $2 ORDER BY key",
                     parameters));
  std::vector<std::string> keys;
  for (int row = 0; row < answer.rows(); ++row) keys.push_back(answer.Text(row, 0));
  return keys;
}

Result<std::vector<MetaRow>> ScanMeta(Connection& connection, const std::string& prefix,
                                      const std::string& after, std::size_t limit) {
  // The least key behind `after` is that with a zero byte more.
  const std::string from = after.empty() ? prefix : after + '\0';
  const std::string end = EndOfPrefix(prefix);
  Parameters parameters;
  parameters.Add(std::string_view(from)).Add(std::uint64_t{limit});
  if (!end.empty()) parameters.Add(std::string_view(end));
  const Answer answer = TRY(connection.Ask(
      end.empty()
          ? "SELECT key, value FROM meta WHERE key >= $1 ORDER BY key LIMIT $2"
          : "SELECT key, value FROM meta WHERE key >= $1 AND key < $3 ORDER BY key LIMIT $2",
      parameters));
  std::vector<MetaRow> rows;
  rows.reserve(static_cast<std::size_t>(answer.rows()));
  for (int row = 0; row < answer.rows(); ++row) {
    rows.push_back({answer.Text(row, 0), ToBytes(answer.BorrowBytes(row, 1))});
  }
  return rows;
}

Result<void> BeginSnapshot(Connection& connection) {
  TRY(connection.Ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  return {};
}

void EndSnapshot(Connection& connection) { (void)connection.Ask("COMMIT"); }

}  // namespace dare::store::postgres

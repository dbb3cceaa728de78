#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/object_store.h"
#include "store/postgres_connection.h"

// The reading half of ObjectReader on one connection: a pooled reader, or the writer inside its
// transaction. What is queued on the connection is done first.
namespace dare::store::postgres {

// What keys and scopes of index entries are in an index whose rows PostgreSQL limits to a third of
// a page: themselves, or from 1,000 bytes on their beginning and their SHA-256.
Bytes IndexForm(std::string_view key);

// The columns kRecordColumns of a row, from `first` on.
Result<ObjectRecord> ReadRecord(const Answer& answer, int row, int first);

Result<ObjectRecord> Get(Connection& connection, const ObjectId& id);
Result<std::uint64_t> GetVersion(Connection& connection, const ObjectId& id);
Result<Page<ObjectId>> Find(Connection& connection, const Query& query);
Result<Page<ObjectRecord>> FindRecords(Connection& connection, const Query& query);
Result<std::uint64_t> Count(Connection& connection, const Query& query);
Result<Page<PlacedRecord>> Scan(Connection& connection, std::uint64_t after, std::size_t limit);
Result<std::uint64_t> Extent(Connection& connection);
// Keys and scopes as the records have them, where a record has them.
Result<EntryPage> ScanEntries(Connection& connection, const std::optional<PlacedEntry>& from,
                              std::size_t limit);
Result<Bytes> GetMeta(Connection& connection, const std::string& key);
// Those of `keys` that there are.
Result<std::map<std::string, Bytes>> GetMetas(Connection& connection,
                                              const std::set<std::string>& keys);
Result<std::vector<std::string>> ListMeta(Connection& connection, const std::string& prefix);
Result<std::vector<MetaRow>> ScanMeta(Connection& connection, const std::string& prefix,
                                      const std::string& after, std::size_t limit);

// Several statements that see one state of the database, whatever is committed in between. Not
// inside a transaction.
Result<void> BeginSnapshot(Connection& connection);
void EndSnapshot(Connection& connection);

}  // namespace dare::store::postgres

#pragma once

#include "store/object_store.h"
#include "store/sqlite_connection.h"

// The reading half of ObjectReader on one connection: a pooled reader, or the writer inside its
// transaction.
namespace dare::store::sqlite {

Result<ObjectRecord> Get(Connection& connection, const ObjectId& id);
Result<Page<ObjectId>> Find(Connection& connection, const Query& query);
Result<Page<ObjectRecord>> FindRecords(Connection& connection, const Query& query);
Result<std::uint64_t> Count(Connection& connection, const Query& query);
Result<Page<PlacedRecord>> Scan(Connection& connection, std::uint64_t after, std::size_t limit);
Result<std::uint64_t> Extent(Connection& connection);
Result<EntryPage> ScanEntries(Connection& connection, const std::optional<PlacedEntry>& from,
                              std::size_t limit);
Result<Bytes> GetMeta(Connection& connection, const std::string& key);
Result<std::vector<std::string>> ListMeta(Connection& connection, const std::string& prefix);

}  // namespace dare::store::sqlite

#include "store/record_rules.h"

#include <algorithm>
#include <cstdio>

namespace dare::store {

Result<void> CheckRecord(const ObjectRecord& record) {
  if (record.id.empty()) return Error(Code::kInvalidArgument, "an object needs an identifier");
  if (record.id.size() > kMaxObjectId) {
    return Error(Code::kTooLarge,
                 "an object identifier has at most " + std::to_string(kMaxObjectId) + " bytes");
  }
  for (const IndexEntry& entry : record.index) {
    if (entry.key.size() > kMaxIndexKey || entry.scope.size() > kMaxIndexKey) {
      return Error(Code::kTooLarge, "an attribute value that is looked up has at most " +
                                        std::to_string(kMaxIndexKey) + " bytes");
    }
  }
  return {};
}

Error NoSuchObject(const ObjectId& id) { return Error(Code::kNotFound, "no object " + id); }

Error IdIsTaken(const ObjectId& id) {
  return Error(Code::kAlreadyExists, "an object " + id + " exists");
}

Error EntryIsHeld(const IndexEntry& entry) {
  char tag[16];
  std::snprintf(tag, sizeof tag, "0x%06X", static_cast<unsigned>(entry.tag));
  return Error(Code::kAlreadyExists,
               std::string("another object holds this value of attribute ") + tag);
}

Error RowVersionDiffers(const ObjectId& id, std::uint64_t expected, std::uint64_t found) {
  return Error(Code::kConflict, "object " + id + " was changed meanwhile: version " +
                                    std::to_string(found) + " where " + std::to_string(expected) +
                                    " was expected");
}

Error NoRowVersion(const ObjectId& id) {
  return Error(Code::kInvalidArgument, "object " + id + " comes back without its version");
}

// Of a back end without a better way.
Result<std::vector<MetaRow>> WholeReader::ScanMeta(const std::string& prefix,
                                                   const std::string& after,
                                                   std::size_t limit) const {
  const std::vector<std::string> keys = TRY(ListMeta(prefix));
  std::vector<MetaRow> rows;
  for (auto key = std::ranges::upper_bound(keys, after); key != keys.end(); ++key) {
    if (rows.size() == limit) break;
    Result<Bytes> value = GetMeta(*key);
    if (value) {
      rows.push_back({*key, std::move(*value)});
    } else if (value.error().code != Code::kNotFound) {  // else removed meanwhile
      return value.error();
    }
  }
  return rows;
}

PlacedEntry PlaceEntry(const IndexEntry& entry, std::uint64_t place) {
  const auto at = static_cast<std::int64_t>(place);
  return {.tag = entry.tag,
          .key = entry.key,
          .scope = entry.scope,
          .slot = entry.unique ? 0 : at,
          .place = at};
}

Error FixedFieldDiffers(const ObjectId& id) {
  return Error(Code::kInvalidArgument,
               "object type and initial date of object " + id + " cannot change");
}

bool HasEntries(const std::vector<IndexEntry>& index, const std::vector<EntryMatch>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const EntryMatch& match) {
    return std::any_of(index.begin(), index.end(), [&](const IndexEntry& entry) {
      return entry.tag == match.tag && entry.key == match.key &&
             (!match.scope || entry.scope == *match.scope);
    });
  });
}

bool Matches(const ObjectRecord& record, const Query& query) {
  return (!query.owner || record.owner == *query.owner) &&
         (!query.object_type || record.object_type == *query.object_type) &&
         (!query.state || record.state == *query.state) &&
         (!query.state_to || record.state <= *query.state_to) &&
         (!query.created_from || record.created >= *query.created_from) &&
         (!query.created_to || record.created <= *query.created_to) &&
         HasEntries(record.index, query.entries);
}

}  // namespace dare::store

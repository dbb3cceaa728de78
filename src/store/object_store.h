#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// What the KMS keeps between two starts. The store is untrusted: it sees sealed material and
// checked attributes, never a key in the clear and never the meaning of either; the engine's vault
// seals above it (docs/formats/record.md). What stands outside the sealed bytes is a hint for
// finding records, no truth.
namespace dare::store {

using ObjectId =
    std::string;  // the KMIP Unique Identifier; 1 to 128 bytes, a UUID in text by our own hand

// One thing a record can be found by: a name, a group, a link, a custom attribute. Each one costs a
// write into a random page, so give few.
struct IndexEntry {
  std::uint32_t tag = 0;  // KMIP tag of the attribute
  std::string key;      // its value, in the caller's own canonical form; at most kMaxIndexKey bytes
  std::string scope;    // who shares the name space: the owner, later the domain
  bool unique = false;  // no other record may hold (tag, key, scope). Always or never for one tag
  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

inline constexpr std::size_t kMaxIndexKey = 2048;
inline constexpr std::size_t kMaxObjectId = 128;

// One row. The store hands back exactly what it was given, row_version aside.
struct ObjectRecord {
  ObjectId id;
  std::uint64_t row_version = 0;  // 1 after Insert, one more after each Update; set by the store
  std::uint32_t object_type = 0;  // KMIP Object Type; never changes
  std::uint32_t state = 0;   // KMIP State as last stored: a hint, the truth is inside `attributes`
  std::string owner;         // principal name
  std::int64_t created = 0;  // Initial Date, POSIX seconds; never changes
  Bytes attributes;          // opaque: the vault's attributes with its keyed check
  Bytes material;            // opaque: sealed key material; empty once destroyed
  std::vector<IndexEntry> index;
  friend bool operator==(const ObjectRecord&, const ObjectRecord&) = default;
};

// An index entry to look for; without `scope`, in every scope (an administrator's question, and
// slower).
struct EntryMatch {
  std::uint32_t tag = 0;
  std::string key;
  std::optional<std::string> scope;
};

// All conditions given must hold. The newest come first: the order is that of Insert, backwards.
// An entry (the first, so give the most selective first) or else the owner is answered from an
// index; a query with neither reads the whole store as far as `limit` demands.
struct Query {
  std::vector<EntryMatch> entries;
  std::optional<std::string> owner;
  std::optional<std::uint32_t> object_type;
  std::optional<std::uint32_t> state;
  // At most this one: states that pass by themselves are kept late, never early.
  std::optional<std::uint32_t> state_to;
  std::optional<std::int64_t> created_from;  // inclusive
  std::optional<std::int64_t> created_to;    // inclusive
  std::uint64_t after = 0;  // Page::next of the page before; 0 starts at the newest
  std::size_t limit = 100;  // most records in one page; 0 gives an empty page
};

// `next` is 0 when nothing follows. A page boundary stays right when records come and go between
// two pages.
template <typename T>
struct Page {
  std::vector<T> items;
  std::uint64_t next = 0;
};

// A record and its place in the order of Insert, which its back end alone gives and nothing guards.
struct PlacedRecord {
  std::uint64_t place = 0;
  ObjectRecord record;  // only `id` and `row_version` are sure to be set beside `damage`
  std::optional<Error>
      damage;  // the row there cannot be a record; the store has more than this one
};

// An index entry as the back end keeps it beside the records, right or wrong.
struct PlacedEntry {
  std::int64_t tag = 0;
  std::string key;
  std::string scope;
  std::int64_t slot = 0;  // 0 for a unique entry, else `place`
  std::int64_t place = 0;
  friend bool operator==(const PlacedEntry&, const PlacedEntry&) = default;
};
// The entry that belongs to a record at `place` whose index holds `entry`.
PlacedEntry PlaceEntry(const IndexEntry& entry, std::uint64_t place);

// A fact of the store and its key.
struct MetaRow {
  std::string key;
  Bytes value;
  friend bool operator==(const MetaRow&, const MetaRow&) = default;
};

struct EntryPage {
  std::vector<PlacedEntry> items;
  std::optional<PlacedEntry> next;  // the first one of the next page
};

// What can be asked, of the store (what was committed last) or inside a transaction (its own writes
// included). Errors of any call: kIo, kExhausted (disk, memory), kDamaged (the database is broken),
// kTimeout (another process holds it), kUnavailable; kConflict only inside a transaction: begin
// again.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;

  // kNotFound when there is none.
  virtual Result<ObjectRecord> Get(const ObjectId& id) const = 0;
  // The record's row_version alone: whether it changed, for little. kNotFound.
  virtual Result<std::uint64_t> GetVersion(const ObjectId& id) const {
    Result<ObjectRecord> record = Get(id);
    if (!record) return record.error();
    return record->row_version;
  }
  virtual Result<Page<ObjectId>> Find(const Query& query) const = 0;
  // The same in one step where the caller will read the records anyway.
  virtual Result<Page<ObjectRecord>> FindRecords(const Query& query) const = 0;
  // `after` and `limit` play no part.
  virtual Result<std::uint64_t> Count(const Query& query) const = 0;

  // Small facts about the store as a whole: which MEK seals it, the wrapped root key, enrolment
  // tokens. kNotFound when there is none.
  virtual Result<Bytes> GetMeta(const std::string& key) const = 0;
  // The keys that start with `prefix`, ascending.
  virtual Result<std::vector<std::string>> ListMeta(const std::string& prefix) const = 0;
};

// The same, and walks through everything there is: for whoever checks, copies or re-seals the
// whole.
class WholeReader : public ObjectReader {
 public:
  // The records after the place `after` (0: from the first), in the order of Insert; Page::next is
  // the `after` of the next page. A row that cannot be a record is an item, too. Of a store that is
  // written to, what is inserted meanwhile may be missed: only a snapshot has all.
  virtual Result<Page<PlacedRecord>> Scan(std::uint64_t after, std::size_t limit) const = 0;
  // The last record's place; 0 when there is none. At once: to split the whole, and for progress.
  virtual Result<std::uint64_t> Extent() const = 0;
  // What the back end keeps beside the records to find them, ordered by tag, key, scope, slot, from
  // `from` on, itself included.
  virtual Result<EntryPage> ScanEntries(const std::optional<PlacedEntry>& from,
                                        std::size_t limit) const = 0;
  // The facts whose keys start with `prefix` and come after `after` (empty: from the first),
  // ascending by key, `limit` at most. For whoever keeps many of them.
  virtual Result<std::vector<MetaRow>> ScanMeta(const std::string& prefix, const std::string& after,
                                                std::size_t limit) const;
};

// A write transaction. Belongs to one thread and is used from no other; lives no longer than its
// store. Rolled back by its destructor unless committed. A refusal (kAlreadyExists, kConflict of
// Update, kNotFound, kInvalidArgument, kTooLarge) changes nothing and leaves the transaction
// usable; after any other error of a change only the destructor may follow, and Commit repeats the
// error.
class Transaction : public ObjectReader {
 public:
  // kAlreadyExists when the id is taken or a unique index entry is held by another record (the
  // message says which); kInvalidArgument for an empty id; kTooLarge for an id or index key over
  // its limit.
  virtual Result<void> Insert(const ObjectRecord& record) = 0;
  // The same with the row_version that the record has (kInvalidArgument for 0), which its keyed
  // check covers: for records that come from another store or a backup.
  virtual Result<void> Restore(const ObjectRecord& record) = 0;
  // Replaces everything but object_type and created (kInvalidArgument when they differ) if the
  // stored row_version is `expected_row_version`: kConflict otherwise; kNotFound, kAlreadyExists,
  // kTooLarge as above.
  virtual Result<void> Update(const ObjectRecord& record, std::uint64_t expected_row_version) = 0;
  // Forgets the record altogether (Destroy is an Update without material). kNotFound.
  virtual Result<void> Remove(const ObjectId& id) = 0;
  virtual Result<void> PutMeta(const std::string& key, ByteView value) = 0;
  // Nothing happens when there is none.
  virtual Result<void> RemoveMeta(const std::string& key) = 0;

  // What was asked so far has been done, or is refused (kConflict and the like).
  virtual Result<void> Settle() { return {}; }
  // From now on a change that would be refused may pass, and the refusal come from Settle or
  // Commit, as kConflict and for all that was done since Begin: for who then begins again without
  // this. Saves a database over a network an answer for each change.
  virtual void MayDefer() {}

  // Savepoints nest: one for each batch item of a group commit. RollbackTo undoes what came after
  // the innermost one, Release keeps it; both close it. kInvalidArgument when none is open.
  virtual Result<void> Savepoint() = 0;
  virtual Result<void> RollbackTo() = 0;
  virtual Result<void> Release() = 0;

  // Durable and visible to readers when it returns without error, open savepoints included. After
  // kIo or kExhausted nothing of it is visible. kUnavailable: whether it happened is not known (a
  // database over a network); repeat it in a way that does no harm twice.
  virtual Result<void> Commit() = 0;
};

// Keeps ObjectRecords. Thread-safe; readers see what was committed before their call began, never
// half of it, and do not wait for writers. Outlives its transactions and snapshots.
class ObjectStore : public WholeReader {
 public:
  // One picture of the whole: what was committed before, whatever is committed later. Thread-safe
  // (one call after the other). Give it back soon: a back end keeps for it what it would clean up.
  virtual Result<std::unique_ptr<WholeReader>> Snapshot() const = 0;
  // Waits for the writer before. kTimeout when another process holds the database for too long.
  virtual Result<std::unique_ptr<Transaction>> Begin() = 0;
};

}  // namespace dare::store

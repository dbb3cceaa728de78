#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "audit/entry.h"
#include "base/bytes.h"
#include "base/result.h"

namespace dare::audit {
class AuditLog;
}
namespace dare::store {
class ObjectStore;
class Transaction;
}  // namespace dare::store

namespace dare::engine {

class Vault;

// The AuditTail keeps the audit entries of a group of changes in the transaction that makes the
// changes, until the audit log has them on its own disk. So one sync, the commit's, makes a change
// and its entries durable together, and the log's follows at its leisure. The rows are under the
// vault's keyed check: who can write to the database cannot write into the log. Each node has rows
// of its own, since each has a log of its own. Format: docs/formats/audit.md. For the writer
// thread; owns nothing.
class AuditTail {
 public:
  // `node` has no '/' in its name.
  AuditTail(const Vault& vault, audit::AuditLog& audit, std::string node)
      : vault_(vault), audit_(audit), node_(std::move(node)) {}

  // Whose rows a start takes: those of `node` where other nodes use the store too, or all of them,
  // since a machine on its own may have had another name before.
  enum class Whose { kOfNode, kAll };
  // At start: gives the log back what a power failure took from it, then empties the tail.
  static Result<void> Recover(store::ObjectStore& store, const Vault& vault, audit::AuditLog& audit,
                              const std::string& node, Whose whose);

  // For whoever checks a store: which facts are rows of a tail, and whether one is as it was put.
  static bool IsRow(std::string_view key);
  static bool CheckRow(const Vault& vault, ByteView row);

  // Puts entries (ascending) that were appended to the log into the transaction. Waits for the
  // log's sync when it is far behind.
  Result<void> Put(store::Transaction& transaction, std::span<const audit::NumberedEntry> entries);

 private:
  // Groups that may be on the store's disk alone.
  static constexpr std::size_t kMostSlots = 256;

  // A row that is written over once the log has its entries up to `last` on the disk.
  struct Slot {
    std::string key;
    std::uint64_t last = 0;
  };
  Result<Slot> TakeSlot();

  const Vault& vault_;
  audit::AuditLog& audit_;
  const std::string node_;
  std::deque<Slot> slots_;  // in the order of their use
};

}  // namespace dare::engine

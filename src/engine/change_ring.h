#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/outbox.h"

namespace dare::store {
class ObjectReader;
class Transaction;
class WholeReader;
}  // namespace dare::store

namespace dare::engine {

class Vault;

// A ChangeRing leaves for the other nodes on the store what this one changed of objects that were
// there before: the changes of a group are a row among the store's facts, put in the transaction
// that makes them. Rows are numbered and written over in turn, kSlots a node, each under a keyed
// check that its place is part of (docs/formats/record.md "Changes for other nodes"). For the
// writer thread; owns nothing.
class ChangeRing {
 public:
  static constexpr std::uint64_t kSlots = 256;
  static constexpr std::size_t kMostRowBytes = 64u << 10;

  // `node` has no '/' in its name.
  ChangeRing(const Vault& vault, std::string node) : vault_(vault), node_(std::move(node)) {}

  // Once in a transaction, behind all its changes. Of none there is no row.
  Result<void> Put(store::Transaction& transaction,
                   const std::vector<const ObjectChange*>& changes);
  // What became of the transaction; kConflict: it did not happen, any other error: nobody knows.
  void Ended(const Result<void>& committed);

  struct Row {
    std::uint64_t number = 0;  // the first of a node is 1
    bool whole = true;         // false: there were more changes than a row holds; it has none
    std::vector<ObjectChange> changes;  // by `owner`; values as they were then, without Digests
  };
  // The row `number` of `node`, or the later one that is in its place by now; nothing while it was
  // not written. kDamaged where no node of this store wrote it there.
  static Result<std::optional<Row>> Read(const store::ObjectReader& store, const Vault& vault,
                                         const std::string& node, std::uint64_t number);
  // The number of each node's next row, of all that have written one.
  static Result<std::map<std::string, std::uint64_t>> Next(const store::WholeReader& store,
                                                           const Vault& vault);

  // For whoever checks or copies a store: which facts are rows, and whether one is as it was put.
  static bool IsRow(std::string_view key);
  static bool CheckRow(const Vault& vault, const std::string& key, ByteView row);

 private:
  const Vault& vault_;
  const std::string node_;
  std::optional<std::uint64_t> next_;  // nothing: to be read
  bool put_ = false;                   // in the transaction that is open
};

}  // namespace dare::engine

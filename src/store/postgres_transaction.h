#pragma once

#include <functional>
#include <memory>

#include "store/object_store.h"
#include "store/postgres_connection.h"

namespace dare::store::postgres {

// What a transaction needs of its store.
struct TransactionHost {
  // Queues the row by which this transaction can be found again.
  std::function<void(Connection&)> mark;
  // After a COMMIT without an answer: asks a new connection whether it happened. kConflict: it did
  // not, and never will. kUnavailable: not known.
  std::function<Result<void>()> resolve;
  std::function<void()> give_back;  // it has ended
};

// A transaction on the store's one writing connection.
std::unique_ptr<Transaction> MakeTransaction(Connection& writer, TransactionHost host);

}  // namespace dare::store::postgres

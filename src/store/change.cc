#include "store/change.h"

namespace dare::store {
namespace {

constexpr int kMostAttempts = 10;

Result<void> TryOnce(ObjectStore& store, const std::function<Result<void>(Transaction&)>& changes) {
  const std::unique_ptr<Transaction> transaction = TRY(store.Begin());
  TRY(changes(*transaction));
  return transaction->Commit();
}

}  // namespace

Result<void> Change(ObjectStore& store, const std::function<Result<void>(Transaction&)>& changes) {
  for (int attempt = 1;; ++attempt) {
    Result<void> changed = TryOnce(store, changes);
    const bool again = !changed && changed.error().code == Code::kConflict;
    if (!again || attempt == kMostAttempts) return changed;
  }
}

}  // namespace dare::store

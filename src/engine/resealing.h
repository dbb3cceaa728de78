#pragma once

#include "base/result.h"
#include "hsm/sealer.h"
#include "store/object_store.h"

namespace dare::engine {

class Vault;

// Seals a record's material anew under the sealer's present key, as part of the transaction. False,
// and nothing is changed, where it is there already, where the record has no material, or is gone.
// kDamaged.
Result<bool> ResealRecord(store::Transaction& transaction, const Vault& vault, hsm::Sealer& sealer,
                          const store::ObjectId& id);
// The same for the store's record key.
Result<bool> ResealRecordKey(store::Transaction& transaction, hsm::Sealer& sealer);

}  // namespace dare::engine

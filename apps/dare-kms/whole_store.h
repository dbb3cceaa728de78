#pragma once

#include <memory>

#include "base/result.h"
#include "custody/sealer_ring.h"
#include "key_station.h"
#include "server/config.h"

namespace dare::kms {

// A store with its keys open, for the verbs that work on the whole of it; kInvalidArgument where it
// is empty, which is not for opening but for filling.
Result<KeyStation> OpenWhole(const server::Config& config, StoreUse use);

// Every master key in the tokens of the configuration: what a backup is sealed under, and opened
// with where there is no store yet. Seals under the first token's newest.
Result<std::unique_ptr<custody::SealerRing>> OpenTokenKeys(const server::Config& config);
// Lets it seal under the master key that seals this store, or that wraps its root key.
void PreferKeyOf(const custody::CustodyRecord& record, custody::SealerRing& keys);

}  // namespace dare::kms

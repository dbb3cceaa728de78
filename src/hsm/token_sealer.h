#pragma once

#include <memory>

#include "hsm/master_key.h"
#include "hsm/sealer.h"

namespace dare::hsm {

// The sealer for a master key, by the mechanism that the key is for. Seals and opens a probe first.
Result<std::unique_ptr<Sealer>> OpenTokenSealer(std::shared_ptr<MasterKey> key);

}  // namespace dare::hsm

#pragma once

#include <memory>

#include "store/object_store.h"

namespace dare::store {

// A store that dies with the process; for tests and trials. The same semantics as the durable ones.
std::unique_ptr<ObjectStore> MakeMemoryStore();

}  // namespace dare::store

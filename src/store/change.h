#pragma once

#include <functional>

#include "store/object_store.h"

namespace dare::store {

// Makes `changes` in a transaction of their own, and begins again where other nodes were faster
// (kConflict), some times; so they may be made more than once, and only the last time counts.
Result<void> Change(ObjectStore& store, const std::function<Result<void>(Transaction&)>& changes);

}  // namespace dare::store

#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "kmip/managed_object.h"

namespace dare::engine {

// A managed object as it came out of the store, checked; its material opened if it was asked for.
// Immutable once shared between threads.
struct StoredObject {
  kmip::ManagedObject object;  // object.material is empty unless `opened`
  std::uint64_t row_version = 0;
  std::int64_t created = 0;  // Initial Date
  Bytes sealed_material;     // empty once destroyed
  bool opened = false;
};

}  // namespace dare::engine

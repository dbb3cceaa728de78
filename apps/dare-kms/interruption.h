#pragma once

#include <atomic>

namespace dare::kms {

// Turns true at SIGINT, SIGTERM or SIGHUP, from the first call on: long work looks at it and leaves
// nothing half behind.
const std::atomic<bool>& Interruption();

}  // namespace dare::kms

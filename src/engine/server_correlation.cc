#include "engine/server_correlation.h"

#include <atomic>
#include <cstdint>

#include "base/bytes.h"
#include "base/log.h"
#include "crypto/random.h"

namespace dare::engine {

std::string NewServerCorrelation() {
  static const std::string prefix = [] {
    std::uint8_t random[8] = {};
    // Without random bytes the values are unique in this process only, which is no harm.
    if (!crypto::RandomBytes(random)) log::Warning("no randomness for correlation values");
    return ToHex(random) + "-";
  }();
  static std::atomic<std::uint64_t> count = 0;
  return prefix + std::to_string(++count);
}

}  // namespace dare::engine

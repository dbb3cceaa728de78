#include "crypto/random.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <limits>

namespace dare::crypto {

Result<void> RandomBytes(MutableBytes out) {
  if (out.empty()) return {};
  if (out.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return Error(Code::kTooLarge, "more random bytes than one call can give");
  }
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    ERR_clear_error();
    return Error(Code::kUnavailable, "the random generator failed");
  }
  return {};
}

void AddToRandom(ByteView seed) {
  if (seed.empty() || seed.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return;
  }
  RAND_add(seed.data(), static_cast<int>(seed.size()), 0.0);
}

}  // namespace dare::crypto

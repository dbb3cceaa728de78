#include "base/uuid.h"

#include <openssl/rand.h>

#include "base/bytes.h"

namespace dare {

Result<std::string> NewUuid() {
  std::uint8_t b[16];
  if (RAND_bytes(b, sizeof b) != 1) return Error(Code::kUnavailable, "the random generator failed");
  b[6] = static_cast<std::uint8_t>((b[6] & 0x0F) | 0x40);
  b[8] = static_cast<std::uint8_t>((b[8] & 0x3F) | 0x80);
  const std::string hex = ToHex(b);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

}  // namespace dare

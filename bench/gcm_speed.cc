// The cipher alone: AES-256-GCM of one thread over one reused buffer. Prints GB/s (1e9 bytes).
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>

#include "crypto/aead.h"

int main(int argc, char** argv) {
  const std::size_t frame = argc > 1 ? static_cast<std::size_t>(std::atol(argv[1])) : 256u << 10;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 1.0;
  const dare::Bytes key(32, 1), aad(64, 2);
  dare::Bytes data(frame, 3), iv(12), tag(16);
  auto aead = dare::crypto::Aead::Create(key);
  if (!aead) return 1;
  const auto begin = std::chrono::steady_clock::now();
  double bytes = 0, passed = 0;
  for (std::uint32_t n = 1; passed < seconds; ++n) {
    dare::PutU32(iv.data() + 8, n);
    if (!aead->SealInPlace(iv, aad, data, tag)) return 1;
    bytes += static_cast<double>(frame);
    passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  fmt::print("{:.3f} {}\n", bytes / passed / 1e9, aead->kernel_name());
  return 0;
}

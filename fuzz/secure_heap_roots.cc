// Linked to a fuzz target, starts the secure heap before the first input and tells LeakSanitizer,
// where there is one, that pointers lie in it: OpenSSL keeps its random generators there, and what
// they point to would seem lost.
#include <cinttypes>
#include <cstdint>
#include <cstdio>

#include "base/secret_bytes.h"

extern "C" [[gnu::weak]] void __lsan_register_root_region(const void* begin, std::size_t size);

namespace dare {
namespace {

constexpr std::size_t kHeapBytes = 8u << 20;

// The mapping that holds `address`, which is the whole arena between its guard pages.
void RegisterMappingOf(const void* address) {
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  if (maps == nullptr) return;
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    std::uintptr_t begin = 0, end = 0;
    if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &begin, &end) != 2) continue;
    if (wanted < begin || wanted >= end) continue;
    __lsan_register_root_region(reinterpret_cast<const void*>(begin), end - begin);
    break;
  }
  std::fclose(maps);
}

void ShowSecureHeapToLeakSanitizer() {
  if (!StartSecureHeap(kHeapBytes) || __lsan_register_root_region == nullptr) return;
  const Result<SecretBytes> inside = SecretBytes::OfSize(32);
  if (inside) RegisterMappingOf(inside->Reveal().data());
}

}  // namespace
}  // namespace dare

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  dare::ShowSecureHeapToLeakSanitizer();
  return 0;
}

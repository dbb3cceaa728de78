#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

// The memory under the secure heap (base/secret_bytes.h), and what of OpenSSL's own is put there.
namespace dare {

// What the secure heap's pages are.
enum class ArenaKind {
  kNone,    // it was not started
  kLocked,  // never paged out, not dumped, between guard pages
  kSecret,  // that, and memory that the kernel itself does not map (memfd_secret(2))
};
ArenaKind SecureArenaKind();
std::string_view ArenaKindName(ArenaKind kind);  // "none", "locked", "secret"

// Puts memory of memfd_secret(2) under the secure heap, and gives what is there then: kSecret, or
// kLocked as before where the kernel has none to give. Right after StartSecureHeap, when nothing is
// in it, in a program that never works on in a forked child: a child shares that memory.
Result<ArenaKind> HideSecureArena();

// From now on OpenSSL takes what it allocates under a LockedAllocations from the secure heap. Only
// a whole program may decide so, as the first thing it does: false where OpenSSL has allocated
// already.
bool RouteLockedAllocations();

// While one stands, what this thread has OpenSSL allocate is in the secure heap: contexts that hold
// expanded keys for long. Nothing in a program that did not call RouteLockedAllocations.
class LockedAllocations {
 public:
  LockedAllocations();
  ~LockedAllocations();
  LockedAllocations(const LockedAllocations&) = delete;
  LockedAllocations& operator=(const LockedAllocations&) = delete;
};

namespace internal {
// Of StartSecureHeap, once: remembers where the heap is.
void NoteSecureArena(std::size_t bytes);
}  // namespace internal

}  // namespace dare

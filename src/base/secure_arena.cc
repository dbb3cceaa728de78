#include "base/secure_arena.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/file.h"

namespace dare {
namespace {

// Written before there is a second thread.
struct Arena {
  std::uint8_t* begin = nullptr;
  std::size_t size = 0;
  ArenaKind kind = ArenaKind::kNone;

  bool Holds(const void* p) const {
    const auto* byte = static_cast<const std::uint8_t*>(p);
    return byte >= begin && byte < begin + size;
  }
};
Arena arena;
thread_local int locked_allocations = 0;

// The whole heap as one block: nothing of OpenSSL's own is in its pages then. Null when it is not
// empty.
std::uint8_t* TakeWhole(std::size_t size) {
  auto* whole = static_cast<std::uint8_t*>(OPENSSL_secure_malloc(size));
  if (whole == nullptr) return nullptr;
  if (CRYPTO_secure_allocated(whole) == 1 && OPENSSL_secure_actual_size(whole) == size) {
    return whole;
  }
  OPENSSL_secure_free(whole);
  return nullptr;
}

// Memory of memfd_secret with all its pages, or MAP_FAILED.
void* MapSecret(std::size_t size) {
#ifdef SYS_memfd_secret
  const FileDescriptor fd(static_cast<int>(::syscall(SYS_memfd_secret, O_CLOEXEC)));
  if (fd.get() < 0 || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return MAP_FAILED;
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) return mapped;
  // Every page now: one that cannot be had is an error of read(), and later a SIGBUS under a key.
  const FileDescriptor zeroes(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  if (::read(zeroes.get(), mapped, size) == static_cast<ssize_t>(size)) return mapped;
  ::munmap(mapped, size);
  return MAP_FAILED;
#else
  return MAP_FAILED;
#endif
}

void* Allocate(std::size_t size, const char* /*file*/, int /*line*/) {
  if (size == 0) return nullptr;
  if (locked_allocations > 0) return OPENSSL_secure_malloc(size);
  return std::malloc(size);
}

void Free(void* p, const char* /*file*/, int /*line*/) {
  if (arena.Holds(p)) {
    OPENSSL_secure_free(p);
  } else {
    std::free(p);
  }
}

// What was in the secure heap stays there.
void* Reallocate(void* p, std::size_t size, const char* file, int line) {
  if (p == nullptr) return Allocate(size, file, line);
  if (size == 0) {
    Free(p, file, line);
    return nullptr;
  }
  if (!arena.Holds(p)) return std::realloc(p, size);
  void* moved = OPENSSL_secure_malloc(size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, p, std::min(size, OPENSSL_secure_actual_size(p)));
  OPENSSL_secure_free(p);
  return moved;
}

}  // namespace

ArenaKind SecureArenaKind() { return arena.kind; }

std::string_view ArenaKindName(ArenaKind kind) {
  switch (kind) {
    case ArenaKind::kNone:
      return "none";
    case ArenaKind::kLocked:
      return "locked";
    case ArenaKind::kSecret:
      break;
  }
  return "secret";
}

Result<ArenaKind> HideSecureArena() {
  if (arena.kind != ArenaKind::kLocked) return arena.kind;
  std::uint8_t* const whole = TakeWhole(arena.size);
  if (whole == nullptr) return Error(Code::kInternal, "the secure heap is in use already");
  // Both together may be more than RLIMIT_MEMLOCK allows.
  (void)::munlock(whole, arena.size);
  void* const secret = MapSecret(arena.size);
  if (secret == MAP_FAILED) {
    const int locked = ::mlock(whole, arena.size);
    const int error = errno;
    OPENSSL_secure_free(whole);
    if (locked != 0) return IoError("cannot lock memory for keys", error);
    return arena.kind;
  }
  // In one step, between the guard pages that are there.
  if (::mremap(secret, arena.size, arena.size, MREMAP_MAYMOVE | MREMAP_FIXED, whole) != whole) {
    return IoError("cannot move secret memory", errno);
  }
  OPENSSL_secure_free(whole);
  arena.kind = ArenaKind::kSecret;
  return arena.kind;
}

bool RouteLockedAllocations() { return CRYPTO_set_mem_functions(Allocate, Reallocate, Free) == 1; }

LockedAllocations::LockedAllocations() { ++locked_allocations; }
LockedAllocations::~LockedAllocations() { --locked_allocations; }

void internal::NoteSecureArena(std::size_t bytes) {
  std::uint8_t* const whole = TakeWhole(bytes);
  if (whole == nullptr) return;
  arena = {whole, bytes, ArenaKind::kLocked};
  OPENSSL_secure_free(whole);
}

}  // namespace dare

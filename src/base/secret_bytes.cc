#include "base/secret_bytes.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstring>
#include <new>
#include <utility>

#include "base/secure_arena.h"

namespace dare {

Result<void> StartSecureHeap(std::size_t bytes) {
  if (CRYPTO_secure_malloc_initialized()) return {};
  // 1: locked, with guard pages; 2: OpenSSL could not lock it (RLIMIT_MEMLOCK), which we refuse.
  const int state = CRYPTO_secure_malloc_init(bytes, 32);
  if (state != 1) {
    return Error(Code::kExhausted,
                 "cannot lock " + std::to_string(bytes >> 10) +
                     " KiB of memory for keys; raise the memlock limit (ulimit -l, LimitMEMLOCK=)");
  }
  internal::NoteSecureArena(bytes);
  return {};
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

SecretBytes::~SecretBytes() {
  if (data_ != nullptr) OPENSSL_secure_clear_free(data_, size_);
}

Result<SecretBytes> SecretBytes::OfSize(std::size_t size) {
  SecretBytes secret;
  if (size == 0) return secret;
  if (!CRYPTO_secure_malloc_initialized()) {
    return Error(Code::kInternal, "the secure heap was not started");
  }
  void* memory = OPENSSL_secure_zalloc(size);
  if (memory == nullptr) return Error(Code::kExhausted, "the secure heap is full");
  secret.data_ = static_cast<std::uint8_t*>(memory);
  secret.size_ = size;
  return secret;
}

Result<SecretBytes> SecretBytes::CopyOf(ByteView bytes) {
  SecretBytes secret = TRY(OfSize(bytes.size()));
  if (!bytes.empty()) std::memcpy(secret.data_, bytes.data(), bytes.size());
  return secret;
}

Result<SecretBytes> SecretBytes::Random(std::size_t size) {
  SecretBytes secret = TRY(OfSize(size));
  if (size != 0 && RAND_priv_bytes(secret.data_, static_cast<int>(size)) != 1) {
    return Error(Code::kUnavailable, "the random generator failed");
  }
  return secret;
}

Result<SecretBytes> SecretBytes::Clone() const { return CopyOf(Reveal()); }

bool operator==(const SecretBytes& a, const SecretBytes& b) {
  return EqualInConstantTime(a.Reveal(), b.Reveal());
}

bool EqualInConstantTime(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void Wipe(MutableBytes bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

namespace internal {
void* AllocateWiping(std::size_t bytes) { return ::operator new(bytes); }
void FreeWiping(void* p, std::size_t bytes) noexcept {
  OPENSSL_cleanse(p, bytes);
  ::operator delete(p);
}
}  // namespace internal

}  // namespace dare

#pragma once

#include <iosfwd>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace dare {

// Makes the secure heap (locked, not dumped, guard pages: OpenSSL's) of `bytes` bytes, a power of
// two. Called once at start-up, before the first secret. kExhausted when memory cannot be locked.
Result<void> StartSecureHeap(std::size_t bytes);

// SecretBytes hold key material: fixed size, move-only, in the secure heap, wiped when they die.
// They cannot be printed, compared with == only in constant time, and read only through Reveal(),
// a word one can grep for. Not thread-safe for writing; concurrent Reveal() is fine.
class SecretBytes {
 public:
  SecretBytes() = default;  // empty
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  // `size` zero bytes. kExhausted when the secure heap is full; there is no fall back to malloc.
  static Result<SecretBytes> OfSize(std::size_t size);
  static Result<SecretBytes> CopyOf(ByteView bytes);
  // From the operating system's generator through OpenSSL's private DRBG.
  static Result<SecretBytes> Random(std::size_t size);
  Result<SecretBytes> Clone() const;

  ByteView Reveal() const { return {data_, size_}; }
  MutableBytes RevealMutable() { return {data_, size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  friend bool operator==(const SecretBytes& a, const SecretBytes& b);
  friend std::ostream& operator<<(std::ostream&, const SecretBytes&) = delete;

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// True when both have the same bytes, in time that depends only on the sizes.
bool EqualInConstantTime(ByteView a, ByteView b);
// Overwrites with zeroes in a way the compiler keeps.
void Wipe(MutableBytes bytes);

// A key of one purpose; a Dek cannot stand where a Kek belongs.
template <typename PurposeTag>
class KeyOf {
 public:
  explicit KeyOf(SecretBytes bytes) : bytes_(std::move(bytes)) {}
  ByteView Reveal() const { return bytes_.Reveal(); }
  std::size_t size() const { return bytes_.size(); }
  Result<KeyOf> Clone() const { return KeyOf(TRY(bytes_.Clone())); }

 private:
  SecretBytes bytes_;
};
using Dek = KeyOf<struct DekTag>;  // encrypts data
using Kek = KeyOf<struct KekTag>;  // wraps DEKs

namespace internal {
void* AllocateWiping(std::size_t bytes);
void FreeWiping(void* p, std::size_t bytes) noexcept;
}  // namespace internal

// For buffers that may carry keys among other things (KMIP messages): ordinary memory, wiped on
// release.
template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT: allocator requirement
  T* allocate(std::size_t n) { return static_cast<T*>(internal::AllocateWiping(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) noexcept { internal::FreeWiping(p, n * sizeof(T)); }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};
using WipingBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

}  // namespace dare

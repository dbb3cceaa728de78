#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"

typedef struct evp_mac_ctx_st EVP_MAC_CTX;

namespace dare::crypto {

// A key of HMAC-SHA-256 (FIPS 198-1) for many short messages: it is hashed once, when it is made,
// and each code begins with a copy of that. Owns what it made of the key, in locked memory where
// the program has it (secure_arena.h), and wipes it. Movable; constant and thread-safe.
class HmacKey {
 public:
  static constexpr std::size_t kCodeBytes = 32;

  // kInvalidArgument for an empty key.
  static Result<HmacKey> Create(ByteView key);
  HmacKey(HmacKey&&) noexcept = default;
  HmacKey& operator=(HmacKey&&) noexcept = default;

  // kCodeBytes bytes.
  Result<Bytes> Code(ByteView message) const;

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const;
  };
  using Context = std::unique_ptr<EVP_MAC_CTX, Free>;
  explicit HmacKey(Context keyed) : keyed_(std::move(keyed)) {}

  Context keyed_;  // never fed
};

}  // namespace dare::crypto

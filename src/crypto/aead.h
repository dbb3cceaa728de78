#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace dare::crypto {

inline constexpr std::size_t kGcmIvSize = 12;
inline constexpr std::size_t kGcmTagSize = 16;

// One key schedule of one implementation of AES-GCM. An Aead owns exactly one; implementations
// check nothing, the Aead has checked sizes before. Not thread-safe.
class AeadKernel {
 public:
  virtual ~AeadKernel() = default;
  virtual Result<void> Seal(const std::uint8_t* iv, ByteView aad, MutableBytes data,
                            std::uint8_t* tag) = 0;
  // False when the tag does not fit; `data` then holds rubbish, which the Aead wipes.
  virtual Result<bool> Open(const std::uint8_t* iv, ByteView aad, MutableBytes data,
                            const std::uint8_t* tag) = 0;
  // A second kernel with the same key, for another thread.
  virtual Result<std::unique_ptr<AeadKernel>> Clone() const = 0;
  // "openssl", "ipsec-mb": for inspection and benchmarks.
  virtual std::string_view name() const = 0;
};

// AES-128/192/256-GCM with a 12-byte IV and a 16-byte tag (SP 800-38D), under one key whose
// schedule is kept. It works in place and never makes an IV: whoever holds it answers for their
// uniqueness, so it is a building block for the formats (frames, wrapped keys), not for
// applications. Movable. Not thread-safe: each thread has its own Clone().
class Aead {
 public:
  // kInvalidArgument unless `key` has 16, 24 or 32 bytes. Takes the fastest implementation for bulk
  // data on this machine (ipsec_mb_kernel.h), and OpenSSL's in a confined process (fips_policy.h).
  static Result<Aead> Create(ByteView key);
  // The same on OpenSSL, whatever the machine has: for single small messages, and as reference.
  static Result<Aead> CreateOnOpenSsl(ByteView key);

  Aead(Aead&&) noexcept = default;
  Aead& operator=(Aead&&) noexcept = default;
  Result<Aead> Clone() const;

  // Encrypts `data` where it lies and writes its tag. kInvalidArgument on an IV that has not 12
  // bytes or a tag that has not 16.
  Result<void> SealInPlace(ByteView iv, ByteView aad, MutableBytes data, MutableBytes tag);
  // Decrypts `data` where it lies. kDamaged when the tag does not fit, and then `data` is wiped: no
  // unauthenticated byte is left behind.
  Result<void> OpenInPlace(ByteView iv, ByteView aad, MutableBytes data, ByteView tag);

  std::string_view kernel_name() const { return kernel_->name(); }

 private:
  explicit Aead(std::unique_ptr<AeadKernel> kernel) : kernel_(std::move(kernel)) {}
  std::unique_ptr<AeadKernel> kernel_;
};

}  // namespace dare::crypto

#include "crypto/aead.h"

#include <openssl/evp.h>

#include <string>
#include <utility>

#include "base/secret_bytes.h"
#include "base/secure_arena.h"
#include "crypto/fips_policy.h"
#include "crypto/ipsec_mb_kernel.h"

namespace dare::crypto {
namespace {

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

// Fetched once: a fetch costs more than sealing a kilobyte. Never freed, they live as long as
// OpenSSL.
const EVP_CIPHER* GcmOf(std::size_t key_size) {
  static const EVP_CIPHER* const gcm128 = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  static const EVP_CIPHER* const gcm192 = EVP_CIPHER_fetch(nullptr, "AES-192-GCM", nullptr);
  static const EVP_CIPHER* const gcm256 = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  switch (key_size) {
    case 16:
      return gcm128;
    case 24:
      return gcm192;
    case 32:
      return gcm256;
    default:
      return nullptr;
  }
}

Error OpenSslFailed() { return Error(Code::kInternal, "AES-GCM failed inside OpenSSL"); }

// OpenSSL takes int lengths; longer data goes in pieces.
constexpr std::size_t kPiece = std::size_t{1} << 30;

class OpenSslKernel final : public AeadKernel {
 public:
  explicit OpenSslKernel(ContextPtr context) : context_(std::move(context)) {}

  static Result<std::unique_ptr<AeadKernel>> Create(ByteView key) {
    const EVP_CIPHER* cipher = GcmOf(key.size());
    const LockedAllocations locked;  // the context keeps the expanded key, as long as a file takes
    ContextPtr context(EVP_CIPHER_CTX_new());
    if (cipher == nullptr || !context) return OpenSslFailed();
    if (EVP_CipherInit_ex2(context.get(), cipher, key.data(), nullptr, 1, nullptr) != 1) {
      return OpenSslFailed();
    }
    return std::unique_ptr<AeadKernel>(std::make_unique<OpenSslKernel>(std::move(context)));
  }

  Result<void> Seal(const std::uint8_t* iv, ByteView aad, MutableBytes data,
                    std::uint8_t* tag) override {
    TRY(Run(1, iv, aad, data));
    int none = 0;
    if (EVP_CipherFinal_ex(context_.get(), tag, &none) != 1 ||
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTagSize, tag) != 1) {
      return OpenSslFailed();
    }
    return {};
  }

  Result<bool> Open(const std::uint8_t* iv, ByteView aad, MutableBytes data,
                    const std::uint8_t* tag) override {
    TRY(Run(0, iv, aad, data));
    int none = 0;
    std::uint8_t unused[kGcmTagSize];
    if (EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagSize,
                            const_cast<std::uint8_t*>(tag)) != 1) {
      return OpenSslFailed();
    }
    return EVP_CipherFinal_ex(context_.get(), unused, &none) == 1;
  }

  Result<std::unique_ptr<AeadKernel>> Clone() const override {
    const LockedAllocations locked;
    ContextPtr copy(EVP_CIPHER_CTX_new());
    if (!copy || EVP_CIPHER_CTX_copy(copy.get(), context_.get()) != 1) return OpenSslFailed();
    return std::unique_ptr<AeadKernel>(std::make_unique<OpenSslKernel>(std::move(copy)));
  }

  std::string_view name() const override { return "openssl"; }

 private:
  // The key schedule stays; only the IV and the direction are new.
  Result<void> Run(int encrypt, const std::uint8_t* iv, ByteView aad, MutableBytes data) {
    EVP_CIPHER_CTX* context = context_.get();
    int n = 0;
    if (EVP_CipherInit_ex2(context, nullptr, nullptr, iv, encrypt, nullptr) != 1) {
      return OpenSslFailed();
    }
    while (!aad.empty()) {
      const std::size_t piece = std::min(aad.size(), kPiece);
      if (EVP_CipherUpdate(context, nullptr, &n, aad.data(), static_cast<int>(piece)) != 1) {
        return OpenSslFailed();
      }
      aad = aad.subspan(piece);
    }
    while (!data.empty()) {
      const std::size_t piece = std::min(data.size(), kPiece);
      if (EVP_CipherUpdate(context, data.data(), &n, data.data(), static_cast<int>(piece)) != 1) {
        return OpenSslFailed();
      }
      data = data.subspan(piece);
    }
    return {};
  }

  ContextPtr context_;
};

Result<void> CheckKeySize(ByteView key) {
  if (key.size() == 16 || key.size() == 24 || key.size() == 32) return {};
  return Error(Code::kInvalidArgument,
               "an AES key has 16, 24 or 32 bytes, not " + std::to_string(key.size()));
}

Result<void> CheckSizes(ByteView iv, std::size_t tag_size) {
  if (iv.size() != kGcmIvSize) return Error(Code::kInvalidArgument, "the IV must have 12 bytes");
  if (tag_size != kGcmTagSize) return Error(Code::kInvalidArgument, "the tag must have 16 bytes");
  return {};
}

}  // namespace

Result<Aead> Aead::Create(ByteView key) {
  TRY(CheckKeySize(key));
  if (ConfinedToFips()) return CreateOnOpenSsl(key);
  if (auto kernel = MakeIpsecMbKernel(key)) return Aead(std::move(kernel));
  return CreateOnOpenSsl(key);
}

Result<Aead> Aead::CreateOnOpenSsl(ByteView key) {
  TRY(CheckKeySize(key));
  return Aead(TRY(OpenSslKernel::Create(key)));
}

Result<Aead> Aead::Clone() const { return Aead(TRY(kernel_->Clone())); }

Result<void> Aead::SealInPlace(ByteView iv, ByteView aad, MutableBytes data, MutableBytes tag) {
  TRY(CheckSizes(iv, tag.size()));
  return kernel_->Seal(iv.data(), aad, data, tag.data());
}

Result<void> Aead::OpenInPlace(ByteView iv, ByteView aad, MutableBytes data, ByteView tag) {
  TRY(CheckSizes(iv, tag.size()));
  const Result<bool> authentic = kernel_->Open(iv.data(), aad, data, tag.data());
  if (authentic && *authentic) return {};
  Wipe(data);
  if (!authentic) return authentic.error();
  return Error(Code::kDamaged, "authentication failed");
}

}  // namespace dare::crypto

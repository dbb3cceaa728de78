#include "crypto/key_wrap.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>
#include <string>

namespace dare::crypto {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 10;

struct ContextFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextFree>;

const EVP_CIPHER* CipherOf(KeyWrapMode mode, std::size_t key_bytes) {
  const bool padded = mode == KeyWrapMode::kAesKwp;
  switch (key_bytes) {
    case 16:
      return padded ? EVP_aes_128_wrap_pad() : EVP_aes_128_wrap();
    case 24:
      return padded ? EVP_aes_192_wrap_pad() : EVP_aes_192_wrap();
    case 32:
      return padded ? EVP_aes_256_wrap_pad() : EVP_aes_256_wrap();
    default:
      return nullptr;
  }
}

Error Failed() {
  ERR_clear_error();
  return Error(Code::kInternal, "OpenSSL refused the key wrap");
}
Error Damaged() {
  ERR_clear_error();
  return Error(Code::kDamaged, "the wrapped key does not open with this wrapping key");
}

Result<Context> Start(KeyWrapMode mode, ByteView wrapping_key, bool wrap) {
  const EVP_CIPHER* cipher = CipherOf(mode, wrapping_key.size());
  if (cipher == nullptr) {
    return Error(Code::kInvalidArgument, "a wrapping key has 16, 24 or 32 bytes, not " +
                                             std::to_string(wrapping_key.size()));
  }
  Context context(EVP_CIPHER_CTX_new());
  if (!context) return Error(Code::kExhausted, "no memory for a cipher");
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  // No IV: both modes then take the constant of their RFC.
  if (EVP_CipherInit_ex2(context.get(), cipher, wrapping_key.data(), nullptr, wrap ? 1 : 0,
                         nullptr) != 1) {
    return Failed();
  }
  return context;
}

}  // namespace

Result<Bytes> WrapKey(KeyWrapMode mode, ByteView wrapping_key, ByteView key) {
  if (key.size() > kMostBytes) return Error(Code::kTooLarge, "the key is too long to wrap");
  const bool fits =
      mode == KeyWrapMode::kAesKwp ? !key.empty() : key.size() >= 16 && key.size() % 8 == 0;
  if (!fits) {
    return Error(Code::kInvalidArgument, "a key of " + std::to_string(key.size()) +
                                             " bytes does not fit this key wrap mode");
  }
  const Context context = TRY(Start(mode, wrapping_key, true));
  Bytes wrapped(key.size() + 16);
  int written = 0;
  int rest = 0;
  if (EVP_CipherUpdate(context.get(), wrapped.data(), &written, key.data(),
                       static_cast<int>(key.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), wrapped.data() + written, &rest) != 1) {
    return Failed();
  }
  wrapped.resize(static_cast<std::size_t>(written + rest));
  return wrapped;
}

Result<SecretBytes> UnwrapKey(KeyWrapMode mode, ByteView wrapping_key, ByteView wrapped) {
  if (wrapped.size() > kMostBytes) return Error(Code::kTooLarge, "the wrapped key is too long");
  const Context context = TRY(Start(mode, wrapping_key, false));
  const std::size_t least = mode == KeyWrapMode::kAesKwp ? 16 : 24;
  if (wrapped.size() < least || wrapped.size() % 8 != 0) return Damaged();
  SecretBytes room = TRY(SecretBytes::OfSize(wrapped.size()));
  int written = 0;
  int rest = 0;
  if (EVP_CipherUpdate(context.get(), room.RevealMutable().data(), &written, wrapped.data(),
                       static_cast<int>(wrapped.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), room.RevealMutable().data() + written, &rest) != 1) {
    return Damaged();
  }
  return SecretBytes::CopyOf(room.Reveal().first(static_cast<std::size_t>(written + rest)));
}

}  // namespace dare::crypto

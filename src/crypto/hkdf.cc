#include "crypto/hkdf.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <array>
#include <memory>

namespace dare::crypto {
namespace {

struct MacContextDeleter {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

struct KdfContextDeleter {
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

const char* HashName(HkdfHash hash) {
  switch (hash) {
    case HkdfHash::kSha256:
      return "SHA256";
    case HkdfHash::kSha384:
      return "SHA384";
    case HkdfHash::kSha512:
      return "SHA512";
  }
  return "";
}

}  // namespace

std::size_t HashSize(HkdfHash hash) {
  switch (hash) {
    case HkdfHash::kSha256:
      return 32;
    case HkdfHash::kSha384:
      return 48;
    case HkdfHash::kSha512:
      return 64;
  }
  return 0;
}

// One HMAC under the salt: that is all of it. OpenSSL's HKDF in its mode for this step looks its
// HMAC up by name in each call, which costs three times as much.
Result<SecretBytes> HkdfExtract(HkdfHash hash, ByteView salt, ByteView input_key) {
  static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  static constexpr std::array<std::uint8_t, 64> kZeroes{};
  const ByteView key = salt.empty() ? ByteView(kZeroes).first(HashSize(hash)) : salt;
  const std::unique_ptr<EVP_MAC_CTX, MacContextDeleter> context(EVP_MAC_CTX_new(hmac));
  SecretBytes prk = TRY(SecretBytes::OfSize(HashSize(hash)));
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(HashName(hash)), 0),
      OSSL_PARAM_construct_end()};
  std::size_t written = 0;
  if (!context || EVP_MAC_init(context.get(), key.data(), key.size(), params) != 1 ||
      EVP_MAC_update(context.get(), input_key.data(), input_key.size()) != 1 ||
      EVP_MAC_final(context.get(), prk.RevealMutable().data(), &written, prk.size()) != 1 ||
      written != prk.size()) {
    return Error(Code::kInternal, "HKDF failed inside OpenSSL");
  }
  return prk;
}

Result<SecretBytes> HkdfExpand(HkdfHash hash, ByteView prk, ByteView info, std::size_t length) {
  if (length == 0 || length > 255 * HashSize(hash)) {
    return Error(Code::kInvalidArgument, "HKDF cannot give that many bytes");
  }
  static EVP_KDF* const hkdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  const std::unique_ptr<EVP_KDF_CTX, KdfContextDeleter> context(EVP_KDF_CTX_new(hkdf));
  SecretBytes out = TRY(SecretBytes::OfSize(length));
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  OSSL_PARAM params[5];
  OSSL_PARAM* p = params;
  *p++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
  *p++ =
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(HashName(hash)), 0);
  *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
                                           const_cast<std::uint8_t*>(prk.data()), prk.size());
  if (!info.empty()) {
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
                                             const_cast<std::uint8_t*>(info.data()), info.size());
  }
  *p = OSSL_PARAM_construct_end();
  if (!context || EVP_KDF_derive(context.get(), out.RevealMutable().data(), length, params) != 1) {
    return Error(Code::kInternal, "HKDF failed inside OpenSSL");
  }
  return out;
}

}  // namespace dare::crypto

#include "crypto/hkdf.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <memory>

namespace dare::crypto {
namespace {

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

// One run of OpenSSL's HKDF; `extra` is the salt when extracting and the info when expanding.
Result<SecretBytes> Derive(int mode, HkdfHash hash, ByteView key, const char* extra_name,
                           ByteView extra, std::size_t length) {
  static EVP_KDF* const hkdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  const std::unique_ptr<EVP_KDF_CTX, KdfContextDeleter> context(EVP_KDF_CTX_new(hkdf));
  SecretBytes out = TRY(SecretBytes::OfSize(length));
  OSSL_PARAM params[5];
  OSSL_PARAM* p = params;
  *p++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
  *p++ =
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(HashName(hash)), 0);
  *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
                                           const_cast<std::uint8_t*>(key.data()), key.size());
  if (!extra.empty()) {
    *p++ = OSSL_PARAM_construct_octet_string(extra_name, const_cast<std::uint8_t*>(extra.data()),
                                             extra.size());
  }
  *p = OSSL_PARAM_construct_end();
  if (!context || EVP_KDF_derive(context.get(), out.RevealMutable().data(), length, params) != 1) {
    return Error(Code::kInternal, "HKDF failed inside OpenSSL");
  }
  return out;
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

Result<SecretBytes> HkdfExtract(HkdfHash hash, ByteView salt, ByteView input_key) {
  return Derive(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, hash, input_key, OSSL_KDF_PARAM_SALT, salt,
                HashSize(hash));
}

Result<SecretBytes> HkdfExpand(HkdfHash hash, ByteView prk, ByteView info, std::size_t length) {
  if (length == 0 || length > 255 * HashSize(hash)) {
    return Error(Code::kInvalidArgument, "HKDF cannot give that many bytes");
  }
  return Derive(EVP_KDF_HKDF_MODE_EXPAND_ONLY, hash, prk, OSSL_KDF_PARAM_INFO, info, length);
}

}  // namespace dare::crypto

#include "crypto/hmac_key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/secure_arena.h"

namespace dare::crypto {
namespace {

Error OpenSslFailed() { return Error(Code::kInternal, "HMAC failed inside OpenSSL"); }

}  // namespace

void HmacKey::Free::operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }

Result<HmacKey> HmacKey::Create(ByteView key) {
  if (key.empty()) return Error(Code::kInvalidArgument, "an HMAC key has at least one byte");
  static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  const LockedAllocations locked;
  Context context(EVP_MAC_CTX_new(hmac));
  if (!context || EVP_MAC_init(context.get(), key.data(), key.size(), params) != 1) {
    return OpenSslFailed();
  }
  return HmacKey(std::move(context));
}

Result<Bytes> HmacKey::Code(ByteView message) const {
  const Context context(EVP_MAC_CTX_dup(keyed_.get()));
  Bytes code(kCodeBytes);
  std::size_t written = 0;
  if (!context || EVP_MAC_update(context.get(), message.data(), message.size()) != 1 ||
      EVP_MAC_final(context.get(), code.data(), &written, code.size()) != 1 ||
      written != code.size()) {
    return OpenSslFailed();
  }
  return code;
}

}  // namespace dare::crypto

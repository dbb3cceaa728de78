#include "crypto/mac.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>
#include <string>

#include "base/secret_bytes.h"
#include "crypto/digest.h"

namespace dare::crypto {
namespace {

struct ContextFree {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

// One MAC, its parameter (digest or cipher) given by name. Fetched MACs are kept by the callers.
Result<Bytes> Compute(EVP_MAC* mac, const char* parameter, std::string name, ByteView key,
                      ByteView data, std::size_t size) {
  std::unique_ptr<EVP_MAC_CTX, ContextFree> context(EVP_MAC_CTX_new(mac));
  if (!context) return Error(Code::kExhausted, "no memory for a MAC");
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(parameter, name.data(), 0),
                               OSSL_PARAM_construct_end()};
  Bytes code(size);
  std::size_t written = 0;
  if (EVP_MAC_init(context.get(), key.data(), key.size(), params) != 1 ||
      (!data.empty() && EVP_MAC_update(context.get(), data.data(), data.size()) != 1) ||
      EVP_MAC_final(context.get(), code.data(), &written, code.size()) != 1 || written != size) {
    ERR_clear_error();
    return Error(Code::kUnsupported, name + " is not offered by the cryptographic provider");
  }
  return code;
}

}  // namespace

Result<Bytes> Hmac(HashAlgorithm hash, ByteView key, ByteView data, const AlgorithmPolicy& policy) {
  TRY(CheckHmac(policy, hash, key.size()));
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return Compute(mac, OSSL_MAC_PARAM_DIGEST, std::string(Name(hash)), key, data, DigestBytes(hash));
}

Result<Bytes> CmacAes(ByteView key, ByteView data) {
  if (key.size() != 16 && key.size() != 24 && key.size() != 32) {
    return Error(Code::kInvalidArgument,
                 "AES has no keys of " + std::to_string(key.size() * 8) + " bits");
  }
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "CMAC", nullptr);
  const std::string cipher = "AES-" + std::to_string(key.size() * 8) + "-CBC";
  return Compute(mac, OSSL_MAC_PARAM_CIPHER, cipher, key, data, 16);
}

bool MacMatches(ByteView expected, ByteView mac, std::size_t least) {
  if (mac.empty() || mac.size() < least || mac.size() > expected.size()) return false;
  return EqualInConstantTime(expected.first(mac.size()), mac);
}

}  // namespace dare::crypto

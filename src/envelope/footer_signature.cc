#include "envelope/footer_signature.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <utility>

#include "envelope/message_opener.h"

namespace dare::envelope {
namespace {

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct KeyContextDeleter {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
struct DigestContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyDeleter>;

KeyPtr KeyFromPoint(const char* group, Bytes point) {
  const std::unique_ptr<EVP_PKEY_CTX, KeyContextDeleter> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    return nullptr;
  }
  return KeyPtr(key);
}

}  // namespace

struct SignatureVerifier::State {
  KeyPtr key;
  std::unique_ptr<EVP_MD_CTX, DigestContextDeleter> digest;
};

SignatureVerifier::SignatureVerifier(std::unique_ptr<State> state) : state_(std::move(state)) {}
SignatureVerifier::SignatureVerifier(SignatureVerifier&&) noexcept = default;
SignatureVerifier& SignatureVerifier::operator=(SignatureVerifier&&) noexcept = default;
SignatureVerifier::~SignatureVerifier() = default;

Result<SignatureVerifier> SignatureVerifier::Create(FooterSignature algorithm,
                                                    const std::string& public_key) {
  const bool p256 = algorithm == FooterSignature::kEcdsaP256;
  Result<Bytes> point = FromBase64(public_key);
  const bool compressed =
      point && point->size() == (p256 ? 33u : 49u) && ((*point)[0] == 2 || (*point)[0] == 3);
  auto state = std::make_unique<State>();
  if (compressed) state->key = KeyFromPoint(p256 ? "prime256v1" : "secp384r1", *std::move(point));
  if (!state->key) return NotAuthentic();
  state->digest.reset(EVP_MD_CTX_new());
  if (!state->digest ||
      EVP_DigestVerifyInit(state->digest.get(), nullptr, p256 ? EVP_sha256() : EVP_sha384(),
                           nullptr, state->key.get()) != 1) {
    return Error(Code::kInternal, "ECDSA failed inside OpenSSL");
  }
  return SignatureVerifier(std::move(state));
}

Result<void> SignatureVerifier::Update(ByteView bytes) {
  if (EVP_DigestVerifyUpdate(state_->digest.get(), bytes.data(), bytes.size()) == 1) return {};
  return Error(Code::kInternal, "ECDSA failed inside OpenSSL");
}

Result<void> SignatureVerifier::Verify(ByteView signature) {
  if (!signature.empty() &&
      EVP_DigestVerifyFinal(state_->digest.get(), signature.data(), signature.size()) == 1) {
    return {};
  }
  return NotAuthentic();
}

}  // namespace dare::envelope

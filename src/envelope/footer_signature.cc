#include "envelope/footer_signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
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
struct NumberDeleter {
  void operator()(BIGNUM* number) const { BN_free(number); }
};
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, DigestContextDeleter>;
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

constexpr std::size_t kP384Bytes = 48;

Error EcdsaFailed() { return Error(Code::kInternal, "ECDSA failed inside OpenSSL"); }

// SEC 1, 2.3.3: 02 or 03, which tells whether y is odd, then x.
Result<std::string> CompressedPoint(const EVP_PKEY* key) {
  BIGNUM* x = nullptr;
  BIGNUM* y = nullptr;
  const bool have = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1;
  const std::unique_ptr<BIGNUM, NumberDeleter> own_x(x), own_y(y);
  Bytes point(1 + kP384Bytes);
  if (!have || BN_bn2binpad(x, point.data() + 1, kP384Bytes) != static_cast<int>(kP384Bytes)) {
    return EcdsaFailed();
  }
  point[0] = BN_is_odd(y) ? 3 : 2;
  return ToBase64(point);
}

}  // namespace

struct SignatureVerifier::State {
  KeyPtr key;
  DigestContextPtr digest;
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
    return EcdsaFailed();
  }
  return SignatureVerifier(std::move(state));
}

Result<void> SignatureVerifier::Update(ByteView bytes) {
  if (EVP_DigestVerifyUpdate(state_->digest.get(), bytes.data(), bytes.size()) == 1) return {};
  return EcdsaFailed();
}

Result<void> SignatureVerifier::Verify(ByteView signature) {
  if (!signature.empty() &&
      EVP_DigestVerifyFinal(state_->digest.get(), signature.data(), signature.size()) == 1) {
    return {};
  }
  return NotAuthentic();
}

struct SignatureMaker::State {
  KeyPtr key;
  DigestContextPtr digest;
  std::string public_key;
};

SignatureMaker::SignatureMaker(std::unique_ptr<State> state) : state_(std::move(state)) {}
SignatureMaker::SignatureMaker(SignatureMaker&&) noexcept = default;
SignatureMaker& SignatureMaker::operator=(SignatureMaker&&) noexcept = default;
SignatureMaker::~SignatureMaker() = default;

Result<SignatureMaker> SignatureMaker::Create() {
  auto state = std::make_unique<State>();
  state->key.reset(EVP_EC_gen("P-384"));
  state->digest.reset(EVP_MD_CTX_new());
  if (!state->key || !state->digest ||
      EVP_DigestSignInit(state->digest.get(), nullptr, EVP_sha384(), nullptr, state->key.get()) !=
          1) {
    return EcdsaFailed();
  }
  state->public_key = TRY(CompressedPoint(state->key.get()));
  return SignatureMaker(std::move(state));
}

const std::string& SignatureMaker::public_key() const { return state_->public_key; }

Result<void> SignatureMaker::Update(ByteView bytes) {
  if (EVP_DigestSignUpdate(state_->digest.get(), bytes.data(), bytes.size()) == 1) return {};
  return EcdsaFailed();
}

Result<Bytes> SignatureMaker::Footer() {
  std::size_t size = 0;
  if (EVP_DigestSignFinal(state_->digest.get(), nullptr, &size) != 1) return EcdsaFailed();
  Bytes footer(2 + size);
  if (EVP_DigestSignFinal(state_->digest.get(), footer.data() + 2, &size) != 1) {
    return EcdsaFailed();
  }
  footer.resize(2 + size);
  PutU16(footer.data(), static_cast<std::uint16_t>(size));
  return footer;
}

}  // namespace dare::envelope

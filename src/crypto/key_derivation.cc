#include "crypto/key_derivation.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "crypto/digest.h"
#include "crypto/fips_approval.h"
#include "crypto/fips_policy.h"
#include "crypto/openssl_handles.h"

namespace dare::crypto {
namespace {

using KdfContextPtr = std::unique_ptr<EVP_KDF_CTX, FreeWith<EVP_KDF_CTX_free>>;

OSSL_PARAM Octets(const char* name, ByteView bytes) {
  static std::uint8_t nothing = 0;  // OpenSSL takes no null, even for nothing
  std::uint8_t* const data = bytes.empty() ? &nothing : const_cast<std::uint8_t*>(bytes.data());
  return OSSL_PARAM_construct_octet_string(name, data, bytes.size());
}

Result<SecretBytes> Run(EVP_KDF* kdf, const OSSL_PARAM* params, std::size_t length) {
  const KdfContextPtr context(EVP_KDF_CTX_new(kdf));
  SecretBytes out = TRY(SecretBytes::OfSize(length));
  if (!context || EVP_KDF_derive(context.get(), out.RevealMutable().data(), length, params) != 1) {
    ERR_clear_error();
    return Error(Code::kInvalidArgument, "nothing can be derived with these parameters");
  }
  return out;
}

// One round of SP 800-108: HMAC or CMAC of up to three pieces.
Result<Bytes> Prf(const MacAlgorithm& algorithm, ByteView key,
                  std::initializer_list<ByteView> pieces, const AlgorithmPolicy& policy) {
  MacStream mac = TRY(MacStream::Begin(algorithm, key, policy));
  for (const ByteView piece : pieces) TRY(mac.Update(piece));
  return mac.Finish();
}

}  // namespace

Result<SecretBytes> Pbkdf2(HashAlgorithm hash, ByteView password, ByteView salt,
                           std::uint32_t iterations, std::size_t length) {
  static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "PBKDF2", nullptr);
  if (iterations == 0 || length == 0) {
    return Error(Code::kInvalidArgument, "PBKDF2 needs iterations and a length");
  }
  std::string name(Name(hash));
  // RFC 8018 as it is; the least lengths of SP 800-132 only where FIPS 140-3 is asked for.
  int unchecked = ConfinedToFips() ? 0 : 1;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name.data(), 0),
      Octets(OSSL_KDF_PARAM_PASSWORD, password),
      Octets(OSSL_KDF_PARAM_SALT, salt),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &iterations),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &unchecked),
      OSSL_PARAM_construct_end()};
  return Run(kdf, params, length);
}

Result<SecretBytes> Hkdf(HashAlgorithm hash, ByteView input_key, ByteView salt, ByteView info,
                         std::size_t length) {
  static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  if (length == 0 || length > 255 * DigestBytes(hash)) {
    return Error(Code::kInvalidArgument, "HKDF cannot give that many bytes");
  }
  // RFC 5869, 2.2: without salt, a hash length of zeroes.
  const Bytes zeroes(DigestBytes(hash));
  std::string name(Name(hash));
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name.data(), 0),
      Octets(OSSL_KDF_PARAM_KEY, input_key),
      Octets(OSSL_KDF_PARAM_SALT, salt.empty() ? ByteView(zeroes) : salt),
      Octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  return Run(kdf, params, length);
}

Result<SecretBytes> Kbkdf(KbkdfMode mode, const MacAlgorithm& prf, ByteView key, ByteView iv,
                          ByteView fixed_input, std::size_t length, const AlgorithmPolicy& policy) {
  SecretBytes out = TRY(SecretBytes::OfSize(length));
  MutableBytes rest = out.RevealMutable();
  Bytes before = mode == KbkdfMode::kFeedback ? ToBytes(iv) : Bytes();  // K(i-1), or A(i)
  for (std::uint32_t i = 1; !rest.empty(); ++i) {
    std::array<std::uint8_t, 4> counter{};
    PutU32(counter.data(), i);
    if (mode == KbkdfMode::kDoublePipeline) {
      before = TRY(Prf(prf, key, {i == 1 ? fixed_input : ByteView(before)}, policy));
    }
    Bytes block = TRY(Prf(prf, key, {before, counter, fixed_input}, policy));
    const std::size_t n = std::min(rest.size(), block.size());
    std::copy_n(block.begin(), n, rest.begin());
    rest = rest.subspan(n);
    if (mode == KbkdfMode::kFeedback) std::swap(before, block);
    Wipe(block);
  }
  Wipe(before);
  return out;
}

Result<SecretBytes> AwsSigningKey(ByteView secret, ByteView date, ByteView region,
                                  ByteView service) {
  constexpr std::string_view kPrefix = "AWS4", kRequest = "aws4_request";
  constexpr AlgorithmPolicy kAnyKey{true};  // the scheme fixes everything
  WipingBytes key(kPrefix.begin(), kPrefix.end());
  Append(key, secret);
  for (const ByteView step : {date, region, service, AsBytes(kRequest)}) {
    Bytes next = TRY(Hmac(HashAlgorithm::kSha256, key, step, kAnyKey));
    key.assign(next.begin(), next.end());
    Wipe(next);
  }
  return SecretBytes::CopyOf(key);
}

Result<SecretBytes> Agree(const PrivateKey& own, const PublicKey& peer) {
  if (ConfinedToFips()) TRY(RequireApproved(own.facts()));
  const Error unfit(Code::kInvalidArgument, "these keys do not agree on a secret");
  if (own.facts().family != peer.facts().family || own.facts().curve != peer.facts().curve) {
    return unfit;
  }
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, own.handle(), nullptr));
  std::size_t size = 0;
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      (own.facts().family == KeyFamily::kDh && EVP_PKEY_CTX_set_dh_pad(context.get(), 1) != 1) ||
      EVP_PKEY_derive_set_peer(context.get(), peer.handle()) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    ERR_clear_error();
    return unfit;
  }
  SecretBytes secret = TRY(SecretBytes::OfSize(size));
  if (EVP_PKEY_derive(context.get(), secret.RevealMutable().data(), &size) != 1 ||
      size != secret.size()) {
    ERR_clear_error();
    return unfit;
  }
  return secret;
}

}  // namespace dare::crypto

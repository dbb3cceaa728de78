#include "crypto/password_verifier.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <memory>
#include <utility>

#include "base/check.h"
#include "crypto/digest.h"
#include "crypto/fips_policy.h"
#include "crypto/key_wrap.h"
#include "crypto/random.h"

namespace dare::crypto {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kKeyBytes = 32;
constexpr std::uint32_t kLeastLog2Cost = 10, kMostLog2Cost = 20;

struct KdfContextDeleter {
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

// The two keys, one behind the other.
Result<SecretBytes> Scrypt(ByteView secret, ByteView salt, std::uint32_t log2_cost) {
  if (ConfinedToFips()) {
    return Error(Code::kDenied,
                 "passwords are kept by scrypt, which FIPS 140-3 does not approve, and the crypto "
                 "policy is fips");
  }
  static EVP_KDF* const scrypt = EVP_KDF_fetch(nullptr, "SCRYPT", nullptr);
  const std::unique_ptr<EVP_KDF_CTX, KdfContextDeleter> context(EVP_KDF_CTX_new(scrypt));
  std::uint64_t n = std::uint64_t{1} << log2_cost;
  std::uint32_t r = 8, p = 1;
  std::uint64_t most_memory = 256 * r * n;  // twice what it takes
  const auto octets = [](const char* name, ByteView bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                             bytes.size());
  };
  const OSSL_PARAM params[] = {
      octets(OSSL_KDF_PARAM_PASSWORD, secret),
      octets(OSSL_KDF_PARAM_SALT, salt),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &most_memory),
      OSSL_PARAM_construct_end()};
  SecretBytes keys = TRY(SecretBytes::OfSize(2 * kKeyBytes));
  if (!context ||
      EVP_KDF_derive(context.get(), keys.RevealMutable().data(), keys.size(), params) != 1) {
    return Error(Code::kInternal, "scrypt failed inside OpenSSL");
  }
  return keys;
}

Result<SecretBytes> HashOfBoth(ByteView first, ByteView second) {
  WipingBytes both(first.begin(), first.end());
  both.insert(both.end(), second.begin(), second.end());
  Sha256Digest digest = Sha256(both);
  Result<SecretBytes> hash = SecretBytes::CopyOf(digest);
  Wipe(digest);
  return hash;
}

void PutField(Bytes& out, ByteView field) {
  out.push_back(static_cast<std::uint8_t>(field.size()));
  Append(out, field);
}

Result<Bytes> TakeField(ByteView& rest) {
  if (rest.empty() || rest.size() - 1 < rest[0]) {
    return Error(Code::kDamaged, "not a password verifier");
  }
  const ByteView field = rest.subspan(1, rest[0]);
  rest = rest.subspan(1 + field.size());
  return Bytes(field.begin(), field.end());
}

}  // namespace

Bytes PasswordVerifier::Serialize() const {
  Bytes out = {kFormat, static_cast<std::uint8_t>(log2_cost)};
  PutField(out, salt);
  PutField(out, wrapped_s1);
  PutField(out, wrapped_one_time_secret);
  return out;
}

Result<PasswordVerifier> PasswordVerifier::Parse(ByteView serialized) {
  if (serialized.size() < 2 || serialized[0] != kFormat || serialized[1] < kLeastLog2Cost ||
      serialized[1] > kMostLog2Cost) {
    return Error(Code::kDamaged, "not a password verifier");
  }
  PasswordVerifier verifier;
  verifier.log2_cost = serialized[1];
  ByteView rest = serialized.subspan(2);
  verifier.salt = TRY(TakeField(rest));
  verifier.wrapped_s1 = TRY(TakeField(rest));
  verifier.wrapped_one_time_secret = TRY(TakeField(rest));
  if (!rest.empty()) return Error(Code::kDamaged, "not a password verifier");
  return verifier;
}

Result<PasswordHashes> HashPassword(std::string_view user, ByteView password) {
  PasswordHashes hashes;
  hashes.s1 = TRY(HashOfBoth(AsBytes(user), password));
  hashes.s2 = TRY(HashOfBoth(password, AsBytes(user)));
  return hashes;
}

Result<PasswordVerifier> MakePasswordVerifier(std::string_view user, ByteView password,
                                              ByteView one_time_secret, std::uint32_t log2_cost) {
  if (log2_cost < kLeastLog2Cost || log2_cost > kMostLog2Cost) {
    return Error(Code::kInvalidArgument, "not a cost for scrypt");
  }
  if (!one_time_secret.empty() && (one_time_secret.size() < 10 || one_time_secret.size() > 64)) {
    return Error(Code::kInvalidArgument, "the secret of one-time passwords has 10 to 64 bytes");
  }
  const PasswordHashes hashes = TRY(HashPassword(user, password));
  PasswordVerifier verifier;
  verifier.log2_cost = log2_cost;
  verifier.salt.resize(kSaltBytes);
  TRY(RandomBytes(verifier.salt));
  const SecretBytes keys = TRY(Scrypt(hashes.s2.Reveal(), verifier.salt, log2_cost));
  verifier.wrapped_s1 =
      TRY(WrapKey(KeyWrapMode::kAesKw, keys.Reveal().first(kKeyBytes), hashes.s1.Reveal()));
  if (!one_time_secret.empty()) {
    verifier.wrapped_one_time_secret =
        TRY(WrapKey(KeyWrapMode::kAesKwp, keys.Reveal().last(kKeyBytes), one_time_secret));
  }
  return verifier;
}

Result<OpenedVerifier> OpenPasswordVerifier(const PasswordVerifier& verifier, ByteView s2) {
  const SecretBytes keys = TRY(Scrypt(s2, verifier.salt, verifier.log2_cost));
  Result<SecretBytes> s1 =
      UnwrapKey(KeyWrapMode::kAesKw, keys.Reveal().first(kKeyBytes), verifier.wrapped_s1);
  if (!s1) {
    if (s1.error().code == Code::kExhausted) return s1.error();
    return Error(Code::kUnauthenticated, "authentication failed");
  }
  OpenedVerifier opened;
  opened.s1 = std::move(*s1);
  if (!verifier.wrapped_one_time_secret.empty()) {
    opened.one_time_secret = TRY(UnwrapKey(KeyWrapMode::kAesKwp, keys.Reveal().last(kKeyBytes),
                                           verifier.wrapped_one_time_secret));
  }
  return opened;
}

const PasswordVerifier& NobodysVerifier() {
  // What it "wraps" unwraps under no key that anybody could name.
  static const PasswordVerifier verifier{.salt = Bytes(kSaltBytes, 0x5A),
                                         .log2_cost = kPasswordLog2Cost,
                                         .wrapped_s1 = Bytes(kKeyBytes + 8, 0xA5),
                                         .wrapped_one_time_secret = {}};
  return verifier;
}

Bytes PasswordProof(ByteView s1, std::int64_t time_stamp) {
  WipingBytes both(s1.begin(), s1.end());
  std::uint8_t time[8];
  PutU64(time, static_cast<std::uint64_t>(time_stamp));
  both.insert(both.end(), std::begin(time), std::end(time));
  const Sha256Digest digest = Sha256(both);
  return {digest.begin(), digest.end()};
}

Bytes ServerPasswordProof(ByteView s1, ByteView s2, std::int64_t time_stamp) {
  const Sha256Digest hash_of_s2 = Sha256(s2);
  WipingBytes all(8);
  PutU64(all.data(), static_cast<std::uint64_t>(time_stamp));
  all.insert(all.end(), s1.begin(), s1.end());
  all.insert(all.end(), hash_of_s2.begin(), hash_of_s2.end());
  const Sha256Digest digest = Sha256(all);
  return {digest.begin(), digest.end()};
}

//= RFC 4226 5.3
//# Snum = StToNum(Sbits), D = Snum mod 10^Digit
std::string TotpCode(ByteView secret, std::int64_t step) {
  std::uint8_t counter[8];
  PutU64(counter, static_cast<std::uint64_t>(step));
  std::uint8_t code[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  CHECK(HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()), counter, sizeof counter,
             code, &length) != nullptr);
  const std::size_t offset = code[length - 1] & 0x0F;
  const std::uint32_t number = (GetU32(code + offset) & 0x7FFFFFFF) % 1'000'000;
  std::string digits = std::to_string(number);
  return std::string(6 - digits.size(), '0') + digits;
}

}  // namespace dare::crypto

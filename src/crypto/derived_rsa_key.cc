#include "crypto/derived_rsa_key.h"

#include <openssl/bn.h>
#include <openssl/err.h>

#include <cstdint>
#include <utility>

#include "crypto/hkdf.h"
#include "crypto/openssl_handles.h"
#include "crypto/rsa_completion.h"

namespace dare::crypto {
namespace {

constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kPrimeBytes = 192;
constexpr unsigned long kExponent = 65537;
// FIPS 186-5, A.1.3: |p - q| > 2^(nlen/2 - 100).
constexpr int kLeastDistanceBits = static_cast<int>(kPrimeBytes) * 8 - 100;

Error Failed() {
  ERR_clear_error();
  return Error(Code::kInternal, "OpenSSL refused to compute");
}

// The numbers that HKDF gives, one after the other, and which of them are primes.
class Candidates {
 public:
  static Result<Candidates> Of(const SecretBytes& seed, std::string_view label) {
    Candidates candidates;
    candidates.prk_ = TRY(HkdfExtract(HkdfHash::kSha256, AsBytes(label), seed.Reveal()));
    candidates.label_ = ToBytes(AsBytes(label));
    candidates.context_.reset(BN_CTX_secure_new());
    if (!candidates.context_) return Failed();
    return candidates;
  }

  Result<BnPtr> NextPrime() {
    for (;;) {
      BnPtr number = TRY(Next());
      // p - 1 and the public exponent, which is a prime, have no factor in common.
      const BN_ULONG rest = BN_mod_word(number.get(), kExponent);
      if (rest == static_cast<BN_ULONG>(-1)) return Failed();
      if (rest <= 1) continue;
      const int prime = BN_check_prime(number.get(), context_.get(), nullptr);
      if (prime < 0) return Failed();
      if (prime == 1) return number;
    }
  }

  Result<Bytes> Product(const BIGNUM* p, const BIGNUM* q) {
    const BnPtr product(BN_new());
    if (!product || BN_mul(product.get(), p, q, context_.get()) != 1) return Failed();
    Bytes bytes(2 * kPrimeBytes);
    if (BN_bn2binpad(product.get(), bytes.data(), 2 * kPrimeBytes) < 0) return Failed();
    return bytes;
  }

 private:
  Result<BnPtr> Next() {
    Bytes info = label_;
    for (int shift = 24; shift >= 0; shift -= 8) {
      info.push_back(static_cast<std::uint8_t>(count_ >> shift));
    }
    ++count_;
    SecretBytes bytes = TRY(HkdfExpand(HkdfHash::kSha256, prk_.Reveal(), info, kPrimeBytes));
    const auto room = bytes.RevealMutable();
    room.front() |= 0xC0;  // so that the product of two has all its bits
    room.back() |= 1;
    BnPtr number(BN_secure_new());
    if (!number || BN_bin2bn(room.data(), static_cast<int>(room.size()), number.get()) == nullptr) {
      return Failed();
    }
    return number;
  }

  SecretBytes prk_;
  Bytes label_;
  std::uint32_t count_ = 0;
  BnContextPtr context_;
};

Result<SecretBytes> BytesOf(const BIGNUM* number) {
  SecretBytes bytes = TRY(SecretBytes::OfSize(kPrimeBytes));
  if (BN_bn2binpad(number, bytes.RevealMutable().data(), kPrimeBytes) < 0) return Failed();
  return bytes;
}

Result<bool> FarApart(const BIGNUM* p, const BIGNUM* q) {
  const BnPtr distance(BN_secure_new());
  if (!distance || BN_sub(distance.get(), p, q) != 1) return Failed();
  return BN_num_bits(distance.get()) > kLeastDistanceBits;
}

}  // namespace

Result<RsaNumbers> DeriveRsaKey(const SecretBytes& seed, std::string_view label) {
  if (seed.size() < kSeedBytes || label.empty()) {
    return Error(Code::kInvalidArgument, "a key is derived from a label and 32 bytes at least");
  }
  Candidates candidates = TRY(Candidates::Of(seed, label));
  BnPtr p = TRY(candidates.NextPrime());
  BnPtr q = TRY(candidates.NextPrime());
  while (!TRY(FarApart(p.get(), q.get()))) q = TRY(candidates.NextPrime());
  if (BN_cmp(p.get(), q.get()) < 0) std::swap(p, q);
  RsaNumbers numbers;
  numbers.modulus = TRY(candidates.Product(p.get(), q.get()));
  numbers.public_exponent = {1, 0, 1};
  numbers.p = TRY(BytesOf(p.get()));
  numbers.q = TRY(BytesOf(q.get()));
  return CompleteRsa(numbers);
}

}  // namespace dare::crypto

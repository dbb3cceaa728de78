#include "crypto/rsa_completion.h"

#include <openssl/err.h>

#include <array>
#include <utility>

#include "crypto/openssl_handles.h"

namespace dare::crypto {
namespace {

Error NotComplete() {
  ERR_clear_error();
  return Error(Code::kInvalidArgument, "these numbers do not determine an RSA private key");
}

// Looking for the public exponent of larger keys takes seconds.
constexpr int kMostBitsToSearch = 4096;

BnPtr Secure() { return BnPtr(BN_secure_new()); }

BnPtr Number(ByteView bytes) {
  BnPtr number = Secure();
  if (!number || bytes.empty()) return nullptr;
  if (BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number.get()) == nullptr) {
    return nullptr;
  }
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

// All numbers of a key as far as they are known.
struct Numbers {
  BnPtr n, e, d, p, q, dp, dq, coefficient;
};

// The factors of n, from a multiple of λ(n): NIST SP 800-56B rev. 2, appendix C.
class Factoring {
 public:
  explicit Factoring(BN_CTX* context) : context_(context) {}

  bool Factor(const BIGNUM* n, const BIGNUM* e, const BIGNUM* d, Numbers& out) {
    const BnPtr odd = Secure();
    out.p = Secure();
    out.q = Secure();
    if (!odd || !out.p || !out.q || BN_mul(odd.get(), d, e, context_) != 1 ||
        BN_sub_word(odd.get(), 1) != 1 || BN_is_zero(odd.get()) || BN_is_odd(odd.get())) {
      return false;
    }
    int twos = 0;
    while (!BN_is_odd(odd.get())) {
      if (BN_rshift1(odd.get(), odd.get()) != 1) return false;
      ++twos;
    }
    static constexpr std::array<BN_ULONG, 30> kBases = {
        2,  3,  5,  7,  11, 13, 17, 19, 23, 29, 31,  37,  41,  43,  47,
        53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113};
    for (const BN_ULONG base : kBases) {
      const Outcome outcome = Try(n, base, odd.get(), twos, out);
      if (outcome != Outcome::kAgain) return outcome == Outcome::kFound;
    }
    return false;
  }

 private:
  enum class Outcome { kFound, kAgain, kNever };

  Outcome Try(const BIGNUM* n, BN_ULONG base, const BIGNUM* odd, int twos, Numbers& out) {
    const BnPtr x = Secure();
    const BnPtr root = Secure();
    const BnPtr last = Secure();
    if (!x || !root || !last || BN_set_word(root.get(), base) != 1 ||
        BN_copy(last.get(), n) == nullptr || BN_sub_word(last.get(), 1) != 1 ||
        BN_mod_exp(x.get(), root.get(), odd, n, context_) != 1) {
      return Outcome::kNever;
    }
    if (BN_is_one(x.get()) || BN_cmp(x.get(), last.get()) == 0) return Outcome::kAgain;
    for (int i = 0; i < twos; ++i) {
      if (BN_copy(root.get(), x.get()) == nullptr ||
          BN_mod_sqr(x.get(), root.get(), n, context_) != 1) {
        return Outcome::kNever;
      }
      if (BN_is_one(x.get())) return Split(n, root.get(), out);
      if (BN_cmp(x.get(), last.get()) == 0) return Outcome::kAgain;
    }
    return Outcome::kNever;  // d and e do not belong together
  }

  // `root` is a square root of one, neither 1 nor −1.
  Outcome Split(const BIGNUM* n, BIGNUM* root, Numbers& out) {
    const BnPtr rest = Secure();
    if (!rest || BN_sub_word(root, 1) != 1 || BN_gcd(out.p.get(), root, n, context_) != 1 ||
        BN_div(out.q.get(), rest.get(), n, out.p.get(), context_) != 1 || !BN_is_zero(rest.get())) {
      return Outcome::kNever;
    }
    if (BN_cmp(out.p.get(), out.q.get()) < 0) std::swap(out.p, out.q);
    return Outcome::kFound;
  }

  BN_CTX* const context_;
};

bool FindPrimes(Numbers& numbers, BN_CTX* context) {
  if (numbers.p && numbers.q) return true;
  if (!numbers.d) return false;
  Factoring factoring(context);
  if (numbers.e)
    return factoring.Factor(numbers.n.get(), numbers.e.get(), numbers.d.get(), numbers);
  if (BN_num_bits(numbers.n.get()) > kMostBitsToSearch) return false;
  static constexpr std::array<BN_ULONG, 5> kUsualExponents = {65537, 3, 17, 5, 257};
  for (const BN_ULONG usual : kUsualExponents) {
    BnPtr e = Secure();
    if (!e || BN_set_word(e.get(), usual) != 1) return false;
    if (!factoring.Factor(numbers.n.get(), e.get(), numbers.d.get(), numbers)) continue;
    numbers.e = std::move(e);
    return true;
  }
  return false;
}

BnPtr LessOne(const BIGNUM* prime) {
  BnPtr less(BN_dup(prime));
  if (less) BN_set_flags(less.get(), BN_FLG_CONSTTIME);
  return less && BN_sub_word(less.get(), 1) == 1 ? std::move(less) : nullptr;
}

BnPtr Inverse(const BIGNUM* of, const BIGNUM* modulus, BN_CTX* context) {
  BnPtr inverse = Secure();
  const bool made = inverse && BN_mod_inverse(inverse.get(), of, modulus, context) != nullptr;
  return made ? std::move(inverse) : nullptr;
}

// Each exponent from the other, modulo lcm(p−1, q−1).
bool FindExponents(Numbers& numbers, const BIGNUM* p1, const BIGNUM* q1, BN_CTX* context) {
  if (numbers.d && numbers.e) return true;
  const BnPtr phi = Secure();
  const BnPtr shared = Secure();
  const BnPtr lambda = Secure();
  if (!phi || !shared || !lambda || BN_mul(phi.get(), p1, q1, context) != 1 ||
      BN_gcd(shared.get(), p1, q1, context) != 1 ||
      BN_div(lambda.get(), nullptr, phi.get(), shared.get(), context) != 1) {
    return false;
  }
  BN_set_flags(lambda.get(), BN_FLG_CONSTTIME);
  if (numbers.e) {
    numbers.d = Inverse(numbers.e.get(), lambda.get(), context);
  } else if (numbers.d) {
    numbers.e = Inverse(numbers.d.get(), lambda.get(), context);
  }
  return numbers.d && numbers.e;
}

BnPtr Reduced(const BIGNUM* number, const BIGNUM* modulus, BN_CTX* context) {
  BnPtr rest = Secure();
  const bool made = rest && BN_mod(rest.get(), number, modulus, context) == 1;
  return made ? std::move(rest) : nullptr;
}

bool Complete(Numbers& numbers, BN_CTX* context) {
  if (!numbers.n || !BN_is_odd(numbers.n.get()) || !FindPrimes(numbers, context)) return false;
  const BnPtr p1 = LessOne(numbers.p.get());
  const BnPtr q1 = LessOne(numbers.q.get());
  if (!p1 || !q1 || BN_is_zero(p1.get()) || BN_is_zero(q1.get())) return false;
  if (!FindExponents(numbers, p1.get(), q1.get(), context)) return false;
  if (!numbers.dp) numbers.dp = Reduced(numbers.d.get(), p1.get(), context);
  if (!numbers.dq) numbers.dq = Reduced(numbers.d.get(), q1.get(), context);
  if (!numbers.coefficient) {
    numbers.coefficient = Inverse(numbers.q.get(), numbers.p.get(), context);
  }
  return numbers.dp && numbers.dq && numbers.coefficient;
}

// a * b ≡ 1 modulo m.
bool AreInverse(const BIGNUM* a, const BIGNUM* b, const BIGNUM* m, BN_CTX* context) {
  const BnPtr product = Secure();
  return product && BN_mod_mul(product.get(), a, b, m, context) == 1 && BN_is_one(product.get());
}

bool IsReduced(const BIGNUM* part, const BIGNUM* whole, const BIGNUM* modulus, BN_CTX* context) {
  const BnPtr rest = Reduced(whole, modulus, context);
  return rest && BN_cmp(rest.get(), part) == 0;
}

// `less` is prime − 1.
bool PassesFermat(const BIGNUM* prime, const BIGNUM* less, BN_CTX* context) {
  constexpr int kBases = 4;
  const BnPtr base(BN_new());
  const BnPtr power = Secure();
  if (!base || !power) return false;
  for (int i = 0; i < kBases; ++i) {
    if (BN_rand_range(base.get(), less) != 1 || BN_add_word(base.get(), 1) != 1 ||
        BN_mod_exp(power.get(), base.get(), less, prime, context) != 1 || !BN_is_one(power.get())) {
      return false;
    }
  }
  return true;
}

bool Fit(const Numbers& key, BN_CTX* context) {
  const BnPtr product = Secure();
  if (!key.n || !key.e || !key.d || !key.p || !key.q || !key.dp || !key.dq || !key.coefficient ||
      !product) {
    return false;
  }
  if (!BN_is_odd(key.p.get()) || !BN_is_odd(key.q.get()) || !BN_is_odd(key.e.get()) ||
      BN_is_one(key.e.get()) || BN_cmp(key.p.get(), key.q.get()) == 0 ||
      BN_mul(product.get(), key.p.get(), key.q.get(), context) != 1 ||
      BN_cmp(product.get(), key.n.get()) != 0) {
    return false;
  }
  const BnPtr p1 = LessOne(key.p.get());
  const BnPtr q1 = LessOne(key.q.get());
  return p1 && q1 && !BN_is_zero(p1.get()) && !BN_is_zero(q1.get()) &&
         AreInverse(key.e.get(), key.d.get(), p1.get(), context) &&
         AreInverse(key.e.get(), key.d.get(), q1.get(), context) &&
         AreInverse(key.coefficient.get(), key.q.get(), key.p.get(), context) &&
         IsReduced(key.dp.get(), key.d.get(), p1.get(), context) &&
         IsReduced(key.dq.get(), key.d.get(), q1.get(), context) &&
         PassesFermat(key.p.get(), p1.get(), context) &&
         PassesFermat(key.q.get(), q1.get(), context);
}

Numbers Read(const RsaNumbers& given) {
  Numbers numbers;
  numbers.n = Number(given.modulus);
  numbers.e = Number(given.public_exponent);
  numbers.d = Number(given.private_exponent.Reveal());
  numbers.p = Number(given.p.Reveal());
  numbers.q = Number(given.q.Reveal());
  numbers.dp = Number(given.exponent_p.Reveal());
  numbers.dq = Number(given.exponent_q.Reveal());
  numbers.coefficient = Number(given.coefficient.Reveal());
  return numbers;
}

Result<SecretBytes> SecretOf(const BnPtr& number) {
  SecretBytes bytes =
      TRY(SecretBytes::OfSize(static_cast<std::size_t>(BN_num_bytes(number.get()))));
  BN_bn2bin(number.get(), bytes.RevealMutable().data());
  return bytes;
}

}  // namespace

Result<RsaNumbers> CompleteRsa(const RsaNumbers& given) {
  const BnContextPtr context(BN_CTX_secure_new());
  if (!context) return Error(Code::kExhausted, "no memory for a key");
  Numbers numbers = Read(given);
  if (!Complete(numbers, context.get())) return NotComplete();
  RsaNumbers whole;
  whole.modulus = given.modulus;
  whole.public_exponent.resize(static_cast<std::size_t>(BN_num_bytes(numbers.e.get())));
  BN_bn2bin(numbers.e.get(), whole.public_exponent.data());
  whole.private_exponent = TRY(SecretOf(numbers.d));
  whole.p = TRY(SecretOf(numbers.p));
  whole.q = TRY(SecretOf(numbers.q));
  whole.exponent_p = TRY(SecretOf(numbers.dp));
  whole.exponent_q = TRY(SecretOf(numbers.dq));
  whole.coefficient = TRY(SecretOf(numbers.coefficient));
  return whole;
}

bool FitTogether(const RsaNumbers& key) {
  const BnContextPtr context(BN_CTX_secure_new());
  const bool fit = context && Fit(Read(key), context.get());
  ERR_clear_error();
  return fit;
}

}  // namespace dare::crypto

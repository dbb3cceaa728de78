#include "crypto/prime_field_sharing.h"

#include <openssl/bn.h>
#include <openssl/err.h>

#include <utility>

#include "crypto/openssl_handles.h"

namespace dare::crypto {
namespace {

constexpr std::size_t kMostPrimeBytes = 264;     // testing a greater one would take seconds
constexpr std::size_t kMostOwnPrimeBytes = 128;  // of a prime that is looked for here

using MontPtr = std::unique_ptr<BN_MONT_CTX, FreeWith<BN_MONT_CTX_free>>;

Error Failed() {
  ERR_clear_error();
  return Error(Code::kInternal, "OpenSSL refused to compute");
}
Error DoNotJoin() { return Error(Code::kDamaged, "these parts do not open the secret"); }

// Numbers modulo the prime, in Montgomery's form: BN_mod_mul_montgomery and BN_mod_add_quick run in
// time that depends on the size of the prime only.
class Field {
 public:
  static Result<Field> Of(ByteView prime) {
    Field field;
    field.context_.reset(BN_CTX_secure_new());
    field.prime_.reset(BN_bin2bn(prime.data(), static_cast<int>(prime.size()), nullptr));
    field.mont_.reset(BN_MONT_CTX_new());
    if (!field.context_ || !field.prime_ || !field.mont_ ||
        BN_MONT_CTX_set(field.mont_.get(), field.prime_.get(), field.context_.get()) != 1) {
      return Failed();
    }
    field.bytes_ = static_cast<std::size_t>(BN_num_bytes(field.prime_.get()));
    return field;
  }

  std::size_t bytes() const { return bytes_; }
  const BIGNUM* prime() const { return prime_.get(); }
  BN_CTX* context() { return context_.get(); }

  // A secret number in Montgomery's form; nothing when it is not below the prime.
  BnPtr Load(ByteView bytes) {
    BnPtr number(BN_secure_new());
    if (!number ||
        BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number.get()) == nullptr ||
        BN_cmp(number.get(), prime_.get()) >= 0) {
      return nullptr;
    }
    BN_set_flags(number.get(), BN_FLG_CONSTTIME);
    return Enter(std::move(number));
  }
  BnPtr Word(std::uint32_t value) {
    BnPtr number(BN_new());
    if (!number || BN_set_word(number.get(), value) != 1) return nullptr;
    return Enter(std::move(number));
  }
  bool Multiply(BIGNUM* out, const BIGNUM* a, const BIGNUM* b) {
    return BN_mod_mul_montgomery(out, a, b, mont_.get(), context_.get()) == 1;
  }
  bool Add(BIGNUM* out, const BIGNUM* a, const BIGNUM* b) {
    return BN_mod_add_quick(out, a, b, prime_.get()) == 1;
  }
  // Back to an ordinary number.
  bool Leave(BIGNUM* number) {
    return BN_from_montgomery(number, number, mont_.get(), context_.get()) == 1;
  }

 private:
  BnPtr Enter(BnPtr number) {
    if (BN_to_montgomery(number.get(), number.get(), mont_.get(), context_.get()) != 1) {
      return nullptr;
    }
    return number;
  }

  BnContextPtr context_;
  BnPtr prime_;
  MontPtr mont_;
  std::size_t bytes_ = 0;
};

// A number below the prime, each as likely as any other: drawn until one fits.
Result<BnPtr> RandomBelow(Field& field, const RandomSource& random) {
  const int bits = BN_num_bits(field.prime());
  for (int tries = 0; tries < 256; ++tries) {
    SecretBytes bytes = TRY(random.Secret(field.bytes()));
    bytes.RevealMutable()[0] &= static_cast<std::uint8_t>(0xFF >> ((8 - bits % 8) % 8));
    if (BnPtr number = field.Load(bytes.Reveal())) return number;
  }
  return Error(Code::kInternal, "the random generator gives no number below the prime");
}

Result<SecretBytes> Store(const BIGNUM* number, std::size_t bytes) {
  SecretBytes out = TRY(SecretBytes::OfSize(bytes));
  if (BN_bn2binpad(number, out.RevealMutable().data(), static_cast<int>(bytes)) < 0) {
    ERR_clear_error();
    return DoNotJoin();
  }
  return out;
}

// What a part counts for at 0 (Lagrange), in Montgomery's form. Of public numbers only.
Result<BnPtr> Weight(Field& field, std::span<const SecretPart> parts, std::size_t of) {
  BnPtr over(BN_new()), under(BN_new()), factor(BN_new());
  if (!over || !under || !factor || BN_one(over.get()) != 1 || BN_one(under.get()) != 1) {
    return Failed();
  }
  for (std::size_t j = 0; j < parts.size(); ++j) {
    if (j == of) continue;
    const bool below = parts[j].identifier < parts[of].identifier;
    const std::uint32_t distance = below ? parts[of].identifier - parts[j].identifier
                                         : parts[j].identifier - parts[of].identifier;
    BN_set_word(factor.get(), parts[j].identifier);
    if (BN_mod_mul(over.get(), over.get(), factor.get(), field.prime(), field.context()) != 1) {
      return Failed();
    }
    BN_set_word(factor.get(), distance);
    if (below && BN_sub(factor.get(), field.prime(), factor.get()) != 1) return Failed();
    if (BN_mod_mul(under.get(), under.get(), factor.get(), field.prime(), field.context()) != 1) {
      return Failed();
    }
  }
  if (BN_mod_inverse(under.get(), under.get(), field.prime(), field.context()) == nullptr ||
      BN_mod_mul(over.get(), over.get(), under.get(), field.prime(), field.context()) != 1) {
    return Failed();
  }
  Bytes bytes(field.bytes());
  BN_bn2binpad(over.get(), bytes.data(), static_cast<int>(bytes.size()));
  BnPtr weight = field.Load(bytes);
  if (!weight) return Failed();
  return weight;
}

}  // namespace

Result<void> CheckPrime(const SharingScheme& scheme) {
  const Error wrong(Code::kInvalidArgument, "a prime field needs a prime above its parts");
  if (scheme.prime.empty() || scheme.prime.size() > kMostPrimeBytes) return wrong;
  const BnPtr prime(BN_bin2bn(scheme.prime.data(), static_cast<int>(scheme.prime.size()), nullptr));
  const BnContextPtr context(BN_CTX_new());
  if (!prime || !context) return Failed();
  if (BN_num_bits(prime.get()) < 9 || !BN_is_odd(prime.get()) ||
      BN_check_prime(prime.get(), context.get(), nullptr) != 1) {
    ERR_clear_error();
    return wrong;
  }
  return {};
}

Result<Bytes> MakeSharingPrime(std::size_t secret_bytes) {
  if (secret_bytes == 0 || secret_bytes > kMostOwnPrimeBytes) {
    return Error(Code::kInvalidArgument, "the prime for a secret of this length must be given");
  }
  const BnPtr prime(BN_new());
  const int bits = static_cast<int>(secret_bytes) * 8 + 1;
  if (!prime || BN_generate_prime_ex(prime.get(), bits, 0, nullptr, nullptr, nullptr) != 1) {
    return Failed();
  }
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(prime.get())));
  BN_bn2bin(prime.get(), bytes.data());
  return bytes;
}

Result<std::vector<SecretPart>> SplitInPrimeField(const SharingScheme& scheme, ByteView secret,
                                                  const RandomSource& random) {
  Field field = TRY(Field::Of(scheme.prime));
  //= kmip-2.1 13.1 Split Key Algorithms
  //# Prime Field Size is a prime bigger than 2^L
  if (static_cast<std::size_t>(BN_num_bits(field.prime())) <= secret.size() * 8) {
    return Error(Code::kInvalidArgument, "the prime is too small for the secret");
  }
  std::vector<BnPtr> coefficients;
  coefficients.push_back(field.Load(secret));
  if (!coefficients[0]) return Failed();
  while (coefficients.size() < scheme.threshold) {
    coefficients.push_back(TRY(RandomBelow(field, random)));
  }
  std::vector<SecretPart> parts;
  for (std::uint32_t i = 1; i <= scheme.parts; ++i) {
    const BnPtr x = field.Word(i), value = field.Word(0);
    if (!x || !value) return Failed();
    for (auto coefficient = coefficients.rbegin(); coefficient != coefficients.rend();
         ++coefficient) {
      if (!field.Multiply(value.get(), value.get(), x.get()) ||
          !field.Add(value.get(), value.get(), coefficient->get())) {
        return Failed();
      }
    }
    if (!field.Leave(value.get())) return Failed();
    SecretPart& part = parts.emplace_back();
    part.identifier = i;
    part.bytes = TRY(Store(value.get(), field.bytes()));
  }
  return parts;
}

Result<SecretBytes> JoinInPrimeField(const SharingScheme& scheme, std::span<const SecretPart> parts,
                                     std::size_t secret_bytes) {
  Field field = TRY(Field::Of(scheme.prime));
  const BnPtr sum = field.Word(0), product(BN_secure_new());
  if (!sum || !product) return Failed();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].bytes.size() != field.bytes()) return DoNotJoin();
    const BnPtr value = field.Load(parts[i].bytes.Reveal());
    if (!value) return DoNotJoin();
    const BnPtr weight = TRY(Weight(field, parts, i));
    if (!field.Multiply(product.get(), value.get(), weight.get()) ||
        !field.Add(sum.get(), sum.get(), product.get())) {
      return Failed();
    }
  }
  if (!field.Leave(sum.get())) return Failed();
  return Store(sum.get(), secret_bytes);
}

}  // namespace dare::crypto

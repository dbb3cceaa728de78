#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <array>
#include <utility>

#include "crypto/asymmetric_facts.h"
#include "crypto/asymmetric_key.h"
#include "crypto/openssl_handles.h"
#include "crypto/rsa_completion.h"

// Keys as the numbers they consist of, in and out.
namespace dare::crypto {
namespace {

Error Unsound(std::string_view why) {
  ERR_clear_error();
  return Error(Code::kInvalidArgument, "no sound key: " + std::string(why));
}

constexpr std::size_t kMostNumberBytes = kMostRsaBits / 8 + 8;

Result<void> CheckNumber(ByteView number) {
  if (number.size() <= kMostNumberBytes) return {};
  return Error(Code::kUnsupported, "a number of this key is too large");
}

// Collects a key's numbers for EVP_PKEY_fromdata.
class KeyData {
 public:
  KeyData() : builder_(OSSL_PARAM_BLD_new()) { good_ = builder_ != nullptr; }

  // Absent numbers are left out.
  KeyData& Open(const char* name, ByteView number) { return Add(name, number, false); }
  KeyData& Secret(const char* name, const SecretBytes& number) {
    return Add(name, number.Reveal(), true);
  }
  KeyData& Text(const char* name, const std::string& text) {
    good_ = good_ && OSSL_PARAM_BLD_push_utf8_string(builder_.get(), name, text.c_str(), 0) == 1;
    return *this;
  }
  KeyData& Octets(const char* name, ByteView octets) {
    if (octets.empty()) return *this;
    good_ = good_ && OSSL_PARAM_BLD_push_octet_string(builder_.get(), name, octets.data(),
                                                      octets.size()) == 1;
    return *this;
  }

  Result<PkeyPtr> Make(const char* type, int selection) {
    const ParamsPtr params(good_ ? OSSL_PARAM_BLD_to_param(builder_.get()) : nullptr);
    const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    if (!params || !context) {
      ERR_clear_error();
      return Error(Code::kExhausted, "no memory for a key");
    }
    EVP_PKEY* made = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, selection, params.get()) != 1) {
      return Unsound("OpenSSL refused its numbers");
    }
    return PkeyPtr(made);
  }

 private:
  KeyData& Add(const char* name, ByteView number, bool secret) {
    if (number.empty() || !good_) return *this;
    numbers_.emplace_back(secret ? BN_secure_new() : BN_new());
    BIGNUM* const bn = numbers_.back().get();
    good_ = bn != nullptr &&
            BN_bin2bn(number.data(), static_cast<int>(number.size()), bn) != nullptr &&
            OSSL_PARAM_BLD_push_BN(builder_.get(), name, bn) == 1;
    return *this;
  }

  ParamsBuilderPtr builder_;
  std::vector<BnPtr> numbers_;  // the builder borrows them until the end
  bool good_ = false;
};

// One number of a key; null where the key has none of this name.
BnPtr Fetch(evp_pkey_st* key, const char* name) {
  BIGNUM* number = nullptr;
  const bool there = EVP_PKEY_get_bn_param(key, name, &number) == 1;
  ERR_clear_error();
  BnPtr owned(number);
  return there ? std::move(owned) : nullptr;
}

Bytes OpenNumber(evp_pkey_st* key, const char* name) {
  const BnPtr number = Fetch(key, name);
  if (!number) return {};
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return bytes;
}

Result<SecretBytes> SecretNumber(evp_pkey_st* key, const char* name) {
  const BnPtr number = Fetch(key, name);
  if (!number) return SecretBytes();
  SecretBytes bytes =
      TRY(SecretBytes::OfSize(static_cast<std::size_t>(BN_num_bytes(number.get()))));
  BN_bn2bin(number.get(), bytes.RevealMutable().data());
  return bytes;
}

Error NotOf(KeyFamily family) {
  return Error(Code::kUnsupported, "no such numbers in a key for " + std::string(Name(family)));
}

EcGroupPtr CurveGroup(const std::string& curve) {
  return EcGroupPtr(EC_GROUP_new_by_curve_name(OBJ_sn2nid(curve.c_str())));
}

// The public point of a scalar.
Result<Bytes> PointOf(const std::string& curve, const SecretBytes& scalar) {
  const EcGroupPtr group = CurveGroup(curve);
  const BnContextPtr context(BN_CTX_secure_new());
  const BnPtr d(BN_secure_new());
  const EcPointPtr point(group ? EC_POINT_new(group.get()) : nullptr);
  if (!context || !d || !point ||
      BN_bin2bn(scalar.Reveal().data(), static_cast<int>(scalar.size()), d.get()) == nullptr) {
    ERR_clear_error();
    return Error(Code::kExhausted, "no memory for a key");
  }
  BN_set_flags(d.get(), BN_FLG_CONSTTIME);
  const bool in_range =
      !BN_is_zero(d.get()) && BN_cmp(d.get(), EC_GROUP_get0_order(group.get())) < 0;
  if (!in_range ||
      EC_POINT_mul(group.get(), point.get(), d.get(), nullptr, nullptr, context.get()) != 1) {
    return Unsound("the scalar is not of this curve");
  }
  std::uint8_t* octets = nullptr;
  const std::size_t size =
      EC_POINT_point2buf(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, &octets, nullptr);
  if (size == 0) return Unsound("no point");
  Bytes bytes(octets, octets + size);
  OPENSSL_free(octets);
  return bytes;
}

Result<Bytes> InForm(const std::string& curve, ByteView octets, PointForm form) {
  const EcGroupPtr group = CurveGroup(curve);
  const EcPointPtr point(group ? EC_POINT_new(group.get()) : nullptr);
  if (!point ||
      EC_POINT_oct2point(group.get(), point.get(), octets.data(), octets.size(), nullptr) != 1) {
    return Unsound("not a point of this curve");
  }
  const auto conversion = form == PointForm::kUncompressed ? POINT_CONVERSION_UNCOMPRESSED
                          : form == PointForm::kCompressed ? POINT_CONVERSION_COMPRESSED
                                                           : POINT_CONVERSION_HYBRID;
  std::uint8_t* made = nullptr;
  const std::size_t size = EC_POINT_point2buf(group.get(), point.get(), conversion, &made, nullptr);
  if (size == 0) return Unsound("no point");
  Bytes bytes(made, made + size);
  OPENSSL_free(made);
  return bytes;
}

Result<Bytes> PointOfKey(evp_pkey_st* key, const std::string& curve, PointForm form) {
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0, &size) != 1) {
    return Unsound("no public point");
  }
  Bytes octets(size);
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size(),
                                      &size) != 1) {
    return Unsound("no public point");
  }
  octets.resize(size);
  return InForm(curve, octets, form);
}

bool IsOctetFamily(KeyFamily family) {
  return family == KeyFamily::kEd25519 || family == KeyFamily::kEd448 ||
         family == KeyFamily::kX25519 || family == KeyFamily::kX448;
}

Result<void> CheckGroup(const GroupNumbers& numbers) {
  if (numbers.family != KeyFamily::kDsa && numbers.family != KeyFamily::kDh) {
    return NotOf(numbers.family);
  }
  if (numbers.p.empty() || numbers.g.empty()) return Unsound("p and g are needed");
  if (numbers.family == KeyFamily::kDsa && numbers.q.empty()) return Unsound("DSA needs q");
  for (const Bytes* number :
       {&numbers.p, &numbers.q, &numbers.g, &numbers.cofactor, &numbers.public_value}) {
    TRY(CheckNumber(*number));
  }
  return CheckNumber(numbers.x.Reveal());
}

const char* GroupType(const GroupNumbers& numbers) {
  if (numbers.family == KeyFamily::kDsa) return "DSA";
  return numbers.q.empty() ? "DH" : "DHX";  // X9.42 carries q
}

// g^x mod p.
Result<Bytes> PublicValueOf(const GroupNumbers& numbers) {
  const BnContextPtr context(BN_CTX_secure_new());
  const auto number = [](ByteView bytes) {
    return BnPtr(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  };
  const BnPtr p = number(numbers.p);
  const BnPtr g = number(numbers.g);
  const BnPtr x(BN_secure_new());
  const BnPtr y(BN_new());
  if (!context || !p || !g || !x || !y ||
      BN_bin2bn(numbers.x.Reveal().data(), static_cast<int>(numbers.x.size()), x.get()) ==
          nullptr) {
    return Error(Code::kExhausted, "no memory for a key");
  }
  BN_set_flags(x.get(), BN_FLG_CONSTTIME);
  if (!BN_is_odd(p.get()) || BN_mod_exp(y.get(), g.get(), x.get(), p.get(), context.get()) != 1) {
    return Unsound("p is not an odd prime");
  }
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(y.get())));
  BN_bn2bin(y.get(), bytes.data());
  return bytes;
}

KeyData GroupData(const GroupNumbers& numbers) {
  KeyData data;
  data.Open(OSSL_PKEY_PARAM_FFC_P, numbers.p)
      .Open(OSSL_PKEY_PARAM_FFC_Q, numbers.q)
      .Open(OSSL_PKEY_PARAM_FFC_G, numbers.g);
  // DSA has no place for the cofactor; it follows from p and q.
  if (numbers.family == KeyFamily::kDh && !numbers.q.empty()) {
    data.Open(OSSL_PKEY_PARAM_FFC_COFACTOR, numbers.cofactor);
  }
  return data;
}

Result<GroupNumbers> GroupOfKey(evp_pkey_st* key, KeyFamily family) {
  if (family != KeyFamily::kDsa && family != KeyFamily::kDh) return NotOf(family);
  GroupNumbers numbers;
  numbers.family = family;
  numbers.p = OpenNumber(key, OSSL_PKEY_PARAM_FFC_P);
  numbers.q = OpenNumber(key, OSSL_PKEY_PARAM_FFC_Q);
  numbers.g = OpenNumber(key, OSSL_PKEY_PARAM_FFC_G);
  numbers.cofactor = OpenNumber(key, OSSL_PKEY_PARAM_FFC_COFACTOR);
  numbers.public_value = OpenNumber(key, OSSL_PKEY_PARAM_PUB_KEY);
  return numbers;
}

}  // namespace

Result<PublicKey> PublicKey::FromRsa(const RsaNumbers& numbers, KeySource source) {
  if (numbers.modulus.empty() || numbers.public_exponent.empty()) {
    return Unsound("modulus and public exponent are needed");
  }
  TRY(CheckNumber(numbers.modulus));
  TRY(CheckNumber(numbers.public_exponent));
  KeyData data;
  data.Open(OSSL_PKEY_PARAM_RSA_N, numbers.modulus)
      .Open(OSSL_PKEY_PARAM_RSA_E, numbers.public_exponent);
  return Adopt(TRY(data.Make("RSA", EVP_PKEY_PUBLIC_KEY)).release(), source);
}

Result<PrivateKey> PrivateKey::FromRsa(const RsaNumbers& numbers, KeySource source) {
  if (numbers.modulus.empty()) return Unsound("the modulus is needed");
  for (const ByteView number :
       {ByteView(numbers.modulus), ByteView(numbers.public_exponent),
        numbers.private_exponent.Reveal(), numbers.p.Reveal(), numbers.q.Reveal(),
        numbers.exponent_p.Reveal(), numbers.exponent_q.Reveal(), numbers.coefficient.Reveal()}) {
    TRY(CheckNumber(number));
  }
  const RsaNumbers whole = TRY(CompleteRsa(numbers));
  KeyData data;
  data.Open(OSSL_PKEY_PARAM_RSA_N, whole.modulus)
      .Open(OSSL_PKEY_PARAM_RSA_E, whole.public_exponent)
      .Secret(OSSL_PKEY_PARAM_RSA_D, whole.private_exponent)
      .Secret(OSSL_PKEY_PARAM_RSA_FACTOR1, whole.p)
      .Secret(OSSL_PKEY_PARAM_RSA_FACTOR2, whole.q)
      .Secret(OSSL_PKEY_PARAM_RSA_EXPONENT1, whole.exponent_p)
      .Secret(OSSL_PKEY_PARAM_RSA_EXPONENT2, whole.exponent_q)
      .Secret(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, whole.coefficient);
  return Adopt(TRY(data.Make("RSA", EVP_PKEY_KEYPAIR)).release(), source);
}

Result<PublicKey> PublicKey::FromEc(const EcNumbers& numbers, KeySource source) {
  if (!KnowsCurve(numbers.curve)) return Error(Code::kUnsupported, "this curve is not offered");
  TRY(CheckNumber(numbers.point));
  const Bytes point = TRY(InForm(numbers.curve, numbers.point, PointForm::kUncompressed));
  KeyData data;
  data.Text(OSSL_PKEY_PARAM_GROUP_NAME, numbers.curve).Octets(OSSL_PKEY_PARAM_PUB_KEY, point);
  return Adopt(TRY(data.Make("EC", EVP_PKEY_PUBLIC_KEY)).release(), source);
}

Result<PrivateKey> PrivateKey::FromEc(const EcNumbers& numbers, KeySource source) {
  if (!KnowsCurve(numbers.curve)) return Error(Code::kUnsupported, "this curve is not offered");
  if (numbers.scalar.empty()) return Unsound("the scalar is needed");
  TRY(CheckNumber(numbers.scalar.Reveal()));
  const Bytes point = TRY(PointOf(numbers.curve, numbers.scalar));
  if (!numbers.point.empty()) {
    TRY(CheckNumber(numbers.point));
    const Bytes told = TRY(InForm(numbers.curve, numbers.point, PointForm::kUncompressed));
    if (told != point) return Unsound("the point is not that of the scalar");
  }
  KeyData data;
  data.Text(OSSL_PKEY_PARAM_GROUP_NAME, numbers.curve)
      .Octets(OSSL_PKEY_PARAM_PUB_KEY, point)
      .Secret(OSSL_PKEY_PARAM_PRIV_KEY, numbers.scalar);
  return Adopt(TRY(data.Make("EC", EVP_PKEY_KEYPAIR)).release(), source);
}

Result<PublicKey> PublicKey::FromGroup(const GroupNumbers& numbers, KeySource source) {
  TRY(CheckGroup(numbers));
  if (numbers.public_value.empty()) return Unsound("the public value is needed");
  KeyData data = GroupData(numbers);
  data.Open(OSSL_PKEY_PARAM_PUB_KEY, numbers.public_value);
  return Adopt(TRY(data.Make(GroupType(numbers), EVP_PKEY_PUBLIC_KEY)).release(), source);
}

Result<PrivateKey> PrivateKey::FromGroup(const GroupNumbers& numbers, KeySource source) {
  TRY(CheckGroup(numbers));
  if (numbers.x.empty()) return Unsound("x is needed");
  const Bytes y = TRY(PublicValueOf(numbers));
  if (!numbers.public_value.empty() && numbers.public_value != y) {
    return Unsound("the public value is not that of x");
  }
  KeyData data = GroupData(numbers);
  data.Open(OSSL_PKEY_PARAM_PUB_KEY, y).Secret(OSSL_PKEY_PARAM_PRIV_KEY, numbers.x);
  return Adopt(TRY(data.Make(GroupType(numbers), EVP_PKEY_KEYPAIR)).release(), source);
}

Result<PublicKey> PublicKey::FromOctets(KeyFamily family, ByteView octets) {
  if (!IsOctetFamily(family)) return NotOf(family);
  PkeyPtr key(EVP_PKEY_new_raw_public_key_ex(nullptr, Name(family).data(), nullptr, octets.data(),
                                             octets.size()));
  if (!key) return Unsound("not the octets of a public key");
  return Adopt(key.release(), KeySource::kChecked);
}

Result<PrivateKey> PrivateKey::FromOctets(KeyFamily family, ByteView octets) {
  if (!IsOctetFamily(family)) return NotOf(family);
  PkeyPtr key(EVP_PKEY_new_raw_private_key_ex(nullptr, Name(family).data(), nullptr, octets.data(),
                                              octets.size()));
  if (!key) return Unsound("not the octets of a private key");
  return Adopt(key.release(), KeySource::kChecked);
}

Result<RsaNumbers> PublicKey::Rsa() const {
  if (facts_.family != KeyFamily::kRsa) return NotOf(facts_.family);
  RsaNumbers numbers;
  numbers.modulus = OpenNumber(key_.get(), OSSL_PKEY_PARAM_RSA_N);
  numbers.public_exponent = OpenNumber(key_.get(), OSSL_PKEY_PARAM_RSA_E);
  return numbers;
}

Result<RsaNumbers> PrivateKey::Rsa() const {
  if (facts_.family != KeyFamily::kRsa) return NotOf(facts_.family);
  RsaNumbers numbers;
  evp_pkey_st* const key = key_.get();
  numbers.modulus = OpenNumber(key, OSSL_PKEY_PARAM_RSA_N);
  numbers.public_exponent = OpenNumber(key, OSSL_PKEY_PARAM_RSA_E);
  numbers.private_exponent = TRY(SecretNumber(key, OSSL_PKEY_PARAM_RSA_D));
  numbers.p = TRY(SecretNumber(key, OSSL_PKEY_PARAM_RSA_FACTOR1));
  numbers.q = TRY(SecretNumber(key, OSSL_PKEY_PARAM_RSA_FACTOR2));
  numbers.exponent_p = TRY(SecretNumber(key, OSSL_PKEY_PARAM_RSA_EXPONENT1));
  numbers.exponent_q = TRY(SecretNumber(key, OSSL_PKEY_PARAM_RSA_EXPONENT2));
  numbers.coefficient = TRY(SecretNumber(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
  return numbers;
}

Result<EcNumbers> PublicKey::Ec(PointForm form) const {
  if (facts_.family != KeyFamily::kEc) return NotOf(facts_.family);
  EcNumbers numbers;
  numbers.curve = facts_.curve;
  numbers.point = TRY(PointOfKey(key_.get(), facts_.curve, form));
  return numbers;
}

Result<EcNumbers> PrivateKey::Ec() const {
  if (facts_.family != KeyFamily::kEc) return NotOf(facts_.family);
  EcNumbers numbers;
  numbers.curve = facts_.curve;
  numbers.point = TRY(PointOfKey(key_.get(), facts_.curve, PointForm::kUncompressed));
  numbers.scalar = TRY(SecretNumber(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY));
  return numbers;
}

Result<GroupNumbers> PublicKey::Group() const { return GroupOfKey(key_.get(), facts_.family); }

Result<GroupNumbers> PrivateKey::Group() const {
  GroupNumbers numbers = TRY(GroupOfKey(key_.get(), facts_.family));
  numbers.x = TRY(SecretNumber(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY));
  return numbers;
}

Result<Bytes> PublicKey::Octets() const {
  if (!IsOctetFamily(facts_.family)) return NotOf(facts_.family);
  std::array<std::uint8_t, 64> octets{};
  std::size_t size = octets.size();
  if (EVP_PKEY_get_raw_public_key(key_.get(), octets.data(), &size) != 1) {
    return Unsound("no octets");
  }
  return Bytes(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(size));
}

Result<SecretBytes> PrivateKey::Octets() const {
  if (!IsOctetFamily(facts_.family)) return NotOf(facts_.family);
  std::size_t size = 0;
  if (EVP_PKEY_get_raw_private_key(key_.get(), nullptr, &size) != 1) return Unsound("no octets");
  SecretBytes octets = TRY(SecretBytes::OfSize(size));
  if (EVP_PKEY_get_raw_private_key(key_.get(), octets.RevealMutable().data(), &size) != 1) {
    return Unsound("no octets");
  }
  return octets;
}

}  // namespace dare::crypto

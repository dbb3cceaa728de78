#include "crypto/asymmetric_facts.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <array>

#include "crypto/openssl_handles.h"

namespace dare::crypto {
namespace {

struct FamilyName {
  KeyFamily family;
  const char* name;  // of OpenSSL's key type
};
constexpr std::array kFamilies = {
    FamilyName{KeyFamily::kRsa, "RSA"},         FamilyName{KeyFamily::kEc, "EC"},
    FamilyName{KeyFamily::kEd25519, "ED25519"}, FamilyName{KeyFamily::kEd448, "ED448"},
    FamilyName{KeyFamily::kX25519, "X25519"},   FamilyName{KeyFamily::kX448, "X448"},
    FamilyName{KeyFamily::kDsa, "DSA"},         FamilyName{KeyFamily::kDh, "DH"},
    FamilyName{KeyFamily::kDh, "DHX"},
};

// Curves of OpenSSL's that are no group for ECDSA, or belong to another algorithm.
bool IsOddCurve(std::string_view curve) {
  return curve.starts_with("Oakley") || curve.starts_with("wap-") || curve == "SM2";
}

EcGroupPtr GroupOf(std::string_view curve) {
  if (curve.empty() || IsOddCurve(curve)) return nullptr;
  const int nid = OBJ_sn2nid(std::string(curve).c_str());
  if (nid == NID_undef) return nullptr;
  EcGroupPtr group(EC_GROUP_new_by_curve_name(nid));
  ERR_clear_error();
  return group;
}

Result<void> TakeCurve(evp_pkey_st* key, KeyFacts& facts) {
  int explicit_parameters = 0;
  std::array<char, 64> name{};
  std::size_t length = 0;
  const bool named = EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                            &explicit_parameters) == 1 &&
                     explicit_parameters == 0 &&
                     EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1;
  if (named) facts.curve.assign(name.data(), length);
  facts.bits = CurveBits(facts.curve);
  ERR_clear_error();
  if (facts.bits == 0) return Error(Code::kUnsupported, "an EC key needs a known, named curve");
  return {};
}

Result<void> CheckSize(const KeyFacts& facts) {
  bool right = true;
  if (facts.family == KeyFamily::kRsa) {
    right = facts.bits >= kLeastRsaBits && facts.bits <= kMostRsaBits;
  } else if (facts.family == KeyFamily::kDsa) {
    right = facts.bits >= 512 && facts.bits <= kMostDsaBits;
  } else if (facts.family == KeyFamily::kDh) {
    right = facts.bits >= 512 && facts.bits <= kMostDhBits;
  }
  if (right) return {};
  return Error(Code::kUnsupported, "a key of " + std::to_string(facts.bits) +
                                       " bits is not offered for " +
                                       std::string(Name(facts.family)));
}

// A third prime: nothing here could hand it out as numbers.
Result<void> CheckTwoPrimes(evp_pkey_st* key) {
  BIGNUM* third = nullptr;
  const bool more = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR3, &third) == 1;
  const BnPtr owned(third);
  ERR_clear_error();
  if (more) return Error(Code::kUnsupported, "RSA keys of more than two primes are not offered");
  return {};
}

std::size_t BitsOf(evp_pkey_st* key, KeyFamily family) {
  switch (family) {
    case KeyFamily::kEd25519:
    case KeyFamily::kX25519:
      return 256;
    case KeyFamily::kEd448:
    case KeyFamily::kX448:
      return 448;
    default:
      return static_cast<std::size_t>(EVP_PKEY_get_bits(key));
  }
}

// Groups that everybody knows need no proof that their numbers are primes; for others it takes
// seconds and more.
Result<void> CheckGroupIsCheap(evp_pkey_st* key) {
  constexpr int kMostBits = 2048;
  std::array<char, 64> name{};
  std::size_t length = 0;
  const bool group = EVP_PKEY_is_a(key, "DH") == 1 || EVP_PKEY_is_a(key, "DHX") == 1;
  if (!group || EVP_PKEY_get_bits(key) <= kMostBits) return {};
  const bool named = EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1;
  ERR_clear_error();
  if (named) return {};
  return Error(Code::kUnsupported, "DH groups over 2048 bits are taken only when they have a name");
}

Result<void> Sound(int verdict) {
  ERR_clear_error();
  if (verdict == 1) return {};
  return Error(Code::kInvalidArgument, "the numbers of this key do not make a sound key");
}

}  // namespace

std::string_view Name(KeyFamily family) {
  for (const FamilyName& known : kFamilies) {
    if (known.family == family) return known.name;
  }
  return "?";
}

bool KnowsCurve(std::string_view curve) { return GroupOf(curve) != nullptr; }

std::size_t CurveBits(std::string_view curve) {
  const EcGroupPtr group = GroupOf(curve);
  return group ? static_cast<std::size_t>(EC_GROUP_get_degree(group.get())) : 0;
}

Result<KeyFacts> FactsOf(evp_pkey_st* key) {
  KeyFacts facts;
  bool known = false;
  for (const FamilyName& family : kFamilies) {
    if (EVP_PKEY_is_a(key, family.name) != 1) continue;
    facts.family = family.family;
    known = true;
    break;
  }
  if (!known) return Error(Code::kUnsupported, "keys of this algorithm are not offered");
  if (facts.family == KeyFamily::kEc) {
    TRY(TakeCurve(key, facts));
    return facts;
  }
  facts.bits = BitsOf(key, facts.family);
  TRY(CheckSize(facts));
  if (facts.family == KeyFamily::kRsa) TRY(CheckTwoPrimes(key));
  return facts;
}

Result<void> CheckPublicHalf(evp_pkey_st* key) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!context) return Error(Code::kExhausted, "no memory to check a key");
  return Sound(EVP_PKEY_public_check(context.get()));
}

Result<void> CheckBothHalves(evp_pkey_st* key) {
  TRY(CheckGroupIsCheap(key));
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!context) return Error(Code::kExhausted, "no memory to check a key");
  return Sound(EVP_PKEY_check(context.get()));
}

Result<void> CheckHasSecret(evp_pkey_st* key, KeyFamily family) {
  bool there = false;
  if (family == KeyFamily::kRsa || family == KeyFamily::kEc || family == KeyFamily::kDsa ||
      family == KeyFamily::kDh) {
    BIGNUM* secret = nullptr;
    const char* const name =
        family == KeyFamily::kRsa ? OSSL_PKEY_PARAM_RSA_D : OSSL_PKEY_PARAM_PRIV_KEY;
    there = EVP_PKEY_get_bn_param(key, name, &secret) == 1;
    const BnPtr owned(secret);
  } else {
    std::size_t size = 0;
    there = EVP_PKEY_get_raw_private_key(key, nullptr, &size) == 1 && size != 0;
  }
  ERR_clear_error();
  if (!there) return Error(Code::kMalformed, "this is no private key");
  return {};
}

}  // namespace dare::crypto

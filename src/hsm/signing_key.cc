#include "hsm/signing_key.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/asymmetric_key.h"
#include "crypto/ecdsa_signature.h"
#include "crypto/random.h"
#include "hsm/kept_key_rules.h"
#include "hsm/rsa_key.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

constexpr std::string_view kWhat = "signing key";
constexpr std::size_t kScalarBytes = 32;
constexpr std::size_t kPointBytes = 65;  // 04, x, y

// OBJECT IDENTIFIER prime256v1 (RFC 5480, 2.1.1.1).
constexpr std::uint8_t kP256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
// SubjectPublicKeyInfo of a P-256 key up to its point: SEQUENCE { SEQUENCE { id-ecPublicKey,
// prime256v1 }, BIT STRING.
constexpr std::uint8_t kSpkiHead[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

constexpr CK_ULONG kRsaBits = 2048;
constexpr auto kRules = KeptKeyRules({
    {CKA_SIGN, "CKA_SIGN", true, false},
    {CKA_DECRYPT, "CKA_DECRYPT", false, false},
    {CKA_UNWRAP, "CKA_UNWRAP", false, false},
});

CK_RV GeneratePair(const SessionLease& lease, const std::string& label, SigningKeyKind kind,
                   ByteView id, bool copyable_known) {
  Template open_half;
  open_half.Bool(CKA_TOKEN, true)
      .Bool(CKA_PRIVATE, false)
      .Bool(CKA_VERIFY, true)
      .Bool(CKA_ENCRYPT, false)
      .Bool(CKA_WRAP, false)
      .Bool(CKA_MODIFIABLE, false)
      .Data(CKA_LABEL, AsBytes(label))
      .Data(CKA_ID, id);
  if (kind == SigningKeyKind::kRsa2048) {
    open_half.Number(CKA_MODULUS_BITS, kRsaBits).Data(CKA_PUBLIC_EXPONENT, kRsaExponent);
  } else {
    open_half.Data(CKA_EC_PARAMS, kP256);
  }
  Template secret_half;
  secret_half.Data(CKA_LABEL, AsBytes(label)).Data(CKA_ID, id);
  AskFor(kRules, copyable_known, secret_half);
  const bool rsa = kind == SigningKeyKind::kRsa2048;
  CK_MECHANISM mechanism{
      static_cast<CK_MECHANISM_TYPE>(rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN),
      nullptr, 0};
  CK_OBJECT_HANDLE open_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE secret_key = CK_INVALID_HANDLE;
  return lease.functions().C_GenerateKeyPair(lease.session(), &mechanism, open_half.data(),
                                             open_half.size(), secret_half.data(),
                                             secret_half.size(), &open_key, &secret_key);
}

// Of which kind the key is, by its type.
Result<SigningKeyKind> KindOf(const SessionLease& lease, const std::string& label) {
  const ObjectHandle key = TRY(FindOne(lease, CKO_PRIVATE_KEY, label, kWhat));
  return TRY(ReadNumber(lease, key, CKA_KEY_TYPE)) == CK_ULONG{CKK_RSA} ? SigningKeyKind::kRsa2048
                                                                        : SigningKeyKind::kP256;
}

Result<ObjectHandle> FindJudged(const SessionLease& lease, const std::string& label,
                                SigningKeyKind kind) {
  const ObjectHandle key = TRY(FindOne(lease, CKO_PRIVATE_KEY, label, kWhat));
  const std::string name = std::string(kWhat) + " '" + label + "'";
  const CK_ULONG type = TRY(ReadNumber(lease, key, CKA_KEY_TYPE));
  const bool rsa = kind == SigningKeyKind::kRsa2048;
  if (type != (rsa ? CK_ULONG{CKK_RSA} : CK_ULONG{CKK_EC})) {
    return Error(Code::kDenied,
                 name + " is refused: its CKA_KEY_TYPE is not " + (rsa ? "CKK_RSA" : "CKK_EC"));
  }
  TRY(CheckRules(lease, key, kRules, name));
  return key;
}

Result<Bytes> RsaPublicKeyOf(const SessionLease& lease, ObjectHandle key,
                             const std::string& label) {
  crypto::RsaNumbers numbers;
  numbers.modulus = TRY(ReadBytes(lease, key, CKA_MODULUS));
  numbers.public_exponent = TRY(ReadBytes(lease, key, CKA_PUBLIC_EXPONENT));
  const auto read = TRY(crypto::PublicKey::FromRsa(numbers));
  if (read.facts().bits != kRsaBits) {
    return Error(Code::kDenied, "signing key '" + label + "' is refused: not of 2048 bits");
  }
  return read.Encode(crypto::PublicKeyFormat::kSubjectPublicKeyInfo);
}

// CKA_EC_POINT is an OCTET STRING around the point; some tokens leave the wrapping out
// (pkcs11-curr 2.3.3).
Result<Bytes> PublicKeyOf(const SessionLease& lease, const std::string& label,
                          SigningKeyKind kind) {
  const ObjectHandle key = TRY(FindOne(lease, CKO_PUBLIC_KEY, label, "public key of signing key"));
  if (kind == SigningKeyKind::kRsa2048) return RsaPublicKeyOf(lease, key, label);
  const Bytes params = TRY(ReadBytes(lease, key, CKA_EC_PARAMS));
  if (!std::equal(params.begin(), params.end(), std::begin(kP256), std::end(kP256))) {
    return Error(Code::kDenied, "signing key '" + label + "' is refused: it is not on P-256");
  }
  const Bytes value = TRY(ReadBytes(lease, key, CKA_EC_POINT));
  ByteView point = value;
  if (point.size() == kPointBytes + 2 && point[0] == 0x04 && point[1] == kPointBytes) {
    point = point.subspan(2);
  }
  if (point.size() != kPointBytes || point[0] != 0x04) {
    return Error(Code::kUnsupported, "the token gives a public key in an unknown form");
  }
  Bytes der;
  der.reserve(sizeof kSpkiHead + kPointBytes);
  Append(der, kSpkiHead);
  Append(der, point);
  return der;
}

}  // namespace

Result<std::shared_ptr<SigningKey>> SigningKey::Create(std::shared_ptr<SessionPool> pool,
                                                       const std::string& label,
                                                       SigningKeyKind kind) {
  {
    const SessionLease lease = TRY(pool->OpenReadWrite());
    TRY(RefuseExisting(lease, CKO_PRIVATE_KEY, label, kWhat));
    TRY(RefuseExisting(lease, CKO_PUBLIC_KEY, label, "public key"));
    std::array<std::uint8_t, 8> id;
    TRY(crypto::RandomBytes(id));
    CK_RV rv = GeneratePair(lease, label, kind, id, true);
    if (MayNotKnowAttribute(lease, rv)) {
      rv = GeneratePair(lease, label, kind, id, false);
    }
    if (rv != CKR_OK) return Pkcs11Error("cannot make the signing key", rv);
  }
  return Find(std::move(pool), label, kind);
}

Result<std::shared_ptr<SigningKey>> SigningKey::CreateBest(std::shared_ptr<SessionPool> pool,
                                                           const std::string& label) {
  auto made = Create(pool, label, SigningKeyKind::kP256);
  if (made || made.error().code != Code::kUnsupported) return made;
  return Create(std::move(pool), label, SigningKeyKind::kRsa2048);
}

Result<std::shared_ptr<SigningKey>> SigningKey::Find(std::shared_ptr<SessionPool> pool,
                                                     const std::string& label,
                                                     std::optional<SigningKeyKind> wanted) {
  SigningKeyKind kind{};
  const auto look = [&](const SessionLease& lease) -> Result<Bytes> {
    kind = wanted ? *wanted : TRY(KindOf(lease, label));
    TRY(FindJudged(lease, label, kind));
    return PublicKeyOf(lease, label, kind);
  };
  Bytes der = TRY(pool->With(look));
  return std::shared_ptr<SigningKey>(new SigningKey(std::move(pool), label, kind, std::move(der)));
}

Result<unsigned long> SigningKey::Handle(const SessionLease& lease) {
  const MutexLock lock(mutex_);
  if (handle_generation_ == lease.generation()) return handle_;
  const ObjectHandle key = TRY(FindJudged(lease, label_, kind_));
  const Bytes der = TRY(PublicKeyOf(lease, label_, kind_));
  if (der != public_key_der_) {
    return Error(Code::kConflict, "the token came back with another signing key '" + label_ + "'");
  }
  handle_ = key;
  handle_generation_ = lease.generation();
  return handle_;
}

Result<Bytes> SigningKey::Sign(ByteView sha256_digest) {
  if (sha256_digest.size() != 32) {
    return Error(Code::kInvalidArgument, "a SHA-256 digest has 32 bytes");
  }
  if (pool_->guard() == nullptr) return SignInToken(sha256_digest);
  return pool_->guard()->Run([self = shared_from_this(), digest = ToBytes(sha256_digest)] {
    return self->SignInToken(digest);
  });
}

Result<Bytes> SigningKey::SignInToken(ByteView sha256_digest) {
  const bool rsa = kind_ == SigningKeyKind::kRsa2048;
  Bytes to_sign;
  if (rsa) to_sign.assign(std::begin(kSha256DigestInfo), std::end(kSha256DigestInfo));
  Append(to_sign, sha256_digest);
  Bytes raw(rsa ? kRsaBits / 8 : 2 * kScalarBytes);
  const auto sign = [&](const SessionLease& lease) -> Result<void> {
    const CK_OBJECT_HANDLE key = TRY(Handle(lease));
    CK_MECHANISM mechanism{static_cast<CK_MECHANISM_TYPE>(rsa ? CKM_RSA_PKCS : CKM_ECDSA), nullptr,
                           0};
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_SignInit(lease.session(), &mechanism, key);
    if (rv != CKR_OK) return Pkcs11Error("cannot sign", rv);
    CK_ULONG size = raw.size();
    rv = p11.C_Sign(lease.session(), to_sign.data(), to_sign.size(), raw.data(), &size);
    if (rv != CKR_OK) return Pkcs11Error("cannot sign", rv);
    if (size != raw.size()) {
      return Error(Code::kUnsupported, "the token gives a signature of unexpected length");
    }
    return {};
  };
  TRY(pool_->With(sign));
  return rsa ? raw : crypto::DerSignature(raw);
}

}  // namespace dare::hsm

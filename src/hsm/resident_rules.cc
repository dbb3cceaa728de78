#include "hsm/resident_rules.h"

#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/ecdsa_signature.h"
#include "crypto/signature.h"
#include "hsm/kept_key_rules.h"

namespace dare::hsm {
namespace {

constexpr std::string_view kPairProbe = "dare-kms pair check";

Error Another(const ResidentReference& key) {
  return Error(Code::kDenied, "the key " + ToHex(key.id) +
                                  " in the HSM is refused: it is not the one that was made there");
}

// An elliptic curve key shows its public half to nobody: it must sign for it.
Result<void> CheckSigns(const SessionLease& lease, ObjectHandle handle,
                        const ResidentReference& key) {
  const crypto::Sha256Digest digest = crypto::Sha256(AsBytes(kPairProbe));
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  const CK_FUNCTION_LIST& p11 = lease.functions();
  CK_RV rv = p11.C_SignInit(lease.session(), &mechanism, handle);
  if (rv != CKR_OK) return Pkcs11Error("the key cannot sign", rv);
  Bytes raw(2 * ((key.bits + 7) / 8));
  CK_ULONG size = raw.size();
  rv = p11.C_Sign(lease.session(), const_cast<std::uint8_t*>(digest.data()), digest.size(),
                  raw.data(), &size);
  if (rv != CKR_OK) return Pkcs11Error("the key cannot sign", rv);
  if (size != raw.size()) return Another(key);
  const auto half = TRY(crypto::PublicKey::Parse(crypto::PublicKeyFormat::kSubjectPublicKeyInfo,
                                                 key.public_key, crypto::KeySource::kChecked));
  const auto right = crypto::VerifyDigest(half, {}, digest, crypto::DerSignature(raw));
  return right && *right ? Result<void>() : Another(key);
}

Result<void> CheckPublicHalf(const SessionLease& lease, ObjectHandle handle,
                             const ResidentReference& key) {
  if (key.kind == ResidentKind::kEc) {
    // A key without the right to sign can do nothing at all.
    return TRY(ReadBool(lease, handle, CKA_SIGN)) ? CheckSigns(lease, handle, key) : Result<void>();
  }
  const auto half = TRY(crypto::PublicKey::Parse(crypto::PublicKeyFormat::kSubjectPublicKeyInfo,
                                                 key.public_key, crypto::KeySource::kChecked));
  const crypto::RsaNumbers numbers = TRY(half.Rsa());
  Bytes modulus = TRY(ReadBytes(lease, handle, CKA_MODULUS));
  while (!modulus.empty() && modulus.front() == 0) modulus.erase(modulus.begin());
  return modulus == numbers.modulus ? Result<void>() : Another(key);
}

}  // namespace

CK_OBJECT_CLASS ClassOf(ResidentKind kind) {
  return kind == ResidentKind::kRsa || kind == ResidentKind::kEc ? CKO_PRIVATE_KEY : CKO_SECRET_KEY;
}

CK_KEY_TYPE TypeOf(ResidentKind kind) {
  switch (kind) {
    case ResidentKind::kAes:
      return CKK_AES;
    case ResidentKind::kHmac:
      return CKK_GENERIC_SECRET;
    case ResidentKind::kRsa:
      return CKK_RSA;
    case ResidentKind::kEc:
      return CKK_EC;
  }
  return CKK_VENDOR_DEFINED;
}

Result<void> JudgeResident(const SessionLease& lease, ObjectHandle handle,
                           const ResidentReference& key) {
  const CK_ULONG type = TRY(ReadNumber(lease, handle, CKA_KEY_TYPE));
  if (type != TypeOf(key.kind)) return Another(key);
  TRY(CheckRules(lease, handle, kKeptKeyRules, "the key " + ToHex(key.id) + " in the HSM"));
  if (key.IsPair()) return CheckPublicHalf(lease, handle, key);
  const Result<CK_ULONG> bytes = ReadNumber(lease, handle, CKA_VALUE_LEN);
  if (bytes && *bytes != key.bits / 8) return Another(key);
  if (key.check.empty()) return {};
  const Result<Bytes> check = ReadBytes(lease, handle, CKA_CHECK_VALUE);
  return check && *check == key.check ? Result<void>() : Another(key);
}

Result<std::vector<ObjectHandle>> FindResident(const SessionLease& lease,
                                               CK_OBJECT_CLASS object_class, ByteView id) {
  Template wanted;
  wanted.Number(CKA_CLASS, object_class).Bool(CKA_TOKEN, true).Data(CKA_ID, id);
  return FindObjects(lease, wanted, 2);
}

}  // namespace dare::hsm

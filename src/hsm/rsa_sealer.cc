#include "hsm/rsa_sealer.h"

#include <algorithm>
#include <string_view>

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/hkdf.h"
#include "crypto/rsa_encryption.h"
#include "crypto/signature.h"
#include "hsm/rsa_key.h"
#include "hsm/sealed_record.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

constexpr std::string_view kPurpose = "dare-rsa-record-1";
constexpr std::size_t kKeyBytes = 32;

// SHA-1, because some tokens do OAEP with nothing else; nothing here needs it to resist collisions.
constexpr crypto::RsaScheme kOaep{.padding = crypto::RsaPadding::kOaep,
                                  .hash = crypto::HashAlgorithm::kSha1,
                                  .mgf_hash = crypto::HashAlgorithm::kSha1,
                                  .label = {}};

crypto::SignatureScheme Pkcs1Sha256() {
  crypto::SignatureScheme scheme;
  scheme.padding = crypto::SignaturePadding::kPkcs1;
  scheme.hash = crypto::HashAlgorithm::kSha256;
  return scheme;
}

Result<crypto::PublicKey> PublicHalf(const Bytes& modulus) {
  crypto::RsaNumbers numbers;
  numbers.modulus = modulus;
  numbers.public_exponent = ToBytes(kRsaExponent);
  return crypto::PublicKey::FromRsa(numbers);
}

// Key and nonce of one record; the key of the record is used for nothing else.
Result<SecretBytes> Derive(const SecretBytes& record_key, ByteView encrypted, ByteView head) {
  const SecretBytes prk =
      TRY(crypto::HkdfExtract(crypto::HkdfHash::kSha256, encrypted, record_key.Reveal()));
  Bytes info = ToBytes(AsBytes(kPurpose));
  Append(info, head);
  return crypto::HkdfExpand(crypto::HkdfHash::kSha256, prk.Reveal(), info,
                            kKeyBytes + kRecordNonceBytes);
}

}  // namespace

struct RsaSealer::Record {
  ByteView head;
  ByteView encrypted;  // the record's key
  ByteView before;     // both
  ByteView ciphertext;
  ByteView tag;
  ByteView authenticated;  // all but the signature
  ByteView signature;
};

Result<std::unique_ptr<RsaSealer>> RsaSealer::Make(std::shared_ptr<MasterKey> key) {
  TRY(CheckMechanism(*key, SealingMechanism::kRsaOaep));
  crypto::PublicKey seal = TRY(PublicHalf(key->info().moduli.seal));
  crypto::PublicKey verify = TRY(PublicHalf(key->info().moduli.sign));
  return Proved(std::unique_ptr<RsaSealer>(
      new RsaSealer(std::move(key), std::move(seal), std::move(verify))));
}

Result<RsaSealer::Record> RsaSealer::Parse(ByteView sealed) const {
  TRY(CheckHead(sealed, kRecordRsa, info_.key_id));
  const std::size_t start = kRecordHeadBytes + key_bytes();
  const std::size_t around = start + kRecordTagBytes + signature_bytes();
  if (sealed.size() <= around || sealed.size() > around + kMostSecretBytes) {
    return Error(Code::kDamaged, "the sealed record has an impossible length");
  }
  const std::size_t end = sealed.size() - signature_bytes();
  return Record{.head = sealed.first(kRecordHeadBytes),
                .encrypted = sealed.subspan(kRecordHeadBytes, key_bytes()),
                .before = sealed.first(start),
                .ciphertext = sealed.subspan(start, end - kRecordTagBytes - start),
                .tag = sealed.subspan(end - kRecordTagBytes, kRecordTagBytes),
                .authenticated = sealed.first(end),
                .signature = sealed.subspan(end)};
}

Result<Bytes> RsaSealer::Sign(ByteView record, ByteView aad) {
  Bytes to_sign = ToBytes(kSha256DigestInfo);
  Append(to_sign, crypto::Sha256(AuthenticatedText(record, aad)));
  Bytes signature(signature_bytes());
  const auto sign = [&](const SessionLease& lease) -> Result<void> {
    const CK_OBJECT_HANDLE key = TRY(key_->Handles(lease)).authenticate;
    CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_SignInit(lease.session(), &mechanism, key);
    if (rv != CKR_OK) return Pkcs11Error("cannot sign a record", rv);
    CK_ULONG size = signature.size();
    rv = p11.C_Sign(lease.session(), to_sign.data(), to_sign.size(), signature.data(), &size);
    if (rv != CKR_OK) return Pkcs11Error("cannot sign a record", rv);
    if (size != signature.size()) {
      return Error(Code::kUnsupported, "the token gives a signature of unexpected length");
    }
    return {};
  };
  TRY(InToken(sign));
  return signature;
}

Result<Bytes> RsaSealer::Seal(ByteView aad, ByteView secret) {
  TRY(CheckSealable(aad, secret));
  const SecretBytes record_key = TRY(SecretBytes::Random(kKeyBytes));
  Bytes record = StartHead(kRecordRsa, info_.key_id);
  const Bytes encrypted = TRY(crypto::RsaEncrypt(seal_, kOaep, record_key.Reveal()));
  if (encrypted.size() != key_bytes()) return Error(Code::kInternal, "RSA of another length");
  const SecretBytes derived = TRY(Derive(record_key, encrypted, record));
  record.reserve(record.size() + key_bytes() + secret.size() + kRecordTagBytes + signature_bytes());
  Append(record, encrypted);
  const Bytes bound = BoundTo(record, aad);
  SecretBytes room = TRY(SecretBytes::CopyOf(secret));
  std::array<std::uint8_t, kRecordTagBytes> tag{};
  crypto::Aead aead = TRY(crypto::Aead::CreateOnOpenSsl(derived.Reveal().first(kKeyBytes)));
  TRY(aead.SealInPlace(derived.Reveal().subspan(kKeyBytes), bound, room.RevealMutable(), tag));
  Append(record, room.Reveal());
  Append(record, tag);
  ++seals_;
  const Bytes signature = TRY(Sign(record, aad));
  Append(record, signature);
  return record;
}

Result<SecretBytes> RsaSealer::DecryptKey(ByteView encrypted) {
  SecretBytes room = TRY(SecretBytes::OfSize(key_bytes()));
  CK_ULONG size = 0;
  const auto decrypt = [&](const SessionLease& lease) -> Result<void> {
    const CK_OBJECT_HANDLE key = TRY(key_->Handles(lease)).seal;
    CK_RSA_PKCS_OAEP_PARAMS params{};
    params.hashAlg = CKM_SHA_1;
    params.mgf = CKG_MGF1_SHA1;
    params.source = CKZ_DATA_SPECIFIED;
    CK_MECHANISM mechanism{CKM_RSA_PKCS_OAEP, &params, sizeof params};
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_DecryptInit(lease.session(), &mechanism, key);
    if (rv != CKR_OK) return Pkcs11Error("cannot open", rv);
    size = room.size();
    rv = p11.C_Decrypt(lease.session(), const_cast<std::uint8_t*>(encrypted.data()),
                       encrypted.size(), room.RevealMutable().data(), &size);
    if (rv != CKR_OK) return Pkcs11Error("cannot open", rv);
    return {};
  };
  TRY(InTokenThatMust(decrypt));
  if (size != kKeyBytes) {
    return Error(Code::kUnsupported, "the token's RSA-OAEP gives an unexpected length");
  }
  return SecretBytes::CopyOf(room.Reveal().first(size));
}

Result<SecretBytes> RsaSealer::Open(ByteView aad, ByteView sealed) {
  if (aad.empty()) return Error(Code::kInvalidArgument, "a record must be bound to something");
  const Record record = TRY(Parse(sealed));
  const crypto::Sha256Digest digest = crypto::Sha256(AuthenticatedText(record.authenticated, aad));
  const auto good = crypto::VerifyDigest(verify_, Pkcs1Sha256(), digest, record.signature);
  if (!good || !*good) return DoesNotAuthenticate();
  const SecretBytes record_key = TRY(DecryptKey(record.encrypted));
  const SecretBytes derived = TRY(Derive(record_key, record.encrypted, record.head));
  SecretBytes secret = TRY(SecretBytes::CopyOf(record.ciphertext));
  crypto::Aead aead = TRY(crypto::Aead::CreateOnOpenSsl(derived.Reveal().first(kKeyBytes)));
  const auto opened =
      aead.OpenInPlace(derived.Reveal().subspan(kKeyBytes), BoundTo(record.before, aad),
                       secret.RevealMutable(), record.tag);
  if (!opened) return DoesNotAuthenticate();
  return secret;
}

}  // namespace dare::hsm

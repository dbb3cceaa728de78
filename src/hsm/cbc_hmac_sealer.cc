#include "hsm/cbc_hmac_sealer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/random.h"
#include "hsm/sealed_record.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

constexpr std::size_t kBlockBytes = 16;
constexpr std::size_t kCodeBytes = 32;
constexpr std::size_t kStart = kRecordHeadBytes + kBlockBytes;  // of the ciphertext

// CBC-PAD always pads, a whole block where nothing is missing.
constexpr std::size_t Padded(std::size_t size) { return (size / kBlockBytes + 1) * kBlockBytes; }

struct CbcHmacRecord {
  ByteView iv;
  ByteView ciphertext;
  ByteView authenticated;  // all but the code
  ByteView code;
};

Result<CbcHmacRecord> Parse(ByteView sealed, ByteView key_id) {
  TRY(CheckHead(sealed, kRecordAesCbcHmac, key_id));
  const std::size_t least = kStart + kBlockBytes + kCodeBytes;
  if (sealed.size() < least || sealed.size() > kStart + Padded(kMostSecretBytes) + kCodeBytes ||
      (sealed.size() - least) % kBlockBytes != 0) {
    return Error(Code::kDamaged, "the sealed record has an impossible length");
  }
  const std::size_t end = sealed.size() - kCodeBytes;
  return CbcHmacRecord{sealed.subspan(kRecordHeadBytes, kBlockBytes),
                       sealed.subspan(kStart, end - kStart), sealed.first(end),
                       sealed.subspan(end)};
}

CK_MECHANISM CbcPad(ByteView iv) {
  return {CKM_AES_CBC_PAD, const_cast<std::uint8_t*>(iv.data()), iv.size()};
}

}  // namespace

Result<std::unique_ptr<CbcHmacSealer>> CbcHmacSealer::Make(std::shared_ptr<MasterKey> key) {
  TRY(CheckMechanism(*key, SealingMechanism::kAesCbcHmac));
  return Proved(std::unique_ptr<CbcHmacSealer>(new CbcHmacSealer(std::move(key))));
}

Result<Bytes> CbcHmacSealer::Authenticate(ByteView record, ByteView aad) {
  Bytes text = AuthenticatedText(record, aad);
  Bytes code(kCodeBytes);
  const auto sign = [&](const SessionLease& lease) -> Result<void> {
    const CK_OBJECT_HANDLE key = TRY(key_->Handles(lease)).authenticate;
    CK_MECHANISM mechanism{CKM_SHA256_HMAC, nullptr, 0};
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_SignInit(lease.session(), &mechanism, key);
    if (rv != CKR_OK) return Pkcs11Error("cannot authenticate a record", rv);
    CK_ULONG size = code.size();
    rv = p11.C_Sign(lease.session(), text.data(), text.size(), code.data(), &size);
    if (rv != CKR_OK) return Pkcs11Error("cannot authenticate a record", rv);
    if (size != code.size()) {
      return Error(Code::kUnsupported, "the token's HMAC gives an unexpected length");
    }
    return {};
  };
  TRY(InToken(sign));
  return code;
}

Result<Bytes> CbcHmacSealer::Seal(ByteView aad, ByteView secret) {
  TRY(CheckSealable(aad, secret));
  std::array<std::uint8_t, kBlockBytes> iv;
  TRY(crypto::RandomBytes(iv));
  Bytes record = StartHead(kRecordAesCbcHmac, info_.key_id);
  record.reserve(kStart + Padded(secret.size()) + kCodeBytes);
  Append(record, iv);
  record.resize(kStart + Padded(secret.size()));
  ++seals_;
  const auto encrypt = [&](const SessionLease& lease) -> Result<void> {
    const CK_OBJECT_HANDLE key = TRY(key_->Handles(lease)).seal;
    CK_MECHANISM mechanism = CbcPad(iv);
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_EncryptInit(lease.session(), &mechanism, key);
    if (rv != CKR_OK) return Pkcs11Error("cannot seal", rv);
    CK_ULONG size = record.size() - kStart;
    rv = p11.C_Encrypt(lease.session(), const_cast<std::uint8_t*>(secret.data()), secret.size(),
                       record.data() + kStart, &size);
    if (rv != CKR_OK) return Pkcs11Error("cannot seal", rv);
    if (size != record.size() - kStart) {
      return Error(Code::kUnsupported, "the token's AES-CBC-PAD gives an unexpected length");
    }
    return {};
  };
  TRY(InToken(encrypt));
  const Bytes code = TRY(Authenticate(record, aad));
  Append(record, code);
  return record;
}

Result<SecretBytes> CbcHmacSealer::Open(ByteView aad, ByteView sealed) {
  if (aad.empty()) return Error(Code::kInvalidArgument, "a record must be bound to something");
  const CbcHmacRecord record = TRY(Parse(sealed, info_.key_id));
  const Bytes code = TRY(Authenticate(record.authenticated, aad));
  if (!EqualInConstantTime(code, record.code)) return DoesNotAuthenticate();
  SecretBytes room = TRY(SecretBytes::OfSize(record.ciphertext.size()));
  CK_ULONG size = 0;
  const auto decrypt = [&](const SessionLease& lease) -> Result<void> {
    const CK_OBJECT_HANDLE key = TRY(key_->Handles(lease)).seal;
    CK_MECHANISM mechanism = CbcPad(record.iv);
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_DecryptInit(lease.session(), &mechanism, key);
    if (rv != CKR_OK) return Pkcs11Error("cannot open", rv);
    size = room.size();
    rv = p11.C_Decrypt(lease.session(), const_cast<std::uint8_t*>(record.ciphertext.data()),
                       record.ciphertext.size(), room.RevealMutable().data(), &size);
    if (rv != CKR_OK) return Pkcs11Error("cannot open", rv);
    return {};
  };
  TRY(InTokenThatMust(decrypt));
  if (size == 0 || size > record.ciphertext.size()) {
    return Error(Code::kUnsupported, "the token's AES-CBC-PAD gives an unexpected length");
  }
  return SecretBytes::CopyOf(room.Reveal().first(size));
}

}  // namespace dare::hsm

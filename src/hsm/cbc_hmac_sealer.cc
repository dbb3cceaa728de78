#include "hsm/cbc_hmac_sealer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/random.h"
#include "hsm/sealed_record.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

constexpr std::string_view kProbeText = "dare-kms probe";
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

// What the code is over: the record, then what it is bound to, then how long that is, so that no
// byte can move from one to the other.
Bytes Authenticated(ByteView record, ByteView aad) {
  Bytes text;
  text.reserve(record.size() + aad.size() + 8);
  Append(text, record);
  Append(text, aad);
  for (int shift = 56; shift >= 0; shift -= 8) {
    text.push_back(static_cast<std::uint8_t>(std::uint64_t{aad.size()} >> shift));
  }
  return text;
}

CK_MECHANISM CbcPad(ByteView iv) {
  return {CKM_AES_CBC_PAD, const_cast<std::uint8_t*>(iv.data()), iv.size()};
}

}  // namespace

CbcHmacSealer::CbcHmacSealer(std::shared_ptr<MasterKey> key)
    : key_(std::move(key)),
      info_{key_->info().label, key_->info().id, key_->info().check_value,
            std::string(NameOf(SealingMechanism::kAesCbcHmac)) + " in the token"} {}

Result<std::unique_ptr<CbcHmacSealer>> CbcHmacSealer::Make(std::shared_ptr<MasterKey> key) {
  if (key->info().mechanism != SealingMechanism::kAesCbcHmac) {
    return Error(Code::kInvalidArgument, "the master key is for another mechanism");
  }
  std::unique_ptr<CbcHmacSealer> sealer(new CbcHmacSealer(std::move(key)));
  const Result<Bytes> probe = sealer->Seal(AsBytes(kProbeText), AsBytes(kProbeText));
  if (!probe) return probe.error().In("the token does not seal");
  const Result<SecretBytes> opened = sealer->Open(AsBytes(kProbeText), *probe);
  if (!opened) return opened.error().In("the token does not open what it sealed");
  if (!EqualInConstantTime(opened->Reveal(), AsBytes(kProbeText))) {
    return Error(Code::kUnsupported, "the token opens another text than it sealed");
  }
  return sealer;
}

Result<Bytes> CbcHmacSealer::Authenticate(ByteView record, ByteView aad) {
  Bytes text = Authenticated(record, aad);
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
  TRY(key_->pool().With(sign));
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
  TRY(key_->pool().With(encrypt));
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
  // The record authenticates: whatever fails now is the token's trouble.
  if (Result<void> opened = key_->pool().With(decrypt); !opened) {
    const Error& error = opened.error();
    if (error.code != Code::kDamaged && error.code != Code::kInvalidArgument) return error;
    return Error(Code::kUnavailable, error.message, error.detail);
  }
  if (size == 0 || size > record.ciphertext.size()) {
    return Error(Code::kUnsupported, "the token's AES-CBC-PAD gives an unexpected length");
  }
  return SecretBytes::CopyOf(room.Reveal().first(size));
}

}  // namespace dare::hsm

#include "hsm/direct_sealer.h"

#include <array>
#include <utility>

#include "crypto/random.h"
#include "hsm/sealed_record.h"
#include "hsm/token_objects.h"
#include "hsm/token_quirks.h"

namespace dare::hsm {
namespace {

CK_GCM_PARAMS GcmParams(ByteView nonce, ByteView bound) {
  CK_GCM_PARAMS params{};
  params.pIv = const_cast<std::uint8_t*>(nonce.data());
  params.ulIvLen = nonce.size();
  params.ulIvBits = nonce.size() * 8;
  params.pAAD = const_cast<std::uint8_t*>(bound.data());
  params.ulAADLen = bound.size();
  params.ulTagBits = kRecordTagBytes * 8;
  return params;
}

// Numbers with which a token may report a wrong tag.
bool MayMeanWrongTag(const Error& error, const TokenInfo& token) {
  switch (error.detail) {
    case CKR_ENCRYPTED_DATA_INVALID:
    case CKR_ENCRYPTED_DATA_LEN_RANGE:
    case CKR_SIGNATURE_INVALID:
    case CKR_DATA_INVALID:
    case CKR_DATA_LEN_RANGE:
    case CKR_FUNCTION_FAILED:
      return true;
    case CKR_GENERAL_ERROR:
      return HasQuirk(token, Quirk::kGeneralErrorForWrongTag);
    default:
      return error.detail >= CKR_VENDOR_DEFINED;
  }
}

}  // namespace

Result<std::unique_ptr<DirectSealer>> DirectSealer::Make(std::shared_ptr<MasterKey> key) {
  TRY(CheckMechanism(*key, SealingMechanism::kAesGcm));
  return Proved(std::unique_ptr<DirectSealer>(new DirectSealer(std::move(key))));
}

Result<Bytes> DirectSealer::Seal(ByteView aad, ByteView secret) {
  TRY(CheckSealable(aad, secret));
  std::array<std::uint8_t, kRecordNonceBytes> nonce;
  TRY(crypto::RandomBytes(nonce));
  Bytes record = StartRecord(info_.key_id, nonce, secret.size());
  const std::size_t start = record.size();
  const Bytes bound = BoundTo(ByteView(record).first(kRecordHeadBytes), aad);
  record.resize(start + secret.size() + kRecordTagBytes);
  ++seals_;  // before the call: a seal that fails half-way may have used its nonce

  // A second attempt repeats the same nonce, but with the same data: it gives the same record.
  const auto encrypt = [&](const SessionLease& lease) -> Result<void> {
    const CK_OBJECT_HANDLE key = TRY(key_->Handles(lease)).seal;
    CK_GCM_PARAMS params = GcmParams(nonce, bound);
    CK_MECHANISM mechanism{CKM_AES_GCM, &params, sizeof params};
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_EncryptInit(lease.session(), &mechanism, key);
    if (rv != CKR_OK) return Pkcs11Error("cannot seal", rv);
    CK_ULONG size = record.size() - start;
    rv = p11.C_Encrypt(lease.session(), const_cast<std::uint8_t*>(secret.data()), secret.size(),
                       record.data() + start, &size);
    if (rv != CKR_OK) return Pkcs11Error("cannot seal", rv);
    if (size != record.size() - start) {
      return Error(Code::kUnsupported, "the token's AES-GCM gives an unexpected length");
    }
    return {};
  };
  TRY(InToken(encrypt));
  return record;
}

Result<SecretBytes> DirectSealer::OpenInToken(ByteView aad, ByteView sealed) {
  const SealedRecordView record = TRY(ParseRecord(sealed, info_.key_id));
  const Bytes bound = BoundTo(record.head, aad);
  // Room for the tag too, as SoftHSM2 wants (token_quirks.cc): the secret is copied out of it.
  SecretBytes room = TRY(SecretBytes::OfSize(record.ciphertext.size()));
  CK_ULONG size = 0;
  const auto decrypt = [&](const SessionLease& lease) -> Result<void> {
    const CK_OBJECT_HANDLE key = TRY(key_->Handles(lease)).seal;
    CK_GCM_PARAMS params = GcmParams(record.nonce, bound);
    CK_MECHANISM mechanism{CKM_AES_GCM, &params, sizeof params};
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_DecryptInit(lease.session(), &mechanism, key);
    // Nothing of the record is judged yet: whatever fails here is not the record's fault.
    if (rv != CKR_OK) {
      Error error = Pkcs11Error("cannot open", rv);
      if (!MeansLost(rv)) error.detail = 0;
      return error;
    }
    size = room.size();
    rv = p11.C_Decrypt(lease.session(), const_cast<std::uint8_t*>(record.ciphertext.data()),
                       record.ciphertext.size(), room.RevealMutable().data(), &size);
    if (rv != CKR_OK) return Pkcs11Error("cannot open", rv);
    if (size + kRecordTagBytes != record.ciphertext.size()) {
      return Error(Code::kUnsupported, "the token's AES-GCM gives an unexpected length");
    }
    return {};
  };
  TRY(InToken(decrypt));
  return SecretBytes::CopyOf(room.Reveal().first(size));
}

Result<void> DirectSealer::OpensProbe() {
  const SecretBytes opened = TRY(OpenInToken(ProbeText(), probe_));
  return IsProbe(opened);
}

Result<SecretBytes> DirectSealer::Open(ByteView aad, ByteView sealed) {
  if (aad.empty()) return Error(Code::kInvalidArgument, "a record must be bound to something");
  Result<SecretBytes> opened = OpenInToken(aad, sealed);
  if (opened || !MayMeanWrongTag(opened.error(), key_->pool().token())) return opened;
  // A token that opens a good record was right about this one; a token that does not has a trouble
  // of its own.
  if (OpensProbe()) return DoesNotAuthenticate();
  return Error(Code::kUnavailable, opened.error().message, opened.error().detail);
}

}  // namespace dare::hsm

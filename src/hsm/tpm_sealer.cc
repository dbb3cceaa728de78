#include "hsm/tpm_sealer.h"

#include <tss2/tss2_mu.h>

#include <algorithm>
#include <utility>

#include "crypto/digest.h"
#include "hsm/sealed_record.h"
#include "hsm/tpm_connection.h"

namespace dare::hsm {
namespace {

constexpr std::size_t kBindingBytes = 32;  // SHA-256 of what the record is bound to
constexpr std::size_t kUniqueBytes = 32;   // the part of an object's public area that differs
constexpr std::string_view kProbeText = "dare-kms probe";

// The public area of every sealed object of ours, but for its `unique`. A record does not carry it:
// so none can claim to be an object that may leave its TPM or its parent, which is what objects
// brought in from outside (TPM2_Import) are.
TPM2B_PUBLIC SealedObject(ByteView unique) {
  TPM2B_PUBLIC out{};
  TPMT_PUBLIC& area = out.publicArea;
  area.type = TPM2_ALG_KEYEDHASH;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes =
      TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
  area.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  area.unique.keyedHash.size = static_cast<UINT16>(unique.size());
  std::ranges::copy(unique, area.unique.keyedHash.buffer);
  return out;
}

Result<Bytes> Encoded(const TPM2B_PUBLIC& area) {
  Bytes out(sizeof area);
  std::size_t size = 0;
  const TSS2_RC rc = Tss2_MU_TPM2B_PUBLIC_Marshal(&area, out.data(), out.size(), &size);
  if (rc != TSS2_RC_SUCCESS) return TpmError("cannot write a public area", rc);
  out.resize(size);
  return out;
}

Bytes KeyIdOfName(ByteView name) {
  return ToBytes(ByteView(crypto::Sha256(name)).first(kMasterKeyIdBytes));
}

// A conversation with the TPM that had this storage root key before.
Result<std::unique_ptr<TpmConnection>> Connect(const std::string& tcti, const Bytes& key_id) {
  auto tpm = TRY(TpmConnection::Open(tcti));
  const Bytes id = KeyIdOfName(tpm->storage_root_name());
  if (id != key_id) {
    return Error(Code::kUnavailable, "the TPM has the storage root key " + ToHex(id) +
                                         " now, not " + ToHex(key_id) +
                                         ": it was cleared or replaced");
  }
  return tpm;
}

struct TpmRecord {
  ByteView head;
  ByteView unique;
  ByteView private_area;  // encrypted and authenticated by the TPM
};

Result<TpmRecord> ParseTpmRecord(ByteView sealed, ByteView key_id) {
  constexpr std::size_t kFixed = kRecordHeadBytes + kUniqueBytes;
  if (sealed.size() <= kFixed || sealed.size() - kFixed > sizeof(TPM2B_PRIVATE::buffer)) {
    return Error(Code::kDamaged, "the sealed record has an impossible length");
  }
  if (sealed[0] != kRecordVersion || sealed[1] != kRecordTpm) {
    return Error(Code::kDamaged, "the sealed record has a version or mechanism unknown here");
  }
  const ByteView id = sealed.subspan(2, kMasterKeyIdBytes);
  if (!std::ranges::equal(id, key_id)) {
    return Error(Code::kNotFound, "the record is sealed under master key " + ToHex(id) +
                                      ", and the TPM's is " + ToHex(key_id));
  }
  return TpmRecord{sealed.first(kRecordHeadBytes), sealed.subspan(kRecordHeadBytes, kUniqueBytes),
                   sealed.subspan(kFixed)};
}

// The answer of TPM2_Unseal, wiped before the library has its memory back.
class Unsealed {
 public:
  ~Unsealed() {
    if (data_ != nullptr) Wipe({data_->buffer, sizeof data_->buffer});
    Esys_Free(data_);
  }
  TPM2B_SENSITIVE_DATA** out() { return &data_; }
  ByteView view() const { return {data_->buffer, data_->size}; }

 private:
  TPM2B_SENSITIVE_DATA* data_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<TpmSealer>> TpmSealer::Open(const std::string& tcti) {
  SealerInfo info;
  {
    const auto tpm = TRY(TpmConnection::Open(tcti));
    info.key_label = "storage root key of a TPM by " + TRY(tpm->Manufacturer());
    info.key_id = KeyIdOfName(tpm->storage_root_name());
    info.mechanism = "TPM 2.0 sealed object";
  }
  std::unique_ptr<TpmSealer> sealer(new TpmSealer(tcti, std::move(info)));
  const Bytes probe = TRY(sealer->Seal(AsBytes(kProbeText), AsBytes(kProbeText)));
  const SecretBytes opened = TRY(sealer->Open(AsBytes(kProbeText), probe));
  if (!EqualInConstantTime(opened.Reveal(), AsBytes(kProbeText))) return DoesNotAuthenticate();
  return sealer;
}

Result<Bytes> TpmSealer::Seal(ByteView aad, ByteView secret) {
  TRY(CheckSealable(aad, secret));
  if (secret.size() > kMostTpmSecretBytes) {
    return Error(Code::kTooLarge, "a TPM seals at most " + std::to_string(kMostTpmSecretBytes) +
                                      " bytes, not " + std::to_string(secret.size()));
  }
  Bytes record = {kRecordVersion, kRecordTpm};
  Append(record, info_.key_id);
  const crypto::Sha256Digest binding = crypto::Sha256(BoundTo(record, aad));
  SecretBytes room = TRY(SecretBytes::OfSize(sizeof(TPM2B_SENSITIVE_CREATE)));
  auto* sensitive = reinterpret_cast<TPM2B_SENSITIVE_CREATE*>(room.RevealMutable().data());
  TPM2B_SENSITIVE_DATA& data = sensitive->sensitive.data;
  data.size = static_cast<UINT16>(kBindingBytes + secret.size());
  std::ranges::copy(secret, std::ranges::copy(binding, data.buffer).out);

  MutexLock lock(mutex_);
  const auto tpm = TRY(Connect(tcti_, info_.key_id));
  const ESYS_TR session = TRY(tpm->Session(TPMA_SESSION_DECRYPT));
  const TPM2B_PUBLIC wanted = SealedObject({});
  const TPM2B_DATA nothing{};
  const TPML_PCR_SELECTION no_registers{};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  ++seals_;
  const TSS2_RC rc = Esys_Create(tpm->esys(), tpm->storage_root(), session, ESYS_TR_NONE,
                                 ESYS_TR_NONE, sensitive, &wanted, &nothing, &no_registers,
                                 &private_area, &public_area, nullptr, nullptr, nullptr);
  const EsysPtr<TPM2B_PRIVATE> private_owned(private_area);
  const EsysPtr<TPM2B_PUBLIC> public_owned(public_area);
  tpm->Forget();
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM does not seal", rc);
  const TPM2B_DIGEST& unique = public_area->publicArea.unique.keyedHash;
  const ByteView unique_bytes(unique.buffer, unique.size);
  if (unique_bytes.size() != kUniqueBytes ||
      TRY(Encoded(*public_area)) != TRY(Encoded(SealedObject(unique_bytes)))) {
    return Error(Code::kUnsupported, "the TPM makes another kind of object than was asked for");
  }
  Append(record, unique_bytes);
  Append(record, ByteView(private_area->buffer, private_area->size));
  return record;
}

Result<SecretBytes> TpmSealer::Open(ByteView aad, ByteView sealed) {
  if (aad.empty()) return Error(Code::kInvalidArgument, "a record must be bound to something");
  const TpmRecord record = TRY(ParseTpmRecord(sealed, info_.key_id));
  const crypto::Sha256Digest binding = crypto::Sha256(BoundTo(record.head, aad));
  const TPM2B_PUBLIC public_area = SealedObject(record.unique);
  TPM2B_PRIVATE private_area{};
  private_area.size = static_cast<UINT16>(record.private_area.size());
  std::ranges::copy(record.private_area, private_area.buffer);

  MutexLock lock(mutex_);
  const auto tpm = TRY(Connect(tcti_, info_.key_id));
  LoadedObject object(*tpm);
  TSS2_RC rc = Esys_Load(tpm->esys(), tpm->storage_root(), TRY(tpm->Session(0)), ESYS_TR_NONE,
                         ESYS_TR_NONE, &private_area, &public_area, object.out());
  if (IsAboutParameter(rc)) return DoesNotAuthenticate();  // both parameters are the record
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM does not load a sealed object", rc);
  Unsealed unsealed;
  rc = Esys_Unseal(tpm->esys(), object.handle(), TRY(tpm->Session(TPMA_SESSION_ENCRYPT)),
                   ESYS_TR_NONE, ESYS_TR_NONE, unsealed.out());
  tpm->Forget();
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM does not unseal", rc);
  const ByteView opened = unsealed.view();
  if (opened.size() <= kBindingBytes ||
      !EqualInConstantTime(opened.first(kBindingBytes), binding)) {
    return DoesNotAuthenticate();
  }
  return SecretBytes::CopyOf(opened.subspan(kBindingBytes));
}

}  // namespace dare::hsm

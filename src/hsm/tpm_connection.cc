#include "hsm/tpm_connection.h"

#include <stdlib.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <array>
#include <mutex>

namespace dare::hsm {
namespace {

constexpr TPMT_SYM_DEF kSessionCipher = {
    .algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB}};

// The storage root key of the TCG's provisioning guidance, on P-256: no random number of ours goes
// in, so that the TPM makes the same key from its seed each time and need not keep it.
TPM2B_PUBLIC StorageRootTemplate() {
  TPM2B_PUBLIC out{};
  TPMT_PUBLIC& area = out.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                          TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                          TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  ecc.symmetric.algorithm = TPM2_ALG_AES;
  ecc.symmetric.keyBits.aes = 128;
  ecc.symmetric.mode.aes = TPM2_ALG_CFB;
  ecc.scheme.scheme = TPM2_ALG_NULL;
  ecc.curveID = TPM2_ECC_NIST_P256;
  ecc.kdf.scheme = TPM2_ALG_NULL;
  area.unique.ecc.x.size = 32;
  area.unique.ecc.y.size = 32;
  return out;
}

// The code of the TPM itself, whoever carried it; 0 when somebody else failed.
TSS2_RC OwnCode(TSS2_RC rc) {
  const TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;
  if (layer != TSS2_TPM_RC_LAYER && layer != TSS2_RESMGR_TPM_RC_LAYER) return 0;
  return rc & ~TSS2_RC_LAYER_MASK;
}

bool IsBadPassword(TSS2_RC rc) {
  const TSS2_RC code = OwnCode(rc) & ~TSS2_RC{TPM2_RC_N_MASK | TPM2_RC_P};
  return code == TPM2_RC_BAD_AUTH || code == TPM2_RC_AUTH_FAIL;
}

}  // namespace

Error TpmError(std::string_view what, TSS2_RC rc) {
  return {Code::kUnavailable, std::string(what) + ": " + Tss2_RC_Decode(rc), rc};
}

bool IsAboutParameter(TSS2_RC rc) {
  const TSS2_RC code = OwnCode(rc);
  return (code & TPM2_RC_FMT1) != 0 && (code & TPM2_RC_P) != 0;
}

Result<std::unique_ptr<TpmConnection>> TpmConnection::Open(const std::string& tcti) {
  // The library writes to the standard error output whatever fails; our Errors say it once.
  static std::once_flag silenced;
  std::call_once(silenced, [] { setenv("TSS2_LOG", "all+none", 0); });

  std::unique_ptr<TpmConnection> tpm(new TpmConnection);
  TSS2_RC rc = Tss2_TctiLdr_Initialize(tcti.c_str(), &tpm->tcti_);
  if (rc != TSS2_RC_SUCCESS) return TpmError("cannot reach the TPM at '" + tcti + "'", rc);
  rc = Esys_Initialize(&tpm->esys_, tpm->tcti_, nullptr);
  if (rc != TSS2_RC_SUCCESS) return TpmError("cannot speak with the TPM at '" + tcti + "'", rc);
  TRY(tpm->MakeStorageRoot());
  TRY(tpm->StartSession());
  return tpm;
}

TpmConnection::~TpmConnection() {
  if (session_ != ESYS_TR_NONE) Esys_FlushContext(esys_, session_);
  if (storage_root_ != ESYS_TR_NONE) Esys_FlushContext(esys_, storage_root_);
  if (esys_ != nullptr) Esys_Finalize(&esys_);
  if (tcti_ != nullptr) Tss2_TctiLdr_Finalize(&tcti_);
}

Result<void> TpmConnection::MakeStorageRoot() {
  const TPM2B_SENSITIVE_CREATE no_password{};
  const TPM2B_PUBLIC wanted = StorageRootTemplate();
  const TPM2B_DATA nothing{};
  const TPML_PCR_SELECTION no_registers{};
  TSS2_RC rc = Esys_CreatePrimary(esys_, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                  ESYS_TR_NONE, &no_password, &wanted, &nothing, &no_registers,
                                  &storage_root_, nullptr, nullptr, nullptr, nullptr);
  if (IsBadPassword(rc)) {
    return TpmError(
        "the TPM's owner hierarchy has a password; take it away with tpm2_changeauth -c owner", rc);
  }
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM makes no storage root key", rc);
  TPM2B_NAME* name = nullptr;
  rc = Esys_TR_GetName(esys_, storage_root_, &name);
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM's storage root key has no name", rc);
  const EsysPtr<TPM2B_NAME> owned(name);
  storage_root_name_ = ToBytes(ByteView(name->name, name->size));
  return {};
}

Result<void> TpmConnection::StartSession() {
  const TSS2_RC rc = Esys_StartAuthSession(esys_, storage_root_, ESYS_TR_NONE, ESYS_TR_NONE,
                                           ESYS_TR_NONE, ESYS_TR_NONE, nullptr, TPM2_SE_HMAC,
                                           &kSessionCipher, TPM2_ALG_SHA256, &session_);
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM starts no session", rc);
  return {};
}

Result<ESYS_TR> TpmConnection::Session(TPMA_SESSION encrypted) {
  constexpr TPMA_SESSION kMask =
      TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
  const TSS2_RC rc =
      Esys_TRSess_SetAttributes(esys_, session_, TPMA_SESSION_CONTINUESESSION | encrypted, kMask);
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM's session cannot encrypt", rc);
  return session_;
}

Result<std::string> TpmConnection::Manufacturer() {
  TPMS_CAPABILITY_DATA* data = nullptr;
  const TSS2_RC rc =
      Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
                         TPM2_PT_MANUFACTURER, 1, nullptr, &data);
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM does not say who made it", rc);
  const EsysPtr<TPMS_CAPABILITY_DATA> owned(data);
  const TPML_TAGGED_TPM_PROPERTY& list = data->data.tpmProperties;
  if (list.count == 0 || list.tpmProperty[0].property != TPM2_PT_MANUFACTURER) return std::string();
  std::array<std::uint8_t, 4> letters;
  PutU32(letters.data(), list.tpmProperty[0].value);
  std::string name;
  for (const std::uint8_t letter : letters) {
    if (letter > ' ' && letter < 0x7f) name.push_back(static_cast<char>(letter));
  }
  return name;
}

Result<std::size_t> TpmConnection::HeldElsewhere() {
  std::size_t held = 0;
  for (const TPM2_HANDLE first : {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST}) {
    TPMS_CAPABILITY_DATA* data = nullptr;
    const TSS2_RC rc =
        Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, first,
                           TPM2_MAX_CAP_HANDLES, nullptr, &data);
    if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM does not say what it holds", rc);
    held += data->data.handles.count;
    Esys_Free(data);
  }
  constexpr std::size_t kOwn = 2;
  return held > kOwn ? held - kOwn : 0;
}

void TpmConnection::Forget() {
  // The library keeps what Create was given until the next Create, also one that the TPM refuses:
  // this one asks for an object without a type.
  const TPM2B_SENSITIVE_CREATE no_secret{};
  const TPM2B_PUBLIC no_type{};
  const TPM2B_DATA nothing{};
  const TPML_PCR_SELECTION no_registers{};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  Esys_Create(esys_, storage_root_, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &no_secret,
              &no_type, &nothing, &no_registers, &private_area, &public_area, nullptr, nullptr,
              nullptr);
  Esys_Free(private_area);
  Esys_Free(public_area);
  // One buffer serves for every command and answer; a list of properties is longer than a secret.
  TPMS_CAPABILITY_DATA* data = nullptr;
  Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
                     TPM2_PT_FIXED, TPM2_MAX_TPM_PROPERTIES, nullptr, &data);
  Esys_Free(data);
}

}  // namespace dare::hsm

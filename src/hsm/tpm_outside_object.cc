#include "hsm/tpm_outside_object.h"

#include <tss2/tss2_mu.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "crypto/digest.h"
#include "crypto/random.h"

namespace dare::hsm {

Result<TpmOutsideObject> ImportIntoTpm(TpmConnection& tpm, ByteView content) {
  TPM2B_SENSITIVE sensitive{};
  TPMT_SENSITIVE& secret_part = sensitive.sensitiveArea;
  CHECK(content.size() <= sizeof secret_part.sensitive.bits.buffer);
  Bytes seed(32);
  TRY(crypto::RandomBytes(seed));
  secret_part.sensitiveType = TPM2_ALG_KEYEDHASH;
  secret_part.seedValue.size = static_cast<UINT16>(seed.size());
  std::ranges::copy(seed, secret_part.seedValue.buffer);
  secret_part.sensitive.bits.size = static_cast<UINT16>(content.size());
  std::ranges::copy(content, secret_part.sensitive.bits.buffer);

  TpmOutsideObject object;
  TPMT_PUBLIC& area = object.public_area.publicArea;
  area.type = TPM2_ALG_KEYEDHASH;
  area.nameAlg = TPM2_ALG_SHA256;
  // An import must have fixedTPM and fixedParent clear.
  area.objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
  area.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  Append(seed, content);
  const crypto::Sha256Digest unique = crypto::Sha256(seed);
  area.unique.keyedHash.size = static_cast<UINT16>(unique.size());
  std::ranges::copy(unique, area.unique.keyedHash.buffer);

  // Neither an inner nor an outer wrapping: who brings it in has nothing to hide.
  TPM2B_PRIVATE duplicate{};
  std::size_t size = 0;
  TSS2_RC rc =
      Tss2_MU_TPM2B_SENSITIVE_Marshal(&sensitive, duplicate.buffer, sizeof duplicate.buffer, &size);
  if (rc != TSS2_RC_SUCCESS) return TpmError("cannot write a sensitive area", rc);
  duplicate.size = static_cast<UINT16>(size);
  const TPM2B_DATA no_key{};
  const TPM2B_ENCRYPTED_SECRET no_seed{};
  const TPMT_SYM_DEF_OBJECT no_cipher{.algorithm = TPM2_ALG_NULL};
  TPM2B_PRIVATE* imported = nullptr;
  rc = Esys_Import(tpm.esys(), tpm.storage_root(), TRY(tpm.Session(0)), ESYS_TR_NONE, ESYS_TR_NONE,
                   &no_key, &object.public_area, &duplicate, &no_seed, &no_cipher, &imported);
  const EsysPtr<TPM2B_PRIVATE> owned(imported);
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM does not import", rc);
  object.private_area = *imported;
  return object;
}

Result<Bytes> UnsealOutsideObject(TpmConnection& tpm, const TpmOutsideObject& object) {
  LoadedObject loaded(tpm);
  TSS2_RC rc = Esys_Load(tpm.esys(), tpm.storage_root(), TRY(tpm.Session(0)), ESYS_TR_NONE,
                         ESYS_TR_NONE, &object.private_area, &object.public_area, loaded.out());
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM does not load what it imported", rc);
  TPM2B_SENSITIVE_DATA* data = nullptr;
  rc = Esys_Unseal(tpm.esys(), loaded.handle(), TRY(tpm.Session(0)), ESYS_TR_NONE, ESYS_TR_NONE,
                   &data);
  if (rc != TSS2_RC_SUCCESS) return TpmError("the TPM does not unseal what it imported", rc);
  const EsysPtr<TPM2B_SENSITIVE_DATA> owned(data);
  return ToBytes(ByteView(data->buffer, data->size));
}

}  // namespace dare::hsm

#pragma once

#include "hsm/tpm_connection.h"

namespace dare::hsm {

// What somebody who may send commands to a TPM, or knows its public key, can bring into it: a
// sealed object whose content is his own, made outside and imported under the storage root key. The
// TPM loads and unseals it; a reader of sealed objects must not take it for one of its own.
struct TpmOutsideObject {
  TPM2B_PUBLIC public_area{};
  TPM2B_PRIVATE private_area{};
};
// `content` of at most 128 bytes. Internal to src/hsm: for checks and tests.
Result<TpmOutsideObject> ImportIntoTpm(TpmConnection& tpm, ByteView content);
// What the TPM itself unseals from it.
Result<Bytes> UnsealOutsideObject(TpmConnection& tpm, const TpmOutsideObject& object);

}  // namespace dare::hsm

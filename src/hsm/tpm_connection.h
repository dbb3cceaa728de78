#pragma once

// Internal to src/hsm: the one place that names the headers of the TPM's software stack.
#include <tss2/tss2_esys.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::hsm {

// What the library allocated.
struct EsysFree {
  void operator()(void* p) const { Esys_Free(p); }
};
template <typename T>
using EsysPtr = std::unique_ptr<T, EsysFree>;

// The Error of a failed call: `what` says what we wanted, detail is the TSS2_RC. kUnavailable.
Error TpmError(std::string_view what, TSS2_RC rc);
// True when the TPM found fault with one of the command's parameters, and not with anything else.
bool IsAboutParameter(TSS2_RC rc);

// A conversation with a TPM 2.0, with its storage root key at hand and a session, salted to that
// key, that encrypts what travels: who listens on the TPM's bus learns nothing. Short: others
// want the TPM too, and one that was reset meanwhile is none of our concern. Whatever was loaded
// is flushed at the end. Belongs to one thread.
class TpmConnection {
 public:
  // `tcti` as tpm2-tss writes it: "device:/dev/tpmrm0". kUnavailable when there is no TPM, or its
  // owner hierarchy wants a password.
  static Result<std::unique_ptr<TpmConnection>> Open(const std::string& tcti);
  ~TpmConnection();
  TpmConnection(const TpmConnection&) = delete;
  TpmConnection& operator=(const TpmConnection&) = delete;

  ESYS_CONTEXT* esys() const { return esys_; }
  ESYS_TR storage_root() const { return storage_root_; }
  // The session, whose next command has its first parameter (`TPMA_SESSION_DECRYPT`), its first
  // answer (`TPMA_SESSION_ENCRYPT`) or neither (0) encrypted.
  Result<ESYS_TR> Session(TPMA_SESSION encrypted);
  // The name of the storage root key: the same for ever, until the TPM is cleared.
  const Bytes& storage_root_name() const { return storage_root_name_; }
  // Four letters of who made the TPM: "IFX", "STM", "INTC", "IBM" for swtpm.
  Result<std::string> Manufacturer();
  // Objects and sessions in the TPM, but for the connection's own two.
  Result<std::size_t> HeldElsewhere();
  // Takes out of the library's memory what the last command and its answer left there.
  void Forget();

 private:
  TpmConnection() = default;
  Result<void> MakeStorageRoot();
  Result<void> StartSession();

  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR storage_root_ = ESYS_TR_NONE;
  ESYS_TR session_ = ESYS_TR_NONE;
  Bytes storage_root_name_;
};

// An object of the TPM, flushed when it goes out of sight.
class LoadedObject {
 public:
  explicit LoadedObject(TpmConnection& tpm) : tpm_(tpm) {}
  ~LoadedObject() {
    if (handle_ != ESYS_TR_NONE) Esys_FlushContext(tpm_.esys(), handle_);
  }
  LoadedObject(const LoadedObject&) = delete;
  LoadedObject& operator=(const LoadedObject&) = delete;
  ESYS_TR* out() { return &handle_; }
  ESYS_TR handle() const { return handle_; }

 private:
  TpmConnection& tpm_;
  ESYS_TR handle_ = ESYS_TR_NONE;
};

}  // namespace dare::hsm

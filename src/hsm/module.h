#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct _CK_FUNCTION_LIST;  // PKCS#11's table of functions; its header stays inside src/hsm

namespace dare::hsm {

using SlotId = unsigned long;  // CK_SLOT_ID

// A token as its slot shows it, texts without their padding.
struct TokenInfo {
  SlotId slot = 0;
  std::string label;
  std::string serial;
  std::string manufacturer;
  std::string model;
  bool initialised = false;
  bool user_pin_set = false;
  bool user_pin_locked = false;
};

// A Module is a PKCS#11 library, loaded and initialised for use by many threads
// (CKF_OS_LOCKING_OK); finalised when the last owner lets go. Loading the same path again gives the
// same Module. Thread-safe. A module that reads its configuration from the environment
// (SOFTHSM2_CONF) sees what was set before Load.
class Module {
 public:
  // `init_args` goes to C_Initialize as the vendor's string (NSS needs one), nothing when empty.
  // kNotFound when there is no such library, kUnsupported when it is no PKCS#11 module or cannot
  // lock for threads, kConflict when it is loaded already with other `init_args`.
  static Result<std::shared_ptr<Module>> Load(const std::string& path,
                                              const std::string& init_args = {});
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Every slot that has a token, initialised or not.
  Result<std::vector<TokenInfo>> Tokens() const;
  // The one initialised token with this label; `serial` decides where several have it, empty for
  // any. kNotFound, with the labels there are; kConflict when several fit.
  Result<TokenInfo> FindToken(std::string_view label, std::string_view serial = {}) const;

  const std::string& path() const { return path_; }
  // "SoftHSM 2.6 (Implementation of PKCS11)".
  const std::string& description() const { return description_; }
  // For src/hsm only.
  const _CK_FUNCTION_LIST& functions() const { return *functions_; }

 private:
  Module() = default;
  Result<void> Open(const std::string& path, const std::string& init_args);
  Result<void> Initialise(const std::string& init_args);

  std::string path_;
  std::string init_args_;
  std::string description_;
  void* library_ = nullptr;
  _CK_FUNCTION_LIST* functions_ = nullptr;
  bool finalise_ = false;  // false where somebody else initialised it first
};

}  // namespace dare::hsm

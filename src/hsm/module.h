#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
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
  std::string firmware;  // "2.6"
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

  // A call in progress, or a session on loan: the module is not restarted while there is one. May
  // wait for a restart that is under way.
  class Use {
   public:
    explicit Use(const Module& module);
    Use(Use&& other) noexcept
        : module_(std::exchange(other.module_, nullptr)), life_(other.life_) {}
    Use& operator=(Use&&) = delete;
    ~Use();
    // Sessions and handles of another life mean nothing, and may be somebody else's in this one.
    std::uint64_t life() const { return life_; }

   private:
    const Module* module_;
    std::uint64_t life_;
  };

  // C_Finalize and C_Initialize, for modules that see a token that was away only when they begin
  // anew (SoftHSM2 reads its folder then). All sessions of the module end with it, also those of
  // its other tokens. Does nothing when it began anew since `life`. kConflict when calls are in
  // progress that do not end soon, when the last restart was a moment ago, or when another part of
  // this process initialised the module: then it is not ours to end.
  Result<void> Restart(std::uint64_t life) EXCLUDES(mutex_);

  const std::string& path() const { return path_; }
  // "SoftHSM 2.6 (Implementation of PKCS11)".
  const std::string& description() const { return description_; }
  // For src/hsm only.
  const _CK_FUNCTION_LIST& functions() const { return *functions_; }

 private:
  Module() = default;
  Result<void> Open(const std::string& path, const std::string& init_args);
  Result<void> Initialise();
  unsigned long CallInitialize();  // CK_RV

  std::string path_;
  std::string init_args_;
  std::string description_;
  void* library_ = nullptr;
  _CK_FUNCTION_LIST* functions_ = nullptr;
  bool finalise_ = false;  // false where somebody else initialised it first

  mutable Mutex mutex_;
  mutable CondVar changed_;
  mutable std::size_t uses_ GUARDED_BY(mutex_) = 0;
  bool restarting_ GUARDED_BY(mutex_) = false;
  std::uint64_t life_ GUARDED_BY(mutex_) = 1;
  std::chrono::steady_clock::time_point restarted_ GUARDED_BY(mutex_);
};

}  // namespace dare::hsm

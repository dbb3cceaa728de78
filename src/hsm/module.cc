#include "hsm/module.h"

#include <dlfcn.h>

#include <map>
#include <utility>

#include "base/mutex.h"
#include "hsm/pkcs11.h"

namespace dare::hsm {
namespace {

// Blank-padded text of fixed length, as PKCS#11 has it.
template <std::size_t n>
std::string Unpadded(const unsigned char (&field)[n]) {
  std::string text(reinterpret_cast<const char*>(field), n);
  const std::size_t last = text.find_last_not_of(std::string_view(" \0", 2));
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text;
}

// A token that stays away is asked for again and again, and a restart ends the sessions of the
// module's other tokens.
constexpr std::chrono::seconds kBetweenRestarts{2};
// Others wait as long before they may call; a call that hangs must not hold them up.
constexpr std::chrono::milliseconds kRestartPatience{250};

// Modules of this process by path, so that a second Load does not finalise under the first.
struct Registry {
  Mutex mutex;
  std::map<std::string, std::weak_ptr<Module>> modules GUARDED_BY(mutex);
};

Registry& TheRegistry() {
  static Registry* const registry = new Registry;  // outlives every Module
  return *registry;
}

}  // namespace

Result<std::shared_ptr<Module>> Module::Load(const std::string& path,
                                             const std::string& init_args) {
  Registry& registry = TheRegistry();
  const MutexLock lock(registry.mutex);
  if (std::shared_ptr<Module> loaded = registry.modules[path].lock()) {
    if (loaded->init_args_ == init_args) return loaded;
    return Error(Code::kConflict, "PKCS#11 module " + path + " is loaded with other init_args");
  }
  std::shared_ptr<Module> module(new Module);
  TRY(module->Open(path, init_args));
  registry.modules[path] = module;
  return module;
}

Result<void> Module::Open(const std::string& path, const std::string& init_args) {
  path_ = path;
  init_args_ = init_args;
  // NODELETE: modules leave exit handlers and thread-local data behind that must not point into
  // nothing.
  library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library_ == nullptr) {
    return Error(Code::kNotFound, "cannot load PKCS#11 module " + path + ": " + dlerror());
  }
  using GetFunctionList = CK_RV (*)(CK_FUNCTION_LIST**);
  const auto get = reinterpret_cast<GetFunctionList>(dlsym(library_, "C_GetFunctionList"));
  if (get == nullptr) {
    return Error(Code::kUnsupported, path + " is no PKCS#11 module: it has no C_GetFunctionList");
  }
  if (const CK_RV rv = get(&functions_); rv != CKR_OK || functions_ == nullptr) {
    functions_ = nullptr;
    return Pkcs11Error("C_GetFunctionList of " + path, rv);
  }
  return Initialise();
}

CK_RV Module::CallInitialize() {
  // NSS reads a pointer behind PKCS#11's structure, which must be null (token_quirks.cc).
  struct {
    CK_C_INITIALIZE_ARGS args{};
    void* behind = nullptr;
  } longer;
  longer.args.flags = CKF_OS_LOCKING_OK;
  if (!init_args_.empty()) longer.args.pReserved = const_cast<char*>(init_args_.c_str());
  return functions_->C_Initialize(&longer);
}

Result<void> Module::Initialise() {
  const CK_RV rv = CallInitialize();
  if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    return Pkcs11Error("cannot initialise PKCS#11 module " + path_, rv);
  }
  finalise_ = rv == CKR_OK;
  CK_INFO info{};
  if (const CK_RV got = functions_->C_GetInfo(&info); got != CKR_OK) {
    return Pkcs11Error("C_GetInfo", got);
  }
  description_ = Unpadded(info.manufacturerID) + " " + std::to_string(info.libraryVersion.major) +
                 "." + std::to_string(info.libraryVersion.minor) + " (" +
                 Unpadded(info.libraryDescription) + ")";
  return {};
}

Module::Use::Use(const Module& module) : module_(&module) {
  const MutexLock lock(module.mutex_);
  while (module.restarting_) module.changed_.Wait(module.mutex_);
  ++module.uses_;
  life_ = module.life_;
}

Module::Use::~Use() {
  if (module_ == nullptr) return;
  const MutexLock lock(module_->mutex_);
  if (--module_->uses_ == 0) module_->changed_.NotifyAll();
}

Result<void> Module::Restart(std::uint64_t life) {
  if (!finalise_) {
    return Error(Code::kConflict, path_ + " was initialised by another part of this process");
  }
  {
    const MutexLock lock(mutex_);
    while (restarting_) changed_.Wait(mutex_);
    if (life_ != life) return {};
    const auto now = std::chrono::steady_clock::now();
    if (life_ > 1 && now - restarted_ < kBetweenRestarts) {
      return Error(Code::kConflict, path_ + " was restarted a moment ago");
    }
    restarted_ = now;
    restarting_ = true;
    while (uses_ != 0) {
      const auto left = now + kRestartPatience - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      changed_.WaitFor(mutex_, left);
    }
    if (uses_ != 0) {
      restarting_ = false;
      changed_.NotifyAll();
      return Error(Code::kConflict, path_ + " is in use and cannot be restarted");
    }
  }
  // Nobody else is inside, and nobody gets in.
  functions_->C_Finalize(nullptr);
  const CK_RV rv = CallInitialize();
  const MutexLock lock(mutex_);
  ++life_;
  restarting_ = false;
  changed_.NotifyAll();
  if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    return Pkcs11Error("cannot initialise PKCS#11 module " + path_ + " again", rv);
  }
  return {};
}

Module::~Module() {
  if (finalise_) functions_->C_Finalize(nullptr);
  if (library_ != nullptr) dlclose(library_);
}

Result<std::vector<TokenInfo>> Module::Tokens() const {
  std::vector<CK_SLOT_ID> slots;
  // A token may arrive between asking how many and asking which.
  for (;;) {
    CK_ULONG count = 0;
    if (const CK_RV rv = functions_->C_GetSlotList(CK_TRUE, nullptr, &count); rv != CKR_OK) {
      return Pkcs11Error("cannot list the slots", rv);
    }
    slots.resize(count);
    if (count == 0) break;
    const CK_RV rv = functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
    if (rv == CKR_BUFFER_TOO_SMALL) continue;
    if (rv != CKR_OK) return Pkcs11Error("cannot list the slots", rv);
    slots.resize(count);
    break;
  }
  std::vector<TokenInfo> tokens;
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info{};
    const CK_RV rv = functions_->C_GetTokenInfo(slot, &info);
    if (MeansLost(rv)) continue;  // pulled out meanwhile
    if (rv != CKR_OK) return Pkcs11Error("cannot read a token", rv);
    tokens.push_back(
        {slot, Unpadded(info.label), Unpadded(info.serialNumber), Unpadded(info.manufacturerID),
         Unpadded(info.model), (info.flags & CKF_TOKEN_INITIALIZED) != 0,
         (info.flags & CKF_USER_PIN_INITIALIZED) != 0, (info.flags & CKF_USER_PIN_LOCKED) != 0,
         std::to_string(info.firmwareVersion.major) + "." +
             std::to_string(info.firmwareVersion.minor)});
  }
  return tokens;
}

Result<TokenInfo> Module::FindToken(std::string_view label, std::string_view serial) const {
  const std::vector<TokenInfo> tokens = TRY(Tokens());
  const TokenInfo* found = nullptr;
  std::string labels;
  for (const TokenInfo& token : tokens) {
    if (!token.initialised) continue;
    labels += (labels.empty() ? "'" : ", '") + token.label + "'";
    if (token.label != label || (!serial.empty() && token.serial != serial)) continue;
    if (found != nullptr) {
      return Error(Code::kConflict, "several tokens are labelled '" + std::string(label) +
                                        "'; name one by its serial number");
    }
    found = &token;
  }
  if (found == nullptr) {
    return Error(Code::kNotFound,
                 "no token labelled '" + std::string(label) + "' in " + path_ +
                     (labels.empty() ? "; it has no initialised token" : "; it has " + labels));
  }
  return *found;
}

}  // namespace dare::hsm

#pragma once

#include <dlfcn.h>
#include <stdlib.h>

#include <memory>
#include <string>

#include "base/check.h"
#include "hsm/softhsm_for_test.h"

namespace dare::hsm {

// SoftHsmForTest's token behind a module that fails on demand. One at a time.
class FaultyTokenForTest {
 public:
  FaultyTokenForTest() {
    CHECK(setenv("DARE_TEST_REAL_MODULE", SoftHsmForTest::Get().module_path().c_str(), 1) == 0);
    auto loaded = Module::Load(DARE_FAULTY_MODULE);
    CHECK(loaded.has_value());
    module = *loaded;
    library_ = dlopen(DARE_FAULTY_MODULE, RTLD_NOW | RTLD_NOLOAD);
    CHECK(library_ != nullptr);
  }
  ~FaultyTokenForTest() {
    Fail(0);
    FailDecrypt(0);
    dlclose(library_);
  }

  std::shared_ptr<SessionPool> Pool(const std::string& label, SecretBytes pin) {
    SessionPoolOptions options;
    options.token_label = label;
    options.most_sessions = 4;
    auto pool = SessionPool::Open(module, std::move(pin), options);
    CHECK(pool.has_value());
    return *pool;
  }
  // Opening sessions and starting to encrypt or decrypt answers `rv`, `times` times or (-1) until
  // Fail(0).
  void Fail(unsigned long rv, int times = -1) {
    Function<void (*)(unsigned long, int)>("FaultyModuleFail")(rv, times);
  }
  // C_Decrypt answers `rv` until FailDecrypt(0).
  void FailDecrypt(unsigned long rv) {
    Function<void (*)(unsigned long)>("FaultyModuleFailDecrypt")(rv);
  }
  // Sessions that the module has open now.
  long Sessions() { return Function<long (*)()>("FaultyModuleSessions")(); }
  unsigned long Logins() { return Function<unsigned long (*)()>("FaultyModuleLogins")(); }

  std::shared_ptr<Module> module;

 private:
  template <typename F>
  F Function(const char* name) {
    const auto function = reinterpret_cast<F>(dlsym(library_, name));
    CHECK(function != nullptr);
    return function;
  }
  void* library_;
};

}  // namespace dare::hsm

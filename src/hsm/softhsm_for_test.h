#pragma once

#include <memory>
#include <string>

#include "hsm/master_key.h"
#include "hsm/module.h"
#include "hsm/session_pool.h"

namespace dare::hsm {

// A real token for tests: SoftHSM2 with its own folder under the system's temporary folder, made at
// first use, one for the process, removed at exit. Link dare_hsm_for_test. A test begins with
//   if (!SoftHsmForTest::Available()) GTEST_SKIP() << "SoftHSM2 is not installed";
class SoftHsmForTest {
 public:
  // False where libsofthsm2.so is not installed (or not where $DARE_SOFTHSM says).
  static bool Available();
  // Makes folder, configuration, secure heap and token at the first call; sets SOFTHSM2_CONF.
  // CHECKs that it works.
  static SoftHsmForTest& Get();

  const std::string& module_path() const { return module_path_; }
  const std::string& folder() const { return folder_; }  // tokens/ and softhsm2.conf are in it
  const std::string& configuration() const { return configuration_; }  // what SOFTHSM2_CONF names
  const std::shared_ptr<Module>& module() const { return module_; }

  static constexpr const char* kTokenLabel = "dare-test";
  static constexpr const char* kUserPin = "123456";
  static constexpr const char* kOfficerPin = "87654321";

  static SecretBytes Pin();
  // A fresh pool on the token.
  std::shared_ptr<SessionPool> Pool(std::size_t most_sessions = 8);
  // Another token in the same module, same PINs.
  void MakeToken(const std::string& label);
  // The key with this label, made when it is not there.
  std::shared_ptr<MasterKey> Key(const std::string& label = "mek");

  ~SoftHsmForTest();

 private:
  SoftHsmForTest();

  std::string module_path_;
  std::string folder_;
  std::string configuration_;
  std::shared_ptr<Module> module_;
  int pid_;
};

}  // namespace dare::hsm

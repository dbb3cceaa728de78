#pragma once

#include <memory>
#include <string>

#include "hsm/token_for_test.h"

namespace dare::hsm {

// NSS's softoken with a database of its own under the system's temporary folder (packages libnss3,
// libnss3-tools). Get it through TokenForTest.
class NssForTest : public TokenForTest {
 public:
  static std::string WhyNot();
  NssForTest();
  ~NssForTest() override;

  const std::shared_ptr<Module>& module() const override { return module_; }
  // What NSS must be told when it is initialised.
  const std::string& init_args() const { return init_args_; }

 private:
  std::string folder_;
  std::string init_args_;
  std::shared_ptr<Module> module_;
  int pid_;
};

}  // namespace dare::hsm

#pragma once

#include <memory>
#include <string>

#include "hsm/token_for_test.h"

namespace dare::hsm {

// The software token of openCryptoki (package opencryptoki), with a daemon of its own. Its folders
// and its shared memory have fixed places, so the calling thread moves to a mount and an IPC
// namespace where those are empty: only root may. Get it through TokenForTest, before there are
// other threads.
class OpenCryptokiForTest : public TokenForTest {
 public:
  static std::string WhyNot();
  OpenCryptokiForTest();
  ~OpenCryptokiForTest() override;

  const std::shared_ptr<Module>& module() const override { return module_; }

 private:
  std::shared_ptr<Module> module_;
  int daemon_ = 0;
  int pid_;
};

}  // namespace dare::hsm

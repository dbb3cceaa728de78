#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

namespace dare::hsm {

// A TPM 2.0 for tests: an swtpm process with its own state and sockets under the system's temporary
// folder, ended by its process id. Link dare_hsm_for_test. A test begins with
//   if (!SwtpmForTest::Available()) GTEST_SKIP() << "swtpm is not installed";
class SwtpmForTest {
 public:
  static bool Available();  // swtpm is on the path, and so is the way to it
  // A new TPM that was never used. CHECKs that it starts.
  static std::unique_ptr<SwtpmForTest> Make();
  ~SwtpmForTest();

  const std::string& tcti() const { return tcti_; }  // how to reach it
  const std::string& folder() const { return folder_; }
  void PowerOff();  // what is not in its state is gone
  void PowerOn();

 private:
  explicit SwtpmForTest(std::string folder);

  const std::string folder_;
  const std::string tcti_;
  pid_t pid_ = -1;
};

}  // namespace dare::hsm

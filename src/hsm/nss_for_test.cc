#include "hsm/nss_for_test.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "base/secret_bytes.h"

namespace dare::hsm {
namespace {

std::string FindModule() {
  for (const char* path :
       {"/usr/lib/x86_64-linux-gnu/libsoftokn3.so", "/usr/lib/x86_64-linux-gnu/nss/libsoftokn3.so",
        "/usr/lib/aarch64-linux-gnu/libsoftokn3.so", "/usr/lib64/libsoftokn3.so"}) {
    if (FileExists(path)) return path;
  }
  return "";
}

}  // namespace

std::string NssForTest::WhyNot() {
  if (FindModule().empty()) return "NSS (package libnss3) is not installed";
  if (system("command -v certutil >/dev/null 2>&1") != 0) {
    return "certutil (package libnss3-tools) is not installed";
  }
  return "";
}

NssForTest::NssForTest() : pid_(getpid()) {
  CHECK(StartSecureHeap(std::size_t{1} << 20).has_value());
  std::string folder = (std::filesystem::temp_directory_path() / "dare-nss-XXXXXX").string();
  CHECK(mkdtemp(folder.data()) != nullptr);
  folder_ = folder;
  const std::string password = folder_ + "/password";
  CHECK(WriteFileDurably(password, AsBytes(std::string(kUserPin) + "\n"), 0600).has_value());
  const std::string command = "certutil -N -d sql:" + folder_ + " -f " + password;
  CHECK(system(command.c_str()) == 0);
  init_args_ = "configdir='sql:" + folder_ +
               "' certPrefix='' keyPrefix='' secmod='' flags= dbTokenDescription='" + kLabel + "'";
  Result<std::shared_ptr<Module>> module = Module::Load(FindModule(), init_args_);
  CHECK(module.has_value());
  module_ = *std::move(module);
}

NssForTest::~NssForTest() {
  if (getpid() != pid_) return;  // a forked child must not take the token away
  module_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace dare::hsm

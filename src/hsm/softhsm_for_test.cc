#include "hsm/softhsm_for_test.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "hsm/token_setup.h"

namespace dare::hsm {
namespace {

SecretBytes Secret(const char* text) {
  Result<SecretBytes> secret = SecretBytes::CopyOf(AsBytes(text));
  CHECK(secret.has_value());
  return *std::move(secret);
}

std::string FindModule() {
  if (const char* path = getenv("DARE_SOFTHSM")) return FileExists(path) ? path : "";
  for (const char* path :
       {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"}) {
    if (FileExists(path)) return path;
  }
  return "";
}

}  // namespace

bool SoftHsmForTest::Available() { return !FindModule().empty(); }

SoftHsmForTest& SoftHsmForTest::Get() {
  static SoftHsmForTest token;
  return token;
}

SoftHsmForTest::SoftHsmForTest() : module_path_(FindModule()), pid_(getpid()) {
  CHECK(!module_path_.empty());
  CHECK(StartSecureHeap(std::size_t{1} << 20).has_value());
  std::string folder = (std::filesystem::temp_directory_path() / "dare-softhsm-XXXXXX").string();
  CHECK(mkdtemp(folder.data()) != nullptr);
  folder_ = folder;
  CHECK(MakeFolders(folder_ + "/tokens", 0700).has_value());
  configuration_ = folder_ + "/softhsm2.conf";
  const std::string text = "directories.tokendir = " + folder_ +
                           "/tokens\nobjectstore.backend = file\nlog.level = ERROR\n";
  CHECK(WriteFileDurably(configuration_, AsBytes(text), 0600).has_value());
  CHECK(setenv("SOFTHSM2_CONF", configuration_.c_str(), 1) == 0);
  Result<std::shared_ptr<Module>> module = Module::Load(module_path_);
  CHECK(module.has_value());
  module_ = *std::move(module);
  MakeToken(kTokenLabel);
}

SoftHsmForTest::~SoftHsmForTest() {
  if (getpid() != pid_) return;  // a forked child must not take the token away
  module_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

SecretBytes SoftHsmForTest::Pin() { return Secret(kUserPin); }

void SoftHsmForTest::MakeToken(const std::string& label) {
  TokenPins pins{Secret(kOfficerPin), Secret(kUserPin)};
  CHECK(InitialiseToken(*module_, label, pins).has_value());
}

std::shared_ptr<SessionPool> SoftHsmForTest::Pool(std::size_t most_sessions) {
  SessionPoolOptions options;
  options.token_label = kTokenLabel;
  options.most_sessions = most_sessions;
  Result<std::shared_ptr<SessionPool>> pool = SessionPool::Open(module_, Pin(), options);
  CHECK(pool.has_value());
  return *std::move(pool);
}

std::shared_ptr<MasterKey> SoftHsmForTest::Key(const std::string& label) {
  Result<std::shared_ptr<MasterKey>> key = MasterKey::Find(Pool(), label);
  if (!key && key.error().code == Code::kNotFound) key = MasterKey::Create(Pool(), label);
  CHECK(key.has_value());
  return *std::move(key);
}

}  // namespace dare::hsm

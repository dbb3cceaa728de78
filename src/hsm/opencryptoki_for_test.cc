#include "hsm/opencryptoki_for_test.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "base/secret_bytes.h"
#include "hsm/pkcs11.h"

namespace dare::hsm {
namespace {

constexpr const char* kDaemon = "/usr/sbin/pkcsslotd";
constexpr const char* kPidFile = "/run/pkcsslotd.pid";
constexpr char kConfiguration[] =
    "version opencryptoki-3.8\nslot 3\n{\nstdll = libpkcs11_sw.so\n}\n";
constexpr const char* kFirstOfficerPin = "87654321";  // as the token comes
constexpr const char* kOfficerPin = "76543210";
constexpr const char* kFirstUserPin = "12345678";

std::string FindModule() {
  for (const char* path : {"/usr/lib/x86_64-linux-gnu/opencryptoki/libopencryptoki.so.0",
                           "/usr/lib/aarch64-linux-gnu/opencryptoki/libopencryptoki.so.0",
                           "/usr/lib64/opencryptoki/libopencryptoki.so.0"}) {
    if (FileExists(path)) return path;
  }
  return "";
}

// An empty folder in place of what the machine has there.
void Cover(const char* folder) {
  CHECK(mount("none", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") == 0);
}

void GiveFolder(const std::string& path) {
  const group* const owners = getgrnam("pkcs11");
  CHECK(owners != nullptr && MakeFolders(path, 0770).has_value());
  CHECK(chown(path.c_str(), 0, owners->gr_gid) == 0 && chmod(path.c_str(), 0770) == 0);
}

void MoveApart() {
  CHECK(unshare(CLONE_NEWNS | CLONE_NEWIPC) == 0);
  CHECK(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
  // /dev/shm too: what a token holds is told there under the token's path, which is everybody's.
  for (const char* folder : {"/etc/opencryptoki", "/var/lib/opencryptoki", "/run", "/dev/shm"}) {
    Cover(folder);
  }
  for (const char* folder :
       {"/run/lock/opencryptoki", "/run/lock/opencryptoki/swtok", "/var/lib/opencryptoki",
        "/var/lib/opencryptoki/swtok", "/var/lib/opencryptoki/swtok/TOK_OBJ"}) {
    GiveFolder(folder);
  }
  CHECK(WriteFileDurably("/etc/opencryptoki/opencryptoki.conf", AsBytes(kConfiguration), 0644)
            .has_value());
}

// 0 until the daemon has written it.
int DaemonsProcess() {
  const Result<Bytes> text = ReadFile(kPidFile, 32);
  return text ? atoi(std::string(AsText(*text)).c_str()) : 0;
}

int StartDaemon() {
  CHECK(system(kDaemon) == 0);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!FileExists("/run/pkcsslotd.socket") || DaemonsProcess() <= 1) {
    CHECK(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return DaemonsProcess();
}

unsigned char* Pin(const char* text) {
  return reinterpret_cast<unsigned char*>(const_cast<char*>(text));
}

void Check(CK_RV rv, const char* what) {
  if (rv != CKR_OK)
    dare::internal::CheckFailed((what + (": " + CkrName(rv))).c_str(), __FILE__, __LINE__);
}

// Both PINs are to be changed from what they were first set to, or nothing else is answered.
void MakeReady(const Module& module) {
  const CK_FUNCTION_LIST& p11 = module.functions();
  const auto tokens = module.Tokens();
  CHECK(tokens.has_value() && !tokens->empty());
  const CK_SLOT_ID slot = tokens->front().slot;
  unsigned char label[32];
  memset(label, ' ', sizeof label);
  memcpy(label, TokenForTest::kLabel, strlen(TokenForTest::kLabel));
  Check(p11.C_InitToken(slot, Pin(kFirstOfficerPin), strlen(kFirstOfficerPin), label), "label");
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  Check(p11.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
        "session");
  Check(p11.C_Login(session, CKU_SO, Pin(kFirstOfficerPin), strlen(kFirstOfficerPin)), "officer");
  Check(p11.C_SetPIN(session, Pin(kFirstOfficerPin), strlen(kFirstOfficerPin), Pin(kOfficerPin),
                     strlen(kOfficerPin)),
        "officer's PIN");
  Check(p11.C_InitPIN(session, Pin(kFirstUserPin), strlen(kFirstUserPin)), "user's first PIN");
  Check(p11.C_Logout(session), "officer leaves");
  Check(p11.C_Login(session, CKU_USER, Pin(kFirstUserPin), strlen(kFirstUserPin)), "user");
  Check(p11.C_SetPIN(session, Pin(kFirstUserPin), strlen(kFirstUserPin),
                     Pin(TokenForTest::kUserPin), strlen(TokenForTest::kUserPin)),
        "user's PIN");
  Check(p11.C_Logout(session), "user leaves");
  Check(p11.C_CloseSession(session), "session ends");
}

}  // namespace

std::string OpenCryptokiForTest::WhyNot() {
  if (FindModule().empty() || !FileExists(kDaemon)) {
    return "openCryptoki (package opencryptoki) is not installed";
  }
  if (geteuid() != 0 || system("unshare --mount --ipc true >/dev/null 2>&1") != 0) {
    return "openCryptoki's daemon and its namespaces need root";
  }
  return "";
}

OpenCryptokiForTest::OpenCryptokiForTest() : pid_(getpid()) {
  CHECK(StartSecureHeap(std::size_t{1} << 20).has_value());
  MoveApart();
  daemon_ = StartDaemon();
  CHECK(daemon_ > 1);
  Result<std::shared_ptr<Module>> module = Module::Load(FindModule());
  CHECK(module.has_value());
  module_ = *std::move(module);
  MakeReady(*module_);
}

OpenCryptokiForTest::~OpenCryptokiForTest() {
  if (getpid() != pid_) return;  // a forked child must not take the token away
  module_.reset();
  kill(daemon_, SIGTERM);
}

}  // namespace dare::hsm

#include "hsm/swtpm_for_test.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/file.h"
#include "base/secret_bytes.h"

namespace dare::hsm {
namespace {

constexpr const char* kProgram = "/usr/bin/swtpm";

bool Answers(const std::string& tcti) {
  TSS2_TCTI_CONTEXT* way = nullptr;
  const bool answers = Tss2_TctiLdr_Initialize(tcti.c_str(), &way) == TSS2_RC_SUCCESS;
  Tss2_TctiLdr_Finalize(&way);
  return answers;
}

}  // namespace

bool SwtpmForTest::Available() {
  setenv("TSS2_LOG", "all+none", 0);  // what fails here is expected to
  TSS2_TCTI_INFO* info = nullptr;
  const bool has_way = Tss2_TctiLdr_GetInfo("swtpm", &info) == TSS2_RC_SUCCESS;
  Tss2_TctiLdr_FreeInfo(&info);
  return has_way && FileExists(kProgram);
}

std::unique_ptr<SwtpmForTest> SwtpmForTest::Make() {
  std::string folder = (std::filesystem::temp_directory_path() / "dare-swtpm-XXXXXX").string();
  CHECK(mkdtemp(folder.data()) != nullptr);
  CHECK(StartSecureHeap(std::size_t{1} << 20).has_value());
  std::unique_ptr<SwtpmForTest> tpm(new SwtpmForTest(std::move(folder)));
  tpm->PowerOn();
  return tpm;
}

SwtpmForTest::SwtpmForTest(std::string folder)
    : folder_(std::move(folder)), tcti_("swtpm:path=" + folder_ + "/tpm") {}

SwtpmForTest::~SwtpmForTest() {
  PowerOff();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void SwtpmForTest::PowerOn() {
  CHECK(pid_ < 0);
  std::vector<std::string> words = {kProgram,
                                    "socket",
                                    "--tpm2",
                                    "--tpmstate",
                                    "dir=" + folder_,
                                    "--server",
                                    "type=unixio,path=" + folder_ + "/tpm",
                                    "--ctrl",
                                    "type=unixio,path=" + folder_ + "/tpm.ctrl",
                                    "--flags",
                                    "not-need-init,startup-clear"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  CHECK(posix_spawn_file_actions_init(&files) == 0);
  const std::string log = folder_ + "/log";  // it tells of every client that leaves
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    CHECK(posix_spawn_file_actions_addopen(&files, fd, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                           0600) == 0);
  }
  CHECK(posix_spawn(&pid_, kProgram, &files, nullptr, arguments.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&files);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!Answers(tcti_)) {
    CHECK(std::chrono::steady_clock::now() < deadline);
    CHECK(waitpid(pid_, nullptr, WNOHANG) == 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void SwtpmForTest::PowerOff() {
  if (pid_ < 0) return;
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  std::error_code ignored;
  for (const char* name : {"/tpm", "/tpm.ctrl"}) std::filesystem::remove(folder_ + name, ignored);
}

}  // namespace dare::hsm

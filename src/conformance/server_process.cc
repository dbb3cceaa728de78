#include "conformance/server_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/file.h"

extern char** environ;

namespace dare::conformance {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds kStart{60};
constexpr std::chrono::seconds kEnd{10};

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::Start(const std::string& command,
                                                            bool needs_https) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return IoError("cannot make a pipe", errno);
  FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  const char* arguments[] = {"/bin/sh", "-c", command.c_str(), nullptr};
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, arguments[0], &actions, nullptr, const_cast<char**>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return IoError("cannot start " + command, failed);
  std::unique_ptr<ServerProcess> process(new ServerProcess(pid, reading.Release()));
  writing.Close();  // so that the server's end is seen
  TRY(process->AwaitAddresses(needs_https));
  return process;
}

ServerProcess::~ServerProcess() {
  ::kill(pid_, SIGTERM);
  const auto deadline = SteadyClock::now() + kEnd;
  while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (SteadyClock::now() > deadline) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ::close(output_);
}

void ServerProcess::TakeLine(const std::string& line) {
  constexpr std::string_view kKmip = "listening kmip ";
  constexpr std::string_view kHttps = "listening https ";
  if (line.starts_with(kKmip)) kmip_ = line.substr(kKmip.size());
  if (line.starts_with(kHttps)) https_ = line.substr(kHttps.size());
}

Result<void> ServerProcess::AwaitAddresses(bool needs_https) {
  const auto deadline = SteadyClock::now() + kStart;
  std::string text;
  while (kmip_.empty() || (needs_https && https_.empty())) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    pollfd entry{output_, POLLIN, 0};
    if (left <= 0 || ::poll(&entry, 1, static_cast<int>(left)) <= 0) {
      return Error(Code::kUnavailable, "the server did not say where it listens: " + text);
    }
    char buffer[1024];
    const ssize_t got = ::read(output_, buffer, sizeof buffer);
    if (got <= 0) return Error(Code::kUnavailable, "the server did not start: " + text);
    text.append(buffer, static_cast<std::size_t>(got));
    std::size_t end = 0;
    while ((end = text.find('\n')) != std::string::npos) {
      TakeLine(text.substr(0, end));
      text.erase(0, end + 1);
    }
  }
  return {};
}

}  // namespace dare::conformance

#include "system_calls.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>

namespace dare::kms {
namespace {

// What `act` gives in a process of its own that is filtered; a filter is never taken off.
int Under(const char* mode, const std::function<int()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto filter = FilterSystemCalls(mode);
    ::_exit(filter ? act() : 99);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// 0 for a call that was done, else its errno.
int Of(long result) { return result >= 0 ? 0 : errno; }

class SystemCallsTest : public testing::Test {
 protected:
  void SetUp() override {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(FilterSystemCalls("on").value_or("off") == "on" ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) GTEST_SKIP() << "no filter in this build or kernel";
  }
};

TEST_F(SystemCallsTest, NoProgramIsStartedAndNoProcessMade) {
  EXPECT_EQ(Under("on", [] { return Of(::execl("/bin/true", "true", nullptr)); }), EPERM);
  EXPECT_EQ(Under("on", [] { return Of(::fork()); }), EPERM);
  EXPECT_EQ(Under("on", [] { return Of(::vfork()); }), EPERM);
}

TEST_F(SystemCallsTest, ThreadsAreMade) {
  EXPECT_EQ(Under("on",
                  [] {
                    int done = 1;
                    std::thread([&] { done = 0; }).join();
                    return done;
                  }),
            0);
}

TEST_F(SystemCallsTest, NoMemoryIsBothWrittenAndExecuted) {
  const auto map = [](int protection) {
    return [protection] {
      void* const memory = ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      return memory == MAP_FAILED ? errno : 0;
    };
  };
  EXPECT_EQ(Under("on", map(PROT_READ | PROT_WRITE)), 0);
  EXPECT_EQ(Under("on", map(PROT_READ | PROT_EXEC)), 0) << "modules are mapped so";
  EXPECT_EQ(Under("on", map(PROT_READ | PROT_WRITE | PROT_EXEC)), EPERM);
  EXPECT_EQ(Under("on",
                  [] {
                    void* const memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                    return Of(::mprotect(memory, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
                  }),
            EPERM);
}

TEST_F(SystemCallsTest, SocketsAreOfTheNetworkOrLocal) {
  for (const int family : {AF_INET, AF_INET6, AF_UNIX}) {
    EXPECT_EQ(Under("on", [family] { return Of(::socket(family, SOCK_STREAM, 0)); }), 0) << family;
  }
  EXPECT_EQ(Under("on", [] { return Of(::socket(AF_PACKET, SOCK_RAW, 0)); }), EPERM);
}

TEST_F(SystemCallsTest, TheOtherModesForbidNothing) {
  for (const char* mode : {"off", "log"}) {
    EXPECT_EQ(Under(mode,
                    [] {
                      const pid_t child = ::fork();
                      if (child == 0) ::_exit(0);
                      return child > 0 ? 0 : errno;
                    }),
              0)
        << mode;
  }
}

}  // namespace
}  // namespace dare::kms

#include "process.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "base/log.h"
#include "base/secret_bytes.h"
#include "base/secure_arena.h"

namespace dare::kms {
namespace {

sigset_t EndSignals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
  return set;
}

}  // namespace

Result<void> HardenProcess(std::size_t secure_heap_bytes, const crypto::PolicyChoice& policy,
                           std::string_view secret_memory) {
  ::umask(077);
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return IoError("cannot forbid core dumps", errno);
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return IoError("cannot forbid memory dumps", errno);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of write(), not our end
  TRY(StartSecureHeap(secure_heap_bytes));
  if (secret_memory != "off") TRY(HideSecureArena());
  return crypto::ApplyPolicy(policy, crypto::ProviderLoading::kMayLoad);
}

Result<void> GiveUpPrivileges(bool low_ports) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return IoError("cannot forbid new privileges", errno);
  }
  std::uint64_t kept = 0;
  if (low_ports) kept |= std::uint64_t{1} << CAP_NET_BIND_SERVICE;
  if (::geteuid() == 0) kept |= std::uint64_t{1} << CAP_DAC_OVERRIDE;
  // Who may not take them out of the bounding set has none to lose by it.
  for (unsigned long one = 0; one <= CAP_LAST_CAP; ++one) {
    if ((kept >> one & 1) == 0) (void)::prctl(PR_CAPBSET_DROP, one, 0, 0, 0);
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct held[2] = {};
  if (::syscall(SYS_capget, &header, held) != 0) return IoError("cannot read capabilities", errno);
  bool less = false;  // a service that has none may be forbidden the call
  for (unsigned half = 0; half < 2; ++half) {
    const auto wanted = static_cast<std::uint32_t>(kept >> (32 * half));
    const std::uint32_t permitted = held[half].permitted & wanted;
    less |= permitted != held[half].permitted || held[half].effective != permitted ||
            held[half].inheritable != 0;
    held[half] = {permitted, permitted, 0};
  }
  if (less && ::syscall(SYS_capset, &header, held) != 0) {
    return IoError("cannot drop capabilities", errno);
  }
  return {};
}

void NotifySystemd(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
  const FileDescriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  if (::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), size) < 0) {
    log::Warning(IoError("cannot notify systemd", errno).message);
  }
}

void BlockEndSignals() {
  const sigset_t set = EndSignals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int WaitForEndSignal() {
  const sigset_t set = EndSignals();
  int signal = 0;
  while (::sigwait(&set, &signal) != 0) {
  }
  return signal;
}

}  // namespace dare::kms

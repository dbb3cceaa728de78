#include "system_calls.h"

#include <linux/sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>

namespace dare::kms {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // they make processes of their own
#else
constexpr bool kSanitized = false;
#endif

// What the server, OpenSSL, SQLite, libpq and the modules of tokens may call: the tests run under
// it, and whoever finds a module that needs more switches to "log" and tells. A name that this
// architecture does not have is passed by.
constexpr const char* kAllowed[] = {
    // files
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "open",
    "openat", "openat2", "close", "close_range", "stat", "fstat", "lstat", "newfstatat", "statx",
    "statfs", "fstatfs", "lseek", "access", "faccessat", "faccessat2", "readlink", "readlinkat",
    "getdents", "getdents64", "getcwd", "chdir", "fchdir", "umask", "fcntl", "flock", "fsync",
    "fdatasync", "sync_file_range", "truncate", "ftruncate", "fallocate", "fadvise64", "rename",
    "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "symlink", "symlinkat",
    "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown",
    "fchownat", "utimensat", "copy_file_range", "sendfile", "splice", "dup", "dup2", "dup3", "pipe",
    "pipe2", "getxattr", "fgetxattr", "lgetxattr", "inotify_init1", "inotify_add_watch",
    "inotify_rm_watch", "ioctl",
    // memory
    "brk", "munmap", "mremap", "madvise", "msync", "mincore", "mlock", "mlock2", "munlock",
    "memfd_create", "memfd_secret", "shmget", "shmat", "shmdt", "shmctl", "get_mempolicy",
    // threads and signals
    "futex", "futex_waitv", "set_robust_list", "get_robust_list", "set_tid_address", "rseq",
    "membarrier", "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam",
    "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min", "getcpu",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigpending",
    "rt_sigsuspend", "rt_sigqueueinfo", "sigaltstack", "pause", "tgkill", "kill", "wait4", "waitid",
    "semget", "semop", "semctl", "semtimedop", "restart_syscall", "exit", "exit_group",
    // time
    "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "time",
    "times", "timer_create", "timer_settime", "timer_gettime", "timer_delete", "timerfd_create",
    "timerfd_settime", "timerfd_gettime", "alarm", "setitimer", "getitimer",
    // network
    "socketpair", "connect", "bind", "listen", "accept", "accept4", "getsockname", "getpeername",
    "getsockopt", "setsockopt", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg",
    "shutdown", "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "signalfd4",
    // about itself
    "getpid", "gettid", "getppid", "getpgrp", "getpgid", "getsid", "getuid", "geteuid", "getgid",
    "getegid", "getresuid", "getresgid", "getgroups", "getpriority", "getrusage", "getrlimit",
    "setrlimit", "prlimit64", "uname", "sysinfo", "getrandom", "prctl", "arch_prctl", "capget"};

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

Error CannotFilter(int error) {
  return Error(Code::kUnsupported, "system calls cannot be filtered ([process] seccomp): errno " +
                                       std::to_string(-error));
}

// Remembers the first failure, so that rules can be written one after the other.
class Rules {
 public:
  explicit Rules(void* filter) : filter_(filter) {}
  int failure() const { return failure_; }
  void Allow(const char* name) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call >= 0) Note(seccomp_rule_add_array(filter_, SCMP_ACT_ALLOW, call, 0, nullptr));
  }
  void AllowWhere(const char* name, const scmp_arg_cmp& comparison) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call >= 0) Note(seccomp_rule_add_array(filter_, SCMP_ACT_ALLOW, call, 1, &comparison));
  }
  void Answer(const char* name, int error) {
    const int call = seccomp_syscall_resolve_name(name);
    const std::uint32_t action = SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error));
    if (call >= 0) Note(seccomp_rule_add_array(filter_, action, call, 0, nullptr));
  }

 private:
  void Note(int result) {
    if (result != 0 && failure_ == 0) failure_ = result;
  }

  void* const filter_;
  int failure_ = 0;
};

scmp_arg_cmp Bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void Write(Rules& rules) {
  for (const char* name : kAllowed) rules.Allow(name);
  // Code is mapped from files (modules of tokens), and not written.
  for (const char* name : {"mmap", "mprotect", "pkey_mprotect"}) {
    rules.AllowWhere(name, Bits(2, PROT_EXEC, 0));
    rules.AllowWhere(name, Bits(2, PROT_WRITE | PROT_EXEC, PROT_EXEC));
  }
  // Threads, and no processes. What clone3 asks for a filter cannot see; glibc does without it.
  rules.AllowWhere("clone", Bits(0, CLONE_THREAD, CLONE_THREAD));
  rules.Answer("clone3", ENOSYS);
  for (const std::uint64_t family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) {
    rules.AllowWhere("socket", {0, SCMP_CMP_EQ, family, 0});
  }
}

}  // namespace

Result<std::string_view> FilterSystemCalls(std::string_view mode) {
  if (mode == "off" || kSanitized) return std::string_view("off");
  const bool log = mode == "log";
  const std::uint32_t otherwise = log ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM);
  const Filter filter(seccomp_init(otherwise));
  if (filter == nullptr) return Error(Code::kExhausted, "no memory for the system call filter");
  Rules rules(filter.get());
  Write(rules);
  if (rules.failure() != 0) return CannotFilter(rules.failure());
  if (const int loaded = seccomp_load(filter.get()); loaded != 0) return CannotFilter(loaded);
  return std::string_view(log ? "log" : "on");
}

}  // namespace dare::kms

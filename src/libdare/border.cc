#include "libdare/border.h"

#include <pthread.h>

#include <cerrno>
#include <ctime>
#include <string>

namespace dare::lib {
namespace {

thread_local std::string g_last_error;

dare_status StatusOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return DARE_USAGE;
    case Code::kDenied:
    case Code::kUnauthenticated:
      return DARE_DENIED;
    case Code::kUnavailable:
    case Code::kTimeout:
      return DARE_UNREACHABLE;
    case Code::kDamaged:
      return DARE_DAMAGED;
    case Code::kMalformed:
    case Code::kTooLarge:
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kUnsupported:
    case Code::kExhausted:
    case Code::kIo:
    case Code::kConflict:
    case Code::kRejected:
    case Code::kInternal:
      return DARE_FAILED;
  }
  return DARE_FAILED;
}

}  // namespace

WithoutSigpipe::WithoutSigpipe() {
  ::sigemptyset(&sigpipe_);
  ::sigaddset(&sigpipe_, SIGPIPE);
  sigset_t pending;
  ::sigpending(&pending);
  was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
  ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
}

WithoutSigpipe::~WithoutSigpipe() {
  constexpr timespec kNow{0, 0};
  if (!was_pending_) {
    while (::sigtimedwait(&sigpipe_, nullptr, &kNow) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

dare_status StatusOf(const Error& error) {
  g_last_error = error.message;
  if (error.code == Code::kIo && error.detail == EINTR) return DARE_CANCELLED;
  return StatusOf(error.code);
}

dare_status StatusOf(const std::exception* thrown) {
  g_last_error.clear();  // when memory ran out, a message might not fit either
  if (thrown != nullptr && dynamic_cast<const std::bad_alloc*>(thrown) == nullptr) {
    try {
      g_last_error = thrown->what();
    } catch (...) {
    }
  }
  return DARE_FAILED;
}

}  // namespace dare::lib

extern "C" const char* dare_last_error(void) {
  return dare::lib::g_last_error.empty() ? "out of memory" : dare::lib::g_last_error.c_str();
}

#pragma once

#include <dare/dare.h>
#include <signal.h>

#include <exception>
#include <new>

#include "base/result.h"

// The border between our Results and the statuses of dare/dare.h. Nothing is thrown across it.
namespace dare::lib {

// A key server that closes its connection must not end the program that calls us: SIGPIPE is
// blocked in this thread (and those it starts) for the length of a call, and one that we caused is
// taken back. The program's own handling of the signal stays as it is.
class WithoutSigpipe {
 public:
  WithoutSigpipe();
  ~WithoutSigpipe();
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t sigpipe_, before_;
  bool was_pending_ = false;
};

// The status of an error, whose text becomes what dare_last_error() gives in this thread.
dare_status StatusOf(const Error& error);
// The same for what was thrown by libraries beneath us: memory that ran out, a thread that could
// not be made.
dare_status StatusOf(const std::exception* thrown);

// Runs `call`, which gives a Result, as one call of the C interface.
template <typename Call>
dare_status AtBorder(Call&& call) noexcept {
  const WithoutSigpipe without_sigpipe;
  try {
    const auto result = call();
    return result ? DARE_OK : StatusOf(result.error());
  } catch (const std::exception& thrown) {
    return StatusOf(&thrown);
  } catch (...) {
    return StatusOf(static_cast<const std::exception*>(nullptr));
  }
}

inline Result<void> RequireArguments(bool all_there) {
  if (all_there) return {};
  return Error(Code::kInvalidArgument, "an argument that is needed is NULL");
}

}  // namespace dare::lib

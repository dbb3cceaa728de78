#include "interruption.h"

#include <csignal>

namespace dare::kms {
namespace {

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void Interrupt(int) { interrupted = true; }

}  // namespace

const std::atomic<bool>& Interruption() {
  struct sigaction action {};
  action.sa_handler = Interrupt;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) (void)::sigaction(signal, &action, nullptr);
  return interrupted;
}

}  // namespace dare::kms

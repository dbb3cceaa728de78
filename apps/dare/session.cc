#include "session.h"

#include <csignal>
#include <cstdlib>

namespace dare::cli {
namespace {

std::atomic<bool> g_cancelled{false};
volatile std::sig_atomic_t g_signal = 0;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void AskToStop(int signal) {
  g_signal = signal;
  g_cancelled.store(true, std::memory_order_relaxed);
}

}  // namespace

const std::atomic<bool>& Session::cancelled() { return g_cancelled; }

int Session::signal() { return g_signal; }

void Session::CatchSignals() {
  struct sigaction action {};
  action.sa_handler = &AskToStop;  // without SA_RESTART: waiting calls return
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigemptyset(&ignore.sa_mask);
  ::sigaction(SIGPIPE, &ignore, nullptr);
  ::sigaction(SIGXFSZ, &ignore, nullptr);
}

Result<void> Session::ApplyCryptoPolicy() const {
  const crypto::PolicyChoice choice = TRY(client::LoadPolicy(config_path));
  return crypto::ApplyPolicy(choice, crypto::ProviderLoading::kMayLoad);
}

Result<const client::Config*> Session::Config() {
  if (!config_) {
    Result<client::Config> loaded = client::LoadConfig(config_path);
    if (!loaded && loaded.error().code == Code::kNotFound) {
      return Error(Code::kNotFound,
                   loaded.error().message + "; \"dare enroll\" makes one, --config names another");
    }
    config_ = std::make_unique<client::Config>(TRY(std::move(loaded)));
  }
  return static_cast<const client::Config*>(config_.get());
}

Result<client::KmsClient*> Session::Kms() {
  if (!kms_) {
    const client::Config* config = TRY(Config());
    kms_ = TRY(client::KmsClient::Create(*config, &g_cancelled));
  }
  return kms_.get();
}

}  // namespace dare::cli

#include <unistd.h>

#include <iostream>

#include "base/log.h"
#include "commands.h"
#include "crypto/fips_policy.h"
#include "process.h"
#include "server/config.h"
#include "service.h"
#include "system_calls.h"

namespace dare::kms {
namespace {

// "127.0.0.1:5696", "[::1]:5696".
std::string Endpoint(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

void TellPolicy() {
  if (!crypto::ConfinedToFips()) return;
  const std::string provider = crypto::FipsProvider();
  log::Info("crypto policy fips: approved algorithms only, computed by " +
            (provider.empty() ? "OpenSSL's default provider" : provider));
}

void Announce(const ServeOptions& options, const server::Config& config, const Service& service) {
  std::cout << "listening kmip " << Endpoint(config.kmip.address, service.kmip().port()) << "\n";
  if (service.https() != nullptr) {
    std::cout << "listening https " << Endpoint(config.https.address, service.https()->port())
              << "\n";
  }
  std::cout.flush();
  NotifySystemd("READY=1");
  if (options.ready_fd < 0) return;
  constexpr std::string_view kReady = "ready\n";
  if (::write(options.ready_fd, kReady.data(), kReady.size()) < 0) {
    log::Warning("nobody reads --ready-fd");
  }
  ::close(options.ready_fd);
}

}  // namespace

Result<void> Serve(const ServeOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  log::SetLevel(config.log_level);
  TRY(HardenProcess(config.secure_heap_bytes, config.crypto_policy, config.process.secret_memory));
  TellPolicy();
  const auto low = [](std::uint16_t port) { return port != 0 && port < 1024; };
  TRY(GiveUpPrivileges(low(config.kmip.port) || low(config.https.port)));
  const std::string_view filter = TRY(FilterSystemCalls(config.process.seccomp));
  if (filter != "on") log::Warning("system calls: the filter is " + std::string(filter));
  BlockEndSignals();
  const std::unique_ptr<Service> service = TRY(Service::Start(config, std::string(filter)));
  Announce(options, config, *service);
  WaitForEndSignal();
  NotifySystemd("STOPPING=1");
  log::Info("stopping");
  service->Stop();
  return {};
}

}  // namespace dare::kms

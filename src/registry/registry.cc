#include "registry/registry.h"

#include <utility>

#include "base/log.h"

namespace dare::registry {

Registry::Registry(store::ObjectStore& store, std::shared_ptr<const engine::Vault> vault,
                   const RegistryOptions& options, const Clock& clock)
    : vault_(std::move(vault)),
      options_(options),
      log_(store, *vault_, options.patience, clock),
      enrolment_(store, *vault_, log_, clock),
      credentials_(store, *vault_, clock) {}

Registry::~Registry() = default;

Result<std::unique_ptr<Registry>> Registry::Open(store::ObjectStore& store,
                                                 std::shared_ptr<const engine::Vault> vault,
                                                 const RegistryOptions& options,
                                                 const Clock& clock) {
  std::unique_ptr<Registry> registry(new Registry(store, std::move(vault), options, clock));
  TRY(registry->log_.CatchUp());
  TRY(registry->credentials_.CatchUp());
  return registry;
}

void Registry::Watch() {
  watcher_ = std::make_unique<Rounds>(options_.interval, [this] { Ask(); });
}

// Says once that it fails, and once that it works again.
void Registry::Ask() {
  Result<void> asked = log_.CatchUp();
  if (const auto credentials = credentials_.CatchUp(); asked && !credentials) asked = credentials;
  if (!asked && !std::exchange(failing_, true)) {
    log::Failure("what other nodes revoked cannot be read: " + asked.error().message);
  }
  if (asked && std::exchange(failing_, false)) log::Info("what other nodes revoked is read again");
}

}  // namespace dare::registry

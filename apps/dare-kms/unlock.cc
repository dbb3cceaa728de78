#include <iostream>

#include "commands.h"
#include "key_station.h"
#include "process.h"
#include "registry/lockouts.h"
#include "server/config.h"

namespace dare::kms {

using registry::Lockout;

Result<void> Unlock(const UnlockOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(config.secure_heap_bytes, config.crypto_policy));
  const KeyStation station = TRY(OpenKeyStation(config, StoreUse::kJoin));
  const auto lockouts = TRY(registry::Lockouts::Open(*station.store, station.vault, {}));
  Lockout::Kind kind = Lockout::Kind::kSeal;
  std::string name;
  if (!options.name.empty()) {
    kind = Lockout::Kind::kPrincipal;
    name = options.name;
  } else if (!options.group.empty()) {
    kind = Lockout::Kind::kGroup;
    name = options.group;
  } else if (!options.domain.empty()) {
    kind = Lockout::Kind::kDomain;
    name = options.domain;
  }
  const bool was_there = TRY(lockouts->Remove(kind, name));
  if (kind == Lockout::Kind::kSeal) {
    std::cout << (was_there ? "unsealed" : "not sealed") << std::endl;
  } else {
    std::cout << name << (was_there ? ": served again" : ": was not locked out") << std::endl;
  }
  return {};
}

}  // namespace dare::kms

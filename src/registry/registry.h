#pragma once

#include <chrono>
#include <memory>

#include "base/clock.h"
#include "base/rounds.h"
#include "engine/vault.h"
#include "registry/revocation_log.h"
#include "registry/shared_credential_store.h"
#include "registry/shared_enrolment_store.h"
#include "store/object_store.h"

namespace dare::registry {

struct RegistryOptions {
  // How often the database is asked in the background what other nodes changed.
  std::chrono::milliseconds interval{250};
  // How long it may go without an answer until every certificate is refused.
  std::chrono::milliseconds patience{10'000};
};

// The Registry is what the servers on one database know together of who may come in
// (docs/decisions/shared-registry.md). Thread-safe. `store` outlives it.
class Registry {
 public:
  // Reads the whole log of revocations. kDamaged where it is not what the servers left.
  static Result<std::unique_ptr<Registry>> Open(store::ObjectStore& store,
                                                std::shared_ptr<const engine::Vault> vault,
                                                const RegistryOptions& options,
                                                const Clock& clock = SystemClock::Get());
  ~Registry();

  server::EnrolmentStore& enrolment() { return enrolment_; }
  server::CredentialStore& credentials() { return credentials_; }

  // Begins to ask in the background: for a server, until the end.
  void Watch();

 private:
  Registry(store::ObjectStore& store, std::shared_ptr<const engine::Vault> vault,
           const RegistryOptions& options, const Clock& clock);
  void Ask();

  const std::shared_ptr<const engine::Vault> vault_;
  const RegistryOptions options_;
  RevocationLog log_;
  SharedEnrolmentStore enrolment_;
  SharedCredentialStore credentials_;
  bool failing_ = false;             // of the watcher alone
  std::unique_ptr<Rounds> watcher_;  // last: it uses all the others
};

}  // namespace dare::registry

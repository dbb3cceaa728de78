#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "custody/master_keys.h"
#include "hsm/resident_key.h"
#include "hsm/session_pool.h"
#include "server/config.h"

namespace dare::kms {

// The HSMs of kms.toml as custody sees them. A token is logged in to when it is first needed, and
// stays so. All that use a token share its sessions and its guard. Thread-safe.
class ConfiguredTokens : public custody::MasterKeys {
 public:
  // `clock` outlives it and the sealers that it gave.
  ConfiguredTokens(const server::HsmConfig& config, const Clock& clock);

  std::vector<std::string> tokens() const override EXCLUDES(mutex_);
  Result<std::shared_ptr<hsm::Sealer>> Open(const std::string& token, const Bytes& id,
                                            custody::KeyOrigin origin) override;
  Result<std::shared_ptr<hsm::Sealer>> OpenTogether(const std::vector<std::string>& tokens,
                                                    const Bytes& id,
                                                    custody::KeyOrigin origin) override;
  Result<std::shared_ptr<hsm::Sealer>> Create(const std::string& token) override;
  Result<std::shared_ptr<hsm::Sealer>> Import(const std::string& token, const Bytes& id,
                                              const SecretBytes& key,
                                              std::optional<std::uint8_t> mechanism) override;
  Result<void> Destroy(const std::string& token, const Bytes& id) override;
  Result<std::vector<Bytes>> List(const std::string& token) override;

  // The sessions of a token. kNotFound when nobody configured it.
  Result<std::shared_ptr<hsm::SessionPool>> Pool(const std::string& token);
  // Every token that can hold keys of clients, logged in to or not.
  std::vector<hsm::ResidentSeat> ResidentSeats() const EXCLUDES(mutex_);
  // Takes over the tokens of a configuration that was read anew; those that were known stay open.
  void Take(const server::HsmConfig& config) EXCLUDES(mutex_);

 private:
  // One token, shared with whoever opens it later.
  struct Seat;
  Result<std::shared_ptr<Seat>> Find(const std::string& token) EXCLUDES(mutex_);
  static Result<std::shared_ptr<hsm::SessionPool>> PoolOf(Seat& seat);
  static Result<std::shared_ptr<hsm::Sealer>> OpenIn(Seat& seat, const Bytes& id,
                                                     custody::KeyOrigin origin);

  const Clock& clock_;
  mutable Mutex mutex_;
  std::vector<std::shared_ptr<Seat>> seats_ GUARDED_BY(mutex_);
};

}  // namespace dare::kms

#include "configured_tokens.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "hsm/failover_sealer.h"
#include "hsm/master_key.h"
#include "hsm/token_profile.h"
#include "hsm/token_sealer.h"
#include "hsm/tpm_sealer.h"
#include "token.h"

namespace dare::kms {
namespace {

// A TPM's master key is its storage root key, which is always there.
Result<std::shared_ptr<hsm::Sealer>> OpenTpm(const server::TokenConfig& config, const Bytes& id) {
  std::shared_ptr<hsm::Sealer> sealer = TRY(hsm::TpmSealer::Open(config.tcti));
  if (id.empty() || sealer->info().key_id == id) return sealer;
  return Error(Code::kNotFound, "another TPM, or one that was cleared: its key is " +
                                    ToHex(sealer->info().key_id) + ", not " + ToHex(id));
}

Result<std::shared_ptr<hsm::Sealer>> SealerOf(Result<std::shared_ptr<hsm::MasterKey>> key) {
  if (!key) return key.error();
  return TRY(hsm::OpenTokenSealer(*std::move(key)));
}

}  // namespace

struct ConfiguredTokens::Seat {
  Seat(server::TokenConfig token, std::string conf, const Clock& clock)
      : config(std::move(token)), softhsm2_conf(std::move(conf)), guard(MakeGuard(config, clock)) {}

  const server::TokenConfig config;
  const std::string softhsm2_conf;
  const std::shared_ptr<hsm::TokenGuard> guard;  // of all that use the token
  Mutex mutex;
  std::shared_ptr<hsm::SessionPool> pool GUARDED_BY(mutex);
  std::optional<Error> refused GUARDED_BY(mutex);  // the PIN: not tried again
};

ConfiguredTokens::ConfiguredTokens(const server::HsmConfig& config, const Clock& clock)
    : clock_(clock) {
  Take(config);
}

void ConfiguredTokens::Take(const server::HsmConfig& config) {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<Seat>> seats;
  const auto take = [&](const server::TokenConfig& token) {
    const auto known =
        std::ranges::find_if(seats_, [&](const auto& seat) { return seat->config == token; });
    seats.push_back(known != seats_.end()
                        ? *known
                        : std::make_shared<Seat>(token, config.softhsm2_conf, clock_));
  };
  take(config);
  for (const server::TokenConfig& token : config.tokens) take(token);
  seats_ = std::move(seats);
}

std::vector<std::string> ConfiguredTokens::tokens() const {
  const MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& seat : seats_) names.push_back(seat->config.name);
  return names;
}

Result<std::shared_ptr<ConfiguredTokens::Seat>> ConfiguredTokens::Find(const std::string& token) {
  const MutexLock lock(mutex_);
  const auto seat =
      std::ranges::find_if(seats_, [&](const auto& one) { return one->config.name == token; });
  if (seat != seats_.end()) return *seat;
  return Error(Code::kNotFound, "no HSM named '" + token + "' is in the configuration");
}

// Two may open it at once; a call that hangs must not lock out whoever asks for another token.
Result<std::shared_ptr<hsm::SessionPool>> ConfiguredTokens::PoolOf(Seat& seat) {
  {
    const MutexLock lock(seat.mutex);
    if (seat.pool != nullptr) return seat.pool;
    if (seat.refused) return Error(*seat.refused);
  }
  auto pool = OpenToken(seat.config, seat.softhsm2_conf, seat.guard);
  const MutexLock lock(seat.mutex);
  if (pool && seat.pool == nullptr) seat.pool = *pool;
  if (seat.pool != nullptr) return seat.pool;
  if (pool.error().code == Code::kUnauthenticated) seat.refused = pool.error();
  return pool.error();
}

Result<std::shared_ptr<hsm::SessionPool>> ConfiguredTokens::Pool(const std::string& token) {
  const auto seat = TRY(Find(token));
  return PoolOf(*seat);
}

std::vector<hsm::ResidentSeat> ConfiguredTokens::ResidentSeats() const {
  const MutexLock lock(mutex_);
  std::vector<hsm::ResidentSeat> seats;
  for (const auto& seat : seats_) {
    if (seat->config.tpm) continue;
    seats.push_back({seat->guard, [seat] { return PoolOf(*seat); }});
  }
  return seats;
}

Result<std::shared_ptr<hsm::Sealer>> ConfiguredTokens::OpenIn(Seat& seat, const Bytes& id,
                                                              custody::KeyOrigin origin) {
  if (seat.config.tpm) return OpenTpm(seat.config, id);
  auto pool = TRY(PoolOf(seat));
  return SealerOf(hsm::MasterKey::Find(std::move(pool), seat.config.mek_label, id,
                                       origin == custody::KeyOrigin::kCeremony
                                           ? hsm::KeyOrigins::kAlsoCeremony
                                           : hsm::KeyOrigins::kMadeInToken));
}

Result<std::shared_ptr<hsm::Sealer>> ConfiguredTokens::Open(const std::string& token,
                                                            const Bytes& id,
                                                            custody::KeyOrigin origin) {
  const auto seat = TRY(Find(token));
  return OpenIn(*seat, id, origin);
}

Result<std::shared_ptr<hsm::Sealer>> ConfiguredTokens::OpenTogether(
    const std::vector<std::string>& tokens, const Bytes& id, custody::KeyOrigin origin) {
  std::vector<hsm::TokenSeat> together;
  for (const std::string& token : tokens) {
    const auto seat = TRY(Find(token));
    together.push_back({seat->guard, [seat, id, origin] { return OpenIn(*seat, id, origin); }});
  }
  return TRY(hsm::FailoverSealer::Make(std::move(together)));
}

Result<std::shared_ptr<hsm::Sealer>> ConfiguredTokens::Create(const std::string& token) {
  const auto seat = TRY(Find(token));
  if (seat->config.tpm) return OpenTpm(seat->config, {});
  auto pool = TRY(PoolOf(*seat));
  const hsm::SealingMechanism best = TRY(hsm::ChooseMechanism(*pool));
  return SealerOf(hsm::MasterKey::CreateNext(std::move(pool), seat->config.mek_label, best));
}

Result<std::shared_ptr<hsm::Sealer>> ConfiguredTokens::Import(
    const std::string& token, const Bytes& id, const SecretBytes& key,
    std::optional<std::uint8_t> mechanism) {
  const auto seat = TRY(Find(token));
  auto pool = TRY(PoolOf(*seat));
  const hsm::SealingMechanism chosen =
      mechanism ? TRY(hsm::SealingMechanismOf(*mechanism)) : TRY(hsm::ChooseMechanism(*pool));
  return SealerOf(hsm::MasterKey::Import(std::move(pool), seat->config.mek_label, id, key, chosen));
}

Result<void> ConfiguredTokens::Destroy(const std::string& token, const Bytes& id) {
  const auto seat = TRY(Find(token));
  const auto pool = TRY(PoolOf(*seat));
  return hsm::MasterKey::Remove(*pool, seat->config.mek_label, id);
}

Result<std::vector<Bytes>> ConfiguredTokens::List(const std::string& token) {
  const auto seat = TRY(Find(token));
  std::vector<Bytes> ids;
  if (seat->config.tpm) {
    const auto sealer = TRY(OpenTpm(seat->config, {}));
    ids.push_back(sealer->info().key_id);
    return ids;
  }
  auto pool = TRY(PoolOf(*seat));
  for (const auto& key : TRY(hsm::MasterKey::FindAll(std::move(pool), seat->config.mek_label,
                                                     hsm::KeyOrigins::kAlsoCeremony))) {
    ids.push_back(key->info().id);
  }
  return ids;
}

}  // namespace dare::kms

#include "key_station.h"

#include <utility>

namespace dare::kms {

Result<void> OpenKeys(const server::Config& config, KeyStation& station,
                      std::vector<std::shared_ptr<hsm::Sealer>> at_hand,
                      std::optional<custody::CustodyKey> first) {
  custody::CustodyOptions options;
  options.node = config.node;
  options.mode =
      config.hsm.sealing == "root" ? custody::SealingMode::kRoot : custody::SealingMode::kDirect;
  options.at_hand = std::move(at_hand);
  options.first = std::move(first);
  station.custody = TRY(custody::Custody::Open(*station.store, station.tokens, std::move(options),
                                               SystemClock::Get()));
  station.vault = TRY(engine::Vault::Open(*station.store, station.custody->ring()));
  return station.custody->Trust(
      [vault = station.vault](std::string_view purpose, ByteView content) {
        return vault->Authenticate(purpose, content);
      });
}

Result<KeyStation> OpenKeyStation(const server::Config& config, StoreUse use,
                                  std::vector<std::shared_ptr<hsm::Sealer>> at_hand) {
  KeyStation station;
  station.tokens = std::make_shared<ConfiguredTokens>(config.hsm, SystemClock::Get());
  station.store = TRY(OpenStore(config, use));
  TRY(OpenKeys(config, station, std::move(at_hand)));
  return station;
}

}  // namespace dare::kms

#include <algorithm>
#include <iostream>
#include <utility>

#include "commands.h"
#include "custody/custody.h"
#include "custody/key_backup.h"
#include "custody/key_life.h"
#include "key_station.h"
#include "process.h"
#include "share_files.h"

namespace dare::kms {
namespace {

struct Recovered {
  custody::KeyBackup backup;
  SecretBytes key;
};

Result<Recovered> RecoverKey(const store::ObjectReader& store, const HsmRestoreOptions& options) {
  const auto shares = TRY(CollectShares(options.share_files));
  custody::KeyBackup backup = TRY(FindBackup(store, options.backup_file, shares));
  SecretBytes key = TRY(custody::Recover(backup, shares));
  return Recovered{std::move(backup), std::move(key)};
}

// Every token of the configuration that answers holds the key afterwards.
Result<void> RestoreInto(const KeyStation& station) {
  std::size_t restored = 0;
  std::optional<Error> last;
  for (const std::string& token : station.tokens->tokens()) {
    const auto added = custody::AddToken(*station.custody, token, custody::Holder::kAnew);
    if (added) {
      ++restored;
      std::cout << token << ": holds the store's key" << std::endl;
    } else {
      last = added.error();
      std::cerr << "dare-kms: error: " << token << ": " << last->message << std::endl;
    }
  }
  if (restored == 0 && last) return *last;
  std::cout << "restored into " << restored << (restored == 1 ? " token" : " tokens")
            << "\nnext: dare-kms serve; dare hsm remove "
            << "takes tokens that are gone off the list" << std::endl;
  return {};
}

}  // namespace

Result<void> HsmRestore(const HsmRestoreOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(config.secure_heap_bytes, config.crypto_policy));
  KeyStation station;
  station.tokens = std::make_shared<ConfiguredTokens>(config.hsm, SystemClock::Get());
  station.store = TRY(OpenStore(config, StoreUse::kJoin));
  Recovered recovered = TRY(RecoverKey(*station.store, options));
  const custody::KeyBackup& backup = recovered.backup;
  std::vector<std::shared_ptr<hsm::Sealer>> at_hand;
  if (backup.kind == custody::KeyKind::kRoot) {
    at_hand.push_back(TRY(custody::RootSealer::Make(backup.key_id, std::move(recovered.key))));
  } else {
    const custody::CustodyKey known = TRY(custody::FindUnverified(*station.store, backup.key_id));
    for (const std::string& token : station.tokens->tokens()) {
      auto imported = station.tokens->Import(token, backup.key_id, recovered.key, known.mechanism);
      if (!imported && imported.error().code == Code::kAlreadyExists) {
        imported = station.tokens->Open(token, backup.key_id, custody::KeyOrigin::kCeremony);
      }
      if (imported) {
        at_hand.push_back(*std::move(imported));
      } else {
        std::cerr << "dare-kms: error: " << token << ": " << imported.error().message << std::endl;
      }
    }
    if (at_hand.empty()) return Error(Code::kUnavailable, "no token takes the master key");
  }
  TRY(OpenKeys(config, station, std::move(at_hand)));
  const Bytes current = station.custody->record().current().id;
  if (current != backup.key_id) {
    return Error(Code::kConflict, "the backup is of key " + ToHex(backup.key_id) +
                                      ", and the store is sealed under " + ToHex(current));
  }
  return RestoreInto(station);
}

}  // namespace dare::kms

#include <iostream>
#include <utility>

#include "commands.h"
#include "crypto/random.h"
#include "custody/key_backup.h"
#include "hsm/sealed_record.h"
#include "key_station.h"
#include "process.h"
#include "share_files.h"

namespace dare::kms {
namespace {

// In `direct` mode the first token gets the MEK, which exists nowhere else; in `root` mode each
// gets one of its own.
Result<void> MakeInTokens(const server::Config& config) {
  ConfiguredTokens tokens(config.hsm, SystemClock::Get());
  for (const std::string& token : tokens.tokens()) {
    const std::vector<Bytes> there = TRY(tokens.List(token));
    if (!there.empty()) {
      std::cout << token << ": has master key " << ToHex(there.front()) << " already\n";
    } else {
      const auto made = TRY(tokens.Create(token));
      std::cout << token << ": made master key " << ToHex(made->info().key_id) << "\n";
    }
    if (config.hsm.sealing == "direct") break;
  }
  std::cout.flush();
  return {};
}

Result<custody::CustodyKey> Import(const server::Config& config, ConfiguredTokens& tokens,
                                   const SecretBytes& key) {
  Bytes id(hsm::kMasterKeyIdBytes);
  TRY(crypto::RandomBytes(id));
  custody::CustodyKey described;
  for (const std::string& token : tokens.tokens()) {
    // All seal in the same way: what one of them makes the others must open.
    std::optional<std::uint8_t> mechanism;
    if (!described.holders.empty()) mechanism = described.mechanism;
    const auto imported = TRY(tokens.Import(token, id, key, mechanism));
    if (described.holders.empty()) {
      described = TRY(custody::DescribeMaster(*imported, custody::KeyOrigin::kCeremony, token,
                                              SystemClock::Get().Now()));
    } else {
      described.holders.push_back({token, {}, {}});
    }
    std::cout << token << ": holds master key " << ToHex(id) << ", not extractable\n";
  }
  std::cout.flush();
  if (described.holders.empty()) return Error(Code::kNotFound, config.file + " names no token");
  return described;
}

// Drawn here, split, imported into every token, forgotten. The shares are handed out before the
// store knows the key: a key that nobody can bring back must not come into use.
Result<void> HoldCeremony(const server::Config& config, const Quorum& quorum) {
  if (config.hsm.sealing != "direct") {
    return Error(
        Code::kInvalidArgument,
        "with sealing = \"root\" each HSM makes its own MEK, and what is split is the root "
        "key: dare-kms hsm init --origin token, then dare-kms hsm backup");
  }
  auto tokens = std::make_shared<ConfiguredTokens>(config.hsm, SystemClock::Get());
  const SecretBytes key = TRY(SecretBytes::Random(custody::kRootKeyBytes));
  // A quorum that makes no sense is refused before anything is made.
  custody::CustodyKey nobody;
  nobody.id.resize(hsm::kMasterKeyIdBytes);
  TRY(custody::BackUp(nobody, key, quorum.threshold, quorum.shares, 0));
  custody::CustodyKey described = TRY(Import(config, *tokens, key));
  const std::int64_t now = SystemClock::Get().Now();
  const custody::Ceremony ceremony =
      TRY(custody::BackUp(described, key, quorum.threshold, quorum.shares, now));
  TRY(HandOut(ceremony, quorum));
  described.quorum = {ceremony.backup.ceremony, ceremony.backup.threshold, ceremony.backup.shares,
                      now};

  KeyStation station;
  station.tokens = std::move(tokens);
  station.store = TRY(OpenStore(config, StoreUse::kJoin));
  TRY(OpenKeys(config, station, {}, described));
  if (station.custody->record().Find(described.id) == nullptr) {
    described.state = custody::KeyState::kPrepared;
    TRY(station.custody->Change([&](custody::CustodyRecord& record) -> Result<void> {
      record.keys.push_back(described);
      return {};
    }));
  }
  const auto transaction = TRY(station.store->Begin());
  TRY(transaction->PutMeta(custody::BackupRow(ceremony.backup.ceremony),
                           custody::Encode(ceremony.backup)));
  TRY(transaction->Commit());
  if (station.custody->record().current().id == described.id) {
    std::cout << "the store is sealed under this key" << std::endl;
  } else {
    std::cout << "next: dare hsm rotate --key " << ToHex(described.id) << std::endl;
  }
  return {};
}

}  // namespace

Result<void> HsmInit(const HsmInitOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(config.secure_heap_bytes, config.crypto_policy));
  if (options.origin == "ceremony") return HoldCeremony(config, options.quorum);
  return MakeInTokens(config);
}

}  // namespace dare::kms

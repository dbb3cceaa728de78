#include <iostream>
#include <utility>

#include "commands.h"
#include "custody/key_backup.h"
#include "key_station.h"
#include "process.h"
#include "share_files.h"

namespace dare::kms {
namespace {

// The root key is in our memory; a MEK of a ceremony is only where its shares are.
Result<SecretBytes> KeyToBackUp(const KeyStation& station, const custody::CustodyKey& current,
                                const HsmBackupOptions& options) {
  if (current.kind == custody::KeyKind::kRoot) {
    const auto sealer = station.custody->ring().Find(current.id);
    const auto* const root = dynamic_cast<const custody::RootSealer*>(sealer.get());
    if (root == nullptr) return Error(Code::kUnavailable, "the root key is not open");
    return root->root_key().Clone();
  }
  if (current.origin == custody::KeyOrigin::kToken) {
    return Error(Code::kDenied,
                 "master key " + ToHex(current.id) + " was made in " + current.holders[0].token +
                     " and never leaves it, so that nobody can back it up. Either hold a ceremony "
                     "(dare-kms hsm init --origin ceremony, then dare hsm rotate --key ID), or let "
                     "several HSMs wrap a root key (dare hsm rotate --sealing root), and back that "
                     "up");
  }
  if (options.share_files.empty()) {
    return Error(Code::kInvalidArgument,
                 "the shares of master key " + ToHex(current.id) + " were handed out in ceremony " +
                     ToHex(current.quorum.ceremony) + "; to split it anew, give " +
                     std::to_string(current.quorum.threshold) + " of them with --share");
  }
  const auto shares = TRY(CollectShares(options.share_files));
  const custody::KeyBackup backup = TRY(FindBackup(*station.store, {}, shares));
  if (backup.key_id != current.id) {
    return Error(Code::kInvalidArgument,
                 "these shares are of key " + ToHex(backup.key_id) + ", not of the current one");
  }
  return custody::Recover(backup, shares);
}

}  // namespace

Result<void> HsmBackup(const HsmBackupOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(config.secure_heap_bytes, config.crypto_policy));
  const KeyStation station = TRY(OpenKeyStation(config, StoreUse::kJoin));
  const custody::CustodyKey current = station.custody->record().current();
  const SecretBytes key = TRY(KeyToBackUp(station, current, options));
  const std::int64_t now = SystemClock::Get().Now();
  const custody::Ceremony ceremony =
      TRY(custody::BackUp(current, key, options.quorum.threshold, options.quorum.shares, now));
  const custody::KeyBackup& backup = ceremony.backup;
  // The store first: shares that open a backup which is nowhere are worse than no shares.
  const auto transaction = TRY(station.store->Begin());
  TRY(transaction->PutMeta(custody::BackupRow(backup.ceremony), custody::Encode(backup)));
  TRY(transaction->Commit());
  TRY(HandOut(ceremony, options.quorum));
  TRY(station.custody->Change([&](custody::CustodyRecord& record) -> Result<void> {
    custody::CustodyKey* const backed = record.Find(current.id);
    if (backed == nullptr) return Error(Code::kConflict, "the key is gone from the store");
    backed->quorum = {backup.ceremony, backup.threshold, backup.shares, now};
    return {};
  }));
  std::cout << "backed up " << custody::NameOf(current.kind) << " " << ToHex(current.id)
            << " in ceremony " << ToHex(backup.ceremony) << ": any "
            << std::to_string(backup.threshold) << " of " << std::to_string(backup.shares)
            << " shares open it\nnext: dare-kms hsm drill, with that many shares" << std::endl;
  return {};
}

}  // namespace dare::kms

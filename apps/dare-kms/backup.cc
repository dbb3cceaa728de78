#include <iostream>

#include "attachments.h"
#include "backup/backup_file.h"
#include "base/clock.h"
#include "commands.h"
#include "interruption.h"
#include "process.h"
#include "progress.h"
#include "server/config.h"
#include "whole_store.h"

namespace dare::kms {

Result<void> Backup(const BackupOptions& options) {
  const std::atomic<bool>& interruption = Interruption();
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(config.secure_heap_bytes, config.crypto_policy));
  const KeyStation whole = TRY(OpenWhole(config, StoreUse::kRead));
  const auto keys = TRY(OpenTokenKeys(config));
  PreferKeyOf(whole.custody->record(), *keys);
  // The picture last: what is enrolled meanwhile belongs to nobody's key yet.
  const auto attachments = TRY(CollectAttachments(config, whole));
  const auto snapshot = TRY(whole.store->Snapshot());
  backup::Head head;
  head.created = SystemClock::Get().Now();
  head.node = config.file;
  head.program = "dare-kms " DARE_VERSION;
  Progress progress("backing up");
  backup::CopyOptions copy;
  copy.cancelled = &interruption;
  copy.progress = [&](std::uint64_t done, std::uint64_t total) { progress.Show(done, total); };
  const backup::BackupSummary made =
      TRY(backup::WriteBackup(*snapshot, head, attachments, *keys, options.out, copy));
  std::cout << "wrote " << options.out << ": " << made.counts.records << " objects, "
            << made.counts.facts << " facts, " << made.counts.attachments << " files, "
            << made.bytes << " bytes, sealed under master key " << ToHex(keys->info().key_id)
            << std::endl;
  return {};
}

}  // namespace dare::kms

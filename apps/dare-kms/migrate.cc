#include <cstdio>
#include <iostream>
#include <map>
#include <utility>

#include "attachments.h"
#include "backup/store_copy.h"
#include "base/file.h"
#include "commands.h"
#include "engine/running_sum.h"
#include "interruption.h"
#include "process.h"
#include "progress.h"
#include "records.h"
#include "server/config.h"
#include "store_verification.h"
#include "whole_store.h"

namespace dare::kms {
namespace {

// The sums' facts: they change with every change of the store.
Result<std::map<std::string, Bytes>> SumsOf(const store::WholeReader& reader) {
  std::map<std::string, Bytes> sums;
  for (const std::string& key : TRY(reader.ListMeta(std::string(engine::kSumPrefix)))) {
    sums[key] = TRY(reader.GetMeta(key));
  }
  return sums;
}

// Its keys are needed only where who may come in is kept under them.
Result<KeyStation> OpenSource(const server::Config& config) {
  if (IsShared(config)) return OpenKeyStation(config, StoreUse::kServe);
  KeyStation source;
  source.store = TRY(OpenStore(config, StoreUse::kServe));
  return source;
}

// The databases beside the store, where the two configurations name different ones.
Result<void> CopyDatabases(const server::Config& from, const KeyStation& source,
                           const server::Config& to, std::vector<std::string>& written) {
  std::vector<backup::Attachment> databases;
  const auto attachments = TRY(CollectAttachments(from, source));
  const auto files = AttachedFiles(from);
  for (const backup::Attachment& attachment : attachments) {
    for (const AttachedFile& file : files) {
      if (file.database && file.role == attachment.role) databases.push_back(attachment);
    }
  }
  return WriteAttachments(to, databases, written);
}

// One transaction: whatever happens, either everything is there or nothing.
Result<backup::Counts> Copy(const server::Config& from_config, const server::Config& to_config,
                            const std::atomic<bool>& interruption,
                            std::vector<std::string>& written) {
  const KeyStation source = TRY(OpenSource(from_config));
  const auto& from = source.store;
  const auto to = TRY(OpenStore(to_config, StoreUse::kServe));
  TRY(backup::RequireEmpty(*to));
  const auto snapshot = TRY(from->Snapshot());
  const auto transaction = TRY(to->Begin());
  Progress progress("copying");
  backup::CopyOptions copy;
  copy.cancelled = &interruption;
  copy.progress = [&](std::uint64_t done, std::uint64_t total) { progress.Show(done, total); };
  const backup::Counts counts = TRY(backup::CopyWhole(*snapshot, *transaction, copy));
  // A database over a network has no lock that says whether servers use it; what they write does.
  if (TRY(SumsOf(*snapshot)) != TRY(SumsOf(*from))) {
    return Error(Code::kConflict,
                 "a server wrote to the source meanwhile: stop every node of it and try again");
  }
  TRY(CopyDatabases(from_config, source, to_config, written));
  TRY(transaction->Commit());
  return counts;
}

}  // namespace

Result<void> Migrate(const MigrateOptions& options) {
  const std::atomic<bool>& interruption = Interruption();
  const server::Config from_config = TRY(server::LoadConfig(options.from));
  const server::Config to_config = TRY(server::LoadConfig(options.to));
  TRY(HardenProcess(to_config.secure_heap_bytes, to_config.crypto_policy));
  std::vector<std::string> written;
  const auto counts = Copy(from_config, to_config, interruption, written);
  if (!counts) {
    for (const std::string& path : written) (void)std::remove(path.c_str());
    return counts.error();
  }
  TRY(VerifyCopy(to_config, interruption));
  TRY(BringRecordsIn(to_config));
  std::cout << "copied " << counts->records << " objects and " << counts->facts
            << " facts; every row authenticates and the sums agree\n"
            << "next:\n  start dare-kms with " << options.to << "; keep the source out of use"
            << std::endl;
  return {};
}

}  // namespace dare::kms

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <optional>
#include <utility>

#include "attachments.h"
#include "audit/audit_log.h"
#include "backup/backup_file.h"
#include "base/clock.h"
#include "base/file.h"
#include "commands.h"
#include "engine/running_sum.h"
#include "integrity/store_check.h"
#include "interruption.h"
#include "process.h"
#include "progress.h"
#include "records.h"
#include "server/config.h"
#include "store_verification.h"
#include "whole_store.h"

namespace dare::kms {
namespace {

// Puts a backup's items into one transaction.
class Restoration : public backup::ItemVisitor {
 public:
  explicit Restoration(store::Transaction& transaction) : transaction_(transaction) {}
  Result<void> Take(const backup::Head&) override { return {}; }
  Result<void> Take(backup::Fact fact) override {
    return transaction_.PutMeta(fact.key, fact.value);
  }
  Result<void> Take(store::ObjectRecord record) override { return transaction_.Restore(record); }
  Result<void> Take(backup::Attachment attachment) override {
    attachments.push_back(std::move(attachment));
    return {};
  }
  std::vector<backup::Attachment> attachments;

 private:
  store::Transaction& transaction_;
};

// Looks for the source's configuration and at nothing else.
class FindConfig : public backup::ItemVisitor {
 public:
  Result<void> Take(const backup::Head&) override { return {}; }
  Result<void> Take(backup::Fact) override { return {}; }
  Result<void> Take(store::ObjectRecord) override { return {}; }
  Result<void> Take(backup::Attachment attachment) override {
    if (attachment.role == kConfigRole) found = std::move(attachment.content);
    return {};
  }
  std::optional<Bytes> found;
};

Result<void> PrintConfig(const RestoreOptions& options, hsm::Sealer& sealer,
                         const backup::CopyOptions& copy) {
  FindConfig config;
  TRY(backup::ReadBackup(options.file, sealer, config, copy));
  if (!config.found) return Error(Code::kNotFound, options.file + " has no configuration");
  std::cout << AsText(*config.found) << std::flush;
  return {};
}

// Removes a database that did not become one.
void RemoveDatabase(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    (void)std::remove((path + suffix).c_str());
  }
}

Result<backup::BackupSummary> Fill(const server::Config& config, const std::string& file,
                                   hsm::Sealer& sealer, const backup::CopyOptions& copy,
                                   std::vector<std::string>& written) {
  const auto store = TRY(OpenStore(config, StoreUse::kServe));
  TRY(backup::RequireEmpty(*store));
  // One transaction: whatever happens, either everything is there or nothing.
  const auto transaction = TRY(store->Begin());
  Restoration restoration(*transaction);
  backup::BackupSummary summary = TRY(backup::ReadBackup(file, sealer, restoration, copy));
  TRY(WriteAttachments(config, restoration.attachments, written));
  TRY(transaction->Commit());
  return summary;
}

// Whoever compares log and store later shall know that what the log tells of the time after the
// backup is gone on purpose.
Result<void> NoteInAudit(const server::Config& config, const StoreGroups& groups,
                         const std::string& file) {
  if (!FileExists(config.audit_folder + "/audit-000001.jsonl")) return {};
  const auto log = TRY(audit::AuditLog::Open({.folder = config.audit_folder}, SystemClock::Get()));
  for (const auto& [node, group] : groups) {
    audit::Entry entry;
    entry.time = SystemClock::Get().Now();
    entry.principal = "dare-kms";
    entry.operation = "store-restored";
    entry.object_id = node;
    entry.outcome = audit::Outcome::kAllowed;
    entry.rule = "restore";
    entry.detail = file;
    entry.group = group;
    TRY(log->Append(entry));
  }
  return log->FlushAndSync();
}

}  // namespace

Result<void> Restore(const RestoreOptions& options) {
  const std::atomic<bool>& interruption = Interruption();
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(config.secure_heap_bytes, config.crypto_policy));
  const auto sealer = TRY(OpenTokenKeys(config));
  std::optional<Progress> progress("restoring");
  backup::CopyOptions copy;
  copy.cancelled = &interruption;
  copy.progress = [&](std::uint64_t done, std::uint64_t total) { progress->Show(done, total); };
  if (options.print_config) return PrintConfig(options, *sealer, copy);
  TRY(RequirePlaceFor(config));
  const bool was_there = config.store.path.empty() || FileExists(config.store.path);
  std::vector<std::string> written;
  const auto filled = Fill(config, options.file, *sealer, copy, written);
  progress.reset();
  if (!filled) {
    for (const std::string& path : written) (void)std::remove(path.c_str());
    if (!was_there) RemoveDatabase(config.store.path);
    return filled.error();
  }
  const StoreGroups groups = TRY(VerifyCopy(config, interruption));
  TRY(NoteInAudit(config, groups, options.file));
  TRY(BringRecordsIn(config));
  std::cout << "restored " << filled->counts.records << " objects and " << filled->counts.facts
            << " facts; every row authenticates and the sums agree\n";
  if (!FileExists(config.tls.key_file)) {
    std::cout << "next:\n  dare-kms renew-server-certificate --config " << options.config
              << "   # TLS keys are not in a backup\n";
  }
  std::cout << std::flush;
  return {};
}

}  // namespace dare::kms

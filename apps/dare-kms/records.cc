#include "records.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "open_store.h"
#include "process.h"
#include "server/sqlite_credential_store.h"
#include "server/sqlite_enrolment_store.h"

namespace dare::kms {
namespace {

constexpr std::size_t kLittleSecretMemory = 1u << 16;

registry::RegistryOptions RegistryOptionsOf(const server::Config& config) {
  registry::RegistryOptions options;
  // Connections are looked at twice a second: together within a second, whatever is configured.
  const std::uint32_t fresh = config.cache.strict ? 0 : config.cache.fresh_ms;
  options.interval = std::chrono::milliseconds(std::clamp(fresh / 2, 50u, 250u));
  options.patience = std::chrono::seconds(config.store.patience_seconds);
  return options;
}

// Once it is in the database the file must not be read again: what is removed there would come
// back.
Result<void> SetAside(const std::string& path) {
  const std::string aside = path + ".moved-" + std::to_string(SystemClock::Get().Now());
  if (std::rename(path.c_str(), aside.c_str()) != 0) return IoError("cannot rename " + path, errno);
  log::Info(path + " is in the database now; the file is kept as " + aside);
  return {};
}

Result<void> AdoptFiles(const server::Config& config, registry::Registry& registry) {
  if (FileExists(config.enrolment_path)) {
    server::EnrolmentRecords records;
    {
      const auto file = TRY(server::SqliteEnrolmentStore::Open(config.enrolment_path));
      records = TRY(file->Export());
    }
    TRY(registry.enrolment().Import(records));
    TRY(SetAside(config.enrolment_path));
  }
  if (FileExists(config.credentials_path)) {
    std::vector<server::StoredCredential> credentials;
    {
      const auto file = TRY(server::SqliteCredentialStore::Open(config.credentials_path));
      credentials = TRY(file->List());
    }
    TRY(registry.credentials().Import(credentials));
    TRY(SetAside(config.credentials_path));
  }
  return {};
}

}  // namespace

Result<Records> OpenRecordFiles(const server::Config& config) {
  Records records;
  records.enrolment_ = TRY(server::SqliteEnrolmentStore::Open(config.enrolment_path));
  records.credentials_ = TRY(server::SqliteCredentialStore::Open(config.credentials_path));
  return records;
}

Result<Records> OpenRecords(const server::Config& config, const KeyStation& station) {
  if (!IsShared(config)) return OpenRecordFiles(config);
  Records records;
  records.shared_ =
      TRY(registry::Registry::Open(*station.store, station.vault, RegistryOptionsOf(config)));
  TRY(AdoptFiles(config, *records.shared_));
  return records;
}

Result<void> BringRecordsIn(const server::Config& config) {
  if (!IsShared(config)) return {};
  const KeyStation station = TRY(OpenKeyStation(config, StoreUse::kJoin));
  TRY(OpenRecords(config, station));
  return {};
}

Result<RecordsWithKeys> OpenRecordsForVerb(const server::Config& config) {
  RecordsWithKeys opened;
  if (!IsShared(config)) {
    TRY(HardenProcess(kLittleSecretMemory, config.crypto_policy));
    opened.records = TRY(OpenRecordFiles(config));
    return opened;
  }
  TRY(HardenProcess(config.secure_heap_bytes, config.crypto_policy));
  opened.station = TRY(OpenKeyStation(config, StoreUse::kJoin));
  opened.records = TRY(OpenRecords(config, opened.station));
  return opened;
}

Result<void> WriteRecordFiles(Records& records, const std::string& enrolment_path,
                              const std::string& credentials_path) {
  const server::EnrolmentRecords enrolment = TRY(records.enrolment().Export());
  const auto enrolment_file = TRY(server::SqliteEnrolmentStore::Open(enrolment_path));
  TRY(enrolment_file->Import(enrolment));
  const auto credentials = TRY(records.credentials().List());
  const auto credentials_file = TRY(server::SqliteCredentialStore::Open(credentials_path));
  return credentials_file->Import(credentials);
}

}  // namespace dare::kms

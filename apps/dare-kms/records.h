#pragma once

#include <memory>

#include "key_station.h"
#include "registry/registry.h"
#include "server/config.h"
#include "server/credential_store.h"
#include "server/enrolment_store.h"

namespace dare::kms {

// Who may enrol, what was issued and revoked, and who may show a password, wherever this
// configuration keeps it: in two files, or with other servers in the store's database.
class Records {
 public:
  server::EnrolmentStore& enrolment() { return shared_ ? shared_->enrolment() : *enrolment_; }
  server::CredentialStore& credentials() {
    return shared_ ? shared_->credentials() : *credentials_;
  }
  // In a server: to hear in the background what others change. Files need none.
  void Watch() {
    if (shared_) shared_->Watch();
  }

 private:
  friend Result<Records> OpenRecords(const server::Config& config, const KeyStation& station);
  friend Result<Records> OpenRecordFiles(const server::Config& config);

  std::unique_ptr<registry::Registry> shared_;  // or:
  std::unique_ptr<server::EnrolmentStore> enrolment_;
  std::unique_ptr<server::CredentialStore> credentials_;
};

// `station` outlives them. What files of this machine still have is brought into the database, and
// the files are renamed.
Result<Records> OpenRecords(const server::Config& config, const KeyStation& station);
Result<Records> OpenRecordFiles(const server::Config& config);

// For a verb beside a server: hardens the process, and opens the store's keys where the records are
// under them.
struct RecordsWithKeys {
  KeyStation station;  // empty where the records are files
  Records records;     // after what it stands on
};
Result<RecordsWithKeys> OpenRecordsForVerb(const server::Config& config);

// Where the records belong in a database: brings what files of this machine have of them there now,
// so that every server knows of it, not only the one that is started here.
Result<void> BringRecordsIn(const server::Config& config);

// The records as the two files that another server can have (attachments.h), in the folder.
Result<void> WriteRecordFiles(Records& records, const std::string& enrolment_path,
                              const std::string& credentials_path);

}  // namespace dare::kms

#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "server/enrolment_store.h"
#include "store/sqlite_connection.h"

namespace dare::server {

// An EnrolmentStore in a SQLite file of its own. What another process wrote is seen at the next
// look (data_version, some microseconds at each handshake and twice a second for open connections).
class SqliteEnrolmentStore : public EnrolmentStore {
 public:
  // Makes the file (0600) where it does not exist.
  static Result<std::unique_ptr<SqliteEnrolmentStore>> Open(
      const std::string& path, const Clock& clock = SystemClock::Get());

  Result<std::string> AddToken(const TokenGrant& grant) override EXCLUDES(mutex_);
  Result<Subject> CheckToken(std::string_view token) override EXCLUDES(mutex_);
  Result<Certificate> Redeem(std::string_view token, const Issuer& issue) override EXCLUDES(mutex_);
  Result<Certificate> Renew(const std::string& serial, const std::string& name,
                            const std::string& fingerprint, const Issuer& issue) override
      EXCLUDES(mutex_);
  Result<void> Record(const Certificate& certificate) override EXCLUDES(mutex_);
  Result<bool> RevokeSerial(const std::string& serial) override EXCLUDES(mutex_);
  Result<std::size_t> RevokeName(const std::string& name) override EXCLUDES(mutex_);
  Result<CertificateRecord> Find(const std::string& serial, const std::string& name) const override
      EXCLUDES(reading_);
  Result<std::vector<CertificateRecord>> Certificates() override EXCLUDES(mutex_);
  Result<EnrolmentRecords> Export() override EXCLUDES(mutex_);
  Result<void> Import(const EnrolmentRecords& records) override EXCLUDES(mutex_);

  bool IsRevoked(const std::string& serial, const std::string& common_name) const override
      EXCLUDES(reading_);
  std::uint64_t generation() const override EXCLUDES(reading_);

 private:
  SqliteEnrolmentStore(store::Connection writer, store::Connection reader, const Clock& clock)
      : clock_(clock), writer_(std::move(writer)), reader_(std::move(reader)) {}

  template <typename Work>
  std::invoke_result_t<Work> InTransaction(Work work) REQUIRES(mutex_);
  Result<Subject> FindToken(ByteView hash) REQUIRES(mutex_);
  Result<void> Insert(const Certificate& certificate) REQUIRES(mutex_);
  Result<void> CountRevision() REQUIRES(mutex_);
  Result<void> Refresh() const REQUIRES(reading_);

  const Clock& clock_;
  Mutex mutex_;
  store::Connection writer_ GUARDED_BY(mutex_);

  // Handshakes ask here and must not wait for an issue that waits for the HSM and the disk.
  mutable Mutex reading_;
  mutable store::Connection reader_ GUARDED_BY(reading_);
  mutable std::unordered_set<std::string> revoked_serials_ GUARDED_BY(reading_);
  mutable std::unordered_set<std::string> revoked_names_ GUARDED_BY(reading_);
  mutable std::int64_t data_version_ GUARDED_BY(reading_) = -1;
  mutable std::int64_t revision_ GUARDED_BY(reading_) = -1;
  mutable std::uint64_t generation_ GUARDED_BY(reading_) = 0;
};

}  // namespace dare::server

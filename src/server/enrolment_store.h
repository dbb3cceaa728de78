#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "server/ca.h"
#include "server/revocation.h"
#include "store/sqlite_connection.h"

namespace dare::server {

// Role OUs: every certificate we issue carries exactly one; group names must not begin with
// "dare-".
inline constexpr std::string_view kAdministratorUnit = "dare-administrator";
inline constexpr std::string_view kClientUnit = "dare-client";

// A one-time password for enrolment. Whoever shows it gets a certificate for this subject.
struct TokenGrant {
  Subject subject;
  std::int64_t expires = 0;  // POSIX seconds
  std::int64_t uses = 1;
};

struct CertificateRecord {
  std::string serial;
  Subject subject;
  std::string fingerprint;
  std::int64_t issued = 0;
  std::int64_t not_after = 0;
  std::int64_t revoked = 0;  // POSIX seconds; 0 when it is not
};

// EnrolmentStore keeps who may enrol (tokens, as SHA-256 only), which certificates were issued and
// which are revoked, in a SQLite file of its own. Several processes may use the file at once: the
// command line writes a token or a revocation, and the server sees it at its next look
// (data_version, some microseconds at each handshake and twice a second for open connections).
// Thread-safe. Every change is durable when the call returns.
class EnrolmentStore : public Revocation {
 public:
  // Makes the file (0600) where it does not exist.
  static Result<std::unique_ptr<EnrolmentStore>> Open(const std::string& path,
                                                      const Clock& clock = SystemClock::Get());

  // The new token's text, 64 hex digits; it cannot be had again.
  Result<std::string> AddToken(const TokenGrant& grant) EXCLUDES(mutex_);
  // What a token is good for, without using it up. kUnauthenticated with one text for unknown,
  // expired and used-up tokens.
  Result<Subject> CheckToken(std::string_view token) EXCLUDES(mutex_);

  using Issuer = std::function<Result<Certificate>(const Subject&)>;
  // Uses `token` up (once) and records the certificate that `issue` makes, both or neither.
  Result<Certificate> Redeem(std::string_view token, const Issuer& issue) EXCLUDES(mutex_);
  // Issues anew for the subject of a certificate that we issued and that is not revoked or expired;
  // kUnauthenticated otherwise. The fingerprint tells it from one to which another authority gave
  // the same serial.
  Result<Certificate> Renew(const std::string& serial, const std::string& fingerprint,
                            const Issuer& issue) EXCLUDES(mutex_);
  // Records a certificate that was issued without a token (dare-kms init).
  Result<void> Record(const Certificate& certificate) EXCLUDES(mutex_);

  // Also for serials that another authority gave. False when it was revoked already.
  Result<bool> RevokeSerial(const std::string& serial) EXCLUDES(mutex_);
  // Every certificate with this name that exists now, issued by us or not, and its unused tokens.
  // A certificate that we issue to the name later is good. Gives the number of ours.
  Result<std::size_t> RevokeName(const std::string& name) EXCLUDES(mutex_);
  // What we know of a certificate that we issued; kNotFound.
  Result<CertificateRecord> Find(const std::string& serial) const EXCLUDES(reading_);
  // By time of issue, the newest last.
  Result<std::vector<CertificateRecord>> Certificates() EXCLUDES(mutex_);

  bool IsRevoked(const std::string& serial, const std::string& common_name) const override
      EXCLUDES(reading_);
  std::uint64_t generation() const override EXCLUDES(reading_);

 private:
  EnrolmentStore(store::Connection writer, store::Connection reader, const Clock& clock)
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

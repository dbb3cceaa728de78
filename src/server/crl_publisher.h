#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace dare::server {

class CertificateAuthority;  // server/ca.h
class EnrolmentStore;        // server/enrolment_store.h

// A CrlPublisher has the list of the certificates of our records that are revoked, signed by our
// authority (RFC 5280, section 5). Anybody may ask for it, so the HSM is not asked each time: a
// list is made when the revocations have changed or half of its life is over, once a second at
// most, and is kept in memory. While none can be made, the last one is given until it ends.
//
//= rfc5280 3.3
//# An entry MUST NOT be removed from the CRL until it appears on one regularly scheduled CRL
//# issued beyond the revoked certificate's validity period.
// So a certificate stays on the list for one life of a list after its own end.
//
// Thread-safe: one thread makes a list, the others get the last one meanwhile. What it is given
// outlives it.
class CrlPublisher {
 public:
  CrlPublisher(const CertificateAuthority& authority, EnrolmentStore& records, std::int64_t hours,
               const Clock& clock = SystemClock::Get())
      : authority_(authority), records_(records), life_(hours * 3600), clock_(clock) {}

  // The list, DER. kUnavailable when there is none that is still good and none can be made now.
  Result<std::shared_ptr<const Bytes>> Current() EXCLUDES(mutex_);

 private:
  struct List {
    std::shared_ptr<const Bytes> der;
    std::uint64_t generation = 0;  // of the records
    std::uint64_t number = 0;
    std::int64_t made = 0;  // POSIX seconds
  };
  // The list to give, or nothing: then the caller makes one and calls Take.
  Result<std::shared_ptr<const Bytes>> KeptOrTurn() EXCLUDES(mutex_);
  Result<std::shared_ptr<const Bytes>> Take(Result<List> made) EXCLUDES(mutex_);
  Result<List> Make(std::uint64_t last_number) const;
  std::int64_t AgeOfList() const REQUIRES(mutex_);

  const CertificateAuthority& authority_;
  EnrolmentStore& records_;
  const std::int64_t life_;  // seconds
  const Clock& clock_;

  Mutex mutex_;
  CondVar made_;
  List list_ GUARDED_BY(mutex_);
  bool being_made_ GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point rests_until_ GUARDED_BY(mutex_);
};

}  // namespace dare::server

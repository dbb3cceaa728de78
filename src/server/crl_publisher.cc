#include "server/crl_publisher.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "crypto/random.h"
#include "server/ca.h"
#include "server/enrolment_store.h"

namespace dare::server {
namespace {

constexpr std::chrono::seconds kRest{1};          // between two lists
constexpr std::chrono::seconds kFailureRest{10};  // an HSM that is away makes callers wait
constexpr std::int64_t kClockSkew = 300;          // lists begin a little in the past

//= rfc5280 5.2.3
//# If a CRL issuer generates two CRLs [...] for the same scope at different times, the two CRLs
//# MUST NOT have the same CRL number.
// The time, so that it grows over restarts; then three random bytes, so that two servers of one
// authority do not give one number to two lists.
Result<std::uint64_t> NextNumber(std::int64_t now, std::uint64_t last) {
  std::array<std::uint8_t, 3> random{};
  TRY(crypto::RandomBytes(random));
  std::uint64_t number = static_cast<std::uint64_t>(now);
  for (const std::uint8_t byte : random) number = number << 8 | byte;
  return std::max(number, last + 1);
}

}  // namespace

Result<std::shared_ptr<const Bytes>> CrlPublisher::Current() {
  std::shared_ptr<const Bytes> kept = TRY(KeptOrTurn());
  if (kept != nullptr) return kept;
  std::uint64_t last = 0;
  {
    const MutexLock lock(mutex_);
    last = list_.number;
  }
  return Take(Make(last));
}

// A clock that was put back makes a list of the future: as good as none.
std::int64_t CrlPublisher::AgeOfList() const {
  const std::int64_t age = clock_.Now() - list_.made;
  return list_.der == nullptr || age < 0 ? life_ : age;
}

Result<std::shared_ptr<const Bytes>> CrlPublisher::KeptOrTurn() {
  const MutexLock lock(mutex_);
  while (true) {
    const std::int64_t age = AgeOfList();
    const bool good = age < life_;
    const bool wanted = age >= life_ / 2 || list_.generation != records_.generation();
    if (good && (!wanted || being_made_ || clock_.Steady() < rests_until_)) return list_.der;
    if (!being_made_) break;
    made_.Wait(mutex_);
  }
  if (clock_.Steady() < rests_until_) {
    return Error(Code::kUnavailable, "no revocation list could be made");
  }
  being_made_ = true;
  return std::shared_ptr<const Bytes>();
}

Result<std::shared_ptr<const Bytes>> CrlPublisher::Take(Result<List> made) {
  const MutexLock lock(mutex_);
  being_made_ = false;
  rests_until_ = clock_.Steady() + (made ? kRest : kFailureRest);
  made_.NotifyAll();
  if (made) {
    list_ = std::move(*made);
    return list_.der;
  }
  log::Failure("cannot make a revocation list: " + made.error().message);
  if (AgeOfList() < life_) return list_.der;
  return Error(Code::kUnavailable, "no revocation list could be made");
}

Result<CrlPublisher::List> CrlPublisher::Make(std::uint64_t last_number) const {
  List list;
  list.made = clock_.Now();
  list.generation = records_.generation();  // before the records: what comes between is seen
  list.number = TRY(NextNumber(list.made, last_number));
  crypto::CrlPlan plan;
  plan.number = list.number;
  plan.this_update = list.made - kClockSkew;
  plan.next_update = list.made + life_;
  std::vector<CertificateRecord> records = TRY(records_.Certificates());
  for (CertificateRecord& record : records) {
    if (record.revoked == 0 || record.not_after + life_ <= list.made) continue;
    plan.entries.push_back({std::move(record.serial), record.revoked});
  }
  list.der = std::make_shared<const Bytes>(TRY(authority_.SignList(plan)));
  return list;
}

}  // namespace dare::server

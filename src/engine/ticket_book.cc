#include "engine/ticket_book.h"

#include <algorithm>
#include <utility>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;

Error InvalidTicket() { return Reject(ResultReason::kInvalidTicket, "the ticket is not valid"); }

Result<void> CheckLimit(const std::optional<kmip::OperationLimit>& limit) {
  if (!limit) return {};
  //= kmip-2.1 7.40 Usage Limits
  //# used to limit the number of operations that may be performed
  if (limit->unit == kmip::UsageLimitsUnit::kObject && limit->count >= 0) return {};
  return Reject(ResultReason::kInvalidField, "a ticket's Usage Limits count operations (Object)");
}

std::optional<std::int64_t> RequestsOf(const kmip::TicketTerms& terms) {
  if (terms.request_count.value_or(0) == 0) return std::nullopt;
  return *terms.request_count;
}

std::optional<std::int64_t> OperationsOf(const kmip::TicketTerms& terms) {
  if (!terms.usage_limits) return std::nullopt;
  return terms.usage_limits->count;
}

}  // namespace

LiveTicket::LiveTicket(TicketGrant grant, std::int64_t good_until)
    : grant_(std::move(grant)),
      good_until_(good_until),
      requests_(RequestsOf(grant_.terms)),
      operations_(OperationsOf(grant_.terms)),
      rights_(grant_.right_limits) {}

bool LiveTicket::Take(Counter& counter) {
  if (!counter) return true;
  if (*counter <= 0) return false;
  --*counter;
  return true;
}

bool LiveTicket::TakeRequest() {
  const MutexLock lock(mutex_);
  return Take(requests_);
}

bool LiveTicket::TakeOperation() {
  const MutexLock lock(mutex_);
  return Take(operations_);
}

bool LiveTicket::TakeRight(std::size_t right) {
  const MutexLock lock(mutex_);
  return right >= rights_.size() || Take(rights_[right]);
}

void LiveTicket::GiveOperation() {
  const MutexLock lock(mutex_);
  if (operations_) ++*operations_;
}

void LiveTicket::GiveRight(std::size_t right) {
  const MutexLock lock(mutex_);
  if (right < rights_.size() && rights_[right]) ++*rights_[right];
}

bool LiveTicket::exhausted() const {
  const MutexLock lock(mutex_);
  return (requests_ && *requests_ <= 0) || (operations_ && *operations_ <= 0);
}

bool TicketUse::TakeOperation() {
  if (!ticket_) return true;
  if (!ticket_->TakeOperation()) return false;
  ++operations_;
  return true;
}

bool TicketUse::TakeRight(std::size_t right) {
  if (!ticket_) return true;
  if (!ticket_->TakeRight(right)) return false;
  rights_.push_back(right);
  return true;
}

void TicketUse::GiveBack() {
  if (!ticket_) return;
  for (; operations_ > 0; --operations_) ticket_->GiveOperation();
  for (const std::size_t right : rights_) ticket_->GiveRight(right);
  rights_.clear();
}

Result<std::int64_t> TicketBook::GoodUntil(const kmip::TicketTerms& terms) const {
  const std::int64_t now = clock_.Now();
  const std::int64_t longest = now + longest_;
  if (terms.good_until) {
    if (*terms.good_until <= now) {
      return Reject(ResultReason::kInvalidField, "the Lease Time is over already");
    }
    return std::min(*terms.good_until, longest);
  }
  const std::int64_t lease = terms.lease.value_or(0);
  return lease == 0 ? longest : std::min(now + lease, longest);
}

Result<kmip::Ticket> TicketBook::Issue(TicketGrant grant) {
  if (grant.terms.request_count.value_or(0) < 0) {
    return Reject(ResultReason::kInvalidField, "a negative Request Count");
  }
  TRY(CheckLimit(grant.terms.usage_limits));
  const std::int64_t good_until = TRY(GoodUntil(grant.terms));
  kmip::Ticket ticket;
  ticket.value.resize(kValueBytes);
  TRY(crypto::RandomBytes(ticket.value));
  const std::string name = grant.principal.name;
  auto live = std::make_shared<LiveTicket>(std::move(grant), good_until);
  const MutexLock lock(mutex_);
  if (Full(name)) DropOver();
  if (Full(name)) {
    return Reject(ResultReason::kServerLimitExceeded, "too many tickets; log out of one");
  }
  tickets_.emplace(crypto::Sha256(ticket.value), std::move(live));
  return ticket;
}

Result<TicketUse> TicketBook::Use(const kmip::Ticket& ticket) {
  std::shared_ptr<LiveTicket> live;
  {
    const MutexLock lock(mutex_);
    const auto found = tickets_.find(crypto::Sha256(ticket.value));
    if (ticket.type != kmip::TicketType::kLogin || found == tickets_.end()) return InvalidTicket();
    live = found->second;
  }
  const TicketGrant& grant = live->grant();
  if (live->good_until() <= clock_.Now()) return InvalidTicket();
  if (revoked_ && revoked_(grant.certificate, grant.principal.name)) return InvalidTicket();
  if (!live->TakeRequest()) {
    return Reject(ResultReason::kUsageLimitExceeded, "the ticket's Request Count is used up");
  }
  return TicketUse(std::move(live));
}

Result<void> TicketBook::End(const kmip::Ticket& ticket, const policy::Principal& principal) {
  const MutexLock lock(mutex_);
  const auto found = tickets_.find(crypto::Sha256(ticket.value));
  if (found == tickets_.end() || found->second->grant().principal.name != principal.name) {
    return InvalidTicket();
  }
  tickets_.erase(found);
  return {};
}

void TicketBook::EndAll() {
  const MutexLock lock(mutex_);
  tickets_.clear();
}

bool TicketBook::Full(const std::string& name) const {
  if (tickets_.size() >= kMost) return true;
  const auto of_one = std::ranges::count_if(
      tickets_, [&](const auto& entry) { return entry.second->grant().principal.name == name; });
  return static_cast<std::size_t>(of_one) >= kMostOfOne;
}

// One that is over or used up stays, to be answered rightly, until room is needed.
void TicketBook::DropOver() {
  const std::int64_t now = clock_.Now();
  std::erase_if(tickets_, [&](const auto& entry) {
    return entry.second->good_until() <= now || entry.second->exhausted();
  });
}

}  // namespace dare::engine

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "kmip/ticket.h"
#include "policy/principal.h"

namespace dare::engine {

// What a ticket stands for, and how far it goes.
struct TicketGrant {
  policy::Principal principal;  // with rights, where it is delegated
  std::string certificate;      // serial of the certificate with which it was obtained
  bool delegated = false;       // anybody enrolled may show it; else only its principal
  kmip::TicketTerms terms;
  std::vector<std::optional<std::int64_t>> right_limits;  // of each of the principal's rights
};

// The counters of one ticket. Thread-safe. Outlives its place in the book.
class LiveTicket {
 public:
  LiveTicket(TicketGrant grant, std::int64_t good_until);

  const TicketGrant& grant() const { return grant_; }
  std::int64_t good_until() const { return good_until_; }
  // Each takes one, or says that none is left; Give… puts it back, for what was not done at all.
  bool TakeRequest() EXCLUDES(mutex_);
  bool TakeOperation() EXCLUDES(mutex_);
  bool TakeRight(std::size_t right) EXCLUDES(mutex_);
  void GiveOperation() EXCLUDES(mutex_);
  void GiveRight(std::size_t right) EXCLUDES(mutex_);
  bool exhausted() const EXCLUDES(mutex_);

 private:
  using Counter = std::optional<std::int64_t>;  // nothing: without limit
  static bool Take(Counter& counter);

  const TicketGrant grant_;
  const std::int64_t good_until_;
  mutable Mutex mutex_;
  Counter requests_ GUARDED_BY(mutex_);
  Counter operations_ GUARDED_BY(mutex_);
  std::vector<Counter> rights_ GUARDED_BY(mutex_);
};

// One message's use of a ticket: the operations and rights it took, to be given back when the
// message is begun anew.
class TicketUse {
 public:
  TicketUse() = default;
  explicit TicketUse(std::shared_ptr<LiveTicket> ticket) : ticket_(std::move(ticket)) {}

  const std::shared_ptr<LiveTicket>& ticket() const { return ticket_; }
  bool TakeOperation();
  bool TakeRight(std::size_t right);
  void GiveBack();

 private:
  std::shared_ptr<LiveTicket> ticket_;
  std::int64_t operations_ = 0;
  std::vector<std::size_t> rights_;
};

// The tickets that Login and Delegated Login gave (kmip-2.1 6.1.12, 6.1.30). They live in this
// process: a restart ends them all. Bounded in number and in time. Only a hash of a ticket's value
// is kept, and it is found by that hash, so looking one up tells nothing about others.
// Thread-safe.
class TicketBook {
 public:
  // True when a certificate (Caller::certificate) of this principal may no longer be used.
  using Revoked = std::function<bool(const std::string& certificate, const std::string& name)>;

  TicketBook(const Clock& clock, std::int64_t longest_seconds, Revoked revoked)
      : clock_(clock), longest_(longest_seconds), revoked_(std::move(revoked)) {}

  // kRejected: Invalid Field for terms that make no sense, Server Limit Exceeded.
  Result<kmip::Ticket> Issue(TicketGrant grant) EXCLUDES(mutex_);
  // Takes one request. kRejected: Invalid Ticket for one that is unknown, over, ended or of a
  // revoked certificate, Usage Limit Exceeded.
  Result<TicketUse> Use(const kmip::Ticket& ticket) EXCLUDES(mutex_);
  // For its principal only; Invalid Ticket otherwise.
  Result<void> End(const kmip::Ticket& ticket, const policy::Principal& principal) EXCLUDES(mutex_);
  // As if this process had just begun.
  void EndAll() EXCLUDES(mutex_);

 private:
  using Key = std::array<std::uint8_t, 32>;
  static constexpr std::size_t kMost = 4096;
  static constexpr std::size_t kMostOfOne = 64;  // of one principal
  static constexpr std::size_t kValueBytes = 32;

  Result<std::int64_t> GoodUntil(const kmip::TicketTerms& terms) const;
  bool Full(const std::string& name) const REQUIRES(mutex_);
  void DropOver() REQUIRES(mutex_);

  const Clock& clock_;
  const std::int64_t longest_;
  const Revoked revoked_;
  Mutex mutex_;
  std::map<Key, std::shared_ptr<LiveTicket>> tickets_ GUARDED_BY(mutex_);
};

}  // namespace dare::engine

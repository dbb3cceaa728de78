#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "server/allowance.h"

namespace dare::server {

// What one client may do a second, over all of its connections.
struct AccountLimits {
  Rate requests;  // messages
  Rate bytes;     // of requests and answers
  Rate bad;       // malformed messages
};

// An Account is what one client has used up: a principal, or an address where nobody is proven.
// Thread-safe.
class Account {
 public:
  explicit Account(const AccountLimits& limits) : limits_(limits) {}

  // Until the next request is within the limits; zero: now.
  Duration Wait(TimePoint now) const;
  void SpendRequest(TimePoint now) { requests_.Spend(limits_.requests, 1, now); }
  void SpendBytes(std::uint64_t count, TimePoint now) { bytes_.Spend(limits_.bytes, count, now); }
  void SpendBad(TimePoint now) { bad_.Spend(limits_.bad, 1, now); }
  bool IsFresh(TimePoint now) const;
  // Is it time to tell that this client is slowed down? Once a minute at most.
  bool MayTell(TimePoint now);

 private:
  const AccountLimits limits_;
  Allowance requests_, bytes_, bad_;
  std::atomic<std::int64_t> told_ = 0;  // seconds of the steady clock; 0: never
};

// The accounts of all clients, for all listeners of a server. One stays until it is paid and nobody
// has it: whoever connects anew finds what he owes. Thread-safe.
class Accounts {
 public:
  explicit Accounts(const AccountLimits& limits) : limits_(limits) {}
  std::shared_ptr<Account> OfPrincipal(std::string_view name, TimePoint now) EXCLUDES(mutex_);
  std::shared_ptr<Account> OfStranger(std::string_view address, TimePoint now) EXCLUDES(mutex_);
  std::size_t size() const EXCLUDES(mutex_);

 private:
  std::shared_ptr<Account> Find(std::string key, TimePoint now) EXCLUDES(mutex_);

  const AccountLimits limits_;
  mutable Mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Account>> accounts_ GUARDED_BY(mutex_);
  std::size_t sweep_at_ GUARDED_BY(mutex_) = 1024;
};

}  // namespace dare::server

#include "server/accounts.h"

#include <algorithm>
#include <utility>

#include "server/network.h"

namespace dare::server {

Duration Account::Wait(TimePoint now) const {
  return std::max({requests_.Wait(limits_.requests, now), bytes_.Wait(limits_.bytes, now),
                   bad_.Wait(limits_.bad, now)});
}

bool Account::IsFresh(TimePoint now) const {
  return requests_.IsFresh(now) && bytes_.IsFresh(now) && bad_.IsFresh(now);
}

bool Account::MayTell(TimePoint now) {
  using std::chrono::seconds;
  constexpr std::int64_t kSecondsBetween = 60;
  const std::int64_t second = std::chrono::duration_cast<seconds>(now.time_since_epoch()).count();
  std::int64_t told = told_.load(std::memory_order_relaxed);
  if (told != 0 && second < told + kSecondsBetween) return false;
  return told_.compare_exchange_strong(told, second, std::memory_order_relaxed);
}

std::shared_ptr<Account> Accounts::OfPrincipal(std::string_view name, TimePoint now) {
  return Find("principal/" + std::string(name), now);
}

std::shared_ptr<Account> Accounts::OfStranger(std::string_view address, TimePoint now) {
  return Find("network/" + NetworkOf(address), now);
}

std::shared_ptr<Account> Accounts::Find(std::string key, TimePoint now) {
  const MutexLock lock(mutex_);
  std::shared_ptr<Account>& account = accounts_[std::move(key)];
  if (account != nullptr) return account;
  account = std::make_shared<Account>(limits_);
  std::shared_ptr<Account> mine = account;
  if (accounts_.size() >= sweep_at_) {
    std::erase_if(accounts_, [now](const auto& entry) {
      return entry.second.use_count() == 1 && entry.second->IsFresh(now);
    });
    sweep_at_ = std::max<std::size_t>(1024, 2 * accounts_.size());
  }
  return mine;
}

std::size_t Accounts::size() const {
  const MutexLock lock(mutex_);
  return accounts_.size();
}

}  // namespace dare::server

#include "identity/key_source.h"

#include <utility>

#include "base/log.h"

namespace dare::identity {

Result<KeySource::Keys> KeySource::Current() {
  Renew(Want::kAny);
  return Held();
}

Result<KeySource::Keys> KeySource::NewerThan(const Keys& known) {
  {
    const MutexLock lock(mutex_);
    if (keys_ != known) return keys_;  // somebody else has fetched them
  }
  Renew(Want::kNew);
  return Held();
}

Result<KeySource::Keys> KeySource::Held() {
  const std::int64_t now = clock_.Now();
  const MutexLock lock(mutex_);
  if (keys_ == nullptr || now - fetched_ > options_.oldest_seconds) {
    return Error(Code::kUnavailable, "the issuer's keys are not to be had");
  }
  return keys_;
}

void KeySource::Renew(Want want) {
  const std::int64_t now = clock_.Now();
  {
    const MutexLock lock(mutex_);
    const bool old = keys_ == nullptr || now - fetched_ >= options_.refresh_seconds;
    if (!old && want == Want::kAny) return;
    if (fetching_ || (tried_ != 0 && now - tried_ < options_.between_seconds)) return;
    fetching_ = true;
    tried_ = now;
  }
  Result<std::string> text = fetch_();
  Result<std::vector<JsonWebKey>> keys =
      text ? ParseKeySet(*text) : Result<std::vector<JsonWebKey>>(text.error());
  if (keys && keys->empty()) keys = Error(Code::kMalformed, "no key in it is of use here");
  if (!keys) log::Failure("the keys of the issuer of tokens: " + keys.error().message);
  const MutexLock lock(mutex_);
  fetching_ = false;
  if (!keys) return;
  keys_ = std::make_shared<const std::vector<JsonWebKey>>(*std::move(keys));
  fetched_ = now;
}

}  // namespace dare::identity

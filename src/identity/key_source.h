#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "identity/json_web_key.h"

namespace dare::identity {

struct KeySourceOptions {
  std::int64_t refresh_seconds = 3600;  // then they are fetched again
  std::int64_t oldest_seconds = 86400;  // how long the last good ones are used where that fails
  std::int64_t between_seconds = 30;    // fetches at least, whoever asks for whatever
};

// A KeySource has the keys of an issuer: fetched when somebody first asks, again when they have
// become old or a key is asked for that is not among them, and never more often than the options
// say. One thread at a time fetches; the others go on with what there is. Thread-safe. Whoever
// fetches waits as long as `fetch` does.
class KeySource {
 public:
  using Keys = std::shared_ptr<const std::vector<JsonWebKey>>;
  using Fetch = std::function<Result<std::string>()>;  // the text of a JWK Set

  KeySource(Fetch fetch, const KeySourceOptions& options, const Clock& clock)
      : fetch_(std::move(fetch)), options_(options), clock_(clock) {}

  // kUnavailable when there are none, or only too old ones.
  Result<Keys> Current() EXCLUDES(mutex_);
  // For a key that is not among `known`: newer ones than those where they may be had now, else the
  // same ones.
  Result<Keys> NewerThan(const Keys& known) EXCLUDES(mutex_);

 private:
  enum class Want : std::uint8_t { kAny, kNew };
  void Renew(Want want) EXCLUDES(mutex_);
  Result<Keys> Held() EXCLUDES(mutex_);

  const Fetch fetch_;
  const KeySourceOptions options_;
  const Clock& clock_;
  Mutex mutex_;
  Keys keys_ GUARDED_BY(mutex_);
  std::int64_t fetched_ GUARDED_BY(mutex_) = 0;  // when they came
  std::int64_t tried_ GUARDED_BY(mutex_) = 0;    // the last fetch, good or not; 0: never
  bool fetching_ GUARDED_BY(mutex_) = false;
};

}  // namespace dare::identity

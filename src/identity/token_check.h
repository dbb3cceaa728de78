#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "identity/key_source.h"
#include "identity/person.h"

namespace dare::identity {

struct TokenRules {
  ClaimRules claims;
  std::vector<TokenAlgorithm> algorithms;  // that the issuer may sign by
};

// A TokenCheck says who shows a token. Thread-safe. `keys` and `clock` outlive it.
class TokenCheck {
 public:
  TokenCheck(TokenRules rules, KeySource& keys, const Clock& clock)
      : rules_(std::move(rules)), keys_(keys), clock_(clock) {}

  // kUnauthenticated with the reason, for the log and not for who shows it, whatever is wrong with
  // the token; kUnavailable when the issuer's keys cannot be had. May wait for the issuer.
  Result<Person> WhoShows(std::string_view token);

 private:
  const TokenRules rules_;
  KeySource& keys_;
  const Clock& clock_;
};

}  // namespace dare::identity

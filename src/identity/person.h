#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace dare::identity {

// What a token's claims must say, and what they make of its bearer.
struct ClaimRules {
  std::string issuer;                         // iss, to the letter
  std::string audience;                       // among aud
  std::string name_claim = "sub";             //
  std::string name;                           // of the principal; '*' is the claim's text
  std::string groups_claim;                   // empty: tokens give no groups
  std::map<std::string, std::string> groups;  // what stands in it, and the group here
  std::int64_t skew_seconds = 30;             // how far the issuer's clock may be off
  std::int64_t longest_seconds = 43200;       // what is good for longer is not good at all
};

struct Person {
  std::string name;                 // of the principal
  std::vector<std::string> groups;  //
  std::int64_t expires = 0;         // POSIX seconds
};

// Who bears a token with these claims, at `now`. The claims were signed by the issuer. A name that
// is an address of e-mail (the claim "email") must be verified (OpenID Connect Core, 5.1).
// kUnauthenticated, saying why, where it is nobody.
Result<Person> PersonOf(const boost::json::object& claims, const ClaimRules& rules,
                        std::int64_t now);

}  // namespace dare::identity

#include "identity/token_check.h"

#include <algorithm>

#include "identity/signed_token.h"

namespace dare::identity {

Result<Person> TokenCheck::WhoShows(std::string_view text) {
  const auto refused = [](const Error& why) { return Error(Code::kUnauthenticated, why.message); };
  const Result<SignedToken> token = SignedToken::Read(text);
  if (!token) return refused(token.error());
  if (std::ranges::find(rules_.algorithms, token->algorithm()) == rules_.algorithms.end()) {
    return Error(Code::kUnauthenticated, "a token of an algorithm that is not configured");
  }
  KeySource::Keys keys = TRY(keys_.Current());
  Result<boost::json::object> claims = token->Verify(*keys);
  if (!claims && claims.error().code == Code::kNotFound) {
    keys = TRY(keys_.NewerThan(keys));
    claims = token->Verify(*keys);
  }
  if (!claims) return refused(claims.error());
  return PersonOf(*claims, rules_.claims, clock_.Now());
}

}  // namespace dare::identity

#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "identity/json_web_key.h"

namespace dare::identity {

inline constexpr std::size_t kMostTokenBytes = 8192;

// A SignedToken is a JSON Web Token in JWS Compact Serialization (RFC 7515, 7.1), read and not yet
// believed: only Verify opens its claims. It borrows the text it was read from.
class SignedToken {
 public:
  // kTooLarge beyond kMostTokenBytes; kMalformed for what is no such token; kUnsupported for an
  // algorithm that is not one of ours ("none" and MACs too), for critical extensions (RFC 7515,
  // 4.1.11) and for a type that is not of a token to show: "JWT" or "at+jwt" (RFC 8725, 3.11).
  static Result<SignedToken> Read(std::string_view text);

  TokenAlgorithm algorithm() const { return algorithm_; }
  const std::string& key_id() const { return key_id_; }  // empty: none

  // Whether the one key of `keys` that fits signed it. kNotFound where none fits and has its id;
  // kUnauthenticated where it did not, or more than one key fits.
  Result<void> CheckSignature(std::span<const JsonWebKey> keys) const;
  // The claims, where it is signed. Errors as above; kMalformed where they are none.
  Result<boost::json::object> Verify(std::span<const JsonWebKey> keys) const;

 private:
  TokenAlgorithm algorithm_{};
  std::string key_id_;
  std::string_view signed_;  // header and claims, as they were signed
  std::string_view claims_;  // base64url
  Bytes signature_;
};

}  // namespace dare::identity

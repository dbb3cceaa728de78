#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/asymmetric_key.h"

namespace dare::identity {

// How a token is signed (RFC 7518, 3.1; RFC 8037, 3.1). No MAC is among them, and no "none".
enum class TokenAlgorithm : std::uint8_t { kRs256, kPs256, kEs256, kEdDsa };

std::optional<TokenAlgorithm> TokenAlgorithmByName(std::string_view name);

// One public key of an issuer.
struct JsonWebKey {
  std::string id;                           // kid; empty: none
  std::optional<TokenAlgorithm> algorithm;  // alg: the only one it is for, where it says so
  crypto::PublicKey key;

  // Whether it may have signed by `asked`: the kind of the key and what it says of itself.
  bool Serves(TokenAlgorithm asked) const;
};

// The keys of a JWK Set (RFC 7517, 5) that can verify signatures here: RSA of 2048 to 8192 bits,
// P-256, Ed25519, not meant for encryption. Others are passed by, as section 5 asks: an issuer may
// have keys for others. kMalformed where the text is no JWK Set, kTooLarge for more than 256 KiB
// or 100 keys.
inline constexpr std::size_t kMostKeySetBytes = 256u << 10;
Result<std::vector<JsonWebKey>> ParseKeySet(std::string_view text);

}  // namespace dare::identity

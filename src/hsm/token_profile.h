#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hsm/sealing_mechanism.h"
#include "hsm/session_pool.h"

namespace dare::hsm {

// What a token may be used for here.
enum class Ability {
  kAesGcm,         // encrypt with associated data, decrypt, refuse what was altered
  kAesCbcPad,      // encrypt and decrypt
  kHmacSha256,     // compute the same code twice, and another one of another text
  kImportKey,      // take a key from outside, as a ceremony needs
  kAesKeyWrap,     // RFC 3394: wrap and unwrap
  kRsaOaepSha1,    // encrypt and decrypt, 2048 bits
  kRsaOaepSha256,  //
  kRsaSignature,   // PKCS#1 v1.5, 2048 bits
  kEcdsaP256,      // sign and verify
  kHidesKeys,      // gives no value of a sensitive key
  kKeepsKeys,      // wraps no key that is not extractable
};
// "AES-256-GCM with associated data".
std::string_view NameOf(Ability ability);

struct AbilityFound {
  Ability ability;
  bool works = false;
  std::string detail;  // why it does not
};

// What a token showed when it was used.
struct TokenProfile {
  TokenInfo token;
  std::vector<AbilityFound> abilities;  // one of each, in their order

  bool Can(Ability ability) const;
};

// Uses the token in every way, with session objects that are thrown away: nothing stays in it.
// Takes as long as the token needs for two key pairs. kUnavailable when it does not answer.
Result<TokenProfile> ProfileToken(SessionPool& pool);

// The best sealing mechanism, none when the token has none.
std::optional<SealingMechanism> BestMechanism(const TokenProfile& profile);
// The same without the rest of the profile: kUnsupported when there is none.
Result<SealingMechanism> ChooseMechanism(SessionPool& pool);

}  // namespace dare::hsm

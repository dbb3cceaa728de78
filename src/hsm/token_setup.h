#pragma once

#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "hsm/module.h"

namespace dare::hsm {

struct TokenPins {
  SecretBytes security_officer;
  SecretBytes user;
};

// Makes a token ready for `dare-kms init`: gives the first empty slot the label and the security
// officer's PIN, then sets the user's PIN. Never touches a token that is initialised:
// kAlreadyExists when one has this label. A token that has the label but no user PIN yet, as an
// interrupted run leaves it, is completed. kNotFound when no slot is free. PINs of 4 to 255 bytes;
// what else a token demands of them it says itself (kUnauthenticated).
Result<TokenInfo> InitialiseToken(const Module& module, const std::string& label,
                                  const TokenPins& pins);

}  // namespace dare::hsm

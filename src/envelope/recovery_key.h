#pragma once

#include <memory>
#include <string>
#include <vector>

#include "envelope/keyring.h"

namespace dare::envelope {

// A recovery key is an RSA key pair whose private half lies in a safe and was never on a machine
// that seals. Copies of the DEK for it have this namespace, and as name the SHA-256 of the public
// key (SubjectPublicKeyInfo in DER) in lower-case hex; RSA-OAEP with SHA-256.
inline constexpr std::string_view kRecoveryNamespace = "offline-recovery";

struct RecoveryKey {
  std::string name;
  std::shared_ptr<KeyWrapper> wrapper;  // wraps only; thread-safe
};

// Reads a public key in PEM ("BEGIN PUBLIC KEY"). kInvalidArgument for anything else, and in plain
// words for a private key, which has no business here, and for RSA under 2048 bits.
Result<RecoveryKey> ReadRecoveryKey(const std::string& path);
// Several, each key once, however often it is named.
Result<std::vector<RecoveryKey>> ReadRecoveryKeys(const std::vector<std::string>& paths);

}  // namespace dare::envelope

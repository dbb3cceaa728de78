#pragma once

#include <string>

#include "envelope/io.h"
#include "envelope/keyring.h"

namespace dare::envelope {

// Keys that were exported, for opening without a key server (docs/recovery.md): a JSON object of
//
//   label: {"type": "raw-aes", "namespace": …, "name": …, "material_hex": …}
//   label: {"type": "raw-rsa", "namespace": …, "name": …, "padding": "oaep"|"pkcs1",
//           "hash": "sha1"|"sha256"|"sha384"|"sha512", "private_pem": …}
//   label: {"type": "zero-dek"}
//
// or an object that has such an object as its member "keys"; the rest of it does not count then,
// nor do members of a key that are not named here. "zero-dek" is for published test messages whose
// data key is all zeroes; it counts only where the file has no other key.
//
// The key material comes into the secure heap only, but for what OpenSSL keeps of RSA keys.
// kInvalidArgument, naming the label, for what is no usable key, and when there is none.
Result<Keyring> ReadKeys(ByteSource& in);

// The same for the file at `path` ("-": standard input); errors begin with its name.
Result<Keyring> ReadKeysFile(const std::string& path);

// True when others than the owner may read the file at `path`: worth a warning.
bool OthersMayRead(const std::string& path);

}  // namespace dare::envelope

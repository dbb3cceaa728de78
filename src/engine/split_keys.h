#pragma once

#include "crypto/secret_sharing.h"
#include "kmip/protocol_version.h"
#include "kmip/split_key.h"

// Split keys in the words of crypto/secret_sharing.h.
namespace dare::engine {

// Checked. Invalid Field (1.x), Bad/Unsupported Cryptographic Parameters (2.x).
Result<crypto::SharingScheme> SchemeOf(const kmip::SplitKeyHead& head,
                                       kmip::ProtocolVersion version);

// Errors of secret sharing in KMIP's words: parts that do not open the secret are Cryptographic
// Failure.
Error SharingError(const Error& error, kmip::ProtocolVersion version);

}  // namespace dare::engine

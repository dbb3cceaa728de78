#pragma once

#include <string>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "engine/operation.h"
#include "kmip/key_block.h"

// The keys that wrap other keys, at work: Encryption Key Information and MAC/Signature Key
// Information (kmip-2.1 3.7). Each call opens the key that the information names, asks the policy,
// and takes its usage; Wrapping Object Not Found, Destroyed and Archived (2.x) where it cannot.
namespace dare::engine {

struct Enciphered {
  Bytes data;  // with its tag, where the mode has one
  Bytes iv;    // made here; empty for modes without
};
Result<Enciphered> EncipherKey(OperationContext& context,
                               const kmip::WrappingKeyInformation& information, ByteView plain);
Result<WipingBytes> DecipherKey(OperationContext& context,
                                const kmip::WrappingKeyInformation& information, ByteView iv,
                                ByteView data);

Result<Bytes> AuthenticateKey(OperationContext& context,
                              const kmip::WrappingKeyInformation& information, ByteView content);
// Cryptographic Failure when `code` is not that of `content`.
Result<void> VerifyKey(OperationContext& context, const kmip::WrappingKeyInformation& information,
                       ByteView content, ByteView code);

}  // namespace dare::engine

#pragma once

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "crypto/block_cipher.h"
#include "crypto/key_wrap.h"
#include "crypto/mac.h"
#include "crypto/rsa_encryption.h"
#include "crypto/signature.h"
#include "engine/asymmetric_use.h"
#include "engine/key_use.h"

// What a key computes, wherever it lives: src/crypto with its bytes, or the HSM with the key that
// stays there. Everything that uses a key to encrypt, authenticate, sign or wrap goes through here,
// and need not know which it is. Errors are in KMIP's words already: Cryptographic Failure,
// Unsupported Cryptographic Parameters, Permission Denied (the HSM gives the key no such right),
// General Failure (the key is gone from it); kUnavailable and kTimeout where the HSM does not
// answer.
namespace dare::engine {

// `request.key` and `request.policy` are filled in here.
Result<crypto::CipherOutput> EncryptWith(const UsableKey& key, crypto::CipherRequest request,
                                         ByteView plain, const OperationContext& context);
Result<WipingBytes> DecryptWith(const UsableKey& key, crypto::CipherRequest request, ByteView data,
                                ByteView tag, const OperationContext& context);

Result<Bytes> WrapWith(const UsableKey& key, crypto::KeyWrapMode mode, ByteView plain,
                       const OperationContext& context);
Result<SecretBytes> UnwrapWith(const UsableKey& key, crypto::KeyWrapMode mode, ByteView wrapped,
                               const OperationContext& context);

Result<Bytes> MacWith(const UsableKey& key, const crypto::MacAlgorithm& algorithm, ByteView data,
                      const OperationContext& context);
// Whether `code` is the whole code of `data`.
Result<bool> IsMacOf(const UsableKey& key, const crypto::MacAlgorithm& algorithm, ByteView data,
                     ByteView code, const OperationContext& context);

Result<Bytes> SignMessageWith(const UsablePrivateKey& key, const crypto::SignatureScheme& scheme,
                              ByteView message, const OperationContext& context);
Result<Bytes> SignDigestWith(const UsablePrivateKey& key, const crypto::SignatureScheme& scheme,
                             ByteView digest, const OperationContext& context);
Result<WipingBytes> DecryptRsaWith(const UsablePrivateKey& key, const crypto::RsaScheme& scheme,
                                   ByteView data, const OperationContext& context);

// Feature Not Supported for keys in the HSM, which take whole messages only.
Result<void> CheckTakesParts(const UsableKey& key);

}  // namespace dare::engine

#pragma once

#include <cstddef>
#include <vector>

#include "base/secret_bytes.h"
#include "engine/key_use.h"
#include "engine/operation.h"
#include "kmip/payloads/derive_key.h"

// The derivation methods of KMIP (kmip-2.1 7.12, 11.16; kmip-1.4 4.6): what bytes come out.
namespace dare::engine {

// `length` bytes by any method but Asymmetric Key. The first of `bases` is the key (or pass
// phrase); a second one, which is Secret Data, stands for the Derivation Data. Invalid Message
// where these are given twice or not at all, Cryptographic Failure where the method gives less than
// `length`, Invalid Field and Bad/Unsupported Cryptographic Parameters.
Result<SecretBytes> Derive(kmip::DerivationMethod method,
                           const kmip::DerivationParameters& derivation,
                           const std::vector<UsableKey>& bases, std::size_t length,
                           OperationContext& context);

// The shared secret of a private and a public key, cut to `length`.
Result<SecretBytes> DeriveByAgreement(const std::vector<ObjectPointer>& bases, std::size_t length,
                                      const OperationContext& context);

}  // namespace dare::engine

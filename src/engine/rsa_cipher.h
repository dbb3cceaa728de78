#pragma once

#include "crypto/asymmetric_key.h"
#include "crypto/rsa_encryption.h"
#include "engine/operation.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/payloads/decrypt.h"
#include "kmip/payloads/encrypt.h"

// Encrypt and Decrypt with RSA keys, which share no step with ciphers but the messages.
namespace dare::engine {

// Whether an object encrypts as half of a key pair: Private and Public Keys, Certificates.
bool IsAsymmetric(const kmip::ManagedObject& object);

// How RSA pads with these parameters, the object's defaults already in them. Borrows the label from
// `parameters`. Bad/Unsupported Cryptographic Parameters.
Result<crypto::RsaScheme> ChooseRsaScheme(const kmip::CryptographicParameters& parameters,
                                          const crypto::KeyFacts& key);

// `stored` was opened, and the policy asked, for the operation. How the data is padded, the request
// says or the key's Cryptographic Parameters; there is no default, since the peer must know it.
// Missing Hashing Algorithms are SHA-1, as RFC 8017 and kmip-1.4 3.6 have it. Feature Not Supported
// for messages in parts.
Result<kmip::EncryptResponse> EncryptWithRsa(const kmip::EncryptRequest& request,
                                             ObjectPointer stored, OperationContext& context);
Result<kmip::DecryptResponse> DecryptWithRsa(const kmip::DecryptRequest& request,
                                             ObjectPointer stored, OperationContext& context);

}  // namespace dare::engine

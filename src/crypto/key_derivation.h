#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/asymmetric_key.h"
#include "crypto/mac.h"

// Keys from keys, pass phrases and key agreement, as KMIP's Derive Key knows them. (Our own formats
// have hkdf.h.) Inputs are borrowed; results are secrets. Stateless, thread-safe.
namespace dare::crypto {

// PBKDF2 with HMAC (RFC 8018, 5.2). kInvalidArgument without iterations.
Result<SecretBytes> Pbkdf2(HashAlgorithm hash, ByteView password, ByteView salt,
                           std::uint32_t iterations, std::size_t length);

// HKDF, both steps (RFC 5869). kInvalidArgument above 255 hash lengths.
Result<SecretBytes> Hkdf(HashAlgorithm hash, ByteView input_key, ByteView salt, ByteView info,
                         std::size_t length);

// SP 800-108 with a 32-bit counter before the fixed input, which is taken as it is: label, zero
// byte and context are the caller's, and no length is appended.
enum class KbkdfMode : std::uint8_t { kCounter, kFeedback, kDoublePipeline };
// `iv` is for feedback mode, and may be empty there. Errors as Mac.
Result<SecretBytes> Kbkdf(KbkdfMode mode, const MacAlgorithm& prf, ByteView key, ByteView iv,
                          ByteView fixed_input, std::size_t length,
                          const AlgorithmPolicy& policy = {});

// The signing key of AWS Signature Version 4: 32 bytes.
Result<SecretBytes> AwsSigningKey(ByteView secret, ByteView date, ByteView region,
                                  ByteView service);

// The shared secret of ECDH (the x coordinate), X25519, X448 or Diffie-Hellman (padded to the
// length of the prime). kInvalidArgument for keys that do not belong together.
Result<SecretBytes> Agree(const PrivateKey& own, const PublicKey& peer);

}  // namespace dare::crypto

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/algorithm_policy.h"
#include "crypto/algorithms.h"
#include "crypto/asymmetric_key.h"

// Signatures: RSA with PKCS#1 v1.5 and PSS (RFC 8017), DSA and ECDSA (FIPS 186-4; DER as in RFC
// 3279), Ed25519 and Ed448 (RFC 8032). By OpenSSL's EVP. Thread-safe.
namespace dare::crypto {

enum class SignaturePadding : std::uint8_t { kPkcs1, kPss };

// How a key signs. Only RSA looks at the padding; Ed25519 and Ed448 hash as they must and look at
// nothing here.
struct SignatureScheme {
  // Absent: a digest is signed as it is, of whatever length; with PKCS#1 v1.5 that leaves no room
  // for the name of the hash, so that it needs the legacy policy.
  std::optional<HashAlgorithm> hash = HashAlgorithm::kSha256;
  SignaturePadding padding = SignaturePadding::kPkcs1;
  std::optional<HashAlgorithm> mgf_hash;   // of MGF1 in PSS; absent: `hash`
  std::optional<std::size_t> salt_length;  // of PSS; absent: the length of the hash to sign, any to
                                           // verify
};

// True for keys that sign whole messages only: Ed25519 and Ed448.
bool SignsWholeMessages(KeyFamily family);

// kDenied where the policy refuses the hash, kInvalidArgument where a digest has not the length of
// its hash or the key is too short, kUnsupported for keys that cannot sign, or not digests.
Result<Bytes> SignMessage(const PrivateKey& key, const SignatureScheme& scheme, ByteView message,
                          const AlgorithmPolicy& policy = {});
Result<Bytes> SignDigest(const PrivateKey& key, const SignatureScheme& scheme, ByteView digest,
                         const AlgorithmPolicy& policy = {});
// False for a signature that is not right, whatever is wrong with it. Errors as above.
Result<bool> VerifyMessage(const PublicKey& key, const SignatureScheme& scheme, ByteView message,
                           ByteView signature, const AlgorithmPolicy& policy = {});
Result<bool> VerifyDigest(const PublicKey& key, const SignatureScheme& scheme, ByteView digest,
                          ByteView signature, const AlgorithmPolicy& policy = {});

}  // namespace dare::crypto

#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/algorithm_policy.h"
#include "crypto/algorithms.h"
#include "crypto/asymmetric_key.h"

// RSA encryption, RFC 8017 section 7. Thread-safe.
namespace dare::crypto {

// kPkcs1 (RSAES-PKCS1-v1_5) and kNone (the bare primitive) need the legacy policy: whoever may ask
// for decryptions under the former can, by what is answered, decrypt and sign at will
// (Bleichenbacher), and the latter hides nothing.
enum class RsaPadding : std::uint8_t { kOaep, kPkcs1, kNone };

struct RsaScheme {
  RsaPadding padding = RsaPadding::kOaep;
  HashAlgorithm hash = HashAlgorithm::kSha256;      // OAEP; SHA-1 is still sound there, MD5 is not
  HashAlgorithm mgf_hash = HashAlgorithm::kSha256;  // of MGF1
  ByteView label;                                   // L of OAEP: KMIP's P Source
};

// Bytes that fit into one encryption; 0 where the key is too short for the scheme.
std::size_t MostPlainBytes(const KeyFacts& key, const RsaScheme& scheme);

// kDenied by the policy, kInvalidArgument for data that does not fit, kUnsupported for keys that
// are not RSA.
Result<Bytes> RsaEncrypt(const PublicKey& key, const RsaScheme& scheme, ByteView plain,
                         const AlgorithmPolicy& policy = {});
// kDamaged with one text, whatever part of the padding was wrong.
Result<WipingBytes> RsaDecrypt(const PrivateKey& key, const RsaScheme& scheme, ByteView sealed,
                               const AlgorithmPolicy& policy = {});

}  // namespace dare::crypto

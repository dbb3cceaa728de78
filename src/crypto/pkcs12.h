#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/algorithm_policy.h"
#include "crypto/asymmetric_key.h"

// PKCS#12 (RFC 7292): a private key and its certificates under a password.
namespace dare::crypto {

struct Pkcs12 {
  PrivateKey key;
  std::string friendly_name;        // of the key; empty where it has none
  std::vector<Bytes> certificates;  // DER; the key's own first, then its issuers upwards
};

// kDamaged for a wrong password (one text, whatever failed), kMalformed for other bytes,
// kInvalidArgument where there is no private key in it, kDenied where its protection is older than
// AES and the policy does not allow that (RC2 is not read at all), kUnsupported for scrypt or more
// than a million iterations.
Result<Pkcs12> OpenPkcs12(ByteView der, ByteView password, const AlgorithmPolicy& policy = {});

// Protected with AES-256-CBC and PBKDF2 over HMAC-SHA-256.
Result<SecretBytes> MakePkcs12(const Pkcs12& contents, ByteView password);

}  // namespace dare::crypto

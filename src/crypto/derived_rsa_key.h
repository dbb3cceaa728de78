#pragma once

#include <string_view>

#include "base/secret_bytes.h"
#include "crypto/asymmetric_key.h"

namespace dare::crypto {

// An RSA key of 3072 bits with the public exponent 65537 that follows from `seed` (32 bytes at
// least) and `label` alone, whatever OpenSSL draws: the first two primes among numbers that HKDF
// gives (docs/formats/sealed-record.md). All numbers are there; p is the greater prime. Takes about
// a second. kInvalidArgument for a short seed.
Result<RsaNumbers> DeriveRsaKey(const SecretBytes& seed, std::string_view label);

}  // namespace dare::crypto

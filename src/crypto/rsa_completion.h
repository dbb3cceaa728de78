#pragma once

#include "crypto/asymmetric_key.h"

namespace dare::crypto {

// The numbers of an RSA private key with those that were left out computed from the others:
// modulus and private exponent, or both primes and either exponent, are enough. What was given is
// kept as it is; whether all of it fits together is for the key's check to say. kInvalidArgument
// where too little is given or nothing fits.
Result<RsaNumbers> CompleteRsa(const RsaNumbers& given);

}  // namespace dare::crypto

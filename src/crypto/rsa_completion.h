#pragma once

#include "crypto/asymmetric_key.h"

namespace dare::crypto {

// The numbers of an RSA private key with those that were left out computed from the others:
// modulus and private exponent, or both primes and either exponent, are enough. What was given is
// kept as it is; whether all of it fits together is for the key's check to say. kInvalidArgument
// where too little is given or nothing fits.
Result<RsaNumbers> CompleteRsa(const RsaNumbers& given);

// Whether the numbers of a whole RSA private key fit together, and its primes are primes as far as
// Fermat's test with random bases tells. OpenSSL's own check tests them against somebody who made
// the key to deceive, in 64 to 128 rounds: 0.2 s for 2048 bits, seconds for 8192. Whoever brings a
// key with crafted primes deceives himself.
bool FitTogether(const RsaNumbers& key);

}  // namespace dare::crypto

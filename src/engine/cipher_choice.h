#pragma once

#include <cstddef>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "crypto/algorithms.h"
#include "crypto/key_wrap.h"
#include "crypto/mac.h"
#include "engine/key_use.h"
#include "kmip/cryptographic_parameters.h"

namespace dare::engine {

// A block or stream cipher as crypto/ names it, with what the KMIP parameters fix about IV and tag.
struct CipherChoice {
  crypto::CipherAlgorithm algorithm{};
  crypto::CipherMode mode{};
  crypto::Padding padding{};
  std::size_t iv_length = 0;   // of an IV that the server makes
  std::size_t tag_length = 0;  // 0 for modes without
  bool random_iv = false;
};

// Which computation Encrypt or Decrypt with this key and these parameters is: a cipher, or a key
// wrap mode. `parameters` already has the object's defaults in it. Bad/Unsupported Cryptographic
// Parameters where KMIP's values do not go together (General Failure for an impossible tag length,
// as the published cases have it).
Result<std::variant<CipherChoice, crypto::KeyWrapMode>> ChooseCipher(
    const kmip::CryptographicParameters& parameters, const UsableKey& key);

// The same for a message in parts, which key wrap modes cannot be.
Result<CipherChoice> ChooseStreamCipher(const kmip::CryptographicParameters& parameters,
                                        const UsableKey& key);

// A random IV of the length that the choice says. Bad Cryptographic Parameters where that is too
// short to be random under one key for long (SP 800-38D 8.2.2: 96 bits). Where a repeated IV would
// give the key away (authenticated modes), it is counted against the key first: Usage Limit
// Exceeded.
Result<Bytes> MakeCountedIv(const CipherChoice& choice, const StoredObject& key,
                            OperationContext& context);

// The MAC that the parameters ask for, else the one of the key's own HMAC algorithm: an HMAC
// algorithm, or the modes CMAC and CBC-MAC of the key's block cipher, or HMAC with a Hashing
// Algorithm.
Result<crypto::MacAlgorithm> ChooseMac(const kmip::CryptographicParameters& parameters,
                                       const UsableKey& key);

Result<crypto::HashAlgorithm> ChooseHash(kmip::HashingAlgorithm algorithm);

// Errors of crypto/ in KMIP's words: kDamaged is Cryptographic Failure here (it is the client's
// data, not our record).
Error CryptographicError(const Error& error);

}  // namespace dare::engine

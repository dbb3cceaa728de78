#include "engine/derivation.h"

#include <optional>
#include <utility>

#include "crypto/block_cipher.h"
#include "crypto/digest.h"
#include "crypto/fips_policy.h"
#include "crypto/key_derivation.h"
#include "engine/asymmetric_use.h"
#include "engine/cipher_choice.h"
#include "engine/prepared_work.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::CryptographicParameters;
using kmip::DerivationMethod;
using kmip::DerivationParameters;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;

// What one request may make the server compute: about a second of PBKDF2 (key_forge.h).
constexpr std::uint64_t kMostHashes = 4'000'000;

Error Ambiguous(std::string what) { return Reject(ResultReason::kInvalidMessage, std::move(what)); }

// What `made` gives at its beginning.
Result<SecretBytes> Cut(ByteView made, std::size_t length) {
  if (made.size() < length) {
    return Reject(ResultReason::kCryptographicFailure,
                  "the Cryptographic Length exceeds the output of the derivation method");
  }
  return SecretBytes::CopyOf(made.first(length));
}

Result<void> OnlyOne(const std::vector<UsableKey>& bases) {
  if (bases.size() == 1) return {};
  return Reject(ResultReason::kInvalidField, "this derivation method takes one object");
}

//= kmip-1.4 4.6 Derive Key
//# Derivation data MAY either be explicitly provided by the client with the Derivation Data field
//# or implicitly provided by providing the Unique Identifier of a Secret Data object. If both are
//# provided, then an error SHALL be returned.
Result<ByteView> DataOf(const DerivationParameters& derivation,
                        const std::vector<UsableKey>& bases) {
  if (bases.size() > 2 || derivation.data.size() > 1) {
    return Reject(ResultReason::kInvalidField, "more objects or data than the method takes");
  }
  if (bases.size() == 2) {
    if (!derivation.data.empty()) {
      return Ambiguous("both Derivation Data and an object that stands for it");
    }
    if (bases[1].object->object.type != ObjectType::kSecretData) {
      return Reject(ResultReason::kInvalidObjectType, "only Secret Data stands for data");
    }
    return bases[1].bytes;
  }
  if (derivation.data.empty()) return Ambiguous("no Derivation Data");
  return derivation.data.front();
}

Result<std::size_t> Iterations(const DerivationParameters& derivation, std::size_t length,
                               std::size_t hash_bytes) {
  if (!derivation.iterations || *derivation.iterations < 1) {
    return Reject(ResultReason::kInvalidField, "PBKDF2 needs an Iteration Count");
  }
  const auto count = static_cast<std::uint64_t>(*derivation.iterations);
  if (count * ((length + hash_bytes - 1) / hash_bytes) > kMostHashes) {
    return Reject(ResultReason::kInvalidField, "the Iteration Count is more than this server does");
  }
  return static_cast<std::size_t>(count);
}

Result<SecretBytes> ByPbkdf2(const DerivationParameters& derivation,
                             const std::vector<UsableKey>& bases, std::size_t length,
                             OperationContext& context) {
  TRY(OnlyOne(bases));
  if (!derivation.data.empty()) return Ambiguous("the object already is the pass phrase");
  if (!derivation.salt) return Reject(ResultReason::kInvalidField, "PBKDF2 needs a Salt");
  const CryptographicParameters parameters =
      derivation.parameters.value_or(CryptographicParameters());
  // RFC 8018, B.1: HMAC with SHA-1 where nobody says otherwise (TC-DERIVEKEY-4).
  crypto::HashAlgorithm hash = crypto::HashAlgorithm::kSha1;
  if (parameters.hashing_algorithm || parameters.cryptographic_algorithm) {
    UsableKey none;
    const crypto::MacAlgorithm prf = TRY(ChooseMac(parameters, none));
    if (prf.kind != crypto::MacAlgorithm::Kind::kHmac) {
      return Reject(ResultReason::kUnsupportedCryptographicParameters, "PBKDF2 is with HMAC here");
    }
    hash = prf.hash;
  }
  const std::size_t count = TRY(Iterations(derivation, length, crypto::DigestBytes(hash)));
  return context.Stretch({.hash = hash,
                          .password = bases[0].bytes,
                          .salt = *derivation.salt,
                          .iterations = static_cast<std::uint32_t>(count),
                          .length = length});
}

Result<SecretBytes> ByHash(const DerivationParameters& derivation,
                           const std::vector<UsableKey>& bases, std::size_t length,
                           const OperationContext& context) {
  TRY(OnlyOne(bases));
  if (!derivation.data.empty()) return Ambiguous("both a key and Derivation Data to be hashed");
  const CryptographicParameters parameters =
      derivation.parameters.value_or(CryptographicParameters()).Over(bases[0].defaults);
  if (!parameters.hashing_algorithm) {
    return Reject(ResultReason::kInvalidField, "nobody says which Hashing Algorithm");
  }
  const auto hash = TRY(ChooseHash(*parameters.hashing_algorithm));
  Bytes digest = TRY(crypto::Digest(hash, bases[0].bytes, context.algorithms()));
  Result<SecretBytes> out = Cut(digest, length);
  Wipe(digest);
  return out;
}

// The PRF of a key: its own HMAC algorithm first, then what the request or its attributes say.
Result<crypto::MacAlgorithm> PrfOf(const DerivationParameters& derivation, const UsableKey& key) {
  if (const auto own = ChooseMac({}, key)) return *own;
  return ChooseMac(derivation.parameters.value_or(CryptographicParameters()).Over(key.defaults),
                   key);
}

Result<SecretBytes> ByHmac(const DerivationParameters& derivation,
                           const std::vector<UsableKey>& bases, std::size_t length,
                           const OperationContext& context) {
  const ByteView data = TRY(DataOf(derivation, bases));
  const auto prf = TRY(PrfOf(derivation, bases[0]));
  Bytes mac = TRY(crypto::Mac(prf, bases[0].bytes, data, context.algorithms()));
  Result<SecretBytes> out = Cut(mac, length);
  Wipe(mac);
  return out;
}

Result<SecretBytes> ByEncrypting(const DerivationParameters& derivation,
                                 const std::vector<UsableKey>& bases, std::size_t length,
                                 const OperationContext& context) {
  const ByteView data = TRY(DataOf(derivation, bases));
  const CryptographicParameters parameters =
      derivation.parameters.value_or(CryptographicParameters()).Over(bases[0].defaults);
  const CipherChoice choice = TRY(ChooseStreamCipher(parameters, bases[0]));
  crypto::CipherRequest cipher;
  cipher.algorithm = choice.algorithm;
  cipher.mode = choice.mode;
  cipher.padding = choice.padding;
  cipher.key = bases[0].bytes;
  cipher.iv = derivation.iv.value_or(ByteView());
  cipher.tag_length = choice.tag_length;
  cipher.policy = context.algorithms();
  crypto::CipherOutput made = TRY(crypto::Encrypt(cipher, data));
  Result<SecretBytes> out = Cut(made.data, length);
  Wipe(made.data);
  return out;
}

Result<SecretBytes> BySp800_108(crypto::KbkdfMode mode, const DerivationParameters& derivation,
                                const std::vector<UsableKey>& bases, std::size_t length,
                                const OperationContext& context) {
  const ByteView fixed = TRY(DataOf(derivation, bases));
  const auto prf = TRY(PrfOf(derivation, bases[0]));
  return crypto::Kbkdf(mode, prf, bases[0].bytes, derivation.iv.value_or(ByteView()), fixed, length,
                       context.algorithms());
}

//= kmip-2.1 7.12 Derivation Parameters
//# For the AWS Signature Version 4 derivation method, the Derivation Data is (in order) the Date,
//# Region, and Service.
Result<SecretBytes> ForAws(const DerivationParameters& derivation,
                           const std::vector<UsableKey>& bases, std::size_t length) {
  TRY(OnlyOne(bases));
  if (derivation.data.size() != 3) {
    return Reject(ResultReason::kInvalidField, "Derivation Data is date, region and service here");
  }
  const SecretBytes key = TRY(crypto::AwsSigningKey(bases[0].bytes, derivation.data[0],
                                                    derivation.data[1], derivation.data[2]));
  return Cut(key.Reveal(), length);
}

//= kmip-2.1 7.12 Derivation Parameters
//# For the HKDF derivation method, the Input Key Material is provided by the specified managed
//# object […] The default hash function is SHA-256
Result<SecretBytes> ByHkdf(const DerivationParameters& derivation,
                           const std::vector<UsableKey>& bases, std::size_t length,
                           const OperationContext& context) {
  TRY(OnlyOne(bases));
  if (derivation.data.size() > 1) {
    return Reject(ResultReason::kInvalidField, "HKDF takes one piece of information");
  }
  crypto::HashAlgorithm hash = crypto::HashAlgorithm::kSha256;
  if (derivation.parameters && derivation.parameters->hashing_algorithm) {
    hash = TRY(ChooseHash(*derivation.parameters->hashing_algorithm));
    TRY(crypto::CheckHmac(context.algorithms(), hash, crypto::DigestBytes(hash)));
  }
  if (length > 255 * crypto::DigestBytes(hash)) return Cut({}, length);
  return crypto::Hkdf(hash, bases[0].bytes, derivation.salt.value_or(ByteView()),
                      derivation.data.empty() ? ByteView() : derivation.data[0], length);
}

// SP 800-133 rev. 2, 6.2 and 6.3: keys come from keys by a MAC, a key derivation function or a
// password's; bare hashes and ciphertexts are none of these.
Result<void> RequireApproved(DerivationMethod method) {
  if (method != DerivationMethod::kHASH && method != DerivationMethod::kENCRYPT) return {};
  return Reject(ResultReason::kPermissionDenied,
                "this derivation method is not approved by FIPS 140-3, and the crypto policy is "
                "fips");
}

}  // namespace

Result<SecretBytes> Derive(DerivationMethod method, const DerivationParameters& derivation,
                           const std::vector<UsableKey>& bases, std::size_t length,
                           OperationContext& context) {
  if (crypto::ConfinedToFips()) TRY(RequireApproved(method));
  switch (method) {
    case DerivationMethod::kPBKDF2:
      return ByPbkdf2(derivation, bases, length, context);
    case DerivationMethod::kHASH:
      return ByHash(derivation, bases, length, context);
    case DerivationMethod::kHMAC:
      return ByHmac(derivation, bases, length, context);
    case DerivationMethod::kENCRYPT:
      return ByEncrypting(derivation, bases, length, context);
    case DerivationMethod::kNIST800_108_C:
      return BySp800_108(crypto::KbkdfMode::kCounter, derivation, bases, length, context);
    case DerivationMethod::kNIST800_108_F:
      return BySp800_108(crypto::KbkdfMode::kFeedback, derivation, bases, length, context);
    case DerivationMethod::kNIST800_108_DPI:
      return BySp800_108(crypto::KbkdfMode::kDoublePipeline, derivation, bases, length, context);
    case DerivationMethod::kAWSSignatureVersion4:
      return ForAws(derivation, bases, length);
    case DerivationMethod::kHKDF:
      return ByHkdf(derivation, bases, length, context);
    default:
      return Reject(ResultReason::kInvalidField, "unknown Derivation Method");
  }
}

Result<SecretBytes> DeriveByAgreement(const std::vector<ObjectPointer>& bases, std::size_t length,
                                      const OperationContext& context) {
  std::optional<UsablePrivateKey> own;
  std::optional<UsablePublicKey> peer;
  for (const ObjectPointer& base : bases) {
    const bool is_private = base->object.type == ObjectType::kPrivateKey;
    if (is_private && !own) {
      own = TRY(AsPrivateKey(context, base, KeyPurpose::kDerive));
    } else if (!is_private && !peer) {
      peer = TRY(AsPublicKey(context, base, KeyPurpose::kDerive));
    } else {
      return Reject(ResultReason::kInvalidField, "one private key and one public key agree");
    }
  }
  if (!own || !peer) {
    return Reject(ResultReason::kInvalidField, "one private key and one public key agree");
  }
  const SecretBytes secret = TRY(crypto::Agree(*own->key, peer->key));
  return Cut(secret.Reveal(), length);
}

}  // namespace dare::engine

#pragma once

#include <optional>

#include "crypto/asymmetric_key.h"
#include "engine/key_use.h"
#include "engine/operation.h"
#include "hsm/resident_reference.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"

// Private and public keys that operations use, beside the symmetric ones of key_use.h.
namespace dare::engine {

// A private key that may be used for its purpose now: access policy, state, dates, mask and
// algorithm policy were checked. The key is here, or stays in the HSM: key_computation.h signs and
// decrypts with either.
struct UsablePrivateKey {
  ObjectPointer object;
  crypto::KeyFacts facts;
  std::optional<crypto::PrivateKey> key;  // nothing where `resident` is
  std::optional<hsm::ResidentReference> resident;
  kmip::CryptographicAlgorithm algorithm{};
  kmip::CryptographicParameters defaults;  // of the object, for fields that a request leaves out
};
struct UsablePublicKey {
  ObjectPointer object;
  crypto::KeyFacts facts;
  crypto::PublicKey key;
  kmip::CryptographicAlgorithm algorithm{};
  kmip::CryptographicParameters defaults;
};

// Refusals as those of OpenKey; Invalid Object Type where the object holds no such key.
Result<UsablePrivateKey> OpenPrivateKey(OperationContext& context,
                                        const kmip::Identifier& identifier, KeyPurpose purpose);
// A Public Key, a Certificate by the key that it certifies, or a Private Key by its public half:
// the usage mask of the object named decides.
Result<UsablePublicKey> OpenPublicKey(OperationContext& context, const kmip::Identifier& identifier,
                                      KeyPurpose purpose);

// The same for objects that were opened already.
Result<UsablePrivateKey> AsPrivateKey(const OperationContext& context, ObjectPointer stored,
                                      KeyPurpose purpose);
Result<UsablePublicKey> AsPublicKey(const OperationContext& context, ObjectPointer stored,
                                    KeyPurpose purpose);

// The key of a stored object without asking what it is for: Certify, Validate, Matches. Not
// Extractable for a private key that stays in the HSM.
Result<crypto::PrivateKey> PrivateKeyOf(const kmip::ManagedObject& object);
Result<crypto::PublicKey> PublicKeyOf(const kmip::ManagedObject& object);

}  // namespace dare::engine

#pragma once

#include "crypto/asymmetric_key.h"
#include "engine/operation.h"
#include "kmip/attributes.h"

// New keys that stay in the HSM: for Create, Create Key Pair, Re-key and Re-key Key Pair.
namespace dare::engine {

// Both make the key in the HSM, on the writer thread only, and give what the object has for
// material. `attributes` (those of the private half) have algorithm, length and usage mask; the
// Unique Identifier and what follows from where the key is are set here. Invalid Field where the
// client wants to read what cannot be read; Protection Storage Unavailable.
Result<SecretBytes> MakeResidentKey(kmip::AttributeSet& attributes, OperationContext& context);

struct ResidentPairMaterial {
  SecretBytes private_material;
  crypto::PublicKey public_key;
};
Result<ResidentPairMaterial> MakeResidentPair(const crypto::KeySpecification& wanted,
                                              kmip::AttributeSet& attributes,
                                              OperationContext& context);

}  // namespace dare::engine

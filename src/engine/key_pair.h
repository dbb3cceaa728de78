#pragma once

#include "crypto/asymmetric_key.h"
#include "engine/operation.h"
#include "engine/protection_storage.h"
#include "kmip/attributes.h"
#include "kmip/managed_object.h"
#include "kmip/payloads/key_pair_attributes.h"

// Key pairs that the server makes: for Create Key Pair and Re-key Key Pair.
namespace dare::engine {

struct PairAttributes {
  kmip::AttributeSet private_key;
  kmip::AttributeSet public_key;
};
// The attributes that the request gives to each half, checked as those of any new object:
//= kmip-2.1 6.1.9 Create Key Pair
//# Attributes not common to both keys MAY be specified using the Private Key Attributes and Public
//# Key Attributes objects, which take precedence over the Common Attributes object
//# For multi-instance attributes, the union of the values [...] SHALL be used
Result<PairAttributes> CheckedPairAttributes(const kmip::KeyPairAttributes& wanted,
                                             const OperationContext& context);

// What is asked for: algorithm, length and curve, which both halves share; what only one half names
// is given to the other. Invalid Field where they disagree, or make no key.
Result<crypto::KeySpecification> SharedSpecification(PairAttributes& attributes,
                                                     kmip::ProtocolVersion version);

struct NewPair {
  kmip::ManagedObject private_key;
  kmip::ManagedObject public_key;
};
// Makes the key and its two objects, each linked to the other; `storage` is that of the private
// half. kDenied by the algorithm policy.
Result<NewPair> MakeKeyPair(const crypto::KeySpecification& specification,
                            PairAttributes attributes, Storage storage, OperationContext& context);
// Stores both; the ID Placeholder becomes the private key's.
Result<void> InsertKeyPair(const NewPair& pair, OperationContext& context);

}  // namespace dare::engine

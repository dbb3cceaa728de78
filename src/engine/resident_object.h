#pragma once

#include <string>

#include "crypto/asymmetric_key.h"
#include "hsm/resident_keys.h"
#include "kmip/attributes.h"
#include "kmip/enums.h"
#include "kmip/managed_object.h"

// Objects whose key was made in the HSM and stays there: what tells them from others, and what they
// have for material (docs/decisions/resident-keys.md).
namespace dare::engine {

// By the Protection Storage Mask, which only the server sets.
bool IsResident(const kmip::AttributeSet& attributes);

// Where the object's key is; its material must be opened. kDamaged.
Result<hsm::ResidentReference> ReferenceOf(const kmip::ManagedObject& object);

// For whatever needs the key itself: Not Extractable.
Result<void> CheckHasValue(const kmip::AttributeSet& attributes);

// CKA_LABEL of the key of object `id` in the store named `store`, and back: empty where the label
// is not of that store.
std::string ResidentLabel(const std::string& store, const std::string& id);
std::string ObjectOfLabel(const std::string& store, const std::string& label);

// What the HSM is asked to make: `attributes` have algorithm, length and usage mask. The rights are
// those of the mask and no more. Protection Storage Unavailable for what no HSM keeps.
Result<hsm::ResidentSpecification> ResidentSecret(const kmip::AttributeSet& attributes);
Result<hsm::ResidentSpecification> ResidentPair(const crypto::KeySpecification& wanted,
                                                const kmip::AttributeSet& private_attributes);

}  // namespace dare::engine

#pragma once

#include "base/secret_bytes.h"
#include "engine/attribute_rules.h"
#include "engine/operation.h"
#include "engine/protection_storage.h"
#include "kmip/dialect.h"
#include "kmip/managed_object.h"

// What a new managed object starts with: what the client gave, checked, and what the server sets
// (kmip-2.1 4, "Initially set by"; kmip-1.4 3).
namespace dare::engine {

// The attributes that a client gives to a new object, checked and in the form they are kept:
// permitted, each kind as often as it may be, dates in order, with those of the templates it names.
// Invalid Field, Attribute Read Only, Attribute Single Valued, Non Unique Name Attribute, …
// An imported object keeps whatever it had elsewhere, so that every attribute may be given.
Result<kmip::AttributeSet> CheckedAttributes(const kmip::AttributesIn& given, kmip::ObjectType type,
                                             Origin origin, const OperationContext& context);

//= kmip-2.1 4.45 Quantum Safe
//# a flag to be set to indicate an object is required to be Quantum Safe
// General Failure where it is not (QS-M-2).
Result<void> CheckQuantumSafe(const kmip::AttributeSet& attributes);

// Completes `attributes` with everything that the server sets, a new Unique Identifier first (an
// imported object brings its own, and keeps all that it brings; a key that was made in the HSM has
// got it already, see resident_creation.h).
// `material` is the whole encoded object structure. Algorithm, length and usage mask are the
// caller's.
Result<kmip::ManagedObject> MakeObject(kmip::ObjectType type, Origin origin,
                                       kmip::AttributeSet attributes, SecretBytes material,
                                       const OperationContext& context);

// Stores it, sets the ID Placeholder. Non Unique Name Attribute (1.x: Invalid Field).
Result<void> InsertObject(const kmip::ManagedObject& object, OperationContext& context);

inline constexpr std::uint32_t kLeaseSeconds = 3600;  // Lease Time of every object

}  // namespace dare::engine

#pragma once

#include <vector>

#include "engine/operation.h"
#include "kmip/constraint.h"
#include "kmip/payloads/query.h"

// Constraints and defaults for new objects (kmip-2.1 6.1.52, 6.1.53). Each principal has its own,
// for the objects it makes: nobody sets rules for others. They are kept in the store's metadata,
// under the keyed check, as messages of 2.1.
namespace dare::engine {

Result<std::vector<kmip::Constraint>> LoadConstraints(const OperationContext& context);
Result<void> SaveConstraints(const std::vector<kmip::Constraint>& constraints,
                             OperationContext& context);
Result<std::vector<kmip::ObjectDefaults>> LoadDefaults(const OperationContext& context);
Result<void> SaveDefaults(const std::vector<kmip::ObjectDefaults>& defaults,
                          OperationContext& context);

// Constraint Violation unless the new object is as every constraint on its type and groups wants
// it. A constraint for a group is more specific: where one applies, those for no group do not
// (TC-MD-24-21 has both for one type).
Result<void> CheckConstraints(const kmip::ManagedObject& object, const OperationContext& context);

// `given` and, of the defaults for its type and groups, the attributes that it lacks.
Result<kmip::AttributeSet> WithDefaults(kmip::AttributeSet given, kmip::ObjectType type,
                                        const OperationContext& context);

}  // namespace dare::engine

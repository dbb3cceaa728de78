#pragma once

#include "kmip/managed_object.h"
#include "policy/decision.h"

namespace dare::engine {

// What the policy may look at of an object beside its owner: its names and Object Groups, and its
// identifier, which is borrowed.
void TakeNames(const kmip::ManagedObject& object, policy::ObjectFacts& facts);

}  // namespace dare::engine

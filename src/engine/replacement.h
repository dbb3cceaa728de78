#pragma once

#include <cstdint>
#include <optional>

#include "engine/operation.h"
#include "kmip/attributes.h"

namespace dare::engine {

// The attributes that a replacement (Re-key, Re-key Key Pair, Re-certify) starts with: copied from
// `existing` but for what the server sets anew (kmip-2.1 tables 299, 304; kmip-1.4 tables 173,
// 187), dates moved by `offset` seconds, and what the request `wanted` in the place of what was
// copied, kind by kind. Invalid Message where an Offset and dates are given; Illegal Operation
// (2.x: Invalid Field) for an Offset with nothing to count from.
Result<kmip::AttributeSet> InheritAttributes(const kmip::AttributeSet& existing,
                                             const kmip::AttributeSet& wanted,
                                             std::optional<std::uint32_t> offset,
                                             const OperationContext& context);

// Before the server replaces an object by itself: Wrong Key Lifecycle State where a client, or
// another node, has replaced it since it was found due. A client may always ask.
Result<void> CheckOccasion(const StoredObject& stored, const OperationContext& context);

}  // namespace dare::engine

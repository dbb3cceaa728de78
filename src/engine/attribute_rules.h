#pragma once

#include <cstdint>

#include "base/result.h"
#include "kmip/attributes.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"

// Who may set, change and delete which attribute, in which state and version: the columns of
// gen/kmip/attribute_table.h turned into refusals (kmip-2.1 4; kmip-1.4 3).
namespace dare::engine {

enum class AttributeAction { kAdd, kModify, kSet, kAdjust, kDelete };

// Whether a client may do `action` to the attribute `reference` of an object with `attributes`.
// Read Only Attribute, Attribute Read Only, Wrong Key Lifecycle State (1.x: Permission Denied);
// Invalid Attribute for what `version` does not have.
Result<void> CheckAction(AttributeAction action, const kmip::AttributeReference& reference,
                         const kmip::AttributeSet& attributes, std::int64_t now,
                         kmip::ProtocolVersion version);

// How an object comes to be: its key was made here, or it was brought, or it comes from another
// server with its whole past.
enum class Origin { kGenerated, kRegistered, kImported };

// Whether a client may give this attribute to a new object.
bool MayBeGiven(const kmip::AttributeReference& reference, Origin origin,
                kmip::ProtocolVersion version);

// More than one instance is permitted. Vendor attributes may repeat.
bool MayRepeat(const kmip::AttributeReference& reference);

}  // namespace dare::engine

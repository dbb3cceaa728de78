#pragma once

#include "engine/attribute_rules.h"
#include "engine/operation.h"
#include "kmip/dialect.h"
#include "kmip/payloads/register.h"

// Templates of KMIP 1.x (kmip-1.4 2.2.6): stored lists of attributes, which a Template-Attribute
// refers to by name.
namespace dare::engine {

// Everything that a Template-Attribute says: what its templates have, then what it gives itself.
// For an attribute of one instance the explicit value takes precedence, then the last template
// (kmip-1.4 4.2); instances of others stand side by side. Item Not Found for a name that no
// template of the principal has.
Result<kmip::AttributeSet> WithTemplates(const kmip::AttributesIn& given,
                                         const OperationContext& context);

// Register of a Template: its attributes are checked now, so that what it is used for later does
// not fail for what it says.
Result<kmip::ManagedObject> MakeTemplate(const kmip::RegisterRequest& request, Origin origin,
                                         const OperationContext& context);

// Whether operations of `version` may be asked of a Template at all: there are none in 2.x, and of
// 1.x only those that keep and show objects (kmip-1.4 annex, "Operation by Object").
bool MayReachTemplate(kmip::Operation operation, kmip::ProtocolVersion version);

}  // namespace dare::engine

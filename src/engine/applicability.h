#pragma once

#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "kmip/tags.h"

// What goes with which type of object: the annexes of 1.x and "Applies to Object Types" of 2.x. As
// far as a client can ask for it; what operations do with the content of an object they refuse
// themselves.
namespace dare::engine {

// Whether `operation`, which may name any object by its identifier, has a meaning for this type.
bool Applies(kmip::Operation operation, kmip::ObjectType type, kmip::ProtocolVersion version);

// Whether an object of this type may be given an attribute of this kind by its client.
bool Applies(kmip::Tag attribute, kmip::ObjectType type);

}  // namespace dare::engine

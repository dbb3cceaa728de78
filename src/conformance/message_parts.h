#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/tree.h"
#include "kmip/protocol_version.h"

namespace dare::conformance {

// The parts of a message that everybody asks for.

// The number of the batch item's operation, 0 if it names none.
std::uint32_t OperationOf(const Node& batch_item);
// The version in a message's header; 0.0 where there is none.
kmip::ProtocolVersion VersionOf(const Node& message);
std::string VersionText(kmip::ProtocolVersion version);
// The operations of a message's batch items, by name.
std::vector<std::string> OperationNames(const Node& message);

// The payload of the request's batch item that `answer` answers: the one with the same Unique Batch
// Item ID, or the only one. Null when there is none.
const Node* RequestPayloadFor(const Node& request, const Node& answer);

// The field a value belongs to: that of the 1.x attribute around an Attribute Value ("Cryptographic
// Length"), else the tag itself.
kmip::Tag FieldOf(kmip::Tag tag, std::string_view attribute);

}  // namespace dare::conformance

#pragma once

#include <span>

#include "kmip/protocol_version.h"

namespace dare::engine {

// The versions this server speaks, best first.
std::span<const kmip::ProtocolVersion> SupportedVersions();
inline constexpr kmip::ProtocolVersion kNewestVersion = kmip::kVersion2_1;
bool IsSupported(kmip::ProtocolVersion version);
// The version in which a request of an unsupported one is refused: the newest that is not newer,
// else the oldest.
kmip::ProtocolVersion ClosestSupported(kmip::ProtocolVersion version);

}  // namespace dare::engine

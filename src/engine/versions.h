#pragma once

#include <span>

#include "kmip/protocol_version.h"

namespace dare::engine {

// The newest version of the finished standard, and of the engine. 3.0 is a draft, rewritten into
// 2.1 at the edge where the configuration allows it (ServerFacts::newest_version).
inline constexpr kmip::ProtocolVersion kNewestVersion = kmip::kVersion2_1;

// The versions that a server up to `newest` speaks, best first.
std::span<const kmip::ProtocolVersion> SupportedVersions(
    kmip::ProtocolVersion newest = kNewestVersion);
bool IsSupported(kmip::ProtocolVersion version);
// The version in which a request of an unsupported one is refused: the newest that is not newer,
// else the oldest.
kmip::ProtocolVersion ClosestSupported(kmip::ProtocolVersion version);

}  // namespace dare::engine

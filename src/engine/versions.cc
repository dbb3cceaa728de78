#include "engine/versions.h"

#include <algorithm>

namespace dare::engine {
namespace {
constexpr kmip::ProtocolVersion kVersions[] = {
    kmip::kVersion2_1, kmip::kVersion2_0, kmip::kVersion1_4, kmip::kVersion1_3,
    kmip::kVersion1_2, kmip::kVersion1_1, kmip::kVersion1_0};
}  // namespace

std::span<const kmip::ProtocolVersion> SupportedVersions() { return kVersions; }

bool IsSupported(kmip::ProtocolVersion version) {
  return std::ranges::find(kVersions, version) != std::end(kVersions);
}

kmip::ProtocolVersion ClosestSupported(kmip::ProtocolVersion version) {
  for (const kmip::ProtocolVersion& supported : kVersions) {
    if (supported <= version) return supported;
  }
  return kmip::kVersion1_0;
}

}  // namespace dare::engine
